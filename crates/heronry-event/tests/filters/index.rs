//! An index of filters finds what asking each of them finds.

use crate::support::{envelope, expr, written};
use heronry_event::{Filter, index::FilterIndex};
use proptest::prelude::*;

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Insert(u8, Filter),
    Remove(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let filter = expr().prop_filter_map("compiles", |e| Filter::compile(&written(&e)).ok());
    prop_oneof![
        3 => (0..12_u8, filter).prop_map(|(key, filter)| Step::Insert(key, filter)),
        1 => (0..12_u8).prop_map(Step::Remove),
    ]
}

proptest! {
    #[test]
    fn a44_an_index_finds_what_a_linear_scan_finds(
        steps in prop::collection::vec(step(), 1..30),
        envelopes in prop::collection::vec(envelope(), 1..6),
    ) {
        let mut index = FilterIndex::new();
        let mut model: Vec<(u8, Filter)> = Vec::new();
        for step in steps {
            let (key, filter) = match step {
                Step::Insert(key, filter) => (key, Some(filter)),
                Step::Remove(key) => (key, None),
            };
            let earlier = model.iter().position(|(k, _)| *k == key).map(|at| model.remove(at).1);
            let replaced = match &filter {
                Some(filter) => index.insert(key, filter),
                None => index.remove(key),
            };
            prop_assert_eq!(replaced, earlier.is_some());
            prop_assert_eq!(index.contains(key), filter.is_some());
            model.extend(filter.map(|filter| (key, filter)));
            prop_assert_eq!(index.len(), model.len());
            prop_assert_eq!(index.is_empty(), model.is_empty());
        }
        for envelope in &envelopes {
            let mut found = vec![99];
            index.matches(envelope, &mut found);
            let mut expected: Vec<u8> =
                model.iter().filter(|(_, f)| f.matches(envelope)).map(|(key, _)| *key).collect();
            expected.sort_unstable();
            expected.insert(0, 99);
            prop_assert_eq!(found, expected);
        }
    }
}
