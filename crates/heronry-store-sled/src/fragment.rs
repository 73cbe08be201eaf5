//! Rows in fragments, because sled keeps large values in files that it does not sync.
//!
//! A fragment stands under the key of its row and its own number (two bytes, big-endian), so that
//! fragments of a row stand together and rows stay in order. The first one begins with how many
//! there are (two bytes, big-endian).

use sled::IVec;

use crate::format::FRAGMENT_BYTES;

/// Length of the number behind a key, and of the count in front of the first fragment.
const NUMBER_BYTES: usize = 2;

/// Returns the key of a fragment.
pub(crate) fn key_of(row: &[u8], number: u16) -> Vec<u8> {
    let mut key = Vec::with_capacity(row.len() + NUMBER_BYTES);
    key.extend_from_slice(row);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Returns the row that a fragment belongs to, and its number; nothing when the key is malformed.
pub(crate) fn read_key(key: &[u8]) -> Option<(&[u8], u16)> {
    let (row, number) = key.split_last_chunk()?;
    Some((row, u16::from_be_bytes(*number)))
}

/// Splits a value into fragments, in order; nothing when it is too large for their numbers.
pub(crate) fn split(value: &[u8]) -> Option<Vec<IVec>> {
    let (head, rest) = value.split_at(value.len().min(FRAGMENT_BYTES - NUMBER_BYTES));
    let count = u16::try_from(1 + rest.len().div_ceil(FRAGMENT_BYTES)).ok()?;
    let mut first = Vec::with_capacity(NUMBER_BYTES + head.len());
    first.extend_from_slice(&count.to_be_bytes());
    first.extend_from_slice(head);
    let rest = rest.chunks(FRAGMENT_BYTES).map(IVec::from);
    Some(std::iter::once(IVec::from(first)).chain(rest).collect())
}

/// Returns how many fragments a row has, from its first one; nothing when that is cut off.
pub(crate) fn count_of(first: &[u8]) -> Option<u16> {
    first.first_chunk().copied().map(u16::from_be_bytes)
}

/// Puts rows together from fragments that come in order.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    row: Vec<u8>,
    count: u16,
    next: u16,
    value: Vec<u8>,
}

/// A row, as key and value.
type WholeRow<'a> = (&'a [u8], &'a [u8]);

/// A fragment is not where it must be.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Missing;

impl Gather {
    /// Takes a fragment, and returns its row, as key and value, when it is the last one of it.
    pub(crate) fn take<'a>(
        &'a mut self,
        key: &'a [u8],
        value: &'a [u8],
    ) -> Result<Option<WholeRow<'a>>, Missing> {
        let (row, number) = read_key(key).ok_or(Missing)?;
        if number != self.next || (number > 0 && row != self.row) {
            return Err(Missing);
        }
        if number > 0 {
            self.value.extend_from_slice(value);
        } else {
            let (count, head) = value.split_first_chunk().ok_or(Missing)?;
            self.count = u16::from_be_bytes(*count);
            if self.count == 1 {
                return Ok(Some((row, head)));
            }
            self.row = row.to_vec();
            self.value = head.to_vec();
        }
        self.next = number + 1;
        if self.next < self.count {
            return Ok(None);
        }
        self.next = 0;
        Ok(Some((&self.row, &self.value)))
    }

    /// Checks that no row was left without its last fragments.
    pub(crate) fn finish(&self) -> Result<(), Missing> {
        if self.next == 0 { Ok(()) } else { Err(Missing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fragments = Vec<(Vec<u8>, IVec)>;
    type WholeRows = Vec<(Vec<u8>, Vec<u8>)>;

    fn value(length: usize) -> Vec<u8> {
        (0..length).map(|n| (n * 7).to_le_bytes()[0]).collect()
    }

    fn fragments(rows: &[(&[u8], usize)]) -> Fragments {
        let rows = rows.iter().flat_map(|(row, length)| {
            let parts = split(&value(*length)).unwrap().into_iter();
            parts
                .zip(0..)
                .map(|(part, number)| (key_of(row, number), part))
        });
        rows.collect()
    }

    fn gather(fragments: &Fragments) -> Result<WholeRows, Missing> {
        let mut gather = Gather::default();
        let mut rows = Vec::new();
        for (key, part) in fragments {
            let row = gather.take(key, part)?;
            rows.extend(row.map(|(key, value)| (key.to_vec(), value.to_vec())));
        }
        gather.finish()?;
        Ok(rows)
    }

    #[test]
    fn rows_of_every_size_are_put_together_again() {
        let first = FRAGMENT_BYTES - NUMBER_BYTES;
        for (length, count) in [
            (0, 1),
            (1, 1),
            (first, 1),
            (first + 1, 2),
            (first + FRAGMENT_BYTES, 2),
            (first + FRAGMENT_BYTES + 1, 3),
        ] {
            let parts = fragments(&[(b"a", length)]);
            assert_eq!(parts.len(), count, "{length} bytes");
            assert!(parts.iter().all(|(_, part)| part.len() <= FRAGMENT_BYTES));
            assert_eq!(count_of(&parts[0].1).map(usize::from), Some(count));
            let both = fragments(&[(b"a", length), (b"b", 9)]);
            let rows = gather(&both).unwrap();
            assert_eq!(rows[0], (b"a".to_vec(), value(length)));
            assert_eq!(rows[1], (b"b".to_vec(), value(9)));
        }
    }

    #[test]
    fn a_fragment_that_is_missing_or_of_another_row_is_seen() {
        let good = fragments(&[(b"a", 3 * FRAGMENT_BYTES), (b"b", 3 * FRAGMENT_BYTES)]);
        for missing in 0..good.len() {
            let mut parts = good.clone();
            parts.remove(missing);
            assert_eq!(gather(&parts), Err(Missing), "without fragment {missing}");
        }
        for cut in [1, 2, 3, 5] {
            assert_eq!(gather(&good[..cut].to_vec()), Err(Missing), "cut at {cut}");
        }
        let mut parts = good;
        parts[1].0 = key_of(b"c", 1);
        assert_eq!(gather(&parts), Err(Missing));
    }

    #[test]
    fn fragments_sort_as_their_rows_do() {
        // Names are of any length and begin with no control character; rows under them are small.
        let rows: [&[u8]; 4] = [b"a", b"a b", b"ab", b"b"];
        let keys = rows.map(|row| [key_of(row, 0), key_of(row, 0x1fff)]);
        assert!(keys.concat().is_sorted());
        // Other keys are of one length.
        let rows: [&[u8]; 2] = [&[0, 0], &[0, 1]];
        let keys = rows.map(|row| [key_of(row, 0), key_of(row, u16::MAX)]);
        assert!(keys.concat().is_sorted());
    }
}
