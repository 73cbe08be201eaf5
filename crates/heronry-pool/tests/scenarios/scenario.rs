//! A scenario: given what happened so far, when one thing happens, then exactly these records are appended, or
//! exactly this refusal comes and nothing is.
//!
//! Everything that the scenarios touch of the engine is touched in here. They name members, messages and wakes by
//! plain words, and read records, refusals and answers as lines of text; [`notation`] says how.
//!
//! The engine is run as the runtime runs it: every command is an append of its own, names are looked up from what
//! was recorded, earlier events are looked through in the records, finished messages leave memory and are read again
//! from the records, and the time is moved by hand. When a scenario ends, its records are folded again from nothing,
//! and have to give the same state.

mod answers;
mod ask_contents;
mod ask_members;
mod ask_messages;
mod ask_queries;
mod ask_roster;
pub(crate) mod ask_sources;
mod ask_wakes;
mod ask_wiring;
pub(crate) mod notation;
mod record_text;
mod refusals;
mod runner;
mod step;

use std::collections::{BTreeMap, HashMap, HashSet};

use heronry_journal::{Body, Claim, Record};
use heronry_pool::{Caller, Engine, Minter, State, engine::Replay};
use heronry_store::{KeyEntry, KeyHash};
use heronry_types::{ContentRef, Durability, Epoch, PoolId, PoolSpec, RunId, Timestamp};

pub(crate) use notation::{Condition, Event, Joining, Letter, Sleep, Take, Wait};
pub(crate) use step::Step;

/// The timeline that every scenario begins with.
pub(crate) const EPOCH: Epoch = Epoch([1; 16]);

/// The wakes' look through earlier events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum LookBack {
    /// It is done while the registration waits.
    AtOnce,
    /// It is done beside the pool, and its result is a command of its own.
    Beside,
}

/// The death of the engine by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum EngineDeath {
    /// The engine does not die.
    None,
    /// After the append of the next command: what that still causes is not recorded.
    AfterNext,
}

/// A claim that somebody got.
#[derive(Clone, Debug)]
struct Held {
    run: String,
    message: String,
    receive: String,
    claim: Claim,
}

/// A pool, everything that it recorded, and everybody who joined it.
pub(crate) struct Scenario {
    engine: Engine,
    records: Vec<Record>,
    now: Timestamp,
    /// The joinings of each run, oldest first.
    callers: BTreeMap<String, Vec<Caller>>,
    claims: Vec<Held>,
    /// The bodies of messages that were sent, by the names of the messages, and those that were stored.
    contents: BTreeMap<String, ContentRef>,
    /// The number of bodies that rode with the appends.
    bodies: usize,
    /// The claims on names that were handed over.
    names: HashMap<KeyHash, KeyEntry>,
    look_back: LookBack,
    waiting: HashSet<RunId>,
    /// The death of the engine that is set for the next command.
    end: EngineDeath,
}

pub(crate) fn minter() -> Minter {
    Minter::new([7; 32])
}

fn replay() -> Replay {
    let pool = PoolId::parse("p").unwrap();
    Replay::new(pool, EPOCH, minter(), Durability::Memory).keeping_finished(0)
}

impl Scenario {
    /// Returns a pool without records.
    pub(crate) fn empty() -> Self {
        Self {
            engine: replay().finish(),
            records: Vec::new(),
            now: Timestamp::default(),
            callers: BTreeMap::new(),
            claims: Vec::new(),
            contents: BTreeMap::new(),
            bodies: 0,
            names: HashMap::new(),
            look_back: LookBack::AtOnce,
            waiting: HashSet::new(),
            end: EngineDeath::None,
        }
    }

    /// Returns a pool that was created, and these members, of agents with the same names.
    pub(crate) fn of(members: &str) -> Self {
        Self::with(PoolSpec::default(), members)
    }

    /// Returns a pool that was created like this, and these members.
    pub(crate) fn with(spec: PoolSpec, members: &str) -> Self {
        let mut scenario = Self::empty();
        scenario.create(spec).ok();
        for member in members.split_whitespace() {
            scenario.join(member).ok();
        }
        scenario
    }

    /// Returns a pool of these members where a limit has another value.
    pub(crate) fn limited(limits: &[(heronry_types::LimitName, u64)], members: &str) -> Self {
        Self::with(notation::limited(limits), members)
    }

    /// Returns everything that was recorded.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns the position of the last record.
    pub(crate) fn head(&self) -> u64 {
        self.engine.state().head().0
    }

    /// Returns where a message was accepted.
    pub(crate) fn accepted(&self, message: &str) -> String {
        let of_message = |record: &&Record| matches!(&record.entry.body, Body::MessageAccepted(body) if body.message_id.as_str() == message);
        let accepted = self.records.iter().find(of_message).unwrap();
        accepted.position.to_string()
    }

    /// Returns how many bodies were stored with messages.
    pub(crate) fn bodies(&self) -> usize {
        self.bodies
    }

    /// Folds the records from nothing.
    fn folded(&self) -> State {
        let mut state = State::new(PoolId::parse("p").unwrap(), EPOCH);
        for record in &self.records {
            heronry_pool::apply(&mut state, record);
        }
        state
    }
}

impl Drop for Scenario {
    /// Folds everything again: each scenario shows that its records are all that there is to know.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let digest = self.engine.state().digest();
        assert_eq!(self.folded().digest(), digest, "a fold differs");
        self.kill();
        assert_eq!(self.engine.state().digest(), digest, "a replay differs");
        for record in &self.records {
            let fits = matches!(record.entry.body, Body::EpochStarted(_))
                || heronry_journal::fits(&record.entry).is_ok();
            assert!(fits, "a record is larger than a chunk");
        }
    }
}
