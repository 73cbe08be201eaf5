//! Folding a journal beside its actor, behind everything else.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use heronry_pool::Minter;
use heronry_store::{Head, Store};
use heronry_types::{PoolId, Position};
use tokio::runtime::Handle;

use crate::{
    OpenError, SideWork,
    folding::{FoldedTo, Folding},
    side_work::Party,
};

/// The most bytes of the journal in one read, beside a first chunk.
const PAGE_BYTES: usize = 512 * 1024;

/// The folds of one pool beside its actor: one thread of the process does them, with the least urgency, and
/// one at a time.
#[derive(Clone)]
pub(crate) struct Folds {
    pub(crate) store: Store,
    pub(crate) pool: PoolId,
    pub(crate) minter: Minter,
    pub(crate) finished_kept: usize,
    pub(crate) background: SideWork,
    stops: Arc<AtomicBool>,
}

/// The end of a fold.
pub(crate) enum FoldEnd<T> {
    /// It came to its end.
    Done(T),
    /// The pool stops.
    Stopped,
}

impl Folds {
    pub(crate) fn new(store: Store, pool: PoolId, minter: Minter) -> Self {
        Self {
            store,
            pool,
            minter,
            finished_kept: heronry_pool::engine::FINISHED_KEPT,
            background: SideWork::with_permits(1),
            stops: Arc::default(),
        }
    }

    /// Sets what the process shares: the thread of all folds, and how many finished messages stay at hand.
    pub(crate) fn with(mut self, background: &SideWork, finished_kept: usize) -> Self {
        self.background = background.clone();
        self.finished_kept = finished_kept;
        self
    }

    /// Ends the fold that is under way at its next page, and every later one at once.
    pub(crate) fn stop(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    /// Folds the journal up to the end of a chunk, and makes something of it.
    pub(crate) async fn fold<T: Send + 'static>(
        &self,
        head: Head,
        until: Position,
        make: impl FnOnce(FoldedTo) -> T + Send + 'static,
    ) -> Result<FoldEnd<T>, OpenError> {
        let folds = self.clone();
        let handle = Handle::current();
        let work = move || {
            handle.block_on(async {
                Ok(match folds.fold_here(head, until).await? {
                    Some(folded) => FoldEnd::Done(make(folded)),
                    None => FoldEnd::Stopped,
                })
            })
        };
        self.background.run(&Party::Operator, work).await
    }

    async fn fold_here(&self, head: Head, until: Position) -> Result<Option<FoldedTo>, OpenError> {
        let stops = || self.stops.load(Ordering::Relaxed);
        if stops() {
            return Ok(None);
        }
        let folding = Folding {
            store: &self.store,
            pool: &self.pool,
            minter: &self.minter,
            head,
        };
        let FoldedTo { replay, chain } = folding.begin(until).await?;
        let replay = replay.keeping_finished(self.finished_kept).counting();
        let mut folded = FoldedTo { replay, chain };
        while folded.chain.position() < until {
            if stops() {
                return Ok(None);
            }
            let after = folded.chain.position();
            let page = self
                .store
                .journal
                .read(&self.pool, after, PAGE_BYTES)
                .await?;
            for chunk in page.chunks.iter().take_while(|it| it.last() <= until) {
                folded.push(chunk)?;
            }
            if folded.chain.position() == after {
                let source = "no chunk ends where the state is to be kept".into();
                return Err(OpenError::Damaged { at: until, source });
            }
        }
        Ok(Some(folded))
    }
}
