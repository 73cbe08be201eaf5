//! A store that was killed and then harmed says so, or has lost nothing that was acknowledged: where the
//! store itself takes the harm for the tail of a crash, its mark tells.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures::executor::block_on;
use heronry_runtime::marks::{MarkKeeper, MarkedStore, Marks, rolled_back};
use heronry_store::{
    ConsumerCursor, ConsumerId, ConsumerStanding, ContentPlace, FilterFingerprint, Store,
    StoreError,
};
use heronry_store_redb::RedbStore;
use heronry_store_sled::SledStore;
use heronry_testkit::{
    Harm, HarmedFile, Outcomes,
    recovery::{RecoveryWriter, read_back},
    sample,
};
use heronry_tests::StoreKind;
use heronry_types::{Cursor, Position};

use crate::place::MemoryMark;

const COMMITS: u64 = 20;
/// The number of the body that is stored by itself.
const ALONE: u64 = 777;
/// The size in bytes of what a database reads at once, at whose beginning it keeps what it needs first.
const REGION: usize = 4096;

/// The commit that was the last before the kill.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Last {
    /// One of records.
    Append,
    /// One of a body that no record names yet.
    Body,
    /// One of where a consumer stands.
    Cursor,
}

/// The files of a store that was killed, and its mark.
#[derive(Clone)]
struct Killed {
    kind: StoreKind,
    files: BTreeMap<PathBuf, Vec<u8>>,
    mark: Vec<u8>,
}

impl Killed {
    /// Fills a store and takes its files while it is open.
    fn after(kind: StoreKind, last: Last) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Arc::new(MemoryMark::default());
        let store = kind.open_in(folder.path()).unwrap();
        let MarkedStore {
            store,
            keeper: _keeper,
        } = MarkKeeper::over(store, place.open());
        let mut writer = RecoveryWriter::of(store).unwrap();
        for _ in 0..COMMITS {
            writer.write(2).unwrap();
        }
        write_last(&writer, last);
        let mut files = BTreeMap::new();
        take(&mut files, folder.path(), Path::new(""));
        let mark = place.bytes().unwrap();
        Self { kind, files, mark }
    }

    fn put(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in &self.files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        if self.kind == StoreKind::Sled {
            fs::create_dir_all(folder.path().join("store.sled/blobs")).unwrap();
        }
        folder
    }

    /// Harms the files in many ways, the mark as well, and hands each over with what was done.
    fn harmed(&self) -> impl Iterator<Item = (Self, String)> + '_ {
        let names: Vec<_> = self.files.keys().collect();
        let files = self.files.values().map(|bytes| used(bytes));
        let lengths: Vec<_> = files.chain([used(&self.mark)]).collect();
        let harms = Harm::to_files(&lengths, REGION);
        harms.into_iter().map(move |HarmedFile { file, harm }| {
            let (mut harmed, name) = (self.clone(), names.get(file));
            let bytes = name.map_or(&mut harmed.mark, |name| {
                harmed.files.get_mut(*name).unwrap()
            });
            harm.apply(bytes);
            (harmed, format!("{name:?}: {harm:?}"))
        })
    }

    /// Looks at the store as `journal verify` does, and then opens it as a server does.
    fn seen(&self, what: &str) -> Seen {
        let folder = self.put();
        let looked = self.check(look(self.kind, folder.path()), what);
        let opened = self.check(self.kind.open_in(folder.path()), what);
        if looked == Seen::RolledBack {
            looked
        } else {
            opened
        }
    }

    fn check(&self, opened: Result<Store, StoreError>, what: &str) -> Seen {
        let lost = match &opened {
            Ok(store) => block_on(rolled_back(store, &Marks::decode(&self.mark))),
            Err(_) => Ok(Vec::new()),
        };
        match (lost, opened) {
            (Ok(lost), opened) if lost.is_empty() => {
                let mut outcomes = Outcomes::default();
                let found = read_back(opened, COMMITS).unwrap_or_else(|error| {
                    panic!("{what}: acknowledged records are gone, and nobody says so: {error}")
                });
                if outcomes.note(what, found.as_ref()).unwrap() {
                    Seen::Refused
                } else {
                    Seen::Whole
                }
            }
            (Ok(lost), _) => {
                assert_eq!(lost.len(), 1, "{what}: {lost:?}");
                Seen::RolledBack
            }
            (Err(error), _) => {
                Outcomes::default().note(what, Some(&error)).unwrap();
                Seen::Refused
            }
        }
    }
}

/// The outcome of harm.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Seen {
    /// The store says what is damaged.
    Refused,
    /// The mark says that the end is missing.
    RolledBack,
    /// All that was acknowledged is there.
    Whole,
}

fn write_last(writer: &RecoveryWriter, last: Last) {
    let (store, pool) = (&writer.store, sample::pool(1));
    match last {
        Last::Append => {}
        Last::Body => {
            let (name, body) = (sample::content_ref(ALONE), sample::body(ALONE));
            block_on(store.contents.put(&pool, name, body, writer.token)).unwrap();
        }
        Last::Cursor => {
            let ConsumerStanding { consumer, cursor } = consumer();
            block_on(store.cursors.commit(&pool, &consumer, None, cursor)).unwrap();
        }
    }
}

fn consumer() -> ConsumerStanding {
    let cursor = ConsumerCursor::new(
        Cursor::new(sample::EPOCH, Position(3)),
        FilterFingerprint([1; 32]),
    );
    let consumer = ConsumerId::parse("a").unwrap();
    ConsumerStanding { consumer, cursor }
}

