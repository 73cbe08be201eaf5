//! Commands of scenarios about foreign sources of events.
//!
//! A source is `feed`, or `feed/3` for the bridge of attachment 3.

use heronry_pool::decide::{
    AppendEvents, AttachSource, DetachSource, RecordSourceGap, SourceClaim,
};
use heronry_types::{Generation, NewSourceGap, OnAttached, Position, SourcePosition};

use super::{Event, Scenario, Step, answers, notation::id};

/// Reads a source, with the attachment of its bridge.
fn claim(text: &str) -> SourceClaim {
    let (source, generation) = match text.split_once('/') {
        Some((source, generation)) => (source, Some(generation)),
        None => (text, None),
    };
    SourceClaim {
        source: id(source),
        generation: generation.map(|it| Generation(Position(it.parse().unwrap()))),
    }
}

/// Reads a place in a source: a number, or an id.
pub(crate) fn place(text: &str) -> SourcePosition {
    let number = text.parse();
    number.map_or_else(|_| SourcePosition::Id(id(text)), SourcePosition::Number)
}

impl Scenario {
    /// Reports events of a source, each with its place there.
    pub(crate) fn report_from(
        &mut self,
        by: &str,
        source: &str,
        key: &str,
        events: &[(&str, Event)],
    ) -> Step {
        let (caller, run) = self.speaker(by);
        let events = events.iter().map(|(at, event)| {
            let mut event = self.reported(event.clone());
            event.source_position = (!at.is_empty()).then(|| place(at));
            event
        });
        let events = events.collect();
        let append = AppendEvents::new(caller, run, events, id(key));
        let append = append.from_source((!source.is_empty()).then(|| claim(source)));
        self.step(&append, |it| answers::appended(&it))
    }

    /// Tells that events of a source are missing, under a key.
    pub(crate) fn miss(&mut self, by: &str, source: &str, key: &str, gap: NewSourceGap) -> Step {
        let (caller, run) = self.speaker(by);
        let run = (by != "operator").then_some(run);
        let gap = RecordSourceGap::new(caller, run, claim(source), gap, id(key));
        self.step(&gap, |it| {
            let repeated = if it.repeated { ", repeated" } else { "" };
            answers::done(it.done) + repeated
        })
    }

    /// Attaches an instance of a bridge to a source, and takes it over when `!` follows the source.
    pub(crate) fn attach(&mut self, by: &str, source: &str, instance: &str) -> Step {
        let (caller, run) = self.speaker(by);
        let (source, on_attached) = match source.strip_suffix('!') {
            Some(source) => (source, OnAttached::TakeOver),
            None => (source, OnAttached::Refuse),
        };
        let attach = AttachSource {
            caller,
            run: (by != "operator").then_some(run),
            source: id(source),
            instance: id(instance),
            on_attached,
        };
        self.step(&attach, |it| {
            let last = it
                .last_number
                .map_or(String::new(), |it| format!(" after {it}"));
            let repeated = if it.repeated { ", repeated" } else { "" };
            format!("{}{last}{repeated}", it.generation)
        })
    }

    /// Leaves a source.
    pub(crate) fn detach(&mut self, by: &str, source: &str) -> Step {
        let (caller, _) = self.speaker(by);
        let SourceClaim { source, generation } = claim(source);
        let detach = DetachSource {
            caller,
            source,
            generation: generation.unwrap(),
        };
        self.step(&detach, answers::done)
    }
}
