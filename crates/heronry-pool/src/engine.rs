//! The engine: staged state, and the records of the next append.
//!
//! The order of its use is in its types: [`Replay`] takes the journal in and becomes an [`Engine`], the engine
//! begins an [`Append`], commands are decided in that, and it ends as [`Staged`]. What is out of order does not
//! compile.
//!
//! ```
//! # use heronry_pool::{Minter, engine::Replay};
//! # use heronry_types::{Durability, Epoch, PoolId, Timestamp};
//! # let (pool, minter) = (PoolId::parse("p")?, Minter::new([7; 32]));
//! let replay = Replay::new(pool, Epoch([1; 16]), minter, Durability::Memory);
//! let mut engine = replay.finish();
//! let mut append = engine.begin(Timestamp::default());
//! append.tick(&mut engine);
//! let staged = append.finish(&mut engine);
//! # assert!(staged.records.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A journal is taken in before anything is decided:
//!
//! ```compile_fail,E0382
//! # use heronry_journal::Record;
//! # use heronry_pool::engine::Replay;
//! # fn example(mut replay: Replay, record: &Record) {
//! let engine = replay.finish();
//! replay.record(record);
//! # }
//! ```
//!
//! Nothing is decided outside an append:
//!
//! ```compile_fail,E0624
//! # use heronry_pool::Engine;
//! # fn example(mut engine: Engine) {
//! engine.tick();
//! # }
//! ```
//!
//! Staged records are taken once, and nothing is decided in their append afterwards:
//!
//! ```compile_fail,E0382
//! # use heronry_pool::{Engine, engine::Append};
//! # fn example(mut engine: Engine, mut append: Append) {
//! let staged = append.finish(&mut engine);
//! append.finish(&mut engine);
//! # }
//! ```
//!
//! ```compile_fail,E0382
//! # use heronry_pool::{Engine, engine::Append};
//! # fn example(mut engine: Engine, mut append: Append) {
//! let staged = append.finish(&mut engine);
//! append.tick(&mut engine);
//! # }
//! ```

#[cfg(test)]
mod alone;
mod append;
mod archive;
mod clauses;
mod conditions;
#[cfg(test)]
mod golden;
mod history;
mod image;
mod keys;
mod leases;
mod matching;
mod replay;
mod resume;
mod suspensions;
mod ticks;
mod triggers;

use heronry_journal::{Entry, Record};
use heronry_store::{KeyHash, KeyedEntry};
use heronry_types::{Durability, Epoch, PoolId, Position, Timestamp};

pub use crate::command::SMALL_BURDEN;
pub use append::{Append, LookedUp, Staged};
pub use archive::{ArchiveMismatch, ArchivedMessage, FINISHED_KEPT, Unanswered};
pub use image::UnreadableImage;
pub use keys::RecentKeys;
use leases::Leases;
pub use matching::MATCHING_SLICE;
use matching::{MatchTurn, Matching};
pub use replay::{Replay, UnreadableFilter};
use resume::Resume;
use suspensions::Suspensions;
use triggers::Triggers;

pub use crate::decide::{FoundEvents, Scan, ScanStep};
use crate::{
    Caller, Minter, Rejection, State, TrimNote, apply,
    command::{Applied, Command, Cx, Decision, Draft, Heard, How, KnownKeys, Names, Prior},
    decide::{ScanRequest, sees},
    suspicion::Watch,
};

/// Decides commands against staged state, and collects what is to be appended.
///
/// Pure: it knows no clock, no randomness and no I/O. What it decided is not true until the append
/// that holds it is durable; its owner lets no answer out before that.
#[derive(Debug)]
pub struct Engine {
    state: State,
    now: Timestamp,
    minter: Minter,
    durability: Durability,
    recent: RecentKeys,
    triggers: Triggers,
    matching: Matching,
    /// The contents of the append that is at work; empty in between.
    staged: Staged,
    /// True while an append is open.
    is_appending: bool,
    resume: Resume,
    leases: Leases,
    heard: Heard,
    /// The number of finished messages that stay in memory.
    finished_kept: usize,
    suspensions: Suspensions,
    suspicion: Watch,
}

