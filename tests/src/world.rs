//! A store, a clock that the test moves, and a runtime over both.

use std::sync::Arc;

use heronry_event::filter::Filter;
use heronry_journal::Record;
use heronry_pool::{
    Caller, Joined, Sent,
    decide::{
        Content, FetchMessages, JoinPool, Select, SendMessage, SendRequest, StateDigest,
        WakeRequest,
    },
    engine::MATCHING_SLICE,
};
use heronry_runtime::{CallError, Pool, Runtime, RuntimeOptions};
use heronry_store::{IdSource, Store, StoreError};
use heronry_store_memory::MemoryStore;
use heronry_store_redb::RedbStore;
use heronry_store_sled::SledStore;
use heronry_testkit::{FaultStore, Faults, Faulty, ManualClock, SeededIds};
use heronry_types::{
    Address, AgentId, Body, Generation, IdempotencyKey, InstanceId, MessageId, Millis, PoolId,
    PoolSpec, Position, ReceiveId, RunId, TopicId, WakeId,
};

use crate::{as_many_as_asked, canary};

/// The adapter that a world stands on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoreKind {
    /// `heronry-store-memory`.
    Memory,
    /// `heronry-store-redb`.
    Redb,
    /// `heronry-store-sled`.
    Sled,
}

impl StoreKind {
    fn file_name(self) -> &'static str {
        match self {
            Self::Memory => "",
            Self::Redb => "store.redb",
            Self::Sled => "store.sled",
        }
    }

    /// Opens the store of this kind in a folder, and creates it when it is not there.
    ///
    /// # Errors
    /// The store's failure.
    pub fn open_in(self, folder: &std::path::Path) -> Result<Store, StoreError> {
        let place = folder.join(self.file_name());
        Ok(match self {
            Self::Memory => Store::of(Arc::new(MemoryStore::new())),
            Self::Redb => Store::of(Arc::new(RedbStore::open_or_create(place)?)),
            Self::Sled => Store::of(Arc::new(SledStore::open_or_create(place)?)),
        })
    }
}

/// The number of times that a scenario opens its store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Openings {
    /// Once: the scenario asks about the rules.
    Once,
    /// Again after a restart: the scenario also asks what the store keeps.
    Again,
}

/// A store, a clock that the test moves, and a runtime over both. Faults can be injected.
#[derive(Debug)]
pub struct World {
    /// The adapter of the store.
    pub kind: StoreKind,
    /// The clock.
    pub clock: ManualClock,
    /// The switch that makes the store fail.
    pub faults: Faults,
    /// The runtime.
    pub runtime: Runtime,
    effort: Effort,
    openings: Openings,
    store: Store,
    folder: Option<tempfile::TempDir>,
}

/// Parses an id that a test names.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident -> $id:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Panics
        /// Panics when the text is not an id.
        pub fn $name(text: &str) -> $id {
            $id::parse(text).unwrap()
        }
    )*};
}

ids! {
    /// Returns the run of this id.
    run -> RunId;
    /// Returns the agent of this id.
    agent -> AgentId;
    /// Returns the topic of this id.
    topic -> TopicId;
    /// Returns the pool of this id.
    pool -> PoolId;
    /// Returns the message of this id.
    message -> MessageId;
    /// Returns the wake of this id.
    wake -> WakeId;
    /// Returns the key of this text.
    key -> IdempotencyKey;
}

/// Returns a key that no other call in the test uses, from a number.
pub fn reply_key(number: u64) -> IdempotencyKey {
    key(&format!("key-{number}"))
}

/// Returns a text body that ends with [`canary::CANARY`].
pub fn body(text: &str) -> Content {
    Content::Inline(Body::text(canary::said(text)))
}

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
impl World {
    /// Returns a world on an empty store.
    ///
    /// # Panics
    /// Panics when the store cannot be created.
    #[expect(clippy::unused_async, reason = "as every other way to a world")]
    pub async fn new(kind: StoreKind) -> Self {
        let (inner, folder) = match kind {
            StoreKind::Memory => (Store::of(Arc::new(MemoryStore::new())), None),
            StoreKind::Redb | StoreKind::Sled => {
                let folder = tempfile::tempdir().unwrap();
                let store = kind.open_in(folder.path()).unwrap();
                (store, Some(folder))
            }
        };
        Self::over(kind, inner, (folder, 1))
    }

    /// Returns a world on an empty store, for a scenario that never closes it.
    ///
    /// # Panics
    /// Panics when the store cannot be created.
    pub async fn opened_once(kind: StoreKind) -> Self {
        let openings = Openings::Once;
        Self {
            openings,
            ..Self::new(kind).await
        }
    }

    /// Returns a world on the store in a folder that somebody else keeps.
    ///
    /// # Panics
    /// Panics when the store cannot be created.
    pub fn within(kind: StoreKind, folder: &std::path::Path) -> Self {
        Self::over(kind, kind.open_in(folder).unwrap(), (None, 1))
    }

