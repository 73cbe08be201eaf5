//! Pools that are kept as they were declared: orders to the runtime that keeps one.

use heronry_types::RunId;
use heronry_unified::{OrderError, ReconcileError, ReconcileReport, UnifiedRuntime};
use heronry_wire::{
    EdgeCounts, MemberOrdered, ProblemKind, ReconcileAnswer, ReconcileOutcome, ReconcileRequest,
};
use tracing::instrument;

use crate::{Access, Refusal};

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
        // Only a new declaration is refused for what it says, only a source is asked for members, and a report
        // is an answer.
        ReconcileError::Declared(_)
        | ReconcileError::Source(_)
        | ReconcileError::PartialFailure(_) => {
            Refusal::of(ProblemKind::Internal, error.to_string())
        }
    }
}

impl From<OrderError> for Refusal {
    fn from(error: OrderError) -> Self {
        let kind = match &error {
            OrderError::NotDeclared(_) => ProblemKind::NotSpecified,
            OrderError::RunEnded(_) => ProblemKind::RunEnded,
            // Another runtime keeps the pool by now, or none.
            OrderError::Stopped | OrderError::Fenced => ProblemKind::NotKept,
        };
        let refusal = Self::of(kind, error.to_string());
        match error {
            OrderError::NotDeclared(run) => refusal.with("run_id", run.as_str()),
            OrderError::Stopped | OrderError::Fenced | OrderError::RunEnded(_) => refusal,
        }
    }
}
