//! The encoding of a state: canonical CBOR, equal bytes for equal states.
//!
//! Every part is taken apart field by field, so a new field does not compile until it is encoded, or said
//! to follow from others. A change of these bytes is a new [`VERSION`].

use std::convert::Infallible;

use heronry_journal::ChunkHash;
use heronry_types::{CopyStanding, Position, Timestamp};
use minicbor::{Encode, Encoder, encode::Write};

use super::{
    ClaimTurn, CopySlot, CountedReply, DeadLetter, Earlier, Effect, EffectEnd, Inbox, Member,
    Message, MessageCopy, Receive, State, Suspension, TimelineStep, UnnamedContent, Wake, WakeEnd,
};

/// The version of the encoding.
pub(super) const VERSION: u16 = 4;

/// The oldest version that is read: that of the baselines which an older build may have written.
pub(super) const OLDEST: u16 = 3;

/// The parts of an encoding of the version before [`VERSION`], and of it.
pub(super) const PARTS_OF_3: usize = 10;
pub(super) const PARTS: usize = 12;

/// A place for encoded bytes, which takes all of them.
pub(super) trait Sink: Write<Error = Infallible> {}

impl<W: Write<Error = Infallible>> Sink for W {}

/// An encoding that is being written.
pub(super) struct Encoding<W>(Encoder<W>);

impl<W: Sink> Encoding<W> {
    /// Begins an encoding.
    fn new(sink: W) -> Self {
        Self(Encoder::new(sink))
    }

    /// Writes a value.
    pub(super) fn put(&mut self, value: impl Encode<()>) {
        let written = self.0.encode(value).is_ok();
        debug_assert!(written, "a state value has no encoding");
    }

    /// Begins a list of this many values.
    pub(super) fn list(&mut self, len: usize) {
        let written = self.0.array(len as u64).is_ok();
        debug_assert!(written, "a list has no encoding");
    }

    /// Writes a list of values, each in its own way.
    pub(super) fn each<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut put: impl FnMut(&mut Self, T),
    ) {
        self.list(items.len());
        items.for_each(|item| put(self, item));
    }

    /// Writes a value in its own way, or that there is none.
    pub(super) fn some<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => put(self, value),
            None => self.put(()),
        }
    }
}

/// A hash that is fed with what is encoded.
struct Feed(blake3::Hasher);

impl Write for Feed {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.update(bytes);
        Ok(())
    }
}

/// Returns the encoding of a state: what its digest covers, and behind it what only follows from the
/// journal, or says where the journal has things ([`beside`](super::beside)).
pub(super) fn to_bytes(state: &State) -> Vec<u8> {
    let mut encoding = Encoding::new(Vec::new());
    state.encode(&mut encoding, VERSION);
    state.encode_beside(&mut encoding);
    encoding.0.into_writer()
}

/// Returns the hash of the encoding of a state.
pub(super) fn digest(state: &State) -> ChunkHash {
    digest_in(state, VERSION)
}

/// Returns the hash of the encoding of a state in a version that is read.
pub(super) fn digest_in(state: &State, version: u16) -> ChunkHash {
    let mut encoding = Encoding::new(Feed(blake3::Hasher::new()));
    state.encode(&mut encoding, version);
    let Feed(hasher) = encoding.0.into_writer();
    ChunkHash(*hasher.finalize().as_bytes())
}

impl State {
    /// Encodes everything that an encoding of this version has.
    fn encode<W: Sink>(&self, to: &mut Encoding<W>, version: u16) {
        let Self {
            pool,
            timelines,
            head,
            // The store's: no record says it.
            floor: _,
            trims: _,
            time,
            config,
            settings,
            settings_version,
            members,
            messages,
            dead,
            wakes,
            effects,
            unnamed,
            sources,
            roster,
            wiring,
            // They follow from what is due.
            deadlines: _,
        } = self;
        let is_newest = version == VERSION;
        to.list(if is_newest { PARTS } else { PARTS_OF_3 });
        to.put(version);
        to.put((pool, head, time));
        let starts: Vec<_> = timelines.iter().map(|it| (it.at, it.epoch)).collect();
        to.put((starts, config, settings, settings_version));
        members.encode(to);
        messages.encode(to);
        dead.encode(to);
        wakes.encode(to);
        effects.encode(to);
        unnamed.encode(to);
        sources.encode(to);
        if is_newest {
            roster.encode(to);
            wiring.encode(to);
        }
    }
}

impl Member {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            run,
            agent,
            session,
            instance,
            generation,
            predecessor,
            policies,
            topics,
            inbox,
            wakes,
            lease,
            lost_until,
            suspension,
        } = self;
        to.list(6);
        to.put((run, agent, session, instance));
        to.put((generation, predecessor, policies, topics));
        to.put((lease, lost_until));
        inbox.encode(to);
        to.put(wakes);
        to.some(suspension.as_deref(), |to, suspension| {
            suspension.encode(to);
        });
    }
}

impl Suspension {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            position,
            wakes,
            until,
            suspected,
            orphaned,
        } = self;
        to.put((position, wakes, until, suspected, orphaned));
    }
}

impl Inbox {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            ready,
            delayed,
            special,
            receives,
            // It follows from the copies.
            by_sender: _,
            claimed,
            begun,
        } = self;
        to.list(6);
        to.list(ready.len());
        ready.iter().for_each(|accepted| to.put(accepted));
        to.put(delayed);
        to.each(special.iter(), |to, (turn, visible_at)| {
            turn.encode(to, *visible_at);
        });
        to.each(receives.iter(), |to, (fetched, receive)| {
            receive.encode(to, *fetched);
        });
        to.put(claimed);
        to.put(begun);
    }
}

