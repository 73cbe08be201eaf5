//! The intake of a server.

use async_trait::async_trait;
use heronry_client::{ClientError, PoolClient};
use heronry_pool::decide::SourceClaim;
use heronry_runtime::{
    AttachRequest, EventIntake, IntakeBatch, IntakeError, IntakeGap, SourceHold, TakenIn,
};
use heronry_types::{Millis, RunId};
use heronry_wire::{AppendEvents, AttachSource, DetachSource, Problem, ProblemKind, TellGap};

use crate::out::diagnose;

/// The intake of a pool behind a server.
#[derive(Debug)]
pub(super) struct ServerIntake {
    pool: PoolClient,
    run: Option<RunId>,
}

impl ServerIntake {
    /// Returns the intake of a pool, on behalf of a run.
    pub(super) fn new(pool: PoolClient, run: Option<RunId>) -> Self {
        Self { pool, run }
    }
}

#[async_trait]
impl EventIntake for ServerIntake {
    async fn attach(&self, request: &AttachRequest) -> Result<SourceHold, IntakeError> {
        let attach = AttachSource {
            instance: request.instance.clone(),
            run_id: self.run.clone(),
            on_attached: Some(request.on_attached),
        };
        let attached = self.pool.attach_source(&request.source, &attach).await;
        let attached = attached.map_err(of_client)?;
        Ok(SourceHold {
            generation: attached.generation,
            last_number: attached.last_number,
        })
    }

    async fn append(&self, batch: &IntakeBatch) -> Result<TakenIn, IntakeError> {
        let mut append = AppendEvents::new(batch.events.clone(), batch.key.clone());
        append.run_id = batch.run.clone().or_else(|| self.run.clone());
        append.source = Some(batch.claim.source.clone());
        append.source_generation = batch.claim.generation;
        let appended = self.pool.append_events(&append).await.map_err(of_client)?;
        Ok(TakenIn {
            appended: appended.count,
            repeated: appended.already_taken,
        })
    }

    async fn tell_gap(&self, gap: &IntakeGap) -> Result<TakenIn, IntakeError> {
        let IntakeGap {
            claim,
            run,
            gap: told,
            key,
        } = gap;
        let tell = TellGap {
            gap: told.clone(),
            run_id: run.clone(),
            generation: claim.generation,
            idempotency_key: Some(key.clone()),
        };
        let recorded = self.pool.tell_gap(&claim.source, &tell).await;
        let is_known = recorded.map_err(of_client)?.repeated;
        let missed = told
            .missed
            .map_or_else(|| "some".to_owned(), |it| it.to_string());
        let note = told.note.as_deref().unwrap_or("no more is known");
        let reason = told.reason;
        let known = if is_known { ", known before" } else { "" };
        diagnose(&format!(
            "heronry: {missed} of {} missing ({reason}{known}): {note}",
            claim.source
        ));
        Ok(TakenIn {
            appended: u64::from(!is_known),
            repeated: u64::from(is_known),
        })
    }

    async fn detach(&self, claim: &SourceClaim) -> Result<(), IntakeError> {
        let Some(generation) = claim.generation else {
            return Ok(());
        };
        let detach = DetachSource { generation };
        let left = self.pool.detach_source(&claim.source, &detach).await;
        left.map(|_| ()).map_err(of_client)
    }
}

fn of_client(error: ClientError) -> IntakeError {
    let text = error.to_string();
    match error {
        ClientError::Refused(problem) => of_problem(&problem, text),
        ClientError::Unreachable { .. } | ClientError::Timeout { .. } => IntakeError::Transient {
            text,
            retry_after: None,
        },
        ClientError::NotFound { .. }
        | ClientError::Unproven { .. }
        | ClientError::Url { .. }
        | ClientError::Path { .. }
        | ClientError::Foreign { .. }
        | ClientError::Decode { .. } => IntakeError::Fenced { text },
    }
}

/// Sorts a refusal by what a bridge does about it.
fn of_problem(problem: &Problem, text: String) -> IntakeError {
    let of_bridge = [
        ProblemKind::SourceFenced,
        ProblemKind::SourceTaken,
        ProblemKind::SenderMismatch,
        ProblemKind::Fenced,
        ProblemKind::Unauthorized,
        ProblemKind::OperatorOnly,
        ProblemKind::PoolNotFound,
    ];
    if problem.kind().is_some_and(|kind| of_bridge.contains(&kind)) {
        return IntakeError::Fenced { text };
    }
    // Too many requests, and what fails in the server.
    if problem.status == 429 || problem.status >= 500 {
        let retry_after = problem.number("retry_after_ms").map(Millis);
        return IntakeError::Transient { text, retry_after };
    }
    IntakeError::Refused { text }
}
