//! Inboxes: receiving, claims, acknowledging, giving back and extending (M8).

use heronry_types::{AckOutcome, LimitName};

use crate::scenario::{Joining, Letter, Scenario, Take};

/// A pool where `scout` has the messages `m1`, `m2` and `m3`, accepted at 4, 6 and 8.
fn three() -> Scenario {
    let mut pool = Scenario::of("lead scout");
    for message in ["m1", "m2", "m3"] {
        pool.say("lead", "scout", message).ok();
    }
    pool
}

/// A pool where `scout` has claimed those messages for a minute, at 10.
fn claimed() -> Scenario {
    let mut pool = three();
    pool.receive("scout", "r1").ok();
    pool
}

#[test]
fn m8_a_receive_claims_at_most_so_many_and_tells_how_many_are_left() {
    let mut pool = three();
    pool.receive("scout", Take::by("r1").max(2))
        .records(["10 scout claimed m1@4#1, m2@6#1 by r1 until 60s"])
        .answer("m1#1 4@10 until 60s, m2#1 6@10 until 60s | 1 unread");
}

#[test]
fn m8_a_receive_of_nothing_records_nothing() {
    let mut pool = Scenario::of("scout");
    pool.receive("scout", "r1")
        .nothing()
        .answer("nothing | 0 unread");
    let mut pool = three();
    pool.receive("scout", Take::by("r1").max(0))
        .nothing()
        .answer("nothing | 3 unread");
}

#[test]
fn m8_the_same_receive_again_returns_the_same_live_claims() {
    let mut pool = claimed();
    pool.say("lead", "scout", "m4").ok();
    pool.receive("scout", "r1")
        .nothing()
        .answer("m1#1 4@10 until 60s, m2#1 6@10 until 60s, m3#1 8@10 until 60s | 1 unread");
    pool.ack("scout", "m2").ok();
    pool.receive("scout", "r1")
        .nothing()
        .answer("m1#1 4@10 until 60s, m3#1 8@10 until 60s | 1 unread");
    pool.kill();
    pool.tick().ok();
    pool.receive("scout", "r1")
        .nothing()
        .answer("m1#1 4@10 until 60s, m3#1 8@10 until 60s | 1 unread");
}

#[test]
fn m8_another_receive_gets_what_is_not_claimed() {
    let mut pool = three();
    pool.receive("scout", Take::by("r1").max(1)).ok();
    pool.receive("scout", "r2")
        .records(["11 scout claimed m2@6#1, m3@8#1 by r2 until 60s"]);
    pool.receive("scout", "r3").nothing();
}

#[test]
fn m8_a_receive_whose_claims_have_all_ended_is_another_one() {
    let mut pool = claimed();
    pool.ack("scout", "m1, m2, m3").ok();
    pool.say("lead", "scout", "m4").ok();
    pool.receive("scout", "r1")
        .records(["17 scout claimed m4@15#1 by r1 until 60s"])
        .answer("m4#1 15@17 until 60s | 0 unread");
}

#[test]
fn m8_a_receive_is_as_large_and_as_long_as_the_limits_say() {
    let limits = [(LimitName::PageItemsMax, 2), (LimitName::ClaimMsMax, 1_000)];
    let mut pool = Scenario::limited(&limits, "lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", Take::by("r1").max(3).held_for(1_000))
        .refused("page_items_max: 3 of 2");
    pool.receive("scout", Take::by("r1").max(2).held_for(1_001))
        .refused("claim_ms_max: 1001 of 1000");
    pool.receive("scout", Take::by("r1").max(2).held_for(1_000))
        .records(["6 scout claimed m1@4#1 by r1 until 1s"]);
}

#[test]
fn m8_looking_claims_nothing() {
    let mut pool = three();
    pool.peek("scout", 2)
        .nothing()
        .answer("m1#0, m2#0 | 3 unread");
    pool.receive("scout", Take::by("r1").max(1)).ok();
    pool.peek("scout", 9)
        .nothing()
        .answer("m2#0, m3#0 | 2 unread");
    let mut pool = Scenario::limited(&[(LimitName::PageItemsMax, 2)], "scout");
    pool.peek("scout", 2).nothing();
    pool.peek("scout", 3).refused("page_items_max: 3 of 2");
}

#[test]
fn m8_an_ack_ends_the_copy_and_says_how() {
    let mut pool = claimed();
    pool.ack_as("scout", "m2", AckOutcome::Blocked)
        .records([
            "11 scout acked m2 6@10 blocked",
            "12 m2@6 settled: acked#1 blocked (engine) <- 6",
        ])
        .answer("at 11");
    pool.receipt("lead", "m2")
        .answer("m2 settled at 6: scout acked#1 blocked");
}

