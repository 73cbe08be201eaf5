//! The kinds of refusals, by the slug that everybody sees.

use heronry_types::{ConditionError, LimitName};

use super::Rejection;

/// Defines [`RejectionKind`] of rows: the kind and its slug.
macro_rules! refusals {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal,)*) => {
        /// The kind of a [`Rejection`]. Each has one slug, which is published and never changes.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum RejectionKind {
            $($(#[$doc])* $kind,)*
        }

        impl RejectionKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// Returns the slug.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }
        }
    };
}

refusals! {
    /// The request cannot mean anything.
    InvalidRequest = "invalid-request",
    /// A limit would be crossed.
    LimitExceeded = "limit-exceeded",
    /// The caller acts for another run than its own.
    SenderMismatch = "sender-mismatch",
    /// Only an operator may do this.
    OperatorOnly = "operator-only",
    /// The run is not a member.
    NotAMember = "not-a-member",
    /// The run was taken over.
    Fenced = "fenced",
    /// The run has ended.
    RunEnded = "run-ended",
    /// The run is a member already.
    RunTaken = "run-taken",
    /// The pool has members.
    PoolHasMembers = "pool-has-members",
    /// The pool has moved on.
    PoolChanged = "pool-changed",
    /// A body or a record is too large.
    TooLarge = "too-large",
    /// A policy is missing.
    Policy = "policy",
    /// A key or an id was used for another request.
    IdempotencyConflict = "idempotency-conflict",
    /// The pool has another configuration.
    ConfigConflict = "config-conflict",
    /// The run is a member with other fields.
    MemberConflict = "member-conflict",
    /// The settings were changed meanwhile.
    SettingsConflict = "settings-conflict",
    /// A recipient's inbox is full.
    InboxFull = "inbox-full",
    /// More replies are expected than can count.
    ContractUnsatisfiable = "contract-unsatisfiable",
    /// Claims are no longer held.
    ClaimLapsed = "claim-lapsed",
    /// There is no such claim.
    ClaimNotFound = "claim-not-found",
    /// There is no such message.
    MessageNotFound = "message-not-found",
    /// There is no such dead letter.
    DeadLetterNotFound = "dead-letter-not-found",
    /// The copy is not dead.
    NotDead = "not-dead",
    /// The message is over.
    MessageOver = "message-over",
    /// There is no such wake.
    WakeNotFound = "wake-not-found",
    /// There is no such alias.
    AliasNotFound = "alias-not-found",
    /// More than one thing has this id.
    Ambiguous = "ambiguous",
    /// There is no such effect.
    EffectNotFound = "effect-not-found",
    /// The effect has a result.
    EffectFinished = "effect-finished",
    /// The effect is not safe to repeat.
    EffectUnsafe = "effect-unsafe",
    /// The effect is somebody else's by now.
    EffectStale = "effect-stale",
    /// The body is not stored.
    ContentMissing = "content-missing",
    /// The body was erased.
    ContentErased = "content-erased",
    /// Another bridge reports from the source.
    SourceTaken = "source-taken",
    /// The bridge does not have the source any more.
    SourceFenced = "source-fenced",
    /// Another instance is the steward of the pool.
    StewardHeld = "steward-held",
    /// The roster was declared anew meanwhile.
    RosterConflict = "roster-conflict",
    /// The run is not in the roster.
    NotSpecified = "not-specified",
    /// The cursor is ahead of the journal.
    CursorAhead = "cursor-ahead",
    /// Records after the cursor were trimmed.
    CursorTrimmed = "cursor-trimmed",
    /// The cursor belongs to another timeline.
    CursorForeign = "cursor-foreign",
}

