//! The suite of adapters that keep their store at a path of one machine: a file, or a directory.
//!
//! The conformance suite asks for the rules of the ports; this one asks for what files add to them:
//! creation that a kill cuts off, files that are no store, locks, devices that fail. An adapter
//! implements [`EmbeddedAdapter`] in its tests, and lists the cases with
//! [`embedded_cases!`](crate::embedded_cases), which makes a test of each.

pub mod creation;
pub mod failures;
mod image;
pub mod looking;
pub mod opening;
mod place;
pub mod sharing;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use heronry_store::{Store, StoreError};

use crate::{SyncGate, recovery::Countdown};

pub use image::{DeviceMoment, DeviceRecorder, Image};
pub use place::{EmbeddedPlace, check_refused};

/// An adapter under test that keeps one store at a path.
pub trait EmbeddedAdapter: Sized + 'static {
    /// The usual name of a store's file or directory.
    const NAME: &'static str;

    /// Creates an empty store.
    ///
    /// # Errors
    /// The store's failure.
    fn create(path: &Path) -> Result<Store, StoreError>;

    /// Opens a store that is there.
    ///
    /// # Errors
    /// The store's failure.
    fn open(path: &Path) -> Result<Store, StoreError>;

    /// Opens a store that is there, to look at it.
    ///
    /// # Errors
    /// The store's failure.
    fn open_to_read(path: &Path) -> Result<Store, StoreError>;

    /// Opens the store, and creates it when there is none.
    ///
    /// # Errors
    /// The store's failure.
    fn open_or_create(path: &Path) -> Result<Store, StoreError>;

    /// Opens or creates the store, and asks the device before each operation on its files.
    ///
    /// # Errors
    /// The store's failure.
    fn open_watched(path: &Path, device: Arc<dyn Device>) -> Result<Store, StoreError>;

    /// Returns every file and directory of a store that its process must be able to write to.
    fn written_paths(path: &Path) -> Vec<PathBuf>;

    /// Returns the file whose lock a creation holds, given its temporary path.
    fn creation_lock(creating: &Path) -> PathBuf;

    /// Returns further remains of a creation, beside those at each operation, given the last of them.
    fn partial_leftovers(whole: &Image) -> Vec<Image> {
        let _ = whole;
        Vec::new()
    }
}

/// A device that a test watches, holds or fails.
pub trait Device: fmt::Debug + Send + Sync {
    /// Returns whether the operation may happen.
    ///
    /// # Errors
    /// The error that the device is to answer instead.
    fn before(&self, op: DeviceOp) -> io::Result<()>;
}

/// An operation on the files of a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceOp {
    /// Bytes are read, or written, or a length is set.
    Transfer,
    /// The written bytes are made to last.
    Sync,
}

impl Device for SyncGate {
    fn before(&self, op: DeviceOp) -> io::Result<()> {
        match op {
            DeviceOp::Sync => self.before_sync(),
            DeviceOp::Transfer => Ok(()),
        }
    }
}

impl Device for Countdown {
    fn before(&self, _: DeviceOp) -> io::Result<()> {
        self.count()
    }
}

/// Makes a test of each case of the [embedded suite](crate::embedded), for one adapter.
///
/// The adapter is named by a path that begins with `crate`; the tests stand in a module for each room.
#[macro_export]
macro_rules! embedded_cases {
    ($adapter:ty) => {
        $crate::embedded_cases! { @rooms $adapter;
            creation {
                a_creation_that_is_under_way_elsewhere_is_left_alone
                a_failure_of_any_operation_leaves_no_store_or_an_empty_one
                a_kill_at_any_moment_leaves_a_leftover_that_is_removed
                a_leftover_beside_a_store_is_removed_at_opening
                files_and_directories_are_for_their_owner_alone
                what_is_there_already_is_left_as_it_is
            }
            failures {
                a_failure_of_any_operation_closes_the_store_and_loses_nothing
                the_cause_of_a_failure_is_told_by_its_call_and_by_all_later_ones
            }
            looking {
                a_store_that_may_only_be_read_is_looked_at_and_nothing_is_written
                what_is_written_to_a_store_that_is_looked_at_does_not_last
            }
            opening {
                a_place_without_a_store_is_said
                a_second_process_is_refused
                a_store_that_may_not_be_written_is_said
                what_is_not_a_store_is_refused_and_left_as_it_is
            }
            sharing {
                appends_that_queue_up_behind_a_sync_share_the_next_one
            }
        }
    };
    (@rooms $adapter:ty; $($room:ident { $($case:ident)* })*) => {
        $(mod $room {
            $(#[test]
            fn $case() -> Result<(), $crate::conformance::Failure> {
                $crate::embedded::$room::$case::<$adapter>()
            })*
        })*
    };
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn every_case_is_listed() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let suite = fs::read_to_string(source.join("embedded.rs")).unwrap();
        let list = suite.split_once("macro_rules!").unwrap().1;
        let mut cases = 0;
        for room in ["creation", "failures", "looking", "opening", "sharing"] {
            let listed = list.split_once(&format!("{room} {{")).unwrap().1;
            let listed = listed.split_once('}').unwrap().0;
            let file = source.join("embedded").join(room).with_extension("rs");
            let code = fs::read_to_string(file).unwrap();
            let functions = code.lines().filter_map(|line| line.strip_prefix("pub fn "));
            for case in functions.map(|function| function.split_once('<').unwrap().0) {
                assert!(listed.split_whitespace().any(|name| name == case), "{case}");
                cases += 1;
            }
        }
        assert!(cases >= 14, "{cases} cases");
    }
}
