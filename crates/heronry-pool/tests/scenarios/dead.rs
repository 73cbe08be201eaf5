//! Dead letters: copies that were claimed too often or expired after a replay, and another chance for them (M8, M11).

use heronry_types::LimitName;

use crate::scenario::{Joining, Letter, Scenario, Take};

/// A pool where a copy dies with its second attempt.
fn short() -> Scenario {
    Scenario::limited(&[(LimitName::AttemptsMax, 2)], "lead scout")
}

/// A pool where `m1`, accepted at 4, is dead.
fn dead() -> Scenario {
    let mut pool = short();
    pool.say("lead", "scout", "m1").ok();
    give_back_twice(&mut pool);
    pool
}

fn give_back_twice(pool: &mut Scenario) {
    for receive in ["d1", "d2"] {
        pool.receive("scout", receive).ok();
        pool.release("scout", "m1").ok();
    }
}

#[test]
fn m8_the_release_of_the_last_attempt_kills_the_copy() {
    let mut pool = short();
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.release("scout", "m1")
        .records(["7 scout released m1 4@6 released"]);
    pool.receive("scout", "r2").ok();
    pool.release("scout", "m1")
        .records([
            "9 scout dead m1@4#2: released (engine)",
            "10 m1@4 settled: dead#2 (engine) <- 4",
        ])
        .answer("at 9");
    pool.receive("scout", "r3").nothing();
}

#[test]
fn m8_the_lapse_of_the_last_attempt_kills_the_copy() {
    let mut pool = short();
    pool.say("lead", "scout", "m1").ok();
    for receive in ["r1", "r2"] {
        pool.receive("scout", receive).ok();
        pool.pass(60_000).ok();
    }
    pool.dead_letters("scout", None, (None, 9))
        .nothing()
        .answer("scout m1@4#2 lapsed at 120s by 9");
    pool.receipt("lead", "m1")
        .answer("m1 settled at 4: scout dead#2");
}

#[test]
fn m8_by_default_the_fifth_attempt_is_the_last() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    for receive in ["r1", "r2", "r3", "r4"] {
        pool.receive("scout", receive).ok();
        pool.release("scout", "m1").ok();
    }
    pool.receive("scout", "r5").ok();
    pool.release("scout", "m1").records([
        "15 scout dead m1@4#5: released (engine)",
        "16 m1@4 settled: dead#5 (engine) <- 4",
    ]);
}

#[test]
fn m8_a_release_kills_what_is_spent_and_returns_the_others() {
    let mut pool = short();
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.release("scout", "m1").ok();
    pool.say("lead", "scout", "m2").ok();
    pool.receive("scout", "r2").ok();
    pool.release("scout", "m1, m2")
        .records([
            "11 scout released m2 8@10 released",
            "12 scout dead m1@4#2: released (engine)",
            "13 m1@4 settled: dead#2 (engine) <- 4",
        ])
        .at_once();
}

