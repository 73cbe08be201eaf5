//! Opening a pool holds up nobody else, and shows how far it is.

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, Sender, channel},
};

use async_trait::async_trait;
use heronry_runtime::{PoolOpening, Runtime, RuntimeOptions};
use heronry_store::{
    ContentsLayer, CursorsLayer, CustodyLayer, JournalLayer, KeysLayer, Layer, Layered,
    LeasesLayer, Page, ProjectionsLayer, ReadError, SnapshotsLayer, Store,
};
use heronry_store_memory::MemoryStore;
use heronry_testkit::{ManualClock, SeededIds};
use heronry_tests::{World, pool};
use heronry_types::{PoolId, PoolSpec, Position};

/// A store whose reads of journals block the thread that they are on, as a slow disk does, until they
/// are let through.
struct SlowDisk {
    inner: Store,
    begun: Sender<()>,
    let_through: Mutex<Receiver<()>>,
}

impl Layer for SlowDisk {
    fn inner(&self) -> &Store {
        &self.inner
    }
}

#[async_trait]
impl JournalLayer for SlowDisk {
    async fn read(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Page, ReadError> {
        // A test that ended lets everything through.
        let _ = self.begun.send(());
        let _ = self.let_through.lock().unwrap().recv();
        self.inner.journal.read(pool, after, bytes_max).await
    }
}

impl CustodyLayer for SlowDisk {}
impl ContentsLayer for SlowDisk {}
impl LeasesLayer for SlowDisk {}
impl KeysLayer for SlowDisk {}
impl SnapshotsLayer for SlowDisk {}
impl CursorsLayer for SlowDisk {}
impl ProjectionsLayer for SlowDisk {}

fn runtime(store: Store) -> Runtime {
    let options = RuntimeOptions::new([7; 32], "a test")
        .with_clock(Arc::new(ManualClock::default()))
        .with_ids(Arc::new(SeededIds::new(1)));
    Runtime::new(store, options)
}

#[tokio::test(flavor = "current_thread")]
async fn a_pool_that_is_read_slowly_holds_up_no_worker_and_is_shown_while_it_opens() {
    let inner = Store::of(Arc::new(MemoryStore::new()));
    let first = runtime(inner.clone());
    let made = first.open(&pool("p"), PoolSpec::default()).await.unwrap();
    made.pool.call(World::joining("lead")).await.unwrap();
    first.shutdown().await;

    let (begun, is_begun) = channel();
    let (go_on, let_through) = channel();
    let slow = SlowDisk {
        inner,
        begun,
        let_through: Mutex::new(let_through),
    };
    let again = runtime(Store::of(Arc::new(Layered(slow))));
    let opening = {
        let again = again.clone();
        tokio::spawn(async move { again.find(&pool("p")).await })
    };
    // This is the only worker. It opens the pool, and comes back here while the disk is slow.
    while is_begun.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    go_on.send(()).unwrap();
    while is_begun.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    let shown = PoolOpening {
        pool: pool("p"),
        percent: 0,
    };
    assert_eq!(again.openings(), [shown]);
    drop(go_on);
    opening.await.unwrap().unwrap();
    assert_eq!(again.openings(), []);
}
