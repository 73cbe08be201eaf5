//! Notices: what a runtime tells whoever watches it, as it happens.

use std::{fmt, sync::Arc, time::Duration};

use heronry_host::IncarnationEnd;
use heronry_types::{ModuleId, RunEnd, RunId};

use crate::phase::RuntimePhase;

/// Something that happened.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// The runtime entered a phase.
    Phase(RuntimePhase),
    /// A member's process is ready.
    Ready {
        /// The member.
        run: RunId,
        /// The number by which the system knows it.
        process_id: Option<u32>,
    },
    /// A member's process ended, or did not start, and is started again.
    Restarting {
        /// The member.
        run: RunId,
        /// The end.
        end: IncarnationEnd,
        /// The pause before the start.
        pause: Duration,
    },
    /// A member's run ended.
    Ended {
        /// The member.
        run: RunId,
        /// The end of the run.
        state: RunEnd,
        /// The end of its process; `None` when it had none.
        end: Option<IncarnationEnd>,
    },
    /// A member's run ended before this runtime began.
    EndedEarlier {
        /// The member.
        run: RunId,
        /// The end of the run.
        state: RunEnd,
    },
    /// A member is not started again by itself.
    Broken {
        /// The member.
        run: RunId,
        /// The reason.
        why: String,
    },
    /// A member fell asleep.
    Asleep {
        /// The member.
        run: RunId,
    },
    /// A module's process is ready.
    ModuleReady {
        /// The module.
        module: ModuleId,
    },
    /// A module's process ended, and is not started again by itself.
    ModuleFailed {
        /// The module.
        module: ModuleId,
        /// The reason.
        why: String,
    },
    /// Something is wrong with the runtime itself.
    Trouble {
        /// The trouble, for people.
        what: String,
    },
}

/// Watches a runtime. It is called in the middle of things: it returns at once.
pub trait Observer: Send + Sync {
    /// Takes a notice.
    fn notice(&self, notice: &Notice);
}

impl<F: Fn(&Notice) + Send + Sync> Observer for F {
    fn notice(&self, notice: &Notice) {
        self(notice);
    }
}

/// The observer, when there is one. Every notice is logged as well.
#[derive(Clone, Default)]
pub(crate) struct Notices(pub(crate) Option<Arc<dyn Observer>>);

impl Notices {
    pub(crate) fn tell(&self, notice: &Notice) {
        match notice {
            Notice::Trouble { .. } | Notice::Broken { .. } | Notice::ModuleFailed { .. } => {
                tracing::warn!(?notice, "unified runtime");
            }
            Notice::Phase(_)
            | Notice::Ready { .. }
            | Notice::Restarting { .. }
            | Notice::Ended { .. }
            | Notice::EndedEarlier { .. }
            | Notice::Asleep { .. }
            | Notice::ModuleReady { .. } => tracing::debug!(?notice, "unified runtime"),
        }
        if let Some(observer) = &self.0 {
            observer.notice(notice);
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notices")
    }
}
