//! Refusals as short texts.

use heronry_pool::Rejection;

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
        } => {
            let seen = last_seen.map_or("not since".to_owned(), time);
            format!("taken by {generation}, seen {seen}")
        }
        Rejection::Fenced => "fenced".to_owned(),
        Rejection::OneEnd => "one end".to_owned(),
        Rejection::RunEnded { state } => format!("run {state}"),
        Rejection::HasMembers { members } => format!("{members} there"),
        Rejection::HeadMoved { expected, head } => {
            format!("head is {}, not {}", head.position, expected.position)
        }
        Rejection::Limit(it) => format!("{}: {} of {}", it.limit, it.actual, it.max),
        Rejection::LimitNotSettable(it) => it.to_string(),
        Rejection::Condition(it) => it.to_string(),
        Rejection::PastCalendar { field, .. } => format!("{field} past the calendar"),
        Rejection::TooLarge { actual, max } => format!("too large: {actual} of {max}"),
        Rejection::Policy { policy, need } => format!("policy {}: {need:?}", policy.id),
        Rejection::IdempotencyConflict { first, field } => {
            format!("conflict with {}: {field:?}", first.position)
        }
        Rejection::NoEvents => "no events".to_owned(),
        Rejection::Event { index, fault } => format!("event {index}: {fault}"),
        Rejection::ContentConflict => "another content".to_owned(),
        Rejection::ConfigConflict { fields } => format!("other {}", fields.join(", ")),
        Rejection::MemberConflict { field } => format!("another {field}"),
        Rejection::StaleVersion { expected, current } => {
            format!("version {current}, not {expected}")
        }
        Rejection::InboxFull { depth } => format!("full: {depth}"),
        Rejection::OrderedDelay { max } => format!("ordered: {} at the most", span(*max)),
        Rejection::ContractUnsatisfiable { expected, eligible } => {
            format!("asks {expected} of {eligible}")
        }
        Rejection::ClaimLapsed { claims } => {
            format!("lapsed {}", list(claims.iter().map(ToString::to_string)))
        }
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
        Rejection::EffectStale => "effect stale".to_owned(),
        Rejection::ContentMissing => "no such content".to_owned(),
        Rejection::ContentErased { erased_at } => format!("erased at {}", time(*erased_at)),
        Rejection::CursorAhead { requested, head } => {
            format!("{} is ahead of {}", requested.position, head.position)
        }
        Rejection::CursorTrimmed { requested, floor } => {
            format!(
                "{} is trimmed before {}",
                requested.position, floor.position
            )
        }
        Rejection::CursorForeign {
            requested,
            diverged_at,
        } => {
            let left = diverged_at.map_or(String::new(), |at| format!(", left at {}", at.position));
            format!("{} is foreign{left}", requested.position)
        }
    }
}
