//! Intakes: where a bridge puts what it takes from its source.

use std::fmt::Debug;

use async_trait::async_trait;
use heronry_pool::{
    Caller, Rejection,
    decide::{AppendEvents, AttachSource, DetachSource, RecordSourceGap, SourceClaim},
};
use heronry_types::{
    Generation, IdempotencyKey, InstanceId, Millis, NewEvent, NewSourceGap, OnAttached, RunId,
    SourceId,
};

use crate::{CallError, Pool};

/// The request of a bridge for its source.
#[derive(Clone, Debug)]
pub struct AttachRequest {
    /// The source.
    pub source: SourceId,
    /// The run on whose behalf the bridge reports; absent: it has none.
    pub run: Option<RunId>,
    /// The instance of the bridge.
    pub instance: InstanceId,
    /// The choice what happens when another bridge has the source.
    pub on_attached: OnAttached,
}

/// The attachment of a bridge to its source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SourceHold {
    /// The generation of the attachment.
    pub generation: Generation,
    /// The number of the last event that was taken; absent when nothing was, and of a source without order.
    pub last_number: Option<u64>,
}

/// A batch of events of one run, each with its place in the source.
#[derive(Clone, Debug)]
pub struct IntakeBatch {
    /// The source, and the attachment.
    pub claim: SourceClaim,
    /// The run; absent: the caller's own.
    pub run: Option<RunId>,
    /// The events.
    pub events: Vec<NewEvent>,
    /// The key: the same for every attempt.
    pub key: IdempotencyKey,
}

/// A gap of the source.
#[derive(Clone, Debug)]
pub struct IntakeGap {
    /// The source, and the attachment.
    pub claim: SourceClaim,
    /// The run that the gap is about; absent when it is about no run.
    pub run: Option<RunId>,
    /// The gap.
    pub gap: NewSourceGap,
    /// The key: the same for every attempt.
    pub key: IdempotencyKey,
}

/// The outcome of a batch or a gap.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TakenIn {
    /// The number of records that were appended, by this attempt or by an earlier one.
    pub appended: u64,
    /// The number of events that had been taken before.
    pub repeated: u64,
}

/// The error of an intake, by what a bridge does about it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IntakeError {
    /// The intake may take it later, or has taken it already: a bridge tries again, with the same key.
    #[error("{text}")]
    Transient {
        /// The text of the error.
        text: String,
        /// The time after which to try again, when the intake said one.
        retry_after: Option<Millis>,
    },
    /// The intake refuses it, whenever it comes.
    #[error("{text}")]
    Refused {
        /// The text of the refusal.
        text: String,
    },
    /// The bridge does not have its source any more, or may not report.
    #[error("{text}")]
    Fenced {
        /// The text of the refusal.
        text: String,
    },
}

impl IntakeError {
    /// Returns the refusal with the text of an error.
    pub fn refused(error: &impl ToString) -> Self {
        Self::Refused {
            text: error.to_string(),
        }
    }
}

/// The place where a bridge puts what it takes from its source. A repeat under the same key has the same outcome.
#[async_trait]
pub trait EventIntake: Debug + Send + Sync {
    /// Attaches the bridge; a repeat by the same instance has the same attachment.
    async fn attach(&self, request: &AttachRequest) -> Result<SourceHold, IntakeError>;

    /// Appends a batch: all events that were not taken before, or none.
    async fn append(&self, batch: &IntakeBatch) -> Result<TakenIn, IntakeError>;

    /// Records a gap.
    async fn tell_gap(&self, gap: &IntakeGap) -> Result<TakenIn, IntakeError>;

    /// Leaves the source.
    async fn detach(&self, claim: &SourceClaim) -> Result<(), IntakeError>;
}

/// The intake of a pool of this process.
#[derive(Clone, Debug)]
pub struct PoolIntake {
    pool: Pool,
    caller: Caller,
}

impl PoolIntake {
    /// Returns the intake of a pool, for a caller.
    pub fn new(pool: Pool, caller: Caller) -> Self {
        Self { pool, caller }
    }

    fn run(&self, named: Option<&RunId>) -> Result<RunId, IntakeError> {
        let run = named.or(self.caller.own_run()).cloned();
        run.ok_or_else(|| IntakeError::Refused {
            text: "the event names no run, and the bridge reports for none".to_owned(),
        })
    }
}

#[async_trait]
impl EventIntake for PoolIntake {
    async fn attach(&self, request: &AttachRequest) -> Result<SourceHold, IntakeError> {
        let attach = AttachSource {
            caller: self.caller.clone(),
            run: request.run.clone(),
            source: request.source.clone(),
            instance: request.instance.clone(),
            on_attached: request.on_attached,
        };
        let attached = self
            .pool
            .call(attach)
            .await
            .map_err(|error| of_call(&error))?;
        Ok(SourceHold {
            generation: attached.generation,
            last_number: attached.last_number,
        })
    }

    async fn append(&self, batch: &IntakeBatch) -> Result<TakenIn, IntakeError> {
        let run = self.run(batch.run.as_ref())?;
        let (events, key) = (batch.events.clone(), batch.key.clone());
        let append = AppendEvents::new(self.caller.clone(), run, events, key);
        let append = append.from_source(Some(batch.claim.clone()));
        let appended = self.pool.append_events(append).await;
        let appended = appended.map_err(|error| of_call(&error))?;
        Ok(TakenIn {
            appended: appended.count,
            repeated: appended.already_taken,
        })
    }

    async fn tell_gap(&self, gap: &IntakeGap) -> Result<TakenIn, IntakeError> {
        let (claim, told) = (gap.claim.clone(), gap.gap.clone());
        let caller = self.caller.clone();
        let record = RecordSourceGap::new(caller, gap.run.clone(), claim, told, gap.key.clone());
        let recorded = self
            .pool
            .call(record)
            .await
            .map_err(|error| of_call(&error))?;
        Ok(TakenIn {
            appended: u64::from(!recorded.repeated),
            repeated: u64::from(recorded.repeated),
        })
    }

    async fn detach(&self, claim: &SourceClaim) -> Result<(), IntakeError> {
        let Some(generation) = claim.generation else {
            return Ok(());
        };
        let detach = DetachSource {
            caller: self.caller.clone(),
            source: claim.source.clone(),
            generation,
        };
        self.pool
            .call(detach)
            .await
            .map_err(|error| of_call(&error))?;
        Ok(())
    }
}

fn of_call(error: &CallError) -> IntakeError {
    let text = error.to_string();
    match error {
        CallError::Rejected(
            Rejection::SourceFenced
            | Rejection::SourceTaken { .. }
            | Rejection::SourceOfAnother
            | Rejection::Fenced
            | Rejection::SenderMismatch
            | Rejection::OperatorOnly,
        ) => IntakeError::Fenced { text },
        CallError::Rejected(_) => IntakeError::Refused { text },
        CallError::Busy { retry_after, .. } => IntakeError::Transient {
            text,
            retry_after: Some(*retry_after),
        },
        CallError::Stopped { .. } => IntakeError::Transient {
            text,
            retry_after: None,
        },
    }
}
