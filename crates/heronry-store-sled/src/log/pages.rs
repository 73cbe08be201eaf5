//! sled's list of pages in the newest file `snap.*`: where each page lies in the log, as of one
//! place of it. sled goes on from there when it opens.

use super::{
    message::Lies,
    number::{fixed, push_varint, sequence, varint},
};

/// The list of pages.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Pages {
    /// The place in the log up to which the list goes. Nothing when there is no list.
    pub(crate) stable: Option<i64>,
    /// The offset in the file of the segment that is being written.
    pub(crate) active: Option<u64>,
    /// The pages by their number.
    pub(crate) by_number: Vec<Page>,
}

/// The place of a page.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Page {
    /// Nothing is known of the page.
    #[default]
    Unknown,
    /// The page is free, as this message says.
    Free(Pointer),
    /// The base of the page, and its later changes.
    There(Piece, Vec<Piece>),
}

/// A part of a page, and its length in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Piece {
    pub(crate) at: Pointer,
    pub(crate) length: u64,
}

/// A message: its place in the log, its offset in the file, and where its bytes lie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Pointer {
    pub(crate) place: i64,
    pub(crate) offset: u64,
    pub(crate) lies: Lies,
}

/// The size of the trailer behind the list in its file: length and checksum, in bytes.
const TRAILER_BYTES: usize = 12;

impl Pages {
    /// Reads a file; nothing when it is damaged.
    pub(crate) fn decode(file: &[u8]) -> Option<Self> {
        let (mut rest, mut trailer) =
            file.split_at_checked(file.len().checked_sub(TRAILER_BYTES)?)?;
        let length = u64::from_le_bytes(fixed(&mut trailer)?);
        let checksum = u32::from_le_bytes(fixed(&mut trailer)?);
        if rest.is_empty() || length != rest.len() as u64 || checksum != crc32fast::hash(rest) {
            return None;
        }
        let stable = match sequence(&mut rest)? {
            0 => None,
            number if number < 0 => Some(number),
            number => Some(number - 1),
        };
        let active = varint(&mut rest)?.checked_sub(1);
        let mut by_number = Vec::new();
        while !rest.is_empty() {
            by_number.push(Page::decode(&mut rest)?);
        }
        Some(Self {
            stable,
            active,
            by_number,
        })
    }

    /// Returns the file; nothing when the list cannot be written, because a page is unknown.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let stable = match self.stable {
            None => 0,
            Some(number) if number < 0 => number,
            Some(number) => number + 1,
        };
        out.extend_from_slice(&stable.to_le_bytes());
        push_varint(&mut out, self.active.map_or(0, |offset| offset + 1));
        for page in &self.by_number {
            page.encode(&mut out)?;
        }
        let checksum = crc32fast::hash(&out);
        out.extend_from_slice(&(out.len() as u64).to_le_bytes());
        out.extend_from_slice(&checksum.to_le_bytes());
        Some(out)
    }

    /// Returns every message that a page needs.
    pub(crate) fn pointers(&self) -> impl Iterator<Item = Pointer> {
        self.by_number.iter().flat_map(|page| {
            let (first, others) = match page {
                Page::Unknown => (None, &[][..]),
                Page::Free(at) => (Some(*at), &[][..]),
                Page::There(base, changes) => (Some(base.at), changes.as_slice()),
            };
            first.into_iter().chain(others.iter().map(|piece| piece.at))
        })
    }
}

impl Page {
    fn decode(rest: &mut &[u8]) -> Option<Self> {
        let [pieces] = fixed(rest)?;
        let Some(changes) = pieces.checked_sub(1) else {
            return Pointer::decode(rest).map(Self::Free);
        };
        let base = Piece::decode(rest)?;
        let changes = (0..changes).map(|_| Piece::decode(rest));
        Some(Self::There(base, changes.collect::<Option<_>>()?))
    }

    fn encode(&self, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Unknown => return None,
            Self::Free(at) => {
                out.push(0);
                at.encode(out);
            }
            Self::There(base, changes) => {
                out.push(u8::try_from(changes.len()).ok()?.checked_add(1)?);
                std::iter::once(base)
                    .chain(changes)
                    .for_each(|piece| piece.encode(out));
            }
        }
        Some(())
    }
}

impl Piece {
    fn decode(rest: &mut &[u8]) -> Option<Self> {
        let at = Pointer::decode(rest)?;
        let length = varint(rest)?;
        Some(Self { at, length })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.at.encode(out);
        push_varint(out, self.length);
    }
}

impl Pointer {
    fn decode(rest: &mut &[u8]) -> Option<Self> {
        let place = sequence(rest)?;
        let [kind] = fixed(rest)?;
        let offset = varint(rest)?;
        let lies = match kind {
            0 => Lies::Inline,
            1 => Lies::Beside(sequence(rest)?),
            _ => return None,
        };
        Some(Self {
            place,
            offset,
            lies,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.place.to_le_bytes());
        let (kind, beside) = match self.lies {
            Lies::Inline => (0, None),
            Lies::Beside(name) => (1, Some(name)),
        };
        out.push(kind);
        push_varint(out, self.offset);
        out.extend(beside.into_iter().flat_map(i64::to_le_bytes));
    }
}
