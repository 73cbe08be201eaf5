//! Errors of stores.

use std::{error::Error, fmt};

use heronry_types::{Position, Timestamp};

use crate::MoveRoute;

/// The kind of a [`StoreError`]: it tells a caller the remedy.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum StoreErrorKind {
    /// There is no store at this place; create one first.
    NotFound,
    /// The place holds something that is not a Heronry store; choose another place.
    NotAStore,
    /// Another process has the store open; stop it, or choose another place.
    Locked,
    /// The store was written by a newer build; use that build.
    NewerSchema,
    /// Stored bytes are damaged; restore a copy.
    Corrupt,
    /// The store cannot be written; check permissions.
    ReadOnly,
    /// The device is full; free space and open the store again.
    Full,
    /// Reading or writing failed.
    Io,
    /// The store stopped after an earlier failure; open it again in a new process.
    Closed,
    /// A content or a snapshot is larger than the store takes.
    TooLarge,
    /// The data to write is not of this journal, or is ahead of it; make it again.
    Foreign,
    /// The pools of the store were moved to another place, which the error names; open that one.
    Sealed,
}

impl StoreErrorKind {
    /// Returns its name in logs and answers, as `full`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::NotAStore => "not-a-store",
            Self::Locked => "locked",
            Self::NewerSchema => "newer-schema",
            Self::Corrupt => "corrupt",
            Self::ReadOnly => "read-only",
            Self::Full => "full",
            Self::Io => "io",
            Self::Closed => "closed",
            Self::TooLarge => "too-large",
            Self::Foreign => "foreign",
            Self::Sealed => "sealed",
        }
    }
}

/// The meaning of a kind, for people.
impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "something of the store is not there",
            Self::NotAStore => "the place holds no store",
            Self::Locked => "another process has the store open",
            Self::NewerSchema => "the store was written by a newer build",
            Self::Corrupt => "stored bytes are damaged",
            Self::ReadOnly => "the store cannot be written: it is read-only",
            Self::Full => "no space is left on the device",
            Self::Io => "the device failed to read or write",
            Self::Closed => "the store was closed",
            Self::TooLarge => "it is larger than the store takes",
            Self::Foreign => "it is not of this journal",
            Self::Sealed => "the pools of the store were moved elsewhere",
        })
    }
}

/// A failure of a store: its kind, the operation that failed, and the details.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    closed_by: Option<StoreErrorKind>,
    op: &'static str,
    detail: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// Returns an error of this kind from an operation; `detail` names the finding and its place.
    pub fn new(kind: StoreErrorKind, op: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            closed_by: None,
            op,
            detail: detail.into(),
            source: None,
        }
    }

    /// Returns the error of every call after a store has closed because of a failure of this kind.
    pub fn closed(op: &'static str, by: StoreErrorKind, detail: impl Into<String>) -> Self {
        Self {
            closed_by: Some(by),
            ..Self::new(StoreErrorKind::Closed, op, detail)
        }
    }

    /// Returns the refusal of a sealed store.
    pub fn sealed(op: &'static str, moved_to: &str) -> Self {
        let detail = format!("its pools were moved to {moved_to}; open that store");
        Self::new(StoreErrorKind::Sealed, op, detail)
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind of the error, which tells a caller the remedy.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Returns the kind of the failure at the root: of the one that closed the store, when that is
    /// why this call failed; otherwise of this one.
    pub fn cause(&self) -> StoreErrorKind {
        self.closed_by.unwrap_or(self.kind)
    }

    /// Returns the operation that failed.
    pub fn op(&self) -> &'static str {
        self.op
    }

    /// Returns true when the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        self.kind == StoreErrorKind::Locked
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store cannot {}: {}", self.op, self.detail)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn Error + 'static))
    }
}

/// The knowledge about a commit that did not succeed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommitOutcome {
    /// Nothing of the commit was or will be kept.
    None,
    /// The commit may or may not have been kept: open the store again and ask by idempotency key.
    Unknown,
}

/// The error of an append.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The journal's head is not the expected one: another writer owns the pool. Nothing was written.
    #[error("head is {found} where {expected} was expected; ownership of the pool was lost")]
    Conflict {
        /// The head that the guard named.
        expected: Position,
        /// The head that the store has.
        found: Position,
    },
    /// The fencing token is stale. Nothing was written.
    #[error(
        "fencing token {held} is stale, the pool's is {current}; ownership of the pool was lost"
    )]
    Fenced {
        /// The token that the guard named.
        held: u64,
        /// The pool's token.
        current: u64,
    },
    /// The chunks do not continue the journal (positions, previous hash, or epoch). Nothing was written.
    #[error("chunk at {at} does not continue the journal: {why}")]
    Discontinuous {
        /// First position of the chunk.
        at: Position,
        /// The part that does not fit.
        why: &'static str,
    },
    /// The store failed; `outcome` says whether the commit may have been kept.
    #[error("commit failed with outcome {outcome:?}")]
    Store {
        /// The knowledge about the commit: not kept, or perhaps kept.
        outcome: CommitOutcome,
        /// The failure of the store.
        #[source]
        error: StoreError,
    },
}

/// The error of a read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The pool has no journal in this store.
    #[error("no such pool in this store")]
    NoPool,
    /// Records after the requested position were trimmed.
    #[error("records after {requested} are trimmed; the oldest kept is {floor}")]
    Trimmed {
        /// The position that was asked for.
        requested: Position,
        /// The oldest position that is kept.
        floor: Position,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The error of a lease that was not renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The pool has another owner, or none: whoever held the token owns it no more.
    #[error(
        "fencing token {held} is stale, the pool's is {current}; ownership of the pool was lost"
    )]
    Lost {
        /// The token that was to be renewed.
        held: u64,
        /// The pool's last token.
        current: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The error of a lease that was not given.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another live runtime owns the pool.
    #[error("pool is owned by {owner} since {since}; stop that runtime first")]
    Owned {
        /// The name of the owner.
        owner: String,
        /// The time since which it owns the pool.
        since: Timestamp,
    },
    /// A move that is not complete brings the pool to this store.
    #[error("pool is on its way here from {}, and the move is not complete: {route}", .route.from)]
    Reserved {
        /// The ends of the move.
        route: MoveRoute,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
