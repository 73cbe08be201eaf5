//! Walks over crashes, failures and damage, for adapters whose device can be watched.
//!
//! An adapter's own tests cut its files off, fail an operation, or flip a bit; what must hold
//! afterwards is the same for every adapter, and stands here. The calls block their thread.

use std::{
    io,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use futures::executor::block_on;
use heronry_store::{
    AppendError, CommitOutcome, ContentPlace, FencingToken, Guard, Head, JournalExt, ReadError,
    Store, StoreError, StoreErrorKind, Stored,
};
use heronry_types::{Body, Position};

use crate::{conformance::Failure, sample};

/// Owns the first pool of a store and writes to it.
#[derive(Debug)]
pub struct RecoveryWriter {
    /// The store.
    pub store: Store,
    /// The token of the pool.
    pub token: FencingToken,
    /// The head of the pool after the last write of this writer.
    pub head: Option<Head>,
}

impl RecoveryWriter {
    /// Acquires the first pool of a store.
    ///
    /// # Errors
    /// [`Failure`] when the pool cannot be acquired, or its head cannot be read.
    pub fn of(store: Store) -> Result<Self, Failure> {
        let pool = sample::pool(1);
        let acquire =
            store
                .leases
                .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM);
        let token = block_on(acquire)?;
        let head = block_on(store.journal.head(&pool))?;
        Ok(Self { store, token, head })
    }

    /// Appends one chunk with these many records, and one content.
    ///
    /// # Errors
    /// As the append.
    pub fn write(&mut self, records: u64) -> Result<Head, AppendError> {
        self.append(records, sample::body(self.position().0))
    }

    /// Appends one chunk with these many records, and a content of so many bytes.
    ///
    /// # Errors
    /// As the append.
    pub fn write_large(&mut self, records: u64, bytes: usize) -> Result<Head, AppendError> {
        self.append(records, large(bytes, self.position()))
    }

    /// Deletes the pool, and has the store do a few things for others after it, so that the remains
    /// of the pool are removed between them.
    ///
    /// # Errors
    /// As the deletion, and as the acquiring of pools.
    pub fn delete(self, mut is_deleted: impl FnMut()) -> Result<(), Failure> {
        let Self { store, token, .. } = self;
        block_on(store.journal.delete(&sample::pool(1), token))?;
        is_deleted();
        for number in 2..6 {
            let pool = sample::pool(number);
            block_on(store.leases.acquire(
                &pool,
                "a test",
                sample::time(0),
                heronry_store::LEASE_TERM,
            ))?;
        }
        Ok(())
    }

    fn position(&self) -> Position {
        self.head.map_or(Position::ZERO, |head| head.head)
    }

    fn append(&mut self, records: u64, body: Body) -> Result<Head, AppendError> {
        let expected_head = self.position();
        let guard = Guard {
            expected_head,
            token: self.token,
        };
        let content_ref = sample::content_ref(expected_head.0);
        let mut commit = sample::commit(self.head, records);
        commit.contents = vec![heronry_store::NewContent::new(content_ref, body)];
        let pool = sample::pool(1);
        let head = block_on(self.store.journal.append(&pool, commit, guard))?;
        self.head = Some(head);
        Ok(head)
    }
}

/// Returns a body of this many bytes, which no other position has.
pub fn large(bytes: usize, position: Position) -> Body {
    let byte = |n: usize| (n * 7 + n / 251).to_le_bytes()[0] ^ position.0.to_le_bytes()[0];
    Body::new(Body::BINARY, (0..bytes).map(byte).collect::<Vec<u8>>())
}

/// Fails the operation with a number, counted from 0. Clones count together.
#[derive(Clone, Debug)]
pub struct Countdown {
    left: Arc<Mutex<Option<usize>>>,
}

impl Countdown {
    /// Returns a countdown to the operation with this number.
    pub fn to(number: usize) -> Self {
        let left = Arc::new(Mutex::new(Some(number)));
        Self { left }
    }

