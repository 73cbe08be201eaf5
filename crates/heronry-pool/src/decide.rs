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
mod stall;
mod wake;

pub use content::{
    AdmitBody, ContentShare, EraseContent, ErasureAccess, StoreContent, counted_bytes,
};
pub use effect::{AttemptEffect, IntendEffect, ListEffects, ReportEffect};
pub use member::{
    ChangeMember, EndRun, Heartbeat, Join, JoinNew, Leave, Resume, Suspend, Suspending,
};
pub(crate) use member::{acting_entry, back_entry, left_entries, lost_entry, resumed_entry};
pub use message::{
    Ack, CancelMessage, ClaimSet, Content, Expiry, Extend, Fetch, Peek, ReferenceAccess, Release,
    ReleaseUnanswered, Replay, Select, Send, SendRequest,
};
pub use pool::{AppendEvents, Configure, Create, Retire};
pub(crate) use pool::{due_entries, due_entries_of_contents};
pub use query::{
    AdmitReader, CheckCursor, CheckStanding, ContentAccess, DescribePool, ExplainWake, FindMessage,
    FindWake, FirstUse, ListAuthors, ListDeadLetters, ListMembers, ListWakes, StateDigest, SumUp,
    Viewer, Viewing,
};
pub(crate) use stall::{Acting, ByItself, Need, Prospect, Prospects, Sight, Walk, has, of_nobody};
pub use wake::{
    CancelWake, FinishScan, RegisterWake, ScanRequest, Scanned, WakeEvents, WakeRequest,
};

pub use crate::command::{
    AboutWakes, Applied, Command, Cx, Decision, Draft, How, Lane, Names, Prior, Speaker,
};
