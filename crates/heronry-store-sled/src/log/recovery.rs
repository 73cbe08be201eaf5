//! A dry run of sled's recovery: the log that sled would make when it opens, found out without a
//! byte written.
//!
//! sled goes on from its newest list of pages. It takes the first thing that is no message for the
//! end of its log, or of a segment, whatever it is, and writes zeros over what stands behind it.

use std::{collections::BTreeMap, fs::File, io, path::Path};

use super::{
    message::{LogMessage, MessageKind},
    pages::{Page, Pages, Piece, Pointer},
    segment::{Front, Fronts, HEADER_BYTES, SEGMENT, segment_of, within},
    walk::{Hole, Walk, WalkStep},
};
use crate::format::SEGMENT_BYTES;

/// A log as sled would recover it.
#[derive(Debug)]
pub(crate) struct Recovery {
    /// The pages of the whole log.
    pub(crate) pages: Pages,
    /// The place up to which the list of pages went before.
    pub(crate) before: Option<i64>,
    /// The place in the log that was reached.
    pub(crate) end: i64,
    /// The place up to which sled says in the log that it is written.
    pub(crate) stable: i64,
    /// The places without a message, in the order of the log.
    pub(crate) holes: Vec<Hole>,
    /// The cut: the end of the last segment, and segments behind it.
    pub(crate) cut: Cut,
    pub(crate) fronts: Fronts,
}

/// The parts of the file that sled writes zeros over, by offset in the file.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    /// The end of the segment that is being written: its offset, and its length in bytes.
    pub(crate) end: Option<(u64, usize)>,
    /// Whole segments.
    pub(crate) segments: Vec<u64>,
}

/// The reason why a log cannot be recovered.
#[derive(Debug)]
pub(crate) enum Unrecovered {
    /// Reading failed.
    Io(io::Error),
    /// The log is damaged, as this text says.
    Damaged(String),
}

impl From<io::Error> for Unrecovered {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Recovery {
    /// Reads a log from a list of its pages on.
    pub(crate) fn read(db: &File, blobs: &Path, listed: Pages) -> Result<Self, Unrecovered> {
        let fronts = Fronts::read(db)?;
        let from = segment_of(listed.stable.unwrap_or(0));
        let (order, stable) = order(&fronts, from)?;
        let limit = end_of_tail(db, blobs, &order, stable)?;
        let mut walk = Walk {
            db,
            blobs,
            segments: order,
            limit: Some(limit),
            place: None,
            segment: None,
        };
        let before = listed.stable;
        let mut pages = listed;
        let mut holes = Vec::new();
        loop {
            match walk.next()? {
                WalkStep::End => break,
                WalkStep::Nothing(hole) => {
                    holes.push(hole);
                    walk.segment = None;
                }
                WalkStep::Message(_, at) if at.place < before.unwrap_or(-1) => {}
                WalkStep::Message(_, at) if at.place >= limit => {
                    let what = format!(
                        "a message at byte {} of the file db lies behind its end",
                        at.offset
                    );
                    return Err(Unrecovered::Damaged(what));
                }
                WalkStep::Message(message, at) => pages.apply(&message, at),
            }
        }
        let end = finish(&walk, &mut pages)?;
        let cut = Cut {
            end,
            segments: walk.segments.values().copied().collect(),
        };
        Ok(Self {
            end: walk.place.or(pages.stable).unwrap_or(0),
            pages,
            before,
            stable,
            holes,
            cut,
            fronts,
        })
    }
}

/// Returns the segments from this place on in the order of the log, and up to where sled says that
/// it is written.
fn order(fronts: &Fronts, from: i64) -> Result<(BTreeMap<i64, u64>, i64), Unrecovered> {
    let (mut order, mut written) = (BTreeMap::new(), from);
    for (offset, front) in &fronts.0 {
        match front {
            Front::Header { begins, stable } if *begins >= from => {
                written = written.max(*stable);
                if order.insert(*begins, *offset).is_some() {
                    let what =
                        format!("the segment at byte {offset} of the file db is there twice");
                    return Err(Unrecovered::Damaged(what));
                }
            }
            Front::Header { .. } | Front::Empty | Front::Damaged => {}
        }
    }
    Ok((order, written))
}

/// Returns the place of the last byte of the log: of the segments at its end only those count that
/// follow each other, and only up to the first thing that is no message.
fn end_of_tail(
    db: &File,
    blobs: &Path,
    order: &BTreeMap<i64, u64>,
    stable: i64,
) -> io::Result<i64> {
    let mut expected = segment_of(stable.max(0));
    let mut missing = None;
    let mut segments = BTreeMap::new();
    for (begins, offset) in order.range(expected..) {
        if *begins != expected {
            missing = Some(expected);
            break;
        }
        segments.insert(*begins, *offset);
        expected += SEGMENT;
    }
    let mut walk = Walk {
        db,
        blobs,
        segments,
        limit: missing,
        place: None,
        segment: None,
    };
    while let WalkStep::Message(..) = walk.next()? {}
    Ok(walk.place.unwrap_or(0) - 1)
}

/// Writes down up to where the pages go, and returns the end of the last segment, which is cut off.
fn finish(walk: &Walk<'_>, pages: &mut Pages) -> Result<Option<(u64, usize)>, Unrecovered> {
    let Some(place) = walk.place else {
        return Ok(None);
    };
    let before = pages.stable;
    let progress = within(place);
    let active = walk.segment.as_ref().map(|segment| segment.offset);
    if progress < HEADER_BYTES && (progress > 0 || active.is_some()) {
        let what = format!("its log ends within the header of a segment, at {place}");
        return Err(Unrecovered::Damaged(what));
    }
    let mut end = None;
    if progress + sled::MAX_MSG_HEADER_LEN >= SEGMENT_BYTES {
        pages.stable = Some(segment_of(place) + SEGMENT);
        pages.active = None;
    } else {
        end = active.map(|offset| (offset + progress as u64, SEGMENT_BYTES - progress - 1));
        pages.stable = Some(place);
        pages.active = active;
    }
    if pages.stable < before {
        let what = format!(
            "its list of pages goes to {} of its log, which ends at {place}",
            before.unwrap_or(0)
        );
        return Err(Unrecovered::Damaged(what));
    }
    Ok(end)
}

impl Pages {
    /// Takes up a message about a page.
    fn apply(&mut self, message: &LogMessage, at: Pointer) {
        let Ok(number) = usize::try_from(message.page) else {
            return;
        };
        let piece = Piece {
            at,
            length: message.length as u64,
        };
        let known = self.by_number.get_mut(number);
        let page = match (message.kind, known) {
            (MessageKind::Link(_), Some(Page::There(base, changes))) => {
                if changes.last().unwrap_or(base).at.place < at.place {
                    changes.push(piece);
                }
                return;
            }
            (MessageKind::Replace(_), _) => Page::There(piece, Vec::new()),
            (MessageKind::Free, _) => Page::Free(at),
            // What changes a page that is not there was meant for one that lies elsewhere since.
            (
                MessageKind::Link(_)
                | MessageKind::Canceled
                | MessageKind::Cap
                | MessageKind::Manifest(_),
                _,
            ) => return,
        };
        if self.by_number.len() <= number {
            self.by_number.resize(number + 1, Page::Unknown);
        }
        if let Some(known) = self.by_number.get_mut(number) {
            *known = page;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::config;
    use std::fs;

    /// Copies the files of a database, as a kill leaves them.
    fn killed(from: &Path) -> tempfile::TempDir {
        let to = tempfile::tempdir().unwrap();
        fs::create_dir(to.path().join("blobs")).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
            }
        }
        to
    }

