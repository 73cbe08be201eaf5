//! Failures as refusals: an answer names the kind of a failure, and no path of the store.

use std::error::Error;

use heronry_runtime::{
    BodyError, CallError, ConsumeError, DeleteError, EventsError, OpenError, SnapshotError,
    StopReason, TrimError, TrimHold,
};
use heronry_store::{
    AppendError, CommitOutcome, ConsumerError, LeaseError, ReadError, StoreError, StoreErrorKind,
};
use heronry_transfer::TransferError;
use heronry_types::LimitName;
use heronry_wire::ProblemKind;

use super::Refusal;

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        let detail = error.to_string();
        match error {
            CallError::Rejected(rejection) => Self::from(rejection),
            CallError::Busy {
                retry_after,
                places,
            } => {
                let limit = LimitName::CommandQueueMax.to_string();
                Self::of(ProblemKind::Busy, detail)
                    .with("retry_after_ms", retry_after.0)
                    .with("limit", limit)
                    .with("max", places)
            }
            CallError::Stopped { outcome, why } => stopped(outcome, why, detail),
        }
    }
}

fn stopped(outcome: CommitOutcome, why: StopReason, detail: String) -> Refusal {
    let kind = match why {
        StopReason::Shutdown => ProblemKind::ShuttingDown,
        StopReason::Deleting => ProblemKind::PoolDeleting,
        StopReason::StoreFenced(_) | StopReason::OwnershipLost => ProblemKind::StoreFenced,
        StopReason::Internal => ProblemKind::Internal,
    };
    let refusal = Refusal::of(kind, detail).with("outcome", outcome_name(outcome));
    match why {
        StopReason::StoreFenced(cause) => refusal.with("cause", cause.name()),
        StopReason::OwnershipLost => refusal.with("cause", "owned-elsewhere"),
        StopReason::Shutdown | StopReason::Deleting | StopReason::Internal => refusal,
    }
}

fn outcome_name(outcome: CommitOutcome) -> &'static str {
    match outcome {
        CommitOutcome::None => "none",
        CommitOutcome::Unknown => "unknown",
    }
}

/// The text of a store's failure may name paths; only its kind leaves the process.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let cause = error.cause();
        tracing::error!(cause = cause.name(), op = error.op(), %error, "the store failed");
        let kind = match error.kind() {
            StoreErrorKind::TooLarge => ProblemKind::TooLarge,
            StoreErrorKind::Corrupt => ProblemKind::Internal,
            StoreErrorKind::NotFound
            | StoreErrorKind::NotAStore
            | StoreErrorKind::Locked
            | StoreErrorKind::NewerSchema
            | StoreErrorKind::ReadOnly
            | StoreErrorKind::Full
            | StoreErrorKind::Io
            | StoreErrorKind::Closed
            | StoreErrorKind::Foreign
            | StoreErrorKind::Sealed => ProblemKind::StoreFenced,
        };
        let detail = format!(
            "the store cannot {}: {cause}; the server's log says more",
            error.op()
        );
        let outcome = outcome_name(CommitOutcome::None);
        let refusal = Self::of(kind, detail).with("outcome", outcome);
        refusal.with("cause", cause.name())
    }
}

impl From<DeleteError> for Refusal {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Open(error) => Self::from(error),
            DeleteError::Store {
                error: AppendError::Store { outcome, error },
            } => Self::from(error).with("outcome", outcome_name(outcome)),
            // Another owner took it.
            DeleteError::Store { .. } => {
                let refusal = Self::of(ProblemKind::StoreFenced, error.to_string());
                refusal.with("outcome", outcome_name(CommitOutcome::None))
            }
        }
    }
}

impl From<TrimError> for Refusal {
    fn from(error: TrimError) -> Self {
        let detail = error.to_string();
        match error {
            TrimError::Rejected(rejection) => Self::from(rejection),
            TrimError::Held { by, floor } => {
                let refusal = Self::of(ProblemKind::TrimHeld, detail).with_cursor("floor", floor);
                match by {
                    TrimHold::Keys { .. } => refusal.with("held_by", "keys"),
                    TrimHold::LookBack { .. } => refusal.with("held_by", "look_back"),
                    TrimHold::Matching { .. } => refusal.with("held_by", "matching"),
                    TrimHold::Consumer { name, .. } => refusal
                        .with("held_by", "consumer")
                        .with("consumer", name.to_string()),
                }
            }
            TrimError::Fold(error) => Self::from(error),
            TrimError::Read(ReadError::NoPool) => Self::pool_not_found(),
            TrimError::Read(ReadError::Store(error)) => Self::from(error),
            TrimError::Read(ReadError::Trimmed { .. }) => internal(&error),
            TrimError::Store(AppendError::Store { outcome, error }) => {
                Self::from(error).with("outcome", outcome_name(outcome))
            }
            TrimError::Store(_) => {
                let refusal = Self::of(ProblemKind::StoreFenced, detail);
                refusal.with("outcome", outcome_name(CommitOutcome::None))
            }
            TrimError::Stopped(error) => Self::from(error),
        }
    }
}

