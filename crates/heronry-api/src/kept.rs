//! Pools that are kept as they were declared: orders to the runtime that keeps one.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use heronry_types::{PoolId, RunId};
use heronry_unified::{OrderError, ReconcileError, ReconcileReport, RuntimePhase, UnifiedRuntime};
use heronry_wire::{
    EdgeCounts, MemberOrdered, ProblemKind, ReconcileAnswer, ReconcileOutcome, ReconcileRequest,
};
use tracing::instrument;

use crate::{Access, Refusal};

/// The runtimes of this process that keep pools. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Keepers(Arc<RwLock<BTreeMap<PoolId, UnifiedRuntime>>>);

impl Keepers {
    /// Makes the runtime known that keeps its pool. It takes the place of an earlier one of the same pool.
    pub fn add(&self, keeper: &UnifiedRuntime) {
        let pool = keeper.pool().id().clone();
        let mut keepers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        keepers.insert(pool, keeper.clone());
    }

    /// Forgets the runtime that keeps a pool.
    pub fn remove(&self, pool: &PoolId) {
        let mut keepers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        keepers.remove(pool);
    }

    fn of(&self, pool: &PoolId) -> Result<UnifiedRuntime, Refusal> {
        let keepers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let keeper = keepers.get(pool);
        let keeper = keeper.filter(|keeper| keeper.phase() <= RuntimePhase::Serve);
        keeper.cloned().ok_or_else(|| {
            let why = "no runtime of this server keeps the pool; run it with `heronry up`";
            Refusal::of(ProblemKind::NotKept, why)
        })
    }
}

/// Brings a pool to its roster, or tells how, for an operator.
///
/// # Errors
/// [`Refusal`], `not-kept` when no runtime of this server keeps the pool.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn reconcile(
    access: &Access,
    body: ReconcileRequest,
) -> Result<ReconcileAnswer, Refusal> {
    let keeper = keeper(access)?;
    let (actions, report) = if body.plan {
        let actions = keeper.plan(None).await.map_err(refused)?;
        let actions = actions.iter().map(ToString::to_string).collect();
        (Some(actions), None)
    } else {
        let report = match keeper.reconcile().await {
            Ok(report) => report,
            Err(ReconcileError::PartialFailure(report)) => *report,
            Err(error) => return Err(refused(error)),
        };
        (None, Some(outcome(report)))
    };
    Ok(ReconcileAnswer {
        actions,
        report,
        as_of: access.pool().head(),
    })
}

/// Starts a member of a roster, for an operator. One that runs goes on.
///
/// # Errors
/// [`Refusal`], `not-kept` when no runtime of this server keeps the pool, and `not-specified` when the run is
/// not in its roster.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn start(access: &Access, run_id: RunId) -> Result<MemberOrdered, Refusal> {
    let keeper = keeper(access)?;
    keeper.start_member(&run_id).await?;
    Ok(ordered(access, run_id))
}

/// Stops a member of a roster, for an operator. It stays a member without a process.
///
/// # Errors
/// [`Refusal`], as [`start`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn stop(access: &Access, run_id: RunId) -> Result<MemberOrdered, Refusal> {
    let keeper = keeper(access)?;
    keeper.stop_member(&run_id).await?;
    Ok(ordered(access, run_id))
}

fn keeper(access: &Access) -> Result<UnifiedRuntime, Refusal> {
    access.identity().check_operator()?;
    access.api().keepers().of(access.pool().id())
}

fn ordered(access: &Access, run_id: RunId) -> MemberOrdered {
    MemberOrdered {
        run_id,
        as_of: access.pool().head(),
    }
}

fn outcome(report: ReconcileReport) -> ReconcileOutcome {
    let is_complete = report.is_complete();
    let members = report.counts();
    let edges = &report.edges;
    let edges = EdgeCounts {
        retained: edges.retained,
        preexisting: edges.preexisting,
        wired: edges.wired.len() as u64,
        healed: edges.healed.len() as u64,
        unwired: edges.unwired.len() as u64,
        pruned: edges.pruned.len() as u64,
        skipped_missing_members: edges.skipped_missing_members.len() as u64,
    };
    let mut failures = report.failures;
    failures.extend(report.edges.failures);
    ReconcileOutcome {
        revision: report.revision,
        is_complete,
        members,
        edges,
        failures,
    }
}

fn refused(error: ReconcileError) -> Refusal {
    match error {
        ReconcileError::Order(error) => error.into(),
        // Only a new declaration is refused for what it says, and only a source is asked for members.
        other => Refusal::of(ProblemKind::Internal, other.to_string()),
    }
}

impl From<OrderError> for Refusal {
    fn from(error: OrderError) -> Self {
        let kind = match &error {
            OrderError::NotDeclared(_) => ProblemKind::NotSpecified,
            OrderError::RunEnded(_) => ProblemKind::RunEnded,
            // Another runtime keeps the pool by now, or none.
            _ => ProblemKind::NotKept,
        };
        let refusal = Self::of(kind, error.to_string());
        match error {
            OrderError::NotDeclared(run) => refusal.with("run_id", run.as_str()),
            _ => refusal,
        }
    }
}
