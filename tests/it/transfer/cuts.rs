//! A move that is cut off anywhere, with and without writes to both stores before it is ended: one store
//! serves every pool, with all its records.

use std::{fmt, sync::Arc};

use heronry_journal::{ChunkHash, ChunkWriter, RequestHash};
use heronry_store::{
    Checkpoint, Commit, Guard, Head, KeyEntry, KeyHash, KeyName, KeyedEntry, LeaseError, MoveRoute,
    NewContent, Store, StoreErrorKind, stands_on,
};
use heronry_store_memory::MemoryStore;
use heronry_store_redb::RedbStore;
use heronry_store_sled::SledStore;
use heronry_testkit::{FaultStore, Faults, Faulty, ManualClock, SeededIds, sample};
use heronry_tests::StoreKind;
use heronry_transfer::{self as transfer, Carrier, TransferError};
use heronry_types::{Body, Epoch, Id, PoolId, Position};

use crate::cut::{Process, WriteFate};

/// The place of a store, which a process opens and closes.
struct Side {
    kind: StoreKind,
    folder: tempfile::TempDir,
    /// The store in memory, behind injected faults. Its content stays when a process ends.
    memory: Option<Faults>,
}

impl Side {
    fn new(kind: StoreKind) -> Self {
        let memory = || FaultStore::over(Store::of(Arc::new(MemoryStore::new()))).faults;
        Self {
            kind,
            folder: tempfile::tempdir().unwrap(),
            memory: (kind == StoreKind::Memory).then(memory),
        }
    }

    /// Opens it, sealed or not, as a new process does.
    async fn open_to_carry(&mut self) -> Store {
        let path = self.folder.path().join("store");
        match self.kind {
            StoreKind::Memory => self.reopen().await,
            StoreKind::Redb if path.exists() => {
                Store::of(Arc::new(RedbStore::open_to_move(path).unwrap()))
            }
            StoreKind::Sled if path.exists() => {
                Store::of(Arc::new(SledStore::open_to_move(path).unwrap()))
            }
            StoreKind::Redb | StoreKind::Sled => self.open_to_use().await.unwrap(),
        }
    }

    /// Opens it to work with it; nothing when it is sealed.
    async fn open_to_use(&mut self) -> Option<Store> {
        let path = self.folder.path().join("store");
        let opened = match self.kind {
            StoreKind::Memory => {
                let store = self.reopen().await;
                let sealed = store.custody.sealed().await.unwrap();
                return sealed.is_none().then_some(store);
            }
            StoreKind::Redb => {
                RedbStore::open_or_create(path).map(|store| Store::of(Arc::new(store)))
            }
            StoreKind::Sled => {
                SledStore::open_or_create(path).map(|store| Store::of(Arc::new(store)))
            }
        };
        match opened {
            Ok(store) => Some(store),
            Err(error) if error.kind() == StoreErrorKind::Sealed => None,
            Err(error) => panic!("{error}"),
        }
    }

    async fn reopen(&mut self) -> Store {
        let before = self.memory.take().unwrap();
        let Faulty { store, faults } = before.reopen().await.unwrap();
        self.memory = Some(faults);
        store
    }

