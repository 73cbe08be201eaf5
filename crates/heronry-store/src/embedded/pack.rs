//! All contents of one commit in one row.
//!
//! A row: checksum of everything before the bodies, last position of the commit (8 bytes), length
//! of the index (4), then for each content its reference (16), digest (32), length (8), length of
//! its media type (4) and the media type; then the bodies. Numbers are big-endian. A content that
//! was stored by itself has a row of the same form.

use heronry_types::{Body, ContentRef, Digest, Position};

use super::{
    corrupt,
    row::{CHECKSUM_BYTES, seal, unseal},
};
use crate::{NewContent, StoreError, StoredContent};

/// Checksum, last position, length of the index.
const FIXED: usize = CHECKSUM_BYTES + 8 + 4;

/// Returns the row of contents that ride with a commit which ends at `last`.
pub(crate) fn encode(last: Position, contents: Vec<NewContent>) -> PackRow {
    let mut index = vec![0; CHECKSUM_BYTES];
    index.extend_from_slice(&last.0.to_be_bytes());
    index.extend_from_slice(&[0; 4]);
    let mut bodies = Vec::with_capacity(contents.iter().map(|c| c.body.bytes.len()).sum());
    for content in contents {
        push_entry(&mut index, &content);
        bodies.extend_from_slice(&content.body.bytes);
    }
    let length = u32::try_from(index.len() - FIXED).unwrap_or(u32::MAX);
    if let Some(place) = index.get_mut(CHECKSUM_BYTES + 8..FIXED) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    PackRow { index, bodies }
}

fn push_entry(index: &mut Vec<u8>, content: &NewContent) {
    let media_type = content.body.media_type.as_bytes();
    let media_length = u32::try_from(media_type.len()).unwrap_or(u32::MAX);
    index.extend_from_slice(&content.content_ref.bits());
    index.extend_from_slice(&content.digest.0);
    index.extend_from_slice(&(content.body.bytes.len() as u64).to_be_bytes());
    index.extend_from_slice(&media_length.to_be_bytes());
    index.extend_from_slice(media_type);
}

/// A row of contents that waits for its key.
#[derive(Debug)]
pub(crate) struct PackRow {
    index: Vec<u8>,
    bodies: Vec<u8>,
}

impl PackRow {
    /// Returns the row as it stands under a key.
    pub(crate) fn under(self, key: &[u8]) -> Vec<u8> {
        let mut row = seal(key, self.index);
        row.extend_from_slice(&self.bodies);
        row
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len() + self.bodies.len()
    }
}

/// A row of contents whose index has been checked.
pub(crate) struct Pack<'a> {
    last: Position,
    index: &'a [u8],
    bodies: &'a [u8],
}

impl<'a> Pack<'a> {
    /// Reads a row; nothing when its index is damaged.
    pub(crate) fn read(key: &[u8], row: &'a [u8]) -> Option<Self> {
        let length = row.get(CHECKSUM_BYTES + 8..)?.first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (head, bodies) = row.split_at_checked(FIXED.checked_add(length)?)?;
        let (last, rest) = unseal(key, head)?.split_first_chunk()?;
        Some(Self {
            last: Position(u64::from_be_bytes(*last)),
            index: rest.get(4..)?,
            bodies,
        })
    }

    /// Returns the last position of the commit.
    pub(crate) fn last(&self) -> Position {
        self.last
    }

    /// Returns a content; nothing when it is not in this row.
    pub(crate) fn find(
        &self,
        content_ref: ContentRef,
        op: &'static str,
    ) -> Result<Option<StoredContent>, StoreError> {
        let mut rest = (self.index, self.bodies);
        while let Some((entry, body)) = next(&mut rest, op)? {
            if entry.content_ref == content_ref {
                return entry.checked(body, op).map(Some);
            }
        }
        Ok(None)
    }

