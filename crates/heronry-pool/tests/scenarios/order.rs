//! Order: importance, delays, and messages that are handed over one after the other (M9).

use crate::scenario::{Joining, Letter, Scenario, Take};

fn ordered(message: &str) -> Letter {
    Letter::to("scout", message).ordered()
}

#[test]
fn m9_copies_of_one_importance_come_in_the_order_of_acceptance() {
    let mut pool = Scenario::of("a b scout");
    pool.say("b", "scout", "m1").ok();
    pool.say("a", "scout", "m2").ok();
    pool.say("b", "scout", "m3").ok();
    pool.receive("scout", "r1")
        .answer("m1#1 5@11 until 60s, m2#1 7@11 until 60s, m3#1 9@11 until 60s | 0 unread");
}

#[test]
fn m9_more_urgent_copies_come_first() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "usual").ok();
    pool.send("lead", &Letter::to("scout", "steer1").steer())
        .ok();
    pool.send("lead", &Letter::to("scout", "urgent").interrupt())
        .ok();
    pool.send("lead", &Letter::to("scout", "steer2").steer())
        .ok();
    pool.peek("scout", 9)
        .answer("urgent#0, steer1#0, steer2#0, usual#0 | 4 unread");
    pool.receive("scout", "r1").answer("urgent#1 8@12 until 60s, steer1#1 6@12 until 60s, steer2#1 10@12 until 60s, usual#1 4@12 until 60s | 0 unread");
}

#[test]
fn m9_an_urgent_copy_that_is_given_back_keeps_its_turn() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &Letter::to("scout", "m1").steer()).ok();
    pool.send("lead", &Letter::to("scout", "m2").steer()).ok();
    pool.receive("scout", Take::by("r1").max(1)).ok();
    pool.release("scout", "m1").ok();
    pool.receive("scout", "r2")
        .answer("m1#2 4@10 until 60s, m2#1 6@10 until 60s | 0 unread");
}

#[test]
fn m9_a_delayed_copy_comes_at_its_time_behind_those_that_were_there_before() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &Letter::to("scout", "late").after(5_000))
        .ok();
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1")
        .answer("m1#1 6@8 until 60s | 1 unread");
    pool.pass(4_999).ok();
    pool.receive("scout", "r2").nothing();
    pool.say("lead", "scout", "m2").ok();
    pool.pass(1).ok();
    pool.say("lead", "scout", "m3").ok();
    pool.receive("scout", "r3")
        .answer("m2#1 9@13 until 65s, late#1 4@13 until 65s, m3#1 11@13 until 65s | 0 unread");
}

#[test]
fn m9_the_engine_looks_again_when_a_copy_can_be_claimed() {
    let mut pool = Scenario::of("lead scout");
    assert_eq!(pool.alarm(), None);
    pool.send("lead", &Letter::to("scout", "late").after(5_000))
        .ok();
    assert_eq!(pool.alarm().as_deref(), Some("5s"));
    pool.pass(5_000).ok();
    assert_eq!(pool.alarm(), None);
    pool.receive("scout", "r1").ok();
    pool.release_for("scout", "late", 2_000).ok();
    assert_eq!(pool.alarm().as_deref(), Some("7s"));
    pool.kill();
    assert_eq!(pool.alarm().as_deref(), Some("7s"));
}

#[test]
fn m9_a_delay_goes_on_through_a_kill() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &Letter::to("scout", "late").after(5_000))
        .ok();
    pool.pass(3_000).ok();
    pool.kill();
    pool.receive("scout", "r1").nothing();
    pool.pass(2_000).ok();
    pool.receive("scout", "r1")
        .records(["6 scout claimed late@4#1 by r1 until 65s"]);
}

#[test]
fn m9_a_delayed_copy_expires_and_is_cancelled_as_any_other() {
    let mut pool = Scenario::of("lead scout");
    pool.send(
        "lead",
        &Letter::to("scout", "m1").after(5_000).expires_in(4_000),
    )
    .ok();
    pool.send("lead", &Letter::to("scout", "m2").after(5_000))
        .ok();
    pool.cancel("lead", "m2")
        .records(["8 m2@6 cancelled: cancelled#0 <- 6"]);
    pool.pass(5_000)
        .records(["9 m1@4 expired: expired#0 (engine) <- 4"]);
    pool.receive("scout", "r1")
        .nothing()
        .answer("nothing | 0 unread");
}

