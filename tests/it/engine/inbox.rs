//! Inboxes: claims, their ends, and who is handed what.

use heronry_journal::{Body, Claim};
use heronry_pool::{
    Caller, Rejection, State,
    decide::{ClaimSet, ExtendClaims, LeavePool},
};
use heronry_runtime::Pool;
use heronry_tests::{
    Ledger, Tally, World, on_every_store, on_every_store_that_is_reopened, run, tries::Draw,
};
use heronry_types::{CopyState, EventKind, MessageStatus, Millis, Position, ReleaseReason};

on_every_store! {
    a21_claims_come_in_cursor_order_and_a_lapsed_one_is_attempt_two
    a22_a_lapsed_claim_does_not_ack_the_newer_one
    a23_a_released_copy_waits_for_its_delay_and_is_then_first
    a25_copies_are_conserved_at_every_cursor_of_a_random_workload
    m8_a_claim_is_extended_from_now_and_an_unknown_one_is_refused
}

on_every_store_that_is_reopened! {
    a22_the_same_receive_id_after_a_lost_reply_returns_the_same_claims
}

pub(super) const MINUTE: Millis = Millis::from_secs(60);

/// A pool with a lead and a scout, and messages `m1`, `m2`, … from the one to the other.
pub(super) async fn with_messages(
    world: &World,
    count: u64,
) -> (Pool, Caller, Caller, Vec<Position>) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let mut accepted = Vec::new();
    for number in 1..=count {
        let request = World::to_run("scout", &format!("k{number}"), "look");
        let sent = world.send(&pool, &lead, request).await.unwrap();
        accepted.push(sent.receipt.cursor.position);
    }
    (pool, lead, scout, accepted)
}

async fn a21_claims_come_in_cursor_order_and_a_lapsed_one_is_attempt_two(world: World) {
    let (pool, _, scout, sent) = with_messages(&world, 3).await;
    let first = world.receive(&pool, &scout, "r1", 2).await;
    assert_eq!(World::acceptances(&first), sent[..2]);
    assert_eq!((first.items[0].attempt, first.unread), (1, 1));
    let second = world.receive(&pool, &scout, "r2", 10).await;
    assert_eq!(World::acceptances(&second), sent[2..]);
    let none = world.receive(&pool, &scout, "r3", 10).await;
    assert!(none.items.is_empty());
    world.clock.advance(Millis(MINUTE.0 - 1));
    let none = world.receive(&pool, &scout, "r4", 10).await;
    assert!(none.items.is_empty(), "a claim does not lapse early");

    world.clock.advance(Millis(1));
    let before = world.head(&pool).await;
    let again = world.receive(&pool, &scout, "r5", 10).await;
    assert_eq!(World::acceptances(&again), sent);
    assert!(again.items.iter().all(|item| item.attempt == 2));
    let records = world.records_after(&pool, before).await;
    let Body::MessageReleased(lapsed) = &records[0].entry.body else {
        panic!("lapsed claims come first, not {:?}", records[0].kind());
    };
    assert_eq!(lapsed.reason, ReleaseReason::Lapsed);
    assert_eq!(lapsed.claims.len(), 3, "one record for one run and tick");
    assert_eq!(records[1].kind(), EventKind::RunMessageFetched);
    assert_eq!(records.len(), 2);
    world.check_replay(&pool).await;
}

async fn a22_a_lapsed_claim_does_not_ack_the_newer_one(world: World) {
    let (pool, _, scout, _) = with_messages(&world, 1).await;
    let stalled = World::claims(&world.receive(&pool, &scout, "reader-1", 1).await);
    world.clock.advance(MINUTE);
    let newer = World::claims(&world.receive(&pool, &scout, "reader-2", 1).await);
    assert_ne!(stalled, newer);
    let late = world.ack(&pool, &scout, ClaimSet::These(stalled.clone()));
    let refused = world.refused(&pool, late).await;
    let claims = stalled.clone();
    assert_eq!(refused, Rejection::ClaimLapsed { claims });
    let late = world.release(&pool, &scout, stalled.clone(), None);
    let refused = world.refused(&pool, late).await;
    assert_eq!(refused, Rejection::ClaimLapsed { claims: stalled });
    let ack = world.ack(&pool, &scout, ClaimSet::These(newer)).await;
    ack.unwrap();
    let sent = &world.records(&pool).await[3];
    let Body::MessageAccepted(accepted) = &sent.entry.body else {
        panic!("the fourth record is the acceptance");
    };
    let receipt = world
        .receipt(&pool, "lead", accepted.message_id.as_str())
        .await;
    assert_eq!(receipt.status, MessageStatus::Settled);
    let copy = &receipt.recipients[0];
    assert_eq!((copy.state, copy.attempt), (CopyState::Acked, 2));
    world.check_replay(&pool).await;
}