impl Rejection {
    /// Returns the kind.
    pub fn kind(&self) -> RejectionKind {
        match self {
            Self::Limit(exceeded) => of_limit(exceeded.limit),
            Self::Condition(error) => of_condition(*error),
            Self::LimitNotSettable(_)
            | Self::PastCalendar { .. }
            | Self::OrderedDelay { .. }
            | Self::TooManySources { .. }
            | Self::TooMuchWiring { .. } => RejectionKind::LimitExceeded,
            Self::NoEvents | Self::Event { .. } | Self::OneEnd | Self::AliasOfAlias => {
                RejectionKind::InvalidRequest
            }
            Self::SenderMismatch | Self::SourceOfAnother => RejectionKind::SenderMismatch,
            Self::SourceTaken { .. } => RejectionKind::SourceTaken,
            Self::SourceFenced => RejectionKind::SourceFenced,
            Self::OperatorOnly => RejectionKind::OperatorOnly,
            Self::NotAMember => RejectionKind::NotAMember,
            Self::Fenced | Self::StewardFenced => RejectionKind::Fenced,
            Self::StewardHeld { .. } => RejectionKind::StewardHeld,
            Self::Roster(fault) => fault.kind(),
            Self::RunEnded { .. } => RejectionKind::RunEnded,
            Self::RunTaken { .. } => RejectionKind::RunTaken,
            Self::HasMembers { .. } => RejectionKind::PoolHasMembers,
            Self::HeadMoved { .. } => RejectionKind::PoolChanged,
            Self::TooLarge { .. } => RejectionKind::TooLarge,
            Self::Policy { .. } => RejectionKind::Policy,
            Self::IdempotencyConflict { .. } | Self::ContentConflict => {
                RejectionKind::IdempotencyConflict
            }
            Self::ConfigConflict { .. } => RejectionKind::ConfigConflict,
            Self::MemberConflict { .. } => RejectionKind::MemberConflict,
            Self::StaleVersion { .. } => RejectionKind::SettingsConflict,
            Self::InboxFull { .. } => RejectionKind::InboxFull,
            Self::ContractUnsatisfiable { .. } => RejectionKind::ContractUnsatisfiable,
            Self::ClaimLapsed { .. } => RejectionKind::ClaimLapsed,
            Self::UnknownClaim { .. } => RejectionKind::ClaimNotFound,
            Self::MessageNotFound => RejectionKind::MessageNotFound,
            Self::DeadLetterNotFound => RejectionKind::DeadLetterNotFound,
            Self::NotDead { .. } => RejectionKind::NotDead,
            Self::MessageOver => RejectionKind::MessageOver,
            Self::WakeNotFound => RejectionKind::WakeNotFound,
            Self::AliasNotFound => RejectionKind::AliasNotFound,
            Self::Ambiguous => RejectionKind::Ambiguous,
            Self::EffectNotFound => RejectionKind::EffectNotFound,
            Self::EffectFinished => RejectionKind::EffectFinished,
            Self::EffectUnsafe => RejectionKind::EffectUnsafe,
            Self::EffectStale => RejectionKind::EffectStale,
            Self::ContentMissing => RejectionKind::ContentMissing,
            Self::ContentErased { .. } => RejectionKind::ContentErased,
            Self::CursorAhead { .. } => RejectionKind::CursorAhead,
            Self::CursorTrimmed { .. } => RejectionKind::CursorTrimmed,
            Self::CursorForeign { .. } => RejectionKind::CursorForeign,
        }
    }
}

fn of_limit(limit: LimitName) -> RejectionKind {
    match limit {
        LimitName::BodyInlineBytesMax | LimitName::ContentBytesMax => RejectionKind::TooLarge,
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
        | LimitName::AttemptsMax => RejectionKind::LimitExceeded,
    }
}

fn of_condition(error: ConditionError) -> RejectionKind {
    match error {
        ConditionError::TooManyFilters { .. }
        | ConditionError::TooManyEvents { .. }
        | ConditionError::TooDeep { .. } => RejectionKind::LimitExceeded,
        ConditionError::Empty { .. } | ConditionError::CountsNothing => {
            RejectionKind::InvalidRequest
        }
    }
}
