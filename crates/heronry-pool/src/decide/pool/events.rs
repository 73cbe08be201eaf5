//! Events that members report.

use heronry_journal::{EventBatch, RequestHash};
use heronry_types::{Epoch, IdempotencyKey, NewEvent, Position, RunId, Trace};

use super::report::Report;
use crate::{
    Appended, Caller, Minter, Rejection, State,
    command::{
        self, AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Names, Profile,
        Speaker,
    },
    decide::guard,
    hash::RequestHasher,
    rejection::ConflictField,
};

/// Appends a batch of events that a member reports: all of them, in order and without a gap, or none.
#[derive(Clone, Debug)]
pub struct AppendEvents {
    caller: Caller,
    report: Report,
    key: IdempotencyKey,
    hash: RequestHash,
    /// The approximate size of the events in bytes.
    bytes: usize,
}

impl AppendEvents {
    /// Returns the command; hashes the request, so call it on the caller's side of the queue.
    pub fn new(caller: Caller, run: RunId, events: Vec<NewEvent>, key: IdempotencyKey) -> Self {
        let report = Report::new(run, events);
        let mut hasher = RequestHasher::new("events/1");
        hasher.put(&report.events);
        Self {
            caller,
            report,
            key,
            bytes: hasher.len(),
            hash: hasher.finish(),
        }
    }

    /// Sets the trace that the request belongs to.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<Trace>) -> Self {
        self.report.trace = trace;
        self
    }
}

impl Command for AppendEvents {
    type Answer = Appended;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
            .with_burden(self.report.events.len())
            .with_bytes(self.bytes)
            .spoken_by(Speaker::Acting(&self.caller, &self.report.run))
    }

    fn names(&self, _: Epoch, _: &Minter) -> Option<Names> {
        Some(Names::new(&self.report.run, Some(self.key.clone()), None))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::identity(&self.caller, &self.report.run)?;
        if let Some(first) = command::repeat(state, cx, self.hash, ConflictField::IdempotencyKey)? {
            return Ok(Decision::Repeat(first));
        }
        let member = guard::standing(state, &self.caller, &self.report.run)?;
        self.report.check(state, member)?;
        let author = Author::member(state, &self.caller, member);
        let mut batch = Some(EventBatch {
            count: self.report.events.len() as u64,
            idempotency_key: self.key.clone(),
            request_hash: self.hash,
        });
        let entries = self.report.events.iter();
        let entries = entries.map(|event| self.report.entry(state, &author, event, batch.take()));
        Ok(Decision::Write(Draft::of(
            entries.collect::<Result<_, _>>()?,
        )))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Appended, Rejection> {
        // Equal requests have equally many events, and their records stand side by side.
        let more = (self.report.events.len() as u64).saturating_sub(1);
        Ok(Appended {
            first: state.cursor(applied.first),
            last: state.cursor(Position(applied.first.0 + more)),
            count: self.report.events.len() as u64,
            durability: applied.durability,
            repeated: applied.how == How::Repeated,
        })
    }
}
