//! A base for layers over a store: a layer says what it does otherwise, and everything else goes on
//! to the store beneath.

use std::sync::Arc;

use async_trait::async_trait;
use heronry_journal::Baseline;
use heronry_types::{Body, ContentRef, Millis, PoolId, Position, Timelines, Timestamp};

use crate::{
    AppendError, Capabilities, Checkpoint, Commit, CommitOutcome, ConsumerCursor, ConsumerError,
    ConsumerId, ConsumerStanding, ConsumerStep, ContentPack, ContentPlace, Contents, Cursors,
    Custody, FencingToken, Guard, Head, Journal, KeyEntry, KeyHash, KeyedEntry, Keys, LeaseError,
    Leases, NewContent, Page, ProjectionChange, ProjectionRow, Projections, ReadError, RenewError,
    Reservation, RowRange, Snapshot, Snapshots, Store, StoreError, Stored,
};

/// A layer over a store.
///
/// Each port has a trait of its own for layers, as [`Journal`] has [`JournalLayer`]. Its methods are
/// those of the port, and each goes on to the store beneath unless the layer has one of its own. A
/// [`Layered`] has the ports of a layer.
pub trait Layer: Send + Sync {
    /// Returns the store beneath.
    fn inner(&self) -> &Store;

    /// Admits a call that goes on to the store beneath, or refuses it before anything is done.
    /// `op` names the operation as a [`StoreError`] does. Admits every call, unless a layer says
    /// otherwise.
    ///
    /// # Errors
    /// The layer's refusal.
    fn admit(&self, op: &'static str) -> Result<(), StoreError> {
        let _ = op;
        Ok(())
    }
}

/// The ports of a layer: each is there whose trait the layer has.
#[derive(Debug)]
pub struct Layered<L>(pub L);

/// The error of a port for a call that was refused before anything was done.
trait NotAdmitted {
    fn not_admitted(error: StoreError) -> Self;
}

/// Says that a call was not admitted with the port's variant for a failing store.
macro_rules! not_admitted {
    ($($error:ty),*) => {$(
        impl NotAdmitted for $error {
            fn not_admitted(error: StoreError) -> Self {
                error.into()
            }
        }
    )*};
}

not_admitted!(StoreError, ReadError, LeaseError, RenewError, ConsumerError);

impl NotAdmitted for AppendError {
    fn not_admitted(error: StoreError) -> Self {
        Self::Store {
            outcome: CommitOutcome::None,
            error,
        }
    }
}

/// Makes the layer trait of a port, and the port of a [`Layered`].
///
/// A method says what it is called in errors. One that says nothing is never refused. A function
/// that answers at once stands first, after `at once`.
macro_rules! layer {
    (
        $layer:ident of $port:ident in $field:ident
        $(at once fn $now:ident() -> $now_answer:ty;)?
        $(fn $name:ident($($arg:ident: $ty:ty),*) -> $answer:ty $(, $op:literal)?;)*
    ) => {
        #[doc = concat!("The answers of a layer in the port [`", stringify!($port), "`]; those of the store beneath where it has none of its own.")]
        #[async_trait]
        pub trait $layer: Layer {
            $(
                #[doc = concat!("Answers [`", stringify!($port), "::", stringify!($now), "`].")]
                fn $now(&self) -> $now_answer {
                    self.inner().$field.$now()
                }
            )?
            $(
                #[doc = concat!("Answers [`", stringify!($port), "::", stringify!($name), "`].")]
                async fn $name(&self, $($arg: $ty),*) -> $answer {
                    $(
                        if let Err(error) = self.admit($op) {
                            return Err(NotAdmitted::not_admitted(error));
                        }
                    )?
                    self.inner().$field.$name($($arg),*).await
                }
            )*
        }

        #[async_trait]
        impl<L: $layer> $port for Layered<L> {
            $(
                fn $now(&self) -> $now_answer {
                    self.0.$now()
                }
            )?
            $(
                async fn $name(&self, $($arg: $ty),*) -> $answer {
                    self.0.$name($($arg),*).await
                }
            )*
        }
    };
}

layer! {
    JournalLayer of Journal in journal
    at once fn capabilities() -> Capabilities;
    fn append(pool: &PoolId, commit: Commit, guard: Guard) -> Result<Head, AppendError>, "append";
    fn read(pool: &PoolId, after: Position, bytes_max: usize) -> Result<Page, ReadError>, "read the journal";
    fn head(pool: &PoolId) -> Result<Option<Head>, StoreError>, "read the head";
    fn timelines(pool: &PoolId) -> Result<Option<Arc<Timelines>>, StoreError>, "read the timelines";
    fn pools() -> Result<Vec<PoolId>, StoreError>, "list pools";
    fn trim(pool: &PoolId, baseline: Baseline, token: FencingToken) -> Result<Head, AppendError>, "trim";
    fn baseline(pool: &PoolId) -> Result<Option<Baseline>, StoreError>, "read the baseline";
    fn delete(pool: &PoolId, token: FencingToken) -> Result<(), AppendError>, "delete a pool";
    fn watch(pool: &PoolId, after: Position) -> Result<(), StoreError>, "watch";
    fn closed() -> StoreError;
}

