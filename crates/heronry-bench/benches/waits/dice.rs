//! Numbers that are the same in every run.

/// A sequence of numbers without a pattern (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `sides`.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % sides as u64).unwrap()
    }

    /// Returns one or more different numbers below `sides`; seven times of ten only one.
    pub(crate) fn few(&mut self, sides: usize) -> Vec<usize> {
        let first = self.below(sides);
        match self.below(10) {
            0..7 => vec![first],
            7..9 => vec![first, (first + 1) % sides],
            _ => vec![first, (first + 1) % sides, (first + 2) % sides],
        }
    }
}
