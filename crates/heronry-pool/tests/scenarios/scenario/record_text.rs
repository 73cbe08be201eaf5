//! Records as lines of text: position, what happened, who did it and why.
//!
//! A record by the run that it is about names nobody; `(engine)`, `(operator)` and `(scout)` are by somebody else.
//! `<- 5` says that the record 5 led to it, and `hidden` that members do not see it.

mod members;
pub(super) mod messages;
mod roster;
mod sources;
mod wakes;
pub(super) mod wiring;

use heronry_journal::{Body, Noun, PoolRecord, Record};
use heronry_types::{Actor, Millis, Policies, ReplyStanding, Timestamp, Visibility};

/// A record that can be told in a line.
trait Tell {
    /// Returns what happened; the run is the one that the record is about.
    fn tell(&self, run: &str) -> String;
}

/// Returns the line of a record.
pub(super) fn line(record: &Record) -> String {
    let entry = &record.entry;
    let run = entry.lineage.run.as_ref();
    let run_text = run.map_or("pool", |run| run.as_str());
    let mut line = format!("{} {}", record.position, tell(run_text, &entry.body));
    if let Some(agent) = entry
        .lineage
        .agent
        .as_ref()
        .filter(|it| it.as_str() != run_text)
    {
        line.extend([format!(", agent {agent}")]);
    }
    if let Some(session) = &entry.lineage.session {
        line.extend([format!(", session {session}")]);
    }
    match &entry.actor {
        Actor::Engine => line.push_str(" (engine)"),
        Actor::Operator => line.push_str(" (operator)"),
        Actor::Member { run: by, .. } if Some(by) == run => {}
        Actor::Member { run: by, .. } => line.extend([format!(" ({by})")]),
    }
    if let Some(labels) = &entry.lineage.labels {
        line.extend([format!(" [{}]", wiring::labels(labels))]);
    }
    if let Some(cause) = entry.lineage.caused_by {
        line.extend([format!(" <- {cause}")]);
    }
    if entry.visibility == Visibility::OutOfScope {
        line.push_str(" hidden");
    }
    line
}

fn tell_pool(run: &str, record: PoolRecord<'_>) -> String {
    match record {
        PoolRecord::PoolCreated(it) => it.tell(run),
        PoolRecord::PoolConfigured(it) => it.tell(run),
        PoolRecord::EpochStarted(it) => format!("timeline {}", it.reason),
        PoolRecord::PoolResumed(it) => it.tell(run),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind that no scenario has shown needs no line of its own"
)]
fn tell(run: &str, body: &Body) -> String {
    if let Noun::Pool(record) = body.noun() {
        return tell_pool(run, record);
    }
    if let Noun::Roster(record) = body.noun() {
        return roster::tell(run, record);
    }
    match body {
        Body::MemberJoined(it) => it.tell(run),
        Body::MemberTakenOver(it) => it.tell(run),
        Body::MemberChanged(it) => it.tell(run),
        Body::MemberLeft(it) => it.tell(run),
        Body::RunEnded(it) => it.tell(run),
        Body::RunLost(it) => it.tell(run),
        Body::RunResumed(it) => it.tell(run),
        Body::RunSuspended(it) => it.tell(run),
        Body::MessageAccepted(it) => it.tell(run),
        Body::MessageDelivered(it) => it.tell(run),
        Body::MessageFetched(it) => it.tell(run),
        Body::MessageAcked(it) => it.tell(run),
        Body::MessageReleased(it) => it.tell(run),
        Body::MessageExtended(it) => it.tell(run),
        Body::MessageFailed(it) => it.tell(run),
        Body::MessageExpired(it) => it.tell(run),
        Body::MessageCancelled(it) => it.tell(run),
        Body::MessageSettled(it) => it.tell(run),
        Body::MessageDeadLettered(it) => it.tell(run),
        Body::MessageReplayed(it) => it.tell(run),
        Body::MessageResponded(it) => it.tell(run),
        Body::MessageTimedOut(it) => it.tell(run),
        Body::MessageUnsatisfiable(it) => it.tell(run),
        Body::WakeRegistered(it) => it.tell(run),
        Body::ConditionRegistered(it) => it.tell(run),
        Body::WakeScanned(it) => it.tell(run),
        Body::WakeFailed(it) => it.tell(run),
        Body::WakeTriggered(it) => it.tell(run),
        Body::WakeTimedOut(it) => it.tell(run),
        Body::WakeCancelled(it) => it.tell(run),
        Body::DeadlockSuspected(it) => it.tell(run),
        Body::WakeOrphaned(it) => it.tell(run),
        Body::ApplicationEvent(it) => it.tell(run),
        Body::EffectIntended(it) => it.tell(run),
        Body::EffectAttempted(it) => it.tell(run),
        Body::EffectCompleted(it) => it.tell(run),
        Body::EffectResultRefused(it) => it.tell(run),
        Body::ContentErased(it) => it.tell(run),
        Body::ContentStored(it) => it.tell(run),
        Body::SourceGap(it) => it.tell(run),
        Body::SourceAttached(it) => it.tell(run),
        Body::SourceDetached(it) => it.tell(run),
        Body::EdgeWired(it) => it.tell(run),
        Body::EdgeUnwired(it) => it.tell(run),
        Body::LabelsChanged(it) => it.tell(run),
        Body::AliasSet(it) => it.tell(run),
        Body::AliasRemoved(it) => it.tell(run),
        // A kind that no scenario has shown so far: all that it says.
        body => format!("{body:?}"),
    }
}

/// Returns the policies that somebody holds or something carries.
pub(super) fn policies(policies: &Policies) -> String {
    let policies = policies.as_slice().iter();
    let policies = policies.map(|policy| format!(" +{}", policy.id));
    policies.collect::<Vec<_>>().concat()
}

fn note(note: Option<&String>) -> String {
    note.map_or(String::new(), |note| format!(" ({note})"))
}

/// Returns a time as what has passed since the pool was created.
pub(super) fn time(at: Timestamp) -> String {
    if at == Timestamp::LAST {
        return "the end".to_owned();
    }
    span(Millis(u64::try_from(at.as_millis()).unwrap()))
}

/// Returns a span in seconds, or in milliseconds where it has no whole ones.
pub(super) fn span(span: Millis) -> String {
    match span.0 % 1_000 {
        0 => format!("{}s", span.0 / 1_000),
        _ => format!("{}ms", span.0),
    }
}

/// Returns some texts with commas between.
pub(super) fn list(texts: impl IntoIterator<Item = String>) -> String {
    texts.into_iter().collect::<Vec<_>>().join(", ")
}

/// Returns a list, or the word for none.
pub(super) fn or_nothing(list: String) -> String {
    if list.is_empty() {
        "nothing".to_owned()
    } else {
        list
    }
}

/// Returns what a reply is to the contract of its request, as one word.
pub(super) fn reply(standing: Option<ReplyStanding>) -> String {
    standing.map_or(String::new(), |it| format!(" {it}"))
}
