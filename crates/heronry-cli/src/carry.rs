//! Parts shared by the verbs that carry pools from place to place.

use std::{fs, io, sync::Arc};

use heronry_runtime::{
    SystemClock, SystemIds,
    marks::{MarkKeeper, MarkedStore},
};
use heronry_store::{AppendError, LeaseError, ReadError, Store};
use heronry_transfer::{Carried, Carrier, Pools, TransferError};
use heronry_types::counted;
use serde::Serialize;

use crate::{
    connect::Context,
    failure::{Exit, Failure},
    host::{MarkFile, StoreChoice, open_store, store_failure},
    lines::Lines,
    out::RowsPlace,
};

/// Returns who carries pools: this process.
pub(crate) fn carrier() -> Carrier {
    Carrier {
        clock: Arc::new(SystemClock::new()),
        ids: Arc::new(SystemIds),
        owner: format!("heronry process {}", std::process::id()),
    }
}

/// Returns the pool that was named, or all.
pub(crate) fn pools_of(cx: &Context) -> Pools {
    let named = cx.globals.pool.clone();
    named.map_or(Pools::All, Pools::One)
}

/// A store that pools are brought to.
#[derive(Debug)]
pub(crate) struct TargetStore {
    choice: StoreChoice,
    store: Store,
    mark: Option<MarkKeeper>,
    origin: Origin,
}

/// The origin of a store: it was found, or made by this verb.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    Found,
    Made,
}

impl TargetStore {
    /// Opens a store, and makes it when nothing is there.
    pub(crate) fn open(choice: &StoreChoice) -> Result<Self, Failure> {
        let path = match choice {
            StoreChoice::Redb(path) | StoreChoice::Sled(path) => path,
            StoreChoice::Memory => {
                return Err(Failure::usage("a store in memory keeps no journal"));
            }
        };
        let exists = fs::exists(path).map_err(|error| Failure::file("open", path, &error))?;
        let origin = if exists { Origin::Found } else { Origin::Made };
        let store = open_store(choice)?;
        let choice = choice.clone().absolute();
        let (store, mark) = match MarkFile::of(&choice) {
            Some(file) => {
                let MarkedStore { store, keeper } = file.keep(store);
                (store, Some(keeper))
            }
            None => (store, None),
        };
        Ok(Self {
            choice,
            store,
            mark,
            origin,
        })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the store with its whole path.
    pub(crate) fn choice(&self) -> &StoreChoice {
        &self.choice
    }

    /// Closes the store. One that was made, and that nothing came to, is removed again.
    pub(crate) async fn end<T>(self, ended: Result<T, TransferError>) -> Result<T, Failure> {
        let Self {
            choice,
            store,
            mark,
            origin,
        } = self;
        let has_arrived = matches!(
            ended,
            Ok(_) | Err(TransferError::Unfinished { .. } | TransferError::MoveUnfinished { .. })
        );
        if let Some(mark) = mark.filter(|_| has_arrived) {
            mark.settle().await;
        }
        drop(store);
        let error = match ended {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        if origin == Origin::Made && !has_arrived {
            // What failed matters more than what is left of it.
            let _ = match &choice {
                StoreChoice::Redb(path) => fs::remove_file(path),
                StoreChoice::Sled(path) => fs::remove_dir_all(path),
                StoreChoice::Memory => Ok(()),
            };
        }
        Err(transfer_failure(&error))
    }
}

/// The answer of a verb that carried pools.
#[derive(Debug, Serialize)]
struct CarryAnswer<'a> {
    pools: &'a [Carried],
    /// Kinds of names that the source gave out and that are not valid at the new place.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    invalid: &'static [&'static str],
}

/// The way in which pools were carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// Into another timeline, from a store.
    Copied,
    /// Into another timeline, from a file.
    Imported,
    /// As they were.
    Moved,
    /// Not at all: a move that broke off was taken back.
    TakenBack,
    /// Not at all: what had arrived of a move whose source is lost was deleted.
    Deleted,
    /// Into a file.
    Exported,
    /// From a backup, with the consumers.
    Restored,
}

