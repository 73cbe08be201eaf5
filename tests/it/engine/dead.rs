//! Dead letters: copies that were claimed too often or expired after a replay, and replaying them.

use heronry_journal::Body;
use heronry_pool::{
    Caller, DeadLetterPage, Rejection,
    decide::{ClaimSet, Expiry, ListDeadLetters, ReplayCopy},
};
use heronry_runtime::{CallError, Pool};
use heronry_tests::{World, message, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    Address, CopyState, Cursor, DeadReason, EventKind, MessageStatus, Millis, Position,
    TimelineState,
};

use super::inbox::{MINUTE, with_messages};

on_every_store! {
    a21_five_lapses_dead_letter_a_copy_once
    a21_a_release_at_the_last_attempt_dead_letters_and_spares_the_others
    a21_takeovers_are_no_attempts
    a21_a_replayed_copy_comes_last_and_its_attempts_start_anew
    a21_copies_of_one_message_that_die_together_settle_it_once
    m8_only_what_is_dead_is_replayed
    m8_a_replayed_copy_that_expires_is_a_dead_letter_again_and_stays_one
    m11_a_copy_that_lapses_after_the_expiry_expires_and_is_not_dead
}

on_every_store_that_is_reopened! {
    m8_dead_letters_are_listed_in_pages_and_survive_a_crash
}

fn replay(caller: &Caller, name: &str, accepted: Cursor) -> ReplayCopy {
    ReplayCopy {
        caller: caller.clone(),
        run: run(name),
        accepted,
    }
}

async fn dead(pool: &Pool, caller: &Caller, max: u64) -> DeadLetterPage {
    let list = ListDeadLetters {
        caller: caller.clone(),
        run: None,
        after: None,
        max,
    };
    pool.call(list).await.unwrap()
}

/// Claims whatever there is and lets it lapse, so many times.
async fn lapse(world: &World, pool: &Pool, who: &Caller, times: u32) {
    for time in 1..=times {
        let name = format!("lapse-{:?}-{time}", world.monotonic());
        let received = world.receive(pool, who, &name, 10).await;
        assert!(!received.items.is_empty(), "attempt {time}");
        world.clock.advance(MINUTE);
    }
    let none = world.receive(pool, who, "none", 0).await;
    assert!(none.items.is_empty());
}

/// The refusal of a call that may have had deadlines decided before it.
fn rejected<T: std::fmt::Debug>(answer: Result<T, CallError>) -> Rejection {
    answer.unwrap_err().rejection().unwrap().clone()
}

async fn a21_five_lapses_dead_letter_a_copy_once(world: World) {
    let (pool, lead, scout, sent) = with_messages(&world, 1).await;
    lapse(&world, &pool, &scout, 4).await;
    let before = world.head(&pool).await;
    let last = world.receive(&pool, &scout, "last", 1).await;
    assert_eq!(last.items[0].attempt, 5);
    world.clock.advance(MINUTE);
    let none = world.receive(&pool, &scout, "after", 10).await;
    assert!(none.items.is_empty() && none.unread == 0, "it is dead");
    assert_eq!(
        world.kinds_after(&pool, before).await,
        [
            EventKind::RunMessageFetched,
            EventKind::RunMessageDeadLettered,
            EventKind::RunMessageSettled
        ]
    );
    let own = dead(&pool, &scout, 10).await;
    assert_eq!(
        own.letters,
        dead(&pool, &Caller::Operator, 10).await.letters
    );
    assert_eq!(dead(&pool, &lead, 10).await.letters, [], "of another run");
    let letter = &own.letters[0];
    assert_eq!((own.letters.len(), &own.next), (1, &None));
    assert_eq!((&letter.run, &letter.from), (&run("scout"), &run("lead")));
    assert_eq!((letter.reason, letter.attempt), (DeadReason::Lapsed, 5));
    assert_eq!(letter.cursor, World::cursor(&pool, sent[0]));

    let id = letter.message_id.as_str();
    let receipt = world.receipt(&pool, "lead", id).await;
    assert_eq!(receipt.status, MessageStatus::Settled);
    let copy = &receipt.recipients[0];
    assert_eq!((copy.state, copy.attempt), (CopyState::Dead, 5));
    let died = receipt.timeline.iter().rev().nth(1).unwrap();
    assert_eq!(
        (died.state, died.cursor),
        (TimelineState::Dead, letter.dead_cursor)
    );
    let late = world.ack(&pool, &scout, ClaimSet::These(World::claims(&last)));
    let claims = World::claims(&last);
    assert_eq!(
        world.refused(&pool, late).await,
        Rejection::ClaimLapsed { claims }
    );
    world.check_replay(&pool).await;
}

