//! Running the engine as the runtime does.

use heronry_event::filter::Filter;
use heronry_journal::{Body, Entry, EpochStarted, Record};
use heronry_pool::{
    Rejection,
    decide::{Command, FinishScan, FoundEvents, Names, Scan, Scanned},
    engine::{Append, ArchivedMessage, LookedUp, Unanswered},
};
use heronry_store::{KeyHash, KeyedEntry};
use heronry_types::{
    Actor, Cursor, Epoch, EpochReason, Lineage, Millis, Position, RunId, Timestamp, Visibility,
};

use super::{Caller, EngineDeath, Held, LookBack, Scenario, Step, minter, record_text};

/// The most appends at one time that decide all that is due.
const ROUNDS_MAX: usize = 100;

impl Scenario {
    /// Decides what is due, and then a command. Each of both is one append at the most.
    pub(super) fn step<C: Command>(
        &mut self,
        command: &C,
        text: impl FnOnce(C::Answer) -> String,
    ) -> Step {
        let before = self.records.len();
        let mut append = self.begin();
        let answer = self.decide(&mut append, command);
        let of_command = self.append(append);
        let so_far = self.records.len();
        match std::mem::replace(&mut self.end, EngineDeath::None) {
            EngineDeath::None => self.catch_up(),
            EngineDeath::AfterNext => self.kill(),
        }
        let later = self.records.len() - so_far;
        self.told(before, answer.map(text))
            .appended(of_command, later)
    }

    fn told(&self, before: usize, answer: Result<String, Rejection>) -> Step {
        let texts = self.records[before..].iter().map(record_text::line);
        let answer = answer.map_err(|rejection| super::refusals::text(&rejection));
        Step::new(texts.collect(), answer)
    }

    /// Begins an append, and decides everything that is due before a command.
    fn begin(&mut self) -> Append {
        for _ in 0..ROUNDS_MAX {
            self.catch_up();
            let mut append = self.engine.begin(self.now);
            let waiting = &self.waiting;
            append.hear_waiting(&mut self.engine, |run, _| waiting.contains(run));
            let is_more = append.tick(&mut self.engine) && self.engine.is_due(self.now);
            if !is_more {
                return append;
            }
            self.append(append);
        }
        panic!("what is due is never decided");
    }

    /// Goes on until every event is matched and every trigger is recorded.
    fn catch_up(&mut self) {
        while self.engine.has_backlog() {
            if let Some(after) = self.engine.reads_after() {
                let next = self.records.iter().filter(|it| it.position > after);
                let next = next.take(64).cloned().collect();
                self.engine.put_read(next);
            }
            let append = self.engine.begin(self.now);
            self.append(append);
        }
    }

    fn decide<C: Command>(
        &mut self,
        append: &mut Append,
        command: &C,
    ) -> Result<C::Answer, Rejection> {
        let names = command.names(self.engine.state().epoch(), &minter());
        let keys = names.iter().flat_map(Names::keys);
        let mut found: Vec<_> = keys.filter_map(|key| self.found(key)).collect();
        let scan = match self.engine.scan_of(command, names.as_ref(), &found)? {
            None => FoundEvents::default(),
            Some(_) if self.look_back == LookBack::Beside => FoundEvents::later(),
            Some(request) => {
                let mut scan = Scan::new(request);
                self.engine.scan(&mut scan, &self.records);
                scan.finish()
            }
        };
        let asked = self.engine.asks_of(command, names.as_ref(), &found);
        found.extend(asked.iter().filter_map(|key| self.found(key)));
        self.engine.make_room();
        loop {
            let looked_up = LookedUp {
                keys: &found,
                scan: &scan,
            };
            match append.run(&mut self.engine, command, names.as_ref(), looked_up) {
                Ok(answer) => return Ok(answer),
                Err(Unanswered::Rejected(rejection)) => return Err(rejection),
                Err(Unanswered::Past(pasts)) => pasts.iter().for_each(|past| self.recall(past)),
            }
        }
    }

    fn found(&self, key: &KeyHash) -> Option<KeyedEntry> {
        Some(KeyedEntry::new(*key, *self.names.get(key)?))
    }

