//! Refusals by the rules.

mod kind;
mod members;
mod roster;

use heronry_journal::Claim;
use heronry_types::{
    ConditionError, CopyState, Cursor, EventKind, Generation, LimitExceeded, LimitNotSettable,
    Millis, PolicyRef, RunEnd, StewardToken, Timestamp, counted,
};

pub use kind::RejectionKind;
pub use members::{MemberValue, RejectionMember};
pub use roster::RosterFault;

/// The name in a request that was used before for something else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConflictField {
    /// The idempotency key.
    IdempotencyKey,
    /// The message id.
    MessageId,
    /// The wake id.
    WakeId,
}

/// A refusal by the rules: nothing was journaled.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// The caller is a member but acts for another run.
    #[error("a member acts only as its own run; leave the run out, or use an operator's token")]
    SenderMismatch,
    /// Only an operator may do this.
    #[error("only an operator may do this; use the operator's token")]
    OperatorOnly,
    /// The run is not a member of the pool.
    #[error("the run is not a member of this pool; join it first")]
    NotAMember,
    /// The run is a member already, and whoever joins asked not to take it over.
    #[error(
        "the run is live in generation {generation}, last heard of {}; join under another run id, or \
         take it over on purpose", last_heard(.last_seen.as_ref())
    )]
    RunTaken {
        /// The generation that has the run.
        generation: Generation,
        /// The time when it was last heard of; absent: not since the pool was opened.
        last_seen: Option<Timestamp>,
    },
    /// The caller's generation has been taken over.
    #[error("another instance has taken this run over; stop acting as it")]
    Fenced,
    /// A suspension has no end, or two.
    #[error(
        "a suspended run goes on at some time, or waits forever: give a timeout or say forever"
    )]
    OneEnd,
    /// The run has ended.
    #[error("the run has ended as {state}; start a new run under another id")]
    RunEnded {
        /// The end of the run.
        state: RunEnd,
    },
    /// A pool cannot be deleted while it has members.
    #[error("the pool has {}; let them leave or end, and delete it then", counted(*.members as u64, "member"))]
    HasMembers {
        /// The number of its members.
        members: usize,
    },
    /// The pool has moved on from the head that the caller saw.
    #[error("the pool's head is {head}, not {expected}; look at what was added, and try again")]
    HeadMoved {
        /// The head that the caller named.
        expected: Cursor,
        /// The head.
        head: Cursor,
    },
    /// A value is over its limit.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// A limit cannot be set to that value.
    #[error(transparent)]
    LimitNotSettable(#[from] LimitNotSettable),
    /// No wake can have that condition.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// A span of time ends after the last time that there is.
    #[error("{field} reaches past the year 9999; ask for {} ms at the most", .max.0)]
    PastCalendar {
        /// The field with the span.
        field: &'static str,
        /// The longest span.
        max: Millis,
    },
    /// A record would be larger than a chunk.
    #[error("the request's record has {actual} bytes and may have {max}; send less")]
    TooLarge {
        /// The size of the record in bytes.
        actual: usize,
        /// The largest size in bytes.
        max: usize,
    },
    /// A policy is missing.
    #[error("policy {} of kind {} is missing: {need}", .policy.id, .policy.kind)]
    Policy {
        /// The policy.
        policy: PolicyRef,
        /// The party that would have to have it.
        need: PolicyNeed,
    },
    /// The key or id was used before with another request.
    #[error("this key or id was used before with another request; choose another")]
    IdempotencyConflict {
        /// The first record under that key or id.
        first: Cursor,
        /// The key or id that was used before.
        field: ConflictField,
    },
    /// A batch of events has none.
    #[error("the batch has no event; report at least one")]
    NoEvents,
    /// An event cannot be reported.
    #[error("event {index} of the batch: {fault}")]
    Event {
        /// The index of the event in the batch, from 0.
        index: usize,
        /// The reason why it cannot be reported.
        fault: EventFault,
    },
    /// Another bridge reports from the source.
    #[error(
        "another bridge reports from this source, as {generation}; stop it, or take the source over"
    )]
    SourceTaken {
        /// The attachment of that bridge.
        generation: Generation,
    },
    /// The attachment of a bridge has ended.
    #[error(
        "this bridge does not have the source any more: another took it over, or it was left; stop"
    )]
    SourceFenced,
    /// A source belongs to another run, or to the operators.
    #[error("the source is not this run's; report under another source id, or as an operator")]
    SourceOfAnother,
    /// The pool has as many sources as it keeps, or as many as one run can be the first to name.
    #[error("the pool keeps positions of {max} sources {limit}; report from one that it knows")]
    TooManySources {
        /// The limit.
        limit: SourcesLimit,
        /// The highest number of sources.
        max: usize,
    },
    /// Another instance is the steward of the pool.
    #[error(
        "another instance keeps this pool, as steward {steward}; stop it, or take the pool over"
    )]
    StewardHeld {
        /// The stewardship that holds.
        steward: StewardToken,
    },
    /// The stewardship has ended.
    #[error("another steward keeps this pool, or it was given back; stop acting on it")]
    StewardFenced,
    /// The roster does not take it.
    #[error(transparent)]
    Roster(#[from] RosterFault),
    /// A request wires more than the pool keeps, or more than one request may.
    #[error("{}", .limit.refusal(*.max))]
    TooMuchWiring {
        /// The limit.
        limit: WiringLimit,
        /// The highest number.
        max: usize,
    },
    /// There is no such alias.
    #[error("no such alias in this pool; list them to see which there are")]
    AliasNotFound,
    /// An alias would lead to an alias.
    #[error("an alias leads to a run, an agent, a topic or the pool; name what it leads to")]
    AliasOfAlias,
    /// The key was used before to store another body.
    #[error("this key was used before with another body or media type; choose another")]
    ContentConflict,
    /// The pool exists with another configuration.
    #[error("the pool exists with other values of: {}", .fields.join(", "))]
    ConfigConflict {
        /// The fields that differ.
        fields: Vec<&'static str>,
    },
    /// The run is a member with another value of this field.
    #[error("the run is a member with another {field}; a run keeps it for life")]
    MemberConflict {
        /// The field that differs.
        field: &'static str,
    },
    /// The settings were changed meanwhile.
    #[error("settings are at version {current}, not {expected}; read them and try again")]
    StaleVersion {
        /// The version that the caller named.
        expected: u64,
        /// The version that holds.
        current: u64,
    },
    /// A recipient's inbox is full.
    #[error("an inbox is full ({}); try again when its reader has caught up", counted(*depth, "copy"))]
    InboxFull {
        /// The number of copies that the inbox may hold.
        depth: u64,
    },
    /// An ordered copy is given back for too long.
    #[error("an ordered message holds up those behind it; give it back for {} ms at the most", .max.0)]
    OrderedDelay {
        /// The longest delay.
        max: Millis,
    },
    /// A message asks for more replies than can count.
    #[error(
        "{} expected and {eligible} can count; expect fewer, or ask more members",
        counted(u64::from(*expected), "reply")
    )]
    ContractUnsatisfiable {
        /// The number of replies that the message asks for.
        expected: u32,
        /// The number of its recipients whose replies would count.
        eligible: usize,
    },
    /// Claims are no longer held.
    #[error("{} not held any more; receive again", counted(.claims.len() as u64, "claim"))]
    ClaimLapsed {
        /// The claims.
        claims: Vec<Claim>,
    },
    /// A claim was never given to this run.
    #[error("claim {claim} was never given to this run; use one from a received item")]
    UnknownClaim {
        /// The claim.
        claim: Claim,
    },
    /// There is no such message of this run.
    #[error("no such message of this run in this pool")]
    MessageNotFound,
    /// The run has no copy of such a message.
    #[error("no such dead letter in this pool; list them to see which there are")]
    DeadLetterNotFound,
    /// The copy is not dead.
    #[error("the copy is {state}, not dead; only dead letters are replayed")]
    NotDead {
        /// The state of the copy.
        state: CopyState,
    },
    /// The message has expired or was cancelled.
    #[error("the message has expired or was cancelled; send it again")]
    MessageOver,
    /// There is no such wake.
    #[error("no such wake of this run in this pool")]
    WakeNotFound,
    /// Several runs have a wake of this id.
    #[error("several runs have a wake of this id; name the run")]
    Ambiguous,
    /// There is no such effect of this run.
    #[error("no such effect of this run in this pool")]
    EffectNotFound,
    /// The effect has a result.
    #[error("the effect has its result; it is not done again")]
    EffectFinished,
    /// Doing the effect again could do harm.
    #[error("the effect has no key, so doing it again could do harm; find out whether it was done")]
    EffectUnsafe,
    /// The effect was attempted meanwhile.
    #[error("the effect was attempted meanwhile; look at where it stands")]
    EffectStale,
    /// A body that was referred to is not stored.
    #[error("the content is not stored in this pool; store it first")]
    ContentMissing,
    /// A body that was referred to was erased.
    #[error("the content was erased at {erased_at}; only its digest, size and media type are left")]
    ContentErased {
        /// The time of the erasure.
        erased_at: Timestamp,
    },
    /// A cursor is after the head.
    #[error("cursor {requested} is ahead of the head {head}; use one that an answer gave")]
    CursorAhead {
        /// The cursor.
        requested: Cursor,
        /// The head.
        head: Cursor,
    },
    /// A cursor is before the floor.
    #[error("records after {requested} are trimmed; the lowest valid cursor is {floor}")]
    CursorTrimmed {
        /// The cursor.
        requested: Cursor,
        /// The lowest valid cursor.
        floor: Cursor,
    },
    /// A cursor is of another journal, or past the point where this one left its timeline.
    #[error("cursor {requested} is of another journal{}; use one that this pool gave", last_valid(.diverged_at.as_ref()))]
    CursorForeign {
        /// The cursor.
        requested: Cursor,
        /// The last valid cursor of that timeline, when it is one that this journal left.
        diverged_at: Option<Cursor>,
    },
}

