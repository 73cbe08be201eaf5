//! The messages of a pool: those that may still change are in memory, the others in the journal.

use std::{
    collections::{HashSet, VecDeque},
    hash::{Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use heronry_types::{ContentRef, Position};

use crate::state::{
    Message, MessageAt,
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
    message::{
        archive::{Archive, ArchivedMessage},
        quick::{QuickHasher, QuickMap},
    },
};

/// The highest number of steps of a message that leaves memory: each is a record to be read again.
const STEPS_MAX: usize = 4_096;
/// The highest number of messages that refer to one body and leave memory: the right to fetch it depends
/// on all of them.
const REFERRERS_MAX: usize = 64;
/// The first position that has no room in the archive.
const POSITION_END: u64 = 1 << 48;
/// The highest number of steps and copies of messages that are kept after they were read again.
const RECALLED_MAX: usize = 16_384;

/// The messages that refer to one body, oldest first: most bodies have one.
#[derive(Clone, Debug)]
enum Referrers {
    One([Position; 1]),
    Many(Vec<Position>),
}

impl Referrers {
    fn as_slice(&self) -> &[Position] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }

    fn push(&mut self, position: Position) {
        match self {
            Self::One([one]) => {
                let pair = [(*one).min(position), (*one).max(position)];
                *self = Self::Many(pair.to_vec());
            }
            Self::Many(many) => {
                let at = many.partition_point(|it| *it < position);
                many.insert(at, position);
            }
        }
    }

    /// Takes one out; returns true when it was the last.
    fn take(&mut self, position: Position) -> bool {
        match self {
            Self::One([one]) => *one == position,
            Self::Many(many) => {
                if let Ok(index) = many.binary_search(&position) {
                    many.remove(index);
                }
                many.is_empty()
            }
        }
    }
}

/// A message that is finished and still in memory.
#[derive(Clone, Copy, Debug)]
struct Finished {
    accepted: Position,
    /// The last record that it has.
    by: Position,
}

/// The messages that have finished: how many, and a fold of how each of them ended.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::state) struct EndedMessages {
    pub(in crate::state) count: u64,
    pub(in crate::state) fold: u64,
}

/// The messages of a pool, by their acceptance.
///
/// A message that is finished, to which nothing can happen any more, may leave memory: what it was is
/// folded again from its records when somebody asks. Until then it is missed, which is noted here.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    by_position: QuickMap<Position, Box<Message>>,
    contents: QuickMap<ContentRef, Referrers>,
    live: u64,
    /// Those that are finished and may leave, oldest end first.
    finished: VecDeque<Finished>,
    /// The number of messages that have finished, and a fold of the standing of each at that time.
    ended: EndedMessages,
    archive: Archive,
    /// Messages that have left and were read again.
    recalled: QuickMap<Position, Box<Message>>,
    recalled_weight: usize,
    missed: Missed,
}

/// Messages that somebody asked for after they had left memory.
#[derive(Debug, Default)]
struct Missed(Mutex<Vec<Position>>);

impl Clone for Missed {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Messages {
    /// Returns a message. One that has left memory is there only after it was read again.
    pub fn get(&self, accepted: Position) -> Option<&Message> {
        match self.by_position.get(&accepted) {
            Some(message) => Some(message),
            None => self.recalled(accepted),
        }
    }

    #[cold]
    fn recalled(&self, accepted: Position) -> Option<&Message> {
        let recalled = self.recalled.get(&accepted);
        if recalled.is_none() && self.archive.holds(accepted) {
            let mut missed = self.missed.0.lock().unwrap_or_else(PoisonError::into_inner);
            missed.push(accepted);
        }
        recalled.map(|message| &**message)
    }

    /// Returns how many messages have no terminal record.
    pub fn live(&self) -> u64 {
        self.live
    }

    /// Returns how many messages are in memory, those that were read again aside.
    pub fn len(&self) -> usize {
        self.by_position.len()
    }

    /// Returns true when no message is in memory.
    pub fn is_empty(&self) -> bool {
        self.by_position.is_empty()
    }

