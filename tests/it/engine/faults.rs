//! A store that is slow, and one that fails.

use heronry_event::StreamItem;
use heronry_pool::{
    Caller, Rejection, State,
    decide::{
        AboutWakes, Applied, Command, Cx, Decision, DescribePool, FindMessage, JoinPool, PeekInbox,
        Profile, Viewer,
    },
};
use heronry_runtime::{CallError, Follow, Pool, StopReason, Subscription};
use heronry_store::{Clock, CommitOutcome};
use heronry_testkit::AppendFault;
use heronry_tests::{
    World, asked, let_others_run, message, on_every_store, on_every_store_that_is_reopened, run,
};
use heronry_types::{MessageStatus, Millis, Position, Timestamp};

on_every_store! {
    a51_a_failed_append_stops_the_pool_for_good
    c1_nothing_is_readable_or_answered_while_the_sync_is_held
    c1_a_cursor_that_was_handed_out_can_be_read
    c1_what_is_decided_while_the_store_syncs_goes_into_the_next_append
    k2_a_command_joins_no_batch_that_is_older_than_it
    c2_a_writer_that_lost_its_pool_stops_and_says_that_nothing_was_recorded
}

on_every_store_that_is_reopened! {
    c2_a_panic_of_the_engine_leaves_nobody_waiting
    a51_a_failed_append_that_was_not_kept_answers_nothing_and_a_retry_tells
    a51_a_failed_append_that_was_kept_answers_nothing_and_a_retry_tells
}

async fn pair(world: &World) -> (Pool, Caller, Caller) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    (pool, lead, scout)
}

fn find(from: &str, id: &str) -> FindMessage {
    FindMessage {
        caller: Caller::Operator,
        from: run(from),
        message_id: message(id),
    }
}

fn look(caller: &Caller) -> PeekInbox {
    PeekInbox {
        caller: caller.clone(),
        run: World::run_of(caller),
        max: 10,
    }
}

/// Checks what is known of a command whose pool stopped.
fn check_stopped<T: std::fmt::Debug>(answer: &Result<T, CallError>, expected: CommitOutcome) {
    let Err(CallError::Stopped { outcome, why }) = answer else {
        panic!("it was answered: {answer:?}");
    };
    assert_eq!(
        (*outcome, *why),
        (
            expected,
            StopReason::StoreFenced(heronry_store::StoreErrorKind::Io)
        )
    );
}

async fn a51_a_failed_append_that_was_not_kept_answers_nothing_and_a_retry_tells(world: World) {
    failed_append(world, AppendFault::UnknownNotKept).await;
}

async fn a51_a_failed_append_that_was_kept_answers_nothing_and_a_retry_tells(world: World) {
    failed_append(world, AppendFault::UnknownKept).await;
}

