//! The handover between store and tail, forced at every step, against what each viewer is to see.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use heronry_event::{CloseReason, Filter, SharedEvent};
use heronry_journal::{Body, Entry, MemberLeft, Record};
use heronry_pool::decide::Viewer;
use heronry_types::{
    Actor, Epoch, Generation, Lineage, PoolId, Position, RunId, Timelines, Timestamp,
    Undeliverable, Visibility, WakePayload,
};

use super::{
    TailSize,
    following::{Attached, Following},
    mailbox::Link,
    ring::TailEvent,
};
use crate::{EventQuery, OnTrimmed, ReadFrom, events::sight::ReadRequest};

/// The runs whose records are there; those of the first two have viewers.
const RUNS: [&str; 4] = ["viewer-1", "viewer-2", "other", "more"];

/// A source of numbers that a seed decides.
struct SeededDraw(u64);

impl SeededDraw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn timelines() -> Timelines {
    Timelines::of(Epoch([7; 16]))
}

fn run(name: &str) -> RunId {
    RunId::parse(name).unwrap()
}

/// A member leaves: a record that also closes the views of its run.
fn record(position: u64, by: &str, visibility: Visibility) -> Record {
    let lineage = Lineage {
        run: Some(run(by)),
        ..Lineage::of_pool(PoolId::parse("review").unwrap())
    };
    Record {
        position: Position(position),
        recorded_at: Timestamp::from_millis(0),
        entry: Entry {
            lineage,
            actor: Actor::Engine,
            visibility,
            body: Body::MemberLeft(MemberLeft {
                generation: Generation(Position(1)),
                reason: Undeliverable::Left,
                members: 1,
            }),
        },
    }
}

fn request(viewer: Option<(&str, u64)>, filter: &str) -> Arc<ReadRequest> {
    let viewer = viewer.map_or(Viewer::Operator, |(name, since)| Viewer::Member {
        run: run(name),
        generation: Generation(Position(since)),
    });
    Arc::new(ReadRequest {
        query: EventQuery {
            viewer,
            filter: Filter::compile(filter).unwrap(),
            from: ReadFrom::Start,
            on_trimmed: OnTrimmed::Error,
        },
        payload: WakePayload::EnvelopeOnly,
    })
}

/// The result of taking events from the tail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Took {
    Nothing,
    Events,
    /// The reader goes on elsewhere, or is closed.
    End,
}

/// A pool's journal, its tail, and a reader of each kind.
struct TailScene {
    journal: Vec<Record>,
    /// The readers near the head, and the position that was read for them.
    tail: Option<(Following, Position)>,
    size: TailSize,
    readers: Vec<ModelReader>,
    /// The same readers, which read the journal alone.
    alone: Vec<ModelReader>,
}

struct ModelReader {
    asked: Arc<ReadRequest>,
    after: Position,
    attached: Option<Attached>,
    seen: Vec<Position>,
    closed: Option<CloseReason>,
}

impl ModelReader {
    fn of(asked: Arc<ReadRequest>) -> Self {
        Self {
            asked,
            after: Position::ZERO,
            attached: None,
            seen: Vec::new(),
            closed: None,
        }
    }

    /// Reads at most so many records of the journal; false at its head.
    fn read(&mut self, journal: &[Record], most: usize) -> bool {
        let from = usize::try_from(self.after.0).unwrap();
        let records = &journal[from..journal.len().min(from + most)];
        for record in records {
            self.after = record.position;
            let seen = self.asked.see(&timelines(), record);
            self.seen
                .extend(seen.map(|event| event.envelope.id().position));
            self.closed = self.asked.closes(record);
            if self.closed.is_some() {
                break;
            }
        }
        !records.is_empty()
    }

    /// Takes at most so many events from the tail.
    fn take(&mut self, attached: &Attached, most: usize) -> Took {
        let mut taken: VecDeque<SharedEvent> = VecDeque::new();
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(link) = attached.mailbox.poll_take(&mut cx, most, &mut taken) else {
            return Took::Nothing;
        };
        self.seen
            .extend(taken.iter().map(|event| event.envelope.id().position));
        match link {
            Link::Attached => return Took::Events,
            Link::Behind(after) => self.after = after,
            Link::Closed { at, reason } => (self.after, self.closed) = (at, Some(reason)),
            Link::Stopped => self.after = attached.mailbox.scanned_to(),
        }
        Took::End
    }

    fn scanned_to(&self) -> Position {
        let attached = self.attached.as_ref();
        attached.map_or(self.after, |attached| attached.mailbox.scanned_to())
    }
}