impl ClaimTurn {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>, visible_at: Option<Timestamp>) {
        let Self {
            importance,
            since,
            position,
            accepted,
        } = self;
        to.put((importance.0, since, position, accepted, visible_at));
    }
}

impl Receive {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>, fetched: Position) {
        let Self {
            id,
            claimed,
            claim_ms,
        } = self;
        to.put((fetched, id, claimed, claim_ms));
    }
}

impl Message {
    /// Encodes a message. The place where it stands says whether it is finished.
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>, position: Position) {
        let Self {
            lineage,
            accepted,
            recipients,
            not_peered,
            copies,
            status,
            reason,
            timeline,
            replays,
            replies,
            is_finished: _,
        } = self;
        // Versions before 4 have no seventh part, and no message that would need it.
        to.list(6 + usize::from(not_peered.is_some()));
        to.put((position, lineage, accepted, recipients));
        to.put((status, reason));
        to.each(copies.iter(), |to, copy| copy.encode(to));
        to.each(timeline.iter(), |to, step| step.encode(to));
        to.some(replays.as_deref(), |to, replays| {
            to.each(replays.iter(), |to, (index, step)| {
                to.list(2);
                to.put(*index as u64);
                step.encode(to);
            });
        });
        to.some(replies.as_deref(), |to, replies| {
            to.each(replies.iter(), |to, (accepted, reply)| {
                reply.encode(to, *accepted);
            });
        });
        if not_peered.is_some() {
            to.put(not_peered);
        }
    }
}

impl MessageCopy {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            slot,
            attempts,
            has_replied,
        } = self;
        to.list(4);
        to.put(attempts);
        to.put(has_replied);
        let CopyStanding {
            state,
            attempt: _,
            why,
            outcome,
        } = self.standing();
        to.put((state, why, outcome));
        match slot {
            CopySlot::Queued { visible_at } => to.put(visible_at),
            CopySlot::Claimed { fetched, until } => to.put((fetched, until)),
            CopySlot::Acked {
                fetched,
                outcome: _,
            } => to.put(fetched),
            CopySlot::Dead { reason } => to.put(reason),
            CopySlot::Expired | CopySlot::Cancelled | CopySlot::Undeliverable { why: _ } => {
                to.put(());
            }
        }
    }
}

impl TimelineStep {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            at,
            position,
            state,
            recipient,
        } = self;
        to.put((at, position, state, recipient));
    }
}

impl CountedReply {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>, accepted: Position) {
        let Self {
            message_id,
            content_ref,
        } = self;
        to.put((accepted, message_id, content_ref));
    }
}

impl DeadLetter {
    /// Returns the fields, for the encoding.
    pub(super) fn fields(&self) -> impl Encode<()> + use<> {
        let Self {
            reason,
            position,
            at,
        } = *self;
        (reason, position, at)
    }
}

impl Wake {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>, position: Position) {
        let Self {
            run,
            registered,
            condition,
            earlier,
            end,
        } = self;
        to.list(3);
        to.put((position, run, registered, condition.as_deref()));
        match earlier {
            Earlier::Seen => to.put(()),
            Earlier::Pending(until) => to.put(until),
        }
        to.some(end.as_ref(), |to, (at, end)| match end {
            WakeEnd::Triggered { matches } => to.put((1_u8, at, matches)),
            WakeEnd::TimedOut => to.put((2_u8, at)),
            WakeEnd::Cancelled { reason } => to.put((3_u8, at, reason)),
            WakeEnd::Failed { why } => to.put((4_u8, at, why)),
        });
    }
}

impl Effect {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>, position: Position) {
        let Self {
            run,
            intended,
            generation,
            attempts,
            end,
        } = self;
        to.list(2);
        to.put((position, run, intended, generation, attempts));
        to.some(end.as_ref(), |to, end| {
            let EffectEnd {
                at,
                attempt,
                result,
            } = end;
            to.put((at, attempt, result));
        });
    }
}

impl UnnamedContent {
    /// Returns the fields, for the encoding.
    pub(super) fn fields(&self) -> impl Encode<()> + '_ {
        let Self {
            stored,
            run,
            digest,
            media_type,
            bytes,
            expires_at,
        } = self;
        (stored, run, digest, media_type, bytes, expires_at)
    }
}

#[cfg(test)]
mod tests {
    use heronry_types::{Epoch, PoolId};

    use super::*;

    #[test]
    fn the_digest_is_the_hash_of_one_value_that_begins_with_its_version() {
        let state = State::new(PoolId::parse("p").unwrap(), Epoch([7; 16]));
        let mut encoding = Encoding::new(Vec::new());
        state.encode(&mut encoding, VERSION);
        let bytes = encoding.0.into_writer();
        assert_eq!(state.digest(), ChunkHash(*blake3::hash(&bytes).as_bytes()));
        let mut decoder = minicbor::Decoder::new(&bytes);
        assert_eq!(decoder.array().unwrap(), Some(PARTS as u64));
        assert_eq!(decoder.u16().unwrap(), VERSION);
        decoder.set_position(0);
        decoder.skip().unwrap();
        assert_eq!(decoder.position(), bytes.len());
    }
}
