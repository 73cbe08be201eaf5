//! Checks that every adapter makes before it writes: in one place, so that all answer alike.

use heronry_journal::{Baseline, Chain, ChainError, ChainFault, Chunk, ChunkHeader};
use heronry_types::{Position, Timelines, Timestamp};

use crate::{
    AppendError, Arrival, CONSUMERS_PER_POOL_MAX, Commit, CommitOutcome, FencingToken, Guard, Head,
    LeaseError, RenewError, StoreError, StoreErrorKind, Timeline,
};

/// Checks a commit against a pool's ownership and head, and returns the head that it leads to.
///
/// The order is fixed: ownership, expected head, continuity. Nothing is written here, so a
/// refusal leaves the pool as it was.
///
/// # Errors
/// [`AppendError::Fenced`], [`AppendError::Conflict`] or [`AppendError::Discontinuous`].
pub fn judge_append(
    ownership: &Ownership,
    head: Option<Head>,
    commit: &Commit,
    guard: Guard,
) -> Result<Head, AppendError> {
    ownership.check(guard.token)?;
    let found = head.map_or(Position::ZERO, |head| head.head);
    if guard.expected_head != found {
        return Err(AppendError::Conflict {
            expected: guard.expected_head,
            found,
        });
    }
    let mut chain = match (head, &commit.baseline) {
        (None, None) => Chain::start(),
        (None, Some(baseline)) => after_baseline(baseline)?,
        (Some(head), None) => Chain::after(head.epoch, head.head, head.last_hash),
        (Some(head), Some(_)) => {
            return Err(AppendError::Discontinuous {
                at: head.head.next(),
                why: "it brings a baseline, and the pool is there",
            });
        }
    };
    let first = chain.position().next();
    let mut start = None;
    for chunk in &commit.chunks {
        let epoch = chain.epoch();
        chain.push(chunk).map_err(discontinuous)?;
        if epoch.is_some() && epoch != chain.epoch() {
            start = start.or(Some(chunk.first()));
        }
    }
    let last = commit.chunks.last().ok_or(AppendError::Discontinuous {
        at: first,
        why: "a commit has at least one chunk",
    })?;
    judge_timeline(commit.timeline, start, first)?;
    Ok(Head {
        epoch: last.header().epoch,
        head: last.last(),
        floor: head.map_or(first, |head| head.floor),
        last_hash: last.hash(),
    })
}

/// Returns the chain after the records that a baseline stands in for.
fn after_baseline(baseline: &Baseline) -> Result<Chain, AppendError> {
    let floor = baseline.floor();
    if floor <= Position::ZERO.next() {
        let why = "nothing stands before the baseline";
        return Err(AppendError::Discontinuous { at: floor, why });
    }
    let hash = baseline.point().hash;
    Ok(Chain::after(baseline.epoch(), floor.previous(), hash))
}

/// Checks that a baseline fits a journal with these timelines, and the chunk that begins at its floor; nothing
/// stands for a floor at which none begins.
///
/// # Errors
/// [`AppendError::Discontinuous`].
pub fn judge_baseline(
    baseline: &Baseline,
    timelines: &Timelines,
    follows: Option<&ChunkHeader>,
) -> Result<(), AppendError> {
    let at = baseline.floor();
    let before = at.previous();
    let known = timelines.iter().take_while(|start| start.at <= before);
    let why = match follows {
        None => "no chunk begins at the floor",
        Some(chunk) if chunk.previous != baseline.point().hash => {
            "the chunk at the floor follows another hash than the baseline carries"
        }
        Some(_) if !known.eq(baseline.point().timelines.iter()) => {
            "the baseline has other timelines than the records before the floor"
        }
        Some(_) => return Ok(()),
    };
    Err(AppendError::Discontinuous { at, why })
}