    /// Appends a chunk to a pool where it can be used, or begins it; returns its head.
    async fn write(
        &mut self,
        pool: &PoolId,
        commit: impl FnOnce(Option<Head>) -> Commit,
    ) -> Option<Head> {
        let store = self.open_to_use().await?;
        let token = match store
            .leases
            .acquire(pool, "a writer", sample::time(0), heronry_store::LEASE_TERM)
            .await
        {
            Ok(token) => token,
            Err(LeaseError::Reserved { route }) => {
                let line = route.to_string();
                assert!(
                    line.contains("--resume") && line.contains("--abandon"),
                    "{line}"
                );
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let head = store.journal.head(pool).await.unwrap();
        let guard = Guard {
            expected_head: head.map_or(Position::ZERO, |head| head.head),
            token,
        };
        let head = store.journal.append(pool, commit(head), guard).await;
        store.leases.release(pool, token).await.unwrap();
        Some(head.unwrap())
    }

    /// Drops the first records of a pool, one of which was decided under the key.
    async fn trim(&mut self, pool: &PoolId) {
        let store = self.open_to_use().await.unwrap();
        let (leases, now) = (&store.leases, sample::time(0));
        let owned = leases.acquire(pool, "a trimmer", now, heronry_store::LEASE_TERM);
        let token = owned.await.unwrap();
        let head = store.journal.head(pool).await.unwrap().unwrap();
        let at = Checkpoint {
            epoch: head.epoch,
            position: head.head,
            hash: head.last_hash,
        };
        let run = vec![trimmed_key()];
        store.keys.put_run(pool, run, at, token).await.unwrap();
        let trimmed = sample::trim(&*store.journal, pool, Position(4), token).await;
        assert_eq!(trimmed.unwrap().floor, Position(4));
        leases.release(pool, token).await.unwrap();
    }

    /// Returns what it has under the key of a trimmed record.
    async fn trimmed_entry(&mut self, pool: &PoolId) -> Option<KeyEntry> {
        let store = self.open_to_use().await.unwrap();
        let found = store.keys.find(pool, &[trimmed_key().key]).await.unwrap();
        found[0]
    }

    /// Returns whether it serves a pool that holds all up to a head.
    async fn serves(&mut self, pool: &PoolId, head: Head) -> bool {
        let Some(store) = self.open_to_use().await else {
            return false;
        };
        let now = sample::time(0);
        let Ok(token) = store
            .leases
            .acquire(pool, "a server", now, heronry_store::LEASE_TERM)
            .await
        else {
            return false;
        };
        store.leases.release(pool, token).await.unwrap();
        let at = Checkpoint {
            epoch: head.epoch,
            position: head.head,
            hash: head.last_hash,
        };
        stands_on(&*store.journal, pool, at).await.unwrap()
    }
}

/// The key of a record that is trimmed.
fn trimmed_key() -> KeyedEntry {
    let name = KeyName::Key(Id::parse("trimmed").unwrap());
    let entry = KeyEntry {
        first: Position(2),
        request_hash: RequestHash([5; 16]),
    };
    KeyedEntry::new(KeyHash::new(&Id::parse("run").unwrap(), &name), entry)
}

/// A chunk with a body that is too large to share an append.
fn large(head: Option<Head>) -> Commit {
    let number = head.map_or(0, |head| head.head.0);
    let body = Body::text("x".repeat(200_000));
    Commit {
        contents: vec![NewContent::new(sample::content_ref(number), body)],
        ..sample::commit(head, 1)
    }
}

/// The first chunk of a pool on a timeline that no other pool has.
fn begun(epoch: u8, records: u64) -> Commit {
    let epoch = Epoch([epoch; 16]);
    let mut writer = ChunkWriter::new(epoch, Position::ZERO, ChunkHash::START, sample::time(0));
    for number in 1..=records {
        writer.push(&sample::entry(number)).unwrap();
    }
    Commit {
        chunks: writer.finish(),
        ..Commit::default()
    }
}

/// A chunk that follows, or begins a pool of another life.
fn next(head: Option<Head>) -> Commit {
    match head {
        Some(_) => sample::commit(head, 1),
        None => begun(0xff, 7),
    }
}

/// The writes between the cut and the end of a move.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Between {
    Nothing,
    Target,
    Source,
    Both,
}

/// The way in which a move that was cut off is ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum MoveEnd {
    Resumed,
    Abandoned,
    /// By the same call again.
    Repeated,
}

/// One move that is cut off.
#[derive(Clone, Copy)]
struct CutCase {
    stores: (StoreKind, StoreKind),
    at: u64,
    kept: WriteFate,
    between: Between,
    end: MoveEnd,
}

impl fmt::Display for CutCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stores,
            at,
            kept,
            between,
            end,
        } = self;
        write!(
            f,
            "{stores:?}, cut at write {at} (kept: {kept:?}), written: {between:?}, {end:?}"
        )
    }
}

fn carrier(seed: u64) -> Carrier {
    Carrier {
        clock: Arc::new(ManualClock::default()),
        ids: Arc::new(SeededIds::new(seed)),
        owner: "a test that moves".to_owned(),
    }
}

fn route() -> MoveRoute {
    MoveRoute {
        from: "here".to_owned(),
        to: "there".to_owned(),
    }
}

/// Ends a move in a new process.
async fn end(from: &Store, to: &Store, case: CutCase) -> Result<(), TransferError> {
    let (route, by) = (route(), carrier(case.at));
    match case.end {
        MoveEnd::Resumed => transfer::resume_move(from, to, &route, &by).await,
        MoveEnd::Abandoned => transfer::abandon_move(from, to, &route, &by).await,
        MoveEnd::Repeated => transfer::move_all(from, to, &route, &by).await,
    }
    .map(drop)
}

