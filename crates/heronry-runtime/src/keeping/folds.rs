//! Folding a journal beside its actor, behind everything else.

use heronry_pool::Minter;
use heronry_store::{Head, Store};
use heronry_types::{PoolId, Position};
use tokio::{runtime::Handle, sync::watch};

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
    /// True once the pool stops.
    stops: watch::Sender<bool>,
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
            stops: watch::Sender::new(false),
        }
    }

    /// Sets what the process shares: the thread of all folds, and how many finished messages stay at hand.
    pub(crate) fn with(mut self, background: &SideWork, finished_kept: usize) -> Self {
        self.background = background.clone();
        self.finished_kept = finished_kept;
        self
    }

    /// Ends the fold that is under way at its next page, and one that waits for its turn or comes later at once.
    pub(crate) fn stop(&self) {
        self.stops.send_replace(true);
    }

    /// Waits until the pool stops.
    pub(crate) async fn stopping(&self) {
        let mut stops = self.stops.subscribe();
        // This has a sender of its own.
        let (Ok(_) | Err(_)) = stops.wait_for(|stops| *stops).await;
    }

    /// Folds the journal up to the end of a chunk, and makes something of it. A pool that stops does not wait
    /// for the folds of others.
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
        let permit = tokio::select! {
            biased;
            () = self.stopping() => return Ok(FoldEnd::Stopped),
            permit = self.background.permit(&Party::Operator) => permit,
        };
        permit.run(work).await
    }

    async fn fold_here(&self, head: Head, until: Position) -> Result<Option<FoldedTo>, OpenError> {
        let stops = || *self.stops.borrow();
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
