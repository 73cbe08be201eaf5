//! Events that members report.

use heronry_journal::{ApplicationEvent, Body, Entry, EventBatch, RequestHash, SourceStep};
use heronry_types::{
    ContentCapture, Cursor, EntityKind, EntityRef, Epoch, EventFamily, IdempotencyKey, LimitName,
    Limits, NewEvent, Payload, Position, RunEnd, RunId, SourcePosition, Trace,
};

use crate::{
    Appended, Caller, EventFault, Minter, Rejection, State,
    command::{
        self, AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Names, Profile,
        Speaker,
    },
    decide::{
        guard, member,
        source::{self, SourceClaim, SourcedEvent},
    },
    hash::RequestHasher,
    rejection::{ConflictField, PolicyNeed},
    state::Member,
};

/// Appends a batch of events that a member reports: all of them, in order and without a gap, or none.
///
/// Of a batch that comes from a foreign source, those events are left out that were taken from it
/// before. An event of a source that tells the end of its run goes alone, and is the end of the run.
#[derive(Clone, Debug)]
pub struct AppendEvents {
    caller: Caller,
    run: RunId,
    events: Vec<NewEvent>,
    key: IdempotencyKey,
    from: Option<SourceClaim>,
    trace: Option<Trace>,
    hash: RequestHash,
    /// The approximate size of the events in bytes.
    bytes: usize,
}

impl AppendEvents {
    /// Returns the command; hashes the request, so call it on the caller's side of the queue.
    pub fn new(caller: Caller, run: RunId, events: Vec<NewEvent>, key: IdempotencyKey) -> Self {
        let events: Vec<_> = events.into_iter().map(NewEvent::with_sorted_tags).collect();
        let mut hasher = RequestHasher::new("events/1");
        hasher.put(&events);
        Self {
            caller,
            run,
            events,
            key,
            from: None,
            trace: None,
            bytes: hasher.len(),
            hash: hasher.finish(),
        }
    }

    /// Returns the command for events that come from a foreign source; each says its place there.
    #[must_use]
    pub fn from_source(mut self, from: Option<SourceClaim>) -> Self {
        if let Some(from) = &from {
            let mut hasher = RequestHasher::new("events/1 of a source");
            hasher.put(&self.hash);
            hasher.put(&from.source);
            self.hash = hasher.finish();
        }
        self.from = from;
        self
    }

    /// Sets the trace that the request belongs to.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<Trace>) -> Self {
        self.trace = trace;
        self
    }

    /// Checks what can be told of the batch without who reports it.
    fn check_size(&self, state: &State) -> Result<(), Rejection> {
        if self.events.is_empty() {
            return Err(Rejection::NoEvents);
        }
        let limits = &state.settings.limits;
        Ok(limits.check(LimitName::PageItemsMax, self.events.len())?)
    }

    fn check(&self, state: &State, member: &Member) -> Result<(), Rejection> {
        let limits = &state.settings.limits;
        for (index, event) in self.events.iter().enumerate() {
            self.check_kind(event)
                .map_err(|fault| Rejection::Event { index, fault })?;
            check_limits(limits, event)?;
            guard::policies(state, &event.policies)?;
            if let Some(policy) = member.policies.first_missing(&event.policies) {
                return Err(Rejection::Policy {
                    policy: policy.clone(),
                    need: PolicyNeed::SenderHolds,
                });
            }
        }
        Ok(())
    }

    fn check_kind(&self, event: &NewEvent) -> Result<(), EventFault> {
        let kind = event.kind;
        let is_about_self = |subject: &EntityRef| {
            subject.kind == EntityKind::Run && subject.id.as_str() == self.run.as_str()
        };
        if RunEnd::told_by(kind).is_some() {
            return match (&self.from, self.events.len()) {
                (None, _) => Err(EventFault::RunEnds { kind }),
                (Some(_), 1) => Ok(()),
                (Some(_), _) => Err(EventFault::EndNotAlone { kind }),
            };
        }
        match kind.family() {
            EventFamily::AgentPool => Err(EventFault::PoolsOwn { kind }),
            EventFamily::Run if !event.subject.as_ref().is_none_or(is_about_self) => {
                Err(EventFault::AnotherRun { kind })
            }
            EventFamily::Run
            | EventFamily::Turn
            | EventFamily::Message
            | EventFamily::Model
            | EventFamily::Tool
            | EventFamily::Approval
            | EventFamily::Hook
            | EventFamily::Context
            | EventFamily::StreamRule
            | EventFamily::Realtime
            | EventFamily::Isolation
            | EventFamily::ChildLifecycle
            | EventFamily::Subagent
            | EventFamily::Extension
            | EventFamily::StructuredOutput
            | EventFamily::Output
            | EventFamily::OutputDelivery
            | EventFamily::Telemetry
            | EventFamily::Recovery => Ok(()),
        }
    }

    fn entry(
        &self,
        state: &State,
        author: &Author,
        sourced: SourcedEvent<'_>,
        batch: Option<EventBatch>,
    ) -> Result<Entry, Rejection> {
        let SourcedEvent { event, position } = sourced;
        let own = || EntityRef::new(EntityKind::Run, self.run.retype());
        let locate = |cursor: &Cursor| state.locate(*cursor);
        let body = ApplicationEvent {
            kind: event.kind,
            batch,
            occurred_at: event.occurred_at,
            attempt: event.attempt.clone(),
            message: event.message.clone(),
            reply_to: event.reply_to.clone(),
            topic: event.topic.clone(),
            causal: event.causal.iter().map(locate).collect::<Result<_, _>>()?,
            subject: event.subject.clone().unwrap_or_else(own),
            related: event.related.clone(),
            tags: event.tags.clone(),
            destination: event.destination.clone(),
            policies: event.policies.clone(),
            privacy: event.privacy,
            content_capture: event.content_capture.unwrap_or(ContentCapture::None),
            redaction: event.redaction.clone(),
            payload: event.payload.clone(),
            from: self.step(position),
        };
        let mut entry = author.entry(Body::ApplicationEvent(Box::new(body)));
        entry.lineage.turn.clone_from(&event.turn);
        entry.lineage.correlation = event.correlation.clone();
        entry.lineage.caused_by = event.caused_by.as_ref().map(locate).transpose()?;
        entry.lineage.trace = self.trace;
        Ok(entry)
    }
}

