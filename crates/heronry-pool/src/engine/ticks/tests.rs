use std::num::NonZeroU32;

use heronry_journal::Record;
use heronry_types::{EventKind, Limits, MessageId, Millis, Position, ResponseContract, Timestamp};

use crate::{
    decide::Expiry,
    engine::alone::{Alone, JoinedRun, letter},
};

/// So many letters, of two records each, are more than a little to be matched.
const LETTERS: usize = 80;

/// Returns the kinds of the records after a position.
fn kinds_after(alone: &Alone, after: Position) -> Vec<EventKind> {
    let records = alone.records.iter();
    let later = records.filter(|record| record.position > after);
    later.map(Record::kind).collect()
}

/// A pool with much to be matched, where these are due one after the other: a wake, a message that asks for
/// a reply, and one that expires.
fn much_and_due() -> (Alone, JoinedRun, JoinedRun) {
    let mut alone = Alone::new(Limits::default(), 1);
    let lead = alone.join("lead", None);
    let other = alone.join("other", None);
    alone.count(&lead, "counting", 1_000, r#"run != "nobody""#);
    let never = r#"kind == "tool_started""#;
    alone.wait(&lead, "first", never, Some(Millis(100)));
    let mut asks = letter(&other, "asks");
    let mut contract = ResponseContract::new(NonZeroU32::MIN);
    contract.timeout_ms = Some(Millis(200));
    asks.contract = Some(contract);
    alone.send(&lead, asks);
    let mut expires = letter(&other, "expires");
    expires.expiry = Some(Expiry::In(Millis(300)));
    alone.send(&lead, expires);
    alone.catch_up();
    alone.begin(Timestamp::default());
    for number in 0..LETTERS {
        alone.send(&lead, letter(&other, &format!("m{number}")));
    }
    assert!(!alone.engine.is_little_behind(), "much is to be matched");
    assert!(!alone.engine.is_far_behind(), "commands go on");
    (alone, lead, other)
}

#[test]
fn k2_a_message_that_is_due_does_not_wait_behind_a_wake_that_commands_do_not_wait_for() {
    let (mut alone, lead, other) = much_and_due();
    let now = Timestamp::default().after(Millis(1_000));
    let before = alone.engine.state().head;
    alone.begin(now);
    assert!(alone.engine.is_due(now), "messages are due before commands");
    assert!(alone.engine.tick_meanwhile(), "they go before commands");
    alone.append();
    assert_eq!(
        kinds_after(&alone, before),
        [EventKind::RunMessageTimedOut, EventKind::RunMessageExpired],
        "the wake waits until everything is matched"
    );
    assert!(
        !alone.engine.is_due(now),
        "commands do not wait for the wake"
    );
    assert!(!alone.engine.tick_meanwhile());
    // A reply after the deadline is late, whatever waits before it.
    let mut late = letter(&lead, "late");
    late.reply_to = Some(MessageId::parse("asks").unwrap());
    alone.send(&other, late);
    alone.catch_up();
    alone.engine.tick();
    alone.append();
    let kinds = kinds_after(&alone, before);
    assert!(!kinds.contains(&EventKind::RunMessageResponded));
    assert!(kinds.contains(&EventKind::WakeConditionTimedOut));
}

#[test]
fn k2_what_is_due_waits_behind_a_wake_that_commands_wait_for() {
    let (mut alone, ..) = much_and_due();
    let now = Timestamp::default().after(Millis(1_000));
    while !alone.engine.is_little_behind() {
        alone.begin(alone.engine.now);
    }
    let before = alone.engine.state().head;
    alone.begin(now);
    assert!(alone.engine.tick_meanwhile(), "commands wait");
    alone.append();
    assert_eq!(kinds_after(&alone, before), []);
    alone.catch_up();
    alone.engine.tick();
    alone.append();
    let kinds = kinds_after(&alone, before);
    let due = [
        EventKind::WakeConditionTimedOut,
        EventKind::RunMessageTimedOut,
        EventKind::RunMessageExpired,
    ];
    assert_eq!(kinds, due, "each in its turn");
}
