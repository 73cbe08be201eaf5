//! A47: a pool that is copied lives a second life, under a new epoch.

use heronry_pool::{
    Rejection,
    decide::{CheckCursor, StateDigest, Viewer},
};
use heronry_runtime::{CallError, EventQuery, ReadFrom};
use heronry_tests::{World, pool, wake};
use heronry_transfer::{self as transfer, Pools};
use heronry_types::{Cursor, EpochReason, EventKind, Millis, Position, WakeStatus};

use crate::{
    between_every_two_stores,
    story::{
        A_TIMELINE_STARTS, carrier, check_kept, check_new_timeline, check_untouched, consume, old,
        story,
    },
};

between_every_two_stores! {
    a47_a_copy_starts_a_timeline_and_the_source_goes_on_with_its_own
    a47_cursors_of_before_are_valid_up_to_the_fork_and_not_after_it
    a47_a_copy_of_a_copy_has_three_timelines
    a_copy_has_no_consumers
    what_waits_for_a_timeline_to_start_is_woken_when_the_copy_is_opened
    a_copy_that_was_never_opened_wakes_by_its_own_start
    a_request_of_before_is_answered_as_before
}

async fn a47_a_copy_starts_a_timeline_and_the_source_goes_on_with_its_own(from: World, to: World) {
    let left = story(&from).await;
    let by = carrier(&to, 77);
    let copied = transfer::copy(from.store(), to.store(), &Pools::All, &by)
        .await
        .unwrap();
    assert_eq!(copied.len(), 2);
    let p = check_new_timeline(&to, &left, EpochReason::Copy).await;
    assert_eq!(copied[0].head.position, left.head.head.next());

    check_untouched(from.store(), &left).await;
    let from = from.restart().await;
    let source = from.runtime.find(&pool("p")).await.unwrap();
    check_kept(&from, &source, &left).await;
    let here = from
        .say(&source, &left.lead, ("scout", "both"))
        .await
        .cursor;
    let there = to.say(&p, &left.lead, ("scout", "both")).await.cursor;
    assert_eq!(here.epoch, left.head.epoch);
    assert_eq!(there.epoch, p.epoch());
    assert_ne!(here, there, "no cursor means two records");
    to.check_replay(&p).await;
    from.check_replay(&source).await;
}

async fn a47_cursors_of_before_are_valid_up_to_the_fork_and_not_after_it(from: World, to: World) {
    let left = story(&from).await;
    let by = carrier(&to, 77);
    transfer::copy(from.store(), to.store(), &Pools::All, &by)
        .await
        .unwrap();
    let p = check_new_timeline(&to, &left, EpochReason::Copy).await;
    to.say(&p, &left.lead, ("scout", "later")).await;
    let fork = left.head.head.0;
    for position in 0..=fork {
        let cursor = old(&left, position);
        assert_eq!(
            p.call(CheckCursor { cursor }).await.unwrap(),
            Position(position)
        );
    }
    for position in [fork + 1, fork + 2, fork + 1_000] {
        let requested = old(&left, position);
        let refused = p.call(CheckCursor { cursor: requested }).await.unwrap_err();
        let CallError::Rejected(rejection) = refused else {
            panic!("refused otherwise: {refused:?}");
        };
        let diverged_at = Some(old(&left, fork));
        assert_eq!(
            rejection,
            Rejection::CursorForeign {
                requested,
                diverged_at
            }
        );
    }

    // A reader that stopped before the fork sees the rest of the old timeline, and then the new one.
    let query = EventQuery {
        from: ReadFrom::Cursor(old(&left, fork - 2)),
        ..World::seeing(Viewer::Operator, "true")
    };
    let events = World::pages(&p, query).await.unwrap();
    let ids: Vec<Cursor> = events.iter().map(|event| event.envelope.id()).collect();
    assert_eq!(ids[..2], [old(&left, fork - 1), old(&left, fork)]);
    assert_eq!(ids[2], Cursor::new(p.epoch(), Position(fork + 1)));
    assert_eq!(events[2].envelope.kind, EventKind::AgentPoolEpochStarted);
    assert_eq!(to.events(&p).await[..left.events.len()], left.events[..]);
}

