//! A long journal, made by the engine alone, so that every store gets the same bytes.

use heronry_journal::{ChunkHash, ChunkWriter};
use heronry_pool::{
    Caller, Engine, Minter,
    decide::{Command, CreatePool},
    engine::{Append, LookedUp, Replay},
};
use heronry_store::{Commit, FencingToken, Guard, Store};
use heronry_types::{Durability, Epoch, PoolId, Position, Timestamp};

use crate::{
    args::Size,
    message::{join, message, spec},
};

/// Sends in one commit.
pub(crate) const BATCH: usize = 64;
/// Sends of the journal: two records each.
const SENDS: usize = 500_000;

const EPOCH: Epoch = Epoch([1; 16]);
const START_MS: i64 = 1_795_161_600_000;

/// A journal, as commits.
pub(crate) struct Journal {
    pub(crate) commits: Vec<Commit>,
    pub(crate) head: Position,
    pub(crate) sends: usize,
}

pub(crate) fn pool() -> PoolId {
    PoolId::parse("bench").unwrap()
}

/// Returns the journal of a pool with a million records, or fewer when there is little time.
pub(crate) fn make(size: Size) -> Journal {
    let (batches, minter) = (size.of(SENDS) / BATCH, Minter::new([7; 32]));
    let mut engine = Replay::new(pool(), EPOCH, minter.clone(), Durability::Fsync).finish();
    let mut writing = JournalWriting::default();
    let mut append = engine.begin(Timestamp::from_millis(START_MS));
    let (create, nothing) = (CreatePool { spec: spec() }, LookedUp::default());
    append.run(&mut engine, &create, None, nothing).unwrap();
    for name in ["reader-4f1c2b", "sender-9a07d3"] {
        let join = join(name);
        append.run(&mut engine, &join, None, nothing).unwrap();
    }
    writing.take(&mut engine, append);
    for batch in 0..batches {
        let after_ms = i64::try_from(batch).unwrap();
        let mut append = engine.begin(Timestamp::from_millis(START_MS + after_ms));
        for number in 0..BATCH {
            let key = format!("caller-{number}-message-{batch}");
            let send = message(&Caller::Operator, &key);
            let names = send.names(EPOCH, &minter);
            append
                .run(&mut engine, &send, names.as_ref(), nothing)
                .unwrap();
        }
        writing.take(&mut engine, append);
    }
    Journal {
        commits: writing.commits,
        head: writing.head,
        sends: batches * BATCH,
    }
}

struct JournalWriting {
    commits: Vec<Commit>,
    head: Position,
    hash: ChunkHash,
}

impl Default for JournalWriting {
    fn default() -> Self {
        Self {
            commits: Vec::new(),
            head: Position::ZERO,
            hash: ChunkHash::START,
        }
    }
}

impl JournalWriting {
    /// Takes what the engine has staged as one commit.
    fn take(&mut self, engine: &mut Engine, append: Append) {
        let staged = append.finish(engine);
        // The claims would go to the store of claims, which opening fills again.
        engine.hand_over_keys(engine.state().head());
        engine.keys_kept();
        let mut writer = ChunkWriter::new(EPOCH, self.head, self.hash, engine.state().time());
        for record in &staged.records {
            writer.push(&record.entry).unwrap();
        }
        let chunks = writer.finish();
        assert_eq!(chunks.len(), 1, "a commit of this size is one chunk");
        let last = chunks.last().unwrap();
        (self.head, self.hash) = (last.last(), last.hash());
        self.commits.push(Commit {
            chunks,
            contents: staged.contents,
            ..Commit::default()
        });
    }
}

impl Journal {
    /// Takes the pool of a store.
    pub(crate) async fn acquire(&self, store: &Store) -> FencingToken {
        let now = Timestamp::from_millis(START_MS);
        store
            .leases
            .acquire(&pool(), "fill", now, heronry_store::LEASE_TERM)
            .await
            .unwrap()
    }

    pub(crate) async fn release(&self, store: &Store, token: FencingToken) {
        let head = store.journal.head(&pool()).await.unwrap().unwrap();
        assert_eq!(head.head, self.head);
        store.leases.release(&pool(), token).await.unwrap();
    }
}

/// Appends commits to a store, one by one.
pub(crate) async fn append(store: &Store, token: FencingToken, commits: Vec<Commit>) {
    let pool = pool();
    for commit in commits {
        let first = commit.chunks.first().unwrap().first();
        let expected_head = Position(first.0 - 1);
        let guard = Guard {
            expected_head,
            token,
        };
        store.journal.append(&pool, commit, guard).await.unwrap();
    }
}