layer! {
    CustodyLayer of Custody in custody
    fn sealed() -> Result<Option<String>, StoreError>, "look for a seal";
    fn seal(moved_to: &str) -> Result<(), StoreError>, "seal the store";
    fn unseal() -> Result<(), StoreError>, "unseal the store";
    fn reserved() -> Result<Option<Reservation>, StoreError>, "look for a reservation";
    fn reserve(reservation: &Reservation) -> Result<(), StoreError>, "reserve pools";
    fn unreserve() -> Result<(), StoreError>, "reserve pools";
}

layer! {
    ContentsLayer of Contents in contents
    fn put(pool: &PoolId, content_ref: ContentRef, body: Body, token: FencingToken) -> Result<(), StoreError>, "put content";
    fn get(pool: &PoolId, content_ref: ContentRef, place: ContentPlace) -> Result<Option<Stored>, StoreError>, "get content";
    fn list_with(pool: &PoolId, after: Position, bytes_max: usize) -> Result<Vec<ContentPack>, StoreError>, "list contents";
    fn list_alone(pool: &PoolId, after: Option<ContentRef>, bytes_max: usize) -> Result<Vec<NewContent>, StoreError>, "list contents";
}

layer! {
    LeasesLayer of Leases in leases
    fn acquire(pool: &PoolId, owner: &str, now: Timestamp, term: Millis) -> Result<FencingToken, LeaseError>, "acquire a pool";
    fn seize(pool: &PoolId, owner: &str, now: Timestamp, term: Millis) -> Result<FencingToken, LeaseError>, "seize a pool";
    fn renew(pool: &PoolId, token: FencingToken, term: Millis) -> Result<(), RenewError>, "renew a lease";
    fn release(pool: &PoolId, token: FencingToken) -> Result<(), StoreError>, "release a pool";
}

layer! {
    KeysLayer of Keys in keys
    fn put_run(pool: &PoolId, run: Vec<KeyedEntry>, checkpoint: Checkpoint, token: FencingToken) -> Result<(), StoreError>, "put keys";
    fn find(pool: &PoolId, keys: &[KeyHash]) -> Result<Vec<Option<KeyEntry>>, StoreError>, "find keys";
    fn list(pool: &PoolId, after: Option<KeyHash>, limit: usize) -> Result<Vec<KeyedEntry>, StoreError>, "list keys";
    fn checkpoint(pool: &PoolId) -> Result<Option<Checkpoint>, StoreError>, "read the keys checkpoint";
    fn clear(pool: &PoolId) -> Result<(), StoreError>, "clear keys";
}

layer! {
    SnapshotsLayer of Snapshots in snapshots
    fn put(pool: &PoolId, snapshot: Snapshot, token: FencingToken) -> Result<(), StoreError>, "put a snapshot";
    fn latest(pool: &PoolId) -> Result<Option<Snapshot>, StoreError>, "read a snapshot";
    fn delete(pool: &PoolId, token: FencingToken) -> Result<(), StoreError>, "delete a snapshot";
}

layer! {
    CursorsLayer of Cursors in cursors
    fn get(pool: &PoolId, consumer: &ConsumerId) -> Result<Option<ConsumerCursor>, StoreError>, "read cursors";
    fn commit(pool: &PoolId, consumer: &ConsumerId, expected: Option<ConsumerCursor>, next: ConsumerCursor) -> Result<(), ConsumerError>, "commit a cursor";
    fn list(pool: &PoolId) -> Result<Vec<ConsumerStanding>, StoreError>, "read cursors";
    fn delete(pool: &PoolId, consumer: &ConsumerId) -> Result<(), StoreError>, "delete a cursor";
}

layer! {
    ProjectionsLayer of Projections in projections
    fn commit(pool: &PoolId, consumer: &ConsumerId, step: ConsumerStep, changes: Vec<ProjectionChange>) -> Result<(), ConsumerError>, "commit a projection";
    fn get(pool: &PoolId, consumer: &ConsumerId, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>, "read a projection";
    fn scan(pool: &PoolId, consumer: &ConsumerId, range: RowRange<'_>) -> Result<Vec<ProjectionRow>, StoreError>, "read a projection";
}