/// Returns the timelines of a journal after a commit that was judged, and that led to this head.
pub fn timelines_after(before: Option<&Timelines>, head: Head, commit: &Commit) -> Timelines {
    let epochs = || commit.chunks.iter().map(|c| (c.first(), c.header().epoch));
    let first = || {
        let epoch = epochs().next().map_or(head.epoch, |(_, epoch)| epoch);
        let baseline = commit.baseline.as_ref();
        baseline.map_or_else(|| Timelines::of(epoch), |it| it.point().timelines.clone())
    };
    let mut timelines = before.map_or_else(first, Timelines::clone);
    epochs().for_each(|(first, epoch)| timelines.start(first, epoch));
    timelines
}

/// Checks that a commit says what it does: whether a timeline starts with it.
fn judge_timeline(
    said: Timeline,
    start: Option<Position>,
    first: Position,
) -> Result<(), AppendError> {
    let (at, why) = match (said, start) {
        (Timeline::Continues, None) | (Timeline::Starts, Some(_)) => return Ok(()),
        (Timeline::Continues, Some(at)) => {
            (at, "it starts a timeline, and the commit does not say so")
        }
        (Timeline::Starts, None) => (
            first,
            "the commit says that a timeline starts, and none does",
        ),
    };
    Err(AppendError::Discontinuous { at, why })
}

/// Checks that a commit does not take a pool out of sight, and brings consumers only when it shows a
/// new one; `seen` is the head that readers see.
///
/// # Errors
/// [`AppendError::Discontinuous`].
pub fn judge_arrival(seen: Option<Head>, commit: &Commit) -> Result<(), AppendError> {
    if let (Some(head), Arrival::Part) = (seen, commit.arrival) {
        return Err(AppendError::Discontinuous {
            at: head.head.next(),
            why: "it is a part of a new pool, and the pool is there",
        });
    }
    if commit.consumers.is_empty() {
        return Ok(());
    }
    let at = commit.chunks.last().map_or(Position::ZERO, Chunk::last);
    let mut consumers = commit.consumers.iter();
    let why = if seen.is_some() || commit.arrival == Arrival::Part {
        "it names consumers, and does not show a new pool"
    } else if commit.consumers.len() > CONSUMERS_PER_POOL_MAX {
        "it names more consumers than a pool has"
    } else if consumers.any(|it| it.cursor.cursor.position > at) {
        "a consumer that it names stands above the head"
    } else {
        return Ok(());
    };
    Err(AppendError::Discontinuous { at, why })
}

fn discontinuous(error: ChainError) -> AppendError {
    let why = match error.what {
        ChainFault::Position { .. } => "its first position is not the one after the head",
        ChainFault::Epoch { .. } => "its epoch is not the pool's",
        ChainFault::Hash { .. } => "it does not name the hash of the chunk before it",
    };
    AppendError::Discontinuous { at: error.at, why }
}

/// Checks that no content of a commit is larger than the store takes.
///
/// # Errors
/// [`StoreErrorKind::TooLarge`] with outcome none.
pub fn judge_contents(commit: &Commit, content_bytes_max: u64) -> Result<(), AppendError> {
    commit
        .contents
        .iter()
        .try_for_each(|content| judge_content(content.stored.stored_bytes(), content_bytes_max))
        .map_err(|error| AppendError::Store {
            outcome: CommitOutcome::None,
            error,
        })
}

/// Checks that a content is not larger than the store takes.
///
/// # Errors
/// [`StoreErrorKind::TooLarge`].
pub fn judge_content(bytes: usize, content_bytes_max: u64) -> Result<(), StoreError> {
    if bytes as u64 > content_bytes_max {
        let detail = format!("content has {bytes} bytes; the store takes {content_bytes_max}");
        return Err(StoreError::new(
            StoreErrorKind::TooLarge,
            "put content",
            detail,
        ));
    }
    Ok(())
}

/// The ownership of a pool. The token is to be persisted before it is handed out; the owner lives
/// in memory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ownership {
    token: FencingToken,
    owner: Option<Owner>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Owner {
    name: String,
    since: Timestamp,
}