async fn failed_append(world: World, fault: AppendFault) {
    let (pool, lead, scout) = pair(&world).await;
    let named = |key_text: &str, id: &str| {
        let mut request = World::to_run("scout", key_text, "look");
        request.message_id = Some(message(id));
        request
    };
    world.send(&pool, &lead, named("k0", "m0")).await.unwrap();
    let before = world.head(&pool).await;
    let other_body = World::to_run("scout", "k1", "another body");
    let hold = world.faults.hold_appends();
    // Append N holds the first of these; the others are decided on it.
    let first = asked!(world.send(&pool, &lead, named("k1", "m1")));
    let repeat = asked!(world.send(&pool, &lead, named("k1", "m1")));
    let conflict = asked!(world.send(&pool, &lead, other_body.clone()));
    let read = asked!(pool.call(find("lead", "m1")));
    let old_repeat = asked!(world.send(&pool, &lead, named("k0", "m0")));
    hold.reached(1).await;
    // Batch N + 1 is decided on top of it while it syncs.
    let mut next = asked!(world.send(&pool, &lead, named("k2", "m2")));
    let next_repeat = asked!(world.send(&pool, &lead, named("k1", "m1")));
    let next_conflict = asked!(world.send(&pool, &lead, other_body));
    let next_look = asked!(pool.call(look(&scout)));
    let next_receive = asked!(pool.receive(World::fetch(&scout, "r1", 1), Millis(50_000)));
    let_others_run().await;
    assert!(futures::poll!(next.as_mut()).is_pending());
    world.faults.fail_next_append(fault);
    hold.release();
    check_stopped(&first.await, CommitOutcome::Unknown);
    check_stopped(&repeat.await, CommitOutcome::Unknown);
    check_stopped(&conflict.await, CommitOutcome::Unknown);
    check_stopped(&read.await, CommitOutcome::Unknown);
    check_stopped(&old_repeat.await, CommitOutcome::Unknown);
    // What would have recorded something was never given to the store; what is only an answer is
    // as uncertain as what it was decided on.
    check_stopped(&next.await, CommitOutcome::None);
    check_stopped(&next_repeat.await, CommitOutcome::Unknown);
    check_stopped(&next_conflict.await, CommitOutcome::Unknown);
    check_stopped(&next_look.await, CommitOutcome::Unknown);
    check_stopped(&next_receive.await, CommitOutcome::None);
    assert_eq!(pool.head().position, before, "nothing of it was shown");
    drop(pool);

    let kept = fault == AppendFault::UnknownKept;
    let world = world.crash().await;
    let pool = world.pool().await;
    assert_eq!(world.head(&pool).await > before, kept);
    let retry = world.send(&pool, &lead, named("k1", "m1")).await.unwrap();
    assert_eq!(retry.repeated, kept, "the retry tells");
    assert_eq!(retry.receipt.status, MessageStatus::Delivered);
    assert_eq!(retry.receipt.cursor.position, before.next());
    let next = world.send(&pool, &lead, named("k2", "m2")).await.unwrap();
    assert!(!next.repeated, "it was never dispatched");
    assert_eq!(world.accepted(&pool).await, 3);
    world.check_replay(&pool).await;
}

async fn a51_a_failed_append_stops_the_pool_for_good(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let appends = world.faults.appends();
    world.faults.fail_next_append(AppendFault::UnknownNotKept);
    let request = World::to_run("scout", "k1", "look");
    check_stopped(
        &world.send(&pool, &lead, request.clone()).await,
        CommitOutcome::Unknown,
    );
    for _ in 0..3 {
        let again = world.send(&pool, &lead, request.clone()).await;
        check_stopped(&again, CommitOutcome::None);
    }
    check_stopped(&pool.call(look(&scout)).await, CommitOutcome::None);
    let appended = world.faults.appends() - appends;
    assert_eq!(appended, 1, "a sync is never tried again");
    for _ in 0..2 {
        let spec = heronry_types::PoolSpec::default();
        let again = world.runtime.open(pool.id(), spec).await;
        assert!(again.is_err(), "not by this process");
    }
}

/// A stream of all events that has come to the head.
async fn caught_up(pool: &Pool) -> Subscription {
    let query = World::seeing(Viewer::Operator, "true");
    let mut stream = pool.subscribe(query, Follow::Live).await.unwrap();
    let head = pool.head();
    for _ in 0..head.position.0 {
        let item = stream.next().await.unwrap().unwrap();
        assert!(matches!(item, StreamItem::Event(_)));
    }
    let item = stream.next().await.unwrap().unwrap();
    assert!(matches!(item, StreamItem::CaughtUp { head: at } if at == head));
    stream
}

