//! The engine: staged state, and the records of the next append.

#[cfg(test)]
mod alone;
mod claims;
mod clauses;
mod conditions;
mod history;
mod leases;
mod matching;
mod past;
mod resume;
mod suspensions;
mod ticks;
mod triggers;

use heronry_event::filter::CompileErrors;
use heronry_journal::{Body, ContentErased, Entry, MessageRecord, Noun, Record, ToldRecord};
use heronry_store::{ClaimKey, ContentPlace, Erasure, NamedClaim, NewContent, Tombstone};
use heronry_types::{Durability, Epoch, PoolId, Position, Timestamp};

pub use claims::RecentClaims;
use leases::Leases;
pub use matching::{MATCHING_SLICE, SMALL_BURDEN};
use matching::{Matching, Turn};
pub use past::{FINISHED_KEPT, NotThatPast, Past, Unanswered};
use resume::Resume;
use suspensions::Suspensions;
use triggers::Triggers;

pub use crate::decide::{Found, Scan, ScanStep};
use crate::{
    Minter, Rejection, State, apply,
    command::{Applied, Command, Cx, Decision, Draft, Heard, How, KnownClaims, Names, Prior},
    decide::{ScanRequest, sees},
    suspicion::Watch,
};

/// What one append holds.
#[derive(Debug, Default)]
pub struct Staged {
    /// The records, in order.
    pub records: Vec<Record>,
    /// The bodies that ride with them.
    pub contents: Vec<NewContent>,
    /// The bodies that are erased with them.
    pub erasures: Vec<Erasure>,
    /// About how many bytes all of it has.
    pub weight: usize,
}

/// About how many bytes a record has, beside recipients and what members report: ids, a
/// correlation, a filter.
const RECORD_WEIGHT: usize = 512;

/// Estimates the bytes that a record has beyond [`RECORD_WEIGHT`].
fn more_weight(entry: &Entry) -> usize {
    match entry.body.noun() {
        Noun::Message(MessageRecord::MessageDelivered(body)) => {
            body.recipients.0.iter().map(|run| run.as_str().len()).sum()
        }
        Noun::Nothing(ToldRecord::ApplicationEvent(_)) => heronry_journal::encoded_len(entry),
        Noun::Nothing(ToldRecord::EffectResultRefused(_))
        | Noun::Pool(_)
        | Noun::Member(_)
        | Noun::Message(_)
        | Noun::Wake(_)
        | Noun::Effect(_)
        | Noun::Content(_) => 0,
    }
}

impl Staged {
    fn push(&mut self, record: Record) {
        if let Body::ContentErased(body) = &record.entry.body {
            self.erasures.push(erasure(body, record.recorded_at));
        }
        self.weight += RECORD_WEIGHT + more_weight(&record.entry);
        self.records.push(record);
    }

    fn attach(&mut self, contents: Vec<NewContent>) {
        let sizes = contents.iter().map(|content| content.stored.stored_bytes());
        self.weight += sizes.sum::<usize>();
        self.contents.extend(contents);
    }
}

/// Returns what a record of an erased body does in the store.
fn erasure(body: &ContentErased, erased_at: Timestamp) -> Erasure {
    Erasure {
        content_ref: body.content_ref,
        place: body
            .stored_with
            .map_or(ContentPlace::Alone, ContentPlace::With),
        tombstone: Tombstone {
            media_type: body.media_type.0.clone(),
            bytes: body.body_bytes,
            digest: body.digest,
            erased_at,
        },
    }
}

/// A stored wake whose filter this build cannot read.
#[derive(Debug, thiserror::Error)]
#[error(
    "wake registered at {position} has a filter that this build cannot read; use a newer build"
)]
#[non_exhaustive]
pub struct UnreadableFilter {
    /// The registration.
    pub position: Position,
    /// What is wrong with the filter.
    #[source]
    pub errors: CompileErrors,
}

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
    recent: RecentClaims,
    triggers: Triggers,
    matching: Matching,
    staged: Staged,
    resume: Resume,
    leases: Leases,
    heard: Heard,
    /// How many finished messages stay in memory.
    finished_kept: usize,
    suspensions: Suspensions,
    suspicion: Watch,
}