impl Way {
    fn done(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Imported => "imported",
            Self::Moved => "moved",
            Self::TakenBack => "taken back",
            Self::Deleted => "deleted",
            Self::Exported => "exported",
            Self::Restored => "restored",
        }
    }

    /// Returns the kinds of names that the source gave out and that are not valid at the new place.
    fn invalid(self) -> &'static [&'static str] {
        match self {
            Self::Copied | Self::Imported => &["member_tokens"],
            Self::Moved | Self::TakenBack | Self::Deleted | Self::Exported | Self::Restored => &[],
        }
    }
}

/// The fields of a pool that was carried.
pub(crate) const CARRIED_FIELDS: [&str; 4] = ["pool", "head", "chunks", "contents"];

/// Prints the carried pools, and names the things that came along and were chosen elsewhere.
pub(crate) fn show(cx: &Context, way: Way, pools: &[Carried]) -> Result<(), Failure> {
    let (done, invalid) = (way.done(), way.invalid());
    let answer = CarryAnswer { pools, invalid };
    cx.out.answer(&answer, RowsPlace::Of("pools"), || {
        let lines = pools.iter().map(|it| {
            let chunks = counted(it.chunks, "chunk");
            let bodies = counted(it.contents, "body");
            format!("{}: {done}, {chunks}, {bodies}, head {}", it.pool, it.head)
        });
        let mut lines: Lines = lines.collect();
        lines.line(format_args!(
            "{} {done}",
            counted(pools.len() as u64, "pool")
        ));
        lines
    })?;
    match way {
        Way::Copied | Way::Imported => cx.out.note(
            "runs, keys and epochs are those of the source; its member tokens are not valid here: \
             members join again",
        ),
        Way::Moved | Way::TakenBack | Way::Deleted | Way::Exported | Way::Restored => {}
    }
    Ok(())
}

/// Returns the failure that tells the caller of the command of a failed transfer.
pub(crate) fn transfer_failure(error: &TransferError) -> Failure {
    match error {
        TransferError::Store(cause)
        | TransferError::Read {
            error: ReadError::Store(cause),
            ..
        }
        | TransferError::Append {
            error: AppendError::Store { error: cause, .. },
            ..
        }
        | TransferError::Lease {
            error: LeaseError::Store(cause),
            ..
        } => Failure::new(store_failure(cause).exit(), error),
        TransferError::Chunk { error: cause, .. } if cause.is_newer() => Failure::failed(error),
        TransferError::Chunk { .. }
        | TransferError::Chain { .. }
        | TransferError::RepeatedEpoch { .. }
        | TransferError::EpochTaken { .. }
        | TransferError::Mismatch { .. }
        | TransferError::Line { .. } => Failure::new(Exit::Damaged, error),
        TransferError::Io { error: cause, .. } if cause.kind() == io::ErrorKind::BrokenPipe => {
            Failure::unread()
        }
        TransferError::NoPool { .. }
        | TransferError::PoolExists { .. }
        | TransferError::Sealed { .. }
        | TransferError::Trimmed { .. }
        | TransferError::KeysLost { .. }
        | TransferError::Io { .. }
        | TransferError::Lease { .. }
        | TransferError::Read { .. }
        | TransferError::Append { .. }
        | TransferError::Unfinished { .. }
        | TransferError::NoMove { .. }
        | TransferError::OtherMove { .. }
        | TransferError::MoveUnfinished { .. }
        | TransferError::PoolArrived { .. }
        | TransferError::PoolInTheWay { .. }
        | TransferError::NotArrived { .. } => Failure::failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::check_names;

    #[test]
    fn the_fields_of_a_carried_pool_are_all_known() {
        let carried = Carried {
            pool: heronry_types::PoolId::parse("p").unwrap(),
            head: heronry_types::Cursor::new(
                heronry_types::Epoch([0; 16]),
                heronry_types::Position(1),
            ),
            chunks: 1,
            contents: 1,
        };
        check_names(&carried, &CARRIED_FIELDS);
    }
}
