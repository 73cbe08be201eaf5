//! Medians, and the lines.

use std::io::Write;

use crate::filters::Shape;

/// The cost of an index of waits.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) match_us: f64,
    pub(crate) cold_us: f64,
    pub(crate) found: f64,
    pub(crate) insert_us: f64,
    pub(crate) remove_us: f64,
    pub(crate) bytes: f64,
    pub(crate) scan_us: f64,
}

impl Figures {
    pub(crate) fn written(&self, shape: Shape, waits: usize) -> String {
        let shape = match shape {
            Shape::Shared => "shared ids",
            Shape::Own => "own ids   ",
        };
        format!(
            "{shape} {waits:>7} waits: match {:.2} µs (the first time {:.2}, {:.1} kept), scan {:.0} µs, ratio {:.5}; \
             insert {:.2} µs, remove {:.2} µs, {:.0} B each",
            self.match_us,
            self.cold_us,
            self.found,
            self.scan_us,
            self.match_us / self.scan_us,
            self.insert_us,
            self.remove_us,
            self.bytes,
        )
    }
}

pub(crate) fn median(figures: &mut [f64]) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
}
