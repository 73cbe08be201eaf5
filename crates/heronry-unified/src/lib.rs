#![doc = include_str!("../README.md")]

mod builder;
mod causes;
mod charge;
mod declare;
mod hooks;
mod keeper;
mod kept;
mod notice;
mod order;
mod parts;
mod phase;
mod plan;
mod reading;
mod report;
mod restart;
mod runtime;
mod sources;
mod start;
mod task_host;
mod watching;

pub use builder::{
    BuildConflict, BuildError, BuildFault, CONCURRENCY, CONCURRENCY_MAX, UnifiedRuntimeBuilder,
};
pub use declare::{
    ALIASES_MAX, CONTEXT_BYTES_MAX, Declared, DeclaredAlias, DeclaredFault, DeclaredFaults,
    DeclaredParts, DigestKey, EDGES_MAX, EffectiveRoster, INSTRUCTIONS_MAX, LAUNCH_BYTES_MAX,
    Layers, MEMBERS_MAX, MODULES_MAX, Overlay, RosterMember, RosterModule,
};
pub use heronry_pool::decide::OnHeld;
pub use hooks::{
    Discovery, EdgeDiscovery, HOOK_WITHIN, HookError, PostReconcileHook, PostSpawnHook,
    PreSpawnContext, PreSpawnHook,
};
pub use notice::{Notice, Observer};
pub use order::OrderError;
pub use phase::RuntimePhase;
pub use plan::{
    Action, Actual, ActualAlias, ActualEdge, ActualMember, ActualModule, EdgeVerdict, EndsOfEdge,
    JudgedEdge, MembershipState, ProcessState, Setting, SupervisionRules, judge_edges, plan,
};
pub use report::{
    EdgesReport, MemberStatus, NotStopped, ReconcileReport, RediscoverReport, RunEndedBy,
    RunReport, ShutdownReport, StewardshipAfter,
};
pub use restart::{RestartCount, RestartVerdict};
pub use runtime::{ReconcileError, UnifiedRuntime};
pub use task_host::{TaskBody, TaskCancel, TaskFuture, TaskHost, TaskReady, TaskStart};
