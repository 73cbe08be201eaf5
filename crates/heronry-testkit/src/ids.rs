//! Identifiers from a seed.

use std::sync::atomic::{AtomicU64, Ordering};

use heronry_store::IdSource;

/// Draws the same identifiers, in the same order, for the same seed; never the same one twice.
///
/// For tests only: whoever knows the seed knows them all.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededIds {
    /// Returns the source with this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }
}

impl IdSource for SeededIds {
    fn draw(&self) -> [u8; 16] {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        // The first half is a bijection of the number under the seed, so no draw repeats.
        let first = mix(self.seed.wrapping_add(number.wrapping_mul(GAMMA)));
        let second = mix(first ^ self.seed);
        let mut id = [0; 16];
        let (head, tail) = id.split_at_mut(8);
        head.copy_from_slice(&first.to_be_bytes());
        tail.copy_from_slice(&second.to_be_bytes());
        id
    }
}

/// The odd constant of `SplitMix64`.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of `SplitMix64`.
fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn draws(seed: u64) -> Vec<[u8; 16]> {
        let ids = SeededIds::new(seed);
        (0..1_000).map(|_| ids.draw()).collect()
    }

    #[test]
    fn a_seed_gives_the_same_identifiers_and_none_twice() {
        assert_eq!(draws(7), draws(7));
        let all: HashSet<_> = draws(7).into_iter().chain(draws(8)).collect();
        assert_eq!(all.len(), 2_000);
    }
}
