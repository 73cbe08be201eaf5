use heronry_event::{Envelope, Identity, Stamp, filter::Filter};
use heronry_journal::{RequestHash, WakeRegistered, WakeTriggeredBy};
use heronry_types::{
    Count, Cursor, DistinctBy, EntityKind, EntityRef, Epoch, EventKind, SourceKind, SourceRef,
    Timestamp, Vocabulary,
};

use std::collections::BTreeMap;

use super::*;

const RUNS: [&str; 3] = ["a", "b", "c"];

fn run(name: &str) -> RunId {
    RunId::parse(name).unwrap()
}

/// An event of a run, about a subject.
fn event(position: u64, by: &str, subject: &str) -> (Envelope, WakeTriggeredBy) {
    let kind = EventKind::ToolCompleted;
    let position = Position(position);
    let by_event = WakeTriggeredBy { position, kind };
    let stamp = Stamp::new(Cursor::new(Epoch([1; 16]), position), Timestamp::default());
    let mut identity = Identity::new(heronry_types::PoolId::parse("p").unwrap());
    identity.run = Some(run(by));
    let subject = EntityRef::new(EntityKind::Run, run(subject).retype());
    let source = SourceRef::new(SourceKind::Sdk, run(by).retype());
    let envelope = Envelope::new(stamp, kind, identity, subject, source);
    (envelope, by_event)
}

fn count(n: u32, filter: &str, distinct_by: DistinctBy) -> Condition {
    Condition::Count(Count {
        n,
        filter: filter.to_owned(),
        distinct_by,
    })
}

fn registered() -> WakeRegistered {
    WakeRegistered {
        wake_id: heronry_types::WakeId::parse("w").unwrap(),
        filter: String::new(),
        language: 1,
        fingerprint: [0; 32],
        since: Position(0),
        timeout_ms: None,
        deadline: None,
        resume_with: heronry_types::ResumeWith::default(),
        include_wakes: false,
        idempotency_key: heronry_types::IdempotencyKey::parse("k").unwrap(),
        request_hash: RequestHash([0; 16]),
        scan_to: None,
        suspends: None,
        policies: None,
    }
}

/// Wakes, and beside them each alone, looked at one after the other.
#[derive(Default)]
struct Both {
    conditions: Conditions,
    alone: BTreeMap<Position, (Vec<Filter>, ConditionProgress)>,
    came_upon: usize,
}

impl Both {
    fn arm(&mut self, at: u64, who: &str, condition: &Condition) {
        let (at, who) = (Position(at), run(who));
        let body = registered();
        self.conditions
            .arm(
                at,
                &who,
                WhatWaits {
                    body: &body,
                    condition,
                },
                &[],
            )
            .unwrap();
        let clauses = condition.clauses();
        let filters = clauses.iter().map(|it| Filter::compile(it.filter).unwrap());
        let progress = ConditionProgress::new(condition, &[]);
        self.alone.insert(at, (filters.collect(), progress));
    }

    /// Counts an event, ends the wakes that it decides, and returns them.
    fn count(&mut self, (envelope, by): &(Envelope, WakeTriggeredBy)) -> Vec<Position> {
        let mut decided = Vec::new();
        let audience = Audience {
            counts_for: CountsFor::All,
            sees: &|_| true,
            wants: &|_| true,
        };
        let mut occurrence = Occurrence::new(envelope, *by);
        self.came_upon = self.conditions.begin(by.position, About::Other, envelope);
        // In slices of any size.
        let mut at_most = 1;
        while self.conditions.is_counting() {
            let event = &mut occurrence;
            self.came_upon += self
                .conditions
                .go_on(event, &audience, &mut decided, at_most);
            at_most += 1;
        }
        let mut expected = Vec::new();
        for (at, (filters, progress)) in &mut self.alone {
            let numbered = (0..).zip(filters);
            for (number, _) in numbered.filter(|(_, filter)| filter.matches(envelope)) {
                progress.take(number, &mut Occurrence::new(envelope, *by));
            }
            let counted = self.conditions.counted(*at);
            assert_eq!(counted, progress.counted_by_clause(), "of {at} at {by:?}");
            if progress.holds() {
                expected.push(*at);
            }
        }
        assert_eq!(decided, expected, "at {by:?}");
        for at in &decided {
            self.end(*at);
        }
        decided
    }

    fn end(&mut self, at: Position) {
        self.conditions.disarm(at);
        self.alone.remove(&at);
    }

