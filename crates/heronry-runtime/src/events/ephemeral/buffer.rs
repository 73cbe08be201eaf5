//! The events without a record that wait for one reader, and what is dropped of them.

use std::collections::{BTreeMap, VecDeque};

use heronry_event::{DroppedEphemeral, SharedEphemeral, StreamItem};
use heronry_types::{OverflowPolicy, Position, Progress};

/// The most bytes of JSON that wait for one reader, beyond one event.
const BYTES_MAX: usize = 1024 * 1024;

/// The events without a record that wait for one reader, in order. A notice stands where events were dropped.
#[derive(Debug)]
pub(super) struct EphemeralBuffer {
    policy: OverflowPolicy,
    most: usize,
    waiting: VecDeque<BufferedItem>,
    /// The number of events that wait.
    events: usize,
    /// The number of bytes of their JSON.
    bytes: usize,
    state: BufferState,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum BufferState {
    Open,
    /// The stream ends after what waits.
    Overflowing,
    Ended,
}

#[derive(Debug)]
enum BufferedItem {
    Event(SharedEphemeral, usize),
    Notice(PlacedNotice),
}

/// A notice, and the position that it follows.
#[derive(Debug)]
struct PlacedNotice {
    notice: DroppedEphemeral,
    after: Position,
}

/// The next thing that a reader is told.
#[derive(Debug)]
pub(in crate::events) enum NextEphemeral {
    Item(StreamItem),
    /// The stream ends: its reader is too slow.
    Overflow,
    /// The next item follows this position.
    After(Position),
    Nothing,
}

impl BufferedItem {
    fn after(&self) -> Position {
        match self {
            Self::Event(event, _) => event.after().position,
            Self::Notice(notice) => notice.after,
        }
    }

    fn tells_progress(&self) -> bool {
        match self {
            Self::Event(event, _) => event.event.envelope.kind.progress() == Progress::Progress,
            Self::Notice(_) => false,
        }
    }
}

impl EphemeralBuffer {
    pub(super) fn new(policy: OverflowPolicy, most: usize) -> Self {
        Self {
            policy,
            most: most.max(1),
            waiting: VecDeque::new(),
            events: 0,
            bytes: 0,
            state: BufferState::Open,
        }
    }

    /// Puts an event of so many bytes at the end, and drops by the policy what there is no room for.
    pub(super) fn push(&mut self, event: SharedEphemeral, bytes: usize) {
        if self.state != BufferState::Open {
            return;
        }
        self.waiting.push_back(BufferedItem::Event(event, bytes));
        self.events += 1;
        self.bytes += bytes;
        while self.events > self.most || (self.events > 1 && self.bytes > BYTES_MAX) {
            self.make_room();
        }
    }

    /// Drops one event at least.
    fn make_room(&mut self) {
        let newest = self.waiting.len().saturating_sub(1);
        match self.policy {
            OverflowPolicy::DropProgress => {
                let progress = self.waiting.iter().position(BufferedItem::tells_progress);
                match progress {
                    Some(oldest) => self.drop_at(oldest),
                    None => self.fail(),
                }
            }
            OverflowPolicy::DropNonTerminal => self.drop_at(self.oldest()),
            OverflowPolicy::Summarize | OverflowPolicy::LatestOnly => self.drop_before(newest),
            OverflowPolicy::FailSubscriber => self.fail(),
        }
    }

    fn oldest(&self) -> usize {
        let is_event = |waiting: &BufferedItem| matches!(waiting, BufferedItem::Event(..));
        self.waiting.iter().position(is_event).unwrap_or(0)
    }

    fn fail(&mut self) {
        self.drop_before(self.waiting.len());
        self.state = BufferState::Overflowing;
    }

    fn drop_before(&mut self, end: usize) {
        let waiting = self.waiting.drain(..end).collect::<Vec<_>>();
        let kept = std::mem::take(&mut self.waiting);
        let dropped = waiting.into_iter().map(|waiting| self.notice(waiting));
        let whole = dropped.reduce(PlacedNotice::merged);
        let whole = whole.map(BufferedItem::Notice).into_iter();
        self.waiting = whole.chain(kept).collect();
    }

    /// Drops the event at an index. Its notice and those beside it become one.
    fn drop_at(&mut self, index: usize) {
        let is_notice =
            |waiting: Option<&BufferedItem>| matches!(waiting, Some(BufferedItem::Notice(_)));
        let before = index
            .checked_sub(1)
            .filter(|it| is_notice(self.waiting.get(*it)));
        let after = Some(index + 1).filter(|it| is_notice(self.waiting.get(*it)));
        let (first, last) = (before.unwrap_or(index), after.unwrap_or(index));
        let dropped: Vec<BufferedItem> = self.waiting.drain(first..=last).collect();
        let notices = dropped.into_iter().map(|waiting| self.notice(waiting));
        if let Some(whole) = notices.reduce(PlacedNotice::merged) {
            self.waiting.insert(first, BufferedItem::Notice(whole));
        }
    }

    /// Returns the notice of something that waits no more.
    fn notice(&mut self, waiting: BufferedItem) -> PlacedNotice {
        let (event, bytes) = match waiting {
            BufferedItem::Event(event, bytes) => (event, bytes),
            BufferedItem::Notice(notice) => return notice,
        };
        self.events -= 1;
        self.bytes -= bytes;
        let mut kinds = BTreeMap::new();
        if self.policy == OverflowPolicy::Summarize {
            kinds.insert(event.event.envelope.kind, 1);
        }
        let notice = DroppedEphemeral {
            dropped: 1,
            first: event.number,
            last: event.number,
            policy: self.policy,
            kinds,
        };
        PlacedNotice {
            notice,
            after: event.after().position,
        }
    }

