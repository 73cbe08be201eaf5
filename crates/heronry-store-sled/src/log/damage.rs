//! Telling damage from the marks of a crash.
//!
//! The part of the log that was last known to last is whole after any crash. Of later bytes any
//! part may be there. And a segment that no page needs any more may be written over from any byte
//! on, before its header says so.

use std::{fs::File, io};

use super::{
    message::{MessageKind, search},
    pages::{Page, Pages, Pointer},
    recovery::{Recovery, Unrecovered},
    segment::{Front, SEGMENT, read_segment, segment_of, within},
    walk::Hole,
};
use crate::format::SEGMENT_BYTES;

impl Recovery {
    /// Checks that of a log nothing is missing that lasted. `lasting` is the place up to which the
    /// log is known to last; without it, what sled says in the log counts.
    pub(crate) fn check(&self, db: &File, lasting: Option<i64>) -> Result<(), Unrecovered> {
        self.check_fronts()?;
        let lasting = lasting.unwrap_or(self.stable);
        for hole in self.holes.iter().filter(|hole| hole.place < lasting) {
            if self.is_needed(db, hole)? {
                let what = format!(
                    "byte {} of the file db is no message of its log",
                    hole.offset
                );
                return Err(Unrecovered::Damaged(what));
            }
        }
        if self.end < lasting {
            let what = format!(
                "its log is whole up to {}, and was written up to {lasting}",
                self.end
            );
            return Err(Unrecovered::Damaged(what));
        }
        self.check_pages()
    }

    /// Checks that no header is damaged: it is written at once with others of its block, or not.
    fn check_fronts(&self) -> Result<(), Unrecovered> {
        let mut fronts = self.fronts.0.iter();
        match fronts.find(|(_, front)| **front == Front::Damaged) {
            None => Ok(()),
            Some((offset, _)) => {
                let what =
                    format!("the header of the segment at byte {offset} of the file db is damaged");
                Err(Unrecovered::Damaged(what))
            }
        }
    }

    /// Checks that the segments are there in which the pages lie.
    fn check_pages(&self) -> Result<(), Unrecovered> {
        if let Some(number) = self
            .pages
            .by_number
            .iter()
            .position(|page| *page == Page::Unknown)
        {
            let what = format!("page {number} is missing from its log");
            return Err(Unrecovered::Damaged(what));
        }
        let is_lost = |at: &Pointer| {
            let front = self.fronts.0.get(&offset_of_segment(at.offset));
            !matches!(front, Some(Front::Header { begins, .. }) if *begins == segment_of(at.place))
        };
        match self.pages.pointers().find(is_lost) {
            None => Ok(()),
            Some(at) => {
                let what = format!("what lay at byte {} of the file db is gone", at.offset);
                Err(Unrecovered::Damaged(what))
            }
        }
    }

    /// Returns true when a page needs a message of the segment that has a hole: such a segment is not
    /// written over.
    fn is_needed(&self, db: &File, hole: &Hole) -> io::Result<bool> {
        let offset = offset_of_segment(hole.offset);
        let lies_there = |at: Pointer| offset_of_segment(at.offset) == offset;
        if self.pages.pointers().any(lies_there) {
            return Ok(true);
        }
        let segment = read_segment(db, offset)?;
        let begins = segment_of(hole.place);
        let mut from = within(hole.place) + 1;
        while let Some((at, found)) = search(&segment, from) {
            let is_of_segment = i64::try_from(found.segment) == Ok(begins / SEGMENT);
            let place = begins + i64::try_from(at).unwrap_or(SEGMENT);
            if is_of_segment && self.pages.misses((found.kind, found.page), place) {
                return Ok(true);
            }
            from = at + found.length;
        }
        Ok(false)
    }
}

impl Pages {
    /// Returns true when a message behind a hole is the newest of its page, or may be part of it.
    fn misses(&self, (kind, page): (MessageKind, u64), place: i64) -> bool {
        let number = usize::try_from(page).unwrap_or(usize::MAX);
        let known = self.by_number.get(number).unwrap_or(&Page::Unknown);
        let is_newer = match known {
            Page::Unknown => true,
            Page::Free(at) => at.place < place,
            Page::There(base, _) => base.at.place < place,
        };
        match kind {
            MessageKind::Free | MessageKind::Replace(_) => is_newer,
            MessageKind::Link(_) => is_newer && *known != Page::Unknown,
            MessageKind::Canceled | MessageKind::Cap | MessageKind::Manifest(_) => false,
        }
    }
}

fn offset_of_segment(offset: u64) -> u64 {
    let bytes = SEGMENT_BYTES as u64;
    offset / bytes * bytes
}