async fn a21_a_release_at_the_last_attempt_dead_letters_and_spares_the_others(world: World) {
    let (pool, lead, scout, _) = with_messages(&world, 1).await;
    lapse(&world, &pool, &scout, 4).await;
    let young = world.say(&pool, &lead, ("scout", "young")).await;
    let both = world.receive(&pool, &scout, "both", 2).await;
    let before = world.head(&pool).await;
    let claims = World::claims(&both);
    world.release(&pool, &scout, claims, None).await.unwrap();
    assert_eq!(
        world.kinds_after(&pool, before).await,
        [
            EventKind::RunMessageReleased,
            EventKind::RunMessageDeadLettered,
            EventKind::RunMessageSettled
        ]
    );
    let letters = dead(&pool, &scout, 10).await.letters;
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0].reason, letters[0].attempt),
        (DeadReason::Released, 5)
    );
    let again = world.receive(&pool, &scout, "again", 10).await;
    assert_eq!(World::acceptances(&again), [young.cursor.position]);
    world.check_replay(&pool).await;
}

async fn a21_takeovers_are_no_attempts(world: World) {
    let (pool, _, scout, sent) = with_messages(&world, 1).await;
    lapse(&world, &pool, &scout, 4).await;
    let mut scout = scout;
    for number in 0..6 {
        let held = world.receive(&pool, &scout, &format!("r{number}"), 1).await;
        assert_eq!(held.items[0].attempt, 5);
        let join = World::joining_as("scout", &format!("other-{number}"));
        let joined = world.join_as(&pool, join).await.unwrap();
        scout = World::member("scout", joined.generation);
    }
    let last = world.receive(&pool, &scout, "last", 1).await;
    assert_eq!(World::acceptances(&last), sent);
    assert_eq!(dead(&pool, &scout, 10).await.letters, []);
    world.check_replay(&pool).await;
}

async fn a21_a_replayed_copy_comes_last_and_its_attempts_start_anew(world: World) {
    let (pool, lead, scout, sent) = with_messages(&world, 1).await;
    lapse(&world, &pool, &scout, 5).await;
    let later = world.say(&pool, &lead, ("scout", "later")).await;
    let letter = dead(&pool, &scout, 10).await.letters[0].clone();
    let done = pool.call(replay(&scout, "scout", letter.cursor)).await;
    let record = &world
        .records_after(&pool, done.unwrap().cursor.position.previous())
        .await[0];
    assert!(matches!(&record.entry.body, Body::MessageReplayed(_)));
    let after = world.say(&pool, &lead, ("scout", "after")).await;
    assert_eq!(dead(&pool, &scout, 10).await.letters, []);

    let (later, after) = (later.cursor.position, after.cursor.position);
    let all = world.receive(&pool, &scout, "all", 10).await;
    assert_eq!(World::acceptances(&all), [later, sent[0], after]);
    let attempts: Vec<u32> = all.items.iter().map(|item| item.attempt).collect();
    assert_eq!(attempts, [1, 1, 1], "attempts start anew");
    // What comes earlier is what was handed over earlier.
    let claims = World::claims(&all);
    let up_to = world.ack(&pool, &scout, ClaimSet::UpTo(claims[1])).await;
    up_to.unwrap();
    let held = world.receive(&pool, &scout, "all", 10).await;
    assert_eq!(World::acceptances(&held), [after]);

    let id = letter.message_id.as_str();
    let receipt = world.receipt(&pool, "lead", id).await;
    assert_eq!(
        receipt.status,
        MessageStatus::Settled,
        "it stays as it ended"
    );
    assert_eq!(receipt.recipients[0].state, CopyState::Acked);
    let replayed = receipt.timeline.iter().map(|step| step.state);
    assert_eq!(
        replayed.filter(|s| *s == TimelineState::Replayed).count(),
        1
    );
    world.check_replay(&pool).await;
}

async fn a21_copies_of_one_message_that_die_together_settle_it_once(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let to = Address::Pool {
        pool_id: pool.id().clone(),
    };
    let readers = [
        world.join(&pool, "ann").await,
        world.join(&pool, "bob").await,
    ];
    world.say_to(&pool, &lead, (to, "all")).await;
    for attempt in 1..=5 {
        for reader in &readers {
            let name = format!("r{attempt}");
            let received = world.receive(&pool, reader, &name, 1).await;
            assert_eq!(received.items[0].attempt, attempt);
        }
        world.clock.advance(MINUTE);
    }
    let letters = dead(&pool, &Caller::Operator, 10).await.letters;
    let of: Vec<_> = letters.iter().map(|letter| letter.run.as_str()).collect();
    assert_eq!(of, ["ann", "bob"]);
    let receipt = world.receipt(&pool, "lead", "all").await;
    assert_eq!(receipt.status, MessageStatus::Settled);
    let records = world.records(&pool).await;
    let settled = records
        .iter()
        .filter(|r| r.kind() == EventKind::RunMessageSettled);
    assert_eq!(settled.count(), 1);
    world.check_replay(&pool).await;
}

