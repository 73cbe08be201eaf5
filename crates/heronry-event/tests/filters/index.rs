//! An index of filters finds what asking each of them finds, and keeps nothing of those that went.

use crate::support::{envelope, expr, few_cases, written};
use heronry_event::{Envelope, Filter, index::FilterIndex};
use proptest::prelude::*;

/// One step of a random history.
#[derive(Clone, Debug)]
enum IndexStep {
    Insert(u8, Filter),
    Remove(u8),
    Match(Box<Envelope>),
}

fn filter() -> impl Strategy<Value = Filter> {
    expr().prop_filter_map("compiles", |e| Filter::compile(&written(&e)).ok())
}

fn step() -> impl Strategy<Value = IndexStep> {
    prop_oneof![
        4 => (0..12_u8, filter()).prop_map(|(key, filter)| IndexStep::Insert(key, filter)),
        2 => (0..12_u8).prop_map(IndexStep::Remove),
        3 => envelope().prop_map(|envelope| IndexStep::Match(Box::new(envelope))),
    ]
}

/// Filters by key, asked one by one.
#[derive(Default)]
struct LinearScan(Vec<(u8, Filter)>);

impl LinearScan {
    fn insert(&mut self, key: u8, filter: Filter) -> bool {
        let replaced = self.remove(key);
        self.0.push((key, filter));
        replaced
    }

    fn remove(&mut self, key: u8) -> bool {
        let before = self.0.len();
        self.0.retain(|(other, _)| *other != key);
        self.0.len() < before
    }

    fn matches(&self, envelope: &Envelope) -> Vec<u8> {
        let kept = self.0.iter().filter(|(_, f)| f.matches(envelope));
        let mut keys: Vec<u8> = kept.map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys
    }
}

proptest! {
    #![proptest_config(few_cases())]

    #[test]
    fn a44_an_index_finds_what_a_linear_scan_finds(
        steps in prop::collection::vec(step(), 1..60),
        last in prop::collection::vec(envelope(), 4),
    ) {
        let mut index = FilterIndex::new();
        let mut scan = LinearScan::default();
        for step in steps.into_iter().chain(last.into_iter().map(Box::new).map(IndexStep::Match)) {
            match step {
                IndexStep::Insert(key, filter) => {
                    prop_assert_eq!(index.insert(key, &filter), scan.insert(key, filter));
                    prop_assert!(index.contains(key));
                }
                IndexStep::Remove(key) => {
                    prop_assert_eq!(index.remove(key), scan.remove(key));
                    prop_assert!(!index.contains(key));
                }
                IndexStep::Match(envelope) => {
                    let mut found = vec![99, 99];
                    index.matches(&envelope, &mut found);
                    prop_assert_eq!(&found[..2], &[99, 99], "what was found before stays");
                    prop_assert_eq!(&found[2..], scan.matches(&envelope));
                }
            }
            prop_assert_eq!(index.len(), scan.0.len());
            prop_assert_eq!(index.is_empty(), scan.0.is_empty());
        }
    }

    #[test]
    fn a42_matching_allocates_nothing(
        filters in prop::collection::vec(filter(), 1..40),
        envelopes in prop::collection::vec(envelope(), 1..8),
    ) {
        let mut index = FilterIndex::new();
        for (key, filter) in filters.iter().enumerate() {
            index.insert(key, filter);
        }
        let (mut found, mut asked) = (Vec::with_capacity(1_000), 0);
        let allocated = allocation_counter::measure(|| {
            for envelope in &envelopes {
                index.matches(envelope, &mut found);
                asked += filters.iter().filter(|filter| filter.matches(envelope)).count();
            }
        });
        prop_assert_eq!(allocated.count_total, 0, "{:?}", allocated);
        let counted = allocation_counter::measure(|| assert!(index.insert(0, &filters[0])));
        prop_assert!(counted.count_total > 0, "what allocates is counted");
        prop_assert_eq!(found.len(), asked);
    }

    #[test]
    fn an_index_that_was_emptied_grows_no_further_when_it_is_filled_again(
        filters in prop::collection::vec(filter(), 1..20),
    ) {
        let mut index = FilterIndex::new();
        let mut fill_and_empty = || allocation_counter::measure(|| {
            for (key, filter) in filters.iter().enumerate() {
                index.insert(key, filter);
            }
            for key in 0..filters.len() {
                assert!(index.remove(key));
            }
        });
        let first = fill_and_empty();
        let mut grown = 0;
        for _ in 0..20 {
            let again = fill_and_empty();
            prop_assert_eq!(again.count_current, 0, "{:?}", again);
            grown += again.bytes_current;
        }
        // A table that is filled again may double once; what leaks grows with each round.
        prop_assert!(grown <= first.bytes_current, "{} after {:?}", grown, first);
    }
}

#[test]
fn ids_that_no_filter_names_any_more_are_forgotten() {
    let mut index = FilterIndex::new();
    let mut churn = |from: usize| {
        for number in from..from + 2_000 {
            let text = format!("reply_to == 'message-{number}' && run != 'run-{number}'");
            index.insert(number, &Filter::compile(&text).unwrap());
            if number >= 100 {
                assert!(index.remove(number - 100));
            }
        }
        assert_eq!(index.len(), 100);
    };
    churn(0);
    let grown = allocation_counter::measure(|| churn(2_000));
    assert_eq!(grown.count_current, 0, "{grown:?}");
    // Four bytes for each of two thousand would be much more; a table may double once.
    assert!(grown.bytes_current < 5_000, "{grown:?}");
}
