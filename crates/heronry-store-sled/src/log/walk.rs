//! Walking the messages of a log in order, as sled does when it opens.

use std::{collections::BTreeMap, fs::File, io, path::Path};

use super::{
    message::{self, Found, Lies, LogMessage, MessageKind},
    pages::Pointer,
    segment::{HEADER, SEGMENT, has_room, read_segment, within},
};

/// A walk through segments.
pub(crate) struct Walk<'a> {
    pub(crate) db: &'a File,
    pub(crate) blobs: &'a Path,
    /// The segments that were not begun yet: where each begins in the log, and its offset.
    pub(crate) segments: BTreeMap<i64, u64>,
    /// The place in the log behind which nothing is read.
    pub(crate) limit: Option<i64>,
    /// The place in the log that was reached; nothing when no segment was read.
    pub(crate) place: Option<i64>,
    /// The segment that is being read.
    pub(crate) segment: Option<Segment>,
}

/// A segment that is being read.
pub(crate) struct Segment {
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// A step of the walk.
pub(crate) enum WalkStep {
    /// A message about a page, and where it stands.
    Message(LogMessage, Pointer),
    /// Something that is no message.
    Nothing(Hole),
    /// The end.
    End,
}

/// A place where a message could begin and none is, or a damaged one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hole {
    /// Its place in the log.
    pub(crate) place: i64,
    /// Its offset in the file.
    pub(crate) offset: u64,
}

impl Walk<'_> {
    pub(crate) fn next(&mut self) -> io::Result<WalkStep> {
        loop {
            if !has_room(within(self.place.unwrap_or(0))) {
                self.segment = None;
            }
            if self.segment.is_none() && !self.begin_segment()? {
                return Ok(WalkStep::End);
            }
            let (Some(segment), Some(place)) = (&self.segment, self.place) else {
                return Ok(WalkStep::End);
            };
            if self.limit.is_some_and(|limit| place > limit) {
                return Ok(WalkStep::End);
            }
            let at = within(place);
            let offset = segment.offset + at as u64;
            let number = u64::try_from(place / SEGMENT).ok();
            let found = match message::read(&segment.bytes, at) {
                Found::Whole(found) if Some(found.segment) == number => found,
                Found::Whole(_) | Found::Nothing => {
                    return Ok(WalkStep::Nothing(Hole { place, offset }));
                }
                Found::CutOff => return Ok(WalkStep::End),
            };
            match self.look(&found)? {
                Look::Skip => {}
                Look::Cap => {
                    self.segment = None;
                    continue;
                }
                Look::Torn => return Ok(WalkStep::End),
                Look::About(lies) => {
                    self.advance(&found);
                    let at = Pointer {
                        place,
                        offset,
                        lies,
                    };
                    return Ok(WalkStep::Message(found, at));
                }
            }
            self.advance(&found);
        }
    }

    fn advance(&mut self, found: &LogMessage) {
        let length = i64::try_from(found.length).unwrap_or(SEGMENT);
        self.place = self.place.map(|place| place + length);
    }

    fn look(&self, found: &LogMessage) -> io::Result<Look> {
        Ok(match found.kind {
            MessageKind::Cap => Look::Cap,
            MessageKind::Manifest(last) if self.limit.is_some_and(|limit| last > limit) => {
                Look::Torn
            }
            MessageKind::Canceled | MessageKind::Manifest(_) => Look::Skip,
            MessageKind::Free => Look::About(Lies::Inline),
            MessageKind::Replace(lies) | MessageKind::Link(lies) => match lies {
                Lies::Beside(name) if !self.blobs.join(name.to_string()).try_exists()? => {
                    Look::Skip
                }
                Lies::Inline | Lies::Beside(_) => Look::About(lies),
            },
        })
    }

    /// Reads the next segment; false when there is none.
    fn begin_segment(&mut self) -> io::Result<bool> {
        let Some((&begins, &offset)) = self.segments.first_key_value() else {
            return Ok(false);
        };
        if self.limit.is_some_and(|limit| begins > limit) {
            return Ok(false);
        }
        let bytes = read_segment(self.db, offset)?;
        self.segments.remove(&begins);
        self.place = Some(begins + HEADER);
        self.segment = Some(Segment { offset, bytes });
        Ok(true)
    }
}

/// The meaning of a message for the walk.
enum Look {
    /// The message is about no page.
    Skip,
    /// The segment of the message ends.
    Cap,
    /// The message begins something that was not written to its end.
    Torn,
    /// The message is about a page.
    About(Lies),
}
