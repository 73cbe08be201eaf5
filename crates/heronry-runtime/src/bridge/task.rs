//! The task of a bridge: it takes from the source while it delivers, as much as its buffer holds.

use std::{collections::VecDeque, pin::Pin, sync::Arc};

use futures::{FutureExt as _, Stream, StreamExt as _, future::BoxFuture};
use heronry_types::{
    Millis, NewEvent, NewSourceGap, RunEnd, RunId, SourceGapReason, SourcePosition,
};
use tokio::sync::{oneshot, watch};

use super::{
    BridgeEnd, IntakeError, MissingItem, SourceHold, SourceItem, TakenIn,
    deliver::{AttachedBridge, Delivered, GapKey, GapPlace},
    order::SourceOrder,
    tally::{BridgeCounts, BridgeTally},
};

/// The wish of who holds the handle.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wish {
    /// The bridge goes on.
    GoOn,
    /// The bridge appends what it has, and ends.
    Stop,
}

/// The stream of a source.
type ItemStream = Pin<Box<dyn Stream<Item = SourceItem> + Send>>;

/// The willingness of the source to give more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flow {
    Open,
    /// It has ended, or the bridge stops.
    Over,
}

/// One thing that a bridge delivers.
#[derive(Debug)]
enum Step {
    Append {
        run: Option<RunId>,
        events: Vec<NewEvent>,
    },
    Late {
        run: Option<RunId>,
        position: SourcePosition,
    },
    Lagged {
        items: u64,
        missed: u64,
        key: GapKey,
    },
    Missing {
        gap: NewSourceGap,
        key: GapKey,
    },
}

/// A bridge at work.
#[derive(Debug)]
pub(super) struct BridgeTask {
    attached: Arc<AttachedBridge>,
    order: SourceOrder,
    /// The place where the source would miss something next; it has said none at the beginning.
    place: Option<GapPlace>,
    buffer: VecDeque<SourceItem>,
    tally: Arc<BridgeTally>,
    flow: Flow,
}

impl BridgeTask {
    pub(super) fn new(
        attached: Arc<AttachedBridge>,
        attachment: SourceHold,
        tally: Arc<BridgeTally>,
    ) -> Self {
        Self {
            attached,
            order: SourceOrder::after(attachment.last_number),
            place: None,
            buffer: VecDeque::new(),
            tally,
            flow: Flow::Open,
        }
    }

    /// Runs until the source ends, the handle wishes it, or nothing more can be delivered.
    pub(super) async fn run(
        mut self,
        mut source: ItemStream,
        mut wish: watch::Receiver<Wish>,
        polled: oneshot::Sender<()>,
    ) -> Result<BridgeCounts, BridgeEnd> {
        self.take_ready(&mut source);
        // Nobody may wait for it any more.
        let _is_dropped = polled.send(()).is_err();
        loop {
            self.fill(&mut source, &mut wish).await;
            let Some(step) = self.next_step() else {
                break;
            };
            self.deliver(step, &mut source, &mut wish).await?;
        }
        self.attached.detach().await;
        Ok(self.tally.counts())
    }

    fn has_room(&self) -> bool {
        self.flow == Flow::Open && self.buffer.len() < self.attached.delivery.options.buffer_max
    }

    fn is_full(&self) -> bool {
        let options = &self.attached.delivery.options;
        let most = if self.awaits_event() {
            options.buffer_max
        } else {
            options.batch_max
        };
        self.flow == Flow::Over || self.buffer.len() >= most
    }

    /// Returns true when a gap comes first that has no place before an event has come.
    fn awaits_event(&self) -> bool {
        let is_placeless = match self.buffer.front() {
            Some(SourceItem::Lagged { .. }) => true,
            Some(SourceItem::Missing(missing)) => missing.key.is_none(),
            Some(SourceItem::Event(_)) | None => false,
        };
        is_placeless && self.place.is_none() && self.place_before().is_none()
    }

    /// Takes the next item of the source, or its end.
    fn take(&mut self, item: Option<SourceItem>) {
        match item {
            Some(item) if self.tally.accept() => self.buffer.push_back(item),
            Some(_) | None => self.flow = Flow::Over,
        }
    }

