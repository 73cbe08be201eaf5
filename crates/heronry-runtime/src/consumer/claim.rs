//! Claims of consumers, and commits of their holders: the durable part.

use heronry_event::filter::Fingerprint;
use heronry_journal::ConsumerReset;
use heronry_pool::{Rejection, decide::RecordConsumerReset, locate};
use heronry_store::{
    CommitOutcome, ConsumerCursor, ConsumerError, ConsumerId, ConsumerStep, FilterFingerprint,
    ProjectionChange, StoreError, Tenure,
};
use heronry_types::{ConsumerRecovery, ConsumerStaleness, Cursor, Position};

use super::{ClaimTurn, ConsumeError, ConsumerClaim, ConsumerStart, OnFilterChanged, OnHeld};
use crate::{CallError, Pool};

/// The most times that a claim is tried again because another one was faster.
const CLAIM_TRIES: u32 = 16;

/// A claim that was kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClaimedConsumer {
    /// The cursor after which the consumer goes on.
    pub cursor: Cursor,
    /// The generation of the claim. Commits name it.
    pub generation: u64,
}

/// A cursor after which a consumer cannot go on.
struct StaleCursor {
    reason: ConsumerStaleness,
    why: Rejection,
}

impl Pool {
    /// Claims a consumer for somebody outside of this process, who reads for itself and commits with
    /// [`commit_consumer`](Self::commit_consumer). Whoever had it before commits no more.
    ///
    /// A holder in this process is asked for with [`OnHeld`]. Nobody is asked whether a holder outside
    /// lives: the last claim counts.
    ///
    /// # Errors
    /// [`ConsumeError`].
    pub async fn claim_consumer(
        &self,
        claim: &ConsumerClaim,
    ) -> Result<ClaimedConsumer, ConsumeError> {
        let turn = ClaimTurn::take(&self.shared().holders, &claim.name).await;
        let kept = self.claim(claim, &turn).await?;
        turn.lose();
        Ok(ClaimedConsumer {
            cursor: kept.cursor,
            generation: kept.tenure.generation,
        })
    }

    /// Commits that a consumer is done with everything up to a cursor, for the holder with this
    /// generation. A commit of the present cursor renews its time.
    ///
    /// # Errors
    /// [`ConsumeError::Fenced`] when the consumer was claimed by another one since,
    /// [`ConsumeError::NotThere`], [`ConsumeError::Behind`], [`ConsumeError::NotCommitted`], and the
    /// store's failure.
    pub async fn commit_consumer(
        &self,
        name: &ConsumerId,
        generation: u64,
        to: Cursor,
    ) -> Result<(), ConsumeError> {
        let cursors = &self.shared().environment.store.cursors;
        let found = cursors.get(self.id(), name).await?;
        let stood = found.ok_or_else(|| ConsumeError::NotThere { name: name.clone() })?;
        if stood.tenure.generation != generation {
            return Err(fenced(name, generation, &stood));
        }
        let moved = self.advance(name, stood, to, Vec::new()).await;
        moved.map(drop)
    }

    /// Claims a consumer in its turn: its generation rises, and its cursor is one that the pool takes.
    pub(super) async fn claim(
        &self,
        claim: &ConsumerClaim,
        turn: &ClaimTurn,
    ) -> Result<ConsumerCursor, ConsumeError> {
        if let Some(why) = self.closed_by() {
            let outcome = CommitOutcome::None;
            return Err(CallError::Stopped { outcome, why }.into());
        }
        if let (Some(generation), OnHeld::Refuse) = (turn.holder(), claim.on_held) {
            let name = claim.name.clone();
            return Err(ConsumeError::Held { name, generation });
        }
        let _moving = self.shared().standstill.moving().await;
        let cursors = &self.shared().environment.store.cursors;
        let mut tries = 0;
        loop {
            let found = cursors.get(self.id(), &claim.name).await?;
            let next = self.claimed(claim, turn, found).await?;
            let kept = cursors.commit(self.id(), &claim.name, found, next).await;
            match kept {
                Ok(()) => return Ok(next),
                Err(ConsumerError::Conflict { .. }) if tries < CLAIM_TRIES => tries += 1,
                Err(error) => return Err(of_store(&claim.name, error)),
            }
        }
    }

