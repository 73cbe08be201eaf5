#![doc = include_str!("../README.md")]

mod access;
mod environment;
mod host;
mod incarnation;
mod rules;
mod running;
mod spec;

pub use access::{AccessError, AccessRequest, MemberAccess, WokenBy};
pub use environment::{EnvironmentError, EnvironmentValue, HostEnvironment, SpecEnvironment};
pub use host::{HostFault, HostRefusal, Launch, MemberHost, RecoveredIncarnation};
pub use incarnation::{HostedSubject, Incarnation};
pub use rules::{
    BACKOFF, BACKOFF_MAX, HEALTHY_AFTER, READY_WITHIN, RESTARTS_MAX, ReadyRule, RestartRule,
    STOP_GRACE,
};
pub use running::{IncarnationEnd, Running, StopMeans, StoppedIncarnation};
pub use spec::{HostValue, MemberSpec, ModuleSpec};
