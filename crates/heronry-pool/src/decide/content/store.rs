//! Storing a body by itself: whether there is room for it, and the record that it is there.

use heronry_journal::{Body, ContentErased, ContentStored, Entry};
use heronry_types::{ContentRef, Digest, LimitName, MediaType, Millis, Position, RunId};

use crate::{
    Caller, Done, Rejection, State,
    command::{
        AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Profile, SMALL_BYTES,
        Speaker,
    },
    decide::guard,
    state::UnnamedContents,
};

/// Returns as how many bytes a body of this size counts while no message names it: as 4 096 at the
/// least.
pub fn counted_bytes(bytes: u64) -> u64 {
    UnnamedContents::counted(bytes)
}

/// The share that a body takes which is to be stored.
#[derive(Clone, Debug, Default)]
pub struct ContentShare {
    /// The run that it is stored for; an operator may name none, and then it is the pool's alone.
    pub run: Option<RunId>,
    /// The counted bytes of those bodies of the run that are being stored and have no record yet.
    pub under_way_of_run: u64,
    /// The counted bytes of those bodies of the whole pool.
    pub under_way: u64,
}

/// Asks whether the caller may store a body, before it is stored.
#[derive(Clone, Debug)]
pub struct AdmitBody {
    /// The authenticated caller.
    pub caller: Caller,
    /// Its media type.
    pub media_type: MediaType,
    /// The size of the body in bytes.
    pub bytes: u64,
    /// The share that it takes.
    pub share: ContentShare,
}

impl Command for AdmitBody {
    type Answer = ();

    fn profile(&self) -> Profile<'_> {
        let profile = Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller));
        // A large body is bulk, and is put after this.
        if self.bytes > SMALL_BYTES as u64 {
            profile.step_of_bulk()
        } else {
            profile
        }
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        guard::limit(state, LimitName::ContentBytesMax, self.bytes)?;
        guard::media_type(self.media_type.as_str())?;
        self.check_room(state)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, _: &State, _: Applied<'_>) -> Result<(), Rejection> {
        Ok(())
    }
}

impl AdmitBody {
    fn check_room(&self, state: &State) -> Result<(), Rejection> {
        let share = &self.share;
        let counted = counted_bytes(self.bytes);
        let with = |kept: u64, under_way: u64| kept.saturating_add(under_way) + counted;
        if let Some(run) = self.caller.run_or_own(share.run.as_ref()) {
            let bytes = with(state.unnamed.bytes_of(run), share.under_way_of_run);
            guard::limit(state, LimitName::UnnamedContentBytesPerRunMax, bytes)?;
        }
        let bytes = with(state.unnamed.bytes(), share.under_way);
        guard::limit(state, LimitName::UnnamedContentBytesMax, bytes)
    }
}

/// Records that a body is stored by itself, unless that is known: it counts for its run, and
/// expires, until a message names it.
///
/// The body is in the store, and [`AdmitBody`] was answered before it was put there. So nothing is
/// refused here: what is stored has a record.
#[derive(Clone, Debug)]
pub struct StoreContent {
    /// The authenticated caller that stores it.
    pub caller: Caller,
    /// The run that it is stored for; an operator may name none.
    pub run: Option<RunId>,
    /// The body.
    pub content_ref: ContentRef,
    /// The BLAKE3 digest of its bytes.
    pub digest: Digest,
    /// Its media type.
    pub media_type: MediaType,
    /// The size of the body in bytes.
    pub bytes: u64,
    /// The durable head before the body was seen in the store; absent when nobody else knows of it.
    pub seen_at: Option<Position>,
}

