//! Looking at a store leaves it as it is, damaged or not; and so does a start that is refused.

use std::{fs, sync::Arc};

use heronry_store::{Store, StoreError};
use heronry_store_redb::RedbStore;
use heronry_testkit::{
    Harm, HarmedFile, Outcomes,
    recovery::{RecoveryWriter, read_back},
};

use crate::disk::StoreDirectory;

/// The size of a page of redb's, in bytes.
const PAGE: usize = 4096;
const COMMITS: u64 = 20;

fn look(folder: &StoreDirectory) -> Result<Store, StoreError> {
    let store = RedbStore::open_to_read(folder.file())?;
    Ok(Store::of(Arc::new(store)))
}

fn written(folder: &StoreDirectory) -> RecoveryWriter {
    let mut writer = folder.writer();
    for _ in 0..COMMITS {
        writer.write(2).unwrap();
    }
    writer
}

fn stopped() -> Vec<u8> {
    let folder = StoreDirectory::new();
    drop(written(&folder));
    folder.bytes()
}

fn killed() -> Vec<u8> {
    let folder = StoreDirectory::new();
    let writer = written(&folder);
    let file = folder.bytes();
    drop(writer);
    file
}

/// Harms a file in many ways, and hands each over with what was done.
fn harm(good: &[u8], mut see: impl FnMut(&[u8], Harm)) {
    let used = good.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for HarmedFile { harm, .. } in Harm::to_files(&[used], PAGE) {
        let mut file = good.to_vec();
        harm.apply(&mut file);
        see(&file, harm);
    }
}

/// The result of reading a store.
enum Found {
    /// All of it, or an error.
    All(Option<StoreError>),
    /// All but its last commit, for which redb took the damage: a power cut may leave one so. The
    /// file alone cannot tell them apart.
    WithoutLastCommit,
}

fn read(opened: Result<Store, StoreError>, again: impl Fn() -> Result<Store, StoreError>) -> Found {
    read_back(opened, COMMITS).map_or_else(
        |_| {
            assert!(read_back(again(), COMMITS - 1).unwrap().is_none());
            Found::WithoutLastCommit
        },
        Found::All,
    )
}

/// Looks at a store and reads all of it, and checks that not a byte of it changed.
fn check_looking(file: &[u8]) -> Found {
    let folder = StoreDirectory::put(file);
    let found = read(look(&folder), || look(&folder));
    assert!(folder.bytes() == file, "looking has changed the store");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    found
}

/// The results of reading damaged stores.
#[derive(Debug, Default)]
struct Seen {
    outcomes: Outcomes,
    without_last_commit: usize,
}

impl Seen {
    /// Takes up what was read, and returns true when it was refused.
    fn note(&mut self, what: Harm, found: &Found) -> bool {
        match found {
            Found::All(error) => self.outcomes.note(what, error.as_ref()).unwrap(),
            Found::WithoutLastCommit => {
                self.without_last_commit += 1;
                false
            }
        }
    }

    #[expect(clippy::print_stdout, reason = "a test reports its figures")]
    fn report(&self, name: &str) {
        println!("redb, {name}: {self:?}");
        assert!(self.outcomes.refused > self.outcomes.without_effect / 8);
        let is_rare = self.without_last_commit < self.outcomes.refused;
        assert!(is_rare && (name != "stopped" || self.without_last_commit == 0));
    }
}

#[test]
fn looking_at_a_damaged_store_leaves_it_as_it_is() {
    for (name, good) in [("stopped", stopped()), ("killed", killed())] {
        assert!(matches!(check_looking(&good), Found::All(None)));
        let mut seen = Seen::default();
        harm(&good, |file, what| {
            seen.note(what, &check_looking(file));
        });
        seen.report(name);
    }
}

#[test]
fn a_damaged_store_that_is_refused_keeps_its_bytes() {
    for (name, good) in [("stopped", stopped()), ("killed", killed())] {
        let mut seen = Seen::default();
        harm(&good, |file, what| {
            let folder = StoreDirectory::put(file);
            let opened = folder.open();
            let is_opened = opened.is_ok();
            let found = read(opened, || folder.open());
            if seen.note(what, &found) && !is_opened {
                assert!(folder.bytes() == file, "{what:?}: the store was changed");
            }
        });
        seen.report(name);
    }
}
