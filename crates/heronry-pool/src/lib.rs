#![doc = include_str!("../README.md")]

mod answer;
mod apply;
mod caller;
pub mod command;
mod condition;
pub mod decide;
pub mod engine;
pub mod explain;
mod hash;
mod mint;
mod project;
mod rejection;
mod state;
mod suspicion;

pub use answer::{
    AliasPage, Appended, AttachedSource, DeadLetterPage, DeadLetterView, DeclaredRoster, Done,
    EdgePage, EffectPage, EffectReport, EffectStarted, Extended, GapRecorded, Item, Joined,
    LabelsView, LayerView, MemberPage, MemberView, ModulePage, ModuleView, PoolView, Received,
    ReconciledView, Registered, RosterPage, RosterRowView, RosterView, Sent, StandingView,
    StewardView, Stewardship, Stood, SuspendedView, TakenOver, WakePage, WiringChanged,
};
pub use apply::apply;
pub use caller::Caller;
pub use engine::Engine;
pub use mint::Minter;
pub use project::project;
pub use rejection::{
    ConflictField, EventFault, MemberValue, PolicyNeed, Rejection, RejectionKind, RejectionMember,
    RosterFault, SourcesLimit, WiringLimit,
};
pub use state::{ENCODING_VERSION, KEYS_KEPT_AFTER_TRIM, State, TrimNote, UnreadableState, locate};
