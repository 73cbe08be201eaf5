//! Sorted runs against a map.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use heronry_journal::{ChunkHash, RequestHash};
use heronry_types::{Epoch, Id, Position};
use proptest::prelude::*;

use super::*;
use crate::{KeyEntry, KeyHash, KeyName, KeyedEntry, StoreError};

/// Small enough that a few hundred keys make blocks, runs and merges on several levels.
const SMALL: RunShape = RunShape { block: 4, base: 8 };

#[derive(Default)]
struct Rows(BTreeMap<Vec<u8>, Vec<u8>>);

impl RunRows for Rows {
    fn walk(
        &self,
        KeyRange { from, to }: KeyRange<'_>,
        order: Order,
        see: &mut See<'_>,
    ) -> Result<(), StoreError> {
        let range = (Bound::Included(from), Bound::Included(to));
        let mut rows = self.0.range::<[u8], _>(range);
        while let Some((key, row)) = match order {
            Order::Ascending => rows.next(),
            Order::Descending => rows.next_back(),
        } {
            if see(key, row).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Rows {
    fn apply(&mut self, edit: &Edit) {
        for (from, to) in &edit.removes {
            self.0.retain(|key, _| key < from || key >= to);
        }
        self.0.extend(edit.inserts.iter().cloned());
    }
}

fn place(rows: &Rows) -> RunPlace<'_> {
    let keys = RunKeys(3);
    RunPlace { keys, rows }
}

fn key(number: u16) -> KeyHash {
    let name = KeyName::Key(Id::parse(format!("{number}")).unwrap());
    KeyHash::new(&Id::parse("a run").unwrap(), &name)
}

fn entry(number: u64) -> KeyEntry {
    KeyEntry {
        first: Position(number),
        request_hash: RequestHash([u8::try_from(number % 251).unwrap(); 16]),
    }
}

fn checkpoint(position: u64) -> Checkpoint {
    Checkpoint {
        epoch: Epoch([1; 16]),
        position: Position(position),
        hash: ChunkHash([2; 32]),
    }
}

/// Keys in rows, and in a map.
#[derive(Default)]
struct World {
    rows: Rows,
    runs: Option<Runs>,
    model: HashMap<u16, KeyEntry>,
    puts: u64,
    /// The most entries that one put wrote, as many as were put taken off.
    merged_most: usize,
}

impl World {
    fn put(&mut self, numbers: &[u16]) {
        let before = self.put_unchecked(numbers);
        // Whoever looks at the runs of before finds what was there before, in the rows of now.
        if let Some((before, model)) = &before {
            check(before, &self.rows, model);
        }
        self.check();
    }

    /// Puts a run, and returns what was there before it.
    fn put_unchecked(&mut self, numbers: &[u16]) -> Option<(Runs, HashMap<u16, KeyEntry>)> {
        self.puts += 1;
        let entry = entry(self.puts);
        let run = numbers
            .iter()
            .map(|number| KeyedEntry::new(key(*number), entry));
        let run: Vec<_> = run.collect();
        let run = NewRun::new(&run, checkpoint(self.puts));
        let RunsPut { runs, edit } =
            Runs::put(self.runs.as_ref(), place(&self.rows), &run, SMALL).unwrap();
        let before = self.runs.replace(runs);
        self.rows.apply(&edit);
        self.merged_most = self.merged_most.max(edit.inserts.len());
        let before = before.map(|runs| (runs, self.model.clone()));
        self.model
            .extend(numbers.iter().map(|number| (*number, entry)));
        before
    }

    fn check(&self) {
        let runs = self.runs.as_ref().unwrap();
        check(runs, &self.rows, &self.model);
        assert_eq!(runs.checkpoint(), checkpoint(self.puts));
    }

    fn reopen(&mut self) {
        self.runs = Runs::load(place(&self.rows), SMALL).unwrap();
        self.check();
    }
}

fn check(runs: &Runs, rows: &Rows, model: &HashMap<u16, KeyEntry>) {
    let numbers: Vec<_> = model.keys().copied().chain(60_000..60_050).collect();
    let keys: Vec<_> = numbers.iter().map(|number| key(*number)).collect();
    let found = match runs.ask(&keys) {
        Some(asked) => asked.answer(place(rows)).unwrap(),
        None => vec![None; keys.len()],
    };
    for (number, found) in numbers.iter().zip(found) {
        assert_eq!(found, model.get(number).copied(), "key {number}");
    }
    let mut expected: Vec<_> = model
        .iter()
        .map(|(number, entry)| KeyedEntry::new(key(*number), *entry))
        .collect();
    expected.sort_by_key(|keyed| keyed.key);
    for limit in [7, usize::MAX] {
        assert_eq!(listed(runs, rows, limit), expected);
    }
}

#[test]
fn nothing_is_listed_after_the_highest_key() {
    let highest = KeyHash::from_bits(u128::MAX);
    let run = NewRun::new(&[KeyedEntry::new(highest, entry(1))], checkpoint(1));
    let mut rows = Rows::default();
    let RunsPut { runs, edit } = Runs::put(None, place(&rows), &run, SMALL).unwrap();
    rows.apply(&edit);
    assert_eq!(runs.list(place(&rows), None, 1).unwrap().len(), 1);
    assert_eq!(runs.list(place(&rows), Some(highest), 1).unwrap(), []);
}

/// Lists every key, in pages of this length.
fn listed(runs: &Runs, rows: &Rows, limit: usize) -> Vec<KeyedEntry> {
    let mut all: Vec<KeyedEntry> = Vec::new();
    loop {
        let after = all.last().map(|last| last.key);
        let page = runs.list(place(rows), after, limit).unwrap();
        let is_last = page.len() < limit;
        all.extend(page);
        if is_last {
            return all;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn runs_answer_as_a_map_does_and_so_they_do_when_they_are_opened_again(
        puts in proptest::collection::vec(
            (proptest::collection::vec(0_u16..500, 0..40), 0_u8..5),
            1..40,
        )
    ) {
        let mut world = World::default();
        for (numbers, chance) in puts {
            world.put(&numbers);
            if chance == 0 {
                world.reopen();
            }
        }
        world.reopen();
    }
}

#[test]
fn many_runs_become_few_and_their_rows_go() {
    let mut world = World::default();
    for put in 0..120_u16 {
        let numbers: Vec<_> = (0..20).map(|number| put * 20 + number).collect();
        world.put_unchecked(&numbers);
    }
    // Whatever is still to be merged is merged by and by.
    for _ in 0..8 {
        world.put(&[]);
    }
    let runs = world.runs.as_ref().unwrap();
    assert_eq!(runs.entries(), 2_400);
    assert!(runs.slots.len() < 16, "{:?}", runs.slots.len());
    let blocks = world.rows.0.values().filter(|row| row.len() < 1_000);
    let blocks = blocks.count();
    assert!(blocks < 900, "{blocks} rows for 2 400 keys in blocks of 4");
}

#[test]
fn a_put_writes_no_more_than_a_bounded_piece() {
    let mut world = World::default();
    for put in 0..300_u16 {
        let numbers: Vec<_> = (0..30).map(|number| put * 30 + number).collect();
        world.put_unchecked(&numbers);
    }
    world.check();
    // 9 000 keys are 2 250 blocks; a put may write its own 8, a piece of merges, and filters.
    assert!(world.merged_most > 100, "merges were exercised");
    assert!(world.merged_most < 2_250, "{}", world.merged_most);
}

#[test]
fn damage_is_an_error_and_never_another_answer() {
    let mut world = World::default();
    for put in 0..9_u16 {
        let numbers: Vec<_> = (0..20).map(|number| put * 20 + number).collect();
        world.put(&numbers);
    }
    let keys: Vec<_> = (0..180).map(key).collect();
    let whole: Vec<_> = (0..180)
        .map(|number| world.model.get(&number).copied())
        .collect();
    let listed = listed(world.runs.as_ref().unwrap(), &world.rows, usize::MAX);
    let rows: Vec<_> = world.rows.0.keys().cloned().collect();
    for row in rows {
        let original = world.rows.0.get(&row).unwrap().clone();
        for damage in [None, Some(original.len() / 2), Some(original.len() - 1)] {
            match damage {
                None => drop(world.rows.0.remove(&row)),
                Some(byte) => world.rows.0.get_mut(&row).unwrap()[byte] ^= 4,
            }
            // Whatever is looked for is found, or it is an error: a lost manifest is seen as none.
            if let Ok(Some(runs)) = Runs::load(place(&world.rows), SMALL) {
                match runs.ask(&keys).unwrap().answer(place(&world.rows)) {
                    Ok(found) => assert_eq!(found, whole, "row {row:?}"),
                    Err(error) => assert_eq!(error.kind(), crate::StoreErrorKind::Corrupt),
                }
                match runs.list(place(&world.rows), None, usize::MAX) {
                    Ok(found) => assert_eq!(found, listed, "row {row:?}"),
                    Err(error) => assert_eq!(error.kind(), crate::StoreErrorKind::Corrupt),
                }
            }
            world.rows.0.insert(row.clone(), original.clone());
        }
    }
}
