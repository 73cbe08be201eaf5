//! Refusals by the rules, each with its slug and typed members.

use axum::http::StatusCode;
use heronry_journal::Claim;
use heronry_pool::{ConflictField, EventFault, Rejection};
use heronry_types::{ConditionError, Cursor, LimitExceeded, LimitName, LimitNotSettable};
use heronry_wire::{Problem, ProblemKind};
use serde_json::json;

use super::Refusal;

/// The time before a sender tries a full inbox again, in milliseconds.
const INBOX_RETRY_AFTER_MS: u64 = 1_000;

/// The time before a caller asks again for something that its share has no room for, in
/// milliseconds.
const SHARE_RETRY_AFTER_MS: u64 = 1_000;

impl From<LimitExceeded> for Refusal {
    fn from(exceeded: LimitExceeded) -> Self {
        let kind = match exceeded.limit {
            LimitName::BodyInlineBytesMax | LimitName::ContentBytesMax => ProblemKind::TooLarge,
            LimitName::MembersMax
            | LimitName::TopicsPerMemberMax
            | LimitName::RecipientsPerMessageMax
            | LimitName::RecipientIdsBytesMax
            | LimitName::InboxDepthMax
            | LimitName::LiveWakesPerRunMax
            | LimitName::LiveWakesPerPoolMax
            | LimitName::WakeCostPerRunMax
            | LimitName::WakeCostPerPoolMax
            | LimitName::FilterTextBytesMax
            | LimitName::CorrelationEntriesMax
            | LimitName::TagsMax
            | LimitName::PoliciesMax
            | LimitName::PageItemsMax
            | LimitName::LongPollMsMax
            | LimitName::ClaimMsMax
            | LimitName::CommandQueueMax
            | LimitName::SubscriptionsMax
            | LimitName::NoteBytesMax
            | LimitName::LeaseMsMax
            | LimitName::LostKeepMsMax
            | LimitName::PendingEffectsPerRunMax
            | LimitName::SubscriptionsPerRunMax
            | LimitName::LongPollsMax
            | LimitName::LongPollsPerRunMax
            | LimitName::BytesUnderWayMax
            | LimitName::BytesUnderWayPerRunMax
            | LimitName::UnnamedContentBytesPerRunMax
            | LimitName::UnnamedContentBytesMax
            | LimitName::UnnamedContentKeepMsMax
            | LimitName::AttemptsMax => ProblemKind::LimitExceeded,
        };
        let problem = Problem::new(kind, exceeded.to_string())
            .with("limit", exceeded.limit.to_string())
            .with("max", exceeded.max)
            .with("actual", exceeded.actual);
        Self(problem)
    }
}

impl Refusal {
    /// Refuses what would take more than somebody's share: for now when it would fit alone.
    pub(crate) fn of_share(exceeded: LimitExceeded, or: &str) -> Self {
        let LimitExceeded { limit, max, .. } = exceeded;
        let detail = format!(
            "{limit} is {max}, and all of it is taken; {or}, or raise the limit in the settings"
        );
        let problem = Problem::new(ProblemKind::Busy, detail)
            .with("retry_after_ms", SHARE_RETRY_AFTER_MS)
            .with("limit", limit.to_string())
            .with("max", max);
        Self(problem)
    }
}

impl From<LimitNotSettable> for Refusal {
    fn from(refused: LimitNotSettable) -> Self {
        let of = |kind, limit: LimitName| {
            Problem::new(kind, refused.to_string())
                .with("field", format!("limits.{limit}"))
                .with("limit", limit.to_string())
        };
        Self(match refused {
            LimitNotSettable::AboveCeiling {
                limit,
                ceiling,
                asked,
            } => of(ProblemKind::LimitExceeded, limit)
                .with("max", ceiling)
                .with("actual", asked),
            LimitNotSettable::BelowFloor {
                limit,
                floor,
                asked,
            } => of(ProblemKind::LimitExceeded, limit)
                .with("min", floor)
                .with("actual", asked),
            // A refusal that is younger than this match.
            _ => Problem::new(ProblemKind::InvalidRequest, refused.to_string()),
        })
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        if let Rejection::Limit(exceeded) = rejection {
            return Self::from(exceeded);
        }
        if let Rejection::LimitNotSettable(refused) = rejection {
            return Self::from(refused);
        }
        let problem = Problem::new(kind(&rejection), rejection.to_string());
        Self(with_members(problem, &rejection))
    }
}