fn last_heard(last_seen: Option<&Timestamp>) -> String {
    last_seen.map_or_else(
        || "before the pool was opened".to_owned(),
        Timestamp::to_string,
    )
}

fn last_valid(diverged_at: Option<&Cursor>) -> String {
    diverged_at.map_or_else(String::new, |last| {
        format!(", or past {last}, where this one went its own way")
    })
}

/// The reason why a member cannot report an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EventFault {
    /// Only the engine says so.
    #[error("{kind} is of the pool's own family; report a kind of another")]
    PoolsOwn {
        /// The kind.
        kind: EventKind,
    },
    /// It says that a run ended, which is a change of the run's state and ends what the run had.
    #[error(
        "{kind} is said by the state of the run; set the state to completed, failed or cancelled"
    )]
    RunEnds {
        /// The kind.
        kind: EventKind,
    },
    /// It ends something, which a reader must not miss.
    #[error("{kind} ends something and must be recorded; append it as a fact")]
    MustBeFact {
        /// The kind.
        kind: EventKind,
    },
    /// It says what another run did.
    #[error("{kind} is about another run; a member reports that only of its own")]
    AnotherRun {
        /// The kind.
        kind: EventKind,
    },
    /// It says that a run ended, beside other events.
    #[error("{kind} ends the run, so it goes alone; send what comes before it first")]
    EndNotAlone {
        /// The kind.
        kind: EventKind,
    },
    /// Its batch comes from a source, and its place there is missing.
    #[error("the batch names a source; say the event's position there")]
    NoPosition,
    /// It has a place in a source, and its batch names none.
    #[error("the event has a position in a source; name the source of the batch")]
    NoSource,
    /// The source says its places in another way.
    #[error("a source numbers all its events or gives all of them ids; go on as it began")]
    OtherPositions,
}

