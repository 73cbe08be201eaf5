//! The phases of a runtime's life.

use std::fmt;

/// A phase of a runtime's life.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum RuntimePhase {
    /// The declaration and the options are checked.
    Validate,
    /// The pool is opened.
    Open,
    /// The stewardship is taken.
    Steward,
    /// Processes that run from earlier are found, and kept or stopped.
    Recover,
    /// The hook before the first start runs.
    Hook,
    /// The sources of members are asked.
    Discover,
    /// The pool is brought to its roster for the first time.
    Reconcile,
    /// The pool is kept as it was declared.
    Serve,
    /// Another steward has the pool: nothing is done any more.
    Fenced,
    /// Everything is being stopped.
    Stopping,
    /// Everything has stopped.
    Stopped,
}

impl fmt::Display for RuntimePhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Validate => "validate",
            Self::Open => "open",
            Self::Steward => "steward",
            Self::Recover => "recover",
            Self::Hook => "hook",
            Self::Discover => "discover",
            Self::Reconcile => "reconcile",
            Self::Serve => "serve",
            Self::Fenced => "fenced",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        })
    }
}
