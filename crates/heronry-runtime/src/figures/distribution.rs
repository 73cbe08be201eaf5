//! Values counted by upper bounds, as a histogram of Prometheus shows them.

/// Values, counted by upper bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Distribution {
    bounds: &'static [u64; Self::BOUNDS],
    /// The values that are at most the bound of the same place, and above the one before.
    counts: [u64; Self::BOUNDS],
    count: u64,
    sum: u64,
}

/// The values between two bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bucket {
    /// The upper bound, in the unit of the values.
    pub bound: u64,
    /// The number of values that are at most the bound, and above the bound before it.
    pub count: u64,
}

impl Distribution {
    /// The number of bounds.
    pub const BOUNDS: usize = 15;

    /// Returns a distribution of no values over these bounds, which rise.
    pub(crate) const fn over(bounds: &'static [u64; Self::BOUNDS]) -> Self {
        Self {
            bounds,
            counts: [0; Self::BOUNDS],
            count: 0,
            sum: 0,
        }
    }

    /// Counts a value.
    pub(crate) fn note(&mut self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
    }

    /// Returns the number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the sum of the values, in their unit.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// Walks the buckets in rising order. Values above the last bound stand in the
    /// [count](Self::count) alone.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let counted = self.bounds.iter().zip(&self.counts);
        counted.map(|(&bound, &count)| Bucket { bound, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_for_the_first_bound_that_it_does_not_exceed() {
        static BOUNDS: [u64; Distribution::BOUNDS] =
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 20];
        let mut found = Distribution::over(&BOUNDS);
        for value in [0, 1, 2, 20, 21] {
            found.note(value);
        }
        let counts: Vec<_> = found.buckets().map(|it| it.count).collect();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((found.count(), found.sum()), (5, 44));
    }
}
