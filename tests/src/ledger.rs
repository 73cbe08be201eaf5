//! A second opinion: what a journal may say, kept in plain maps.
//!
//! A [`Ledger`] reads records as the engine does, but knows nothing of the engine: it judges each
//! record by the rules, and panics at the first one that breaks them.

mod alarms;
mod cancel;
mod copies;
mod dead;
mod delivery;
mod effects;
mod erasures;
mod events;
mod members;
mod messages;
mod pool;
mod replies;
mod resume;
mod rosters;
mod sources;
mod suspend;
mod unnamed;
mod wakes;
mod wiring;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use heronry_journal::{Body, Noun, Record};
use heronry_types::{
    ContentRef, Epoch, IdempotencyKey, Limits, Millis, Peering, PoolConfig, PoolId, Position,
    RunEnd, RunId, SourceId, Timelines, Timestamp,
};

pub use copies::Tally;
use copies::{LedgerLetter, Turn};
use delivery::LineName;
pub use effects::Deed;
pub use erasures::ContentStanding;
use members::Seat;
use rosters::Rota;
use sources::Spring;
use unnamed::Unnamed;
use wakes::Waiter;
use wiring::Switchboard;

/// The state that a journal describes so far. Each record is judged by the rules before it is taken
/// in.
#[derive(Debug)]
pub struct Ledger {
    timelines: Timelines,
    pool: PoolId,
    head: Position,
    time: Timestamp,
    config: PoolConfig,
    limits: Limits,
    peering: Peering,
    seats: BTreeMap<RunId, Seat>,
    ended: BTreeMap<RunId, RunEnd>,
    letters: BTreeMap<Position, LedgerLetter>,
    /// The acceptance whose outcome has to be the next record.
    awaiting: Option<Position>,
    /// The messages that ask for replies and had none of their ends when last looked at.
    asking: BTreeSet<Position>,
    /// The message whose replies are complete, and the reply that made them so.
    responding: Option<(Position, Position)>,
    keys: HashSet<(RunId, IdempotencyKey)>,
    ids: HashSet<(RunId, String)>,
    /// The last turn of a copy that was handed over for the first time, for each line of copies.
    first_claimed: BTreeMap<LineName, Turn>,
    /// The runs that were handed their copy of a message at least once.
    handed: BTreeMap<Position, BTreeSet<RunId>>,
    /// The longest term that the claims of a fetch were given.
    terms: BTreeMap<Position, Millis>,
    deeds: BTreeMap<Position, Deed>,
    unnamed: BTreeMap<ContentRef, Unnamed>,
    springs: BTreeMap<SourceId, Spring>,
    rota: Rota,
    switchboard: Switchboard,
    waiters: BTreeMap<Position, Waiter>,
    live: BTreeSet<Position>,
    /// The reporter of the last batch, and the number of its events that are still to come.
    batch: Option<(RunId, u64)>,
    /// The live waiters that take events about wakes, too.
    including: BTreeSet<Position>,
    records: Vec<Record>,
    alarms: alarms::Alarms,
}

impl Ledger {
    /// Returns the ledger of a journal without records, which begins with this epoch.
    pub fn new(pool: PoolId, epoch: Epoch) -> Self {
        Self {
            timelines: Timelines::of(epoch),
            pool,
            head: Position::ZERO,
            time: Timestamp::default(),
            config: PoolConfig::default(),
            limits: Limits::default(),
            peering: Peering::default(),
            seats: BTreeMap::new(),
            ended: BTreeMap::new(),
            letters: BTreeMap::new(),
            awaiting: None,
            asking: BTreeSet::new(),
            responding: None,
            keys: HashSet::new(),
            ids: HashSet::new(),
            first_claimed: BTreeMap::new(),
            handed: BTreeMap::new(),
            terms: BTreeMap::new(),
            deeds: BTreeMap::new(),
            unnamed: BTreeMap::new(),
            springs: BTreeMap::new(),
            rota: Rota::default(),
            switchboard: Switchboard::default(),
            waiters: BTreeMap::new(),
            live: BTreeSet::new(),
            batch: None,
            including: BTreeSet::new(),
            records: Vec::new(),
            alarms: alarms::Alarms::default(),
        }
    }

    /// Returns the position of the last record.
    pub fn head(&self) -> Position {
        self.head
    }

    /// Judges a record and takes it in.
    ///
    /// # Panics
    /// Panics when the record breaks a rule.
    pub fn note(&mut self, record: &Record) {
        assert_eq!(record.position, self.head.next(), "positions are dense");
        assert!(record.recorded_at >= self.time, "time never goes back");
        (self.head, self.time) = (record.position, record.recorded_at);
        self.check_asking(record);
        self.check_responding(record);
        if let Some(accepted) = self.awaiting.take() {
            assert_eq!(
                outcome_of(&record.entry.body),
                Some(accepted),
                "an acceptance is followed by its outcome"
            );
        }
        self.check_batch(record);
        self.hear(record);
        self.alarms.note(record);
        self.check_labels(record);
        self.take_in(record);
        self.match_event(record);
    }

    /// Checks what holds whenever the pool has nothing left to do.
    ///
    /// # Panics
    /// Panics when something is owed.
    pub fn check_at_rest(&mut self) {
        assert_eq!(self.batch, None, "a batch is whole");
        assert_eq!(self.awaiting, None, "nothing is stuck in accepted");
        assert_eq!(self.responding, None, "a full number is recorded");
        self.check_dormant_at_rest();
        self.check_letters_at_rest();
        self.check_unnamed_at_rest();
        self.check_sleepers_at_rest();
        self.check_waiters_at_rest();
    }

    fn take_in(&mut self, record: &Record) {
        match record.entry.body.noun() {
            Noun::Pool(body) => self.of_pool(record, body),
            Noun::Member(body) => self.of_member(record, body),
            Noun::Message(body) => self.of_message(record, body),
            Noun::Wake(body) => self.of_wake(record, body),
            Noun::Effect(body) => self.of_effect(record, body),
            Noun::Content(body) => self.of_content(record, body),
            Noun::Source(body) => self.of_source(record, body),
            Noun::Roster(body) => self.of_roster(record, body),
            Noun::Wiring(body) => self.of_wiring(record, body),
            Noun::Nothing(body) => self.of_nothing(record, body),
        }
    }

    /// Checks that a name is used once.
    fn name(&mut self, run: &RunId, key: &IdempotencyKey, id: String) {
        let fresh = self.keys.insert((run.clone(), key.clone()));
        assert!(fresh, "a key has one outcome");
        let fresh = self.ids.insert((run.clone(), id));
        assert!(fresh, "an id has one outcome");
    }
}

/// The acceptance that a record is the outcome of.
fn outcome_of(body: &Body) -> Option<Position> {
    if let Body::MessageDelivered(body) = body {
        Some(body.accepted)
    } else if let Body::MessageFailed(body) = body {
        Some(body.message.accepted)
    } else if let Body::MessageExpired(body) = body {
        Some(body.message.accepted)
    } else {
        None
    }
}

/// Returns the run that a record is about.
#[expect(
    clippy::unwrap_used,
    reason = "a test stops at a record that lacks its run"
)]
fn run_of(record: &Record) -> RunId {
    record.entry.lineage.run.clone().unwrap()
}
