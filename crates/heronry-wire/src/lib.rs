#![doc = include_str!("../README.md")]

mod body;
mod chosen;
mod consumer;
mod content;
mod dead;
mod effect;
mod event;
#[cfg(feature = "schema")]
mod examples;
mod export;
mod filter;
mod inbox;
mod keeping;
mod member;
mod message;
mod pool;
mod problem;
mod prove;
mod query;
mod reading;
mod roster;
mod source;
mod status;
mod token;
mod version;
mod wake;
mod wiring;

pub use body::{BodyBytes, BodyText};
pub use consumer::{
    ClaimConsumer, CommitConsumer, ConsumeFrom, ConsumerClaimed, ConsumerCommitted, ConsumerEntry,
    ConsumerForgotten, ConsumerList, ConsumerResumed, ConsumerState, WhenFilterChanged, WhenHeld,
};
pub use content::{ContentErased, ContentStored};
pub use dead::{DeadLetter, DeadLetterList, DeadLetterName, DeadLettersQuery};
pub use effect::{EffectList, EffectsQuery, ResolveEffect};
pub use event::{AppendEvents, EphemeralPublished, EventsAppended, PublishEphemeral};
pub use export::{CLOUD_EVENTS_MEDIA_TYPE, ExportFormat, JSON_LINES_MEDIA_TYPE};
pub use filter::{CompileFilter, CompiledFilter};
pub use inbox::{
    Ack, ClaimName, ClaimsExtended, ExtendClaims, InboxPage, Item, Receive, ReleaseClaims,
};
pub use keeping::{JournalTrimmed, SnapshotTaken, Trim};
pub use member::{
    Join, Joined, MemberList, MemberView, PatchMember, SetState, StateChanged, SuspendedView,
    TakenOver,
};
pub use message::{CancelMessage, SendMessage};
pub use pool::{
    MessagePolicyBody, PatchSettings, PoliciesSource, PoolBody, PoolDeleted, PoolEntry, PoolList,
    PoolOpened, PoolView, SettingsChanged, TimelineEntry, WakePolicyBody,
};
pub use problem::{Members, PROBLEM_MEDIA_TYPE, Problem, ProblemKind};
pub use prove::{Proof, ProofKey, Prove};
pub use query::{
    ContentQuery, DeletePoolQuery, EVENT_STREAM, EventsFrom, EventsQuery, ExplainQuery,
    ExportQuery, InboxQuery, MembersQuery, OnTrimmed, ReceiptQuery, WakeQuery, WakesQuery,
};
pub use reading::Unreadable;
pub use roster::{
    LayerEntry, ModuleEntry, ModuleList, ModulesQuery, ReconciledEntry, RosterEntry, RosterList,
    RosterQuery, StewardEntry,
};
pub use source::{AttachSource, DetachSource, SourceAttached, TellGap};
pub use status::{
    ConnectionsStatus, DiskStatus, PoolFigures, PoolStatus, ServerStatus, StoreStatus,
};
pub use token::{MemberToken, NamedMember};
pub use version::Version;
pub use wake::{NotOneCondition, RegisterWake, SinceText, WakeChanged, WakeList};
pub use wiring::{
    ANY, AliasList, AliasesQuery, EdgeList, EdgesQuery, LabelsShown, PutAlias, PutLabels,
};

/// The header that tells a member the number of copies that wait in its inbox.
pub const UNREAD_HEADER: &str = "heronry-unread";
/// The media type of an export: JSON lines.
pub const EXPORT_MEDIA_TYPE: &str = "application/x-ndjson";
/// The header that may carry a request's idempotency key.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";

pub use heronry_event::{EventPage, StreamItem};

use heronry_types::{Cursor, Durability};
use serde::{Deserialize, Serialize};

/// The fields of every answer to a changing request; some answers have no others.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Changed {
    /// The cursor of the record of the change; the head when nothing had to change.
    pub cursor: Cursor,
    /// The durability of the store.
    pub durability: Durability,
}