/// Moves two pools, cut off as the case says; returns false when the move was over before.
async fn check(case: CutCase) -> bool {
    let mut from = Side::new(case.stores.0);
    let mut to = Side::new(case.stores.1);
    let pools = [sample::pool(1), sample::pool(2)];
    let mut heads = Vec::new();
    for (number, pool) in (1..).zip(&pools) {
        from.write(pool, |_| begun(number, 2)).await.unwrap();
        // The first one takes several appends on its way.
        for _ in 0..(2 - number) * 3 {
            from.write(pool, large).await.unwrap();
        }
        heads.push(from.write(pool, next).await.unwrap());
    }
    // A store in memory has no keys after a restart, and a trimmed pool without them is not moved.
    if case.stores.0 != StoreKind::Memory {
        from.trim(&pools[0]).await;
        heads[0].floor = Position(4);
    }
    let process = Process::ending_at(case.at, case.kept);
    let moved = {
        let (source, target) = (from.open_to_carry().await, to.open_to_carry().await);
        let (source, target) = (process.opens(&source), process.opens(&target));
        transfer::move_all(&source, &target, &route(), &carrier(case.at)).await
    };
    assert_eq!(moved.is_ok(), !process.has_ended(), "{case}");
    if matches!(case.between, Between::Source | Between::Both) {
        for (pool, head) in pools.iter().zip(&mut heads) {
            let written = from.write(pool, next).await;
            *head = written.unwrap_or(*head);
        }
    }
    if matches!(case.between, Between::Target | Between::Both) {
        // A pool of another life, under the name of one that is on its way.
        if let Some(written) = to.write(&pools[0], next).await
            && from.open_to_use().await.is_none()
        {
            // The move was complete: the pool goes on there.
            heads[0] = written;
        }
    }
    let (source, target) = (from.open_to_carry().await, to.open_to_carry().await);
    let ended = end(&source, &target, case).await;
    drop((source, target));
    for (pool, head) in pools.iter().zip(&heads) {
        let serving = [from.serves(pool, *head).await, to.serves(pool, *head).await];
        let number = serving.iter().filter(|serves| **serves).count();
        assert_eq!(number, 1, "{case}: pool {pool}, {serving:?}, {ended:?}");
        if pool == &pools[0] && heads[0].floor == Position(4) {
            let serving = if serving[0] { &mut from } else { &mut to };
            let found = serving.trimmed_entry(pool).await;
            assert_eq!(found, Some(trimmed_key().entry), "{case}");
        }
    }
    check_end(case, ended);
    process.has_ended()
}

/// Checks what is said of the end.
#[track_caller]
fn check_end(case: CutCase, ended: Result<(), TransferError>) {
    match ended {
        Ok(()) => {}
        // Nothing of it had been done, or all.
        Err(TransferError::NoMove { .. }) => assert_ne!(case.end, MoveEnd::Repeated, "{case}"),
        Err(TransferError::PoolArrived { .. }) => {
            assert_eq!(case.end, MoveEnd::Abandoned, "{case}");
        }
        Err(TransferError::PoolExists { .. }) => {
            assert_eq!(case.end, MoveEnd::Repeated, "{case}");
            assert_ne!(case.between, Between::Nothing, "{case}");
        }
        Err(error) => panic!("{case}: {error}"),
    }
}

/// The cases that are tried at each write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cases {
    /// All of them.
    All,
    /// Another case at each write.
    ByTurns,
}

/// Cuts a move off at every write.
async fn at_every_write(stores: (StoreKind, StoreKind), cases: Cases) {
    let between = [
        Between::Nothing,
        Between::Target,
        Between::Source,
        Between::Both,
    ];
    let ends = [MoveEnd::Resumed, MoveEnd::Abandoned, MoveEnd::Repeated];
    let both = between.into_iter().flat_map(|it| ends.map(|end| (it, end)));
    let every = both.flat_map(|(between, end)| {
        [WriteFate::Yes, WriteFate::No].map(|kept| (between, end, kept))
    });
    let every: Vec<_> = every.collect();
    let (mut at, mut goes_on) = (0, true);
    while goes_on {
        at += 1;
        // Seven has no factor in common with their number.
        let turn = usize::try_from(at * 7).unwrap() % every.len();
        let tried = match cases {
            Cases::All => &every[..],
            Cases::ByTurns => &every[turn..=turn],
        };
        for (between, end, kept) in tried.iter().copied() {
            let case = CutCase {
                stores,
                at,
                kept,
                between,
                end,
            };
            goes_on = check(case).await;
        }
    }
    assert!(at > 12, "a move takes more than {at} writes");
}

#[tokio::test]
async fn memory_to_memory() {
    at_every_write((StoreKind::Memory, StoreKind::Memory), Cases::All).await;
}

#[tokio::test]
async fn redb_to_redb_by_turns() {
    at_every_write((StoreKind::Redb, StoreKind::Redb), Cases::ByTurns).await;
}

#[tokio::test]
async fn sled_to_sled_by_turns() {
    at_every_write((StoreKind::Sled, StoreKind::Sled), Cases::ByTurns).await;
}

#[tokio::test]
#[ignore = "by turns in the normal tier; every case in `cargo xtask prove`"]
async fn redb_to_redb() {
    at_every_write((StoreKind::Redb, StoreKind::Redb), Cases::All).await;
}

#[tokio::test]
#[ignore = "by turns in the normal tier; every case in `cargo xtask prove`"]
async fn redb_to_sled() {
    at_every_write((StoreKind::Redb, StoreKind::Sled), Cases::All).await;
}

#[tokio::test]
#[ignore = "by turns in the normal tier; every case in `cargo xtask prove`"]
async fn sled_to_redb() {
    at_every_write((StoreKind::Sled, StoreKind::Redb), Cases::All).await;
}

#[tokio::test]
#[ignore = "by turns in the normal tier; every case in `cargo xtask prove`"]
async fn sled_to_sled() {
    at_every_write((StoreKind::Sled, StoreKind::Sled), Cases::All).await;
}
