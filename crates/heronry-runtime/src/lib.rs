#![doc = include_str!("../README.md")]

mod actor;
mod bridge;
mod bulk;
mod consumer;
mod error;
mod events;
mod export;
pub mod figures;
mod folding;
mod giving_way;
mod hub;
mod job;
mod keeping;
pub mod layers;
pub mod marks;
mod openings;
mod pool;
mod published;
mod queue;
mod renewal;
mod resume;
mod rooms;
mod runtime;
mod side_work;
mod start;
mod system;
mod time;
mod tokens;
mod waiters;

pub use bridge::{
    AttachRequest, BridgeControl, BridgeCounts, BridgeEnd, BridgeHandle, BridgeInto, BridgeOptions,
    EventBridge, EventIntake, IntakeBatch, IntakeError, IntakeGap, MissingItem, PoolIntake,
    SourceEvent, SourceHold, SourceItem, TakenIn,
};
pub use consumer::{
    CONSUMER_HOLD, ClaimedConsumer, ConsumeError, ConsumerActivity, ConsumerBatch, ConsumerClaim,
    ConsumerSpec, ConsumerStart, ConsumerView, NamedConsumer, OnFilterChanged, OnHeld, fingerprint,
};
pub use error::{CallError, DeleteError, EventsError, OpenError, StopReason};
pub use events::{
    EphemeralPublished, EventQuery, Follow, OnTrimmed, ReadFrom, Subscription, WantsEphemeral,
};
pub use export::{
    EXPORT_BATCH, EXPORT_INTERVAL, EXPORT_PRIVACY_MAX, EventFeed, EventSink, ExportEnd,
    ExportFigures, ExportHandle, ExportOptions, ExportUntil, Exporter, SinkError, SinkFault,
    StoppedExport,
};
pub use hub::{
    HubError, HubHalf, HubItem, HubOrigin, HubRequest, HubStream, HubSubscription, ReplayPage,
    RoomEnding, SubscriptionHub,
};
pub use keeping::{Holding, SnapshotError, SnapshotTaken, TrimError, TrimHold, TrimTo, Trimmed};
pub use openings::PoolOpening;
pub use pool::{
    BodyError, ContentScope, EffectDone, EffectError, EffectIntent, Pool, ReceiptChange, Reconcile,
    StartedTimeline, StoredBody,
};
pub use resume::{NotResumed, ResumeHook, ResumeToken, Resumed};
pub use rooms::{RoomStream, RoomStreamError};
pub use runtime::{OpenedPool, PoolExports, Runtime, RuntimeOptions, SNAPSHOT_EVERY};
pub use side_work::{Party, Permit, SideWork};
pub use start::{HostError, RunHost, StartError, StartRun, Started, StartedBy};
pub use system::{SystemClock, SystemIds};
pub use tokens::{Joining, MemberClaim, MintedToken};
