//! A line of the table, and medians.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A measured figure beside its bar.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct FigureRow {
    /// The name of the measurement.
    pub(crate) what: String,
    /// The figure; absent where it could not be taken.
    pub(crate) seen: Option<f64>,
    /// Its unit.
    pub(crate) unit: Cow<'static, str>,
    /// The least that it must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at_least: Option<f64>,
    /// The most that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at_most: Option<f64>,
    /// The standing of the figure beside its bar.
    pub(crate) verdict: FigureVerdict,
    /// The parts that the figure is made of.
    pub(crate) note: String,
}

/// The fields of a line.
pub(crate) const ROW_FIELDS: [&str; 7] = [
    "what", "seen", "unit", "at_least", "at_most", "verdict", "note",
];

/// The standing of a figure beside its bar.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FigureVerdict {
    /// There is no bar.
    None,
    /// As good as it must be, or better.
    Met,
    /// Not as good as it must be.
    Missed,
    /// Not measured.
    Skipped,
}

impl FigureRow {
    pub(crate) fn new(what: impl Into<String>, seen: f64, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            seen: Some(seen),
            unit: Cow::Borrowed(unit),
            at_least: None,
            at_most: None,
            verdict: FigureVerdict::None,
            note: String::new(),
        }
    }

    /// Returns a line that says why nothing was measured.
    pub(crate) fn skipped(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            seen: None,
            verdict: FigureVerdict::Skipped,
            note: why.into(),
            ..Self::new(what, 0.0, "")
        }
    }

    pub(crate) fn at_least(mut self, bar: f64) -> Self {
        self.at_least = Some(bar);
        self.judged(|seen| seen >= bar)
    }

    pub(crate) fn at_most(mut self, bar: f64) -> Self {
        self.at_most = Some(bar);
        self.judged(|seen| seen <= bar)
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn judged(mut self, is_met: impl Fn(f64) -> bool) -> Self {
        if let Some(seen) = self.seen {
            self.verdict = if is_met(seen) {
                FigureVerdict::Met
            } else {
                FigureVerdict::Missed
            };
        }
        self
    }
}

/// Returns the middle of some figures.
pub(crate) fn median(figures: &mut [f64]) -> f64 {
    at_share(figures, 0.5)
}

/// Returns the figure that this share of all is not above.
pub(crate) fn at_share(figures: &mut [f64], share: f64) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    let last = figures.len().saturating_sub(1);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into a few million figures"
    )]
    let index = (last as f64 * share).round() as usize;
    figures.get(index).copied().unwrap_or(f64::NAN)
}

/// Returns a count as a figure.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn figure(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::check_names;

    #[test]
    fn the_fields_of_a_line_are_all_known() {
        let mut row = FigureRow::new("", 1.0, "");
        (row.at_least, row.at_most) = (Some(1.0), Some(1.0));
        check_names(&row, &ROW_FIELDS);
    }

    #[test]
    fn a_figure_is_held_against_its_bar() {
        assert_eq!(
            FigureRow::new("a", 0.5, "×").at_least(0.5).verdict,
            FigureVerdict::Met
        );
        assert_eq!(
            FigureRow::new("a", 0.4, "×").at_least(0.5).verdict,
            FigureVerdict::Missed
        );
        assert_eq!(
            FigureRow::new("a", 1.2, "×").at_most(1.1).verdict,
            FigureVerdict::Missed
        );
        assert_eq!(FigureRow::new("a", 1.2, "×").verdict, FigureVerdict::None);
        let skipped = FigureRow::skipped("a", "no such machine").at_most(1.0);
        assert_eq!(
            (skipped.verdict, skipped.seen),
            (FigureVerdict::Skipped, None)
        );
    }

    #[test]
    fn shares_are_counted_from_the_smallest() {
        let mut figures: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert!((median(&mut figures) - 50.0).abs() < f64::EPSILON);
        assert!((at_share(&mut figures, 0.99) - 99.0).abs() < f64::EPSILON);
        assert!(median(&mut []).is_nan());
    }
}
