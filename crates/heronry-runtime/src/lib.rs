#![doc = include_str!("../README.md")]

mod actor;
mod bulk;
mod consumer;
mod error;
mod events;
mod export;
pub mod figures;
mod giving_way;
mod job;
pub mod layers;
pub mod marks;
mod openings;
mod pool;
mod published;
mod queue;
mod renewal;
mod resume;
mod runtime;
mod side_work;
mod start;
mod system;
mod time;
mod tokens;
mod waiters;

pub use consumer::{
    CONSUMER_HOLD, ClaimedConsumer, ConsumeError, ConsumerActivity, ConsumerBatch, ConsumerClaim,
    ConsumerSpec, ConsumerStart, ConsumerView, NamedConsumer, OnFilterChanged, OnHeld, fingerprint,
};
pub use error::{CallError, DeleteError, EventsError, OpenError, StopReason};
pub use events::{EventQuery, Follow, OnTrimmed, ReadFrom, Subscription};
pub use export::{
    EXPORT_BATCH, EXPORT_INTERVAL, EventFeed, EventSink, ExportEnd, ExportFigures, ExportHandle,
    ExportOptions, ExportUntil, Exporter, SinkError, SinkFault, StoppedExport,
};
pub use openings::PoolOpening;
pub use pool::{
    BodyError, ContentScope, EffectDone, EffectError, EffectIntent, Pool, ReceiptChange, Reconcile,
    StoredBody,
};
pub use resume::{NotResumed, ResumeHook, ResumeToken, Resumed};
pub use runtime::{OpenedPool, PoolExports, Runtime, RuntimeOptions};
pub use side_work::{Party, Permit, SideWork};
pub use start::{HostError, RunHost, StartError, StartRun, Started, StartedBy};
pub use system::{SystemClock, SystemIds};
pub use tokens::{Joining, MemberClaim, MintedToken};