fn kind(rejection: &Rejection) -> ProblemKind {
    match rejection {
        Rejection::Limit(_)
        | Rejection::LimitNotSettable(_)
        | Rejection::PastCalendar { .. }
        | Rejection::OrderedDelay { .. } => ProblemKind::LimitExceeded,
        Rejection::Condition(error) => condition_kind(*error),
        Rejection::SenderMismatch => ProblemKind::SenderMismatch,
        Rejection::OperatorOnly => ProblemKind::OperatorOnly,
        Rejection::NotAMember => ProblemKind::NotAMember,
        Rejection::Fenced => ProblemKind::Fenced,
        Rejection::RunEnded { .. } => ProblemKind::RunEnded,
        Rejection::RunTaken { .. } => ProblemKind::RunTaken,
        Rejection::HasMembers { .. } => ProblemKind::PoolHasMembers,
        Rejection::HeadMoved { .. } => ProblemKind::PoolChanged,
        Rejection::TooLarge { .. } => ProblemKind::TooLarge,
        Rejection::Policy { .. } => ProblemKind::Policy,
        Rejection::IdempotencyConflict { .. } | Rejection::ContentConflict => {
            ProblemKind::IdempotencyConflict
        }
        Rejection::ConfigConflict { .. } => ProblemKind::ConfigConflict,
        Rejection::MemberConflict { .. } => ProblemKind::MemberConflict,
        Rejection::StaleVersion { .. } => ProblemKind::SettingsConflict,
        Rejection::InboxFull { .. } => ProblemKind::InboxFull,
        Rejection::ContractUnsatisfiable { .. } => ProblemKind::ContractUnsatisfiable,
        Rejection::ClaimLapsed { .. } => ProblemKind::ClaimLapsed,
        Rejection::UnknownClaim { .. } => ProblemKind::ClaimNotFound,
        Rejection::MessageNotFound => ProblemKind::MessageNotFound,
        Rejection::DeadLetterNotFound => ProblemKind::DeadLetterNotFound,
        Rejection::NotDead { .. } => ProblemKind::NotDead,
        Rejection::MessageOver => ProblemKind::MessageOver,
        Rejection::WakeNotFound => ProblemKind::WakeNotFound,
        Rejection::Ambiguous => ProblemKind::Ambiguous,
        Rejection::EffectNotFound => ProblemKind::EffectNotFound,
        Rejection::EffectFinished => ProblemKind::EffectFinished,
        Rejection::EffectUnsafe => ProblemKind::EffectUnsafe,
        Rejection::EffectStale => ProblemKind::EffectStale,
        Rejection::ContentMissing => ProblemKind::ContentMissing,
        Rejection::ContentErased { .. } => ProblemKind::ContentErased,
        Rejection::CursorAhead { .. } => ProblemKind::CursorAhead,
        Rejection::CursorTrimmed { .. } => ProblemKind::CursorTrimmed,
        Rejection::CursorForeign { .. } => ProblemKind::CursorForeign,
        // The last one is for a rule that is younger than this match.
        Rejection::NoEvents | Rejection::Event { .. } | Rejection::OneEnd | _ => {
            ProblemKind::InvalidRequest
        }
    }
}

fn with_members(problem: Problem, rejection: &Rejection) -> Problem {
    match rejection {
        Rejection::Condition(error) => with_condition(problem, *error),
        Rejection::RunEnded { state } => problem.with("state", state.to_string()),
        Rejection::RunTaken { .. } => with_live_run(problem, rejection),
        Rejection::HasMembers { members } => problem.with("members", *members),
        Rejection::NotDead { state } => problem.with("state", state.to_string()),
        Rejection::PastCalendar { field, max } => problem.with("field", *field).with("max", max.0),
        Rejection::OrderedDelay { max } => problem.with("field", "delay_ms").with("max", max.0),
        Rejection::TooLarge { actual, max } => problem.with("actual", *actual).with("max", *max),
        Rejection::Policy { policy, .. } => problem.with("policy", json!(policy)),
        Rejection::IdempotencyConflict { first, field } => problem
            .with_cursor("first_cursor", *first)
            .with("field", field_name(*field)),
        Rejection::ContentConflict => {
            problem.with("field", field_name(ConflictField::IdempotencyKey))
        }
        Rejection::OneEnd => problem.with("field", "timeout_ms"),
        Rejection::NoEvents => problem.with("field", "events"),
        Rejection::Event { index, fault } => problem.with("field", event_field(*index, *fault)),
        Rejection::ConfigConflict { fields } => problem.with("fields", fields.clone()),
        Rejection::MemberConflict { field } => problem.with("field", *field),
        Rejection::StaleVersion { current, .. } => problem.with("settings_version", *current),
        Rejection::InboxFull { depth } => problem
            .with("limit", LimitName::InboxDepthMax.to_string())
            .with("max", *depth)
            .with("retry_after_ms", INBOX_RETRY_AFTER_MS),
        Rejection::ContractUnsatisfiable { expected, eligible } => problem
            .with("expected", *expected)
            .with("eligible", *eligible),
        Rejection::ClaimLapsed { claims } => problem.with("claims", names(claims)),
        Rejection::UnknownClaim { claim } => problem.with("claims", names(&[*claim])),
        // A message that refers to a body which is not there conflicts with what is stored.
        Rejection::ContentMissing => problem
            .with_status(StatusCode::CONFLICT.as_u16())
            .with("field", "content_ref"),
        Rejection::ContentErased { erased_at } => problem.with("erased_at", erased_at.to_string()),
        Rejection::HeadMoved { .. }
        | Rejection::CursorAhead { .. }
        | Rejection::CursorTrimmed { .. }
        | Rejection::CursorForeign { .. } => with_cursors(problem, rejection),
        // Those that say everything in their kind; the last arm is for rules younger than this match.
        Rejection::Limit(_)
        | Rejection::LimitNotSettable(_)
        | Rejection::SenderMismatch
        | Rejection::OperatorOnly
        | Rejection::NotAMember
        | Rejection::Fenced
        | Rejection::MessageNotFound
        | Rejection::DeadLetterNotFound
        | Rejection::MessageOver
        | Rejection::WakeNotFound
        | Rejection::Ambiguous
        | Rejection::EffectNotFound
        | Rejection::EffectFinished
        | Rejection::EffectUnsafe
        | Rejection::EffectStale
        | _ => problem,
    }
}

