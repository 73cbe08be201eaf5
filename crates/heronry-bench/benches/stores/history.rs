//! A store with a long journal: how fast it is filled, read, opened again, and how much room it takes.

use std::{path::Path, time::Instant};

use heronry_journal::Chunk;
use heronry_store::{Commit, FencingToken, Store};
use heronry_types::Position;

use crate::{
    args::{Args, Part},
    bare::{Bare, CommitRow},
    disk,
    journal::{self, Journal},
    kind::Kind,
    message::BODY,
    report::{Line, Samples, bar_of},
    senders::runtime,
};

/// The most bytes of the journal in one read, as in the engine.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The number of slices in which both stores of a pair are filled, in turn.
const SLICES: usize = 10;

/// Measures what is wanted of one store.
pub(crate) async fn measure(kind: Kind, journal: &Journal, args: &Args) -> Vec<Line> {
    let folder = tempfile::tempdir().unwrap();
    let filled = Filled::fill(kind, folder.path(), journal).await;
    let rounds = args.size.rounds().div_ceil(2);
    let mut lines = Vec::new();
    if args.wants(Part::Append) {
        lines.push(filled.appended());
    }
    if args.wants(Part::Scan) {
        lines.push(filled.scan(rounds).await);
    }
    if args.wants(Part::Reopen) {
        lines.push(filled.reopen(rounds).await);
    }
    if args.wants(Part::Disk) && kind != Kind::Memory {
        lines.push(filled.disk());
    }
    lines
}

/// A store and a bare store with the same journal, both open.
struct Filled<'a> {
    kind: Kind,
    folder: &'a Path,
    journal: &'a Journal,
    store: Store,
    bare: Box<dyn Bare>,
    /// The speed at which both were filled.
    samples: Samples,
}

impl<'a> Filled<'a> {
    async fn fill(kind: Kind, folder: &'a Path, journal: &'a Journal) -> Self {
        let [place, bare_place] = ["engine", "bare"].map(|name| folder.join(name));
        for place in [&place, &bare_place] {
            std::fs::create_dir(place).unwrap();
        }
        let (store, bare) = (kind.open(&place), kind.open_bare(&bare_place));
        let mut filled = Self {
            kind,
            folder,
            journal,
            store,
            bare,
            samples: Samples::default(),
        };
        let token = journal.acquire(&filled.store).await;
        for commits in journal
            .commits
            .chunks(journal.commits.len().div_ceil(SLICES))
        {
            filled.append(token, commits).await;
        }
        journal.release(&filled.store, token).await;
        filled
    }

    /// Appends commits to the store, then to the bare one.
    async fn append(&mut self, token: FencingToken, commits: &[Commit]) {
        let (sends, owned) = ((commits.len() * journal::BATCH) as f64, commits.to_vec());
        let start = Instant::now();
        journal::append(&self.store, token, owned).await;
        let engine = sends / start.elapsed().as_secs_f64();
        let bodies = BODY.repeat(journal::BATCH);
        let start = Instant::now();
        for commit in commits {
            for chunk in &commit.chunks {
                self.bare.commit(CommitRow {
                    position: chunk.first().0,
                    chunk: chunk.bytes(),
                    bodies: bodies.get(..commit.contents.len() * BODY.len()).unwrap(),
                });
            }
        }
        let bare = sends / start.elapsed().as_secs_f64();
        self.samples.add("sends_per_s", engine);
        self.samples.add("bare_per_s", bare);
        self.samples.add("ratio", engine / bare);
    }

    /// Says how fast the store was filled, without an engine.
    fn appended(&self) -> Line {
        let of = |name| self.samples.median(name);
        let text = format!(
            "{:>8.0} sends/s  bare {:>8.0}  ratio {:.2}{}  batch {}",
            of("sends_per_s"),
            of("bare_per_s"),
            of("ratio"),
            bar_of(self.kind.bar(journal::BATCH), of("ratio")),
            journal::BATCH,
        );
        let name = format!("append-{}", self.kind.name());
        Line::new(name, text, &self.samples).timed("", 1e9 / of("sends_per_s"))
    }