    /// Returns a world on the store that another process has left behind in a folder; its clock begins
    /// anew.
    ///
    /// # Panics
    /// Panics when the store cannot be opened.
    pub fn left_behind(kind: StoreKind, folder: tempfile::TempDir) -> Self {
        let store = kind.open_in(folder.path()).unwrap();
        Self::over(kind, store, (Some(folder), 2))
    }

    fn over(
        kind: StoreKind,
        store: Store,
        (folder, life): (Option<tempfile::TempDir>, u64),
    ) -> Self {
        canary::watch();
        let Faulty { store, faults } = FaultStore::over(store);
        let clock = ManualClock::default();
        let effort = Effort::default();
        let runtime = runtime_of((&store, &clock), life, effort);
        Self {
            kind,
            clock,
            faults,
            runtime,
            effort,
            openings: Openings::Again,
            store,
            folder,
        }
    }

    /// Returns the world with a runtime that keeps so many finished messages in memory, instead of none;
    /// it has no pool open.
    #[must_use]
    pub fn keeping_finished(self, most: usize) -> Self {
        Self {
            effort: Effort {
                finished_kept: most,
                ..self.effort
            },
            ..self
        }
        .with_options(|options| options)
    }

    /// Returns the world with a runtime that matches events in slices of this size; it has no pool open.
    #[must_use]
    pub fn matching_in_slices_of(self, came_upon: usize) -> Self {
        Self {
            effort: Effort {
                matching_slice: came_upon,
                ..self.effort
            },
            ..self
        }
        .with_options(|options| options)
    }

    /// Returns the world with another runtime, whose options are changed; it has no pool open.
    #[must_use]
    pub fn with_options(self, change: impl FnOnce(RuntimeOptions) -> RuntimeOptions) -> Self {
        let options = options_of(&self.clock, Arc::clone(self.runtime.ids()), self.effort);
        Self {
            runtime: Runtime::new(self.store.clone(), change(options)),
            ..self
        }
    }

    /// Returns the store, past the runtime.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the store's file or directory, where it has one.
    pub fn file(&self) -> Option<std::path::PathBuf> {
        let folder = self.folder.as_ref()?;
        Some(folder.path().join(self.kind.file_name()))
    }

    /// Shuts the runtime down and starts a new one, as a clean restart does.
    ///
    /// On a store with a file the file is closed and opened again.
    ///
    /// # Panics
    /// Panics when the store cannot be opened again.
    #[must_use]
    pub async fn restart(self) -> Self {
        self.runtime.shutdown().await;
        self.reopen().await
    }

    /// Gives the runtime up without shutting it down, as a crash does, and starts a new one.
    ///
    /// # Panics
    /// Panics when the store cannot be opened again.
    #[must_use]
    pub async fn crash(self) -> Self {
        self.reopen().await
    }

    async fn reopen(self) -> Self {
        let Self {
            kind,
            clock,
            faults,
            runtime,
            effort,
            openings,
            store,
            folder,
        } = self;
        let again = Openings::Again;
        let belongs = "what closes its store stands in `on_every_store_that_is_reopened!`";
        assert_eq!(openings, again, "{belongs}");
        let Faulty { store, faults } = match kind {
            StoreKind::Memory => {
                drop(store);
                faults.reopen().await.unwrap()
            }
            StoreKind::Redb | StoreKind::Sled => {
                runtime.shutdown().await;
                drop((runtime.clone(), store, faults, runtime));
                let folder = folder.as_ref().unwrap().path();
                assert!(folder.join(kind.file_name()).exists(), "the store is gone");
                FaultStore::over(kind.open_in(folder).unwrap())
            }
        };
        let runtime = runtime_of((&store, &clock), 2, effort);
        Self {
            kind,
            clock,
            faults,
            runtime,
            effort,
            openings,
            store,
            folder,
        }
    }

    /// Creates or opens the pool `p` with default configuration.
    ///
    /// # Panics
    /// Panics when the pool cannot be opened.
    pub async fn pool(&self) -> Pool {
        self.pool_with(PoolSpec::default()).await
    }

    /// Creates or opens the pool `p`.
    ///
    /// # Panics
    /// Panics when the pool cannot be opened.
    pub async fn pool_with(&self, spec: PoolSpec) -> Pool {
        self.runtime.open(&pool("p"), spec).await.unwrap().pool
    }

    /// Joins a run of the agent with the same name, without topics or policies.
    ///
    /// # Panics
    /// Panics when the join is refused.
    pub async fn join(&self, pool: &Pool, name: &str) -> Caller {
        let joined = self.join_as(pool, Self::joining(name)).await.unwrap();
        Self::member(name, joined.generation)
    }

    /// Returns the command that joins a run of the agent with the same name.
    ///
    /// # Panics
    /// Panics when a text is not what it stands for.
    pub fn joining(name: &str) -> JoinPool {
        JoinPool {
            caller: Caller::Operator,
            run: run(name),
            agent: agent(name),
            session: None,
            topics: Vec::new(),
            policies: None,
            instance: InstanceId::parse("instance-1").unwrap(),
            lease: None,
        }
    }

