//! Expiry and cancelling (M11).

use crate::scenario::{Joining, Letter, Scenario, Take, Wait};

/// A pool where `m1`, accepted at 4, expires after ten seconds.
fn expiring() -> Scenario {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &Letter::to("scout", "m1").expires_in(10_000))
        .ok();
    pool
}

/// A pool where `a` has claimed `m1`, accepted at 5, and `b` has it queued.
fn half_claimed() -> Scenario {
    let mut pool = Scenario::of("lead a b");
    pool.send("lead", &Letter::to("pool:p", "m1").expires_in(10_000))
        .ok();
    pool.receive("a", Take::by("r1").held_for(60_000)).ok();
    pool
}

#[test]
fn m11_a_message_expires_at_its_time_and_not_before() {
    let mut pool = expiring();
    pool.pass(9_999).nothing();
    pool.pass(1)
        .records(["6 m1@4 expired: expired#0 (engine) <- 4"]);
    pool.receive("scout", "r1")
        .nothing()
        .answer("nothing | 0 unread");
    pool.receipt("lead", "m1")
        .answer("m1 expired at 4: scout expired#0");
}

#[test]
fn m11_a_time_and_a_span_expire_alike() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &Letter::to("scout", "m1").expires_at(10_000))
        .ok();
    pool.pass(9_999).nothing();
    pool.pass(1)
        .records(["6 m1@4 expired: expired#0 (engine) <- 4"]);
}

#[test]
fn m11_what_has_expired_already_never_reaches_an_inbox() {
    let mut pool = Scenario::of("lead scout");
    pool.pass(5_000).ok();
    pool.send("lead", &Letter::to("scout", "m1").expires_at(5_000))
        .records([
            "4 lead sent m1 to scout, expires at 5s",
            "5 m1@4 expired: nothing <- 4",
        ])
        .answer("m1 expired at 4: nothing");
    pool.send("lead", &Letter::to("scout", "m2").expires_in(0))
        .records([
            "6 lead sent m2 to scout, expires at 5s",
            "7 m2@6 expired: nothing <- 6",
        ]);
    pool.receive("scout", "r1").nothing();
}

#[test]
fn m11_a_message_expires_while_the_engine_is_down() {
    let mut pool = expiring();
    pool.kill();
    pool.stall(10_000);
    pool.receive("scout", "r1")
        .records(["6 m1@4 expired: expired#0 (engine) <- 4"])
        .answer("nothing | 0 unread");
}

#[test]
fn m11_an_expiry_takes_queued_copies_and_never_one_under_a_claim() {
    let mut pool = half_claimed();
    pool.pass(10_000)
        .records(["8 m1@5 expired: claimed#1, expired#0 (engine) <- 5"]);
    pool.ack("a", "m1").records(["9 a acked m1 5@7 done"]);
    pool.receipt("lead", "m1")
        .answer("m1 expired at 5: a acked#1 done, b expired#0");
}

#[test]
fn m11_a_copy_that_comes_back_after_the_expiry_expires() {
    let mut pool = expiring();
    pool.receive("scout", Take::by("r1").held_for(60_000)).ok();
    pool.pass(20_000).nothing();
    pool.release("scout", "m1")
        .records(["7 scout released m1 4@6 released"]);
    pool.receive("scout", "r2")
        .records(["8 m1@4 expired: expired#1 (engine) <- 4"]);
    pool.receipt("lead", "m1")
        .answer("m1 expired at 4: scout expired#1");
}

#[test]
fn m11_a_copy_that_lapses_after_the_expiry_expires_and_is_not_dead() {
    let mut pool = expiring();
    pool.configure("operator", 1, &[(heronry_types::LimitName::AttemptsMax, 1)])
        .ok();
    pool.receive("scout", Take::by("r1").held_for(20_000)).ok();
    pool.pass(20_000).records([
        "8 scout released m1 4@7 lapsed (engine)",
        "9 m1@4 expired: expired#1 (engine) <- 4",
    ]);
    pool.dead_letters("scout", None, (None, 9)).answer("");
}

#[test]
fn m11_claims_are_not_extended_past_the_expiry() {
    let mut pool = expiring();
    pool.receive("scout", Take::by("r1").held_for(5_000)).ok();
    pool.extend("scout", "m1", 60_000)
        .records(["7 scout extended m1 4@6 until 10s"]);
}

#[test]
fn m11_extending_never_shortens_a_claim_because_of_the_expiry() {
    let mut pool = expiring();
    pool.receive("scout", Take::by("r1").held_for(30_000)).ok();
    pool.extend("scout", "m1", 60_000)
        .records(["7 scout extended m1 4@6 until 30s"]);
    pool.pass(20_000).ok();
    pool.extend("scout", "m1", 60_000)
        .records(["8 scout extended m1 4@6 until 30s"]);
}

#[test]
fn m11_a_copy_given_back_after_the_expiry_is_not_claimed_in_the_same_moment() {
    let mut pool = half_claimed();
    pool.pass(10_000).ok();
    pool.release("a", "m1")
        .records(["9 a released m1 5@7 released"]);
    pool.receive("a", "r2").nothing();
}