    /// Checks that the index holds nothing when nobody waits.
    fn check_empty(&self) {
        assert!(self.alone.is_empty());
        assert!(self.conditions.nobody_asks(About::Other));
    }
}

/// The next of a sequence of numbers that looks random, below `below`.
fn next(seed: &mut u64, below: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    usize::try_from(*seed >> 33).unwrap() % below
}

const FILTERS: [&str; 3] = [
    r#"kind == "tool_completed""#,
    r#"run in ["a", "b"]"#,
    r#"run == "c""#,
];

/// A condition of one to three counts.
fn any_condition(seed: &mut u64) -> Condition {
    let parts = (0..=next(seed, 3)).map(|_| {
        let filter = FILTERS[next(seed, FILTERS.len())];
        let n = u32::try_from(next(seed, 4)).unwrap() + 1;
        count(
            n,
            filter,
            DistinctBy::ALL[next(seed, DistinctBy::ALL.len())],
        )
    });
    let parts = parts.collect();
    match next(seed, 2) {
        0 => Condition::AllOf(parts),
        _ => Condition::AnyOf(parts),
    }
}

#[test]
fn w8_equal_filters_of_a_run_count_as_each_would_alone() {
    for mut seed in 1..60 {
        let mut both = Both::default();
        let mut live = Vec::new();
        for at in 1..120 {
            let seed = &mut seed;
            match next(seed, 6) {
                0 | 1 => {
                    let condition = any_condition(seed);
                    both.arm(at, RUNS[next(seed, 2)], &condition);
                    live.push(Position(at));
                }
                2 if !live.is_empty() => {
                    let gone = live.swap_remove(next(seed, live.len()));
                    both.end(gone);
                }
                _ => {
                    let by = RUNS[next(seed, RUNS.len())];
                    let event = event(at, by, RUNS[next(seed, RUNS.len())]);
                    let decided = both.count(&event);
                    live.retain(|at| !decided.contains(at));
                }
            }
        }
        for at in live {
            both.end(at);
        }
        both.check_empty();
    }
}

#[test]
fn w8_what_counted_already_costs_one_look_however_many_wakes_wait() {
    const WAKES: usize = 1_000;
    let mut both = Both::default();
    let condition = count(3, r#"kind == "tool_completed""#, DistinctBy::Run);
    for at in 1..=WAKES as u64 {
        both.arm(at, "a", &condition);
    }
    both.count(&event(2_000, "a", "a"));
    assert!(
        both.came_upon >= WAKES,
        "each counts it: {}",
        both.came_upon
    );
    for at in 2_001..2_010 {
        both.count(&event(at, "a", "a"));
        assert!(both.came_upon <= 2, "nobody is asked: {}", both.came_upon);
    }
    // One that was registered since is.
    both.arm(3_000, "a", &condition);
    both.count(&event(3_001, "a", "a"));
    assert_eq!(both.came_upon, 3);
    both.count(&event(3_002, "b", "a"));
    assert!(both.came_upon >= WAKES);
    assert_eq!(both.count(&event(3_003, "c", "a")).len(), WAKES + 1);
    both.check_empty();
}

#[test]
fn w8_a_filter_that_needs_no_further_event_leaves_the_index_at_once() {
    let mut both = Both::default();
    let never = r#"run == "never""#.to_owned();
    let often = r#"kind == "tool_completed""#.to_owned();
    let condition = Condition::AllOf(vec![Condition::Filter(often), Condition::Filter(never)]);
    for at in 1..=100 {
        both.arm(at, "a", &condition);
    }
    both.count(&event(200, "a", "a"));
    assert!(both.came_upon >= 100);
    both.count(&event(201, "a", "a"));
    assert_eq!(
        both.came_upon, 0,
        "the part that holds is looked at no more"
    );
    assert_eq!(both.count(&event(202, "never", "a")).len(), 100);
    both.check_empty();
}

#[test]
fn w8_of_many_things_that_counted_only_those_are_remembered_that_somebody_counted() {
    let mut both = Both::default();
    let condition = count(900, r#"kind == "tool_completed""#, DistinctBy::Subject);
    let mut at = 0;
    // Each wake ends after 900 subjects; there is always one that waits.
    for round in 0..8 {
        at += 1;
        both.arm(at, "a", &condition);
        for number in 0..450 {
            at += 1;
            both.count(&event(at, "a", &format!("s-{round}-{number}")));
        }
    }
    assert!(both.conditions.clauses.kept_in_all() <= 2_048 + 1);
}