impl From<SnapshotError> for Refusal {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Empty => Self::pool_not_found(),
            SnapshotError::Fold(error) => Self::from(error),
            SnapshotError::Store(error) => Self::from(error),
            SnapshotError::Stopped(error) => Self::from(error),
        }
    }
}

impl From<TransferError> for Refusal {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::NoPool { .. }
            | TransferError::Read {
                error: ReadError::NoPool,
                ..
            } => Self::pool_not_found(),
            TransferError::Store(error)
            | TransferError::Read {
                error: ReadError::Store(error),
                ..
            } => Self::from(error),
            // What cannot be exported.
            TransferError::PoolExists { .. }
            | TransferError::Sealed { .. }
            | TransferError::Trimmed { .. }
            | TransferError::KeysLost { .. }
            | TransferError::Chunk { .. }
            | TransferError::Chain { .. }
            | TransferError::RepeatedEpoch { .. }
            | TransferError::Mismatch { .. }
            | TransferError::Line { .. }
            | TransferError::Io { .. }
            | TransferError::Lease { .. }
            | TransferError::Read { .. }
            | TransferError::Append { .. }
            | TransferError::Unfinished { .. }
            | TransferError::EpochTaken { .. }
            | TransferError::NotArrived { .. }
            | TransferError::NoMove { .. }
            | TransferError::OtherMove { .. }
            | TransferError::MoveUnfinished { .. }
            | TransferError::PoolArrived { .. }
            | TransferError::PoolInTheWay { .. } => internal(&error),
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Call(error) => Self::from(error),
            BodyError::Store(error) => Self::from(error),
        }
    }
}

impl From<EventsError> for Refusal {
    fn from(error: EventsError) -> Self {
        match error {
            EventsError::Call(error) => Self::from(error),
            EventsError::Store(error) => Self::from(error),
            EventsError::NoPool(_) => Self::pool_not_found(),
            EventsError::Damaged { .. } => internal(&error),
        }
    }
}

impl From<ConsumeError> for Refusal {
    fn from(error: ConsumeError) -> Self {
        let detail = error.to_string();
        match error {
            ConsumeError::Held { generation, .. } => {
                Self::of(ProblemKind::ConsumerHeld, detail).with("consumer_generation", generation)
            }
            ConsumeError::Fenced { current, .. } => {
                Self::of(ProblemKind::ConsumerFenced, detail).with("consumer_generation", current)
            }
            ConsumeError::NotThere { .. } => Self::of(ProblemKind::ConsumerNotFound, detail),
            ConsumeError::FilterChanged { found, asked, .. } => {
                Self::of(ProblemKind::ConsumerFilterChanged, detail)
                    .with("found_filter", found.to_string())
                    .with("asked_filter", asked.to_string())
            }
            ConsumeError::Behind { committed, .. }
            | ConsumeError::Elsewhere {
                stands: committed, ..
            } => Self::of(ProblemKind::ConsumerBehind, detail).with_cursor("committed", committed),
            ConsumeError::Stale { why, .. } | ConsumeError::NotCommitted(why) => Self::from(why),
            ConsumeError::TooMuch(ConsumerError::TooMany { max }) => {
                Self::of(ProblemKind::LimitExceeded, detail)
                    .with("limit", "consumers_per_pool")
                    .with("max", max)
            }
            ConsumeError::TooMuch(_) => Self::of(ProblemKind::TooLarge, detail),
            ConsumeError::Events(error) => Self::from(error),
            ConsumeError::Call(error) => Self::from(error),
            ConsumeError::Store(error) => Self::from(error),
        }
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotFound => Self::pool_not_found(),
            OpenError::Call(error) => Self::from(error),
            OpenError::Store(error) | OpenError::Lease(LeaseError::Store(error)) => {
                Self::from(error)
            }
            OpenError::Lease(owned) => Self::of(ProblemKind::PoolOwned, owned.to_string()),
            OpenError::Read(_)
            | OpenError::Damaged { .. }
            | OpenError::Newer { .. }
            | OpenError::Filter(_)
            | OpenError::Trimmed { .. }
            | OpenError::KeysLost { .. } => internal(&error),
        }
    }
}

fn internal(error: &dyn Error) -> Refusal {
    tracing::error!(%error, cause = error.source().map(tracing::field::display), "a request failed");
    Refusal::of(ProblemKind::Internal, error.to_string())
}