impl AppendEvents {
    /// Returns the end of the run that the one event of the batch tells.
    fn end(&self) -> Option<(RunEnd, &NewEvent)> {
        let [event] = self.events.as_slice() else {
            return None;
        };
        self.from.as_ref()?;
        Some((RunEnd::told_by(event.kind)?, event))
    }

    fn step(&self, position: Option<&SourcePosition>) -> Option<SourceStep> {
        Some(SourceStep {
            source: self.from.as_ref()?.source.clone(),
            position: position?.clone(),
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
        let entries = entries.map(|event| self.entry(state, author, *event, batch.take()));
        entries.collect()
    }

    /// Returns how many events were appended.
    fn appended(&self, state: &State, applied: Applied<'_>) -> u64 {
        match (&self.from, applied.how) {
            (None, How::Written | How::Repeated) => self.events.len() as u64,
            (Some(_), How::Written) if self.end().is_some() => 1,
            (Some(claim), How::Written | How::Repeated) => {
                source::taken_count(state, claim, applied)
            }
            (_, How::Unchanged) => 0,
        }
    }
}

/// Returns the text that an event shows, as the note of the end that it tells.
fn note_of(event: &NewEvent) -> Option<String> {
    match &event.payload {
        Payload::Summary { summary, .. } => Some(summary.clone()),
        Payload::EnvelopeOnly | Payload::Refs { .. } => None,
    }
}

/// Checks sizes: how many of each there are, and how long the texts are that may be shown.
fn check_limits(limits: &Limits, event: &NewEvent) -> Result<(), Rejection> {
    let (summary, refs): (&str, &[EntityRef]) = match &event.payload {
        Payload::EnvelopeOnly => ("", &[]),
        Payload::Summary { summary, refs } => (summary, refs),
        Payload::Refs { refs } => ("", refs),
    };
    let destination = event.destination.as_ref();
    let correlated = destination.map_or(0, |to| to.correlation.len());
    for (limit, count) in [
        (LimitName::TagsMax, event.tags.len()),
        (LimitName::CorrelationEntriesMax, event.correlation.len()),
        (LimitName::CorrelationEntriesMax, correlated),
        (LimitName::PageItemsMax, event.related.len()),
        (LimitName::PageItemsMax, event.causal.len()),
        (LimitName::PageItemsMax, refs.len()),
        (LimitName::NoteBytesMax, summary.len()),
    ] {
        limits.check(limit, count)?;
    }
    let described = event.subject.iter().chain(&event.related).chain(refs);
    let texts = described.map(|entity| entity.summary.as_ref());
    for text in texts.chain([destination.and_then(|to| to.summary.as_ref())]) {
        limits.check(LimitName::NoteBytesMax, text.map_or(0, String::len))?;
    }
    Ok(())
}

impl Command for AppendEvents {
    type Answer = Appended;

    fn profile(&self) -> Profile<'_> {
        if self.end().is_some() {
            return Profile::new(AboutWakes::Perhaps).reserved_for(&self.run);
        }
        // What a source tells again, or late, is nothing that its run does now.
        let speaker = match &self.from {
            Some(_) => Speaker::Present(&self.caller, &self.run),
            None => Speaker::Acting(&self.caller, &self.run),
        };
        Profile::new(AboutWakes::Nothing)
            .with_burden(self.events.len())
            .with_bytes(self.bytes)
            .spoken_by(speaker)
    }

    fn names(&self, _: Epoch, _: &Minter) -> Option<Names> {
        Some(Names::new(&self.run, Some(self.key.clone()), None))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::identity(&self.caller, &self.run)?;
        if let Some(first) = command::repeat(state, cx, self.hash, ConflictField::IdempotencyKey)? {
            return Ok(Decision::Repeat(first));
        }
        self.check_size(state)?;
        let fresh = source::fresh(state, &self.caller, self.from.as_ref(), &self.events)?;
        let has_ended = self.end().is_some() && state.members.ended(&self.run).is_some();
        if fresh.is_empty() || has_ended {
            return Ok(Decision::Nothing);
        }
        let member = guard::standing(state, &self.caller, &self.run)?;
        self.check(state, member)?;
        let author = Author::member(state, &self.caller, member);
        let entries = match self.end() {
            Some((end, event)) => member::ended(state, member, &author, end, note_of(event)),
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
            already_taken: (self.events.len() as u64).saturating_sub(count),
        })
    }
}
