//! Hooks: what a program does before the first start, and behind each pass.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use heronry_host::MemberSpec;
use heronry_types::{Edge, PoolId, RunId};

use crate::{notice::Notice, parts::RuntimeParts, report::ReconcileReport, start::after};

/// The time that a hook has.
pub const HOOK_WITHIN: Duration = Duration::from_secs(30);

/// The context that a hook before the first start hands to the sources of members, as texts by name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PreSpawnContext(pub BTreeMap<String, String>);

/// The reason why a hook or a source failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct HookError(pub String);

/// A hook that runs once, before anything is started or discovered.
#[async_trait]
pub trait PreSpawnHook: Send + Sync {
    /// Prepares a pool.
    ///
    /// # Errors
    /// [`HookError`]: then nothing is started.
    async fn before_spawn(&self, pool: &PoolId) -> Result<PreSpawnContext, HookError>;
}

/// A hook that runs once behind each pass that started something.
#[async_trait]
pub trait PostSpawnHook: Send + Sync {
    /// Takes the members that did start.
    ///
    /// # Errors
    /// [`HookError`], which is reported and changes nothing.
    async fn after_spawn(&self, runs: &[RunId]) -> Result<(), HookError>;
}

/// A hook that runs behind each pass.
#[async_trait]
pub trait PostReconcileHook: Send + Sync {
    /// Takes the report, also when it is partial.
    ///
    /// # Errors
    /// [`HookError`], which is reported and changes nothing.
    async fn after_reconcile(&self, report: &ReconcileReport) -> Result<(), HookError>;
}

/// A source of members.
#[async_trait]
pub trait Discovery: Send + Sync {
    /// Returns the members that there are.
    ///
    /// # Errors
    /// [`HookError`]: then the roster stays as it is.
    async fn discover(&self, context: &PreSpawnContext) -> Result<Vec<MemberSpec>, HookError>;
}

/// A source of edges.
#[async_trait]
pub trait EdgeDiscovery: Send + Sync {
    /// Returns the edges that there are.
    ///
    /// # Errors
    /// [`HookError`]: then the roster stays as it is.
    async fn discover_edges(&self, context: &PreSpawnContext) -> Result<Vec<Edge>, HookError>;
}

/// The hooks behind a pass. They are read when they are used, so they may be set late.
#[derive(Default)]
pub(crate) struct Hooks {
    slots: Mutex<HookSlots>,
}

#[derive(Clone, Default)]
struct HookSlots {
    post_spawn: Option<Arc<dyn PostSpawnHook>>,
    post_reconcile: Option<Arc<dyn PostReconcileHook>>,
}

impl Hooks {
    pub(crate) fn set_post_spawn(&self, hook: Arc<dyn PostSpawnHook>) {
        self.locked(|slots| slots.post_spawn = Some(hook));
    }

    pub(crate) fn set_post_reconcile(&self, hook: Arc<dyn PostReconcileHook>) {
        self.locked(|slots| slots.post_reconcile = Some(hook));
    }

    /// The slots stay whole under a panic: each change is one assignment.
    fn locked<T>(&self, change: impl FnOnce(&mut HookSlots) -> T) -> T {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut slots)
    }

    /// Calls the hooks behind a pass: the one after the other, each within its time.
    pub(crate) async fn after_pass(&self, parts: &RuntimeParts, report: &ReconcileReport) {
        let slots = self.locked(|slots| slots.clone());
        let spawned: Vec<RunId> = report
            .started
            .iter()
            .chain(&report.restarted)
            .cloned()
            .collect();
        if let Some(hook) = slots.post_spawn.filter(|_| !spawned.is_empty()) {
            let called = tokio::spawn(async move { hook.after_spawn(&spawned).await });
            within_its_time(parts, "post-spawn hook", called).await;
        }
        if let Some(hook) = slots.post_reconcile {
            let report = report.clone();
            let called = tokio::spawn(async move { hook.after_reconcile(&report).await });
            within_its_time(parts, "post-reconcile hook", called).await;
        }
    }
}

/// Waits for a hook as long as it may take. One that fails, panics or hangs is told.
async fn within_its_time(
    parts: &RuntimeParts,
    name: &str,
    mut called: tokio::task::JoinHandle<Result<(), HookError>>,
) {
    let now = parts.clock.now().monotonic;
    let trouble = tokio::select! {
        ended = &mut called => match ended {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("the {name} failed: {error}"),
            Err(error) => format!("the {name} broke off: {error}"),
        },
        () = parts.clock.alarm(after(now, HOOK_WITHIN)) => {
            called.abort();
            let seconds = HOOK_WITHIN.as_secs();
            format!("the {name} did not return within {seconds} s")
        }
    };
    parts.notices.tell(&Notice::Trouble { what: trouble });
}