    /// Takes what the source has ready, as much as the buffer holds.
    fn take_ready(&mut self, source: &mut ItemStream) {
        while self.has_room() {
            match source.next().now_or_never() {
                Some(item) => self.take(item),
                None => break,
            }
        }
    }

    /// Takes what is ready one last time when the handle wishes to stop.
    fn note_wish(&mut self, source: &mut ItemStream, wish: Option<Wish>) {
        match wish {
            Some(Wish::GoOn) => {}
            // A handle that is gone aborts the task.
            Some(Wish::Stop) | None => {
                self.take_ready(source);
                self.flow = Flow::Over;
            }
        }
    }

    /// Waits for a first item, and then for a full batch, as long as a batch lingers. Gaps before the first event of
    /// a source wait for that event, which says where they are.
    async fn fill(&mut self, source: &mut ItemStream, wish: &mut watch::Receiver<Wish>) {
        let mut until: Option<BoxFuture<'static, ()>> = None;
        self.take_ready(source);
        while !self.is_full() {
            if until.is_none() && !self.buffer.is_empty() && !self.awaits_event() {
                until = Some(self.linger());
            }
            let wait = async {
                match &mut until {
                    Some(until) => until.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                changed = wish.changed() => {
                    let wished = changed.is_ok().then(|| *wish.borrow_and_update());
                    self.note_wish(source, wished);
                }
                () = wait => return,
                item = source.next() => {
                    self.take(item);
                    self.take_ready(source);
                }
            }
        }
    }

    /// Returns what completes when a batch that is not full has waited for more.
    fn linger(&self) -> BoxFuture<'static, ()> {
        let delivery = &self.attached.delivery;
        if delivery.options.linger == Millis(0) {
            return std::future::ready(()).boxed();
        }
        let now = delivery.into.clock.now().monotonic;
        let end = now.0.saturating_add(delivery.options.linger.0);
        delivery.into.clock.alarm(Millis(end))
    }

    /// Delivers a step, and takes from the source meanwhile.
    async fn deliver(
        &mut self,
        step: Step,
        source: &mut ItemStream,
        wish: &mut watch::Receiver<Wish>,
    ) -> Result<(), BridgeEnd> {
        let mut work = deliver(Arc::clone(&self.attached), step).boxed();
        let outcome = loop {
            tokio::select! {
                biased;
                outcome = &mut work => break outcome,
                changed = wish.changed(), if self.flow == Flow::Open => {
                    let wished = changed.is_ok().then(|| *wish.borrow_and_update());
                    self.note_wish(source, wished);
                }
                item = source.next(), if self.has_room() => self.take(item),
            }
        };
        drop(work);
        match outcome {
            Ok(settled) => {
                self.tally
                    .settle(settled.items, |counts| settled.count(counts));
                Ok(())
            }
            Err(IntakeError::Fenced { text }) => Err(BridgeEnd::Fenced {
                text,
                left: self.tally.left(),
            }),
            Err(error) => Err(BridgeEnd::GaveUp {
                error,
                left: self.tally.left(),
            }),
        }
    }

    /// Returns the next step of what is in the buffer; `None` when it is empty.
    fn next_step(&mut self) -> Option<Step> {
        Some(match self.buffer.pop_front()? {
            SourceItem::Lagged { missed } => self.lagged(missed),
            SourceItem::Missing(missing) => {
                let MissingItem { gap, key } = *missing;
                let key = key.map_or_else(|| self.next_key(), GapKey::Said);
                Step::Missing { gap, key }
            }
            SourceItem::Event(event) => {
                self.come_to(&event.position);
                if self.order.is_late(&event.position) {
                    return Some(Step::Late {
                        run: event.run,
                        position: event.position,
                    });
                }
                let run = event.run.clone();
                let first = placed(event.event, event.position);
                let events = self.batch(run.as_ref(), first);
                Step::Append { run, events }
            }
        })
    }