async fn a47_a_copy_of_a_copy_has_three_timelines(from: World, to: World) {
    let left = story(&from).await;
    let by = carrier(&to, 77);
    transfer::copy(from.store(), to.store(), &Pools::All, &by)
        .await
        .unwrap();
    let second = check_new_timeline(&to, &left, EpochReason::Copy).await;
    to.say(&second, &left.lead, ("scout", "on-the-second"))
        .await;
    let digest = second.call(StateDigest).await.unwrap().1;
    to.runtime.shutdown().await;
    let third = World::new(from.kind).await;
    let one = Pools::One(pool("p"));
    transfer::copy(to.store(), third.store(), &one, &by)
        .await
        .unwrap();
    assert_eq!(third.store().journal.pools().await.unwrap(), [pool("p")]);

    let p = third.runtime.find(&pool("p")).await.unwrap();
    let epochs: Vec<_> = p.timelines().iter().collect();
    let forks = [
        Position(1),
        left.head.head.next(),
        second.head().position.next(),
    ];
    assert_eq!(
        epochs.iter().map(|start| start.at).collect::<Vec<_>>(),
        forks
    );
    assert_eq!(epochs[0].epoch, left.head.epoch);
    assert_eq!(epochs[1].epoch, second.epoch());
    let (records, chunks) = (third.records(&p).await, third.chunks(&p).await);
    let at = second.head().position;
    assert_eq!(
        crate::story::digest_at(p.id(), &records, &chunks, at),
        digest
    );
    for cursor in [old(&left, left.head.head.0), second.head(), p.head()] {
        assert_eq!(
            p.call(CheckCursor { cursor }).await.unwrap(),
            cursor.position
        );
    }
    third.check_replay(&p).await;
    drop(p);
    let third = third.restart().await;
    let p = third.runtime.find(&pool("p")).await.unwrap();
    third.say(&p, &left.lead, ("scout", "on-the-third")).await;
    third.check_replay(&p).await;
}

async fn a_copy_has_no_consumers(from: World, to: World) {
    story(&from).await;
    let name = pool("p");
    let before = consume(from.store(), &name).await;
    let by = carrier(&to, 77);
    transfer::copy(from.store(), to.store(), &Pools::All, &by)
        .await
        .unwrap();
    assert_eq!(to.store().cursors.list(&name).await.unwrap(), []);
    let after = from.store().cursors.list(&name).await.unwrap();
    assert_eq!(after, before);
}

async fn what_waits_for_a_timeline_to_start_is_woken_when_the_copy_is_opened(
    from: World,
    to: World,
) {
    let left = story(&from).await;
    let by = carrier(&to, 77);
    transfer::copy(from.store(), to.store(), &Pools::All, &by)
        .await
        .unwrap();
    let p = to.runtime.find(&pool("p")).await.unwrap();
    let waiting = to.state(&p).await;
    let (_, waiting) = waiting.wakes().all().iter().next().unwrap();
    assert_eq!(waiting.registered.filter, A_TIMELINE_STARTS);
    let id = waiting.registered.wake_id.clone();
    let woken = to
        .wake_within(&p, &left.lead, &id, Millis::from_secs(10))
        .await;
    assert_eq!(woken.status, WakeStatus::Triggered);
    let start = Cursor::new(p.epoch(), left.head.head.next());
    assert_eq!(woken.matches[0].cursor, start);
    assert_eq!(woken.cursor.epoch, p.epoch());
    to.check_replay(&p).await;
    // Opening it again wakes nobody twice.
    drop(p);
    let to = to.restart().await;
    let p = to.runtime.find(&pool("p")).await.unwrap();
    assert_eq!(to.ends_of(&p, &id).await.len(), 1);
    let other = wake("no-such-wake");
    assert_eq!(to.ends_of(&p, &other).await.len(), 0);
}

async fn a_copy_that_was_never_opened_wakes_by_its_own_start(from: World, to: World) {
    let left = story(&from).await;
    let by = carrier(&to, 77);
    let between = World::new(from.kind).await;
    transfer::copy(from.store(), between.store(), &Pools::All, &by)
        .await
        .unwrap();
    transfer::copy(between.store(), to.store(), &Pools::All, &by)
        .await
        .unwrap();
    let p = to.runtime.find(&pool("p")).await.unwrap();
    let state = to.state(&p).await;
    let (_, waiting) = state.wakes().all().iter().next().unwrap();
    let id = waiting.registered.wake_id.clone();
    let wait = Millis::from_secs(10);
    let woken = to.wake_within(&p, &left.lead, &id, wait).await;
    assert_eq!(woken.status, WakeStatus::Triggered);
    let first = left.head.head.next();
    assert_eq!(woken.matches[0].cursor, p.cursor(first), "the first match");
    assert_ne!(p.cursor(first).epoch, p.epoch());
    to.check_replay(&p).await;
}

async fn a_request_of_before_is_answered_as_before(from: World, to: World) {
    let left = story(&from).await;
    let by = carrier(&to, 77);
    transfer::copy(from.store(), to.store(), &Pools::All, &by)
        .await
        .unwrap();
    let p = check_new_timeline(&to, &left, EpochReason::Copy).await;
    let head = p.head();
    let receipt = to.say(&p, &left.lead, ("scout", "said-3")).await;
    assert_eq!(receipt.cursor.epoch, left.head.epoch);
    assert!(receipt.cursor.position <= left.head.head);
    assert_eq!(receipt.as_of.epoch, p.epoch());
    assert_eq!(p.head(), head, "nothing was recorded");
}