impl TailScene {
    fn of(events: usize) -> Self {
        let readers = [
            request(None, "true"),
            request(None, r#"run == "other""#),
            request(None, r#"run == "nobody""#),
            request(Some(("viewer-1", 4)), "true"),
            request(Some(("viewer-1", 4)), r#"run == "more""#),
            request(Some(("viewer-2", 90)), r#"run in ["other", "viewer-1"]"#),
        ];
        Self {
            journal: Vec::new(),
            tail: None,
            size: TailSize::of(events),
            alone: readers.iter().cloned().map(ModelReader::of).collect(),
            readers: readers.into_iter().map(ModelReader::of).collect(),
        }
    }

    fn append(&mut self, draw: &mut SeededDraw) {
        for _ in 0..=draw.below(3) {
            let position = self.journal.len() as u64 + 1;
            // Viewers leave late, so that they have something to see before.
            let runs = if draw.below(60) == 0 {
                &RUNS[..]
            } else {
                &RUNS[2..]
            };
            let by = runs[draw.below(runs.len())];
            let visibility = [Visibility::InScope, Visibility::OutOfScope][draw.below(2)];
            self.journal.push(record(position, by, visibility));
        }
    }

    /// Lets the tail read on; nothing where nobody follows.
    fn advance(&mut self, most: usize) {
        let Some((following, at)) = &mut self.tail else {
            return;
        };
        let from = usize::try_from(at.0).unwrap();
        let to = self.journal.len().min(from + most.min(following.slice()));
        let records = &self.journal[from..to];
        let Some(last) = records.last() else { return };
        let events = records
            .iter()
            .map(|record| TailEvent::of(&timelines(), record, 100));
        *at = last.position;
        following.advance(events.collect(), *at);
    }

    /// Sends a reader back to the store from where it stands. A view that is closed goes nowhere.
    fn send_back(&mut self, number: usize) {
        let reader = &mut self.readers[number];
        let mailbox = reader.attached.as_ref().map(|it| &it.mailbox);
        let mut cx = Context::from_waker(Waker::noop());
        let mut nothing: VecDeque<SharedEvent> = VecDeque::new();
        let link = mailbox.map(|it| it.poll_take(&mut cx, 0, &mut nothing));
        if matches!(link, Some(Poll::Ready(Link::Closed { .. }))) {
            return;
        }
        reader.after = reader.scanned_to();
        self.detach(number);
    }

    fn detach(&mut self, number: usize) {
        let reader = &mut self.readers[number];
        let Some(attached) = reader.attached.take() else {
            return;
        };
        if let Some((following, _)) = &mut self.tail {
            following.detach(&attached);
            if following.is_empty() {
                self.tail = None;
            }
        }
    }

    /// Lets a reader do what comes next for it; false when there is nothing.
    fn step(&mut self, number: usize, most: usize) -> bool {
        let reader = &mut self.readers[number];
        if reader.closed.is_some() {
            return false;
        }
        if let Some(attached) = reader.attached.take() {
            let took = reader.take(&attached, most);
            reader.attached = Some(attached);
            if took == Took::End {
                self.detach(number);
            }
            return took != Took::Nothing;
        }
        let asked = Arc::clone(&reader.asked);
        if let Some((following, _)) = &mut self.tail {
            reader.attached = following.attach(&asked, reader.after);
        }
        if reader.attached.is_some() || reader.read(&self.journal, most) {
            return true;
        }
        let (after, size) = (reader.after, self.size);
        let (following, _) = self
            .tail
            .get_or_insert_with(|| (Following::at(after, size), after));
        self.readers[number].attached = following.attach(&asked, after);
        false
    }

    fn check(&mut self, number: usize) {
        let reader = &self.readers[number];
        let expected = &mut self.alone[number];
        while expected.closed.is_none() && expected.read(&self.journal, 1) {}
        let seen = &reader.seen;
        assert_eq!(
            seen[..],
            expected.seen[..seen.len()],
            "reader {number}: in order, each once"
        );
        let next = expected.seen.get(seen.len());
        let scanned_to = reader.scanned_to();
        assert!(
            next.is_none_or(|next| scanned_to < *next),
            "reader {number} skips {next:?}"
        );
        assert!(
            seen.last().is_none_or(|last| scanned_to >= *last),
            "reader {number} repeats"
        );
        let end = expected.closed.map(|_| expected.after);
        assert!(
            end.is_none_or(|end| scanned_to <= end),
            "reader {number} looks past its end"
        );
    }
}

/// Plays a history in which this many events are kept and anything may come next at every step.
fn play(seed: u64, events: usize) {
    let (mut draw, mut scene) = (SeededDraw(seed), TailScene::of(events));
    for _ in 0..600 {
        let number = draw.below(scene.readers.len());
        let most = 1 + draw.below(4);
        match draw.below(8) {
            0 => scene.append(&mut draw),
            1 | 2 => scene.advance(most),
            3 => scene.send_back(number),
            4 if draw.below(20) == 0 => {
                // The tail breaks off: everybody goes on alone.
                if let Some((following, _)) = scene.tail.take() {
                    following.break_off();
                }
            }
            _ => drop(scene.step(number, most)),
        }
        scene.check(number);
    }
    // Nothing is appended any more: everybody comes to the end of what it is to see.
    for number in 0..scene.readers.len() {
        let mut idle = 0;
        while idle < 3 {
            scene.advance(usize::MAX);
            idle = if scene.step(number, 3) { 0 } else { idle + 1 };
        }
        scene.check(number);
        let reader = &scene.readers[number];
        let head = Position(scene.journal.len() as u64);
        assert!(reader.closed.is_some() || reader.scanned_to() == head);
    }
}

#[test]
fn o4_a_handover_at_any_step_leaves_no_gap_and_no_duplicate() {
    for seed in 0..100 {
        for events in [1, 2, 5, 64] {
            play(seed, events);
        }
    }
}

#[test]
fn an_event_wakes_nobody_whom_it_does_not_concern() {
    let mut following = Following::at(Position::ZERO, TailSize::of(64));
    let asked = [r#"run == "other""#, r#"run == "more""#].map(|filter| request(None, filter));
    let attached = asked.map(|asked| following.attach(&asked, Position::ZERO).unwrap());
    for attached in &attached {
        let mut cx = Context::from_waker(Waker::noop());
        let mut taken: VecDeque<SharedEvent> = VecDeque::new();
        assert!(
            attached
                .mailbox
                .poll_take(&mut cx, 1, &mut taken)
                .is_pending()
        );
    }
    let record = record(1, "more", Visibility::InScope);
    let event = TailEvent::of(&timelines(), &record, 100);
    let awake = following.advance(vec![event], Position(1));
    assert_eq!(awake.len(), 1);
    // The other one has been looked at all the same.
    assert_eq!(
        attached.each_ref().map(|it| it.mailbox.scanned_to()),
        [Position(1), Position(0)]
    );
}