#[test]
fn m8_takeovers_and_answers_that_nobody_took_are_no_attempts() {
    let mut pool = Scenario::limited(&[(LimitName::AttemptsMax, 1)], "lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.unanswered("scout", "r1").ok();
    pool.receive("scout", "r2").ok();
    pool.join(Joining::of("scout").instance("i2")).ok();
    pool.receive("scout", "r3")
        .answer("m1#1 4@10 until 60s | 0 unread");
}

#[test]
fn m8_copies_of_one_message_that_die_together_settle_it_once() {
    let mut pool = Scenario::limited(&[(LimitName::AttemptsMax, 1)], "lead a b");
    pool.say("lead", "pool:p", "m1").ok();
    pool.receive("a", "r1").ok();
    pool.receive("b", "r1").ok();
    pool.pass(60_000).records([
        "9 a dead m1@5#1: lapsed (engine)",
        "10 b dead m1@5#1: lapsed (engine)",
        "11 m1@5 settled: dead#1, dead#1 (engine) <- 5",
    ]);
}

#[test]
fn m8_a_replayed_copy_comes_last_and_its_attempts_start_anew() {
    let mut pool = dead();
    pool.say("lead", "scout", "m2").ok();
    pool.replay("scout", "4")
        .records(["13 scout replayed m1@4 <- 4"])
        .answer("at 13");
    pool.receive("scout", "r9")
        .records(["14 scout claimed m2@11#1, m1@4#1 by r9 until 60s"])
        .answer("m2#1 11@14 until 60s, m1#1 4@14 until 60s | 0 unread");
    pool.dead_letters("scout", None, (None, 9)).answer("");
}

#[test]
fn m8_a_replayed_copy_may_die_again() {
    let mut pool = dead();
    pool.replay("scout", "4").ok();
    for receive in ["r8", "r9"] {
        pool.receive("scout", receive).ok();
        pool.release("scout", "m1").ok();
    }
    pool.dead_letters("scout", None, (None, 9))
        .answer("scout m1@4#2 released at 0s by 15");
}

#[test]
fn m8_a_replay_does_not_open_a_settled_message_again() {
    let mut pool = dead();
    pool.replay("scout", "4").ok();
    pool.receive("scout", "r9").ok();
    pool.ack("scout", "m1")
        .records(["13 scout acked m1 4@12 done"]);
    pool.receipt("lead", "m1")
        .answer("m1 settled at 4: scout acked#1 done");
}

#[test]
fn m8_only_what_is_dead_is_replayed() {
    let mut pool = dead();
    pool.say("lead", "scout", "m2").ok();
    pool.replay("scout", "12").refused("no such dead letter");
    pool.replay("scout", "4").ok();
    pool.replay("scout", "4").refused("queued, not dead");
    pool.replay("lead", "4").refused("no such dead letter");
    pool.replay("scout", "5").refused("no such dead letter");
    pool.replay("scout", "99").refused("99 is ahead of 13");
}

#[test]
fn m8_a_replay_finds_room_or_is_refused() {
    let mut pool = dead();
    pool.configure("operator", 1, &[(LimitName::InboxDepthMax, 2)])
        .ok();
    pool.say("lead", "scout", "m2").ok();
    pool.say("scout", "scout", "m3").ok();
    pool.replay("scout", "4").refused("full: 2");
    pool.receive("scout", Take::by("r9").max(1)).ok();
    pool.ack("scout", "m2").ok();
    pool.replay("scout", "4").ok();
}

#[test]
fn m8_a_replayed_copy_counts_for_its_sender_again() {
    let mut pool = dead();
    pool.configure("operator", 1, &[(LimitName::InboxDepthMax, 2)])
        .ok();
    pool.replay("scout", "4").ok();
    pool.say("lead", "scout", "m2").refused("full: 2");
    pool.receive("scout", "r9").ok();
    pool.ack("scout", "m1").ok();
    pool.say("lead", "scout", "m2").ok();
    pool.say("lead", "scout", "m3").refused("full: 2");
}

#[test]
fn m8_an_expired_or_cancelled_message_is_not_replayed() {
    let mut pool = short();
    pool.send("lead", &Letter::to("scout", "m1").expires_in(9_000))
        .ok();
    give_back_twice(&mut pool);
    pool.pass(9_000).nothing();
    pool.replay("scout", "4").refused("over");
    let mut pool = Scenario::limited(&[(LimitName::AttemptsMax, 1)], "lead a b");
    pool.say("lead", "pool:p", "m1").ok();
    pool.receive("a", "r1").ok();
    pool.release("a", "m1").ok();
    pool.cancel("lead", "m1").ok();
    pool.replay("a", "5").refused("over");
}

#[test]
fn m8_a_replayed_copy_that_expires_is_dead_again() {
    let mut pool = short();
    pool.send("lead", &Letter::to("scout", "m1").expires_in(9_000))
        .ok();
    give_back_twice(&mut pool);
    pool.replay("scout", "4").ok();
    pool.pass(9_000)
        .records(["12 scout dead m1@4#0: expired (engine)"]);
    pool.dead_letters("scout", None, (None, 9))
        .answer("scout m1@4#0 expired at 9s by 12");
}

#[test]
fn m8_dead_letters_are_listed_by_pages_and_are_there_after_a_kill() {
    let mut pool = Scenario::limited(&[(LimitName::AttemptsMax, 1)], "lead a b");
    pool.say("lead", "pool:p", "m1").ok();
    pool.say("lead", "pool:p", "m2").ok();
    for run in ["a", "b"] {
        pool.receive(run, "r1").ok();
        pool.release(run, "m1, m2").ok();
    }
    pool.kill();
    pool.dead_letters("operator", None, (None, 3)).nothing().answer("a m1@5#1 released at 0s by 10, a m2@7#1 released at 0s by 10, b m1@5#1 released at 0s by 12 next b 5");
    pool.dead_letters("operator", None, (Some(("b", "5")), 3))
        .answer("b m2@7#1 released at 0s by 12");
    pool.dead_letters("operator", Some("b"), (None, 1))
        .answer("b m1@5#1 released at 0s by 12 next b 5");
    pool.dead_letters("a", None, (None, 9))
        .answer("a m1@5#1 released at 0s by 10, a m2@7#1 released at 0s by 10");
    pool.dead_letters("lead", None, (None, 9)).answer("");
}

#[test]
fn m8_a_page_of_dead_letters_has_so_many_at_the_most() {
    let mut pool = Scenario::limited(&[(LimitName::PageItemsMax, 2)], "scout");
    pool.dead_letters("scout", None, (None, 2)).nothing();
    pool.dead_letters("scout", None, (None, 3))
        .refused("page_items_max: 3 of 2");
    pool.dead_letters("scout", None, (Some(("a", "99")), 1))
        .refused("99 is ahead of 2");
}

#[test]
fn m8_dead_letters_go_with_nobody_and_stay_when_their_run_leaves() {
    let mut pool = dead();
    pool.leave("scout")
        .records(["11 scout/3 left: left, 1 there"]);
    pool.dead_letters("operator", None, (None, 9))
        .answer("scout m1@4#2 released at 0s by 9");
    pool.replay("operator for scout", "4").refused("no member");
}
