//! Events that members report.

use heronry_journal::{Entry, EventBatch, RequestHash};
use heronry_store::KeyName;
use heronry_types::{Epoch, IdempotencyKey, NewEvent, Payload, Position, RunEnd, RunId, Trace};

use super::report::ReportedEvents;
use crate::{
    Appended, Caller, Minter, Rejection, State,
    command::{
        self, AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Names, Prior,
        Profile, Speaker,
    },
    decide::{
        guard, member,
        source::{self, SourceClaim, SourcedEvent},
    },
    hash::RequestHasher,
    rejection::ConflictField,
};

/// Appends a batch of events that a member reports: all of them, in order and without a gap, or none.
///
/// Of a batch that comes from a foreign source, those events are left out that were taken from it
/// before. An event of a source that tells the end of its run goes alone, and is the end of the run.
#[derive(Clone, Debug)]
pub struct AppendEvents {
    caller: Caller,
    report: ReportedEvents,
    key: IdempotencyKey,
    hash: RequestHash,
    /// The approximate size of the events in bytes.
    bytes: usize,
}

impl AppendEvents {
    /// Returns the command; hashes the request, so call it on the caller's side of the queue.
    pub fn new(caller: Caller, run: RunId, events: Vec<NewEvent>, key: IdempotencyKey) -> Self {
        let report = ReportedEvents::new(run, events);
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

    /// Returns the command for events that come from a foreign source; each says its place there.
    #[must_use]
    pub fn from_source(mut self, from: Option<SourceClaim>) -> Self {
        if let Some(from) = &from {
            let mut hasher = RequestHasher::new("events/1 of a source");
            hasher.put(self.hash);
            hasher.put(&from.source);
            self.hash = hasher.finish();
        }
        self.report.from = from;
        self
    }

    /// Sets the trace that the request belongs to.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<Trace>) -> Self {
        self.report.trace = trace;
        self
    }
}

/// The end of a run, as an event of a source tells it.
struct ToldEnd<'a> {
    end: RunEnd,
    /// The text that the event shows.
    note: Option<&'a str>,
}

impl AppendEvents {
    /// Returns the end of the run that the one event of the batch tells.
    fn end(&self) -> Option<ToldEnd<'_>> {
        let [event] = self.report.events.as_slice() else {
            return None;
        };
        self.report.from.as_ref()?;
        Some(ToldEnd {
            end: RunEnd::told_by(event.kind)?,
            note: note_of(event),
        })
    }

    /// Returns the records of events that were not taken before.
    fn entries(
        &self,
        state: &State,
        author: &Author,
        fresh: &[SourcedEvent<'_>],
    ) -> Result<Vec<Entry>, Rejection> {
        let mut batch = Some(EventBatch {
            count: fresh.len() as u64,
            idempotency_key: self.key.clone(),
            request_hash: self.hash,
        });
        let entries = fresh.iter();
        let entries = entries.map(|event| self.report.entry(state, author, *event, batch.take()));
        entries.collect()
    }

    /// Returns how many events were appended.
    fn appended(&self, state: &State, applied: Applied<'_>) -> u64 {
        match (&self.report.from, applied.how) {
            (None, How::Written | How::Repeated) => self.report.events.len() as u64,
            (Some(_), How::Written) if self.end().is_some() => 1,
            (Some(claim), How::Written | How::Repeated) => {
                source::taken_count(state, claim, applied)
            }
            (_, How::Unchanged) => 0,
        }
    }
}

/// Returns the text that an event shows, as the note of the end that it tells.
fn note_of(event: &NewEvent) -> Option<&str> {
    match &event.payload {
        Payload::Summary { summary, .. } => Some(summary),
        Payload::EnvelopeOnly | Payload::Refs { .. } => None,
    }
}

impl Command for AppendEvents {
    type Answer = Appended;

    fn profile(&self) -> Profile<'_> {
        if self.end().is_some() {
            return Profile::new(AboutWakes::Perhaps).reserved_for(&self.report.run);
        }
        // What a source tells again, or late, is nothing that its run does now.
        let speaker = match &self.report.from {
            Some(_) => Speaker::Present(&self.caller, &self.report.run),
            None => Speaker::Acting(&self.caller, &self.report.run),
        };
        Profile::new(AboutWakes::Nothing)
            .with_burden(self.report.events.len())
            .with_bytes(self.bytes)
            .spoken_by(speaker)
    }

    fn names(&self, _: Epoch, _: &Minter) -> Option<Names> {
        let from_source = self.report.from.is_some();
        let end = from_source.then(|| KeyName::BatchEnd(self.key.clone()));
        Some(Names::new(&self.report.run, Some(self.key.clone()), end))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::identity(&self.caller, &self.report.run)?;
        // The end of a batch is no name that another one could take.
        let prior = Prior {
            id: None,
            ..cx.prior
        };
        if let Some(first) =
            command::repeat(state, prior, self.hash, ConflictField::IdempotencyKey)?
        {
            return Ok(Decision::Repeat(first));
        }
        self.report.check_size(state)?;
        // Who was taken over stops, also when there is nothing new.
        let standing = guard::standing(state, &self.caller, &self.report.run);
        if let Err(fenced @ Rejection::Fenced) = standing {
            return Err(fenced);
        }
        let fresh = source::fresh(
            state,
            &self.caller,
            self.report.from.as_ref(),
            &self.report.events,
        )?;
        let has_ended = self.end().is_some() && state.members.ended(&self.report.run).is_some();
        if fresh.is_empty() || has_ended {
            return Ok(Decision::Nothing);
        }
        let member = standing?;
        self.report.check(state, member)?;
        let author = Author::member(state, &self.caller, member);
        let entries = match self.end() {
            Some(told) => member::ended(
                state,
                member,
                &author,
                told.end,
                told.note.map(str::to_owned),
            ),
            None => self.entries(state, &author, &fresh)?,
        };
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Appended, Rejection> {
        // Their records stand side by side.
        let count = self.appended(state, applied);
        let more = count.saturating_sub(1);
        Ok(Appended {
            first: state.cursor(applied.first),
            last: state.cursor(Position(applied.first.0 + more)),
            count,
            durability: applied.durability,
            repeated: applied.how == How::Repeated,
            already_taken: (self.report.events.len() as u64).saturating_sub(count),
        })
    }
}