impl Engine {
    fn new(pool: PoolId, epoch: Epoch, minter: Minter, durability: Durability) -> Self {
        Self {
            state: State::new(pool, epoch),
            now: Timestamp::default(),
            minter,
            durability,
            recent: RecentKeys::default(),
            triggers: Triggers::default(),
            matching: Matching::default(),
            staged: Staged::default(),
            is_appending: false,
            resume: Resume::default(),
            leases: Leases::default(),
            heard: Heard::default(),
            finished_kept: FINISHED_KEPT,
            suspensions: Suspensions::default(),
            suspicion: Watch::default(),
        }
    }

    /// Returns the staged state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns how many copies a caller has not read: 0 for an operator, and for a joining that is not the
    /// present one of its run.
    pub fn unread_of(&self, caller: &Caller) -> u64 {
        let Caller::Member { run, generation } = caller else {
            return 0;
        };
        let member = self.state.members.get(run);
        let present = member.filter(|member| member.generation == *generation);
        present.map_or(0, |member| member.inbox.unread())
    }

    /// Says which records are gone, when the pool is opened.
    pub fn set_floor(&mut self, floor: Position) {
        self.state.set_floor(floor);
    }

    /// Decides that the journal is to be trimmed, and returns the head as which the [note](TrimNote) of the trim has
    /// to tell it. What is under way stays in memory when it finishes, until the trim is made
    /// ([`trimmed`](Self::trimmed)) or [given up](Self::trim_given_up): a part of its records may go.
    pub fn decide_trim(&mut self) -> Position {
        self.state.messages.trim_decided(self.state.head);
        self.state.head
    }

    /// Says that the trim which was decided is not made.
    pub fn trim_given_up(&mut self) {
        self.state.messages.trim_given_up();
    }

    /// Says that the records before a floor go, when the journal is trimmed while the pool is open. Messages
    /// that were accepted before it, and had finished when the trim was decided, are known no more.
    pub fn trimmed(&mut self, trim: TrimNote) {
        self.state.trim(trim);
    }

    /// Returns the oldest record that a wake still looks through: nothing when none looks back.
    pub fn looks_from(&self) -> Option<Position> {
        let scans = self.state.wakes.pending();
        let scans = scans.filter_map(|registered| self.pending_scan(registered));
        scans.map(|scan| scan.request().after.next()).min()
    }

    /// Returns the oldest event that is still matched, or whose triggers are not all recorded; nothing when none
    /// is.
    pub fn matches_from(&self) -> Option<Position> {
        self.unmatched_from()
    }

    /// Returns the oldest event that may not have been matched, or whose triggers were not all recorded,
    /// when the journal ended.
    pub fn unfinished(&self) -> Option<Position> {
        // Timelines start while no engine runs, so nobody has matched the starts at the end.
        let starts = self.state.timelines.starts_at_end(self.state.head);
        let triggers = self.state.wakes.unfinished;
        let oldest = [triggers, starts, self.perhaps_unmatched()];
        oldest.into_iter().flatten().min()
    }

    /// Begins an append at this pool time, with what has to come first in it. Time never goes back.
    pub fn begin(&mut self, now: Timestamp) -> Append {
        debug_assert!(!self.is_appending, "one append is open at a time");
        self.is_appending = true;
        self.now = self.state.time.max(now);
        let mut append = Append::new(self.now);
        append.at_work(self, |engine| {
            engine.match_more();
            engine.resume();
            let turn = engine.take_turns(MatchTurn::Later);
            engine.drain_triggers();
            engine.take_turns(turn);
        });
        append
    }

    /// Returns true while earlier events are still to be matched, or their triggers to be recorded.
    pub fn has_backlog(&self) -> bool {
        self.is_behind() || self.triggers.has_backlog()
    }

    /// Returns the keys that the store may not have yet.
    pub fn recent(&self) -> &RecentKeys {
        &self.recent
    }