/// Adds the generation that has a run, and the time when it was last heard of, where that is known.
fn with_live_run(problem: Problem, rejection: &Rejection) -> Problem {
    let Rejection::RunTaken {
        generation,
        last_seen,
    } = rejection
    else {
        return problem;
    };
    let problem = problem.with("generation", generation.0.0);
    match last_seen {
        Some(at) => problem.with("last_seen", at.to_string()),
        None => problem,
    }
}

/// Adds the members that tell the fault of a cursor.
fn with_cursors(problem: Problem, rejection: &Rejection) -> Problem {
    if let Rejection::CursorAhead { requested, head } = rejection {
        problem
            .with_cursor("requested", *requested)
            .with_cursor("head", *head)
    } else if let Rejection::HeadMoved { head, .. } = rejection {
        problem.with_cursor("head", *head)
    } else if let Rejection::CursorTrimmed { requested, floor } = rejection {
        problem
            .with_cursor("requested", *requested)
            .with_cursor("floor", *floor)
    } else if let Rejection::CursorForeign {
        requested,
        diverged_at,
    } = rejection
    {
        let problem = problem.with_cursor("requested", *requested);
        with_divergence(problem, *diverged_at)
    } else {
        problem
    }
}

fn condition_kind(error: ConditionError) -> ProblemKind {
    match error {
        ConditionError::TooManyFilters { .. }
        | ConditionError::TooManyEvents { .. }
        | ConditionError::TooDeep { .. } => ProblemKind::LimitExceeded,
        // Also one that is younger than this match.
        ConditionError::Empty { .. } | ConditionError::CountsNothing | _ => {
            ProblemKind::InvalidRequest
        }
    }
}

/// The largest condition is fixed, so its limits have names of their own.
fn with_condition(problem: Problem, error: ConditionError) -> Problem {
    match error {
        ConditionError::Empty { list } => problem.with("field", list),
        ConditionError::CountsNothing => problem.with("field", "count.n"),
        ConditionError::TooManyFilters { max, actual } => problem
            .with("limit", "condition_filters_max")
            .with("max", max)
            .with("actual", actual),
        ConditionError::TooManyEvents { max, actual } => problem
            .with("limit", "condition_events_max")
            .with("max", max)
            .with("actual", actual),
        ConditionError::TooDeep { max } => problem
            .with("limit", "condition_depth_max")
            .with("max", max),
        // A refusal that is younger than this match.
        _ => problem,
    }
}

fn with_divergence(problem: Problem, diverged_at: Option<Cursor>) -> Problem {
    match diverged_at {
        Some(last) => problem.with_cursor("diverged_at", last),
        None => problem,
    }
}

fn names(claims: &[Claim]) -> Vec<String> {
    claims.iter().map(ToString::to_string).collect()
}

/// The field of a batch that an event is refused for.
fn event_field(index: usize, fault: EventFault) -> String {
    match fault {
        EventFault::AnotherRun { .. } => format!("events[{index}].subject"),
        // The kind itself, or a fault that is younger than this match.
        EventFault::PoolsOwn { .. } | EventFault::RunEnds { .. } | _ => {
            format!("events[{index}].kind")
        }
    }
}

fn field_name(field: ConflictField) -> &'static str {
    match field {
        ConflictField::IdempotencyKey => "idempotency_key",
        ConflictField::MessageId => "message_id",
        ConflictField::WakeId => "wake_id",
    }
}