#[test]
fn m8_an_ack_of_several_is_one_record() {
    let mut pool = claimed();
    pool.ack("scout", "m3, m1")
        .records([
            "11 scout acked m1 4@10, m3 8@10 done",
            "12 m1@4 settled: acked#1 done (engine) <- 4",
            "13 m3@8 settled: acked#1 done (engine) <- 8",
        ])
        .at_once()
        .answer("at 11");
}

#[test]
fn m8_a_claim_that_is_named_twice_is_acked_once() {
    let mut pool = claimed();
    pool.ack("scout", "m1, m1").records([
        "11 scout acked m1 4@10 done",
        "12 m1@4 settled: acked#1 done (engine) <- 4",
    ]);
}

#[test]
fn m8_acking_again_gives_the_same_answer_and_records_nothing() {
    let mut pool = claimed();
    pool.ack("scout", "m1").ok();
    pool.ack("scout", "m1").nothing().answer("at 11");
    pool.ack_as("scout", "m1", AckOutcome::Rejected)
        .nothing()
        .answer("at 11");
    pool.kill();
    pool.tick().ok();
    pool.ack("scout", "m1").nothing().answer("at 11");
}

#[test]
fn m8_an_ack_of_old_and_new_records_the_new_ones() {
    let mut pool = claimed();
    pool.ack("scout", "m1").ok();
    pool.ack("scout", "m1, m2").records([
        "13 scout acked m2 6@10 done",
        "14 m2@6 settled: acked#1 done (engine) <- 6",
    ]);
}

#[test]
fn m8_up_to_acks_the_earlier_ones_of_the_same_receive_only() {
    let mut pool = Scenario::of("lead scout");
    for message in ["m1", "m2", "m3", "m4"] {
        pool.say("lead", "scout", message).ok();
    }
    pool.receive("scout", Take::by("r1").max(1)).ok();
    pool.receive("scout", Take::by("r2").max(3)).ok();
    pool.ack_up_to("scout", "m3").records([
        "14 scout acked m2 6@13, m3 8@13 done",
        "15 m2@6 settled: acked#1 done (engine) <- 6",
        "16 m3@8 settled: acked#1 done (engine) <- 8",
    ]);
    pool.receipt("lead", "m1")
        .answer("m1 delivered at 4: scout claimed#1");
    pool.receipt("lead", "m4")
        .answer("m4 delivered at 10: scout claimed#1");
}

#[test]
fn m8_up_to_again_records_nothing() {
    let mut pool = claimed();
    pool.ack_up_to("scout", "m2").ok();
    pool.ack_up_to("scout", "m2").nothing().answer("at 11");
}

#[test]
fn m8_up_to_follows_the_order_in_which_copies_were_handed_over() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.send("lead", &Letter::to("scout", "m2").interrupt())
        .ok();
    pool.say("lead", "scout", "m3").ok();
    pool.receive("scout", "r1")
        .answer("m2#1 6@10 until 60s, m1#1 4@10 until 60s, m3#1 8@10 until 60s | 0 unread");
    pool.ack_up_to("scout", "m1").records([
        "11 scout acked m1 4@10, m2 6@10 done",
        "12 m1@4 settled: acked#1 done (engine) <- 4",
        "13 m2@6 settled: acked#1 done (engine) <- 6",
    ]);
}

#[test]
fn m8_claims_that_were_made_up_or_are_anothers_are_unknown() {
    let mut pool = claimed();
    pool.say("lead", "lead", "own").ok();
    pool.receive("lead", "r1").ok();
    for claim in ["4@9", "5@10", "99@100", "11@13"] {
        pool.ack("scout", claim)
            .refused(&format!("unknown {claim}"));
        pool.ack_up_to("scout", claim)
            .refused(&format!("unknown {claim}"));
        pool.release("scout", claim)
            .refused(&format!("unknown {claim}"));
        pool.extend("scout", claim, 1_000)
            .refused(&format!("unknown {claim}"));
    }
    pool.ack("lead", "4@10").refused("unknown 4@10");
    pool.ack("lead", "own").ok();
}

#[test]
fn m8_one_claim_that_is_not_held_refuses_the_whole() {
    let mut pool = claimed();
    pool.release("scout", "m1").ok();
    pool.ack("scout", "m1, m2").refused("lapsed 4@10");
    pool.extend("scout", "m2, m1", 1_000).refused("lapsed 4@10");
    pool.release("scout", "m3, m1").refused("lapsed 4@10");
    pool.ack("scout", "m2").ok();
}

#[test]
fn m8_claims_of_one_call_are_as_many_as_a_page_has() {
    let mut pool = claimed();
    pool.configure("operator", 1, &[(LimitName::PageItemsMax, 1)])
        .ok();
    pool.ack("scout", "m1, m2")
        .refused("page_items_max: 2 of 1");
    pool.ack_up_to("scout", "m2")
        .refused("page_items_max: 2 of 1");
    pool.ack("scout", "m1").ok();
}