    /// Takes the next item that follows what a reader has passed.
    pub(super) fn next(&mut self, passed: Position) -> NextEphemeral {
        let Some(next) = self.waiting.front() else {
            return match self.state {
                BufferState::Overflowing => {
                    self.state = BufferState::Ended;
                    NextEphemeral::Overflow
                }
                BufferState::Open | BufferState::Ended => NextEphemeral::Nothing,
            };
        };
        if next.after() > passed {
            return NextEphemeral::After(next.after());
        }
        match self.waiting.pop_front() {
            Some(BufferedItem::Event(event, bytes)) => {
                self.events -= 1;
                self.bytes -= bytes;
                NextEphemeral::Item(StreamItem::Ephemeral(event))
            }
            Some(BufferedItem::Notice(it)) => NextEphemeral::Item(StreamItem::Dropped(it.notice)),
            None => NextEphemeral::Nothing,
        }
    }
}

impl PlacedNotice {
    /// Returns one notice of this one and the one behind it.
    fn merged(self, behind: Self) -> Self {
        let (first, second) = (self.notice, behind.notice);
        let mut kinds = first.kinds;
        for (kind, count) in second.kinds {
            *kinds.entry(kind).or_default() += count;
        }
        let notice = DroppedEphemeral {
            dropped: first.dropped + second.dropped,
            first: first.first,
            last: second.last,
            policy: first.policy,
            kinds,
        };
        Self {
            notice,
            after: self.after.max(behind.after),
        }
    }
}

#[cfg(test)]
mod tests {
    use heronry_event::{Envelope, EphemeralEvent, Event, Identity, Stamp};
    use heronry_types::{
        Cursor, EntityKind, EntityRef, Epoch, EventKind, PoolId, SourceKind, SourceRef, Timestamp,
        Vocabulary as _,
    };

    use super::*;

    fn event(number: u64, kind: EventKind, after: u64) -> SharedEphemeral {
        let pool = PoolId::parse("review").unwrap();
        let after = Cursor::new(Epoch([7; 16]), Position(after));
        let stamp = Stamp::new(after, Timestamp::from_millis(0));
        let subject = EntityRef::new(EntityKind::AgentPool, pool.retype());
        let source = SourceRef::new(SourceKind::Sdk, pool.retype());
        let envelope = Envelope::new(stamp, kind, Identity::new(pool), subject, source);
        let event = Event::from(envelope);
        EphemeralEvent { number, event }.into()
    }

    /// Takes what follows a position, and checks that every number comes once, in order, shown or dropped.
    fn take(buffer: &mut EphemeralBuffer, passed: u64, last: &mut u64) -> bool {
        loop {
            match buffer.next(Position(passed)) {
                NextEphemeral::Item(StreamItem::Ephemeral(shown)) => {
                    assert!(shown.after().position <= Position(passed));
                    assert_eq!(shown.number, *last + 1);
                    *last = shown.number;
                }
                NextEphemeral::Item(StreamItem::Dropped(notice)) => {
                    assert_eq!(
                        (notice.first, notice.dropped),
                        (*last + 1, notice.last - *last)
                    );
                    let summed: u64 = notice.kinds.values().sum();
                    let is_sum = notice.policy == OverflowPolicy::Summarize;
                    assert_eq!(summed, notice.dropped * u64::from(is_sum));
                    *last = notice.last;
                }
                NextEphemeral::Item(item) => panic!("{item:?}"),
                NextEphemeral::Overflow => return true,
                NextEphemeral::After(position) => {
                    assert!(position > Position(passed));
                    return false;
                }
                NextEphemeral::Nothing => return false,
            }
        }
    }

    /// Plays a history in which anything may come next.
    fn play(seed: u64, policy: OverflowPolicy) {
        let kinds = [EventKind::ModelStreamDelta, EventKind::ToolStarted];
        let mut number = seed.wrapping_mul(6_364_136_223_846_793_005) | 1;
        let mut draw = |bound: u64| {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (number >> 33) % bound
        };
        let most = usize::try_from(draw(4) + 1).unwrap();
        let mut buffer = EphemeralBuffer::new(policy, most);
        let (mut pushed, mut last, mut position) = (0, 0, 0);
        for _ in 0..200 {
            if draw(3) == 0 || buffer.state != BufferState::Open {
                position += draw(2);
                take(&mut buffer, position, &mut last);
                continue;
            }
            pushed += 1;
            let kind = kinds[usize::try_from(draw(8) / 7).unwrap()];
            // Now and then one that is too large for anything beside it.
            let bytes = [BYTES_MAX, 100][usize::from(draw(20) > 0)];
            buffer.push(event(pushed, kind, position + draw(2)), bytes);
            assert!(buffer.events <= most && (buffer.events <= 1 || buffer.bytes <= BYTES_MAX));
            assert!(buffer.waiting.len() <= 2 * most + 1);
        }
        let overflowed = take(&mut buffer, position + 2, &mut last);
        assert_eq!(last, pushed, "{policy}");
        let may_fail = [OverflowPolicy::FailSubscriber, OverflowPolicy::DropProgress];
        assert!(!overflowed || may_fail.contains(&policy), "{policy}");
    }

    #[test]
    fn o11_every_event_is_shown_once_or_counted_in_a_notice_at_its_place() {
        for seed in 0..100 {
            for policy in OverflowPolicy::ALL {
                play(seed, *policy);
            }
        }
    }
}
