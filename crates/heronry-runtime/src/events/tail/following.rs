//! The readers near the head, and which events concern them: data and rules, without tasks.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
    sync::Arc,
    task::Waker,
};

use heronry_event::{Filter, index::FilterIndex};
use heronry_types::{Position, RunId};
use slab::Slab;

use super::{
    TailSize,
    mailbox::{Link, Mailbox, MatchedTo},
    ring::{Departing, Ring, TailEvent},
};
use crate::events::sight::ReadRequest;

/// The most deliveries of one slice of matching, beyond those of its last event.
const DELIVERIES: usize = 65_536;
/// The most events of one slice of matching.
const EVENTS: usize = 512;

/// The readers near the head.
#[derive(Debug)]
pub(super) struct Following {
    size: TailSize,
    ring: Ring,
    /// The last position that was matched.
    through: Position,
    matched: MatchedTo,
    index: FilterIndex<usize>,
    /// The readers that want every event: no filter is asked for them.
    unfiltered: BTreeSet<usize>,
    readers: Slab<NearReader>,
    /// The readers whose view ends when a run departs.
    by_run: HashMap<RunId, Vec<usize>>,
    found: Vec<usize>,
    /// The readers that wait for the next position, whatever it is.
    awaiting: Vec<usize>,
}

/// A reader near the head.
#[derive(Debug)]
struct NearReader {
    asked: Arc<ReadRequest>,
    mailbox: Arc<Mailbox>,
    /// The last position that it has looked at by itself.
    since: Position,
    /// The events of the present slice that concern it, by their number there.
    staged: Vec<usize>,
    /// True when it waits for the next position, whatever it is.
    awaits: bool,
}

/// The place of a reader near the head.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) key: usize,
    pub(super) mailbox: Arc<Mailbox>,
}

impl Following {
    /// Returns nobody, at this position.
    pub(super) fn at(through: Position, size: TailSize) -> Self {
        Self {
            size,
            ring: Ring::after(through),
            through,
            matched: MatchedTo::new(through),
            index: FilterIndex::new(),
            unfiltered: BTreeSet::new(),
            readers: Slab::new(),
            by_run: HashMap::new(),
            found: Vec::new(),
            awaiting: Vec::new(),
        }
    }