    /// Returns every content of the row.
    pub(crate) fn all(&self, op: &'static str) -> Result<Vec<NewContent>, StoreError> {
        let mut rest = (self.index, self.bodies);
        let mut contents = Vec::new();
        while let Some((entry, body)) = next(&mut rest, op)? {
            contents.push(NewContent::of(entry.content_ref, entry.checked(body, op)?));
        }
        Ok(contents)
    }
}

/// Takes the next entry off an index, and its body off the bodies.
fn next<'a>(
    (index, bodies): &mut (&'a [u8], &'a [u8]),
    op: &'static str,
) -> Result<Option<(Entry<'a>, &'a [u8])>, StoreError> {
    if index.is_empty() {
        return Ok(None);
    }
    let (entry, rest) =
        Entry::read(index).ok_or_else(|| corrupt(op, "the index of contents is malformed"))?;
    let (body, following) = usize::try_from(entry.length)
        .ok()
        .and_then(|length| bodies.split_at_checked(length))
        .ok_or_else(|| corrupt(op, format!("{:?} is cut off", entry.content_ref)))?;
    (*index, *bodies) = (rest, following);
    Ok(Some((entry, body)))
}

struct Entry<'a> {
    content_ref: ContentRef,
    digest: Digest,
    length: u64,
    media_type: &'a str,
}

impl<'a> Entry<'a> {
    fn read(index: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (content_ref, rest) = index.split_first_chunk()?;
        let (digest, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (media_length, rest) = rest.split_first_chunk()?;
        let media_length = usize::try_from(u32::from_be_bytes(*media_length)).ok()?;
        let (media_type, rest) = rest.split_at_checked(media_length)?;
        let entry = Self {
            content_ref: ContentRef::from_bits(*content_ref),
            digest: Digest(*digest),
            length: u64::from_be_bytes(*length),
            media_type: str::from_utf8(media_type).ok()?,
        };
        Some((entry, rest))
    }

    fn checked(&self, body: &[u8], op: &'static str) -> Result<StoredContent, StoreError> {
        let stored = StoredContent::of(Body::new(self.media_type, body));
        if stored.digest != self.digest {
            let detail = format!("{:?} does not have its digest", self.content_ref);
            return Err(corrupt(op, detail));
        }
        Ok(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreErrorKind;

    fn content_ref(n: u8) -> ContentRef {
        ContentRef::from_bits([n; 16])
    }

    fn row() -> Vec<u8> {
        let contents =
            (1..=3).map(|n| NewContent::new(content_ref(n), Body::text("x".repeat(n.into()))));
        encode(Position(9), contents.collect()).under(b"key")
    }

    #[test]
    fn each_content_is_found_by_its_reference() {
        let row = row();
        let pack = Pack::read(b"key", &row).unwrap();
        assert_eq!(pack.last(), Position(9));
        for n in 1..=3 {
            let found = pack.find(content_ref(n), "test").unwrap().unwrap();
            assert_eq!(found.body, Body::text("x".repeat(n.into())));
        }
        assert!(pack.find(content_ref(4), "test").unwrap().is_none());
        assert!(Pack::read(b"other key", &row).is_none());
    }

    #[test]
    fn every_flipped_bit_is_seen_by_whoever_reads_what_it_damaged() {
        let good = row();
        for bit in 0..good.len() * 8 {
            let mut row = good.clone();
            row[bit / 8] ^= 1 << (bit % 8);
            let Some(pack) = Pack::read(b"key", &row) else {
                continue;
            };
            let errors = (1..=3).filter_map(|n| pack.find(content_ref(n), "test").err());
            let kinds: Vec<_> = errors.map(|error| error.kind()).collect();
            assert_eq!(kinds, [StoreErrorKind::Corrupt], "bit {bit}");
        }
    }

    #[test]
    fn a_row_that_is_cut_off_gives_no_wrong_content() {
        let good = row();
        for cut in 0..good.len() {
            let found =
                Pack::read(b"key", &good[..cut]).map(|pack| pack.find(content_ref(3), "test"));
            assert!(!matches!(found, Some(Ok(Some(_)))), "cut at {cut}");
        }
    }
}