#[test]
fn m11_a_message_cancelled_before_it_is_claimed_is_never_seen() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.cancel("lead", "m1")
        .records(["6 m1@4 cancelled: cancelled#0 <- 4"])
        .answer("m1 cancelled at 4: scout cancelled#0");
    pool.receive("scout", "r1")
        .nothing()
        .answer("nothing | 0 unread");
}

#[test]
fn m11_a_cancel_leaves_a_live_claim_alone() {
    let mut pool = half_claimed();
    pool.cancel("lead", "m1")
        .records(["8 m1@5 cancelled: claimed#1, cancelled#0 <- 5"])
        .answer("m1 cancelled at 5: a claimed#1, b cancelled#0");
    pool.ack("a", "m1").records(["9 a acked m1 5@7 done"]);
    pool.receipt("lead", "m1")
        .answer("m1 cancelled at 5: a acked#1 done, b cancelled#0");
}

#[test]
fn m11_a_copy_of_a_cancelled_message_ends_when_it_is_given_back() {
    let mut pool = half_claimed();
    pool.cancel("lead", "m1").ok();
    pool.release("a", "m1")
        .records(["9 a released m1 5@7 released"]);
    pool.receipt("lead", "m1")
        .answer("m1 cancelled at 5: a cancelled#1, b cancelled#0");
}

#[test]
fn m11_a_copy_of_a_cancelled_message_ends_when_it_lapses() {
    let mut pool = half_claimed();
    pool.cancel("lead", "m1").ok();
    pool.pass(60_000)
        .records(["9 a released m1 5@7 lapsed (engine)"]);
    pool.receipt("lead", "m1")
        .answer("m1 cancelled at 5: a cancelled#1, b cancelled#0");
}

#[test]
fn m11_a_takeover_gives_no_cancelled_copy_back() {
    let mut pool = half_claimed();
    pool.cancel("lead", "m1").ok();
    pool.join(Joining::of("a").instance("i2")).ok();
    pool.receive("a", "r2").nothing();
    pool.receipt("lead", "m1")
        .answer("m1 cancelled at 5: a cancelled#0, b cancelled#0");
}

#[test]
fn m11_a_cancelled_message_does_not_expire() {
    let mut pool = half_claimed();
    pool.cancel("lead", "m1").ok();
    pool.pass(20_000).nothing();
}

#[test]
fn m11_cancelling_again_records_nothing_and_answers_as_it_stands() {
    let mut pool = half_claimed();
    pool.cancel("lead", "m1").ok();
    pool.cancel("lead", "m1")
        .nothing()
        .answer("m1 cancelled at 5: a claimed#1, b cancelled#0");
    pool.kill();
    pool.tick().ok();
    pool.cancel("lead", "m1")
        .nothing()
        .answer("m1 cancelled at 5: a claimed#1, b cancelled#0");
}

#[test]
fn m11_what_is_over_stays_as_it_ended() {
    let mut pool = expiring();
    pool.receive("scout", "r1").ok();
    pool.ack("scout", "m1").ok();
    pool.cancel("lead", "m1")
        .nothing()
        .answer("m1 settled at 4: scout acked#1 done");
    let mut pool = expiring();
    pool.pass(10_000).ok();
    pool.cancel("lead", "m1")
        .nothing()
        .answer("m1 expired at 4: scout expired#0");
    let mut pool = Scenario::of("lead");
    pool.say("lead", "nobody", "m1").ok();
    pool.cancel("lead", "m1")
        .nothing()
        .answer("m1 failed no_such_member at 3: nothing");
}

#[test]
fn m11_only_the_sender_or_an_operator_cancels() {
    let mut pool = expiring();
    pool.cancel("scout for lead", "m1").refused("not your run");
    pool.cancel("scout", "m1").refused("no such message");
    pool.cancel("lead", "nothing").refused("no such message");
    pool.cancel("operator for lead", "m1")
        .records(["6 m1@4 cancelled: cancelled#0 (operator) <- 4"]);
}

#[test]
fn m11_an_operator_cancels_what_a_departed_run_sent() {
    let mut pool = expiring();
    pool.leave("lead").ok();
    pool.cancel("lead", "m1").refused("no member");
    pool.cancel("operator for lead", "m1")
        .records(["7 m1@4 cancelled: cancelled#0 (operator) <- 4"]);
}

#[test]
fn m11_a_cancel_can_be_waited_for() {
    let mut pool = expiring();
    pool.wait(
        "lead",
        &Wait::for_one(
            r#"kind == "run_message_cancelled" && message == "m1""#,
            "w1",
        ),
    )
    .ok();
    pool.cancel("lead", "m1").records([
        "7 m1@4 cancelled: cancelled#0 <- 4",
        "8 w1@6 triggered by 7 (engine) <- 7",
    ]);
}

#[test]
fn k2_what_is_due_is_decided_first_and_in_the_same_append() {
    let mut pool = expiring();
    pool.stall(10_000);
    pool.say("lead", "scout", "m2")
        .records([
            "6 m1@4 expired: expired#0 (engine) <- 4",
            "7 lead sent m2 to scout",
            "8 m2@7 delivered to scout <- 7",
        ])
        .at_once();
}
