//! The trims of a journal: which records are gone, and since when.

use heronry_types::{Millis, Position, Timestamp};

use crate::state::{
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

/// The time for which keys of trimmed records still answer.
pub const KEYS_KEPT_AFTER_TRIM: Millis = Millis::from_secs(30 * 24 * 60 * 60);

/// The time within which trims are noted as one: their keys answer as long as those of the last of them.
const NOTED_TOGETHER: Millis = Millis::from_secs(60 * 60);

/// A trim: the floor that it moves to, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TrimNote {
    /// The first position that it leaves.
    pub floor: Position,
    /// The time.
    pub at: Timestamp,
    /// The head of the pool when it was decided, at or above the floor's predecessor. Messages that were accepted before the
    /// floor and had finished by then go with it.
    pub decided: Position,
}

/// The latest floor of the trims of one hour, and the time of the last of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct KeysTrim {
    floor: Position,
    at: Timestamp,
}

impl KeysTrim {
    fn is_over(self, now: Timestamp) -> bool {
        now.since(self.at) > KEYS_KEPT_AFTER_TRIM
    }
}

/// The trims whose records still have keys that answer, oldest first, and the head at which the last one was decided.
///
/// Trims of one hour are one entry, so there are never more than there are hours for which keys answer, and two.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Trims {
    of_keys: Vec<KeysTrim>,
    decided: Position,
}

impl Trims {
    /// Notes a trim, and forgets those of before of which no key answers any more.
    pub(crate) fn note(&mut self, trim: TrimNote) {
        let TrimNote { floor, at, decided } = trim;
        // The last one that is over says which positions have no key.
        let over = self.of_keys.partition_point(|it| it.is_over(at));
        self.of_keys.drain(..over.saturating_sub(1));
        self.decided = decided;
        match self.of_keys.last_mut() {
            Some(last) if hour_of(last.at) == hour_of(at) => *last = KeysTrim { floor, at },
            Some(_) | None => self.of_keys.push(KeysTrim { floor, at }),
        }
    }

    /// Returns true when the keys of a trimmed record answer no more.
    pub(crate) fn has_forgotten(&self, position: Position, now: Timestamp) -> bool {
        let trimmed_by = self.of_keys.partition_point(|it| it.floor <= position);
        let trimmed_by = self.of_keys.get(trimmed_by);
        trimmed_by.is_some_and(|trim| trim.is_over(now))
    }

    /// Returns the first position that the last trim left. `None` while there was none.
    pub(crate) fn floor(&self) -> Option<Position> {
        self.of_keys.last().map(|it| it.floor)
    }

    /// Returns the head at which the last trim was decided.
    pub(crate) fn decided(&self) -> Position {
        self.decided
    }
}

/// Returns the number of the hour of a time.
fn hour_of(at: Timestamp) -> i64 {
    let hour = i64::try_from(NOTED_TOGETHER.0).unwrap_or(i64::MAX);
    at.as_millis().div_euclid(hour)
}

impl Trims {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self { of_keys, decided } = self;
        to.list(2);
        to.each(of_keys.iter(), |to, trim| {
            let KeysTrim { floor, at } = trim;
            to.put((floor, at));
        });
        to.put(decided);
    }

    pub(super) fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        from.list(2)?;
        let of_keys = from.list_of(|from| {
            let (floor, at) = from.take()?;
            Ok(KeysTrim { floor, at })
        })?;
        let decided = from.take()?;
        Ok(Self { of_keys, decided })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every trim by itself, oldest first.
    #[derive(Default)]
    struct EachTrim(Vec<TrimNote>);

    impl EachTrim {
        fn has_forgotten(&self, position: Position, now: Timestamp) -> bool {
            let trimmed_by = self.0.iter().find(|trim| position < trim.floor);
            trimmed_by.is_some_and(|trim| now.since(trim.at) > KEYS_KEPT_AFTER_TRIM)
        }
    }

    fn note(floor: u64, at: Timestamp) -> TrimNote {
        TrimNote {
            floor: Position(floor),
            at,
            decided: Position(floor),
        }
    }

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60 * 1_000)
    }

    #[test]
    fn keys_answer_for_their_time_after_the_trim_that_took_their_record() {
        let day = |day: i64| minute(day * 24 * 60);
        let mut trims = Trims::default();
        for (floor, at) in [(10, 0), (20, 20), (30, 40), (40, 80)] {
            trims.note(note(floor, day(at)));
        }
        // Those of the first two are over by the last one, and one of them says up to where.
        assert_eq!(trims.of_keys.len(), 2);
        for (position, now, expected) in [
            (5, 81, true),
            (29, 81, true),
            (30, 110, false),
            (30, 111, true),
            (40, 999, false),
        ] {
            let forgotten = trims.has_forgotten(Position(position), day(now));
            assert_eq!(forgotten, expected, "{position} at {now}");
        }
    }

    #[test]
    fn a_trim_each_minute_is_noted_once_an_hour() {
        let mut trims = Trims::default();
        for at in 0..40 * 24 * 60 {
            trims.note(note(10 + at, minute(at.cast_signed())));
        }
        assert_eq!(trims.floor(), Some(Position(10 + 40 * 24 * 60 - 1)));
        let hours = usize::try_from(KEYS_KEPT_AFTER_TRIM.0 / NOTED_TOGETHER.0).unwrap();
        assert_eq!(trims.of_keys.len(), hours + 2);
    }

    /// Both at once.
    #[derive(Default)]
    struct Noted {
        trims: Trims,
        each: EachTrim,
    }

    impl Noted {
        fn note(&mut self, trim: TrimNote) {
            self.trims.note(trim);
            self.each.0.push(trim);
        }

        fn check(&self, position: Position, now: Timestamp) {
            let is_forgotten = self.trims.has_forgotten(position, now);
            if is_forgotten {
                assert!(self.each.has_forgotten(position, now), "too early");
            }
            let hour = i64::try_from(NOTED_TOGETHER.0).unwrap();
            let before = Timestamp::from_millis(now.as_millis() - hour);
            if self.each.has_forgotten(position, before) {
                assert!(is_forgotten, "kept for too long");
            }
        }
    }

    /// Notes 300 trims that are up to so many minutes apart, and checks 20 positions after each.
    fn check_trims(gap_minutes: u64, draw: &mut impl FnMut(u64) -> u64) {
        let mut noted = Noted::default();
        let (mut floor, mut at) = (1, 0);
        for _ in 0..300 {
            floor += 1 + draw(20);
            at += draw(gap_minutes);
            noted.note(note(floor, minute(at.cast_signed())));
            for _ in 0..20 {
                let position = Position(draw(floor + 2));
                let now = at + draw(32 * 24 * 60);
                noted.check(position, minute(now.cast_signed()));
            }
        }
    }

    #[test]
    fn trims_noted_together_answer_as_each_by_itself_and_at_most_an_hour_longer() {
        // A sequence that looks random and is the same every time.
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        for gap_minutes in [3, 50, 400, 9_000] {
            check_trims(gap_minutes, &mut draw);
        }
    }
}
