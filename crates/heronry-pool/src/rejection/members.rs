//! The typed members of refusals: what a program can act on, beside the text.

use heronry_types::{
    ConditionError, Cursor, Generation, LimitExceeded, LimitName, LimitNotSettable, Millis,
    PolicyRef, Timestamp,
};

use super::{ConflictField, EventFault, Rejection, RosterFault};

/// The time after which a sender tries a full inbox again.
const INBOX_RETRY_AFTER: Millis = Millis::from_secs(1);

/// A typed member of a refusal. Its name is published and never changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RejectionMember {
    /// The name.
    pub name: &'static str,
    /// The value.
    pub value: MemberValue,
}

/// The value of a typed member of a refusal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MemberValue {
    /// A number; of a span of time, in milliseconds.
    Number(u64),
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// A cursor.
    Cursor(Cursor),
    /// A policy.
    Policy(PolicyRef),
}

impl Rejection {
    /// Returns the typed members, in the order in which they are shown.
    pub fn members(&self) -> Vec<RejectionMember> {
        match self {
            Self::SenderMismatch
            | Self::OperatorOnly
            | Self::NotAMember
            | Self::Fenced
            | Self::MessageNotFound
            | Self::DeadLetterNotFound
            | Self::MessageOver
            | Self::WakeNotFound
            | Self::Ambiguous
            | Self::AliasNotFound
            | Self::EffectNotFound
            | Self::EffectFinished
            | Self::EffectUnsafe
            | Self::EffectStale
            | Self::SourceFenced
            | Self::StewardFenced
            | Self::SourceOfAnother => Vec::new(),
            Self::SourceTaken { generation } => vec![number("generation", generation.0.0)],
            Self::StewardHeld { steward } => vec![number("steward", steward.0.0)],
            Self::Roster(fault) => of_roster(fault),
            Self::TooManySources { limit, max } => of_room(limit.name(), *max),
            Self::TooMuchWiring { limit, max } => of_room(limit.name(), *max),
            Self::Limit(exceeded) => of_limit(exceeded),
            Self::LimitNotSettable(refused) => of_setting(*refused),
            Self::Condition(error) => of_condition(*error),
            Self::RunEnded { state } => vec![text("state", state.to_string())],
            Self::NotDead { state } => vec![text("state", state.to_string())],
            Self::RunTaken {
                generation,
                last_seen,
            } => of_live_run(*generation, *last_seen),
            Self::HasMembers { members } => vec![size("members", *members)],
            Self::PastCalendar { field, max } => vec![field_is(*field), number("max", max.0)],
            Self::OrderedDelay { max } => vec![field_is("delay_ms"), number("max", max.0)],
            Self::TooLarge { actual, max } => vec![size("actual", *actual), size("max", *max)],
            Self::Policy { policy, .. } => vec![of_policy(policy)],
            Self::IdempotencyConflict { first, field } => of_conflict(*first, *field),
            Self::ContentConflict => vec![field_is(name_of(ConflictField::IdempotencyKey))],
            Self::ConfigConflict { fields } => vec![texts("fields", fields)],
            Self::MemberConflict { field } => vec![field_is(*field)],
            Self::StaleVersion { current, .. } => vec![number("settings_version", *current)],
            Self::OneEnd => vec![field_is("timeout_ms")],
            Self::AliasOfAlias => vec![field_is("to")],
            Self::NoEvents => vec![field_is("events")],
            Self::Event { index, fault } => vec![field_is(field_of_event(*index, *fault))],
            Self::InboxFull { depth } => of_inbox(*depth),
            Self::ContractUnsatisfiable { expected, eligible } => of_contract(*expected, *eligible),
            Self::ClaimLapsed { claims } => vec![texts("claims", claims)],
            Self::UnknownClaim { claim } => vec![texts("claims", &[*claim])],
            Self::ContentMissing => vec![field_is("content_ref")],
            Self::ContentErased { erased_at } => vec![text("erased_at", erased_at.to_string())],
            Self::HeadMoved { head, .. } => vec![cursor("head", *head)],
            Self::CursorAhead { requested, head } => of_cursor(*requested, "head", *head),
            Self::CursorTrimmed { requested, floor } => of_cursor(*requested, "floor", *floor),
            Self::CursorForeign {
                requested,
                diverged_at,
            } => of_foreign(*requested, *diverged_at),
        }
    }
}

fn number(name: &'static str, value: u64) -> RejectionMember {
    let value = MemberValue::Number(value);
    RejectionMember { name, value }
}

fn size(name: &'static str, value: usize) -> RejectionMember {
    number(name, value as u64)
}

fn text(name: &'static str, value: impl Into<String>) -> RejectionMember {
    let value = MemberValue::Text(value.into());
    RejectionMember { name, value }
}

fn texts(name: &'static str, values: &[impl ToString]) -> RejectionMember {
    let value = MemberValue::Texts(values.iter().map(ToString::to_string).collect());
    RejectionMember { name, value }
}

