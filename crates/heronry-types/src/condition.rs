//! The condition of a wake: what has to happen until it is triggered.

mod cbor;
mod json;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vocab::vocabulary;

vocabulary! {
    /// The part of an event that must differ from those counted before, for the event to count as one more.
    #[derive(Default)]
    DistinctBy {
        Event = "event",
        Message = "message",
        Run = "run",
        #[default]
        Subject = "subject",
    }
}

/// The condition of a wake. Its leaves are filters, as texts or compiled.
///
/// JSON: the text of a filter, or an object with one of `filter`, `any_of`, `all_of` and `count`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Condition<L = String> {
    /// Holds after one event that the filter keeps.
    Filter(L),
    /// Holds when one of these conditions holds.
    AnyOf(Vec<Self>),
    /// Holds when all of these conditions have come to hold, in any order.
    AllOf(Vec<Self>),
    /// Holds after several events that one filter keeps.
    Count(Count<L>),
}

/// Several events that one filter keeps.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Count")
)]
pub struct Count<L = String> {
    /// The number of events that are needed.
    pub n: u32,
    /// The filter that keeps the events that count.
    pub filter: L,
    /// The part that must differ between the events that count. With `message` or `run`, an event
    /// without a message or without a run does not count.
    #[serde(default)]
    pub distinct_by: DistinctBy,
}

/// A condition that no wake can have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConditionError {
    /// A list of conditions is empty.
    #[error("{list} is empty; name at least one condition")]
    Empty {
        /// The list.
        list: &'static str,
    },
    /// No event is counted.
    #[error("count.n is 0; ask for at least one event")]
    CountsNothing,
    /// There are too many filters.
    #[error("the condition has {actual} filters and may have {max}; use fewer")]
    TooManyFilters {
        /// The largest number of filters that a condition may have.
        max: usize,
        /// The number of filters that the condition has.
        actual: usize,
    },
    /// The condition takes too many events.
    #[error("the condition takes {actual} events and may take {max}; count fewer")]
    TooManyEvents {
        /// The largest number of events that a condition may take.
        max: u64,
        /// The number of events that the condition takes.
        actual: u64,
    },
    /// The conditions are nested too deep.
    #[error("conditions stand in each other more than {max} deep; flatten them")]
    TooDeep {
        /// The largest depth in levels; a filter alone is 1 level.
        max: usize,
    },
}

/// A filter of a condition, with the number of events that it has to keep.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Clause<'a, L = String> {
    /// The filter.
    pub filter: &'a L,
    /// The number of events that the filter has to keep.
    pub needed: u32,
    /// The part that must differ between these events.
    pub distinct_by: DistinctBy,
}

impl<L> From<L> for Condition<L> {
    fn from(filter: L) -> Self {
        Self::Filter(filter)
    }
}

impl Condition {
    /// The largest number of filters in a condition.
    pub const FILTERS_MAX: usize = 64;
    /// The largest depth to which conditions may be nested, in levels; a filter alone is 1 level.
    pub const DEPTH_MAX: usize = 8;
    /// The largest number of events that a condition may take, for all its filters together.
    pub const EVENTS_MAX: u64 = 1_000;
}

impl<L> Condition<L> {
    /// Returns the filters in the order in which they stand.
    pub fn clauses(&self) -> Vec<Clause<'_, L>> {
        let mut clauses = Vec::new();
        self.collect(&mut clauses);
        clauses
    }

    fn collect<'a>(&'a self, clauses: &mut Vec<Clause<'a, L>>) {
        match self {
            Self::Filter(filter) => clauses.push(Clause {
                filter,
                needed: 1,
                distinct_by: DistinctBy::Event,
            }),
            Self::AnyOf(parts) | Self::AllOf(parts) => {
                for part in parts {
                    part.collect(clauses);
                }
            }
            Self::Count(count) => clauses.push(Clause {
                filter: &count.filter,
                needed: count.n,
                distinct_by: count.distinct_by,
            }),
        }
    }

    /// Returns the condition with every filter replaced, in the order in which they stand.
    ///
    /// # Errors
    /// The first one of `with`.
    pub fn try_map<M, E>(
        &self,
        with: &mut impl FnMut(&L) -> Result<M, E>,
    ) -> Result<Condition<M>, E> {
        let mut each = |parts: &[Self]| -> Result<Vec<_>, E> {
            parts.iter().map(|part| part.try_map(with)).collect()
        };
        Ok(match self {
            Self::AnyOf(parts) => Condition::AnyOf(each(parts)?),
            Self::AllOf(parts) => Condition::AllOf(each(parts)?),
            Self::Filter(filter) => Condition::Filter(with(filter)?),
            Self::Count(count) => Condition::Count(Count {
                n: count.n,
                filter: with(&count.filter)?,
                distinct_by: count.distinct_by,
            }),
        })
    }

    /// Checks that a wake can have it.
    ///
    /// # Errors
    /// [`ConditionError`] says what is wrong with it.
    pub fn check(&self) -> Result<(), ConditionError> {
        self.check_parts(Condition::DEPTH_MAX)?;
        let clauses = self.clauses();
        let (max, actual) = (Condition::FILTERS_MAX, clauses.len());
        if actual > max {
            return Err(ConditionError::TooManyFilters { max, actual });
        }
        let (max, needed) = (Condition::EVENTS_MAX, clauses.iter());
        let actual = needed.map(|clause| u64::from(clause.needed)).sum();
        if actual > max {
            return Err(ConditionError::TooManyEvents { max, actual });
        }
        Ok(())
    }

    fn check_parts(&self, depth_left: usize) -> Result<(), ConditionError> {
        let Some(left) = depth_left.checked_sub(1) else {
            let max = Condition::DEPTH_MAX;
            return Err(ConditionError::TooDeep { max });
        };
        let (list, parts) = match self {
            Self::Count(count) if count.n == 0 => return Err(ConditionError::CountsNothing),
            Self::Filter(_) | Self::Count(_) => return Ok(()),
            Self::AnyOf(parts) => ("any_of", parts),
            Self::AllOf(parts) => ("all_of", parts),
        };
        if parts.is_empty() {
            return Err(ConditionError::Empty { list });
        }
        parts.iter().try_for_each(|part| part.check_parts(left))
    }
}