#[test]
fn m8_a_note_of_an_ack_is_as_long_as_the_limit_says() {
    let mut pool = claimed();
    pool.configure("operator", 1, &[(LimitName::NoteBytesMax, 3)])
        .ok();
    pool.ack_with("scout", "m1", "four")
        .refused("note_bytes_max: 4 of 3");
    pool.ack_with("scout", "m1", "one").records([
        "12 scout acked m1 4@10 done (one)",
        "13 m1@4 settled: acked#1 done (engine) <- 4",
    ]);
}

#[test]
fn m8_a_claim_lapses_at_its_time_and_the_copy_comes_back_as_the_next_attempt() {
    let mut pool = claimed();
    pool.pass(59_999).nothing();
    pool.pass(1)
        .records(["11 scout released m1 4@10, m2 6@10, m3 8@10 lapsed (engine)"]);
    pool.receive("scout", Take::by("r2").max(1))
        .records(["12 scout claimed m1@4#2 by r2 until 120s"])
        .answer("m1#2 4@12 until 120s | 2 unread");
}

#[test]
fn m8_a_lapsed_claim_neither_acks_nor_gives_back_the_newer_one() {
    let mut pool = claimed();
    pool.pass(60_000).ok();
    pool.receive("scout", "r2").ok();
    pool.ack("scout", "m1 of r1").refused("lapsed 4@10");
    pool.release("scout", "m1 of r1").refused("lapsed 4@10");
    pool.ack("scout", "m1 of r2").ok();
    pool.ack("scout", "m1 of r1").refused("lapsed 4@10");
}

#[test]
fn m8_a_lapsed_claim_is_still_known_after_a_kill_and_after_the_end_of_the_message() {
    let mut pool = claimed();
    pool.pass(60_000).ok();
    pool.receive("scout", "r2").ok();
    pool.ack("scout", "m1 of r2").ok();
    pool.kill();
    pool.tick().ok();
    pool.ack("scout", "m1 of r1").refused("lapsed 4@10");
    pool.ack("scout", "m1 of r2").nothing().answer("at 13");
}

#[test]
fn k2_a_claim_that_is_due_cannot_be_acked_any_more() {
    let mut pool = claimed();
    pool.stall(60_000);
    let step = pool.ack("scout", "m1");
    step.refused_after(
        ["11 scout released m1 4@10, m2 6@10, m3 8@10 lapsed (engine)"],
        "lapsed 4@10",
    );
}

#[test]
fn m8_a_release_returns_the_copy_to_its_place_and_counts() {
    let mut pool = claimed();
    pool.release("scout", "m1")
        .records(["11 scout released m1 4@10 released"])
        .answer("at 11");
    pool.say("lead", "scout", "m4").ok();
    pool.receive("scout", "r2")
        .records(["14 scout claimed m1@4#2, m4@12#1 by r2 until 60s"])
        .answer("m1#2 4@14 until 60s, m4#1 12@14 until 60s | 0 unread");
}

#[test]
fn m8_a_release_with_a_delay_hides_the_copy_so_long() {
    let mut pool = claimed();
    pool.release_for("scout", "m1", 5_000)
        .records(["11 scout released m1 4@10 released, visible at 5s"]);
    pool.pass(4_999).nothing();
    pool.receive("scout", "r2")
        .nothing()
        .answer("nothing | 1 unread");
    pool.pass(1).nothing();
    pool.receive("scout", "r2")
        .records(["12 scout claimed m1@4#2 by r2 until 65s"]);
}

#[test]
fn m8_a_delay_goes_on_through_a_kill() {
    let mut pool = claimed();
    pool.release_for("scout", "m1", 5_000).ok();
    pool.reopen().ok();
    pool.receive("scout", "r2").nothing();
    pool.pass(5_000).nothing();
    pool.receive("scout", "r2")
        .records(["13 scout claimed m1@4#2 by r2 until 65s"]);
}

#[test]
fn m8_a_delay_is_as_long_as_the_limit_says() {
    let mut pool = claimed();
    pool.configure("operator", 1, &[(LimitName::ClaimMsMax, 1_000)])
        .ok();
    pool.release_for("scout", "m1", 1_001)
        .refused("claim_ms_max: 1001 of 1000");
    pool.release_for("scout", "m1", 1_000).ok();
}

#[test]
fn m8_releasing_what_was_acked_or_nothing_records_nothing() {
    let mut pool = claimed();
    pool.ack("scout", "m1").ok();
    pool.release("scout", "m1").nothing().answer("at 12");
    pool.release("scout", "").nothing();
}