/// A limit of how many sources a pool keeps the positions of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SourcesLimit {
    /// Of all together.
    InAll,
    /// Of those that one run was the first to name.
    PerRun,
}

impl SourcesLimit {
    /// Returns the name of the limit.
    pub fn name(self) -> &'static str {
        match self {
            Self::InAll => "sources_max",
            Self::PerRun => "sources_per_run_max",
        }
    }
}

impl std::fmt::Display for SourcesLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::InAll => "in all",
            Self::PerRun => "of one run",
        })
    }
}

/// A limit of how much a pool is wired.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WiringLimit {
    /// Of the edges of a pool.
    Edges,
    /// Of the aliases of a pool.
    Aliases,
    /// Of the runs of a pool that have labels.
    LabelledRuns,
    /// Of the changes of one request.
    Changes,
}

impl WiringLimit {
    /// Returns the name of the limit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edges => "edges_max",
            Self::Aliases => "aliases_max",
            Self::LabelledRuns => "labelled_runs_max",
            Self::Changes => "wiring_changes_max",
        }
    }

    fn refusal(self, max: usize) -> String {
        match self {
            Self::Edges => {
                format!("the pool keeps {max} edges; remove some, or let everybody reach everybody")
            }
            Self::Aliases => format!("the pool keeps {max} aliases; remove some"),
            Self::LabelledRuns => {
                format!("the pool keeps the labels of {max} runs; clear those of some")
            }
            Self::Changes => {
                format!("one request changes {max} at the most; ask for fewer at a time")
            }
        }
    }
}

/// The party that would have to have a missing policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PolicyNeed {
    /// The message must carry it.
    MessageCarries,
    /// The sender must hold it.
    SenderHolds,
    /// Joining again cannot widen policies.
    NotWidened,
    /// A viewer must hold it.
    ViewerHolds,
    /// The agent's grant must have it.
    Granted,
    /// The run that waits must hold it.
    WaiterHolds,
}

impl std::fmt::Display for PolicyNeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::MessageCarries => "this pool's messages must carry it",
            Self::SenderHolds => "the sender does not hold it",
            Self::NotWidened => "joining again cannot add policies",
            Self::ViewerHolds => "the viewer does not hold it",
            Self::Granted => "the agent is not granted it",
            Self::WaiterHolds => "the run that waits does not hold it",
        })
    }
}