impl Command for StoreContent {
    /// The record, or the head when there was nothing to record. Absent: a body has been erased since
    /// this one was seen, perhaps this one. Look for it again.
    type Answer = Option<Done>;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
            .owed()
            .spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        if self.is_known(state) || self.may_be_erased(state) {
            return Ok(Decision::Nothing);
        }
        let keep = state
            .settings
            .limits
            .get(LimitName::UnnamedContentKeepMsMax);
        let body = ContentStored {
            content_ref: self.content_ref,
            digest: self.digest,
            media_type: self.media_type.clone(),
            body_bytes: self.bytes,
            expires_at: cx.now.after(Millis(keep)),
        };
        let author = match self.caller.run_or_own(self.run.as_ref()) {
            Some(run) => Author::of_run(state, &self.caller, run),
            None => Author::operator(state),
        };
        let entry = author.last_entry(Body::ContentStored(Box::new(body)));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Option<Done>, Rejection> {
        let is_there = applied.how == How::Written || self.is_known(state);
        Ok(is_there.then(|| Done::at(state, applied)))
    }
}

impl StoreContent {
    fn is_known(&self, state: &State) -> bool {
        let unnamed = state.unnamed.get(self.content_ref);
        unnamed.is_some() || !state.messages.of_content(self.content_ref).is_empty()
    }

    fn may_be_erased(&self, state: &State) -> bool {
        let last = state.unnamed.last_erasure();
        self.seen_at.is_some_and(|seen_at| last > seen_at)
    }
}

/// Returns the erasure of a body that no message has named in time.
pub(in crate::decide) fn expired(state: &State, content_ref: ContentRef) -> Option<Entry> {
    let unnamed = state.unnamed.get(content_ref)?;
    let body = ContentErased {
        content_ref,
        digest: unnamed.digest,
        media_type: unnamed.media_type.clone(),
        body_bytes: unnamed.bytes,
        message: None,
        stored_with: None,
    };
    let lineage = match &unnamed.run {
        Some(run) => state.lineage_of(run),
        None => heronry_types::Lineage::of_pool(state.pool.clone()),
    };
    let author = Author::engine(lineage).caused_by(unnamed.stored);
    Some(author.last_entry(Body::ContentErased(Box::new(body))))
}

#[cfg(test)]
mod tests {
    use heronry_journal::Record;
    use heronry_types::{Actor, Epoch, Lineage, PoolId, Timestamp, Visibility};

    use super::*;
    use crate::{apply, decide::due_entries};

    /// A record that a body was stored, which expires a second after it.
    fn stored(pool: &PoolId, number: u64) -> Record {
        let body = ContentStored {
            content_ref: ContentRef::from_bits(u128::from(number).to_be_bytes()),
            digest: Digest([0; 32]),
            media_type: "text/plain".into(),
            body_bytes: 1,
            expires_at: Timestamp::from_millis(1_000),
        };
        Record {
            position: Position(number),
            recorded_at: Timestamp::default(),
            entry: Entry {
                lineage: Lineage::of_pool(pool.clone()),
                actor: Actor::Operator,
                visibility: Visibility::InScope,
                body: Body::ContentStored(Box::new(body)),
            },
        }
    }

    #[test]
    fn as_many_bodies_expire_at_once_as_one_append_decides() {
        let pool = PoolId::parse("p").unwrap();
        let mut state = State::new(pool.clone(), Epoch([1; 16]));
        for number in 1..=2_500 {
            apply(&mut state, &stored(&pool, number));
        }
        let now = Timestamp::from_millis(1_000);
        assert_eq!(due_entries(&state, Timestamp::from_millis(999)), []);
        let mut appends = Vec::new();
        loop {
            let due = due_entries(&state, now);
            if due.is_empty() {
                break;
            }
            appends.push(due.len());
            for entry in due {
                let position = state.head.next();
                let record = Record {
                    position,
                    recorded_at: now,
                    entry,
                };
                apply(&mut state, &record);
            }
        }
        assert_eq!(appends, [1_024, 1_024, 452]);
        assert_eq!(
            (state.unnamed.bytes(), state.deadlines.next(now)),
            (0, None)
        );
    }
}