async fn m8_only_what_is_dead_is_replayed(world: World) {
    let (pool, lead, scout, sent) = with_messages(&world, 1).await;
    let at = |position| World::cursor(&pool, position);
    let try_to = |caller: &Caller, name: &str, position| {
        world.refused(&pool, pool.call(replay(caller, name, at(position))))
    };
    let queued = Rejection::NotDead {
        state: CopyState::Queued,
    };
    assert_eq!(try_to(&scout, "scout", sent[0]).await, queued);
    let unknown = Rejection::DeadLetterNotFound;
    assert_eq!(try_to(&scout, "scout", Position(1)).await, unknown);
    assert_eq!(try_to(&Caller::Operator, "lead", sent[0]).await, unknown);
    assert_eq!(
        try_to(&lead, "scout", sent[0]).await,
        Rejection::SenderMismatch
    );
    assert_eq!(
        try_to(&Caller::Operator, "nobody", sent[0]).await,
        Rejection::NotAMember
    );
    let ahead = try_to(&scout, "scout", Position(999)).await;
    assert!(matches!(ahead, Rejection::CursorAhead { .. }), "{ahead:?}");

    lapse(&world, &pool, &scout, 5).await;
    pool.call(replay(&Caller::Operator, "scout", at(sent[0])))
        .await
        .unwrap();
    assert_eq!(try_to(&scout, "scout", sent[0]).await, queued, "once");
    let claims = World::claims(&world.receive(&pool, &scout, "r", 1).await);
    let claimed = Rejection::NotDead {
        state: CopyState::Claimed,
    };
    assert_eq!(try_to(&scout, "scout", sent[0]).await, claimed);
    world
        .ack(&pool, &scout, ClaimSet::These(claims))
        .await
        .unwrap();
    let acked = Rejection::NotDead {
        state: CopyState::Acked,
    };
    assert_eq!(try_to(&scout, "scout", sent[0]).await, acked);
    world.check_replay(&pool).await;
}

async fn m8_a_replayed_copy_that_expires_is_a_dead_letter_again_and_stays_one(world: World) {
    let (pool, lead, scout, _) = with_messages(&world, 0).await;
    let mut request = World::to_run("scout", "m", "work");
    request.message_id = Some(message("m"));
    request.expiry = Some(Expiry::In(Millis(MINUTE.0 * 7)));
    let accepted = world
        .send(&pool, &lead, request)
        .await
        .unwrap()
        .receipt
        .cursor;
    lapse(&world, &pool, &scout, 5).await;
    pool.call(replay(&scout, "scout", accepted)).await.unwrap();
    world.clock.advance(Millis(MINUTE.0 * 2));
    let none = world.receive(&pool, &scout, "late", 10).await;
    assert!(none.items.is_empty(), "nothing is handed over late");
    let letters = dead(&pool, &scout, 10).await.letters;
    assert_eq!((letters.len(), letters[0].reason), (1, DeadReason::Expired));
    assert_eq!(letters[0].attempt, 0);
    let refused = rejected(pool.call(replay(&scout, "scout", accepted)).await);
    assert_eq!(refused, Rejection::MessageOver);
    let receipt = world.receipt(&pool, "lead", "m").await;
    assert_eq!(
        receipt.status,
        MessageStatus::Settled,
        "it stays as it ended"
    );
    assert_eq!(receipt.recipients[0].state, CopyState::Dead);
    let records = world.records(&pool).await;
    let expired = records
        .iter()
        .filter(|r| r.kind() == EventKind::RunMessageExpired);
    assert_eq!(expired.count(), 0);
    world.check_replay(&pool).await;
}

async fn m8_dead_letters_are_listed_in_pages_and_survive_a_crash(world: World) {
    let (pool, _, scout, sent) = with_messages(&world, 3).await;
    lapse(&world, &pool, &scout, 5).await;
    let whole = dead(&pool, &scout, 3).await;
    assert_eq!((whole.letters.len(), whole.next), (3, None));
    let first = dead(&pool, &scout, 2).await;
    assert_eq!(first.letters, whole.letters[..2]);
    let list = ListDeadLetters {
        caller: Caller::Operator,
        run: Some(run("scout")),
        after: first.next,
        max: 2,
    };
    let rest = pool.call(list).await.unwrap();
    assert_eq!((&rest.letters[..], rest.next), (&whole.letters[2..], None));
    world.check_replay(&pool).await;
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    assert_eq!(dead(&pool, &scout, 3).await.letters, whole.letters);
    let third = replay(&scout, "scout", World::cursor(&pool, sent[2]));
    pool.call(third).await.unwrap();
    let again = world.receive(&pool, &scout, "again", 10).await;
    assert_eq!(World::acceptances(&again), sent[2..]);
    world.check_replay(&pool).await;
}

async fn m11_a_copy_that_lapses_after_the_expiry_expires_and_is_not_dead(world: World) {
    let (pool, lead, scout, _) = with_messages(&world, 0).await;
    let mut request = World::to_run("scout", "m", "work");
    request.message_id = Some(message("m"));
    request.expiry = Some(Expiry::In(Millis(MINUTE.0 * 5)));
    world.send(&pool, &lead, request).await.unwrap();
    lapse(&world, &pool, &scout, 4).await;
    world.receive(&pool, &scout, "last", 1).await;
    world.clock.advance(MINUTE);
    assert_eq!(dead(&pool, &scout, 10).await.letters, []);
    let receipt = world.receipt(&pool, "lead", "m").await;
    assert_eq!(receipt.status, MessageStatus::Expired);
    assert_eq!(receipt.recipients[0].state, CopyState::Expired);
    world.check_replay(&pool).await;
}
