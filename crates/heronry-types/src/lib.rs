#![doc = include_str!("../README.md")]

mod address;
mod condition;
mod content;
mod contract;
mod counted;
mod cursor;
mod delivery;
mod edge;
mod effect;
mod id;
mod labels;
mod limits;
mod lineage;
mod new_event;
mod payload;
mod pool;
mod receipt;
mod reconcile;
mod refs;
mod retention;
#[cfg(feature = "schema")]
pub mod schema;
mod source;
mod steward;
mod suggest;
mod time;
mod timelines;
mod vocab;
mod wake;
mod wiring;

pub use address::Address;
pub use condition::{Clause, Condition, ConditionError, Count, DistinctBy};
pub use content::{Body, ContentRef, ContentRefError, Digest, DigestError, MediaType};
pub use contract::{ReplyStanding, Response, ResponseContract};
pub use counted::counted;
pub use cursor::{Cursor, CursorError, Epoch, EpochError, Generation, Position};
pub use delivery::{DeliveryOptions, OnFull};
pub use edge::{Edge, EdgeError};
pub use effect::{EffectResult, EffectView};
pub use id::{
    AgentId, AttemptId, ChannelId, ConsumerId, CorrelationKey, CorrelationValue, DestinationId,
    EntityId, EventTag, HostId, ID_BYTES_MAX, Id, IdError, IdKind, IdempotencyKey, InstanceId,
    MessageId, ModuleId, PolicyId, PolicyVersion, PoolId, ReceiveId, RunId, RuntimeErrorId,
    SessionId, SourceId, SourceItemId, TopicId, TurnId, WakeId, kind,
};
pub use labels::{LABEL_BYTES_MAX, LABELS_MAX, Labels, LabelsError};
pub use limits::{LimitExceeded, LimitName, LimitNotSettable, Limits};
pub use lineage::{Actor, Lineage, Trace, TraceError, Visibility};
pub use new_event::NewEvent;
pub use payload::Payload;
pub use pool::{Broadcast, MessagePolicy, PoolConfig, PoolSpec, Settings};
pub use receipt::{
    CopyStanding, MessageFailure, Receipt, ReceiptUntil, RecipientStanding, TimelineEntry,
    TimelineState, Undeliverable,
};
pub use reconcile::{DeclaredEntry, RECONCILE_FAILURES_MAX, ReconcileCounts, ReconcileFailure};
pub use refs::{Correlation, DestinationRef, EntityRef, Policies, PolicyRef, SourceRef};
pub use retention::Retention;
pub use source::{NewSourceGap, SOURCE_WINDOW, SOURCES_MAX, SOURCES_PER_RUN_MAX, SourcePosition};
pub use steward::StewardToken;
pub use suggest::{by_nearness, choices, nearest, quoted};
pub use time::{Millis, Timestamp, TimestampError};
pub use timelines::{ForeignCursor, TimelineStart, Timelines};
pub use vocab::{
    AckOutcome, ChosenBy, ConsumerRecovery, ConsumerStaleness, ContentCapture, CopyState,
    DeadReason, DestinationKind, Durability, EdgeStanding, EffectFault, EffectOutcome,
    EffectStanding, EntityKind, EpochReason, EventFamily, EventKind, EventSemantics, Importance,
    ManagedBy, MemberStanding, MessageStatus, ModuleStanding, OnAttached, OverflowPolicy, Peering,
    PolicyKind, PrivacyClass, Progress, ReadyWhen, ReconcileStage, ReleaseReason, RestartPolicy,
    ResumeCause, ResumeWith, ResumedBy, RetentionClass, RosterLayer, RunEnd, RunState, RunsUntil,
    RuntimeErrorCategory, SourceGapReason, SourceKind, StartWhen, SuspendFor, TrustClass,
    UnknownName, UnknownNumber, Vocabulary, WakePayload, WakeStatus,
};
pub use wake::{Since, WakeFailure, WakeMatch, WakeReason, WakeView, WakeWhy};
pub use wiring::{
    ALIASES_MAX, AliasName, AliasView, EDGES_MAX, EdgeView, LABELLED_RUNS_MAX, WIRING_CHANGES_MAX,
};
