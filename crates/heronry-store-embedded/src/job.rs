//! Jobs of callers for the writer, and their answers.

use std::sync::Arc;

use futures::channel::oneshot;
use heronry_types::{ContentRef, PoolId, Timestamp};

use crate::{
    baseline::Trim,
    cursor::CursorEdit,
    keys::{KeysEdit, KeysEnd},
    pack::PackRow,
    readable::Readable,
    snapshot::SnapshotEdit,
};
use heronry_store::{
    AppendError, Commit, CommitOutcome, ConsumerError, FencingToken, Guard, Head, LeaseError,
    RenewError, Reservation, StoreError,
};

/// One thing to write.
#[derive(Debug)]
pub(crate) enum Job {
    /// Something about one pool.
    Of(PoolId, Work),
    /// The place where the pools went; `None` takes the seal off.
    Seal(Option<String>, Reply<Result<(), StoreError>>),
    /// The pools that a move brings; `None` takes the reservation off.
    Reserve(Option<Reservation>, Reply<Result<(), StoreError>>),
}

/// The work to do about a pool.
#[derive(Debug)]
pub(crate) enum Work {
    Append(Box<Append>, Reply<Result<Head, AppendError>>),
    Trim(Trim, Reply<Result<Head, AppendError>>),
    Delete(FencingToken, Reply<Result<(), AppendError>>),
    Put(Put, Reply<Result<(), StoreError>>),
    Acquire(Acquire, Reply<Result<FencingToken, LeaseError>>),
    Renew(FencingToken, Reply<Result<(), RenewError>>),
    Release(FencingToken, Reply<Result<(), StoreError>>),
    Snapshot(SnapshotEdit, Reply<Result<(), StoreError>>),
    Cursor(CursorEdit, Reply<Result<(), ConsumerError>>),
    Keys(KeysEdit, Reply<Result<KeysEnd, StoreError>>),
}

#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) commit: Commit,
    /// The contents of the commit, which it holds no more.
    pub(crate) pack: Option<PackRow>,
    pub(crate) guard: Guard,
    pub(crate) readable: Arc<Readable>,
}

#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) content_ref: ContentRef,
    pub(crate) row: PackRow,
    pub(crate) token: FencingToken,
    pub(crate) readable: Arc<Readable>,
}

/// A wish to own a pool.
#[derive(Debug)]
pub(crate) struct Acquire {
    pub(crate) owner: String,
    pub(crate) now: Timestamp,
    pub(crate) force: Force,
}

/// The force with which a pool is acquired.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Force {
    IfFree,
    Seize,
}

/// The receiver of an answer. A caller that gave up has no use for it.
pub(crate) type Reply<T> = oneshot::Sender<T>;

/// A decided answer that waits for the commit it was decided on.
#[derive(Debug)]
pub(crate) enum Answer {
    Head(Reply<Result<Head, AppendError>>, Result<Head, AppendError>),
    Done(Reply<Result<(), StoreError>>, Result<(), StoreError>),
    Deleted(Reply<Result<(), AppendError>>, Result<(), AppendError>),
    Token(
        Reply<Result<FencingToken, LeaseError>>,
        Result<FencingToken, LeaseError>,
    ),
    Cursor(Reply<Result<(), ConsumerError>>, Result<(), ConsumerError>),
    Renewed(Reply<Result<(), RenewError>>, Result<(), RenewError>),
    Keys(
        Reply<Result<KeysEnd, StoreError>>,
        Result<KeysEnd, StoreError>,
    ),
}

impl Answer {
    /// Gives the answer: what it was decided on is durable.
    pub(crate) fn deliver(self) {
        // Sending fails when the caller gave up, who then has no use for the answer.
        match self {
            Self::Head(reply, answer) => drop(reply.send(answer)),
            Self::Done(reply, answer) => drop(reply.send(answer)),
            Self::Deleted(reply, answer) => drop(reply.send(answer)),
            Self::Token(reply, answer) => drop(reply.send(answer)),
            Self::Cursor(reply, answer) => drop(reply.send(answer)),
            Self::Renewed(reply, answer) => drop(reply.send(answer)),
            Self::Keys(reply, answer) => drop(reply.send(answer)),
        }
    }

    /// Tells the caller that the commit failed. What was refused was not part of it.
    pub(crate) fn fail(self, error: StoreError) {
        match self {
            Self::Head(reply, answer) => {
                let outcome = outcome_of(&answer);
                drop(reply.send(Err(AppendError::Store { outcome, error })));
            }
            Self::Deleted(reply, answer) => {
                let outcome = outcome_of(&answer);
                drop(reply.send(Err(AppendError::Store { outcome, error })));
            }
            Self::Done(reply, _) => drop(reply.send(Err(error))),
            Self::Token(reply, _) => drop(reply.send(Err(error.into()))),
            Self::Cursor(reply, _) => drop(reply.send(Err(error.into()))),
            Self::Renewed(reply, _) => drop(reply.send(Err(error.into()))),
            Self::Keys(reply, _) => drop(reply.send(Err(error))),
        }
    }
}