async fn c1_nothing_is_readable_or_answered_while_the_sync_is_held(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let before = pool.head();
    let mut stream = caught_up(&pool).await;
    let mut request = World::to_run("scout", "k1", "look");
    request.message_id = Some(message("m1"));
    let hold = world.faults.hold_appends();
    let mut send = asked!(world.send(&pool, &lead, request.clone()));
    let mut repeat = asked!(world.send(&pool, &lead, request));
    let other = World::to_run("scout", "k1", "another body");
    let mut conflict = asked!(world.send(&pool, &lead, other));
    let mut receipt = asked!(pool.call(find("lead", "m1")));
    let mut peek = asked!(pool.call(look(&scout)));
    let mut empty = asked!(pool.call(look(&lead)));
    let caller = Caller::Operator;
    let mut describe = asked!(pool.call(DescribePool { caller }));
    let stranger = World::joining("stranger");
    let mut refused = asked!(pool.call(JoinPool {
        caller: lead.clone(),
        ..stranger
    }));
    hold.reached(1).await;
    let_others_run().await;
    assert!(futures::poll!(send.as_mut()).is_pending());
    assert!(futures::poll!(repeat.as_mut()).is_pending(), "a repeat");
    assert!(
        futures::poll!(conflict.as_mut()).is_pending(),
        "a rejection"
    );
    assert!(futures::poll!(receipt.as_mut()).is_pending(), "a read");
    assert!(futures::poll!(peek.as_mut()).is_pending(), "a look");
    assert!(futures::poll!(empty.as_mut()).is_pending(), "an empty page");
    assert!(futures::poll!(describe.as_mut()).is_pending(), "a view");
    assert!(futures::poll!(refused.as_mut()).is_pending(), "a refusal");
    assert_eq!(pool.head(), before);
    assert_eq!(world.head(&pool).await, before.position);
    assert!(futures::poll!(Box::pin(stream.next())).is_pending());
    hold.release();

    let first = send.await.unwrap();
    assert!(pool.head().position > before.position);
    assert_eq!(world.head(&pool).await, pool.head().position);
    let repeated = repeat.await.unwrap();
    assert!(repeated.repeated && repeated.receipt == first.receipt);
    let error = conflict.await.unwrap_err();
    let conflict = error.rejection().unwrap();
    assert!(matches!(conflict, Rejection::IdempotencyConflict { .. }));
    assert_eq!(receipt.await.unwrap(), first.receipt);
    assert_eq!(peek.await.unwrap().items.len(), 1);
    assert_eq!(empty.await.unwrap().items.len(), 0);
    assert_eq!(describe.await.unwrap().head, pool.head());
    let error = refused.await.unwrap_err();
    assert_eq!(error.rejection(), Some(&Rejection::OperatorOnly));
    let item = stream.next().await.unwrap().unwrap();
    assert!(
        matches!(item, StreamItem::Event(event) if event.envelope.id() == first.receipt.cursor)
    );
    world.check_replay(&pool).await;
}

async fn c1_a_cursor_that_was_handed_out_can_be_read(world: World) {
    let (pool, lead, _) = pair(&world).await;
    for number in 0..50 {
        let request = World::to_run("scout", &format!("k{number}"), "look");
        let sent = world.send(&pool, &lead, request).await.unwrap();
        let last = sent.receipt.timeline.last().unwrap().cursor;
        assert!(pool.head().position >= last.position);
        let mut query = World::seeing(Viewer::Operator, "true");
        query.from =
            heronry_runtime::ReadFrom::Cursor(World::cursor(&pool, last.position.previous()));
        let page = pool.events(&query, 1, Millis(0)).await.unwrap();
        assert_eq!(page.events[0].envelope.id(), last);
    }
    world.check_replay(&pool).await;
}

async fn c2_a_writer_that_lost_its_pool_stops_and_says_that_nothing_was_recorded(world: World) {
    for fault in [AppendFault::Fenced, AppendFault::Conflict] {
        let pool = world.pool().await;
        let caller = Caller::Operator;
        let leave = pool.call(DescribePool { caller }).await;
        leave.unwrap();
        let before = world.head(&pool).await;
        let hold = world.faults.hold_appends();
        let join = asked!(pool.call(World::joining("lead")));
        hold.reached(1).await;
        let queued = asked!(pool.call(World::joining("scout")));
        world.faults.fail_next_append(fault);
        hold.release();
        for answer in [join.await, queued.await] {
            let stopped = matches!(
                answer,
                Err(CallError::Stopped {
                    outcome: CommitOutcome::None,
                    why: StopReason::OwnershipLost
                })
            );
            assert!(stopped, "{answer:?}");
        }
        assert_eq!(world.head(&pool).await, before);
    }
    let pool = world.pool().await;
    world.join(&pool, "lead").await;
    world.check_replay(&pool).await;
}

