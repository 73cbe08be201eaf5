//! Inboxes that are full (M8).

use heronry_types::LimitName;

use crate::scenario::{Letter, Scenario, Take};

#[test]
fn m8_a_full_inbox_refuses_what_is_sent_to_its_run() {
    let mut pool = Scenario::limited(&[(LimitName::InboxDepthMax, 4)], "a b scout");
    for (by, message) in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("b", "b2")] {
        pool.say(by, "scout", message).ok();
    }
    pool.say("scout", "scout", "m5").refused("full: 4");
    pool.receive("scout", Take::by("r1").max(1)).ok();
    pool.say("scout", "scout", "m5").refused("full: 4");
    pool.ack("scout", "a1").ok();
    pool.say("scout", "scout", "m5").records([
        "16 scout sent m5 to scout",
        "17 m5@16 delivered to scout <- 16",
    ]);
}

#[test]
fn m8_one_sender_fills_at_most_half_of_an_inbox() {
    let mut pool = Scenario::limited(&[(LimitName::InboxDepthMax, 4)], "a b scout");
    pool.say("a", "scout", "a1").ok();
    pool.say("a", "scout", "a2").ok();
    pool.say("a", "scout", "a3").refused("full: 4");
    pool.say("b", "scout", "b1").ok();
    pool.receive("scout", Take::by("r1").max(1)).ok();
    pool.ack("scout", "a1").ok();
    pool.say("a", "scout", "a3").ok();
}

#[test]
fn m8_a_broadcast_skips_a_full_inbox_and_the_receipt_shows_it() {
    let mut pool = Scenario::limited(&[(LimitName::InboxDepthMax, 2)], "lead a b");
    pool.say("lead", "a", "m1").ok();
    pool.say("lead", "pool:p", "m2")
        .records([
            "7 lead sent m2 to pool:p",
            "8 m2@7 delivered to a (full), b <- 7",
        ])
        .answer("m2 delivered at 7: a undeliverable#0 inbox_full, b queued#0");
    pool.kill();
    pool.receive("a", "r1")
        .answer("m1#1 5@9 until 60s | 0 unread");
}

#[test]
fn m8_a_message_for_which_nobody_has_room_is_settled_at_once() {
    let mut pool = Scenario::limited(&[(LimitName::InboxDepthMax, 2)], "lead a");
    pool.say("lead", "a", "m1").ok();
    pool.say("lead", "pool:p", "m2")
        .records([
            "6 lead sent m2 to pool:p",
            "7 m2@6 delivered to a (full) <- 6",
            "8 m2@6 settled: undeliverable#0 inbox_full (engine) <- 6",
        ])
        .at_once()
        .answer("m2 settled at 6: a undeliverable#0 inbox_full");
}

#[test]
fn m8_on_full_says_what_becomes_of_a_message() {
    let mut pool = Scenario::limited(&[(LimitName::InboxDepthMax, 2)], "lead a b");
    pool.say("lead", "a", "m1").ok();
    pool.send("lead", &Letter::to("a", "m2").skip_when_full())
        .records([
            "7 lead sent m2 to a, skip when full",
            "8 m2@7 delivered to a (full) <- 7",
            "9 m2@7 settled: undeliverable#0 inbox_full (engine) <- 7",
        ]);
    pool.send("lead", &Letter::to("pool:p", "m3").refuse_when_full())
        .refused("full: 2");
}

#[test]
fn m8_room_counts_again_when_copies_end_in_whatever_way() {
    let ends: [fn(&mut Scenario); 3] = [
        |pool| pool.cancel("lead", "m1").ok(),
        |pool| pool.pass(9_000).ok(),
        |pool| {
            pool.leave("a").ok();
            pool.join("a").ok();
        },
    ];
    for end in ends {
        let mut pool = Scenario::limited(&[(LimitName::InboxDepthMax, 2)], "lead a");
        pool.send("lead", &Letter::to("a", "m1").expires_in(9_000))
            .ok();
        pool.say("lead", "a", "m2").refused("full: 2");
        end(&mut pool);
        pool.say("lead", "a", "m2").ok();
    }
}
