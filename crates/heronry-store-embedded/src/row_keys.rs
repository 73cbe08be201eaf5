//! Keys of embedded stores: their byte order is the order of the positions that they name.
//!
//! Every adapter that keeps rows in a sorted map uses these, so that a range of bytes is a range
//! of positions. A pool is named by its number in that store, which never leaves the store.

use heronry_types::{ContentRef, Position};

use heronry_store::ConsumerId;

/// The number of a pool within one store; from 1, never reused.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PoolNo(pub u32);

/// Length of a [`placed`] key in bytes.
pub const PLACED_BYTES: usize = 12;

/// Length of a [`named`] key in bytes.
pub const NAMED_BYTES: usize = 20;

/// Returns the key of the row that begins at a position of a pool: a chunk, or the contents of a
/// commit.
pub fn placed(pool: PoolNo, first: Position) -> [u8; PLACED_BYTES] {
    let mut key = [0; PLACED_BYTES];
    let (head, tail) = key.split_at_mut(4);
    head.copy_from_slice(&pool.0.to_be_bytes());
    tail.copy_from_slice(&first.0.to_be_bytes());
    key
}

/// A place in a store: the beginning of a row of a pool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Placed {
    /// The number of the pool.
    pub pool: PoolNo,
    /// The position at which the row begins.
    pub first: Position,
}

/// Returns the place that a [`placed`] key names.
pub fn read_placed(key: [u8; PLACED_BYTES]) -> Placed {
    let [a, b, c, d, position @ ..] = key;
    Placed {
        pool: PoolNo(u32::from_be_bytes([a, b, c, d])),
        first: Position(u64::from_be_bytes(position)),
    }
}

/// Returns the key of a content that was stored by itself.
pub fn named(pool: PoolNo, content_ref: ContentRef) -> [u8; NAMED_BYTES] {
    let mut key = [0; NAMED_BYTES];
    let (head, tail) = key.split_at_mut(4);
    head.copy_from_slice(&pool.0.to_be_bytes());
    tail.copy_from_slice(&content_ref.bits());
    key
}

/// Returns the key of the rows that a pool has one of.
pub fn pool(pool: PoolNo) -> [u8; 4] {
    pool.0.to_be_bytes()
}

/// Returns the key of a consumer of a pool. Keys of one pool are in the order of the names.
pub fn consumer(pool: PoolNo, name: &ConsumerId) -> Vec<u8> {
    let mut key = pool.0.to_be_bytes().to_vec();
    key.extend_from_slice(name.as_str().as_bytes());
    key
}

/// Stands before each byte of a key of a projection that is [`END`] or [`ESCAPE`], which follows raised
/// by one.
const ESCAPE: u8 = 1;
/// The last byte of a key of a projection. No such key has it anywhere else.
const END: u8 = 0;

/// Returns the key of the row that says how large the projection of a consumer is. It stands before the
/// rows of the projection, which begin with it.
pub fn projection(pool: PoolNo, name: &ConsumerId) -> Vec<u8> {
    let name = name.as_str().as_bytes();
    // A name is an id, which is far shorter.
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    [&pool.0.to_be_bytes()[..], &length.to_be_bytes(), name].concat()
}

/// Returns the key of a row of a projection. Keys of one projection are in the order of the bytes of
/// the rows' own keys, and none is the beginning of another one.
pub fn projected(projection: &[u8], key: &[u8]) -> Vec<u8> {
    let mut out = projection.to_vec();
    for byte in key {
        match *byte {
            END | ESCAPE => out.extend_from_slice(&[ESCAPE, byte + 1]),
            byte => out.push(byte),
        }
    }
    out.push(END);
    out
}

/// Returns the row's own key, from a [`projected`] key of a projection; nothing when it is malformed.
pub fn read_projected(projection: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let (end, escaped) = key.strip_prefix(projection)?.split_last()?;
    let mut out = Vec::with_capacity(escaped.len());
    let mut bytes = escaped.iter();
    while let Some(byte) = bytes.next() {
        out.push(match *byte {
            ESCAPE => bytes
                .next()?
                .checked_sub(1)
                .filter(|byte| *byte <= ESCAPE)?,
            byte => byte,
        });
    }
    (*end == END && !out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_projection_are_in_the_order_of_their_own_keys_and_read_back() {
        let name = ConsumerId::parse("a").unwrap();
        let projection = projection(PoolNo(1), &name);
        let keys: [&[u8]; 9] = [
            &[0],
            &[0, 0],
            &[0, 1],
            &[1],
            &[1, 0],
            &[1, 2],
            &[2],
            &[2, 0],
            &[255, 255],
        ];
        let stored: Vec<_> = keys.iter().map(|key| projected(&projection, key)).collect();
        assert!(stored.is_sorted());
        assert!(stored.iter().all(|key| *key > projection));
        for (key, stored) in keys.iter().zip(&stored) {
            assert_eq!(read_projected(&projection, stored).as_deref(), Some(*key));
            let beginnings = stored.len() - 1;
            assert!((0..beginnings).all(|cut| {
                !keys
                    .iter()
                    .any(|other| projected(&projection, other) == stored[..=cut])
            }));
        }
        assert_eq!(read_projected(&projection, &projection), None);
    }

    #[test]
    fn byte_order_is_the_order_of_pools_and_positions() {
        let names = [
            (PoolNo(1), Position(0)),
            (PoolNo(1), Position(255)),
            (PoolNo(1), Position(256)),
            (PoolNo(1), Position(u64::MAX)),
            (PoolNo(2), Position(1)),
            (PoolNo(256), Position(1)),
        ];
        let keys = names.map(|(pool, first)| placed(pool, first));
        assert!(keys.is_sorted());
        let places = names.map(|(pool, first)| Placed { pool, first });
        assert_eq!(keys.map(read_placed), places);
    }

    #[test]
    fn contents_of_one_pool_stand_together() {
        let high = ContentRef::from_bits([0xff; 16]);
        let low = ContentRef::from_bits([0; 16]);
        assert!(named(PoolNo(1), high) < named(PoolNo(2), low));
        assert!(named(PoolNo(1), low) < named(PoolNo(1), high));
    }

    #[test]
    fn consumers_are_in_the_order_of_their_names() {
        let names = [(1, "a"), (1, "a!"), (1, "ab"), (1, "é"), (2, "a")];
        let keys = names.map(|(no, name)| {
            let name = ConsumerId::parse(name).unwrap();
            consumer(PoolNo(no), &name)
        });
        assert!(keys.is_sorted());
        assert!(keys.iter().all(|key| key.starts_with(&[0, 0, 0])));
    }
}