fn cursor(name: &'static str, value: Cursor) -> RejectionMember {
    let value = MemberValue::Cursor(value);
    RejectionMember { name, value }
}

/// The field of the request that is refused.
fn field_is(field: impl Into<String>) -> RejectionMember {
    text("field", field)
}

fn of_policy(policy: &PolicyRef) -> RejectionMember {
    RejectionMember {
        name: "policy",
        value: MemberValue::Policy(policy.clone()),
    }
}

fn of_roster(fault: &RosterFault) -> Vec<RejectionMember> {
    match fault {
        RosterFault::Moved { current, .. } => vec![number("revision", *current)],
        RosterFault::NotSpecified { run } | RosterFault::NamedTwice { run } => {
            vec![text("run_id", run.as_str())]
        }
        RosterFault::BatchTooLong { actual, max } => {
            vec![size("actual", *actual), size("max", *max)]
        }
        RosterFault::TooManyModules { max } => vec![size("max", *max)],
    }
}

fn of_conflict(first: Cursor, field: ConflictField) -> Vec<RejectionMember> {
    vec![cursor("first_cursor", first), field_is(name_of(field))]
}

fn of_room(limit: &'static str, max: usize) -> Vec<RejectionMember> {
    vec![text("limit", limit), size("max", max)]
}

fn of_limit(exceeded: &LimitExceeded) -> Vec<RejectionMember> {
    vec![
        text("limit", exceeded.limit.to_string()),
        number("max", exceeded.max),
        number("actual", exceeded.actual),
    ]
}

fn of_setting(refused: LimitNotSettable) -> Vec<RejectionMember> {
    let (limit, bound, asked) = match refused {
        LimitNotSettable::AboveCeiling {
            limit,
            ceiling,
            asked,
        } => (limit, number("max", ceiling), asked),
        LimitNotSettable::BelowFloor {
            limit,
            floor,
            asked,
        } => (limit, number("min", floor), asked),
    };
    vec![
        field_is(format!("limits.{limit}")),
        text("limit", limit.to_string()),
        bound,
        number("actual", asked),
    ]
}

/// The largest condition is fixed, so its limits have names of their own.
fn of_condition(error: ConditionError) -> Vec<RejectionMember> {
    let limit = |name: &str| text("limit", name);
    match error {
        ConditionError::Empty { list } => vec![field_is(list)],
        ConditionError::CountsNothing => vec![field_is("count.n")],
        ConditionError::TooManyFilters { max, actual } => vec![
            limit("condition_filters_max"),
            size("max", max),
            size("actual", actual),
        ],
        ConditionError::TooManyEvents { max, actual } => vec![
            limit("condition_events_max"),
            number("max", max),
            number("actual", actual),
        ],
        ConditionError::TooDeep { max } => vec![limit("condition_depth_max"), size("max", max)],
    }
}

fn of_contract(expected: u32, eligible: usize) -> Vec<RejectionMember> {
    vec![
        number("expected", u64::from(expected)),
        size("eligible", eligible),
    ]
}

fn of_inbox(depth: u64) -> Vec<RejectionMember> {
    vec![
        text("limit", LimitName::InboxDepthMax.to_string()),
        number("max", depth),
        number("retry_after_ms", INBOX_RETRY_AFTER.0),
    ]
}

/// The generation that has a run, and the time when it was last heard of, where that is known.
fn of_live_run(generation: Generation, last_seen: Option<Timestamp>) -> Vec<RejectionMember> {
    let mut members = vec![number("generation", generation.0.0)];
    members.extend(last_seen.map(|at| text("last_seen", at.to_string())));
    members
}

fn of_cursor(requested: Cursor, bound: &'static str, at: Cursor) -> Vec<RejectionMember> {
    vec![cursor("requested", requested), cursor(bound, at)]
}

fn of_foreign(requested: Cursor, diverged_at: Option<Cursor>) -> Vec<RejectionMember> {
    let mut members = vec![cursor("requested", requested)];
    members.extend(diverged_at.map(|last| cursor("diverged_at", last)));
    members
}

/// The field of a batch that an event is refused for.
fn field_of_event(index: usize, fault: EventFault) -> String {
    match fault {
        EventFault::AnotherRun { .. } => format!("events[{index}].subject"),
        EventFault::PoolsOwn { .. }
        | EventFault::RunEnds { .. }
        | EventFault::MustBeFact { .. }
        | EventFault::EndNotAlone { .. } => {
            format!("events[{index}].kind")
        }
        EventFault::NoSource => "source".to_owned(),
        EventFault::NoPosition | EventFault::OtherPositions => {
            format!("events[{index}].source_position")
        }
    }
}

fn name_of(field: ConflictField) -> &'static str {
    match field {
        ConflictField::IdempotencyKey => "idempotency_key",
        ConflictField::MessageId => "message_id",
        ConflictField::WakeId => "wake_id",
    }
}