/// Returns how many records each append after a position holds, and when they were recorded.
async fn appends_after(world: &World, pool: &Pool, after: Position) -> Vec<(u32, Timestamp)> {
    let chunks = world.chunks(pool).await.into_iter();
    chunks
        .filter(|chunk| chunk.first() > after)
        .map(|chunk| (chunk.header().count, chunk.header().recorded_at))
        .collect()
}

async fn c1_what_is_decided_while_the_store_syncs_goes_into_the_next_append(world: World) {
    let (pool, lead, _) = pair(&world).await;
    let before = pool.head().position;
    let hold = world.faults.hold_appends();
    let first = asked!(world.send(&pool, &lead, World::to_run("scout", "k1", "one")));
    hold.reached(1).await;
    let mut second = asked!(world.send(&pool, &lead, World::to_run("scout", "k2", "two")));
    let_others_run().await;
    let third = asked!(world.send(&pool, &lead, World::to_run("scout", "k3", "three")));
    let_others_run().await;
    assert!(futures::poll!(second.as_mut()).is_pending());
    assert_eq!(pool.head().position, before);
    hold.release();
    let sent = [first.await, second.await, third.await];
    let at = sent.map(|sent| sent.unwrap().receipt.cursor.position.0 - before.0);
    assert_eq!(at, [1, 3, 5]);
    let counts = appends_after(&world, &pool, before).await;
    let counts: Vec<u32> = counts.into_iter().map(|(count, _)| count).collect();
    assert_eq!(counts, [2, 4]);
    world.check_replay(&pool).await;
}

async fn k2_a_command_joins_no_batch_that_is_older_than_it(world: World) {
    let (pool, lead, _) = pair(&world).await;
    let before = pool.head().position;
    let start = world.clock.now().wall;
    let hold = world.faults.hold_appends();
    let first = asked!(world.send(&pool, &lead, World::to_run("scout", "k1", "one")));
    hold.reached(1).await;
    let second = asked!(world.send(&pool, &lead, World::to_run("scout", "k2", "two")));
    let_others_run().await;
    world.clock.advance(Millis::from_secs(10));
    let third = asked!(world.send(&pool, &lead, World::to_run("scout", "k3", "three")));
    let_others_run().await;
    hold.release();
    for sent in [first.await, second.await, third.await] {
        sent.unwrap();
    }
    let later = start.after(Millis::from_secs(10));
    let appends = appends_after(&world, &pool, before).await;
    assert_eq!(appends, [(2, start), (2, start), (2, later)]);
    world.check_replay(&pool).await;
}

/// A command whose rule has a bug.
struct Bug;

impl Command for Bug {
    type Answer = ();

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps)
    }

    fn decide(&self, _: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        panic!("a bug")
    }

    fn answer(&self, _: &State, _: Applied<'_>) -> Result<(), Rejection> {
        Ok(())
    }
}

async fn c2_a_panic_of_the_engine_leaves_nobody_waiting(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let hold = world.faults.hold_appends();
    let sent = asked!(world.send(&pool, &lead, World::to_run("scout", "k1", "look")));
    hold.reached(1).await;
    let waiting = asked!(pool.receive(World::fetch(&lead, "r1", 1), Millis(50_000)));
    let bug = asked!(pool.call(Bug));
    hold.release();
    sent.await.unwrap();
    let stopped = |outcome| (outcome, StopReason::Internal);
    let of = |error: CallError| match error {
        CallError::Stopped { outcome, why } => (outcome, why),
        CallError::Rejected(_) | CallError::Busy { .. } => panic!("{error}"),
    };
    assert_eq!(of(bug.await.unwrap_err()), stopped(CommitOutcome::Unknown));
    assert_eq!(
        of(waiting.await.unwrap_err()),
        stopped(CommitOutcome::Unknown)
    );
    let later = pool.call(look(&scout)).await.unwrap_err();
    assert_eq!(of(later), stopped(CommitOutcome::None));
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    let kept = world.receive(&pool, &scout, "r1", 1).await;
    assert_eq!(kept.items.len(), 1);
    world.check_replay(&pool).await;
}