    /// Returns true when nobody follows.
    pub(super) fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }

    /// Returns how many events a slice of matching takes.
    pub(super) fn slice(&self) -> usize {
        (DELIVERIES / self.readers.len().max(1)).clamp(1, EVENTS)
    }

    /// Attaches a reader that has looked at everything up to a position; nothing when it is not near: it
    /// reads on by itself then.
    pub(super) fn attach(&mut self, asked: &Arc<ReadRequest>, since: Position) -> Option<Attached> {
        let missed = self.ring.since(since);
        let behind = self.through > since;
        if behind
            && missed
                .as_ref()
                .is_none_or(|missed| missed.len() > asked.records())
        {
            return None;
        }
        let mailbox = Arc::new(Mailbox::new(self.matched.clone(), since));
        let mut then = Link::Attached;
        let mut shown = Vec::new();
        for event in missed.into_iter().flatten().take_while(|_| behind) {
            if asked.sees(event) {
                shown.push(event.sized(asked.payload));
            }
            if let Some(closed) = closes(asked, event) {
                then = closed;
                break;
            }
        }
        let delivery = mailbox.deliver(shown.into_iter(), self.size.mailbox, then);
        let key = self.readers.vacant_key();
        self.readers.insert(NearReader {
            asked: Arc::clone(asked),
            mailbox: Arc::clone(&mailbox),
            since,
            staged: Vec::new(),
            awaits: false,
        });
        if delivery.link == Link::Attached {
            self.match_for(key, &asked.query.filter);
            if let Some(run) = asked.viewing_run() {
                self.by_run.entry(run.clone()).or_default().push(key);
            }
        }
        Some(Attached { key, mailbox })
    }

    /// Returns true when a position is matched; otherwise the reader is woken when more is.
    pub(super) fn awaits(&mut self, attached: &Attached, position: Position) -> bool {
        if self.through >= position {
            return true;
        }
        let reader = self.readers.get_mut(attached.key);
        if let Some(reader) = reader.filter(|reader| !reader.awaits) {
            reader.awaits = true;
            self.awaiting.push(attached.key);
        }
        false
    }

    /// Lets a reader go.
    pub(super) fn detach(&mut self, attached: &Attached) {
        let reader = self.readers.get(attached.key);
        if reader.is_some_and(|reader| Arc::ptr_eq(&reader.mailbox, &attached.mailbox)) {
            self.disconnect(attached.key);
            self.readers.try_remove(attached.key);
        }
    }

    /// Begins to match for a reader.
    fn match_for(&mut self, key: usize, filter: &Filter) {
        if filter.normal_form() == "true" {
            self.unfiltered.insert(key);
        } else {
            self.index.insert(key, filter);
        }
    }

    /// Stops matching for a reader.
    fn disconnect(&mut self, key: usize) {
        self.index.remove(key);
        self.unfiltered.remove(&key);
        let reader = self.readers.get(key);
        let Some(run) = reader.and_then(|reader| reader.asked.viewing_run()) else {
            return;
        };
        if let Some(keys) = self.by_run.get_mut(run) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_run.remove(run);
            }
        }
    }

    /// Matches the events that come next, up to a position, and delivers them. Returns the readers that
    /// wait.
    pub(super) fn advance(&mut self, events: Vec<TailEvent>, through: Position) -> Vec<Waker> {
        let (mut touched, mut awake) = (Vec::new(), Vec::new());
        for (number, event) in events.iter().enumerate() {
            self.stage(number, event, &mut touched);
            if event.departs().is_some() {
                awake.extend(self.close(&events, number));
            }
        }
        for key in touched {
            awake.extend(self.hand_over(key, &events, Link::Attached));
        }
        for event in events {
            self.ring.push(event, self.size.ring);
        }
        self.through = through;
        self.matched.reach(through);
        for key in mem::take(&mut self.awaiting) {
            let Some(reader) = self.readers.get_mut(key) else {
                continue;
            };
            reader.awaits = false;
            awake.extend(reader.mailbox.waker());
        }
        awake
    }

    /// Notes for every reader that an event concerns that it comes next.
    fn stage(&mut self, number: usize, event: &TailEvent, touched: &mut Vec<usize>) {
        let mut found = mem::take(&mut self.found);
        found.clear();
        self.index.matches(&event.event().envelope, &mut found);
        found.extend(&self.unfiltered);
        for key in &found {
            let Some(reader) = self.readers.get_mut(*key) else {
                continue;
            };
            let hidden = event.is_out_of_scope() && reader.asked.is_scoped();
            if hidden || event.position() <= reader.since {
                continue;
            }
            if reader.staged.is_empty() {
                touched.push(*key);
            }
            reader.staged.push(number);
        }
        self.found = found;
    }

    /// Closes the views that end with an event.
    fn close(&mut self, events: &[TailEvent], number: usize) -> Vec<Waker> {
        let Some(event) = events.get(number) else {
            return Vec::new();
        };
        let keys = event
            .departs()
            .and_then(|departing| self.by_run.get(departing.run));
        let mut awake = Vec::new();
        for key in keys.cloned().unwrap_or_default() {
            let reader = self.readers.get(key);
            let reader = reader.filter(|reader| event.position() > reader.since);
            if let Some(closed) = reader.and_then(|reader| closes(&reader.asked, event)) {
                awake.extend(self.hand_over(key, events, closed));
            }
        }
        awake
    }

    /// Delivers what is staged for a reader, and says how it goes on.
    fn hand_over(&mut self, key: usize, events: &[TailEvent], then: Link) -> Option<Waker> {
        let reader = self.readers.get_mut(key)?;
        let staged = mem::take(&mut reader.staged);
        if staged.is_empty() && then == Link::Attached {
            return None;
        }
        let payload = reader.asked.payload;
        let staged = staged.iter().filter_map(|number| events.get(*number));
        let shown = staged.map(|event| event.sized(payload));
        let delivery = reader.mailbox.deliver(shown, self.size.mailbox, then);
        if delivery.link != Link::Attached {
            self.disconnect(key);
        }
        delivery.reader
    }

    /// Sends every reader on to its own read of the store, and returns those that wait.
    pub(super) fn break_off(self) -> Vec<Waker> {
        let through = self.through;
        self.end(|reader| Link::Behind(through.max(reader.since)))
    }

    /// Tells every reader that the pool has stopped, and returns those that wait.
    pub(super) fn stop(self) -> Vec<Waker> {
        self.end(|_| Link::Stopped)
    }

    fn end(self, then: impl Fn(&NearReader) -> Link) -> Vec<Waker> {
        let attached = self.readers.iter();
        let is_attached = |key| self.index.contains(key) || self.unfiltered.contains(&key);
        let attached = attached.filter(|(key, _)| is_attached(*key));
        let ends = attached.filter_map(|(_, reader)| {
            let none = std::iter::empty();
            let mailbox = &reader.mailbox;
            mailbox
                .deliver(none, self.size.mailbox, then(reader))
                .reader
        });
        ends.collect()
    }
}

impl ReadRequest {
    /// Returns true when the viewer sees an event, and wants it.
    fn sees(&self, event: &TailEvent) -> bool {
        let hidden = event.is_out_of_scope() && self.is_scoped();
        !hidden && self.query.filter.matches(&event.event().envelope)
    }
}

/// Returns how a reader goes on after an event that closes its view.
fn closes(asked: &ReadRequest, event: &TailEvent) -> Option<Link> {
    let at = event.position();
    let Departing { run, departure } = event.departs()?;
    let reason = asked.closed_by(at, run, departure)?;
    Some(Link::Closed { at, reason })
}