/// Writes `any_of(…, …)`, `all_of(…, …)`, `count(n, distinct_by, …)`, or the filter.
impl<L: fmt::Display> fmt::Display for Condition<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, parts) = match self {
            Self::Filter(filter) => return filter.fmt(f),
            Self::Count(count) => {
                let Count { n, filter, .. } = count;
                return write!(f, "count({n}, {}, {filter})", count.distinct_by);
            }
            Self::AnyOf(parts) => ("any_of", parts),
            Self::AllOf(parts) => ("all_of", parts),
        };
        write!(f, "{name}(")?;
        for (number, part) in parts.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{part}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Condition {
        Condition::Filter(text.to_owned())
    }

    fn count(n: u32) -> Condition {
        Condition::Count(Count {
            n,
            filter: "terminal".to_owned(),
            distinct_by: DistinctBy::Run,
        })
    }

    fn nested(depth: usize) -> Condition {
        let all = |inner, _| Condition::AllOf(vec![inner]);
        (1..depth).fold(filter("true"), all)
    }

    #[test]
    fn a_condition_passes_up_to_its_limits_and_not_beyond() {
        for fits in [63, 64] {
            Condition::AnyOf(vec![filter("true"); fits])
                .check()
                .unwrap();
        }
        let (max, actual) = (64, 65);
        assert_eq!(
            Condition::AnyOf(vec![filter("true"); actual]).check(),
            Err(ConditionError::TooManyFilters { max, actual })
        );
        for fits in [7, 8] {
            nested(fits).check().unwrap();
        }
        assert_eq!(nested(9).check(), Err(ConditionError::TooDeep { max: 8 }));
        for fits in [1, 999, 1_000] {
            count(fits).check().unwrap();
        }
        let (max, actual) = (1_000, 1_001);
        let both = Condition::AllOf(vec![count(1_000), filter("true")]);
        for over in [count(1_001), both] {
            let refused = Err(ConditionError::TooManyEvents { max, actual });
            assert_eq!(over.check(), refused);
        }
        assert_eq!(count(0).check(), Err(ConditionError::CountsNothing));
        assert_eq!(
            Condition::AllOf(vec![filter("true"), Condition::AnyOf(Vec::new())]).check(),
            Err(ConditionError::Empty { list: "any_of" })
        );
    }

    #[test]
    fn clauses_stand_in_the_order_of_the_text() {
        let condition = Condition::AllOf(vec![
            Condition::AnyOf(vec![filter("a"), count(3)]),
            filter("b"),
        ]);
        let texts = condition.clauses();
        let texts: Vec<_> = texts
            .iter()
            .map(|c| (c.filter.as_str(), c.needed))
            .collect();
        assert_eq!(texts, [("a", 1), ("terminal", 3), ("b", 1)]);
        let text = "all_of(any_of(a, count(3, run, terminal)), b)";
        assert_eq!(condition.to_string(), text);
        let upper = |text: &String| Ok::<_, ()>(text.to_uppercase());
        let mapped = condition.try_map(&mut { upper }).unwrap();
        let text = "all_of(any_of(A, count(3, run, TERMINAL)), B)";
        assert_eq!(mapped.to_string(), text);
    }
}