#[test]
fn m8_extending_holds_a_claim_from_now_on() {
    let mut pool = claimed();
    pool.pass(30_000).ok();
    pool.extend("scout", "m1", 60_000)
        .records(["11 scout extended m1 4@10 until 90s"])
        .answer("holds 4@10 at 11");
    pool.pass(30_000)
        .records(["12 scout released m2 6@10, m3 8@10 lapsed (engine)"]);
    pool.pass(30_000)
        .records(["13 scout released m1 4@10 lapsed (engine)"]);
}

#[test]
fn m8_extending_may_shorten_a_claim() {
    let mut pool = claimed();
    pool.extend("scout", "m1", 1_000)
        .records(["11 scout extended m1 4@10 until 1s"]);
    pool.pass(1_000)
        .records(["12 scout released m1 4@10 lapsed (engine)"]);
}

#[test]
fn m8_extending_what_was_acked_says_what_is_held() {
    let mut pool = claimed();
    pool.ack("scout", "m1").ok();
    pool.extend("scout", "m1, m2", 60_000)
        .records(["13 scout extended m2 6@10 until 60s"])
        .answer("holds 6@10 at 13");
    pool.extend("scout", "m1", 60_000)
        .nothing()
        .answer("holds nothing at 13");
}

#[test]
fn m8_an_extension_is_as_long_as_the_limit_says() {
    let mut pool = claimed();
    pool.configure("operator", 1, &[(LimitName::ClaimMsMax, 1_000)])
        .ok();
    pool.extend("scout", "m1", 1_001)
        .refused("claim_ms_max: 1001 of 1000");
    pool.extend("scout", "m1", 1_000).ok();
}

#[test]
fn m8_an_extension_is_there_after_a_kill() {
    let mut pool = claimed();
    pool.extend("scout", "m1", 600_000).ok();
    pool.reopen().ok();
    pool.pass(60_000)
        .records(["13 scout released m2 6@10, m3 8@10 lapsed (engine)"]);
    pool.ack("scout", "m1").ok();
}

#[test]
fn m8_an_answer_that_nobody_took_gives_its_copies_back_uncounted() {
    let mut pool = claimed();
    pool.ack("scout", "m2").ok();
    pool.unanswered("scout", "r1")
        .records(["13 scout released m1 4@10, m3 8@10 unanswered (engine)"]);
    pool.unanswered("scout", "r1").nothing();
    pool.receive("scout", "r1")
        .records(["14 scout claimed m1@4#1, m3@8#1 by r1 until 60s"]);
}

#[test]
fn m8_an_answer_that_nobody_took_of_who_left_needs_nothing() {
    let mut pool = claimed();
    pool.leave("scout").ok();
    pool.unanswered("scout", "r1").nothing();
}

#[test]
fn m8_only_messages_that_are_named_are_claimed() {
    let mut pool = three();
    pool.receive("scout", Take::by("r1").these(&[8, 4]))
        .records(["10 scout claimed m1@4#1, m3@8#1 by r1 by name until 60s"]);
    pool.receive("scout", Take::by("r2").these(&[4, 5]))
        .nothing();
    pool.receive("scout", Take::by("r3").these(&[99]))
        .refused("99 is ahead of 10");
}

#[test]
fn m8_as_many_messages_are_named_as_a_page_has() {
    let mut pool = three();
    pool.configure("operator", 1, &[(LimitName::PageItemsMax, 1)])
        .ok();
    pool.receive("scout", Take::by("r1").max(1).these(&[4, 6]))
        .refused("page_items_max: 2 of 1");
    pool.receive("scout", Take::by("r1").max(1).these(&[6]))
        .records(["11 scout claimed m2@6#1 by r1 by name until 60s"]);
}

#[test]
fn m8_a_receive_goes_on_past_copies_that_cannot_be_handed_over() {
    let mut pool = Scenario::of("");
    for run in ["lead", "scout"] {
        pool.join(Joining::of(run).policies("secret")).ok();
    }
    pool.send("lead", &Letter::to("scout", "m1").policies("secret"))
        .ok();
    pool.send("lead", &Letter::to("scout", "m2").policies("secret"))
        .ok();
    pool.say("lead", "scout", "m3").ok();
    pool.join(Joining::of("scout").policies("").instance("i2"))
        .ok();
    pool.peek("scout", 1).nothing().answer("m3#0 | 3 unread");
    pool.receive("scout", Take::by("r1").max(1))
        .records([
            "11 scout claimed m3@8#1 by r1 until 60s, undeliverable m1@4 policy, m2@6 policy",
            "12 m1@4 settled: undeliverable#0 policy (engine) <- 4",
            "13 m2@6 settled: undeliverable#0 policy (engine) <- 6",
        ])
        .answer("m3#1 8@11 until 60s | 0 unread");
}
