//! The index alone: match, insert, remove, and bytes, beside asking every filter.

use std::hint::black_box;

use heronry_event::{Envelope, Filter, index::FilterIndex};

use crate::{
    dice::Dice,
    filters::{NARROW, Shape, event, filter},
    report::{Figures, line, median},
    time::Moment,
};

/// Events that are matched in each round.
const EVENTS: usize = 512;
/// Filters that are put in and taken out again in each round.
const CHURN: usize = 10_000;
/// Filters that are asked one by one, at the most.
const ASKED_MAX: usize = 100_000;
/// The number of times that the events are matched again while they are at hand.
const WARM: usize = 8;
/// Rounds of each measurement.
const ROUNDS: usize = 7;

/// Prints the cost of this many waits.
pub(crate) fn run(shape: Shape, waits: usize) {
    let mut dice = Dice::new(1);
    let mut index = FilterIndex::new();
    let grown = allocation_counter::measure(|| {
        for number in 0..waits {
            index.insert(number as u64, &filter(shape, number, &mut dice));
        }
    });
    let replies = if shape == Shape::Own { waits } else { NARROW };
    let events: Vec<_> = (0..EVENTS).map(|_| event(replies, &mut dice)).collect();
    let mut figures = Figures::default();
    let mut samples: [Vec<f64>; 4] = Default::default();
    for round in 0..ROUNDS {
        let filters = more(shape, waits * (round + 2), &mut dice);
        let (insert, remove) = churn(&mut index, &filters);
        let (cold, found) = match_all(&mut index, &events);
        let warm: f64 = (0..WARM).map(|_| match_all(&mut index, &events).0).sum();
        let round = [insert, remove, cold, warm / WARM as f64];
        for (all, one) in samples.iter_mut().zip(round) {
            all.push(one);
        }
        figures.found = found;
    }
    assert_eq!(index.len(), waits);
    [
        figures.insert_us,
        figures.remove_us,
        figures.cold_us,
        figures.match_us,
    ] = samples.each_mut().map(|all| median(all));
    figures.bytes = grown.bytes_current as f64 / waits as f64;
    figures.scan_us = scan(shape, waits, &events, &mut index);
    line(&figures.written(shape, waits));
}

/// Returns microseconds for one event, and how many filters kept one on average.
fn match_all(index: &mut FilterIndex<u64>, events: &[Envelope]) -> (f64, f64) {
    let mut found = Vec::with_capacity(10_000);
    let mut kept = 0;
    let start = Moment::of_thread();
    for event in events {
        found.clear();
        index.matches(black_box(event), &mut found);
        kept += found.len();
    }
    let took = start.micros();
    (
        took / events.len() as f64,
        kept as f64 / events.len() as f64,
    )
}

/// Returns filters that are not in the index yet.
fn more(shape: Shape, first: usize, dice: &mut Dice) -> Vec<(u64, Filter)> {
    let numbers = first..first + CHURN;
    let filters = numbers.map(|number| (number as u64, filter(shape, number, dice)));
    filters.collect()
}

/// Returns microseconds for putting one filter in, and for taking one out.
fn churn(index: &mut FilterIndex<u64>, filters: &[(u64, Filter)]) -> (f64, f64) {
    let start = Moment::of_thread();
    for (key, filter) in filters {
        index.insert(*key, filter);
    }
    let inserted = start.micros();
    let start = Moment::of_thread();
    for (key, _) in filters {
        index.remove(*key);
    }
    let removed = start.micros();
    (inserted / CHURN as f64, removed / CHURN as f64)
}

/// Returns microseconds for asking as many filters one by one, and checks that the index finds what
/// the scan finds; a tenth is asked where there are very many.
fn scan(shape: Shape, waits: usize, events: &[Envelope], index: &mut FilterIndex<u64>) -> f64 {
    let asked = waits.min(ASKED_MAX);
    let mut dice = Dice::new(1);
    let filters: Vec<_> = (0..asked)
        .map(|number| filter(shape, number, &mut dice))
        .collect();
    let events = events.iter().take(20);
    let mut took = Vec::new();
    for event in events {
        let mut expected = Vec::new();
        let start = Moment::of_thread();
        for (number, filter) in filters.iter().enumerate() {
            if filter.matches(black_box(event)) {
                expected.push(number as u64);
            }
        }
        took.push(start.micros() * waits as f64 / asked as f64);
        let mut found = Vec::new();
        index.matches(event, &mut found);
        found.retain(|key| *key < asked as u64);
        assert_eq!(found, expected, "the index finds what a scan finds");
    }
    median(&mut took)
}