    /// Returns the row of a claim over what is there.
    async fn claimed(
        &self,
        claim: &ConsumerClaim,
        turn: &ClaimTurn,
        found: Option<ConsumerCursor>,
    ) -> Result<ConsumerCursor, ConsumeError> {
        let (cursor, before) = match found {
            None => (self.start_of(claim.start).await?, None),
            Some(found) => {
                check_filter(claim, found.filter)?;
                (
                    self.cursor_of(claim, turn, found.cursor).await?,
                    Some(found.tenure),
                )
            }
        };
        let environment = &self.shared().environment;
        let now = environment.clock.now().wall;
        let tenure = match before {
            Some(before) => Tenure {
                generation: before.generation.saturating_add(1),
                committed_at: before.committed_at.or(Some(now)),
                hold_for: claim.hold_for,
            },
            None => Tenure {
                generation: first_generation(environment.ids.draw()),
                committed_at: Some(now),
                hold_for: claim.hold_for,
            },
        };
        Ok(ConsumerCursor {
            cursor,
            filter: claim.filter,
            tenure,
        })
    }

    async fn start_of(&self, start: ConsumerStart) -> Result<Cursor, ConsumeError> {
        match start {
            ConsumerStart::Floor => Ok(self.cursor(self.floor().await?.previous())),
            ConsumerStart::Head => Ok(self.head()),
            ConsumerStart::Cursor(cursor) => {
                let floor = self.floor().await?;
                let checked = self.check_reading(cursor, floor);
                checked
                    .map(|()| cursor)
                    .map_err(|stale| CallError::from(stale.why).into())
            }
        }
    }

    /// Returns the cursor after which a consumer goes on that stands at this one. That it is stale is
    /// recorded, whatever is done then; a stale cursor that stays is told once as long as the pool is open,
    /// unless who claims gives up before it is recorded.
    async fn cursor_of(
        &self,
        claim: &ConsumerClaim,
        turn: &ClaimTurn,
        stands: Cursor,
    ) -> Result<Cursor, ConsumeError> {
        let floor = self.floor().await?;
        let Err(StaleCursor { reason, why }) = self.check_reading(stands, floor) else {
            turn.is_fresh();
            return Ok(stands);
        };
        let to = match claim.on_stale {
            ConsumerRecovery::Fail => None,
            ConsumerRecovery::RestartAtFloor => Some(self.cursor(floor.previous())),
            ConsumerRecovery::Head => Some(self.head()),
        };
        let reset = ConsumerReset {
            consumer: claim.name.clone(),
            from: stands,
            to,
            reason,
            recovery: claim.on_stale,
        };
        if turn.is_news(&reset) {
            tracing::warn!(pool = %self.id(), consumer = %claim.name, %why, "a consumer is stale");
            let record = reset.clone();
            self.call(RecordConsumerReset { reset: record }).await?;
            turn.told(reset);
        }
        to.ok_or_else(|| ConsumeError::Stale {
            name: claim.name.clone(),
            why,
        })
    }

    /// Checks that a consumer may go on after a cursor.
    fn check_reading(&self, cursor: Cursor, floor: Position) -> Result<(), StaleCursor> {
        if let Err(why) = locate(self.timelines(), self.head().position, cursor) {
            let reason = match self.timelines().check(cursor) {
                Ok(()) => ConsumerStaleness::Ahead,
                Err(_) => ConsumerStaleness::Foreign,
            };
            return Err(StaleCursor { reason, why });
        }
        if cursor.position >= floor.previous() {
            return Ok(());
        }
        Err(StaleCursor {
            reason: ConsumerStaleness::Trimmed,
            why: Rejection::CursorTrimmed {
                requested: cursor,
                floor: self.cursor(floor.previous()),
            },
        })
    }

    /// Returns the oldest position that is kept.
    pub(super) async fn floor(&self) -> Result<Position, StoreError> {
        let journal = &self.shared().environment.store.journal;
        let head = journal.head(self.id()).await?;
        Ok(head.map_or(Position(1), |head| head.floor))
    }