    /// Returns every key of a record up to `until` that the store does not hold yet, to hand
    /// it over, in no order. They are known here until [`keys_kept`](Self::keys_kept), before which
    /// no others are to be handed over.
    pub fn hand_over_keys(&mut self, until: Position) -> Vec<KeyedEntry> {
        self.recent.hand_over(until)
    }

    /// Says that the store has those that were handed over.
    pub fn keys_kept(&mut self) {
        self.recent.forget_handed();
    }

    /// Returns what earlier events the command wants looked for; nothing when its names were used
    /// before, because it is then a repeat or a conflict whatever it asks for.
    ///
    /// # Errors
    /// [`Rejection`] when the cursor to look from is not valid.
    pub fn scan_of<C: Command>(
        &self,
        command: &C,
        names: Option<&Names>,
        keys: &[KeyedEntry],
    ) -> Result<Option<ScanRequest>, Rejection> {
        let wanted = command.needs(&self.state).map(|needs| needs.scan);
        if matches!(wanted, Ok(None)) || self.prior_of(names, keys) == Prior::default() {
            return wanted;
        }
        Ok(None)
    }

    /// Returns the further names that the command needs looked up in the store; none when its
    /// own were used before.
    pub fn asks_of<C: Command>(
        &self,
        command: &C,
        names: Option<&Names>,
        keys: &[KeyedEntry],
    ) -> Vec<KeyHash> {
        // A command that may not look from its cursor is refused for that.
        let needs = command.needs(&self.state).unwrap_or_default();
        let mut asked = needs.names;
        if !asked.is_empty() && self.prior_of(names, keys) != Prior::default() {
            asked.clear();
        }
        asked.retain(|key| self.recent.get(key).is_none());
        asked
    }

    /// Looks through records for a scan, as the waiter would see them.
    pub fn scan(&self, scan: &mut Scan, records: &[Record]) -> ScanStep {
        if sees(&self.state, &scan.request().run) {
            scan.look(&self.state.timelines, records)
        } else {
            ScanStep::More
        }
    }

    /// Looks through what was recorded since the scan of a command: that who asks is back. Nothing
    /// when there is no more to look through.
    fn scan_heard<C: Command>(
        &self,
        command: &C,
        found: &FoundEvents,
        before: Position,
    ) -> Option<FoundEvents> {
        if self.state.head == before || found.is_settled() {
            return None;
        }
        let request = command.needs(&self.state).ok()?.scan?;
        let staged = &self.staged.records;
        let heard = staged.iter().position(|record| record.position > before)?;
        let records = staged.get(heard..)?;
        let scan = Scan::new(request);
        let sees = sees(&self.state, &scan.request().run);
        sees.then(|| scan.go_on(found, &self.state.timelines, records))
    }

    /// Returns what is to be looked through for a wake that was registered before that was done;
    /// nothing when it was done meanwhile.
    pub fn pending_scan(&self, registered: Position) -> Option<Scan> {
        let request = ScanRequest::of_pending(&self.state, registered)?;
        Some(Scan::new(request))
    }

    fn run<C: Command>(
        &mut self,
        command: &C,
        names: Option<&Names>,
        looked_up: LookedUp<'_>,
    ) -> Result<C::Answer, Unanswered> {
        let LookedUp { keys: found, scan } = looked_up;
        let profile = command.profile();
        let turn = self.turn_of(&profile);
        let before = self.state.head;
        self.hear(profile.speaker);
        let more = self.scan_heard(command, scan, before);
        let prior = self.prior_of(names, found);
        let cx = Cx {
            now: self.now,
            prior,
            scan: more.as_ref().unwrap_or(scan),
            minter: &self.minter,
            names,
            earlier: self.known_keys(found),
            heard: &self.heard,
            costs: self.triggers.costs(),
        };
        let before = self.state.head;
        let decision = command.decide(&self.state, &cx);
        self.is_in_memory()?;
        let (first, how) = match decision? {
            Decision::Write(draft) => {
                draft.check_fits().map_err(Rejection::from)?;
                (self.stage(draft, turn, names), How::Written)
            }
            Decision::Amend(draft, about) => {
                draft.check_fits().map_err(Rejection::from)?;
                self.stage(draft, turn, names);
                (about, How::Written)
            }
            Decision::Repeat(first) => (first, How::Repeated),
            Decision::Nothing => (self.state.head, How::Unchanged),
        };
        if how != How::Repeated {
            self.resume_acting(profile.speaker, before);
        }
        let applied = Applied {
            first,
            how,
            prior,
            now: self.now,
            durability: self.durability,
            heard: &self.heard,
        };
        let answer = command.answer(&self.state, applied);
        // What a decision to write is about is in memory, and so is what its answer tells.
        let all_there = self.is_in_memory();
        if how == How::Written {
            debug_assert!(all_there.is_ok(), "an answer is not in memory");
        } else {
            all_there?;
        }
        Ok(answer?)
    }