async fn a22_the_same_receive_id_after_a_lost_reply_returns_the_same_claims(world: World) {
    let (pool, _, scout, _) = with_messages(&world, 3).await;
    let lost = world.receive(&pool, &scout, "r1", 2).await;
    world.clock.advance(Millis(1_000));
    let fetch = World::fetch(&scout, "r1", 3);
    let again = world
        .unrecorded(&pool, pool.receive(fetch, Millis(0)))
        .await;
    assert_eq!(again.items, lost.items);
    assert_eq!(again.cursor, lost.cursor);
    let claims = World::claims(&lost);
    let one = ClaimSet::These(vec![claims[0]]);
    world.ack(&pool, &scout, one).await.unwrap();
    let rest = world.receive(&pool, &scout, "r1", 3).await;
    assert_eq!(World::claims(&rest), claims[1..], "those that are live");
    world.check_replay(&pool).await;

    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let after = world.receive(&pool, &scout, "r1", 3).await;
    assert_eq!(World::claims(&after), claims[1..]);
    world.check_replay(&pool).await;
}

async fn a23_a_released_copy_waits_for_its_delay_and_is_then_first(world: World) {
    let (pool, _, scout, sent) = with_messages(&world, 3).await;
    let claims = World::claims(&world.receive(&pool, &scout, "r1", 1).await);
    let delay = Some(Millis(5_000));
    let released = world.release(&pool, &scout, claims, delay).await;
    released.unwrap();
    let second = world.receive(&pool, &scout, "r2", 1).await;
    assert_eq!(
        World::acceptances(&second),
        sent[1..2],
        "not before the delay"
    );
    world.clock.advance(Millis(4_999));
    let third = world.receive(&pool, &scout, "r3", 1).await;
    assert_eq!(
        World::acceptances(&third),
        sent[2..3],
        "not before the delay"
    );
    let claims = World::claims(&third);
    world.release(&pool, &scout, claims, None).await.unwrap();
    world.clock.advance(Millis(1));
    let first = world.receive(&pool, &scout, "r4", 2).await;
    assert_eq!(World::acceptances(&first), [sent[0], sent[2]]);
    assert_eq!(first.items[0].attempt, 2, "a release is an attempt");
    world.check_replay(&pool).await;
}

async fn a25_copies_are_conserved_at_every_cursor_of_a_random_workload(world: World) {
    let pool = world.pool().await;
    let mut members = Vec::new();
    for name in ["ann", "bob", "cid"] {
        members.push(world.join(&pool, name).await);
    }
    let mut draw = Draw(25);
    for step in 0..400 {
        let chosen = draw.below(3);
        random_step(&world, &pool, &members[chosen], (step, &mut draw)).await;
    }
    let leave = LeavePool {
        caller: Caller::Operator,
        run: run("cid"),
    };
    pool.call(leave).await.unwrap();
    check_conservation(&world, &pool).await;
    world.check_replay(&pool).await;
}