    fn recall(&mut self, past: &ArchivedMessage) {
        let records = self.records.iter();
        let records = records.filter(|record| past.records.contains(&record.position));
        let records: Vec<Record> = records.cloned().collect();
        self.engine.recall(past, &records).unwrap();
    }

    /// Makes durable what is staged; returns how many records that is.
    fn append(&mut self, append: Append) -> usize {
        let staged = append.finish(&mut self.engine);
        self.bodies += staged.contents.len();
        let staged = staged.records;
        let count = staged.len();
        for record in &staged {
            self.note(record);
        }
        self.records.extend(staged);
        self.hand_over();
        count
    }

    /// Gives the names to the store, and lets finished messages leave memory.
    fn hand_over(&mut self) {
        let head = self.engine.state().head();
        self.engine.forget_finished(head);
        let handed = self.engine.hand_over_keys(head);
        let handed = handed.into_iter().map(|claim| (claim.key, claim.entry));
        self.names.extend(handed);
        self.engine.keys_kept();
    }

    /// Notes who joined, and who got which claim.
    fn note(&mut self, record: &Record) {
        let Some(run) = &record.entry.lineage.run else {
            return;
        };
        let joins = matches!(
            record.entry.body,
            Body::MemberJoined(_) | Body::MemberTakenOver(_)
        );
        if joins {
            let caller = Caller::Member {
                run: run.clone(),
                generation: heronry_types::Generation(record.position),
            };
            let joinings = self.callers.entry(run.to_string()).or_default();
            joinings.push(caller);
        } else if let Body::MessageFetched(body) = &record.entry.body {
            let held = body.copies.iter().map(|it| Held {
                run: run.to_string(),
                message: it.copy.message_id.to_string(),
                receive: body.receive_id.to_string(),
                claim: heronry_journal::Claim {
                    accepted: it.copy.accepted,
                    fetched: record.position,
                },
            });
            self.claims.extend(held);
        } else if let Body::MessageAccepted(body) = &record.entry.body {
            let id = body.message_id.to_string();
            self.contents.insert(id, body.content_ref);
        }
    }

    /// Lets time pass: whatever becomes due is decided at its time.
    pub(crate) fn pass(&mut self, millis: u64) -> Step {
        let before = self.records.len();
        let until = self.now.after(Millis(millis));
        let mut rounds = 0;
        while let Some(at) = self.engine.next_due(self.now).filter(|at| *at <= until) {
            rounds = if at > self.now { 0 } else { rounds + 1 };
            assert!(rounds < ROUNDS_MAX, "what is due is never decided");
            self.now = self.now.max(at);
            let append = self.begin();
            self.append(append);
        }
        self.now = until;
        let append = self.begin();
        self.append(append);
        self.told(before, Ok("passed".to_owned()))
    }

    /// Lets time pass in which nobody could reach the engine.
    pub(crate) fn stall(&mut self, millis: u64) {
        self.now = self.now.after(Millis(millis));
    }

    /// Decides what is due now.
    pub(crate) fn tick(&mut self) -> Step {
        self.pass(0)
    }

    /// Kills the engine: another one replays what was recorded.
    pub(crate) fn kill(&mut self) {
        let mut replay = super::replay();
        for record in &self.records {
            replay.record(record).unwrap();
            replay.forget_finished(record.position);
        }
        self.engine = replay.finish();
        self.names.clear();
        self.hand_over();
    }

    /// Lets the engine die right after the append of the next command.
    pub(crate) fn die_after_next(&mut self) {
        self.end = EngineDeath::AfterNext;
    }

    /// Kills the engine, and serves the pool again.
    pub(crate) fn reopen(&mut self) -> Step {
        self.kill();
        self.tick()
    }

    /// Starts another timeline, as a fork does while no engine runs.
    pub(crate) fn start_timeline(&mut self, epoch: u8) {
        self.start_timeline_because(EpochReason::Fork, epoch);
    }

