//! The cost of reading one body: its bounds, and the cost so far.

use std::{cell::Cell, fmt, rc::Rc};

/// The deepest nesting of lists and objects in a body. Conditions, the deepest values that a route
/// reads, take about two levels for each of their own.
pub(crate) const DEPTH_MAX: u32 = 32;

/// The longest name of a field or a key, in bytes; no name of the contract comes near.
pub(super) const NAME_BYTES_MAX: usize = 1_024;

/// The longest text in bytes: an inline body of its highest limit fits, in base64.
pub(super) const TEXT_BYTES_MAX: usize = 1_536 * 1024;

/// The memory that a body may take, its own bytes included, as a multiple of them.
const FACTOR: u64 = 3;

/// The bytes of memory that reading a body may take whatever its size. A full batch of events that
/// say nothing but their kinds is small as a text and is not in memory.
const READING_BYTES_MIN: u64 = 4 * 1024 * 1024;

/// Bytes that an allocation takes beside what is asked of it.
const ALLOCATION: u64 = 16;

/// The reason why a body is not read to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Excess {
    /// The values made of the body would take more bytes than this.
    Memory {
        /// The most bytes that they may take.
        max: u64,
    },
    /// Lists and objects stand in each other too deep.
    Depth,
    /// The name of a field or a key is too long.
    Name,
    /// A text is too long.
    Text,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { max } => write!(
                f,
                "there is more in the body than can be read at once: it would take over {max} bytes of memory; \
                 send it in several requests"
            ),
            Self::Depth => write!(
                f,
                "lists and objects stand in each other more than {DEPTH_MAX} deep; flatten them"
            ),
            Self::Name => write!(f, "a name has over {NAME_BYTES_MAX} bytes; shorten it"),
            Self::Text => write!(
                f,
                "a text may have {TEXT_BYTES_MAX} bytes; send less, or store it as content"
            ),
        }
    }
}

/// The bounds on the cost of reading one body, and the cost so far. All costs are upper bounds.
#[derive(Debug)]
pub(super) struct Meter {
    /// The size of the body in bytes.
    bytes: u64,
    /// The number of bytes of the body that are still held.
    unread: Rc<Cell<u64>>,
    /// The bytes of what was made of it, and is kept.
    kept: Cell<u64>,
    /// The longest text that was not in the body as it is: the reader keeps room for one of its size.
    longest: Cell<u64>,
    depth: Cell<u32>,
    excess: Cell<Option<Excess>>,
}

impl Meter {
    /// Returns the meter of a body of this size, of which `unread` bytes are still held.
    pub(super) fn new(bytes: u64, unread: Rc<Cell<u64>>) -> Self {
        Self {
            bytes,
            unread,
            kept: Cell::new(0),
            longest: Cell::new(0),
            depth: Cell::new(0),
            excess: Cell::new(None),
        }
    }

    /// Returns why the body was not read to its end, when that was for its cost.
    pub(super) fn excess(&self) -> Option<Excess> {
        self.excess.get()
    }

    /// Returns the bytes of what was made of the body.
    pub(super) fn kept(&self) -> u64 {
        self.kept.get()
    }

    /// Returns how many bytes may be taken beside those of the body that are still held.
    fn max(&self) -> u64 {
        let whole = self.bytes.saturating_mul(FACTOR);
        whole
            .saturating_sub(self.unread.get())
            .max(READING_BYTES_MIN)
    }

    fn refuse(&self, excess: Excess) -> Excess {
        self.excess.set(Some(excess));
        excess
    }

    /// Takes so many bytes for something that is kept.
    pub(super) fn keep(&self, bytes: u64) -> Result<(), Excess> {
        let kept = self.kept.get().saturating_add(bytes);
        self.kept.set(kept);
        // Its room doubles as a text grows.
        let room = self.longest.get().saturating_mul(2);
        let max = self.max();
        if kept.saturating_add(room) > max {
            return Err(self.refuse(Excess::Memory { max }));
        }
        Ok(())
    }

