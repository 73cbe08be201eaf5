//! All contents of one commit in one row.
//!
//! A row: checksum of everything before the bodies, last position of the commit (8 bytes), length
//! of the index (4), then for each content its reference (16), digest (32), length (8), length of
//! its media type (4) and the media type; then the bodies. Numbers are big-endian. A content that
//! was stored by itself has a row of the same form.
//!
//! For an erased content the highest bit of the length of its media type is set. The time of the
//! erasure stands behind the media type (8, signed milliseconds), and there is no body of it.

use heronry_types::{Body, ContentRef, Digest, Position, Timestamp};

use crate::{CHECKSUM_BYTES, corrupt, seal, unseal};
use heronry_store::{NewContent, StoreError, Stored, StoredContent, Tombstone};

/// Checksum, last position, length of the index.
const FIXED: usize = CHECKSUM_BYTES + 8 + 4;

/// The bit of a media type's length that says that the content was erased.
const ERASED: u32 = 1 << 31;

/// Returns the row of contents that ride with a commit which ends at `last`.
pub(crate) fn encode(last: Position, contents: Vec<NewContent>) -> PackRow {
    let bytes = contents.iter().map(|it| it.stored.stored_bytes()).sum();
    let mut row = PackRow::new(last, bytes);
    for content in contents {
        match content.stored {
            Stored::Kept(stored) => {
                let entry = PackEntry::of(content.content_ref, &stored);
                row.push(&entry, &stored.body.bytes);
            }
            Stored::Erased(tombstone) => {
                row.push(&PackEntry::left(content.content_ref, &tombstone), &[]);
            }
        }
    }
    row
}

/// A row of contents that waits for its key.
#[derive(Debug)]
pub(crate) struct PackRow {
    index: Vec<u8>,
    bodies: Vec<u8>,
}

impl PackRow {
    fn new(last: Position, bytes: usize) -> Self {
        let mut index = vec![0; CHECKSUM_BYTES];
        index.extend_from_slice(&last.0.to_be_bytes());
        index.extend_from_slice(&[0; 4]);
        let bodies = Vec::with_capacity(bytes);
        Self { index, bodies }
    }

    fn push(&mut self, entry: &PackEntry<'_>, body: &[u8]) {
        let index = &mut self.index;
        let media_type = entry.media_type.as_bytes();
        let mark = entry.erased_at.map_or(0, |_| ERASED);
        let media_length = u32::try_from(media_type.len()).unwrap_or(!ERASED) | mark;
        index.extend_from_slice(&entry.content_ref.bits());
        index.extend_from_slice(&entry.digest.0);
        index.extend_from_slice(&entry.length.to_be_bytes());
        index.extend_from_slice(&media_length.to_be_bytes());
        index.extend_from_slice(media_type);
        if let Some(erased_at) = entry.erased_at {
            index.extend_from_slice(&erased_at.as_millis().to_be_bytes());
        }
        self.bodies.extend_from_slice(body);
    }

    /// Returns the row as it stands under a key.
    pub(crate) fn under(mut self, key: &[u8]) -> Vec<u8> {
        let length = u32::try_from(self.index.len() - FIXED).unwrap_or(u32::MAX);
        if let Some(place) = self.index.get_mut(CHECKSUM_BYTES + 8..FIXED) {
            place.copy_from_slice(&length.to_be_bytes());
        }
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
    ) -> Result<Option<Stored>, StoreError> {
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

    /// Returns the row with a tombstone in place of a content; nothing when it holds no such content,
    /// or one that was erased before. The other bodies are taken over as they are.
    pub(crate) fn without(
        &self,
        content_ref: ContentRef,
        tombstone: &Tombstone,
        op: &'static str,
    ) -> Result<Option<PackRow>, StoreError> {
        let mut row = PackRow::new(self.last, self.bodies.len());
        let mut is_changed = false;
        let mut rest = (self.index, self.bodies);
        while let Some((entry, body)) = next(&mut rest, op)? {
            if entry.content_ref == content_ref && entry.erased_at.is_none() {
                row.push(&PackEntry::left(content_ref, tombstone), &[]);
                is_changed = true;
            } else {
                row.push(&entry, body);
            }
        }
        Ok(is_changed.then_some(row))
    }
}

/// Takes the next entry off an index, and its body off the bodies.
fn next<'a>(
    (index, bodies): &mut (&'a [u8], &'a [u8]),
    op: &'static str,
) -> Result<Option<(PackEntry<'a>, &'a [u8])>, StoreError> {
    if index.is_empty() {
        return Ok(None);
    }
    let (entry, rest) =
        PackEntry::read(index).ok_or_else(|| corrupt(op, "the index of contents is malformed"))?;
    let (body, following) = usize::try_from(entry.erased_at.map_or(entry.length, |_| 0))
        .ok()
        .and_then(|length| bodies.split_at_checked(length))
        .ok_or_else(|| corrupt(op, format!("{:?} is cut off", entry.content_ref)))?;
    (*index, *bodies) = (rest, following);
    Ok(Some((entry, body)))
}