    /// Starts another timeline for a reason, as whoever brings a journal does.
    pub(crate) fn start_timeline_because(&mut self, reason: EpochReason, epoch: u8) {
        let body = EpochStarted {
            reason,
            epoch: Epoch([epoch; 16]),
            previous: self.engine.state().epoch(),
            lost: None,
        };
        let record = Record {
            position: self.engine.state().head().next(),
            recorded_at: self.now,
            entry: Entry {
                lineage: Lineage::of_pool(self.engine.state().pool().clone()),
                actor: Actor::Operator,
                visibility: Visibility::InScope,
                body: Body::EpochStarted(body),
            },
        };
        self.records.push(record);
        self.kill();
    }

    /// Trims the records before a position.
    pub(crate) fn trim_to(&mut self, floor: u64) {
        self.engine.set_floor(Position(floor));
    }

    /// Lets wakes look through earlier events beside the pool from here on.
    pub(crate) fn look_back_beside(&mut self) {
        self.look_back = LookBack::Beside;
    }

    /// Looks through the earlier events of a wake, and says what was found.
    pub(crate) fn finish_look(&mut self, registered: u64) -> Step {
        let scanned = self.looked(registered);
        self.finish_scan(registered, Scanned::Found(scanned))
    }

    /// Looks through the earlier events of a wake, of which some are not kept any more.
    pub(crate) fn finish_look_in_vain(&mut self, registered: u64) -> Step {
        self.finish_scan(registered, Scanned::Trimmed)
    }

    fn looked(&self, registered: u64) -> Vec<heronry_journal::CountedEvent> {
        let Some(mut scan) = self.engine.pending_scan(Position(registered)) else {
            return Vec::new();
        };
        self.engine.scan(&mut scan, &self.records);
        scan.counted()
    }

    fn finish_scan(&mut self, registered: u64, scanned: Scanned) -> Step {
        let registered = Position(registered);
        let finish = FinishScan {
            registered,
            scanned,
        };
        self.step(&finish, |()| "looked".to_owned())
    }

    /// Returns the time at which the engine is to look again.
    pub(crate) fn alarm(&self) -> Option<String> {
        self.engine.next_due(self.now).map(record_text::time)
    }

    /// Says that a member waits for an answer from here on.
    pub(crate) fn waits(&mut self, run: &str) {
        self.waiting.insert(RunId::parse(run).unwrap());
    }

    /// Returns the pool's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns a cursor of this pool: `5`, or `5 of 2` of another timeline.
    pub(super) fn cursor(&self, text: &str) -> Cursor {
        let position = |text: &str| Position(text.parse().unwrap());
        match text.split_once(" of ") {
            None => self.engine.state().cursor(position(text)),
            Some((at, epoch)) => Cursor::new(Epoch([epoch.parse().unwrap(); 16]), position(at)),
        }
    }

    /// Compiles a filter.
    pub(super) fn filter(text: &str) -> Filter {
        Filter::compile(text).unwrap()
    }

    /// Says who acts, and as which run: `lead` is its latest joining, `lead/1` its first one, `operator`
    /// an operator, and `operator for lead` or `scout for lead` somebody who acts as another run. Who has
    /// never joined is a member of a joining that there was not.
    pub(super) fn speaker(&self, text: &str) -> (Caller, RunId) {
        let (by, named) = match text.split_once(" for ") {
            Some((by, run)) => (by, Some(run)),
            None => (text, None),
        };
        let caller = self.caller(by);
        let run = match (&caller, named) {
            (_, Some(run)) => RunId::parse(run).unwrap(),
            (Caller::Member { run, .. }, None) => run.clone(),
            (Caller::Operator, None) => RunId::parse("operator").unwrap(),
        };
        (caller, run)
    }

    fn caller(&self, text: &str) -> Caller {
        if text == "operator" {
            return Caller::Operator;
        }
        let (name, number) = text.split_once('/').unwrap_or((text, ""));
        let joinings = self.callers.get(name).map_or(&[][..], Vec::as_slice);
        let joining = match number {
            "" => joinings.last(),
            number => joinings.get(number.parse::<usize>().unwrap() - 1),
        };
        joining.cloned().unwrap_or_else(|| Caller::Member {
            run: RunId::parse(name).unwrap(),
            generation: heronry_types::Generation(Position(1)),
        })
    }
}