impl Ownership {
    /// Returns the ownership of a pool whose last token was `token`, zero when it never had one.
    pub fn free(token: FencingToken) -> Self {
        Self { token, owner: None }
    }

    /// Returns the last token that was given.
    pub fn token(&self) -> FencingToken {
        self.token
    }

    /// Returns true when nobody owns the pool.
    pub fn is_free(&self) -> bool {
        self.owner.is_none()
    }

    /// Gives the pool to `name` when it is free, with the next token.
    ///
    /// # Errors
    /// [`LeaseError::Owned`] while it has an owner.
    pub fn acquire(&mut self, name: &str, now: Timestamp) -> Result<FencingToken, LeaseError> {
        match &self.owner {
            Some(owner) => Err(LeaseError::Owned {
                owner: owner.name.clone(),
                since: owner.since,
            }),
            None => Ok(self.seize(name, now)),
        }
    }

    /// Gives the pool to `name` with the next token, whoever owns it.
    pub fn seize(&mut self, name: &str, now: Timestamp) -> FencingToken {
        self.token = FencingToken(self.token.0.saturating_add(1));
        self.owner = Some(Owner {
            name: name.to_owned(),
            since: now,
        });
        self.token
    }

    /// Checks that `token` still stands for an owner.
    ///
    /// # Errors
    /// [`RenewError::Lost`].
    pub fn renew(&self, token: FencingToken) -> Result<(), RenewError> {
        if self.owner.is_some() && token == self.token {
            return Ok(());
        }
        Err(RenewError::Lost {
            held: token.0,
            current: self.token.0,
        })
    }

    /// Ends the ownership that `token` stands for; another token changes nothing.
    pub fn release(&mut self, token: FencingToken) {
        if token == self.token {
            self.owner = None;
        }
    }

    /// Checks that `token` is the last one that was given.
    ///
    /// # Errors
    /// [`AppendError::Fenced`].
    pub fn check(&self, token: FencingToken) -> Result<(), AppendError> {
        if token == self.token && token != FencingToken(0) {
            return Ok(());
        }
        Err(AppendError::Fenced {
            held: token.0,
            current: self.token.0,
        })
    }

    /// Checks a token for a write beside the journal.
    ///
    /// # Errors
    /// [`StoreErrorKind::Closed`] with the fence as its source.
    pub fn check_aside(&self, token: FencingToken, op: &'static str) -> Result<(), StoreError> {
        self.check(token).map_err(|fenced| {
            let detail = "ownership of the pool was lost";
            StoreError::new(StoreErrorKind::Closed, op, detail).with_source(fenced)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(0)
    }

    #[test]
    fn tokens_rise_and_the_last_one_counts() {
        let mut ownership = Ownership::free(FencingToken(7));
        let first = ownership.acquire("a", now()).unwrap();
        assert_eq!(first, FencingToken(8));
        assert!(matches!(
            ownership.acquire("b", now()),
            Err(LeaseError::Owned { owner, .. }) if owner == "a"
        ));
        let second = ownership.seize("b", now());
        assert!(ownership.check(second).is_ok());
        assert!(matches!(
            ownership.check(first),
            Err(AppendError::Fenced {
                held: 8,
                current: 9
            })
        ));
    }

    #[test]
    fn a_stale_release_changes_nothing() {
        let mut ownership = Ownership::free(FencingToken(0));
        let first = ownership.acquire("a", now()).unwrap();
        let second = ownership.seize("b", now());
        ownership.release(first);
        assert!(ownership.acquire("c", now()).is_err());
        ownership.release(second);
        assert!(ownership.acquire("c", now()).is_ok());
    }

    #[test]
    fn a_pool_that_nobody_acquired_takes_no_token() {
        let ownership = Ownership::free(FencingToken(0));
        assert!(ownership.check(FencingToken(0)).is_err());
        let error = ownership.check_aside(FencingToken(0), "put").unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Closed);
    }
}