    fn prior_of(&self, names: Option<&Names>, found: &[KeyedEntry]) -> Prior {
        let Some(names) = names else {
            return Prior::default();
        };
        let earlier = self.known_keys(found);
        let trims = &self.state.trims;
        let look = |key: &KeyHash| {
            let entry = earlier.get(key)?;
            // Keys of trimmed records are free again when their time is over.
            (!trims.has_forgotten(entry.first, self.now)).then_some(entry)
        };
        Prior {
            key: names.key().and_then(look),
            id: names.id().and_then(look),
        }
    }

    fn known_keys<'a>(&'a self, found: &'a [KeyedEntry]) -> KnownKeys<'a> {
        self.recent.known(found)
    }

    /// Stages a draft and the triggers that it causes; returns the position of its first record.
    fn stage(&mut self, draft: Draft, turn: MatchTurn, names: Option<&Names>) -> Position {
        let turn_before = self.take_turns(turn);
        let first = self.state.head.next();
        let mut entries = draft.entries.into_iter();
        // The first record is what the command claims its names for.
        if let Some(entry) = entries.next() {
            self.stage_named(entry, names);
        }
        self.stage_all(entries.collect());
        self.staged.attach(draft.contents);
        self.drain_triggers();
        self.take_turns(turn_before);
        first
    }

    /// Stages what follows the first record of a draft. Of many records, those at the end that change
    /// nothing of what waiters see may be matched later.
    fn stage_all(&mut self, entries: Vec<Entry>) {
        let last_settled = entries
            .iter()
            .rposition(|entry| entry.body.changes_waiters());
        let at_once = last_settled.map_or(0, |last| last + 1).max(SMALL_BURDEN);
        for (number, entry) in entries.into_iter().enumerate() {
            if number == at_once {
                self.take_turns(MatchTurn::Later);
            }
            self.stage_entry(entry);
        }
    }

    fn stage_entry(&mut self, entry: Entry) {
        self.stage_named(entry, None);
    }

    fn stage_named(&mut self, entry: Entry, names: Option<&Names>) {
        let position = self.state.head.next();
        let record = Record {
            position,
            recorded_at: self.now,
            entry: self.state.labelled(entry),
        };
        apply(&mut self.state, &record);
        self.recent.note(&record, names);
        self.heard.record(&record);
        self.note_lease(&record);
        self.note_suspended(&record);
        self.suspicion.note(&self.state, &record);
        // A filter that was compiled for its registration compiles again.
        let armed = self.triggers.arm(&self.state, &record);
        debug_assert!(armed.is_ok(), "a registered filter does not compile again");
        self.match_staged(&record);
        self.staged.push(record);
    }

    /// Records triggers that are decided, as many as one append takes, and the suspended runs that
    /// go on.
    ///
    /// Triggers are records that are to be matched, too: when very many are, only those are recorded that a
    /// crash would forget. None is recorded as long as a crash would forget others because of it.
    fn drain_triggers(&mut self) {
        self.resume_stirred();
        if self.is_finishing() {
            return;
        }
        let all_may = !self.is_far_behind();
        let mut room = self.triggers.room_in(&self.staged);
        while all_may || self.owes_trigger() {
            let Some(entry) = self.triggers.next(&self.state, &mut room) else {
                break;
            };
            self.stage_entry(entry);
            self.resume_stirred();
        }
    }
}
