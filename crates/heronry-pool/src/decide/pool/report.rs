//! Events that a member reports: the rules that all its events follow, recorded or not.

use heronry_journal::{ApplicationEvent, Body, Entry, EventBatch, SourceStep};
use heronry_types::{
    ContentCapture, Cursor, EntityKind, EntityRef, EventFamily, LimitName, Limits, NewEvent,
    Payload, RunEnd, RunId, SourcePosition, Trace,
};

use crate::{
    EventFault, Rejection, State,
    command::Author,
    decide::{
        guard,
        source::{SourceClaim, SourcedEvent},
    },
    rejection::PolicyNeed,
    state::Member,
};

/// The events that a run reports.
#[derive(Clone, Debug)]
pub(super) struct ReportedEvents {
    pub(super) run: RunId,
    pub(super) events: Vec<NewEvent>,
    /// The source that they come from.
    pub(super) from: Option<SourceClaim>,
    pub(super) trace: Option<Trace>,
}

impl ReportedEvents {
    /// Returns a report of these events.
    pub(super) fn new(run: RunId, events: Vec<NewEvent>) -> Self {
        let events = events.into_iter().map(NewEvent::with_sorted_tags).collect();
        Self {
            run,
            events,
            from: None,
            trace: None,
        }
    }

    /// Checks what can be told of the batch without who reports it.
    pub(super) fn check_size(&self, state: &State) -> Result<(), Rejection> {
        if self.events.is_empty() {
            return Err(Rejection::NoEvents);
        }
        let limits = &state.settings.limits;
        Ok(limits.check(LimitName::PageItemsMax, self.events.len())?)
    }

    /// Checks that the member may report each of them.
    pub(super) fn check(&self, state: &State, member: &Member) -> Result<(), Rejection> {
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

    /// Returns the record of one of them.
    pub(super) fn entry(
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

    fn step(&self, position: Option<&SourcePosition>) -> Option<SourceStep> {
        Some(SourceStep {
            source: self.from.as_ref()?.source.clone(),
            position: position?.clone(),
        })
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
