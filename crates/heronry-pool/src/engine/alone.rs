//! An engine alone, for tests: each command is one append, and a crash may follow every append.

use heronry_event::filter::Filter;
use heronry_journal::{Body, Record};
use heronry_types::{
    Address, AgentId, Condition, Count, DistinctBy, Durability, Epoch, IdempotencyKey, InstanceId,
    Limits, MessageId, Millis, PoolId, PoolSpec, RunId, Timestamp, WakeId,
};

use crate::{
    Caller, Minter,
    command::Command,
    decide::{Content, CreatePool, JoinPool, RegisterWake, SendMessage, SendRequest, WakeRequest},
    engine::{Engine, LookedUp, Replay},
};

/// A member that joined.
#[derive(Clone, Debug)]
pub(super) struct JoinedRun {
    pub(super) caller: Caller,
    pub(super) run: RunId,
}

/// An engine with everything that it recorded.
pub(super) struct Alone {
    pub(super) engine: Engine,
    pub(super) records: Vec<Record>,
    slice: usize,
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

/// A message to a run; its id and its key are the name.
pub(super) fn letter(to: &JoinedRun, name: &str) -> SendRequest {
    let to = Address::Run {
        run_id: to.run.clone(),
    };
    let content = Content::Inline(heronry_types::Body::text("-"));
    let mut request = SendRequest::new(to, content, key(name));
    request.message_id = Some(MessageId::parse(name).unwrap());
    request
}

fn replay(slice: usize) -> Replay {
    let pool = PoolId::parse("p").unwrap();
    let secret = Minter::new([7; 32]);
    let replay = Replay::new(pool, Epoch([1; 16]), secret, Durability::Memory);
    replay.matching_in_slices_of(slice)
}

impl Alone {
    /// Returns the engine of a new pool with these limits.
    pub(super) fn new(limits: Limits, slice: usize) -> Self {
        let mut alone = Self::empty(slice);
        let limits = Some(limits);
        let spec = PoolSpec {
            limits,
            ..PoolSpec::default()
        };
        alone.ask(&CreatePool { spec });
        alone
    }

    fn empty(slice: usize) -> Self {
        Self {
            engine: replay(slice).finish(),
            records: Vec::new(),
            slice,
        }
    }

    /// Makes what is staged durable.
    pub(super) fn append(&mut self) {
        self.records.append(&mut self.engine.staged.records);
    }

    pub(super) fn ask<C: Command>(&mut self, command: &C) -> C::Answer {
        let names = command.names(Epoch([1; 16]), &Minter::new([7; 32]));
        let nothing = LookedUp::default();
        let answer = self.engine.run(command, names.as_ref(), nothing);
        self.append();
        answer.unwrap()
    }

    pub(super) fn join(&mut self, name: &str, lease: Option<Millis>) -> JoinedRun {
        let run = RunId::parse(name).unwrap();
        let joined = self.ask(&JoinPool {
            caller: Caller::Operator,
            run: run.clone(),
            agent: AgentId::parse(name).unwrap(),
            session: None,
            topics: Vec::new(),
            policies: None,
            instance: InstanceId::parse("i").unwrap(),
            lease,
        });
        let generation = joined.generation;
        let caller = Caller::Member {
            run: run.clone(),
            generation,
        };
        JoinedRun { caller, run }
    }

    pub(super) fn send(&mut self, by: &JoinedRun, request: SendRequest) {
        self.ask(&SendMessage::new(
            by.caller.clone(),
            by.run.clone(),
            request,
        ));
    }

    /// Waits for one event that a filter keeps.
    pub(super) fn wait(
        &mut self,
        by: &JoinedRun,
        name: &str,
        filter: &str,
        timeout: Option<Millis>,
    ) {
        let filter = Filter::compile(filter).unwrap();
        self.register(by, name, Condition::Filter(filter), timeout);
    }

    /// Waits for so many events, each of another run, that a filter keeps.
    pub(super) fn count(&mut self, by: &JoinedRun, name: &str, n: u32, filter: &str) {
        let count = Count {
            n,
            filter: Filter::compile(filter).unwrap(),
            distinct_by: DistinctBy::Run,
        };
        self.register(by, name, Condition::Count(count), None);
    }

    fn register(
        &mut self,
        by: &JoinedRun,
        name: &str,
        condition: Condition<Filter>,
        timeout: Option<Millis>,
    ) {
        let request = WakeRequest {
            wake_id: Some(WakeId::parse(name).unwrap()),
            timeout,
            ..WakeRequest::new(condition, key(name))
        };
        self.ask(&RegisterWake::new(
            by.caller.clone(),
            by.run.clone(),
            request,
        ));
    }

    /// Begins an append at this time, reading what is to be matched again, and makes it durable.
    pub(super) fn begin(&mut self, now: Timestamp) {
        if let Some(after) = self.engine.reads_after() {
            let next = self.records.iter().filter(|record| record.position > after);
            let next = next.take(64).cloned().collect();
            self.engine.put_read(next);
        }
        let staged = self.engine.begin(now).finish(&mut self.engine);
        self.records.extend(staged.records);
    }

    /// Says in which slices the engines match that are opened from here on.
    pub(super) fn in_slices_of(mut self, slice: usize) -> Self {
        self.slice = slice;
        self
    }

    /// Goes on until everything is matched and every trigger is recorded.
    pub(super) fn catch_up(&mut self) {
        while self.engine.has_backlog() {
            self.begin(self.engine.now);
        }
    }

    /// Goes on as [`catch_up`](Self::catch_up), with a crash after every append.
    pub(super) fn catch_up_through_crashes(mut self) -> Self {
        loop {
            let mut opened = self.opened();
            let before = self.records.len();
            while opened.engine.has_backlog() && opened.records.len() == before {
                opened.begin(opened.engine.now);
            }
            if opened.records.len() == before {
                return opened;
            }
            self = opened;
        }
    }

    /// Another engine that replayed what this one recorded: this one crashed.
    pub(super) fn opened(&self) -> Self {
        let mut replay = replay(self.slice);
        for record in &self.records {
            replay.record(record).unwrap();
        }
        Self {
            engine: replay.finish(),
            records: self.records.clone(),
            slice: self.slice,
        }
    }

    /// Returns the names of the wakes that an event ended, in order of their triggers.
    pub(super) fn triggered(&self) -> Vec<&str> {
        let bodies = self.records.iter().map(|record| &record.entry.body);
        let triggered = bodies.filter_map(|body| {
            let Body::WakeTriggered(body) = body else {
                return None;
            };
            Some(body.wake_id.as_str())
        });
        triggered.collect()
    }
}
