//! Rejections by the rules as refusals: kinds are mapped one to one.

use heronry_pool::{MemberValue, Rejection, RejectionKind, RejectionMember};
use heronry_types::{LimitExceeded, LimitNotSettable};
use heronry_wire::ProblemKind;
use serde_json::json;

use super::Refusal;

/// The time before a caller asks again for something that its share has no room for, in
/// milliseconds.
const SHARE_RETRY_AFTER_MS: u64 = 1_000;

/// The status of a conflict with what is stored.
const CONFLICT: u16 = 409;

impl Refusal {
    /// Refuses what would take more than somebody's share: for now when it would fit alone.
    pub fn of_share(exceeded: LimitExceeded, or: &str) -> Self {
        let LimitExceeded { limit, max, .. } = exceeded;
        let detail = format!(
            "{limit} is {max}, and all of it is taken; {or}, or raise the limit in the settings"
        );
        Self::of(ProblemKind::Busy, detail)
            .with("retry_after_ms", SHARE_RETRY_AFTER_MS)
            .with("limit", limit.to_string())
            .with("max", max)
    }
}

impl From<LimitExceeded> for Refusal {
    fn from(exceeded: LimitExceeded) -> Self {
        Self::from(Rejection::Limit(exceeded))
    }
}

impl From<LimitNotSettable> for Refusal {
    fn from(refused: LimitNotSettable) -> Self {
        Self::from(Rejection::LimitNotSettable(refused))
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let kind = rejection.kind();
        let refusal = Self::of(problem_of(kind), rejection.to_string());
        let refusal = rejection.members().into_iter().fold(refusal, with_member);
        if kind == RejectionKind::ContentMissing {
            // A message that refers to a body which is not there conflicts with what is stored.
            return refusal.with_status(CONFLICT);
        }
        refusal
    }
}

fn with_member(refusal: Refusal, member: RejectionMember) -> Refusal {
    let RejectionMember { name, value } = member;
    match value {
        MemberValue::Number(number) => refusal.with(name, number),
        MemberValue::Text(text) => refusal.with(name, text),
        MemberValue::Texts(texts) => refusal.with(name, texts),
        MemberValue::Cursor(cursor) => refusal.with_cursor(name, cursor),
        MemberValue::Policy(policy) => refusal.with(name, json!(policy)),
    }
}

fn problem_of(kind: RejectionKind) -> ProblemKind {
    match kind {
        RejectionKind::InvalidRequest => ProblemKind::InvalidRequest,
        RejectionKind::LimitExceeded => ProblemKind::LimitExceeded,
        RejectionKind::SenderMismatch => ProblemKind::SenderMismatch,
        RejectionKind::OperatorOnly => ProblemKind::OperatorOnly,
        RejectionKind::NotAMember => ProblemKind::NotAMember,
        RejectionKind::Fenced => ProblemKind::Fenced,
        RejectionKind::RunEnded => ProblemKind::RunEnded,
        RejectionKind::RunTaken => ProblemKind::RunTaken,
        RejectionKind::PoolHasMembers => ProblemKind::PoolHasMembers,
        RejectionKind::PoolChanged => ProblemKind::PoolChanged,
        RejectionKind::TooLarge => ProblemKind::TooLarge,
        RejectionKind::Policy => ProblemKind::Policy,
        RejectionKind::IdempotencyConflict => ProblemKind::IdempotencyConflict,
        RejectionKind::ConfigConflict => ProblemKind::ConfigConflict,
        RejectionKind::MemberConflict => ProblemKind::MemberConflict,
        RejectionKind::SettingsConflict => ProblemKind::SettingsConflict,
        RejectionKind::InboxFull => ProblemKind::InboxFull,
        RejectionKind::ContractUnsatisfiable => ProblemKind::ContractUnsatisfiable,
        RejectionKind::ClaimLapsed => ProblemKind::ClaimLapsed,
        RejectionKind::ClaimNotFound => ProblemKind::ClaimNotFound,
        RejectionKind::MessageNotFound => ProblemKind::MessageNotFound,
        RejectionKind::DeadLetterNotFound => ProblemKind::DeadLetterNotFound,
        RejectionKind::NotDead => ProblemKind::NotDead,
        RejectionKind::MessageOver => ProblemKind::MessageOver,
        RejectionKind::WakeNotFound => ProblemKind::WakeNotFound,
        RejectionKind::AliasNotFound => ProblemKind::AliasNotFound,
        RejectionKind::Ambiguous => ProblemKind::Ambiguous,
        RejectionKind::EffectNotFound => ProblemKind::EffectNotFound,
        RejectionKind::EffectFinished => ProblemKind::EffectFinished,
        RejectionKind::EffectUnsafe => ProblemKind::EffectUnsafe,
        RejectionKind::EffectStale => ProblemKind::EffectStale,
        RejectionKind::SourceTaken => ProblemKind::SourceTaken,
        RejectionKind::SourceFenced => ProblemKind::SourceFenced,
        RejectionKind::StewardHeld => ProblemKind::StewardHeld,
        RejectionKind::RosterConflict => ProblemKind::RosterConflict,
        RejectionKind::NotSpecified => ProblemKind::NotSpecified,
        RejectionKind::ContentMissing => ProblemKind::ContentMissing,
        RejectionKind::ContentErased => ProblemKind::ContentErased,
        RejectionKind::CursorAhead => ProblemKind::CursorAhead,
        RejectionKind::CursorTrimmed => ProblemKind::CursorTrimmed,
        RejectionKind::CursorForeign => ProblemKind::CursorForeign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_refusal_is_the_problem_with_its_slug() {
        assert!(!RejectionKind::ALL.is_empty());
        for kind in RejectionKind::ALL {
            assert_eq!(problem_of(*kind).slug(), kind.slug());
        }
    }
}