    /// Joins.
    ///
    /// # Errors
    /// The refusal.
    pub async fn join_as(&self, pool: &Pool, join: JoinPool) -> Result<Joined, CallError> {
        pool.call(join).await
    }

    /// Returns a member as a caller.
    pub fn member(name: &str, generation: Generation) -> Caller {
        Caller::Member {
            run: run(name),
            generation,
        }
    }

    /// Returns a message to a run, with this key and body.
    pub fn to_run(to: &str, key_text: &str, text: &str) -> SendRequest {
        SendRequest::new(Address::Run { run_id: run(to) }, body(text), key(key_text))
    }

    /// Sends as a member.
    ///
    /// # Errors
    /// The refusal.
    pub async fn send(
        &self,
        pool: &Pool,
        from: &Caller,
        request: SendRequest,
    ) -> Result<Sent, CallError> {
        let run = Self::run_of(from);
        let answer = pool
            .call(SendMessage::new(from.clone(), run, request))
            .await;
        canary::check("the answer to a message", &answer);
        answer
    }

    /// Returns the run of a member.
    ///
    /// # Panics
    /// Panics for an operator.
    pub fn run_of(caller: &Caller) -> RunId {
        match caller {
            Caller::Member { run, .. } => run.clone(),
            Caller::Operator => unreachable!("an operator names the run"),
        }
    }

    /// Returns a receive of at most `max` copies, claimed for a minute.
    ///
    /// # Panics
    /// Panics when a text is not what it stands for.
    pub fn fetch(caller: &Caller, receive_id: &str, max: u64) -> FetchMessages {
        FetchMessages {
            caller: caller.clone(),
            run: Self::run_of(caller),
            receive_id: ReceiveId::parse(receive_id).unwrap(),
            max,
            claim_ms: Millis::from_secs(60),
            select: Select::Any,
        }
    }

    /// Returns a wake for the next event that this filter keeps.
    ///
    /// # Panics
    /// Panics when a text is not what it stands for.
    pub fn waiting(filter: &str, key_text: &str) -> WakeRequest {
        WakeRequest::new(Filter::compile(filter).unwrap(), key(key_text))
    }

    /// Returns a wake for a condition, which is written as JSON.
    ///
    /// # Panics
    /// Panics when a text is not what it stands for.
    pub fn waiting_for(condition: &str, key_text: &str) -> WakeRequest {
        let condition: heronry_types::Condition = serde_json::from_str(condition).unwrap();
        let compile = |text: &String| Filter::compile(text);
        let condition = condition.try_map(&mut { compile }).unwrap();
        WakeRequest::new(condition, key(key_text))
    }

    /// Returns every record of the pool, from the store.
    pub async fn records(&self, pool: &Pool) -> Vec<Record> {
        self.records_after(pool, Position::ZERO).await
    }

    /// Checks that a replay of the journal gives the live state, that the [`Ledger`](crate::Ledger)
    /// agrees with every record, and that messages that left memory look as if they had not; returns
    /// the digest.
    ///
    /// # Panics
    /// Panics when one of these does not hold.
    pub async fn check_replay(&self, pool: &Pool) -> String {
        let (head, live) = pool.call(StateDigest).await.unwrap();
        let mut state = heronry_pool::State::new(pool.id().clone(), Self::first_epoch(pool));
        let mut ledger = crate::Ledger::new(pool.id().clone(), Self::first_epoch(pool));
        // The pool may go on meanwhile: a wake that looks back comes to the end of it.
        let mut records = self.records(pool).await;
        records.retain(|record| record.position <= head.position);
        for record in &records {
            heronry_pool::apply(&mut state, record);
            ledger.note(record);
        }
        canary::check_records(pool, &records);
        canary::check("a state", &state);
        canary::check_log();
        ledger.check_at_rest();
        assert_eq!(state.head(), head.position);
        assert_eq!(
            state.digest(),
            live,
            "live state is not the fold of the journal"
        );
        crate::images::check(pool.id(), Self::first_epoch(pool), &records, live);
        self.check_messages(pool, &records).await;
        format!("{live:?}")
    }
}

/// The effort of a runtime, on which no outcome may depend: how much it keeps at hand, and how much
/// it does at once.
#[derive(Clone, Copy, Debug)]
struct Effort {
    /// The number of finished messages that it keeps in memory.
    finished_kept: usize,
    /// The amount that it matches before others go on.
    matching_slice: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            finished_kept: 0,
            matching_slice: as_many_as_asked("HERONRY_MATCHING_SLICE", MATCHING_SLICE),
        }
    }
}

fn runtime_of((store, clock): (&Store, &ManualClock), seed: u64, effort: Effort) -> Runtime {
    let ids = Arc::new(SeededIds::new(seed));
    Runtime::new(store.clone(), options_of(clock, ids, effort))
}

fn options_of(clock: &ManualClock, ids: Arc<dyn IdSource>, effort: Effort) -> RuntimeOptions {
    RuntimeOptions::new([7; 32], "tests")
        .with_clock(Arc::new(clock.clone()))
        .with_ids(ids)
        .with_finished_kept(effort.finished_kept)
        .with_matching_slice(effort.matching_slice)
}
