//! The messages of a pool: those that may still change are in memory, the others in the journal.

use std::{
    collections::VecDeque,
    hash::{Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use heronry_types::{ContentRef, Position};

use crate::state::{
    Message, MessageAt,
    decoding::{DecodedEntry, Decoding, UnreadableState},
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

/// The part of a journal that was trimmed, as far as it is about messages.
///
/// A message that was accepted in it is known as long as it had not finished when the trim was decided: whatever
/// memory held at that time, everybody who folds the journal knows the same ones.
#[derive(Clone, Copy, Debug, Default)]
struct TrimmedPart {
    /// The first position that is kept.
    floor: Position,
    /// The head at which the trim was decided.
    decided: Position,
}

impl TrimmedPart {
    /// Returns true when a message with these ends went with the trim.
    fn took(self, finished: Finished) -> bool {
        finished.accepted < self.floor && finished.by <= self.decided
    }
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
    /// Those that are finished and stay, oldest end first: they are too large to be read again, or a part of
    /// their records is gone or may go.
    staying: VecDeque<Finished>,
    /// Those that have finished in a part of the journal of which a trim took them.
    taken: Vec<Position>,
    /// The last trim.
    trimmed: TrimmedPart,
    /// The head at which the trim was decided that is under way. `None` while none is.
    deciding: Option<Position>,
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

    /// Returns true when a message is known, in memory or from its records.
    pub fn knows(&self, accepted: Position) -> bool {
        self.by_position.contains_key(&accepted) || self.archive.holds(accepted)
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
            staying: _,
            taken: _,
            trimmed: _,
            deciding: _,
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
        for DecodedEntry {
            key: accepted,
            value: message,
        } in from.list_of(Message::decode)?
        {
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
        to.list(3);
        for queue in [&self.staying, &self.finished] {
            let messages = queue.iter();
            let messages =
                messages.filter_map(|it| Some((it, self.by_position.get(&it.accepted)?)));
            let messages: Vec<_> = messages.collect();
            to.each(messages.into_iter(), |to, (finished, message)| {
                to.list(2);
                to.put(finished.by);
                message.encode(to, finished.accepted);
            });
        }
        self.archive.encode(to);
    }

    pub(in crate::state) fn decode_finished(
        &mut self,
        from: &mut Decoding<'_>,
    ) -> Result<(), UnreadableState> {
        from.list(3)?;
        self.staying = self.decode_queue(from)?;
        self.finished = self.decode_queue(from)?;
        self.archive = Archive::decode(from)?;
        Ok(())
    }

    fn decode_queue(
        &mut self,
        from: &mut Decoding<'_>,
    ) -> Result<VecDeque<Finished>, UnreadableState> {
        let queue = from.list_of(|from| {
            from.list(2)?;
            let by = from.take()?;
            let DecodedEntry {
                key: accepted,
                value: mut message,
            } = Message::decode(from)?;
            message.is_finished = true;
            self.insert(accepted, message);
            self.count_over();
            Ok(Finished { accepted, by })
        })?;
        Ok(queue.into())
    }

    /// Says that a trim is decided at this head: what is under way, and may be accepted below the floor to come,
    /// stays in memory when it finishes.
    pub(crate) fn trim_decided(&mut self, head: Position) {
        self.deciding = Some(head);
    }

    /// Says that the trim that was decided is not made.
    pub(crate) fn trim_given_up(&mut self) {
        self.deciding = None;
        self.let_leave();
    }

    /// Forgets the messages that a trim took: those that were accepted before its floor and had finished when
    /// it was decided. Those that finish later stay in memory, because a part of their records is gone.
    pub(crate) fn trim(&mut self, floor: Position, decided: Position) {
        let trimmed = TrimmedPart { floor, decided };
        (self.trimmed, self.deciding) = (trimmed, None);
        for queue in [&mut self.finished, &mut self.staying] {
            let of_trim = queue.iter().filter(|it| trimmed.took(**it));
            self.taken.extend(of_trim.map(|it| it.accepted));
            queue.retain(|it| !trimmed.took(*it));
        }
        self.drop_taken();
        self.archive.forget_before(floor);
        self.recalled.retain(|accepted, _| *accepted >= floor);
        let weights = self.recalled.values().map(|it| weight(it));
        self.recalled_weight = weights.sum();
        self.let_leave();
    }

    fn drop_taken(&mut self) {
        for accepted in std::mem::take(&mut self.taken) {
            self.remove(accepted);
        }
    }

    /// Lets those leave memory that stayed for a trim only.
    fn let_leave(&mut self) {
        for finished in std::mem::take(&mut self.staying) {
            self.archive(finished);
        }
    }

    /// Returns true when a part of the records of a message is gone, or goes with the trim that is under way.
    fn is_cut(&self, finished: Finished) -> bool {
        let may_go = |head| finished.accepted <= head && finished.by > head;
        finished.accepted < self.trimmed.floor || self.deciding.is_some_and(may_go)
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
        let finished = Finished { accepted, by };
        if self.trimmed.took(finished) {
            self.taken.push(accepted);
        } else {
            self.finished.push_back(finished);
        }
    }

    /// Lets finished messages leave memory, all but the last `keep`, whose records are read back no
    /// later than `until`; those that a trim took are forgotten.
    pub(crate) fn forget(&mut self, until: Position, keep: usize) {
        self.drop_taken();
        while self.finished.len() > keep
            && let Some(first) = self.finished.front().copied()
            && first.by <= until
        {
            self.finished.pop_front();
            self.archive(first);
        }
    }

    /// Lets a message leave memory, unless it has to stay.
    fn archive(&mut self, finished: Finished) {
        let Finished { accepted, .. } = finished;
        let Some(message) = self.by_position.get(&accepted) else {
            return;
        };
        let content = message.accepted.content_ref;
        let may_leave = message.timeline.len() <= STEPS_MAX
            && accepted.0 < POSITION_END
            && !self.is_cut(finished)
            && self.archive.of_content(content).count() < REFERRERS_MAX;
        if may_leave {
            self.archive.add(&past(accepted, message), content);
            self.remove(accepted);
        } else {
            self.staying.push_back(finished);
        }
    }

    fn remove(&mut self, accepted: Position) {
        let Some(message) = self.by_position.remove(&accepted) else {
            return;
        };
        let content = message.accepted.content_ref;
        if self
            .contents
            .get_mut(&content)
            .is_some_and(|it| it.take(accepted))
        {
            self.contents.remove(&content);
        }
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
        self.recalled_weight += weight(&message);
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

/// Returns the steps and copies of a message.
fn weight(message: &Message) -> usize {
    message.timeline.len() + message.copies.len()
}

/// Returns the records of everything that happened to a message.
fn past(accepted: Position, message: &Message) -> ArchivedMessage {
    let mut records: Vec<Position> = message.timeline.iter().map(|step| step.position).collect();
    records.dedup();
    ArchivedMessage { accepted, records }
}
