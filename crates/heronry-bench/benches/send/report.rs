//! Medians, and the tables.

use std::io::Write;

use crate::engine::SendCounts;

/// One line of the table: figures of every round.
pub(crate) struct Row {
    callers: usize,
    engine: Vec<f64>,
    bare: Vec<f64>,
    ratios: Vec<f64>,
    batch: Vec<f64>,
    bytes: Vec<f64>,
}

impl Row {
    pub(crate) fn new(callers: usize) -> Self {
        let (engine, bare, ratios) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            callers,
            engine,
            bare,
            ratios,
            batch: Vec::new(),
            bytes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, engine: f64, bare: f64, shape: SendCounts) {
        self.engine.push(engine);
        self.bare.push(bare);
        self.ratios.push(engine / bare);
        self.batch.push(shape.sends as f64 / shape.commits as f64);
        self.bytes
            .push(shape.chunk_bytes as f64 / shape.sends as f64);
    }
}

pub(crate) fn median(figures: &mut [f64]) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn print(row: &Row) {
    let [engine, bare, ratio, batch, bytes] =
        [&row.engine, &row.bare, &row.ratios, &row.batch, &row.bytes]
            .map(|figures| median(&mut figures.clone()));
    line(&format!(
        "{:>4} callers: engine {engine:>8.0}/s  bare redb chunk {bare:>8.0}/s  ratio {ratio:.2}  \
         (batch {batch:.1}, {bytes:.0} chunk bytes per send)",
        row.callers
    ));
}

pub(crate) fn print_history(early: f64, late: f64, ratio: f64) {
    line(&format!(
        "memory store: send {:.2} µs after 1 k messages, {:.2} µs after 100 k  ratio {ratio:.2}",
        early * 1e6,
        late * 1e6
    ));
}

/// Prints what one send costs without a store, in microseconds.
pub(crate) fn print_core(rules: f64, all: f64) {
    line(&format!(
        "one thread, no store: rules {rules:.2} µs, with encoding {all:.2} µs per send"
    ));
}

fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
}