    /// Counts an operation, before it happens.
    ///
    /// # Errors
    /// The failure, when this is the operation that is to fail.
    pub fn count(&self) -> io::Result<()> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, end) = match *left {
            None => (None, Ok(())),
            Some(0) => (
                None,
                Err(io::Error::other("the test failed this operation")),
            ),
            Some(number) => (Some(number - 1), Ok(())),
        };
        *left = next;
        end
    }

    /// Returns true when the operation that was to fail came.
    pub fn has_failed(&self) -> bool {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.is_none()
    }
}

/// The heads that were acknowledged, each with the number of operations of a device before it.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged {
    heads: Vec<(usize, u64)>,
}

impl Acknowledged {
    /// Notes that a head was acknowledged after this many operations.
    pub fn note(&mut self, operations: usize, head: Head) {
        self.heads.push((operations, head.head.0));
    }

    /// Returns the head that was acknowledged after this many operations.
    pub fn after(&self, operations: usize) -> u64 {
        let before = self.heads.iter().filter(|(count, _)| *count <= operations);
        before.map(|(_, head)| *head).max().unwrap_or(0)
    }
}

/// Checks that a store holds whole commits of two records each, with these contents, up to a head
/// that may be any of these, and returns the head.
///
/// # Errors
/// [`Failure`] when anything else is there.
pub fn check_whole(
    store: &Store,
    heads: RangeInclusive<u64>,
    body: impl Fn(u64) -> Body,
) -> Result<u64, Failure> {
    let pool = sample::pool(1);
    let head = block_on(store.journal.head(&pool))?;
    let (head, floor) = head.map_or((0, 1), |head| (head.head.0, head.floor.0));
    if !heads.contains(&head) || head % 2 != 0 {
        let what = format!("the head is {head}, not an even one of {heads:?}");
        return Err(Failure::new(what));
    }
    let mut after = Position(floor - 1);
    while after.0 < head {
        let page = block_on(store.journal.records(&pool, after, 0))?;
        let page = page.ok_or_else(|| Failure::new(format!("nothing follows {after}")))?;
        for record in &page.records {
            check_record(record)?;
        }
        let (name, at) = (sample::content_ref(after.0), ContentPlace::With(page.last));
        let content = block_on(store.contents.get(&pool, name, at))?;
        if content.and_then(Stored::body) != Some(body(after.0)) {
            return Err(Failure::new(format!("the body of {after} is another")));
        }
        after = page.last;
    }
    Ok(head)
}

/// The remains of a pool whose deletion was cut off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PoolRemains {
    /// All of the pool is there.
    Whole,
    /// Nothing of the pool is there.
    Nothing,
}

/// Checks that a store holds all of a pool whose deletion was cut off, up to this head, or nothing of it;
/// and that the pool begins anew when it is gone.
///
/// # Errors
/// [`Failure`] when anything else is there.
pub fn check_whole_or_deleted(store: Store, head: u64) -> Result<PoolRemains, Failure> {
    let pool = sample::pool(1);
    if block_on(store.journal.head(&pool))?.is_some() {
        check_whole(&store, head..=head, sample::body)?;
        return Ok(PoolRemains::Whole);
    }
    let contents = &store.contents;
    let with = block_on(contents.list_with(&pool, Position::ZERO, usize::MAX))?;
    if !with.is_empty() {
        return Err(Failure::new("bodies of a pool that is gone are there"));
    }
    let mut writer = RecoveryWriter::of(store)?;
    writer.write(2)?;
    check_whole(&writer.store, 2..=2, sample::body)?;
    Ok(PoolRemains::Nothing)
}

fn check_record(record: &heronry_journal::Record) -> Result<(), Failure> {
    if record.entry == sample::entry(record.position.0) {
        return Ok(());
    }
    let at = record.position;
    Err(Failure::new(format!("the record at {at} is another")))
}