async fn random_step(world: &World, pool: &Pool, who: &Caller, (step, draw): (u64, &mut Draw)) {
    let what = draw.below(10);
    if what < 4 {
        let to = ["ann", "bob", "cid"][draw.below(3)];
        let mut request = World::to_run(to, &format!("k{step}"), "work");
        request.expiry = (draw.below(3) == 0)
            .then(|| heronry_pool::decide::Expiry::In(Millis(draw.below(90_000))));
        world.send(pool, who, request).await.unwrap();
        return;
    }
    if what < 6 {
        world.clock.advance(Millis(draw.below(30_000)));
        return;
    }
    let received = world
        .receive(pool, who, &format!("r{step}"), draw.below(4))
        .await;
    let claims = World::claims(&received);
    match draw.below(4) {
        0 => {}
        1 => {
            let delay = Some(Millis(draw.below(20_000)));
            world.release(pool, who, claims, delay).await.unwrap();
        }
        _ => {
            let acked = world.ack(pool, who, ClaimSet::These(claims)).await;
            acked.unwrap();
        }
    }
}

/// Compares the fold with the ledger after every single record.
async fn check_conservation(world: &World, pool: &Pool) {
    let mut state = State::new(pool.id().clone(), pool.epoch());
    let mut ledger = Ledger::new(pool.id().clone(), pool.epoch());
    let mut most = Tally::default();
    for record in world.records(pool).await {
        heronry_pool::apply(&mut state, &record);
        ledger.note(&record);
        for name in ["ann", "bob", "cid"] {
            let tally = ledger.tally(&run(name));
            let ended =
                tally.acked + tally.expired + tally.cancelled + tally.undeliverable + tally.dead;
            assert_eq!(tally.delivered, ended + tally.queued + tally.claimed);
            let member = state.members().get(&run(name));
            let inbox = member.map(|member| &member.inbox);
            let counted = inbox.map_or((0, 0), |inbox| (inbox.unread(), inbox.depth()));
            assert_eq!(counted, (tally.queued, tally.queued + tally.claimed));
            most.acked = most.acked.max(tally.acked);
            most.expired = most.expired.max(tally.expired);
            most.undeliverable = most.undeliverable.max(tally.undeliverable);
        }
        check_standings(&state, &ledger);
    }
    assert!(
        most.acked > 0 && most.expired > 0 && most.undeliverable > 0,
        "{most:?}"
    );
}

fn check_standings(state: &State, ledger: &Ledger) {
    for name in ["ann", "bob", "cid"] {
        let run = run(name);
        for accepted in ledger.copies_of(&run) {
            let copy = state.messages().get(accepted).unwrap().copy_of(&run);
            assert_eq!(
                copy.map(|copy| copy.standing()),
                ledger.standing(&run, accepted)
            );
        }
    }
}

async fn m8_a_claim_is_extended_from_now_and_an_unknown_one_is_refused(world: World) {
    let (pool, _, scout, sent) = with_messages(&world, 1).await;
    let claims = World::claims(&world.receive(&pool, &scout, "r1", 1).await);
    let extend = |claims: Vec<Claim>| ExtendClaims {
        caller: scout.clone(),
        run: run("scout"),
        claims,
        claim_ms: MINUTE,
    };
    world.clock.advance(Millis(MINUTE.0 - 1));
    pool.call(extend(claims.clone())).await.unwrap();
    world.clock.advance(Millis(MINUTE.0 - 1));
    let none = world.receive(&pool, &scout, "r2", 1).await;
    assert!(none.items.is_empty(), "the claim was extended");
    let claim = Claim {
        accepted: sent[0],
        fetched: claims[0].fetched.plus(100),
    };
    let unknown = world.refused(&pool, pool.call(extend(vec![claim]))).await;
    assert_eq!(unknown, Rejection::UnknownClaim { claim });
    // A position of another record, before or after the copy was claimed, names no claim either.
    let before = claims[0].fetched.previous();
    let head = world.head(&pool).await;
    for fetched in [sent[0], before, head, Position(u64::MAX), Position::ZERO] {
        let claim = Claim {
            accepted: sent[0],
            fetched,
        };
        let unknown = world.refused(&pool, pool.call(extend(vec![claim]))).await;
        assert_eq!(unknown, Rejection::UnknownClaim { claim });
    }
    world.clock.advance(Millis(1));
    let lapsed = pool.call(extend(claims.clone())).await.unwrap_err();
    assert_eq!(lapsed.rejection(), Some(&Rejection::ClaimLapsed { claims }));
    world.check_replay(&pool).await;
}
