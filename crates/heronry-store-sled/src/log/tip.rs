//! The tip of the log: the place up to which it is written.

use std::{fs::File, io};

use super::{
    message::{Found, WINDOW, length, read_first},
    read_at,
    segment::{Fronts, HEADER, SEGMENT, has_room, segment_of, within},
};
use crate::format::SEGMENT_BYTES;

/// The end of a log that goes on being written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tip {
    /// Its place in the log.
    pub(crate) place: i64,
    /// The offset of its segment in the file; nothing until that is begun.
    pub(crate) segment: Option<u64>,
}

impl Tip {
    /// Goes on to the end of what was written since.
    pub(crate) fn advance(&mut self, db: &File) -> io::Result<()> {
        loop {
            if !has_room(within(self.place)) {
                self.segment = None;
            }
            if self.segment.is_none() {
                self.begin_segment(db)?;
            }
            let Some(segment) = self.segment else {
                return Ok(());
            };
            match self.read(db, segment)? {
                None => return Ok(()),
                Some(Length::Message(bytes)) => {
                    self.place += i64::try_from(bytes).unwrap_or(SEGMENT);
                }
                Some(Length::RestOfSegment) => self.segment = None,
            }
        }
    }

    /// Goes on to the segment that follows, if it was begun.
    fn begin_segment(&mut self, db: &File) -> io::Result<()> {
        let begins = if within(self.place) == 0 {
            self.place
        } else {
            segment_of(self.place) + SEGMENT
        };
        if let Some(offset) = Fronts::read(db)?.find(begins) {
            self.place = begins + HEADER;
            self.segment = Some(offset);
        }
        Ok(())
    }

    fn read(&self, db: &File, segment: u64) -> io::Result<Option<Length>> {
        let at = within(self.place);
        let offset = segment + at as u64;
        let room = SEGMENT_BYTES - at;
        let mut front = [0; WINDOW];
        read_at(db, offset, &mut front)?;
        let Some(length) = length(&front).filter(|length| *length <= room) else {
            return Ok(None);
        };
        let mut bytes = vec![0; length];
        let read = read_at(db, offset, &mut bytes)?;
        let number = u64::try_from(self.place / SEGMENT).ok();
        match read_first(bytes.get(..read).unwrap_or_default(), room) {
            Found::Whole(found) if Some(found.segment) == number => {
                if found.kind == super::message::MessageKind::Cap {
                    return Ok(Some(Length::RestOfSegment));
                }
                Ok(Some(Length::Message(found.length)))
            }
            Found::Whole(_) | Found::Nothing | Found::CutOff => Ok(None),
        }
    }
}

/// The length of a message.
enum Length {
    /// A length of this many bytes.
    Message(usize),
    /// The message goes to the end of its segment.
    RestOfSegment,
}
