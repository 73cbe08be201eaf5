//! One message of a segment: `crc32` (4 bytes), kind (1), length, number of the segment, page (1 to
//! 9 each), and the bytes. The checksum covers everything behind itself.

use super::number::{fixed, sequence, varint};
use crate::format::SEGMENT_BYTES;

/// The number of bytes of a message that are read first; beyond the end of the file they are zero.
pub(crate) const WINDOW: usize = 128;
/// The offset of the kind in a message.
const TAG_AT: usize = 4;
/// The kinds that there are.
const KINDS: std::ops::RangeInclusive<u8> = 1..=11;

/// A message that is whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LogMessage {
    pub(crate) kind: MessageKind,
    /// The page that it is about.
    pub(crate) page: u64,
    /// The number of its segment.
    pub(crate) segment: u64,
    /// Its length in bytes.
    pub(crate) length: usize,
}

/// The kind of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MessageKind {
    /// The message says nothing.
    Canceled,
    /// No other message follows in its segment.
    Cap,
    /// The messages that follow are to be kept only if the log goes on to this place.
    Manifest(i64),
    /// The page is free.
    Free,
    /// The page is this.
    Replace(Lies),
    /// The page is changed by this.
    Link(Lies),
}

/// The place of the bytes that a message is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lies {
    /// In the message.
    Inline,
    /// In the file of this name.
    Beside(i64),
}

/// The finding at a place of a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    Whole(LogMessage),
    /// No message, or a damaged one.
    Nothing,
    /// A message that the end of the file cuts off.
    CutOff,
}

/// Reads the message at a place of a segment, as sled reads it.
pub(crate) fn read(segment: &[u8], at: usize) -> Found {
    match segment.get(at..) {
        Some(rest) => read_first(rest, SEGMENT_BYTES.saturating_sub(at)),
        None => Found::CutOff,
    }
}

/// Reads the message at the front of some bytes, behind which the segment has this much room.
pub(crate) fn read_first(bytes: &[u8], room: usize) -> Found {
    let mut window = [0; WINDOW];
    window
        .iter_mut()
        .zip(bytes)
        .for_each(|(out, byte)| *out = *byte);
    let Some(header) = Header::read(&window) else {
        return Found::Nothing;
    };
    let Some(length) = header.total().filter(|length| *length <= room) else {
        return Found::Nothing;
    };
    let Some(bytes) = bytes.get(..length).or_else(|| window.get(..length)) else {
        return Found::CutOff;
    };
    let (head, body) = bytes.split_at(header.bytes.min(length));
    if header.checksum == checksum(head, body)
        && let Some(kind) = kind(header.tag, body)
    {
        return Found::Whole(LogMessage {
            kind,
            page: header.page,
            segment: header.segment,
            length,
        });
    }
    Found::Nothing
}

/// Returns the length of the message that begins with these bytes, if one does.
pub(crate) fn length(front: &[u8; WINDOW]) -> Option<usize> {
    Header::read(front)?.total()
}

struct Header {
    checksum: u32,
    tag: u8,
    body: u64,
    segment: u64,
    page: u64,
    bytes: usize,
}

impl Header {
    fn read(window: &[u8; WINDOW]) -> Option<Self> {
        let mut rest = window.as_slice();
        let checksum = u32::from_le_bytes(fixed(&mut rest)?);
        let [tag] = fixed(&mut rest)?;
        let body = varint(&mut rest)?;
        let segment = varint(&mut rest)?;
        let page = varint(&mut rest)?;
        let bytes = WINDOW - rest.len();
        Some(Self {
            checksum,
            tag,
            body,
            segment,
            page,
            bytes,
        })
    }

    fn total(&self) -> Option<usize> {
        usize::try_from(self.body).ok()?.checked_add(self.bytes)
    }
}

fn checksum(head: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(body);
    hasher.update(head.get(4..).unwrap_or_default());
    !hasher.finalize()
}

fn kind(tag: u8, body: &[u8]) -> Option<MessageKind> {
    let number = || Some(body).filter(|body| body.len() == 8);
    let beside = || sequence(&mut number()?).map(Lies::Beside);
    Some(match tag {
        1 => MessageKind::Canceled,
        2 => MessageKind::Cap,
        3 => MessageKind::Manifest(sequence(&mut number()?)?),
        4 => MessageKind::Free,
        // The counter, the names of the tables, and a node.
        5 | 6 | 8 => MessageKind::Replace(Lies::Inline),
        7 | 9 => MessageKind::Replace(beside()?),
        10 => MessageKind::Link(Lies::Inline),
        11 => MessageKind::Link(beside()?),
        _ => return None,
    })
}

/// Returns the first whole message of a segment at this place or behind it, wherever it begins, and
/// where that is.
pub(crate) fn search(segment: &[u8], from: usize) -> Option<(usize, LogMessage)> {
    let tags = segment.iter().enumerate().skip(from.saturating_add(TAG_AT));
    let mut starts = tags.filter_map(|(at, tag)| KINDS.contains(tag).then_some(at - TAG_AT));
    starts.find_map(|at| match read(segment, at) {
        Found::Whole(message) => Some((at, message)),
        Found::Nothing | Found::CutOff => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::number::push_varint;

    fn message(tag: u8, page: u64, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 0, tag];
        push_varint(&mut bytes, body.len() as u64);
        push_varint(&mut bytes, 7);
        push_varint(&mut bytes, page);
        let sum = checksum(&bytes, body).to_le_bytes();
        bytes[..4].copy_from_slice(&sum);
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn a_message_is_read_and_every_flip_and_cut_of_it_is_seen() {
        for (tag, body) in [(8, &[5; 300][..]), (3, &[1, 0, 0, 0, 0, 0, 0, 0]), (4, b"")] {
            let good = message(tag, 300, body);
            let Found::Whole(found) = read(&good, 0) else {
                panic!("the message was not read");
            };
            assert_eq!((found.page, found.length), (300, good.len()));
            assert_eq!(
                search(&[&[9; 77], &good[..]].concat(), 3),
                Some((77, found))
            );
            for bit in 0..good.len() * 8 {
                let mut flipped = good.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(!matches!(read(&flipped, 0), Found::Whole(_)), "bit {bit}");
            }
            for cut in 0..good.len() {
                let is_whole = matches!(read(&good[..cut], 0), Found::Whole(_));
                // What sled reads beyond the end of the file is zero.
                let is_zero = good[cut..].iter().all(|byte| *byte == 0);
                assert_eq!(is_whole, is_zero, "cut at {cut}");
            }
        }
    }

    #[test]
    fn what_is_no_message_is_told_from_one_that_is_cut_off() {
        assert_eq!(read(&[0; 64], 0), Found::Nothing);
        assert_eq!(read(&[0; 64], 64), Found::Nothing);
        assert_eq!(read(&[0; 64], 65), Found::CutOff);
        assert_eq!(read(&message(8, 1, &[3; 500])[..200], 0), Found::CutOff);
        assert_eq!(search(&[0; 4096], 0), None);
    }
}
