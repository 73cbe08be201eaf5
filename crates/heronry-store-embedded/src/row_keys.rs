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

#[cfg(test)]
mod tests {
    use super::*;

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