    /// Reads and decodes every record.
    async fn scan(&self, rounds: usize) -> Line {
        let (mut samples, records) = (Samples::default(), self.journal.head.0);
        let per_second = |start: Instant| records as f64 / start.elapsed().as_secs_f64();
        for _ in 0..rounds {
            let start = Instant::now();
            assert_eq!(records_of(&self.store).await, records);
            let engine = per_second(start);
            let (start, mut read) = (Instant::now(), 0);
            self.bare.scan(&mut |row| {
                let chunk = Chunk::decode(row).unwrap();
                read += chunk.records().map(Result::unwrap).count() as u64;
            });
            let bare = per_second(start);
            assert_eq!(read, records);
            let (start, mut bytes) = (Instant::now(), 0);
            self.bare
                .scan(&mut |row| bytes += std::hint::black_box(row.to_vec()).len());
            samples.add("bare_rows_only_per_s", per_second(start));
            assert!(bytes > 0);
            samples.add("records_per_s", engine);
            samples.add("bare_per_s", bare);
            samples.add("ratio", engine / bare);
        }
        let of = |name| samples.median(name);
        let text = format!(
            "{:>8.0} records/s  bare, decoded {:>8.0}  ratio {:.2}  bare, not decoded {:.0}",
            of("records_per_s"),
            of("bare_per_s"),
            of("ratio"),
            of("bare_rows_only_per_s"),
        );
        let name = format!("scan-{}", self.kind.name());
        let nanoseconds = 1e9 / of("records_per_s");
        Line::new(name, text, &samples).timed("", nanoseconds)
    }

    /// Opens the store and the engine after the store was closed, and after it was killed.
    async fn reopen(&self, rounds: usize) -> Line {
        let mut samples = Samples::default();
        for _ in 0..rounds {
            if self.kind == Kind::Memory {
                samples.add("fold_s", fold(&self.store).await);
                continue;
            }
            let copies = tempfile::tempdir_in(self.folder).unwrap();
            for name in ["engine", "bare"] {
                disk::copy(&self.folder.join(name), &copies.path().join(name));
            }
            self.reopen_pair(copies.path(), ["killed_s", "bare_killed_s"], &mut samples);
            self.reopen_pair(copies.path(), ["open_s", "bare_open_s"], &mut samples);
            let store = self.kind.open(&copies.path().join("engine"));
            samples.add("fold_s", fold(&store).await);
        }
        let of = |name| samples.median(name) * 1e3;
        let (fold_ms, open_ms) = (of("fold_s"), of("open_s"));
        let name = format!("reopen-{}", self.kind.name());
        if self.kind == Kind::Memory {
            let text = format!("engine with fold {fold_ms:.0} ms");
            return Line::new(name, text, &samples).timed("-fold", fold_ms * 1e6);
        }
        let text = format!(
            "store {open_ms:.1} ms  bare {:.1}  after a kill {:.1}  bare {:.1}  engine with fold {fold_ms:.0} ms",
            of("bare_open_s"),
            of("killed_s"),
            of("bare_killed_s"),
        );
        Line::new(name, text, &samples)
            .timed("", open_ms * 1e6)
            .timed("-fold", fold_ms * 1e6)
    }

    /// Opens the copies of both stores, and closes them.
    fn reopen_pair(&self, copies: &Path, names: [&'static str; 2], samples: &mut Samples) {
        let [engine, bare] = names;
        let start = Instant::now();
        let store = self.kind.open(&copies.join("engine"));
        samples.add(engine, start.elapsed().as_secs_f64());
        drop(store);
        let start = Instant::now();
        let store = self.kind.open_bare(&copies.join("bare"));
        let last = store.last();
        samples.add(bare, start.elapsed().as_secs_f64());
        assert_eq!(last, self.bare.last());
    }

    fn disk(&self) -> Line {
        let sends = self.journal.sends as f64;
        let of = |name| disk::bytes(&self.folder.join(name)) as f64 / sends;
        let chunks = self.journal.commits.iter().flat_map(|one| &one.chunks);
        let chunk_bytes: usize = chunks.map(|chunk| chunk.bytes().len()).sum();
        let mut samples = Samples::default();
        samples.add("disk_bytes_per_send", of("engine"));
        samples.add("bare_disk_bytes_per_send", of("bare"));
        samples.add("chunk_bytes_per_send", chunk_bytes as f64 / sends);
        let text = format!(
            "{:.0} B/send on disk  bare {:.0}  chunks {:.0} and bodies {}",
            of("engine"),
            of("bare"),
            chunk_bytes as f64 / sends,
            BODY.len(),
        );
        Line::new(format!("disk-{}", self.kind.name()), text, &samples)
    }
}

/// Reads the journal as the engine does, and returns how many records it has.
async fn records_of(store: &Store) -> u64 {
    let (pool, mut after, mut records) = (journal::pool(), Position::ZERO, 0);
    loop {
        let page = store.journal.read(&pool, after, PAGE_BYTES).await.unwrap();
        let Some(last) = page.chunks.last() else {
            return records;
        };
        after = last.last();
        for chunk in &page.chunks {
            records += chunk.records().map(Result::unwrap).count() as u64;
        }
    }
}

/// Opens the pool in an engine, and returns how long it took, in seconds.
async fn fold(store: &Store) -> f64 {
    let runtime = runtime(store);
    let start = Instant::now();
    let pool = runtime.find(&journal::pool()).await.unwrap();
    let seconds = start.elapsed().as_secs_f64();
    drop(pool);
    runtime.shutdown().await;
    seconds
}