    /// Moves a consumer from where its holder knows it to stand, and writes rows of its projection
    /// with it. Returns where it stands then.
    ///
    /// A commit whose answer was lost is found again: it counts when it is this one, and is gone on
    /// from when no rows hang on it.
    pub(super) async fn advance(
        &self,
        name: &ConsumerId,
        mut stood: ConsumerCursor,
        to: Cursor,
        rows: Vec<ProjectionChange>,
    ) -> Result<ConsumerCursor, ConsumeError> {
        let located = locate(self.timelines(), self.head().position, to);
        located.map_err(ConsumeError::NotCommitted)?;
        let mut tries = 0;
        loop {
            let next = self.moved(stood, to)?;
            let step = ConsumerStep {
                expected: Some(stood),
                next,
            };
            let kept = self.write(name, step, &rows).await;
            let found = match kept {
                Ok(()) => return Ok(next),
                Err(ConsumerError::Conflict { found: Some(found) }) => found,
                Err(error) => return Err(of_store(name, error)),
            };
            if found.tenure.generation != stood.tenure.generation {
                return Err(fenced(name, stood.tenure.generation, &found));
            }
            if found.cursor == to {
                return Ok(found);
            }
            if !rows.is_empty() || tries == CLAIM_TRIES {
                let (name, stands) = (name.clone(), found.cursor);
                return Err(ConsumeError::Elsewhere { name, stands });
            }
            stood = found;
            tries += 1;
        }
    }

    /// Returns the row of a consumer that moves.
    fn moved(&self, stood: ConsumerCursor, to: Cursor) -> Result<ConsumerCursor, ConsumeError> {
        if to.position < stood.cursor.position {
            return Err(ConsumeError::Behind {
                asked: to,
                committed: stood.cursor,
            });
        }
        let now = self.shared().environment.clock.now().wall;
        Ok(ConsumerCursor {
            cursor: to,
            tenure: Tenure {
                committed_at: Some(now),
                ..stood.tenure
            },
            ..stood
        })
    }

    async fn write(
        &self,
        name: &ConsumerId,
        step: ConsumerStep,
        rows: &[ProjectionChange],
    ) -> Result<(), ConsumerError> {
        let _moving = self.shared().standstill.moving().await;
        let store = &self.shared().environment.store;
        if rows.is_empty() {
            let cursors = &store.cursors;
            return cursors
                .commit(self.id(), name, step.expected, step.next)
                .await;
        }
        store
            .projections
            .commit(self.id(), name, step, rows.to_vec())
            .await
    }
}

/// Returns the generation of the first holder of a name. It is drawn, so that who held a consumer of
/// the same name that was forgotten is not taken for its holder.
fn first_generation(bits: [u8; 16]) -> u64 {
    let [a, b, c, d, ..] = bits;
    u64::from(u32::from_be_bytes([a, b, c, d]) >> 1) + 1
}

fn check_filter(claim: &ConsumerClaim, found: FilterFingerprint) -> Result<(), ConsumeError> {
    if found == claim.filter || claim.on_filter_changed == OnFilterChanged::Accept {
        return Ok(());
    }
    Err(ConsumeError::FilterChanged {
        name: claim.name.clone(),
        found: Fingerprint::from_bytes(found.0),
        asked: Fingerprint::from_bytes(claim.filter.0),
    })
}

pub(super) fn fenced(name: &ConsumerId, held: u64, found: &ConsumerCursor) -> ConsumeError {
    ConsumeError::Fenced {
        name: name.clone(),
        held,
        current: found.tenure.generation,
    }
}

/// Returns the error of a holder whose commit the store did not take.
fn of_store(name: &ConsumerId, error: ConsumerError) -> ConsumeError {
    match error {
        ConsumerError::Store(error) => ConsumeError::Store(error),
        ConsumerError::Conflict { .. } | ConsumerError::NoPool => {
            ConsumeError::NotThere { name: name.clone() }
        }
        ConsumerError::TooMany { .. }
        | ConsumerError::TooLarge { .. }
        | ConsumerError::EmptyKey
        | ConsumerError::Ahead { .. } => ConsumeError::TooMuch(error),
    }
}
