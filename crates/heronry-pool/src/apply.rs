//! Applying records: total, and the only way that a state changes.

mod content;
mod effect;
mod member;
mod message;
mod pool;
mod wake;

use heronry_journal::{Body, Record};

pub(crate) use message::refold;

use crate::{State, suspicion};

/// Applies one record. Total: whatever the journal holds, this evaluates no rule and cannot fail.
pub fn apply(state: &mut State, record: &Record) {
    debug_assert_eq!(
        record.position,
        state.head.next(),
        "records are applied in order"
    );
    state.head = record.position;
    state.time = state.time.max(record.recorded_at);
    change(state, record);
}

fn change(state: &mut State, record: &Record) {
    let lineage = &record.entry.lineage;
    match &record.entry.body {
        Body::PoolCreated(body) => pool::created(state, body),
        Body::PoolConfigured(body) => pool::configured(state, &body.settings, body.version),
        Body::EpochStarted(body) => state.timelines.start(record.position, body.epoch),
        Body::PoolResumed(_) => pool::resumed(state, record),
        Body::MemberJoined(body) => member::joined(state, record, body),
        Body::MemberTakenOver(body) => member::taken_over(state, record, body),
        Body::MemberChanged(body) => member::changed(state, lineage, body),
        Body::MemberLeft(body) => member::left(state, record, body.reason),
        Body::RunEnded(body) => member::ended(state, record, body),
        Body::RunLost(body) => member::lost(state, record, body),
        Body::RunResumed(_) => member::resumed(state, record),
        Body::RunSuspended(body) => member::suspend::suspended(state, record, body),
        Body::DeadlockSuspected(body) => suspicion::suspected(state, record, body),
        Body::WakeOrphaned(body) => suspicion::orphaned(state, record, body),
        Body::MessageAccepted(body) => message::accepted(state, record, body),
        Body::MessageDelivered(body) => message::delivered(state, record, body),
        Body::MessageFetched(body) => message::inbox::fetched(state, record, body),
        Body::MessageAcked(body) => message::inbox::acked(state, record, body),
        Body::MessageReleased(body) => message::inbox::released(state, record, body),
        Body::MessageExtended(body) => message::inbox::extended(state, record, body),
        Body::MessageFailed(body) => message::failed(state, record, body),
        Body::MessageExpired(body) => message::expired(state, record, body.message.accepted),
        Body::MessageCancelled(body) => message::cancelled(state, record, body.message.accepted),
        Body::MessageSettled(body) => message::settled(state, record, body.message.accepted),
        Body::MessageDeadLettered(body) => message::dead::lettered(state, record, body),
        Body::MessageReplayed(body) => message::dead::replayed(state, record, body),
        Body::MessageResponded(body) => {
            message::reply::responded(state, record, body.message.accepted);
        }
        Body::MessageTimedOut(body) => {
            message::reply::timed_out(state, record, body.message.accepted);
        }
        Body::MessageUnsatisfiable(body) => {
            message::reply::unsatisfiable(state, record, body.message.accepted);
        }
        Body::WakeRegistered(body) => wake::registered(state, record, body, None),
        Body::ConditionRegistered(body) => {
            wake::registered(state, record, &body.wake, Some(&body.condition));
        }
        Body::WakeScanned(body) => state.wakes.scanned(body.registered),
        Body::WakeFailed(body) => wake::failed(state, record, body),
        Body::WakeTriggered(body) => wake::triggered(state, record, body),
        Body::WakeTimedOut(body) => wake::timed_out(state, record, body.registered),
        Body::WakeCancelled(body) => wake::cancelled(state, record, body),
        Body::EffectIntended(body) => effect::intended(state, record, body),
        Body::EffectAttempted(body) => effect::attempted(state, body),
        Body::EffectCompleted(body) => effect::completed(state, record, body),
        Body::ContentStored(body) => content::stored(state, record, body),
        Body::ContentErased(body) => content::erased(state, record, body),
        // What members report, and a result that was refused, is told: it changes nothing here.
        Body::EffectResultRefused(_) | Body::ApplicationEvent(_) => {}
    }
}
