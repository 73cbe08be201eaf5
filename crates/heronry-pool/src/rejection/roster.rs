//! Refusals of what is said about the roster.

use heronry_types::RunId;

use super::RejectionKind;

/// The reason for which the roster does not take what is said about it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RosterFault {
    /// The roster was declared anew meanwhile.
    #[error("the roster is at revision {current}, not {expected}; look at it, and try again")]
    Moved {
        /// The revision that the caller named.
        expected: u64,
        /// The revision that holds.
        current: u64,
    },
    /// A run is not specified in the roster.
    #[error("run {:?} is not specified in the roster; specify it first", .run.as_str())]
    NotSpecified {
        /// The run.
        run: RunId,
    },
    /// A batch about the roster names a run twice.
    #[error("run {:?} stands twice in the batch; name it once", .run.as_str())]
    NamedTwice {
        /// The run.
        run: RunId,
    },
    /// A batch about the roster has too many entries.
    #[error("the batch has {actual} entries and may have {max}; send it in parts")]
    BatchTooLong {
        /// The number of entries.
        actual: usize,
        /// The most entries.
        max: usize,
    },
    /// The pool has as many modules as it keeps.
    #[error("the pool keeps the standings of {max} modules; stop one of them first")]
    TooManyModules {
        /// The most modules.
        max: usize,
    },
}

impl RosterFault {
    /// Returns the kind of the refusal.
    pub(super) fn kind(&self) -> RejectionKind {
        match self {
            Self::Moved { .. } => RejectionKind::RosterConflict,
            Self::NotSpecified { .. } => RejectionKind::NotSpecified,
            Self::NamedTwice { .. } => RejectionKind::InvalidRequest,
            Self::BatchTooLong { .. } | Self::TooManyModules { .. } => RejectionKind::LimitExceeded,
        }
    }
}
