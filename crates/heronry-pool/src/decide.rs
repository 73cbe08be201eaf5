//! Deciding: rules that read the state and say what to record, or why not.
//!
//! Each room has the rules about one noun, a file for each use case; what is about commands as such is in
//! [`command`](crate::command).

mod content;
mod effect;
mod guard;
mod member;
mod message;
mod pool;
mod query;
mod roster;
mod source;
mod wake;
mod wiring;

pub use content::{
    AdmitBody, ContentShare, EraseContent, ErasureAccess, StoreContent, counted_bytes,
};
pub use effect::{AttemptEffect, IntendEffect, ListEffects, ReportEffect};
pub use member::{
    ChangeMember, EndRun, Heartbeat, JoinNew, JoinPool, LeavePool, ResumeRun, SuspendRun,
    Suspending,
};
pub(crate) use member::{acting_entry, back_entry, left_entries, lost_entry, resumed_entry};
pub use message::{
    AckCopies, CancelMessage, ClaimSet, Content, Expiry, ExtendClaims, FetchMessages, PeekInbox,
    ReferenceAccess, ReleaseClaims, ReleaseUnanswered, ReplayCopy, Select, SendMessage,
    SendRequest,
};
pub use pool::{
    AppendEvents, ConfigurePool, CreatePool, PublishEphemeral, RecordConsumerReset, RetirePool,
    Unrecorded,
};
pub(crate) use pool::{due_entries, due_entries_of_contents};
pub use query::{
    AdmitReader, CheckCursor, CheckStanding, ContentAccess, DescribePool, ExplainWake, FindMessage,
    FindRunEnd, FindWake, FirstUse, ListAuthors, ListDeadLetters, ListMembers, ListWakes,
    StateDigest, SumUp, Viewer, Viewing,
};
pub use roster::{
    Authority, DeclareRoster, DescribeRoster, ListModules, ListRoster, OnHeld, ROSTER_BATCH_MAX,
    RecordReconcile, RecordRuntimeError, ReleaseSteward, RosterDeclaration, SetModuleStanding,
    SetStandings, SpecifiedMember, SpecifyMembers, StandingOf, TakeSteward,
};
pub use source::{AttachSource, DetachSource, RecordSourceGap, SourceClaim};
pub use wake::{
    CancelWake, FinishScan, FoundEvents, RegisterWake, Scan, ScanRequest, ScanStep, Scanned,
    WakeCosts, WakeEvents, WakeRequest,
};
pub(crate) use wake::{Extent, cost_of, cost_of_clause, is_about_wakes, is_suspension_for, sees};

pub use wiring::{
    AliasLookup, FindAlias, LabelsOf, ListAliases, ListEdges, NewAlias, NewLabels, RemoveAliases,
    SetAliases, SetLabels, UnwireEdges, WireEdges, WiredBy,
};

pub use crate::command::{
    AboutWakes, Applied, Command, Cx, Decision, Demand, Draft, How, Lane, Names, Needs, Prior,
    Profile, SMALL_BYTES, Speaker,
};
