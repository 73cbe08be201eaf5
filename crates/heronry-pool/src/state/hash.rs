//! A digest of the whole state.

use heronry_journal::ChunkHash;
use heronry_types::Position;
use minicbor::{Encode, encode::Write};

use crate::state::{CopySlot, Earlier, Inbox, Member, Message, MessageAt, State, Wake, WakeEnd};

/// Feeds canonical CBOR to a hash: equal values feed equal bytes.
struct Feed(blake3::Hasher);

impl Write for Feed {
    type Error = std::convert::Infallible;
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.update(bytes);
        Ok(())
    }
}

impl Feed {
    fn put<T: Encode<()>>(&mut self, value: T) {
        // Encoding into a hash cannot fail: the writer is infallible and no codec here refuses a value.
        let encoded = minicbor::encode(value, &mut *self);
        debug_assert!(encoded.is_ok(), "a state value has no encoding");
    }
}

pub(super) fn digest(state: &State) -> ChunkHash {
    let mut feed = Feed(blake3::Hasher::new());
    feed.put((&state.pool, state.head, state.time));
    state.timelines.iter().for_each(|start| feed.put(start));
    feed.put((&state.config, &state.settings, state.settings_version));
    feed.put(state.members.len() as u64);
    for member in state.members.iter() {
        put_member(&mut feed, member);
    }
    for (run, end) in state.members.all_ended() {
        feed.put((run, end));
    }
    // What has finished was folded when it did: whether it is still in memory makes no difference.
    let finished = state.messages.finished();
    feed.put((finished.count, finished.fold));
    for MessageAt { accepted, message } in state.messages.sorted() {
        if !message.is_finished {
            feed.put(accepted);
            put_message(&mut feed, message);
        }
    }
    for dead in state.dead.iter() {
        let letter = dead.letter;
        feed.put((
            dead.run,
            dead.accepted,
            letter.reason,
            letter.position,
            letter.at,
        ));
    }
    for (position, wake) in state.wakes.all() {
        feed.put(position);
        put_wake(&mut feed, wake);
    }
    feed.put(state.wakes.unfinished);
    for (position, effect) in state.effects.all() {
        feed.put((position, &effect.run, &effect.intended, effect.generation));
        let end = effect.end.as_ref();
        let end = end.map(|end| (end.at, end.attempt, &end.result));
        feed.put((effect.attempts, end));
    }
    for (content, unnamed) in state.unnamed.all() {
        feed.put((content, unnamed.stored, &unnamed.run, unnamed.expires_at));
        feed.put((unnamed.digest, &unnamed.media_type, unnamed.bytes));
    }
    if state.unnamed.last_erasure() > Position::ZERO {
        feed.put(state.unnamed.last_erasure());
    }
    ChunkHash(*feed.0.finalize().as_bytes())
}

fn put_member(feed: &mut Feed, member: &Member) {
    feed.put((
        &member.run,
        &member.agent,
        &member.session,
        &member.instance,
    ));
    feed.put((member.generation, &member.policies, &member.topics));
    feed.put((member.predecessor, member.lease, member.lost_until));
    if let Some(suspension) = &member.suspension {
        feed.put((suspension.position, &suspension.wakes, suspension.until));
        feed.put((suspension.suspected, &suspension.orphaned));
    }
    put_inbox(feed, &member.inbox);
    member.wakes.iter().for_each(|wake| feed.put(wake));
}

fn put_inbox(feed: &mut Feed, inbox: &Inbox) {
    feed.put((
        inbox.ready.len() as u64,
        inbox.delayed.len() as u64,
        inbox.claimed,
    ));
    inbox.ready.iter().for_each(|accepted| feed.put(accepted));
    inbox.delayed.iter().for_each(|delayed| feed.put(delayed));
    for (turn, visible_at) in &inbox.special {
        let importance = turn.importance.0;
        feed.put((importance, turn.since, turn.position));
        feed.put((turn.accepted, visible_at));
    }
    for begun in &inbox.begun {
        feed.put(begun);
    }
    for (fetched, receive) in &inbox.receives {
        feed.put((fetched, &receive.id, receive.claim_ms));
        receive
            .claimed
            .iter()
            .for_each(|accepted| feed.put(accepted));
    }
}

fn put_message(feed: &mut Feed, message: &Message) {
    feed.put((&message.lineage, &message.accepted, &message.recipients));
    feed.put((message.status, message.reason));
    for copy in &message.copies {
        feed.put((copy.standing(), copy.has_replied));
        match copy.slot {
            CopySlot::Queued { visible_at } => feed.put(visible_at),
            CopySlot::Claimed { fetched, until } => feed.put((fetched, until)),
            CopySlot::Acked { fetched, .. } => feed.put(fetched),
            CopySlot::Dead { reason } => feed.put(reason),
            CopySlot::Expired | CopySlot::Cancelled | CopySlot::Undeliverable { .. } => {}
        }
    }
    for (index, replay) in message.replays.iter().flat_map(|replays| replays.iter()) {
        feed.put((*index as u64, replay.at, replay.position));
    }
    for step in &message.timeline {
        feed.put((step.at, step.position, step.state, step.recipient));
    }
}

fn put_wake(feed: &mut Feed, wake: &Wake) {
    feed.put((&wake.run, &wake.registered, wake.condition.as_deref()));
    if let Earlier::Pending(until) = wake.earlier {
        feed.put(until);
    }
    match &wake.end {
        None => feed.put(0_u8),
        Some((at, WakeEnd::Triggered { matches })) => feed.put((1_u8, at, matches)),
        Some((at, WakeEnd::TimedOut)) => feed.put((2_u8, at)),
        Some((at, WakeEnd::Cancelled { reason })) => feed.put((3_u8, at, reason)),
        Some((at, WakeEnd::Failed { why })) => feed.put((4_u8, at, why)),
    }
}