    fn list_in(directory: &Path) -> Option<Vec<u8>> {
        let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
        let mut lists =
            names.filter(|entry| entry.file_name().to_string_lossy().starts_with("snap."));
        lists.next().map(|entry| fs::read(entry.path()).unwrap())
    }

    /// Checks that what is found out about a database is what sled makes of it, and returns how many
    /// segments of the log had been written over.
    fn check(directory: &Path) -> usize {
        let listed = list_in(directory).map_or_else(Pages::default, |list| {
            let pages = Pages::decode(&list).unwrap();
            assert_eq!(pages.encode().unwrap(), list);
            pages
        });
        let db = File::open(directory.join("db")).unwrap();
        let found = Recovery::read(&db, &directory.join("blobs"), listed).unwrap();
        drop(config().path(directory).open().unwrap());
        let expected = list_in(directory).unwrap();
        assert_eq!(Pages::decode(&expected).unwrap(), found.pages);
        assert!(found.pages.encode().unwrap() == expected);
        let begun = usize::try_from(found.end / SEGMENT).unwrap();
        begun.saturating_sub(found.fronts.0.len())
    }

    /// Fills a database, so that it uses segments again, and hands it over after every flush.
    fn fill(directory: &Path, first: u64, mut see: impl FnMut(&Path)) {
        let db = config().path(directory).open().unwrap();
        for round in first..first + 8 {
            for key in 0..200_u64 {
                let value = [round.to_le_bytes()[0]; 12 * 1024];
                db.insert((key * (round % 3 + 1)).to_be_bytes(), &value[..])
                    .unwrap();
            }
            for key in 0..round * 11 {
                db.remove(key.to_be_bytes()).unwrap();
            }
            db.flush().unwrap();
            see(directory);
        }
    }

    #[test]
    fn what_is_found_out_about_a_log_is_what_sled_makes_of_it() {
        let place = tempfile::tempdir().unwrap();
        let mut used_again = 0;
        for life in 0..2 {
            fill(place.path(), life * 8, |directory| {
                used_again += check(killed(directory).path());
            });
        }
        assert!(used_again > 0, "no segment was used again");
    }

    #[test]
    fn a_log_without_its_end_is_found_as_sled_finds_it() {
        let place = tempfile::tempdir().unwrap();
        fill(place.path(), 0, |_| {});
        let whole = fs::metadata(place.path().join("db")).unwrap().len();
        for cut in 1..20 {
            let killed = killed(place.path());
            let db = fs::OpenOptions::new()
                .write(true)
                .open(killed.path().join("db"))
                .unwrap();
            db.set_len(whole - cut * 100_001).unwrap();
            let listed = list_in(killed.path())
                .map_or_else(Pages::default, |list| Pages::decode(&list).unwrap());
            let log = File::open(killed.path().join("db")).unwrap();
            let Ok(found) = Recovery::read(&log, &killed.path().join("blobs"), listed) else {
                continue;
            };
            // sled panics where a page is unknown.
            let open = || config().path(killed.path()).open().is_ok();
            if std::panic::catch_unwind(open).unwrap_or(false) {
                assert_eq!(
                    Pages::decode(&list_in(killed.path()).unwrap()).unwrap(),
                    found.pages,
                    "cut {cut}"
                );
            }
        }
    }
}
