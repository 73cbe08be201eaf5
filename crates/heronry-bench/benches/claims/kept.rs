//! Keeping the claims of messages, as many at a time as the engine hands over, and looking them up.

use std::{io::Write, os::unix::fs::MetadataExt, path::Path, sync::Arc, time::Instant};

use futures::executor::block_on;
use heronry_store::{FencingToken, KeyHash, KeyedEntry, Store};
use heronry_store_memory::MemoryStore;
use heronry_store_redb::RedbStore;
use heronry_store_sled::SledStore;
use heronry_types::{PoolId, RunId, Timestamp};

use crate::{
    memory::resident,
    names::{checkpoint, claims_of, entry},
    time::Moment,
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Memory,
    Redb,
    Sled,
}

/// The number of messages whose claims are handed over at once.
const RUN: u64 = 4_096;
/// The number of messages whose names are looked up at once.
const BATCH: u64 = 256;
/// The number of messages that are looked up for a figure.
const LOOKED_UP: u64 = 20 * BATCH;

/// Fills a store, and prints a line whenever there are ten times as many messages.
pub(crate) fn run((kind, name): (Kind, &str), most: u64) {
    let folder = tempfile::tempdir().unwrap();
    let before = resident();
    let filling = Filling::begin(kind, folder.path());
    let (mut spent, mut passed) = (0.0, 0.0);
    let mut longest = 0.0_f64;
    let mut messages = 0;
    let mut next = 10_000;
    while messages < most {
        let until = (messages + RUN).min(next);
        let [took, cpu] = filling.put(messages..until);
        (passed, spent) = (passed + took, spent + cpu);
        longest = longest.max(took);
        messages = until;
        if messages == next.min(most) {
            let count = messages as f64;
            let new = filling.look_up(messages..messages + LOOKED_UP);
            let old = filling.look_up_old(messages);
            let file = disk_bytes(folder.path());
            say(&format!(
                "{name} {messages:>9} messages: put {:.2} µs each, {:.2} µs of the processors, \
                 at most {:.1} ms at once; \
                 new names looked up {new:.2} µs, old ones {old:.2} µs; \
                 {:.1} B each in memory, {:.1} B on the disk",
                passed / count,
                spent / count,
                longest / 1e3,
                (resident() - before) / count,
                file / count,
            ));
            next *= 10;
        }
    }
    filling.reopen((kind, name), folder.path(), messages);
}

/// Opens the store in a folder, which is empty or has it.
pub(crate) fn open(kind: Kind, folder: &Path) -> Store {
    let place = folder.join("store");
    match kind {
        Kind::Memory => Store::of(Arc::new(MemoryStore::new())),
        Kind::Redb => Store::of(Arc::new(RedbStore::open_or_create(place).unwrap())),
        Kind::Sled => Store::of(Arc::new(SledStore::open_or_create(place).unwrap())),
    }
}

struct Filling {
    store: Store,
    pool: PoolId,
    run: RunId,
    token: FencingToken,
}

impl Filling {
    fn begin(kind: Kind, folder: &Path) -> Self {
        let store = open(kind, folder);
        let pool = PoolId::parse("a-pool").unwrap();
        let now = Timestamp::default();
        let token = block_on(
            store
                .leases
                .acquire(&pool, "bench", now, heronry_store::LEASE_TERM),
        )
        .unwrap();
        Self {
            store,
            pool,
            run: RunId::parse("run-of-a-member").unwrap(),
            token,
        }
    }

    /// Puts the claims of messages; returns the microseconds that passed, and those that the
    /// processors spent, beside making their names.
    fn put(&self, messages: std::ops::Range<u64>) -> [f64; 2] {
        let at = checkpoint(messages.end);
        let run: Vec<_> = messages
            .flat_map(|message| {
                claims_of(&self.run, message).map(|key| KeyedEntry::new(key, entry(message)))
            })
            .collect();
        let (start, spent) = (Instant::now(), Moment::of_process());
        block_on(self.store.keys.put_run(&self.pool, run, at, self.token)).unwrap();
        [start.elapsed().as_secs_f64() * 1e6, spent.micros()]
    }

    /// Looks up names that nobody used; returns the microseconds for each message.
    fn look_up(&self, messages: std::ops::Range<u64>) -> f64 {
        let count = messages.end - messages.start;
        let mut spent = 0.0;
        for first in messages.step_by(usize::try_from(BATCH).unwrap()) {
            let keys: Vec<KeyHash> = (first..first + BATCH)
                .flat_map(|message| claims_of(&self.run, message))
                .collect();
            let start = Instant::now();
            let found = block_on(self.store.keys.find(&self.pool, &keys)).unwrap();
            spent += start.elapsed().as_secs_f64();
            assert!(found.iter().all(Option::is_none), "nobody used it");
        }
        spent * 1e6 / count as f64
    }

    /// Looks up names that were used, all over what there is; returns the microseconds for each message.
    fn look_up_old(&self, messages: u64) -> f64 {
        let mut spent = 0.0;
        for number in 0..LOOKED_UP {
            let message = number * (messages / LOOKED_UP).max(1) % messages;
            let keys = claims_of(&self.run, message);
            let start = Instant::now();
            let found = block_on(self.store.keys.find(&self.pool, &keys)).unwrap();
            spent += start.elapsed().as_secs_f64();
            assert_eq!(found, vec![Some(entry(message)); 2], "it was put");
        }
        spent * 1e6 / LOOKED_UP as f64
    }

    /// Opens the store again and looks at where the claims stand.
    fn reopen(self, (kind, name): (Kind, &str), folder: &Path, messages: u64) {
        if kind == Kind::Memory {
            return;
        }
        drop(self);
        let before = resident();
        let start = Instant::now();
        let again = Self::begin(kind, folder);
        let took = start.elapsed().as_secs_f64();
        let at = block_on(again.store.keys.checkpoint(&again.pool)).unwrap();
        assert_eq!(at, Some(checkpoint(messages)));
        let old = again.look_up_old(messages);
        say(&format!(
            "{name} opened again: {:.1} ms, {:.1} B each in memory, old names {old:.2} µs",
            took * 1e3,
            (resident() - before) / messages as f64,
        ));
    }
}

/// Returns the number of bytes that a folder takes on the disk.
fn disk_bytes(folder: &Path) -> f64 {
    let mut bytes = 0.0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let found = entry.metadata().unwrap();
        bytes += if found.is_dir() {
            disk_bytes(&entry.path())
        } else {
            found.blocks() as f64 * 512.0
        };
    }
    bytes
}

pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
}
