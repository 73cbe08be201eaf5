//! Refusals as short texts.

use heronry_journal::Claim;
use heronry_pool::{ConflictField, Rejection, RosterFault, WiringLimit};
use heronry_types::{Cursor, Generation, Timestamp};

use super::record_text::{list, span, time};

/// Returns the text of a refusal.
pub(super) fn text(rejection: &Rejection) -> String {
    match rejection {
        Rejection::SenderMismatch => "not your run".to_owned(),
        Rejection::OperatorOnly => "operators only".to_owned(),
        Rejection::NotAMember => "no member".to_owned(),
        Rejection::RunTaken {
            generation,
            last_seen,
        } => taken(*generation, *last_seen),
        Rejection::Fenced => "fenced".to_owned(),
        Rejection::OneEnd => "one end".to_owned(),
        Rejection::RunEnded { state } => format!("run {state}"),
        Rejection::HasMembers { members } => format!("{members} there"),
        Rejection::HeadMoved { expected, head } => moved(*head, *expected),
        Rejection::Limit(it) => format!("{}: {} of {}", it.limit, it.actual, it.max),
        Rejection::LimitNotSettable(it) => it.to_string(),
        Rejection::Condition(it) => it.to_string(),
        Rejection::PastCalendar { field, .. } => format!("{field} past the calendar"),
        Rejection::TooLarge { actual, max } => format!("too large: {actual} of {max}"),
        Rejection::Policy { policy, need } => format!("policy {}: {need:?}", policy.id),
        Rejection::IdempotencyConflict { first, field } => conflict(*first, *field),
        Rejection::NoEvents => "no events".to_owned(),
        Rejection::Event { index, fault } => format!("event {index}: {fault}"),
        Rejection::ContentConflict => "another content".to_owned(),
        Rejection::ConfigConflict { fields } => format!("other {}", fields.join(", ")),
        Rejection::MemberConflict { field } => format!("another {field}"),
        Rejection::StaleVersion { expected, current } => stale(*expected, *current),
        Rejection::InboxFull { depth } => format!("full: {depth}"),
        Rejection::OrderedDelay { max } => format!("ordered: {} at the most", span(*max)),
        Rejection::ContractUnsatisfiable { expected, eligible } => asks(*expected, *eligible),
        Rejection::ClaimLapsed { claims } => lapsed(claims),
        Rejection::UnknownClaim { claim } => format!("unknown {claim}"),
        Rejection::MessageNotFound => "no such message".to_owned(),
        Rejection::DeadLetterNotFound => "no such dead letter".to_owned(),
        Rejection::NotDead { state } => format!("{state}, not dead"),
        Rejection::MessageOver => "over".to_owned(),
        Rejection::WakeNotFound => "no such wake".to_owned(),
        Rejection::Ambiguous => "several".to_owned(),
        Rejection::EffectNotFound => "no such effect".to_owned(),
        Rejection::EffectFinished => "effect finished".to_owned(),
        Rejection::EffectUnsafe => "effect unsafe".to_owned(),
        Rejection::SourceTaken { generation } => format!("source taken by {generation}"),
        Rejection::SourceFenced => "source fenced".to_owned(),
        Rejection::SourceOfAnother => "not your source".to_owned(),
        Rejection::TooManySources { limit, max } => format!("more than {max} sources {limit}"),
        Rejection::StewardHeld { steward } => format!("held by steward {steward}"),
        Rejection::StewardFenced => "steward fenced".to_owned(),
        Rejection::Roster(fault) => of_roster(fault),
        Rejection::TooMuchWiring { limit, max } => wired(*limit, *max),
        Rejection::AliasNotFound => "no such alias".to_owned(),
        Rejection::AliasOfAlias => "alias of an alias".to_owned(),
        Rejection::EffectStale => "effect stale".to_owned(),
        Rejection::ContentMissing => "no such content".to_owned(),
        Rejection::ContentErased { erased_at } => format!("erased at {}", time(*erased_at)),
        Rejection::CursorAhead { requested, head } => ahead(*requested, *head),
        Rejection::CursorTrimmed { requested, floor } => trimmed(*requested, *floor),
        Rejection::CursorForeign {
            requested,
            diverged_at,
        } => foreign(*requested, *diverged_at),
    }
}

fn of_roster(fault: &RosterFault) -> String {
    match fault {
        RosterFault::Moved { expected, current } => {
            format!("roster is at {current}, not {expected}")
        }
        RosterFault::NotSpecified { run } => format!("{run} is not specified"),
        RosterFault::NamedTwice { run } => format!("{run} twice"),
        RosterFault::BatchTooLong { actual, max } => format!("{actual} of {max} in a batch"),
        RosterFault::TooManyModules { max } => format!("more than {max} modules"),
    }
}

fn wired(limit: WiringLimit, max: usize) -> String {
    format!("more wiring than {}: {max}", limit.name())
}

fn taken(generation: Generation, last_seen: Option<Timestamp>) -> String {
    let seen = last_seen.map_or("not since".to_owned(), time);
    format!("taken by {generation}, seen {seen}")
}

fn moved(head: Cursor, expected: Cursor) -> String {
    format!("head is {}, not {}", head.position, expected.position)
}

fn conflict(first: Cursor, field: ConflictField) -> String {
    format!("conflict with {}: {field:?}", first.position)
}

fn stale(expected: u64, current: u64) -> String {
    format!("version {current}, not {expected}")
}

fn asks(expected: u32, eligible: usize) -> String {
    format!("asks {expected} of {eligible}")
}

fn lapsed(claims: &[Claim]) -> String {
    format!("lapsed {}", list(claims.iter().map(ToString::to_string)))
}

fn ahead(requested: Cursor, head: Cursor) -> String {
    format!("{} is ahead of {}", requested.position, head.position)
}

fn trimmed(requested: Cursor, floor: Cursor) -> String {
    format!(
        "{} is trimmed before {}",
        requested.position, floor.position
    )
}

fn foreign(requested: Cursor, diverged_at: Option<Cursor>) -> String {
    let left = diverged_at.map_or(String::new(), |at| format!(", left at {}", at.position));
    format!("{} is foreign{left}", requested.position)
}