impl Engine {
    /// Returns the engine of a pool without records.
    pub fn new(pool: PoolId, epoch: Epoch, minter: Minter, durability: Durability) -> Self {
        Self {
            state: State::new(pool, epoch),
            now: Timestamp::default(),
            minter,
            durability,
            recent: RecentClaims::default(),
            triggers: Triggers::default(),
            matching: Matching::default(),
            staged: Staged::default(),
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

    /// Takes in a record from the journal, when the pool is opened.
    ///
    /// # Errors
    /// [`UnreadableFilter`] when a wake that waits cannot be matched any more.
    pub fn replay(&mut self, record: &Record) -> Result<(), UnreadableFilter> {
        apply(&mut self.state, record);
        self.recent.note(record, None);
        self.triggers.arm(&self.state, record)?;
        self.settle(record);
        Ok(())
    }

    /// Says which records are gone, when the pool is opened.
    pub fn set_floor(&mut self, floor: Position) {
        self.state.set_floor(floor);
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

    /// Says that the journal is replayed. What it decided and did not record is found, and what counts for
    /// the wakes that wait is counted, by matching earlier records again: a slice at a time, while the pool
    /// goes on. They are read from the journal ([`reads_after`](Self::reads_after)).
    pub fn finish_replay(&mut self) {
        self.match_again();
    }

    /// Starts an append at this pool time and decides what is due. Time never goes back.
    pub fn begin(&mut self, now: Timestamp) {
        self.now = self.state.time.max(now);
        self.match_more();
        self.resume();
        let turn = self.take_turns(Turn::Later);
        self.drain_triggers();
        self.take_turns(turn);
    }

    /// Returns true while earlier events are still to be matched, or their triggers to be recorded.
    pub fn has_backlog(&self) -> bool {
        self.is_behind() || self.triggers.has_backlog()
    }

    /// Returns the claims that the claims store may not have yet.
    pub fn recent(&self) -> &RecentClaims {
        &self.recent
    }

    /// Says that the claims store has the claims of records up to this one, before they are replayed.
    pub fn set_claims_kept(&mut self, until: Position) {
        self.recent.set_kept(until);
    }

    /// Returns every claim of a record up to `until` that the claims store does not hold yet, to hand
    /// it over, in no order. They are known here until [`claims_kept`](Self::claims_kept), before which
    /// no others are to be handed over.
    pub fn hand_over_claims(&mut self, until: Position) -> Vec<NamedClaim> {
        self.recent.hand_over(until)
    }

    /// Says that the claims store has the claims that were handed over.
    pub fn claims_kept(&mut self) {
        self.recent.forget_handed();
    }

    /// Returns the pool time of the append that is being decided.
    pub fn now(&self) -> Timestamp {
        self.now
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
        found: &[NamedClaim],
    ) -> Result<Option<ScanRequest>, Rejection> {
        let wanted = command.needs(&self.state).map(|needs| needs.scan);
        if matches!(wanted, Ok(None)) || self.prior_of(names, found) == Prior::default() {
            return wanted;
        }
        Ok(None)
    }

    /// Returns the further names that the command needs looked up in the claims store; none when its
    /// own were used before.
    pub fn asks_of<C: Command>(
        &self,
        command: &C,
        names: Option<&Names>,
        found: &[NamedClaim],
    ) -> Vec<ClaimKey> {
        // A command that may not look from its cursor is refused for that.
        let needs = command.needs(&self.state).unwrap_or_default();
        let mut asked = needs.names;
        if !asked.is_empty() && self.prior_of(names, found) != Prior::default() {
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
        found: &Found,
        before: Position,
    ) -> Option<Found> {
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

    /// Returns the records that are staged for the next append.
    pub fn staged(&self) -> &Staged {
        &self.staged
    }

    /// Runs a command against the staged state; `found` says what the claims store knows of its `names`.
    ///
    /// # Errors
    /// [`Unanswered`] when the rules say no, or when it has to be run again after messages that it asks
    /// for were read; nothing is staged then.
    pub fn run<C: Command>(
        &mut self,
        command: &C,
        names: Option<&Names>,
        found: &[NamedClaim],
        scan: &Found,
    ) -> Result<C::Answer, Unanswered> {
        let profile = command.profile();
        let turn = self.turn_of(&profile);
        let before = self.state.head;
        self.hear(profile.speaker);
        let more = self.scan_heard(command, scan, before);
        let cx = Cx {
            now: self.now,
            prior: self.prior_of(names, found),
            scan: more.as_ref().unwrap_or(scan),
            minter: &self.minter,
            names,
            earlier: self.known_claims(found),
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

    /// Hands over what is staged; the next command starts a new append.
    pub fn take_staged(&mut self) -> Staged {
        std::mem::take(&mut self.staged)
    }

    fn prior_of(&self, names: Option<&Names>, found: &[NamedClaim]) -> Prior {
        let Some(names) = names else {
            return Prior::default();
        };
        let earlier = self.known_claims(found);
        let look = |key: &ClaimKey| earlier.get(key);
        Prior {
            key: names.key().and_then(look),
            id: names.id().and_then(look),
        }
    }

    fn known_claims<'a>(&'a self, found: &'a [NamedClaim]) -> KnownClaims<'a> {
        self.recent.known(found)
    }

    /// Stages a draft and the triggers that it causes; returns the position of its first record.
    fn stage(&mut self, draft: Draft, turn: Turn, names: Option<&Names>) -> Position {
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
                self.take_turns(Turn::Later);
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
            entry,
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