    /// Takes what a text of so many bytes takes.
    pub(super) fn keep_text(&self, text: TextSource, bytes: usize) -> Result<(), Excess> {
        if bytes > TEXT_BYTES_MAX {
            return Err(self.refuse(Excess::Text));
        }
        let bytes = bytes as u64;
        match text {
            TextSource::OfBody => {}
            TextSource::Unescaped => self.longest.set(self.longest.get().max(bytes)),
        }
        self.keep(bytes.saturating_add(ALLOCATION))
    }

    /// Checks the length of a name.
    pub(super) fn check_name(&self, bytes: usize) -> Result<(), Excess> {
        if bytes > NAME_BYTES_MAX {
            return Err(self.refuse(Excess::Name));
        }
        Ok(())
    }

    /// Goes into a list or an object.
    pub(super) fn enter(&self) -> Result<(), Excess> {
        let depth = self.depth.get().saturating_add(1);
        self.depth.set(depth);
        if depth > DEPTH_MAX {
            return Err(self.refuse(Excess::Depth));
        }
        Ok(())
    }

    /// Comes out of a list or an object.
    pub(super) fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }
}

/// The source of a text that the reader hands out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TextSource {
    /// The text stands in the body as it is.
    OfBody,
    /// The text was put together in a buffer of the reader.
    Unescaped,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn meter(bytes: u64, unread: u64) -> Meter {
        Meter::new(bytes, Rc::new(Cell::new(unread)))
    }

    #[test]
    fn what_is_made_of_a_body_and_the_rest_of_it_are_three_times_its_bytes() {
        let held = meter(7 * MIB, 7 * MIB);
        assert_eq!(held.keep(14 * MIB), Ok(()));
        assert_eq!(held.keep(1), Err(Excess::Memory { max: 14 * MIB }));
        let read = meter(7 * MIB, 0);
        assert_eq!(read.keep(21 * MIB), Ok(()));
        assert!(read.keep(1).is_err());
        assert_eq!(read.excess(), Some(Excess::Memory { max: 21 * MIB }));
        let small = meter(10, 10);
        assert_eq!(small.keep(READING_BYTES_MIN), Ok(()));
        assert!(small.keep(1).is_err());
    }

    #[test]
    fn a_text_that_had_to_be_put_together_is_there_three_times() {
        let room = READING_BYTES_MIN - 3 * MIB - ALLOCATION;
        let read = meter(0, 0);
        assert_eq!(read.keep_text(TextSource::Unescaped, 1024 * 1024), Ok(()));
        assert_eq!(read.keep(room), Ok(()));
        assert!(read.keep(1).is_err());
        let read = meter(0, 0);
        assert_eq!(read.keep_text(TextSource::OfBody, 1024 * 1024), Ok(()));
        assert_eq!(read.keep(room + 2 * MIB), Ok(()));
        assert!(read.keep(1).is_err());
    }

    #[test]
    fn a_text_and_a_name_have_their_longest() {
        let meter = meter(7 * MIB, 0);
        assert_eq!(meter.keep_text(TextSource::OfBody, TEXT_BYTES_MAX), Ok(()));
        let longer = meter.keep_text(TextSource::OfBody, TEXT_BYTES_MAX + 1);
        assert_eq!(longer, Err(Excess::Text));
        assert_eq!(meter.check_name(NAME_BYTES_MAX), Ok(()));
        assert_eq!(meter.check_name(NAME_BYTES_MAX + 1), Err(Excess::Name));
    }

    #[test]
    fn depth_counts_what_is_open() {
        let meter = meter(1, 0);
        for _ in 0..2 {
            for _ in 0..DEPTH_MAX {
                assert_eq!(meter.enter(), Ok(()));
            }
            for _ in 0..DEPTH_MAX {
                meter.leave();
            }
        }
        for _ in 0..DEPTH_MAX {
            assert_eq!(meter.enter(), Ok(()));
        }
        assert_eq!(meter.enter(), Err(Excess::Depth));
    }
}
