//! The health of a server and of its store: its place, its space, and whether it is closed.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::FutureExt;
use heronry_runtime::{Runtime, layers::Meter};
use heronry_store::{Reading, StoreError};
use heronry_types::Millis;

/// The time between two looks at the space of the store's file system.
const DISK_EVERY: Millis = Millis::from_secs(30);

/// The reaction of a server when its store has closed, because a write or a sync failed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WhenStoreCloses {
    /// The server answers the requests that it has, and ends with
    /// [`ServeError::StoreClosed`](crate::ServeError::StoreClosed): whoever started it opens the
    /// store again in a new process.
    #[default]
    End,
    /// The server stays, and answers 503 `store-fenced` to every request that needs the store.
    Stay,
}

/// Space of a file system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DiskSpace {
    /// The space that this process may still fill, in bytes.
    pub free_bytes: u64,
    /// All of it, in bytes.
    pub total_bytes: u64,
}

/// Tells the size of a store, and the space of its file system. It may block.
pub trait DiskProbe: fmt::Debug + Send + Sync {
    /// Returns the present space.
    ///
    /// # Errors
    /// The error of the file system.
    fn space(&self) -> io::Result<DiskSpace>;

    /// Returns the present size of the store in bytes, as its file system counts it.
    ///
    /// # Errors
    /// The error of the file system.
    fn store_bytes(&self) -> io::Result<u64>;
}

/// The probe of the space of a file system, and the bound below which there is too little.
#[derive(Clone, Debug)]
pub struct DiskWatch {
    /// The probe: asked every 30 s, and for each status.
    pub probe: Arc<dyn DiskProbe>,
    /// The number of free bytes below which the log and `/readyz` warn.
    pub free_bytes_min: u64,
}

/// The store as a server describes it, and the reactions to its faults.
#[derive(Clone, Debug, Default)]
pub struct StoreWatch {
    /// The place of the store, for people, as `redb:/var/lib/heronry/store.redb`.
    pub place: String,
    /// The reaction when it closes.
    pub when_closed: WhenStoreCloses,
    /// The watch over the space of its file system; absent for a store without one.
    pub disk: Option<DiskWatch>,
    /// The meter of its calls, which `/metrics` shows; absent where nobody counts them.
    pub meter: Option<Meter>,
}

/// The health of a server and of its store.
#[derive(Debug)]
pub(crate) struct Health {
    pub(crate) store: StoreWatch,
    pub(crate) started: Reading,
    /// The space that was found last, when it was too little.
    low: Mutex<Option<DiskSpace>>,
    unknown: AtomicBool,
}

impl Health {
    /// Returns the health of a server that starts now.
    pub(crate) fn new(store: StoreWatch, runtime: &Runtime) -> Self {
        Self {
            store,
            started: runtime.clock().now(),
            low: Mutex::new(None),
            unknown: AtomicBool::new(false),
        }
    }

    /// Returns what `/readyz` and the log say of too little space; nothing when there is enough.
    pub(crate) fn disk_warning(&self) -> Option<String> {
        let low = self.low.lock().unwrap_or_else(PoisonError::into_inner);
        let (space, watch) = (low.as_ref()?, self.store.disk.as_ref()?);
        Some(format!(
            "{} bytes are free on the file system of the store, less than {} (disk_free_bytes_min); \
             free space before it is full",
            space.free_bytes, watch.free_bytes_min
        ))
    }

    /// Looks at the space now; nothing when there is nobody to ask, or no answer.
    pub(crate) async fn look_at_disk(&self) -> Option<DiskSpace> {
        let watch = self.store.disk.as_ref()?;
        let probe = Arc::clone(&watch.probe);
        let looked = tokio::task::spawn_blocking(move || probe.space()).await;
        match looked.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(space) => {
                self.unknown.store(false, Ordering::Relaxed);
                self.note(space, watch.free_bytes_min);
                Some(space)
            }
            Err(error) => {
                if !self.unknown.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the space of the store's file system is not known");
                }
                None
            }
        }
    }

    /// Returns the present size of the store in bytes; `None` when there is nobody to ask, or no answer.
    pub(crate) async fn store_bytes(&self) -> Option<u64> {
        let probe = Arc::clone(&self.store.disk.as_ref()?.probe);
        let looked = tokio::task::spawn_blocking(move || probe.store_bytes());
        looked.await.ok()?.ok()
    }

    /// Says in the log when the space becomes too little, and when there is enough again.
    fn note(&self, space: DiskSpace, min: u64) {
        let found = (space.free_bytes < min).then_some(space);
        let before = {
            let mut low = self.low.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *low, found)
        };
        let free_bytes = space.free_bytes;
        match (before, self.disk_warning()) {
            (None, Some(warning)) => tracing::warn!(free_bytes, min, "{warning}"),
            (Some(_), None) => tracing::info!(free_bytes, "there is enough space again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Looks at the space again and again.
    pub(crate) async fn watch_disk(&self, runtime: &Runtime) {
        if self.store.disk.is_none() {
            return;
        }
        loop {
            // What is found is noted; what is not known was said.
            let _ = self.look_at_disk().await;
            let clock = runtime.clock();
            let next = clock.now().monotonic.0.saturating_add(DISK_EVERY.0);
            clock.alarm(Millis(next)).await;
        }
    }

    /// Says whether the server ends because its store has closed.
    pub(crate) fn ends(&self, runtime: &Runtime) -> bool {
        match self.store.when_closed {
            WhenStoreCloses::End => runtime.store_closed().now_or_never().is_some(),
            WhenStoreCloses::Stay => false,
        }
    }

    /// Waits until the store has closed and the server is to end because of it.
    pub(crate) async fn must_end(&self, runtime: &Runtime) -> StoreError {
        let error = runtime.store_closed().await;
        let cause = error.cause().name();
        match self.store.when_closed {
            WhenStoreCloses::End => {
                tracing::error!(cause, %error, "the store has closed; the server ends");
                error
            }
            WhenStoreCloses::Stay => {
                tracing::error!(cause, %error, "the store has closed; the server stays, as it was told");
                std::future::pending().await
            }
        }
    }
}