    /// Takes the events that go into one append with the first one: those of the same run that follow it. An event that
    /// ends the run goes alone.
    fn batch(&mut self, run: Option<&RunId>, first: NewEvent) -> Vec<NewEvent> {
        let is_end = |event: &NewEvent| RunEnd::told_by(event.kind).is_some();
        let mut events = vec![first];
        if events.iter().any(is_end) {
            return events;
        }
        while events.len() < self.attached.delivery.options.batch_max {
            let Some(SourceItem::Event(next)) = self.buffer.front() else {
                break;
            };
            let goes_along = next.run.as_ref() == run && !is_end(&next.event);
            if !goes_along || self.order.would_be_late(&next.position) {
                break;
            }
            let Some(SourceItem::Event(next)) = self.buffer.pop_front() else {
                break;
            };
            self.order.is_late(&next.position);
            self.come_to(&next.position);
            events.push(placed(next.event, next.position));
        }
        events
    }

    /// Takes the notices together that follow each other.
    fn lagged(&mut self, mut missed: u64) -> Step {
        let mut items = 1;
        while let Some(SourceItem::Lagged { missed: more }) = self.buffer.front() {
            missed = missed.saturating_add(*more);
            items += 1;
            self.buffer.pop_front();
        }
        let key = self.next_key();
        Step::Lagged { items, missed, key }
    }

    /// Notes the place of an event: what is missing next is missing behind it.
    fn come_to(&mut self, position: &SourcePosition) {
        self.place = Some(GapPlace::Behind(position.clone(), 0));
    }

    /// Returns the place before the first event that waits.
    fn place_before(&self) -> Option<GapPlace> {
        self.buffer.iter().find_map(|item| match item {
            SourceItem::Event(event) => Some(GapPlace::Before(event.position.clone(), 0)),
            SourceItem::Lagged { .. } | SourceItem::Missing(_) => None,
        })
    }

    /// Returns the key of something that is missing here.
    fn next_key(&mut self) -> GapKey {
        let place = self.place.take().or_else(|| self.place_before());
        let Some(place) = place else {
            return GapKey::OfBridge;
        };
        let mut next = place.clone();
        if let GapPlace::Behind(_, gaps) | GapPlace::Before(_, gaps) = &mut next {
            *gaps += 1;
        }
        self.place = Some(next);
        GapKey::At(place)
    }
}

/// Returns an event with its place in the source.
fn placed(mut event: NewEvent, position: SourcePosition) -> NewEvent {
    event.source_position = Some(position);
    event
}

/// A step whose outcome is known.
#[derive(Debug)]
struct Settled {
    items: u64,
    delivered: Delivered,
    late: u64,
    lagged: u64,
    unreadable: u64,
}

impl Settled {
    fn of(items: u64, delivered: Delivered) -> Self {
        Self {
            items,
            delivered,
            late: 0,
            lagged: 0,
            unreadable: 0,
        }
    }

    fn gap(items: u64, told: TakenIn) -> Self {
        Self::of(items, Delivered::of_gap(told))
    }

    fn count(&self, counts: &mut BridgeCounts) {
        counts.appended += self.delivered.events.appended;
        counts.repeated += self.delivered.events.repeated;
        counts.refused += self.delivered.refused;
        counts.gaps += self.delivered.gaps;
        counts.late += self.late;
        counts.lagged = counts.lagged.saturating_add(self.lagged);
        counts.unreadable += self.unreadable;
    }
}

async fn deliver(attached: Arc<AttachedBridge>, step: Step) -> Result<Settled, IntakeError> {
    match step {
        Step::Append { run, events } => {
            let items = events.len() as u64;
            let delivered = attached.append(run.as_ref(), events).await?;
            Ok(Settled::of(items, delivered))
        }
        Step::Late { run, position } => {
            let told = attached.late(run.as_ref(), &position).await?;
            Ok(Settled {
                late: 1,
                ..Settled::gap(1, told)
            })
        }
        Step::Lagged { items, missed, key } => {
            let gap = NewSourceGap {
                missed: Some(missed),
                ..NewSourceGap::new(SourceGapReason::Lagged)
            };
            let told = attached.gap(None, gap, key).await?;
            Ok(Settled {
                lagged: missed,
                ..Settled::gap(items, told)
            })
        }
        Step::Missing { gap, key } => {
            let told = attached.gap(None, gap, key).await?;
            Ok(Settled {
                unreadable: 1,
                ..Settled::gap(1, told)
            })
        }
    }
}