fn take(files: &mut BTreeMap<PathBuf, Vec<u8>>, folder: &Path, below: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            take(files, &entry.path(), &name);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

fn look(kind: StoreKind, folder: &Path) -> Result<Store, StoreError> {
    Ok(match kind {
        StoreKind::Memory => unreachable!("a store in memory is not killed"),
        StoreKind::Redb => Store::of(Arc::new(RedbStore::open_to_read(
            folder.join("store.redb"),
        )?)),
        StoreKind::Sled => Store::of(Arc::new(SledStore::open_to_read(
            folder.join("store.sled"),
        )?)),
    })
}

/// Returns how many bytes of a file are used.
fn used(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1)
}

#[expect(clippy::print_stdout, reason = "a test reports its figures")]
fn report(what: &str, seen: &BTreeMap<Seen, usize>) {
    println!("{what}: {seen:?}");
}

/// Harms a store that was killed in many ways: no acknowledged record is gone without a word.
fn check_killed(kind: StoreKind) {
    let killed = Killed::after(kind, Last::Append);
    assert_eq!(killed.seen("no harm"), Seen::Whole);
    let mut seen = BTreeMap::new();
    for (harmed, what) in killed.harmed() {
        *seen.entry(harmed.seen(&what)).or_insert(0) += 1;
    }
    report(&format!("{kind:?}, killed"), &seen);
    assert!(seen[&Seen::Refused] > 0, "some of it hurts");
}

#[tokio::test]
async fn a_killed_redb_store_that_is_harmed_loses_nothing_silently() {
    check_killed(StoreKind::Redb);
}

#[tokio::test]
async fn a_killed_sled_store_that_is_harmed_loses_nothing_silently() {
    check_killed(StoreKind::Sled);
}

/// Returns the log of a sled store after each commit.
fn logs() -> (Killed, Vec<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let place = Arc::new(MemoryMark::default());
    let store = StoreKind::Sled.open_in(folder.path()).unwrap();
    let MarkedStore {
        store,
        keeper: _keeper,
    } = MarkKeeper::over(store, place.open());
    let mut writer = RecoveryWriter::of(store).unwrap();
    let (mut files, mut ends) = (BTreeMap::new(), Vec::new());
    for _ in 0..COMMITS {
        writer.write(2).unwrap();
        files.clear();
        take(&mut files, folder.path(), Path::new(""));
        ends.push(used(&files[Path::new("store.sled/db")]));
    }
    let (kind, mark) = (StoreKind::Sled, place.bytes().unwrap());
    (Killed { kind, files, mark }, ends)
}

#[tokio::test]
async fn a_killed_sled_log_that_ends_with_an_earlier_commit_is_told() {
    let (killed, ends) = logs();
    assert_eq!(killed.seen("no harm"), Seen::Whole);
    let mut seen = BTreeMap::new();
    for end in &ends[..ends.len() - 1] {
        let mut cut = killed.clone();
        let log = cut.files.get_mut(Path::new("store.sled/db")).unwrap();
        let length = log.len();
        log.truncate(*end);
        let mut zeros = cut.clone();
        let log = zeros.files.get_mut(Path::new("store.sled/db")).unwrap();
        log.resize(length, 0);
        for mut cut in [cut, zeros] {
            *seen.entry(cut.seen("a cut log")).or_insert(0) += 1;
            // Without what sled's adapter writes down about the log.
            cut.files.remove(Path::new("store.sled/mark")).unwrap();
            *seen.entry(cut.seen("a cut log")).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.get(&Seen::Whole), None, "{seen:?}");
    report("sled, killed, without its last commits", &seen);
}

/// Says whether the last commit is there; nothing when the store says that it is damaged.
fn is_there(harmed: &Killed, last: Last) -> Option<bool> {
    let folder = harmed.put();
    let store = harmed.kind.open_in(folder.path()).ok()?;
    let rolled = block_on(rolled_back(&store, &Marks::decode(&harmed.mark)));
    assert_eq!(rolled.ok()?, [], "the records are there");
    let pool = sample::pool(1);
    match last {
        Last::Append => Some(true),
        Last::Body => {
            let name = sample::content_ref(ALONE);
            let found = block_on(store.contents.get(&pool, name, ContentPlace::Alone)).ok()?;
            if let Some(found) = &found {
                assert_eq!(*found, sample::content(ALONE).stored);
            }
            Some(found.is_some())
        }
        Last::Cursor => {
            let found = block_on(store.cursors.list(&pool)).ok()?;
            assert!(found.is_empty() || found == [consumer()], "{found:?}");
            Some(!found.is_empty())
        }
    }
}

/// A last commit that was not of records may be gone with a store that falls back to the commit
/// before; whoever asks gets it whole, or not at all.
#[tokio::test]
async fn what_a_killed_redb_store_may_lose_beside_records_is_there_or_not() {
    for last in [Last::Body, Last::Cursor] {
        let killed = Killed::after(StoreKind::Redb, last);
        let found = killed.harmed().map(|(harmed, _)| is_there(&harmed, last));
        let found: Vec<_> = found.collect();
        let count = |what| found.iter().filter(|found| **found == what).count();
        let (there, gone, refused) = (count(Some(true)), count(Some(false)), count(None));
        let seen = [
            (Seen::Whole, there),
            (Seen::RolledBack, gone),
            (Seen::Refused, refused),
        ];
        report(&format!("redb, the last {last:?}"), &seen.into());
        assert!(there > gone, "{last:?}");
    }
}
