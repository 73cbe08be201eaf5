//! Events that members report.

use heronry_journal::{ApplicationEvent, Body, Entry, EventBatch, RequestHash};
use heronry_types::{
    ContentCapture, Cursor, EntityKind, EntityRef, Epoch, EventFamily, EventKind, IdempotencyKey,
    LimitName, Limits, NewEvent, Payload, Position, RunId, Trace,
};

use crate::{
    Appended, Caller, EventFault, Minter, Rejection, State,
    command::{
        self, AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Names, Profile,
        Speaker,
    },
    decide::guard,
    hash::RequestHasher,
    rejection::{ConflictField, PolicyNeed},
    state::Member,
};

/// The kinds that say that a run ended: its state says so, which ends what the run had with it.
const END_KINDS: [EventKind; 3] = [
    EventKind::RunCompleted,
    EventKind::RunFailed,
    EventKind::RunCancelled,
];

/// Appends a batch of events that a member reports: all of them, in order and without a gap, or none.
#[derive(Clone, Debug)]
pub struct AppendEvents {
    caller: Caller,
    run: RunId,
    events: Vec<NewEvent>,
    key: IdempotencyKey,
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
            trace: None,
            bytes: hasher.len(),
            hash: hasher.finish(),
        }
    }

    /// Sets the trace that the request belongs to.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<Trace>) -> Self {
        self.trace = trace;
        self
    }

    fn check(&self, state: &State, member: &Member) -> Result<(), Rejection> {
        let limits = &state.settings.limits;
        if self.events.is_empty() {
            return Err(Rejection::NoEvents);
        }
        limits.check(LimitName::PageItemsMax, self.events.len())?;
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
        if END_KINDS.contains(&kind) {
            return Err(EventFault::RunEnds { kind });
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
        event: &NewEvent,
        batch: Option<EventBatch>,
    ) -> Result<Entry, Rejection> {
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
        };
        let mut entry = author.entry(Body::ApplicationEvent(Box::new(body)));
        entry.lineage.turn.clone_from(&event.turn);
        entry.lineage.correlation = event.correlation.clone();
        entry.lineage.caused_by = event.caused_by.as_ref().map(locate).transpose()?;
        entry.lineage.trace = self.trace;
        Ok(entry)
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
        Profile::new(AboutWakes::Nothing)
            .with_burden(self.events.len())
            .with_bytes(self.bytes)
            .spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn names(&self, _: Epoch, _: &Minter) -> Option<Names> {
        Some(Names::new(&self.run, Some(self.key.clone()), None))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::identity(&self.caller, &self.run)?;
        if let Some(first) = command::repeat(state, cx, self.hash, ConflictField::IdempotencyKey)? {
            return Ok(Decision::Repeat(first));
        }
        let member = guard::standing(state, &self.caller, &self.run)?;
        self.check(state, member)?;
        let author = Author::member(state, &self.caller, member);
        let mut batch = Some(EventBatch {
            count: self.events.len() as u64,
            idempotency_key: self.key.clone(),
            request_hash: self.hash,
        });
        let entries = self.events.iter();
        let entries = entries.map(|event| self.entry(state, &author, event, batch.take()));
        Ok(Decision::Write(Draft::of(
            entries.collect::<Result<_, _>>()?,
        )))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Appended, Rejection> {
        // Equal requests have equally many events, and their records stand side by side.
        let more = (self.events.len() as u64).saturating_sub(1);
        Ok(Appended {
            first: state.cursor(applied.first),
            last: state.cursor(Position(applied.first.0 + more)),
            count: self.events.len() as u64,
            durability: applied.durability,
            repeated: applied.how == How::Repeated,
        })
    }
}