    /// Returns the messages that refer to a content, oldest first.
    pub fn of_content(&self, content: ContentRef) -> Vec<MessageAt<'_>> {
        let kept = self.contents.get(&content);
        let kept = kept.map_or(&[][..], Referrers::as_slice).iter().copied();
        let found = kept
            .chain(self.archive.of_content(content))
            .filter_map(|accepted| {
                let message = self.get(accepted)?;
                Some(MessageAt { accepted, message })
            });
        let mut found: Vec<_> = found
            .filter(|it| it.message.accepted.content_ref == content)
            .collect();
        found.sort_unstable_by_key(|it| it.accepted);
        found
    }

    /// Returns the messages that are in memory in order of acceptance. For checks and digests: it sorts.
    pub fn sorted(&self) -> Vec<MessageAt<'_>> {
        let all = self
            .by_position
            .iter()
            .map(|(accepted, message)| MessageAt {
                accepted: *accepted,
                message,
            });
        let mut all: Vec<_> = all.collect();
        all.sort_unstable_by_key(|it| it.accepted);
        all
    }

    /// Walks the messages that are in memory, in no order.
    pub(crate) fn in_memory(&self) -> impl Iterator<Item = &Message> + '_ {
        self.by_position.values().map(|message| &**message)
    }

    /// Encodes the messages that are not finished, and how the others ended: whether these are still in
    /// memory makes no difference.
    pub(in crate::state) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            by_position: _,
            ended,
            // By what messages are found, and what leaves memory, follows from them.
            contents: _,
            live: _,
            finished: _,
            archive: _,
            recalled: _,
            recalled_weight: _,
            missed: _,
        } = self;
        let mut unfinished = self.sorted();
        unfinished.retain(|at| !at.message.is_finished);
        let EndedMessages { count, fold } = ended;
        to.list(2);
        to.put((count, fold));
        to.each(unfinished.into_iter(), |to, at| {
            at.message.encode(to, at.accepted);
        });
    }

    pub(in crate::state) fn decode(
        &mut self,
        from: &mut Decoding<'_>,
    ) -> Result<(), UnreadableState> {
        from.list(2)?;
        let (count, fold) = from.take()?;
        self.ended = EndedMessages { count, fold };
        for (accepted, message) in from.list_of(|from| Message::decode(from, false))? {
            let is_over = !message.is_open();
            self.insert(accepted, message);
            if is_over {
                self.count_over();
            }
        }
        Ok(())
    }

    /// Encodes the messages that are finished: those in memory as they are, of the others where the journal
    /// has them.
    pub(in crate::state) fn encode_finished<W: Sink>(&self, to: &mut Encoding<W>) {
        let leaving: HashSet<Position> = self.finished.iter().map(|it| it.accepted).collect();
        let mut staying = self.sorted();
        staying.retain(|at| at.message.is_finished && !leaving.contains(&at.accepted));
        to.list(3);
        to.each(staying.into_iter(), |to, at| {
            at.message.encode(to, at.accepted)
        });
        let leaving = self.finished.iter();
        let leaving = leaving.filter_map(|it| Some((it, self.by_position.get(&it.accepted)?)));
        let leaving: Vec<_> = leaving.collect();
        to.each(leaving.into_iter(), |to, (finished, message)| {
            to.list(2);
            to.put(finished.by);
            message.encode(to, finished.accepted);
        });
        self.archive.encode(to);
    }

    pub(in crate::state) fn decode_finished(
        &mut self,
        from: &mut Decoding<'_>,
    ) -> Result<(), UnreadableState> {
        from.list(3)?;
        let finished = |from: &mut Decoding<'_>| Message::decode(from, true);
        let staying = from.list_of(finished)?;
        let leaving = from.list_of(|from| {
            from.list(2)?;
            let by = from.take()?;
            let (accepted, message) = finished(from)?;
            Ok((Finished { accepted, by }, message))
        })?;
        for (accepted, message) in staying {
            self.insert(accepted, message);
            self.count_over();
        }
        for (finished, message) in leaving {
            self.insert(finished.accepted, message);
            self.count_over();
            self.finished.push_back(finished);
        }
        self.archive = Archive::decode(from)?;
        Ok(())
    }

    /// Forgets the finished messages of which the journal was trimmed, as far as they have left memory.
    pub(crate) fn forget_before(&mut self, floor: Position) {
        self.archive.forget_before(floor);
    }

    pub(crate) fn get_mut(&mut self, accepted: Position) -> Option<&mut Message> {
        self.by_position
            .get_mut(&accepted)
            .map(|message| &mut **message)
    }

    pub(crate) fn insert(&mut self, accepted: Position, message: Message) {
        self.contents
            .entry(message.accepted.content_ref)
            .and_modify(|referrers| referrers.push(accepted))
            .or_insert(Referrers::One([accepted]));
        self.by_position.insert(accepted, Box::new(message));
        self.live += 1;
    }

    pub(crate) fn count_over(&mut self) {
        self.live -= 1;
    }

    /// Notes that something of a message has ended with a record; the message may be finished with it.
    pub(crate) fn note_end(&mut self, accepted: Position, by: Position) {
        let Some(message) = self.by_position.get_mut(&accepted) else {
            return;
        };
        if message.is_finished || !message.has_finished() {
            return;
        }
        message.is_finished = true;
        let mut hasher = QuickHasher::default();
        (accepted, message.status, message.reason).hash(&mut hasher);
        (&message.copies, &message.timeline).hash(&mut hasher);
        let EndedMessages { count, fold } = self.ended;
        self.ended = EndedMessages {
            count: count + 1,
            fold: fold.rotate_left(1) ^ hasher.finish(),
        };
        self.finished.push_back(Finished { accepted, by });
    }

    /// Lets finished messages leave memory, all but the last `keep`, whose records are read back no
    /// later than `until`.
    pub(crate) fn forget(&mut self, until: Position, keep: usize) {
        while self.finished.len() > keep
            && let Some(first) = self.finished.front().copied()
            && first.by <= until
        {
            self.finished.pop_front();
            self.archive(first.accepted);
        }
    }

    fn archive(&mut self, accepted: Position) {
        let Some(message) = self.by_position.get(&accepted) else {
            return;
        };
        let content = message.accepted.content_ref;
        let may_leave = message.timeline.len() <= STEPS_MAX
            && accepted.0 < POSITION_END
            && self.archive.of_content(content).count() < REFERRERS_MAX;
        if !may_leave {
            return;
        }
        self.archive.add(&past(accepted, message), content);
        if self
            .contents
            .get_mut(&content)
            .is_some_and(|it| it.take(accepted))
        {
            self.contents.remove(&content);
        }
        self.by_position.remove(&accepted);
    }

    /// Returns what was missed since the last time.
    pub(crate) fn take_missed(&mut self) -> Vec<ArchivedMessage> {
        let missed = self
            .missed
            .0
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if missed.is_empty() {
            return Vec::new();
        }
        let mut missed = std::mem::take(missed);
        missed.sort_unstable();
        missed.dedup();
        let pasts = missed.into_iter().filter_map(|it| self.archive.find(it));
        pasts.collect()
    }

    /// Makes room for what a command asks for, which has to be there all at once.
    pub(crate) fn make_room(&mut self) {
        if self.recalled_weight > RECALLED_MAX {
            self.recalled.clear();
            self.recalled_weight = 0;
        }
    }

    /// Takes in a message that was read again; returns false when it is not the one that left.
    pub(crate) fn recall(&mut self, left: &ArchivedMessage, message: Message) -> bool {
        if past(left.accepted, &message) != *left || !message.is_finished {
            return false;
        }
        self.recalled_weight += message.timeline.len() + message.copies.len();
        self.recalled.insert(left.accepted, Box::new(message));
        true
    }

    /// Forgets a message for good: its records are gone.
    pub(crate) fn give_up(&mut self, left: &ArchivedMessage) {
        self.archive.remove(left.accepted);
    }

    /// Takes a message out of a state that was made to fold it again.
    pub(crate) fn take(&mut self, accepted: Position) -> Option<Message> {
        self.by_position.remove(&accepted).map(|message| *message)
    }
}

/// Returns the records of everything that happened to a message.
fn past(accepted: Position, message: &Message) -> ArchivedMessage {
    let mut records: Vec<Position> = message.timeline.iter().map(|step| step.position).collect();
    records.dedup();
    ArchivedMessage { accepted, records }
}
