//! The depth of random tests: a little by default, more on request.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a helper of a test fails by panicking"
)]

use proptest::test_runner::Config;

/// The value of `PROPTEST_CASES` when nobody sets it.
const USUAL: u64 = 256;

/// Returns the number of cases to try, given that there are `few` by default.
pub fn scaled(few: u64) -> u64 {
    let asked = u64::from(Config::default().cases);
    (few * asked / USUAL).max(1)
}

/// Returns a configuration with `few` cases by default. What fails is shown, not kept in a file.
pub fn cases(few: u32) -> Config {
    Config {
        cases: u32::try_from(scaled(few.into())).unwrap_or(u32::MAX),
        failure_persistence: None,
        ..Config::default()
    }
}

/// Numbers that look random and are the same in every run.
#[derive(Debug)]
pub struct Draw(pub u64);

impl Draw {
    /// Returns a number below a bound.
    pub fn below<N: TryInto<u64> + TryFrom<u64>>(&mut self, bound: N) -> N {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let bound: u64 = bound.try_into().ok().unwrap();
        N::try_from((self.0 >> 33) % bound).ok().unwrap()
    }
}