/// Reads what so many [writes](RecoveryWriter::write) of two records each left, after the store was
/// damaged, and returns the error that says so; nothing when all of it is there.
///
/// # Errors
/// [`Failure`] when a wrong value is read, or something is missing and nobody says so.
pub fn read_back(
    opened: Result<Store, StoreError>,
    commits: u64,
) -> Result<Option<StoreError>, Failure> {
    let store = match opened {
        Ok(store) => store,
        Err(error) => return Ok(Some(error)),
    };
    let pool = sample::pool(1);
    let mut after = Position::ZERO;
    loop {
        match block_on(store.journal.records(&pool, after, 1_500)) {
            Ok(None) => break,
            Ok(Some(page)) => {
                page.records.iter().try_for_each(check_record)?;
                after = page.last;
            }
            Err(ReadError::Store(error)) => return Ok(Some(error)),
            Err(error) => return Err(Failure::new(format!("damage was taken for {error:?}"))),
        }
    }
    if after != Position(commits * 2) {
        return Err(Failure::new("records are missing, and nobody says so"));
    }
    for commit in 0..commits {
        let (name, first) = (sample::content_ref(commit * 2), Position(commit * 2 + 1));
        match block_on(store.contents.get(&pool, name, ContentPlace::With(first))) {
            Err(error) => return Ok(Some(error)),
            // The journal says that it is there, so its absence is seen.
            Ok(None) => {
                let kind = StoreErrorKind::Corrupt;
                return Ok(Some(StoreError::new(
                    kind,
                    "get content",
                    "a body is missing",
                )));
            }
            Ok(Some(Stored::Kept(found))) if found.body == sample::body(commit * 2) => {}
            Ok(Some(_)) => return Err(Failure::new(format!("the body at {first} is another"))),
        }
    }
    Ok(None)
}

/// Fails each operation of opening a store, owning a pool, writing to it and closing it, one in
/// each round, and returns the number of operations. After each the store must be closed, and lose
/// nothing.
///
/// `place` makes a fresh place, `open` opens it, `failing` opens it so that a countdown is asked
/// before each operation of the device.
///
/// # Errors
/// [`Failure`] says which of these did not hold.
pub fn fail_each_operation<P>(
    place: impl Fn() -> P,
    open: impl Fn(&P) -> Result<Store, StoreError>,
    failing: impl Fn(&P, Countdown) -> Result<Store, StoreError>,
) -> Result<usize, Failure> {
    for number in 0.. {
        let place = place();
        RecoveryWriter::of(open(&place)?)?.write(2)?;
        let countdown = Countdown::to(number);
        let written = match failing(&place, countdown.clone()) {
            Ok(store) => write_or_fail(store)?,
            Err(_) => Written::None,
        };
        let found = match (countdown.has_failed(), written) {
            (false, Written::All) => return Ok(number),
            // It failed when the store was closed.
            (true, Written::All) => 4..=4,
            (true, Written::None) => 2..=2,
            (true, Written::Perhaps) => 2..=4,
            (has_failed, written) => {
                let what = format!("operation {number} failed: {has_failed}, written: {written:?}");
                return Err(Failure::new(what));
            }
        };
        check_whole(&open(&place)?, found, sample::body)?;
    }
    Ok(usize::MAX)
}

/// The outcome of a write to a failing device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Written {
    All,
    Perhaps,
    None,
}

fn write_or_fail(store: Store) -> Result<Written, Failure> {
    let (clone, pool) = (store.clone(), sample::pool(1));
    let acquire = store
        .leases
        .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM);
    let Ok(token) = block_on(acquire) else {
        return check_closed(&clone).map(|()| Written::None);
    };
    let head = block_on(store.journal.head(&pool))?;
    let mut writer = RecoveryWriter { store, token, head };
    match writer.write(2) {
        Ok(_) => Ok(Written::All),
        Err(AppendError::Store {
            outcome: CommitOutcome::Unknown,
            ..
        }) => check_closed(&clone).map(|()| Written::Perhaps),
        Err(error) => Err(error.into()),
    }
}

/// Checks that a store is closed, and says so.
///
/// # Errors
/// [`Failure`] when it is not closed.
pub fn check_closed(store: &Store) -> Result<(), Failure> {
    match block_on(store.journal.pools()) {
        Err(error) if error.kind() == StoreErrorKind::Closed => Ok(()),
        end => Err(Failure::new(format!("the store is not closed: {end:?}"))),
    }
}
