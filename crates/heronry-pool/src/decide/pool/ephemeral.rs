//! Events that members report without a record.

use heronry_event::Event;
use heronry_journal::Record;
use heronry_types::{Cursor, EventSemantics, NewEvent, RunId, Trace, Visibility};

use super::report::ReportedEvents;
use crate::{
    Caller, EventFault, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile, Speaker},
    decide::{
        guard,
        source::{self, SourcedEvent},
    },
    project,
};

/// Asks whether a member may publish these events without a record, and what they look like. Nothing is
/// appended.
#[derive(Clone, Debug)]
pub struct PublishEphemeral {
    caller: Caller,
    report: ReportedEvents,
}

/// Events that may be shown, and not recorded.
#[derive(Clone, Debug)]
pub struct Unrecorded {
    /// The events. The cursor in each envelope is `after`.
    pub events: Vec<Event>,
    /// The record that they follow: the head when they were published. Readers see them only after it.
    pub after: Cursor,
    /// The scope of their author.
    pub visibility: Visibility,
}

impl PublishEphemeral {
    /// Returns the command.
    pub fn new(caller: Caller, run: RunId, events: Vec<NewEvent>) -> Self {
        let report = ReportedEvents::new(run, events);
        Self { caller, report }
    }

    /// Sets the trace that the request belongs to.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<Trace>) -> Self {
        self.report.trace = trace;
        self
    }

    /// Refuses kinds that end something: these must be facts.
    fn check_kinds(&self) -> Result<(), Rejection> {
        let kinds = self.report.events.iter().map(|event| event.kind);
        let terminal = kinds.enumerate().find(|(_, kind)| kind.is_terminal());
        terminal.map_or(Ok(()), |(index, kind)| {
            let fault = EventFault::MustBeFact { kind };
            Err(Rejection::Event { index, fault })
        })
    }

    /// Returns the events, none of which may say a place in a source: only what is recorded is taken from one.
    fn fresh(&self, state: &State) -> Result<Vec<SourcedEvent<'_>>, Rejection> {
        source::fresh(state, &self.caller, None, &self.report.events)
    }

    fn events(&self, state: &State, applied: Applied<'_>) -> Result<Unrecorded, Rejection> {
        let member = guard::standing(state, &self.caller, &self.report.run)?;
        let author = Author::member(state, &self.caller, member);
        let after = applied.first;
        let events = self.fresh(state)?.into_iter();
        let entries = events.map(|event| self.report.entry(state, &author, event, None));
        let draft = Draft::of(entries.collect::<Result<_, _>>()?);
        draft.check_fits()?;
        let visibility = draft.entries.first().map(|entry| entry.visibility);
        let shown = draft.entries.into_iter().map(|entry| {
            let record = Record {
                position: after,
                recorded_at: applied.now,
                entry,
            };
            let mut event = project(state.timelines(), &record);
            event.envelope.governance.semantics = EventSemantics::BestEffortLive;
            event
        });
        Ok(Unrecorded {
            events: shown.collect(),
            after: state.cursor(after),
            visibility: visibility.unwrap_or(Visibility::InScope),
        })
    }
}

impl Command for PublishEphemeral {
    type Answer = Unrecorded;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
            .with_burden(self.report.events.len())
            .spoken_by(Speaker::Acting(&self.caller, &self.report.run))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::identity(&self.caller, &self.report.run)?;
        let member = guard::standing(state, &self.caller, &self.report.run)?;
        self.report.check_size(state)?;
        self.check_kinds()?;
        self.fresh(state)?;
        self.report.check(state, member)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Unrecorded, Rejection> {
        self.events(state, applied)
    }
}
