//! The choices that a runtime is made with.

use std::{fmt, sync::Arc};

use heronry_pool::{
    Minter,
    engine::{FINISHED_KEPT, MATCHING_SLICE},
};
use heronry_store::{Clock, IdSource, Store};
use secrecy::SecretBox;

use super::Environment;
use crate::{
    ResumeHook, SideWork, SystemClock, SystemIds, bulk::Bulk, events::TailSize, pool::BodyPermits,
    tokens::TokenKey,
};

/// The number of records of a pool after which a snapshot of it is taken, when nobody says otherwise.
pub const SNAPSHOT_EVERY: u64 = 128 * 1_024;
/// The purpose of the key under which secret values of specs are hashed.
const SPEC_KEY_CONTEXT: &str = "heronry 2026-11 digests of secret values in specs of members";
/// The number of newest events of a pool that are kept for readers that follow it.
const TAIL_EVENTS: usize = 2_048;

/// The choices that a [`Runtime`](crate::Runtime) is made with. All of them hold from its first pool on.
#[derive(Clone)]
#[must_use]
pub struct RuntimeOptions {
    key: [u8; 32],
    owner: String,
    clock: Option<Arc<dyn Clock>>,
    ids: Arc<dyn IdSource>,
    resume_hook: Option<Arc<dyn ResumeHook>>,
    finished_kept: usize,
    matching_slice: usize,
    side_work: SideWork,
    snapshot_every: u64,
    tail_events: usize,
}

impl RuntimeOptions {
    /// Returns the options of a runtime with the machine's clock and randomness, and no resume hook.
    ///
    /// `key` is a secret of 256 bits from which the keys follow that mint references and ids, and the tokens
    /// of members; keep it with the store, so that a retry after a restart mints the same ones. `owner` names this process in
    /// the errors of others that want the same pools.
    pub fn new(key: [u8; 32], owner: impl Into<String>) -> Self {
        Self {
            key,
            owner: owner.into(),
            clock: None,
            ids: Arc::new(SystemIds),
            resume_hook: None,
            finished_kept: FINISHED_KEPT,
            matching_slice: MATCHING_SLICE,
            side_work: SideWork::default(),
            snapshot_every: SNAPSHOT_EVERY,
            tail_events: TAIL_EVENTS,
        }
    }

    /// Sets the clock, instead of the machine's.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets the source of fresh ids, instead of the machine's randomness.
    pub fn with_ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Sets the hook that is called for every wake that ends.
    pub fn with_resume_hook(mut self, hook: Arc<dyn ResumeHook>) -> Self {
        self.resume_hook = Some(hook);
        self
    }

    /// Sets the number of finished messages that each pool keeps in memory, for callers that ask for
    /// them soon. Other finished messages are read from the journal on request. No answer depends on
    /// the number.
    pub fn with_finished_kept(mut self, most: usize) -> Self {
        self.finished_kept = most;
        self
    }

    /// Sets the size of the slices in which pools match events against waiting wakes: the number of
    /// alternatives of filters, and of wakes. Other work goes on between slices. No outcome depends on
    /// the size.
    pub fn with_matching_slice(mut self, came_upon: usize) -> Self {
        self.matching_slice = came_upon;
        self
    }

    /// Sets the side work, to share it with other runtimes, or to bound it otherwise.
    pub fn with_side_work(mut self, side_work: SideWork) -> Self {
        self.side_work = side_work;
        self
    }

    /// Sets the number of records of a pool after which a snapshot of it is taken, beside its actor. A pool opens
    /// from its latest snapshot, and folds the records since. No answer depends on the number; one at least.
    pub fn with_snapshots_every(mut self, records: u64) -> Self {
        self.snapshot_every = records.max(1);
        self
    }

    /// Sets the number of newest events of a pool that are kept in memory for readers that follow it, while
    /// there are any. Readers that are further behind read the store. No stream depends on the number.
    pub fn with_tail_events(mut self, most: usize) -> Self {
        self.tail_events = most;
        self
    }

    /// Returns the parts that a runtime over this store works with.
    pub(super) fn environment(self, store: Store) -> Environment {
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        Environment {
            store,
            bulk: Arc::new(Bulk::new(Arc::clone(&clock))),
            clock,
            ids: self.ids,
            token_key: TokenKey::derived_from(&self.key),
            spec_key: SecretBox::new(Box::new(blake3::derive_key(SPEC_KEY_CONTEXT, &self.key))),
            minter: Minter::new(self.key),
            owner: self.owner,
            resume_hook: self.resume_hook,
            finished_kept: self.finished_kept,
            matching_slice: self.matching_slice,
            openings: Arc::default(),
            side_work: self.side_work,
            background: SideWork::with_permits(1),
            snapshot_every: self.snapshot_every,
            tail_size: TailSize::of(self.tail_events),
            body_permits: BodyPermits::default(),
        }
    }
}

/// The key is never shown.
impl fmt::Debug for RuntimeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeOptions")
            .field("owner", &self.owner)
            .field("finished_kept", &self.finished_kept)
            .field("matching_slice", &self.matching_slice)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", RuntimeOptions::new([0xab; 32], "me"));
        assert!(shown.contains("me") && !shown.contains("171"), "{shown}");
    }
}