struct PackEntry<'a> {
    content_ref: ContentRef,
    digest: Digest,
    /// The number of bytes that the body has, or had.
    length: u64,
    media_type: &'a str,
    erased_at: Option<Timestamp>,
}

impl<'a> PackEntry<'a> {
    fn of(content_ref: ContentRef, stored: &'a StoredContent) -> Self {
        Self {
            content_ref,
            digest: stored.digest,
            length: stored.body.bytes.len() as u64,
            media_type: &stored.body.media_type,
            erased_at: None,
        }
    }

    fn left(content_ref: ContentRef, tombstone: &'a Tombstone) -> Self {
        Self {
            content_ref,
            digest: tombstone.digest,
            length: tombstone.bytes,
            media_type: &tombstone.media_type,
            erased_at: Some(tombstone.erased_at),
        }
    }

    fn read(index: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (content_ref, rest) = index.split_first_chunk()?;
        let (digest, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (media_length, rest) = rest.split_first_chunk()?;
        let media_length = u32::from_be_bytes(*media_length);
        let media_bytes = usize::try_from(media_length & !ERASED).ok()?;
        let (media_type, mut rest) = rest.split_at_checked(media_bytes)?;
        let mut erased_at = None;
        if media_length & ERASED != 0 {
            let (at, following) = rest.split_first_chunk()?;
            erased_at = Some(Timestamp::from_millis(i64::from_be_bytes(*at)));
            rest = following;
        }
        let entry = Self {
            content_ref: ContentRef::from_bits(*content_ref),
            digest: Digest(*digest),
            length: u64::from_be_bytes(*length),
            media_type: str::from_utf8(media_type).ok()?,
            erased_at,
        };
        Some((entry, rest))
    }

    fn checked(&self, body: &[u8], op: &'static str) -> Result<Stored, StoreError> {
        if let Some(erased_at) = self.erased_at {
            return Ok(Stored::Erased(Tombstone {
                media_type: self.media_type.into(),
                bytes: self.length,
                digest: self.digest,
                erased_at,
            }));
        }
        let stored = StoredContent::of(Body::new(self.media_type, body));
        if stored.digest != self.digest {
            let detail = format!("{:?} does not have its digest", self.content_ref);
            return Err(corrupt(op, detail));
        }
        Ok(Stored::Kept(stored))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use heronry_store::StoreErrorKind;

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
            let body = found.kept().unwrap().body;
            assert_eq!(body, Body::text("x".repeat(n.into())));
        }
        assert!(pack.find(content_ref(4), "test").unwrap().is_none());
        assert!(Pack::read(b"other key", &row).is_none());
    }

    fn tombstone(n: u8) -> Tombstone {
        let body = Body::text("x".repeat(n.into()));
        Tombstone {
            media_type: Arc::clone(&body.media_type),
            bytes: body.bytes.len() as u64,
            digest: StoredContent::of(body).digest,
            erased_at: Timestamp::from_millis(7),
        }
    }

    /// The row after its second content was erased.
    fn erased() -> Vec<u8> {
        let row = row();
        let pack = Pack::read(b"key", &row).unwrap();
        let without = pack.without(content_ref(2), &tombstone(2), "test").unwrap();
        without.unwrap().under(b"key")
    }

    #[test]
    fn an_erased_content_leaves_its_tombstone_and_the_others() {
        let row = erased();
        let pack = Pack::read(b"key", &row).unwrap();
        assert_eq!(pack.last(), Position(9));
        for n in 1..=3 {
            let found = pack.find(content_ref(n), "test").unwrap().unwrap();
            let expected = if n == 2 {
                Stored::Erased(tombstone(2))
            } else {
                Stored::Kept(StoredContent::of(Body::text("x".repeat(n.into()))))
            };
            assert_eq!(found, expected);
        }
        assert!(row.ends_with(b"xxxx") && !row.ends_with(b"xxxxx"));
        for again in [2, 4] {
            let without = pack.without(content_ref(again), &tombstone(1), "test");
            assert!(without.unwrap().is_none());
        }
        let copied = encode(pack.last(), pack.all("test").unwrap()).under(b"key");
        assert_eq!(copied, row);
    }

    #[test]
    fn every_flipped_bit_of_a_row_with_a_tombstone_is_seen() {
        let good = erased();
        for bit in 0..good.len() * 8 {
            let mut row = good.clone();
            row[bit / 8] ^= 1 << (bit % 8);
            let Some(pack) = Pack::read(b"key", &row) else {
                continue;
            };
            let errors = (1..=3).filter_map(|n| pack.find(content_ref(n), "test").err());
            assert_eq!(errors.count(), 1, "bit {bit}");
        }
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