/// Returns what is known of something whose commit failed: what was refused was not part of it.
fn outcome_of<T>(answer: &Result<T, AppendError>) -> CommitOutcome {
    match answer {
        Ok(_) => CommitOutcome::Unknown,
        Err(_) => CommitOutcome::None,
    }
}

impl Job {
    /// Tells the caller that nothing of this was or will be written.
    pub(crate) fn refuse(self, error: StoreError) {
        match self {
            Self::Of(_, work) => work.refuse(error),
            Self::Seal(_, reply) | Self::Reserve(_, reply) => drop(reply.send(Err(error))),
        }
    }

    /// Returns about how many bytes it writes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Of(_, work) => work.bytes(),
            Self::Seal(moved_to, _) => moved_to.as_ref().map_or(0, String::len),
            Self::Reserve(reservation, _) => {
                let pools = reservation.iter().flat_map(|it| &it.pools);
                pools.map(|pool| pool.as_str().len()).sum()
            }
        }
    }
}

impl Work {
    /// Returns what a sealed store still does, or how it answers: it writes nothing.
    pub(crate) fn refuse_sealed(self, moved_to: &str) -> Result<Self, Answer> {
        let error = |op| StoreError::sealed(op, moved_to);
        let unwritten = |error| {
            let outcome = CommitOutcome::None;
            AppendError::Store { outcome, error }
        };
        Err(match self {
            Self::Append(_, reply) => Answer::Head(reply, Err(unwritten(error("append")))),
            Self::Trim(_, reply) => Answer::Head(reply, Err(unwritten(error("trim")))),
            Self::Delete(_, reply) => {
                Answer::Deleted(reply, Err(unwritten(error("delete a pool"))))
            }
            Self::Put(_, reply) => Answer::Done(reply, Err(error("put content"))),
            Self::Acquire(_, reply) => Answer::Token(reply, Err(error("own a pool").into())),
            Self::Snapshot(edit, reply) => Answer::Done(reply, Err(error(edit.op()))),
            Self::Cursor(edit, reply) => Answer::Cursor(reply, Err(error(edit.op()).into())),
            Self::Keys(edit, reply) if edit.is_put() => Answer::Keys(reply, Err(error(edit.op()))),
            // Dropping keys loses no record.
            Self::Renew(..) | Self::Release(..) | Self::Keys(..) => return Ok(self),
        })
    }

    /// Tells the caller that nothing of this was or will be written.
    fn refuse(self, error: StoreError) {
        match self {
            Self::Append(_, reply) | Self::Trim(_, reply) => {
                let outcome = CommitOutcome::None;
                drop(reply.send(Err(AppendError::Store { outcome, error })));
            }
            Self::Delete(_, reply) => {
                let outcome = CommitOutcome::None;
                drop(reply.send(Err(AppendError::Store { outcome, error })));
            }
            Self::Put(_, reply) | Self::Release(_, reply) | Self::Snapshot(_, reply) => {
                drop(reply.send(Err(error)));
            }
            Self::Acquire(_, reply) => drop(reply.send(Err(error.into()))),
            Self::Renew(_, reply) => drop(reply.send(Err(error.into()))),
            Self::Cursor(_, reply) => drop(reply.send(Err(error.into()))),
            Self::Keys(_, reply) => drop(reply.send(Err(error))),
        }
    }

    /// Returns about how many bytes it writes.
    fn bytes(&self) -> usize {
        match self {
            Self::Append(append, _) => {
                let chunks = append.commit.chunks.iter();
                let chunks: usize = chunks.map(|chunk| chunk.bytes().len()).sum();
                let baseline = append.commit.baseline.as_ref();
                let baseline = baseline.map_or(0, |it| it.state().len());
                chunks + baseline + append.pack.as_ref().map_or(0, PackRow::len)
            }
            Self::Put(put, _) => put.row.len(),
            Self::Snapshot(edit, _) => edit.row.as_ref().map_or(0, Vec::len),
            Self::Keys(edit, _) => edit.bytes(),
            Self::Trim(trim, _) => trim.bytes(),
            Self::Cursor(edit, _) => edit.bytes(),
            Self::Delete(..) | Self::Acquire(..) | Self::Renew(..) | Self::Release(..) => 0,
        }
    }
}
