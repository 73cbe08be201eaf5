//! The parts that everything of one runtime works with.

use std::{collections::BTreeMap, sync::Arc};

use heronry_host::{MemberAccess, MemberHost};
use heronry_pool::Rejection;
use heronry_runtime::{CallError, Pool, Runtime};
use heronry_store::Clock;
use heronry_types::{HostId, LimitName, StewardToken};
use tokio::sync::Semaphore;

use crate::{DigestKey, hooks::Hooks, notice::Notices};

/// The hosts by name.
pub(crate) type Hosts = BTreeMap<HostId, Arc<dyn MemberHost>>;

pub(crate) struct RuntimeParts {
    pub(crate) runtime: Runtime,
    pub(crate) pool: Pool,
    pub(crate) hosts: Hosts,
    pub(crate) access: Arc<dyn MemberAccess>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) steward: StewardToken,
    pub(crate) key: DigestKey,
    /// The starts that may be under way at once.
    pub(crate) starts: Arc<Semaphore>,
    pub(crate) notices: Notices,
    pub(crate) hooks: Hooks,
}

impl RuntimeParts {
    /// Returns a text that the pool takes as a note: the start of it, when it is too long.
    pub(crate) fn note(&self, text: &str) -> String {
        let most = self.pool.limits().get(LimitName::NoteBytesMax);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let fits = |(at, c): &(usize, char)| at + c.len_utf8() <= most;
        text.char_indices()
            .take_while(fits)
            .map(|(_, c)| c)
            .collect()
    }

    /// Returns the largest page that the pool gives.
    pub(crate) fn page(&self) -> u64 {
        self.pool.limits().get(LimitName::PageItemsMax).max(1)
    }
}

/// Returns true when a command was refused because somebody else is the steward by now.
pub(crate) fn is_fenced(error: &CallError) -> bool {
    matches!(error, CallError::Rejected(Rejection::StewardFenced))
}