#[test]
fn m9_one_ordered_copy_of_a_sender_is_under_way_and_the_next_follows_its_end() {
    let mut pool = Scenario::of("lead other scout");
    pool.send("lead", &ordered("m1")).ok();
    pool.send("lead", &ordered("m2")).ok();
    pool.send("other", &ordered("o1")).ok();
    pool.receive("scout", "r1")
        .records(["11 scout claimed m1@5#1, o1@9#1 by r1 until 60s"]);
    pool.receive("scout", "r2").nothing();
    pool.ack("scout", "m1").ok();
    pool.receive("scout", "r3")
        .records(["14 scout claimed m2@7#1 by r3 until 60s"]);
}

#[test]
fn m9_unordered_copies_pass_ordered_ones() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &ordered("m1")).ok();
    pool.send("lead", &ordered("m2")).ok();
    pool.say("lead", "scout", "m3").ok();
    pool.receive("scout", "r1")
        .answer("m1#1 4@10 until 60s, m3#1 8@10 until 60s | 1 unread");
}

#[test]
fn m9_an_ordered_copy_that_is_given_back_holds_up_those_behind_it() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &ordered("m1")).ok();
    pool.send("lead", &ordered("m2")).ok();
    pool.receive("scout", "r1").ok();
    pool.release_for("scout", "m1", 60_000).ok();
    pool.receive("scout", "r2")
        .nothing()
        .answer("nothing | 2 unread");
    pool.pass(60_000).ok();
    pool.receive("scout", "r2")
        .answer("m1#2 4@10 until 120s | 1 unread");
}

#[test]
fn m9_an_ordered_copy_that_lapsed_holds_up_those_behind_it() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &ordered("m1")).ok();
    pool.send("lead", &ordered("m2").interrupt()).ok();
    pool.receive("scout", Take::by("r1").held_for(1_000))
        .answer("m2#1 6@8 until 1s | 1 unread");
    pool.pass(1_000).ok();
    pool.receive("scout", "r2")
        .answer("m2#2 6@10 until 61s | 1 unread");
}

#[test]
fn m9_an_ordered_copy_is_given_back_for_a_minute_at_the_most() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &ordered("m1")).ok();
    pool.say("lead", "scout", "m2").ok();
    pool.receive("scout", "r1").ok();
    pool.release_for("scout", "m1", 60_001)
        .refused("ordered: 60s at the most");
    pool.release_for("scout", "m2, m1", 60_001)
        .refused("ordered: 60s at the most");
    pool.release_for("scout", "m2", 60_001).ok();
    pool.release_for("scout", "m1", 60_000).ok();
}

#[test]
fn m9_the_next_passes_when_the_one_before_died_expired_or_was_cancelled() {
    let ends: [fn(&mut Scenario); 3] = [
        |pool| {
            pool.configure("operator", 1, &[(heronry_types::LimitName::AttemptsMax, 1)])
                .ok();
            pool.release("scout", "m1").ok();
        },
        |pool| {
            pool.release("scout", "m1").ok();
            pool.cancel("lead", "m1").ok();
        },
        |pool| {
            pool.release("scout", "m1").ok();
            pool.pass(9_000).ok();
        },
    ];
    for end in ends {
        let mut pool = Scenario::of("lead scout");
        pool.send("lead", &ordered("m1").expires_in(9_000)).ok();
        pool.send("lead", &ordered("m2")).ok();
        pool.receive("scout", "r1").ok();
        end(&mut pool);
        let next = pool.peek("scout", 9);
        next.answer("m2#0 | 1 unread");
    }
}

#[test]
fn m9_what_is_ordered_stays_so_through_a_takeover_and_a_kill() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &ordered("m1")).ok();
    pool.send("lead", &ordered("m2")).ok();
    pool.receive("scout", "r1").ok();
    pool.kill();
    pool.tick().ok();
    pool.receive("scout", "r2").nothing();
    pool.join(Joining::of("scout").instance("i2")).ok();
    pool.receive("scout", Take::by("r3").these(&[6])).nothing();
    pool.receive("scout", "r4")
        .answer("m1#1 4@11 until 60s | 1 unread");
}

#[test]
fn m9_a_receive_by_name_passes_over_others_but_not_over_ordered_ones() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.send("lead", &ordered("m2")).ok();
    pool.send("lead", &ordered("m3")).ok();
    pool.receive("scout", Take::by("r1").these(&[8])).nothing();
    pool.receive("scout", Take::by("r2").these(&[6]))
        .records(["10 scout claimed m2@6#1 by r2 by name until 60s"]);
}
