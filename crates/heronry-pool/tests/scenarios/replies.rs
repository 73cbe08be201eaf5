//! Replies: what they reply to, which count, and when a message has what it asks for (M10).

use heronry_types::{LimitName, RunEnd};

use crate::scenario::{Joining, Letter, Scenario, Take};

/// A pool where `lead` has asked `a`, `b` and `c` for so many replies to `q1`, accepted at 6.
fn asked(expected: u32) -> Scenario {
    let mut pool = Scenario::of("lead a b c");
    pool.send("lead", &Letter::to("pool:p", "q1").asks(expected))
        .ok();
    pool
}

fn reply(message: &str) -> Letter {
    Letter::to("lead", message).reply_to("q1")
}

#[test]
fn m10_the_reply_that_makes_the_number_full_responds_the_message_in_its_append() {
    let mut pool = asked(2);
    pool.send("a", &reply("r1")).records([
        "8 a sent r1 to lead, replies to q1@6: counted",
        "9 r1@8 delivered to lead <- 8",
    ]);
    pool.send("b", &reply("r2"))
        .records([
            "10 b sent r2 to lead, replies to q1@6: counted",
            "11 r2@10 delivered to lead <- 10",
            "12 q1@6 responded by 10: queued#0, queued#0, queued#0 (engine) <- 6",
        ])
        .at_once();
    pool.receipt("lead", "q1")
        .answer("q1 responded at 6: a queued#0, b queued#0, c queued#0; a r1@8, b r2@10");
}

#[test]
fn m10_a_recipient_counts_once() {
    let mut pool = asked(2);
    pool.send("a", &reply("r1")).ok();
    pool.send("a", &reply("r2")).records([
        "10 a sent r2 to lead, replies to q1@6: uncounted",
        "11 r2@10 delivered to lead <- 10",
    ]);
    pool.send("b", &reply("r3")).records([
        "12 b sent r3 to lead, replies to q1@6: counted",
        "13 r3@12 delivered to lead <- 12",
        "14 q1@6 responded by 12: queued#0, queued#0, queued#0 (engine) <- 6",
    ]);
}

#[test]
fn m10_a_repeated_reply_counts_once() {
    let mut pool = asked(2);
    pool.send("a", &reply("r1")).ok();
    pool.kill();
    pool.send("a", &reply("r1")).nothing();
    pool.receipt("lead", "q1")
        .answer("q1 delivered at 6: a queued#0, b queued#0, c queued#0; a r1@8");
}

#[test]
fn m10_a_reply_after_the_end_is_delivered_and_marked_late() {
    let mut pool = asked(1);
    pool.send("a", &reply("r1")).ok();
    pool.send("b", &reply("r2")).records([
        "11 b sent r2 to lead, replies to q1@6: late",
        "12 r2@11 delivered to lead <- 11",
    ]);
    pool.receive("lead", "x")
        .answer("r1#1 8@13 until 60s to q1 counted, r2#1 11@13 until 60s to q1 late | 0 unread");
}

#[test]
fn m10_late_is_kept_after_a_kill() {
    let mut pool = asked(1);
    pool.send("a", &reply("r1")).ok();
    pool.send("b", &reply("r2")).ok();
    pool.kill();
    pool.receive("lead", "x")
        .answer("r1#1 8@13 until 60s to q1 counted, r2#1 11@13 until 60s to q1 late | 0 unread");
}

#[test]
fn m10_only_those_that_are_asked_count() {
    let mut pool = Scenario::of("lead a b");
    pool.send("lead", &Letter::to("pool:p", "q1").asks(1).of("b"))
        .ok();
    pool.send("a", &reply("r1")).records([
        "7 a sent r1 to lead, replies to q1@5: uncounted",
        "8 r1@7 delivered to lead <- 7",
    ]);
    pool.send("b", &reply("r2")).records([
        "9 b sent r2 to lead, replies to q1@5: counted",
        "10 r2@9 delivered to lead <- 9",
        "11 q1@5 responded by 9: queued#0, queued#0 (engine) <- 5",
    ]);
}

#[test]
fn m10_a_reply_of_who_got_no_copy_counts_for_nothing() {
    let mut pool = asked(1);
    pool.join("late").ok();
    pool.send("late", &reply("r1")).records([
        "9 late sent r1 to lead, replies to q1",
        "10 r1@9 delivered to lead <- 9",
    ]);
}

#[test]
fn m10_a_reply_that_the_requester_does_not_get_counts_for_nothing() {
    let mut pool = asked(1);
    pool.send("a", &Letter::to("b", "r1").reply_to("q1"))
        .records([
            "8 a sent r1 to b, replies to q1",
            "9 r1@8 delivered to b <- 8",
        ]);
    pool.send("a", &Letter::to("pool:p", "r2").reply_to("q1"))
        .records([
            "10 a sent r2 to pool:p, replies to q1@6: counted",
            "11 r2@10 delivered to b, c, lead <- 10",
            "12 q1@6 responded by 10: queued#0, queued#0, queued#0 (engine) <- 6",
        ]);
}

#[test]
fn m10_the_requester_never_counts() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").topics("t")).ok();
    pool.join(Joining::of("a").topics("t")).ok();
    pool.send("lead", &Letter::to("topic:t", "q1").asks(2))
        .refused("asks 2 of 1");
    pool.send("lead", &Letter::to("topic:t", "q1").asks(1)).ok();
    pool.send("lead", &reply("r1")).records([
        "6 lead sent r1 to lead, replies to q1@4: uncounted",
        "7 r1@6 delivered to lead <- 6",
    ]);
}

#[test]
fn m10_more_than_can_count_is_refused() {
    let mut pool = Scenario::of("lead a b");
    pool.send("lead", &Letter::to("pool:p", "q1").asks(3))
        .refused("asks 3 of 2");
    pool.send("lead", &Letter::to("pool:p", "q1").asks(2).of("a other"))
        .refused("asks 2 of 1");
    pool.send("lead", &Letter::to("a", "q1").asks(2))
        .refused("asks 2 of 1");
    pool.send("lead", &Letter::to("lead", "q1").asks(1))
        .refused("asks 1 of 0");
    pool.send("lead", &Letter::to("a", "q1").asks(1).of(""))
        .refused("asks 1 of 0");
    pool.send("lead", &Letter::to("pool:p", "q1").asks(u32::MAX))
        .refused("asks 4294967295 of 2");
    pool.send("lead", &Letter::to("pool:p", "q1").asks(2).of("a b other"))
        .ok();
}

#[test]
fn m10_who_has_no_room_cannot_be_asked() {
    let mut pool = Scenario::limited(&[(LimitName::InboxDepthMax, 2)], "lead a b");
    pool.say("lead", "a", "m1").ok();
    pool.send("lead", &Letter::to("pool:p", "q1").asks(2))
        .refused("asks 2 of 1");
    pool.send("lead", &Letter::to("pool:p", "q1").asks(1)).ok();
    pool.ack("b", "").ok();
    pool.send("a", &reply("r1")).records([
        "9 a sent r1 to lead, replies to q1@7: counted",
        "10 r1@9 delivered to lead <- 9",
        "11 q1@7 responded by 9: undeliverable#0 inbox_full, queued#0 (engine) <- 7",
    ]);
}

#[test]
fn m10_a_request_to_nobody_fails_and_is_not_refused() {
    let mut pool = Scenario::of("lead");
    pool.send("lead", &Letter::to("nobody", "q1").asks(1))
        .records([
            "3 lead sent q1 to nobody, asks 1",
            "4 q1@3 failed: no_such_member <- 3",
        ]);
}

#[test]
fn m10_a_contract_names_as_many_runs_as_a_message_reaches() {
    let mut pool = Scenario::limited(&[(LimitName::RecipientsPerMessageMax, 2)], "lead a");
    pool.send("lead", &Letter::to("a", "q1").asks(1).of("a b c"))
        .refused("recipients_per_message_max: 3 of 2");
    pool.send("lead", &Letter::to("a", "q1").asks(1).of("a b"))
        .ok();
}

#[test]
fn m10_acks_without_replies_that_leave_too_few_fail_the_message_at_once() {
    let mut pool = asked(2);
    pool.receive("a", "x").ok();
    pool.ack("a", "q1").records(["9 a acked q1 6@8 done"]);
    pool.receive("b", "x").ok();
    pool.ack("b", "q1")
        .records([
            "11 b acked q1 6@10 done",
            "12 q1@6 unsatisfiable: acked#1 done, acked#1 done, queued#0 (engine) <- 6",
        ])
        .at_once();
    pool.receipt("lead", "q1")
        .answer("q1 failed unsatisfiable at 6: a acked#1 done, b acked#1 done, c queued#0");
}

#[test]
fn m10_who_has_replied_may_ack() {
    let mut pool = asked(3);
    pool.send("a", &reply("r1")).ok();
    pool.receive("a", "x").ok();
    pool.ack("a", "q1").records(["11 a acked q1 6@10 done"]);
}

#[test]
fn m10_who_has_replied_may_leave() {
    let mut pool = asked(3);
    pool.send("a", &reply("r1")).ok();
    pool.leave("a").records(["10 a/3 left: left, 3 there"]);
}

#[test]
fn m10_a_departure_that_leaves_too_few_fails_the_message_in_the_same_append() {
    let mut pool = asked(3);
    pool.end("b", RunEnd::Failed)
        .records([
            "8 b/4 ended: failed, 3 there",
            "9 q1@6 unsatisfiable: queued#0, undeliverable#0 run_ended, queued#0 (engine) <- 6",
        ])
        .at_once();
}

#[test]
fn m10_a_copy_that_dies_can_fail_the_message() {
    let mut pool = asked(3);
    pool.configure("operator", 1, &[(LimitName::AttemptsMax, 1)])
        .ok();
    pool.receive("a", "x").ok();
    pool.release("a", "q1").records([
        "10 a dead q1@6#1: released (engine)",
        "11 q1@6 unsatisfiable: dead#1, queued#0, queued#0 (engine) <- 6",
    ]);
}

#[test]
fn m10_who_acked_may_still_reply_while_the_message_waits() {
    let mut pool = asked(1);
    pool.receive("a", "x").ok();
    pool.ack("a", "q1").ok();
    pool.send("a", &reply("r1")).records([
        "10 a sent r1 to lead, replies to q1@6: counted",
        "11 r1@10 delivered to lead <- 10",
        "12 q1@6 responded by 10: acked#1 done, queued#0, queued#0 (engine) <- 6",
    ]);
}

#[test]
fn m10_a_requester_that_left_is_answered_when_it_is_back() {
    let mut pool = asked(1);
    pool.leave("lead").records(["8 lead/2 left: left, 3 there"]);
    pool.receipt("operator for lead", "q1")
        .answer("q1 delivered at 6: a queued#0, b queued#0, c queued#0");
    pool.join("lead").ok();
    pool.send("a", &reply("r1")).records([
        "10 a sent r1 to lead, replies to q1@6: counted",
        "11 r1@10 delivered to lead <- 10",
        "12 q1@6 responded by 10: queued#0, queued#0, queued#0 (engine) <- 6",
    ]);
}

#[test]
fn m10_a_reply_to_a_requester_that_has_ended_reaches_nobody_and_counts_for_nothing() {
    let mut pool = asked(1);
    pool.end("lead", RunEnd::Completed)
        .records(["8 lead/2 ended: completed, 3 there"]);
    pool.send("a", &reply("r1")).records([
        "9 a sent r1 to lead, replies to q1",
        "10 r1@9 failed: run_ended <- 9",
    ]);
}

#[test]
fn m10_a_reply_is_to_the_latest_message_of_that_id_whose_sender_gets_it() {
    let mut pool = Scenario::of("a lead x");
    pool.send("lead", &Letter::to("a", "q1").asks(1)).ok();
    pool.send("x", &Letter::to("a", "q1").asks(1)).ok();
    pool.send("a", &Letter::to("pool:p", "r1").reply_to("q1"))
        .records([
            "9 a sent r1 to pool:p, replies to q1@7: counted",
            "10 r1@9 delivered to lead, x <- 9",
            "11 q1@7 responded by 9: queued#0 (engine) <- 7",
        ]);
    pool.send("a", &Letter::to("lead", "r2").reply_to("q1"))
        .records([
            "12 a sent r2 to lead, replies to q1@5: counted",
            "13 r2@12 delivered to lead <- 12",
            "14 q1@5 responded by 12: queued#0 (engine) <- 5",
        ]);
}

#[test]
fn m10_an_unresolved_reply_is_delivered_and_counts_for_nothing() {
    let mut pool = Scenario::of("lead a");
    pool.send("a", &Letter::to("lead", "r1").reply_to("nothing"))
        .records([
            "4 a sent r1 to lead, replies to nothing",
            "5 r1@4 delivered to lead <- 4",
        ]);
    pool.send("lead", &Letter::to("a", "nothing").asks(1)).ok();
    pool.send("a", &Letter::to("lead", "r1").reply_to("nothing"))
        .nothing();
    pool.receipt("lead", "nothing")
        .answer("nothing delivered at 6: a queued#0");
}

#[test]
fn m10_a_message_that_asks_for_nothing_can_be_replied_to() {
    let mut pool = Scenario::of("lead a");
    pool.say("lead", "a", "q1").ok();
    pool.send("a", &reply("r1")).records([
        "6 a sent r1 to lead, replies to q1@4: uncounted",
        "7 r1@6 delivered to lead <- 6",
    ]);
    pool.receipt("lead", "q1")
        .answer("q1 delivered at 4: a queued#0");
}

#[test]
fn m10_a_reply_that_has_expired_already_counts_for_nothing() {
    let mut pool = asked(1);
    pool.send("a", &reply("r1").expires_in(0)).records([
        "8 a sent r1 to lead, expires at 0s, replies to q1",
        "9 r1@8 expired: nothing <- 8",
    ]);
    pool.receipt("lead", "q1")
        .answer("q1 delivered at 6: a queued#0, b queued#0, c queued#0");
}

#[test]
fn m10_a_message_times_out_at_its_deadline() {
    let mut pool = Scenario::of("lead a");
    pool.send("lead", &Letter::to("a", "q1").asks(1).within(5_000))
        .records([
            "4 lead sent q1 to a, asks 1 by 5s",
            "5 q1@4 delivered to a <- 4",
        ])
        .answer("q1 delivered at 4: a queued#0; by 5s");
    pool.pass(4_999).nothing();
    pool.pass(1)
        .records(["6 q1@4 timed out: queued#0 (engine) <- 4"]);
    pool.send("a", &reply("r1")).records([
        "7 a sent r1 to lead, replies to q1@4: late",
        "8 r1@7 delivered to lead <- 7",
    ]);
}

#[test]
fn m10_a_timeout_of_nothing_is_over_at_once() {
    let mut pool = Scenario::of("lead a");
    pool.send("lead", &Letter::to("a", "q1").asks(1).within(0))
        .records([
            "4 lead sent q1 to a, asks 1 by 0s",
            "5 q1@4 delivered to a <- 4",
            "6 q1@4 timed out: queued#0 (engine) <- 4",
        ])
        .at_once();
    pool.receive("a", "x")
        .answer("q1#1 4@7 until 60s | 0 unread");
}

#[test]
fn m10_a_full_number_ends_the_wait_for_the_deadline() {
    let mut pool = Scenario::of("lead a");
    pool.send("lead", &Letter::to("a", "q1").asks(1).within(5_000))
        .ok();
    pool.send("a", &reply("r1")).ok();
    pool.pass(60_000).nothing();
}

#[test]
fn k2_a_reply_at_the_deadline_is_late() {
    let mut pool = Scenario::of("lead a");
    pool.send("lead", &Letter::to("a", "q1").asks(1).within(5_000))
        .ok();
    pool.stall(5_000);
    pool.send("a", &reply("r1")).records([
        "6 q1@4 timed out: queued#0 (engine) <- 4",
        "7 a sent r1 to lead, replies to q1@4: late",
        "8 r1@7 delivered to lead <- 7",
    ]);
}

#[test]
fn m10_a_deadline_counts_the_time_while_the_engine_was_down() {
    let mut pool = Scenario::of("lead a");
    pool.send("lead", &Letter::to("a", "q1").asks(1).within(5_000))
        .ok();
    pool.kill();
    pool.stall(5_000);
    pool.tick()
        .records(["6 q1@4 timed out: queued#0 (engine) <- 4"]);
}

#[test]
fn m10_whichever_of_expiry_and_deadline_is_first_ends_the_message() {
    let letter = |expires, within| {
        Letter::to("a", "q1")
            .asks(1)
            .expires_in(expires)
            .within(within)
    };
    let mut pool = Scenario::of("lead a");
    pool.send("lead", &letter(4_000, 5_000)).ok();
    pool.pass(9_000)
        .records(["6 q1@4 expired: expired#0 (engine) <- 4"]);
    let mut pool = Scenario::of("lead a");
    pool.send("lead", &letter(5_000, 4_000)).ok();
    pool.pass(9_000).records([
        "6 q1@4 timed out: queued#0 (engine) <- 4",
        "7 a dead q1@4#0: expired (engine)",
    ]);
    let mut pool = Scenario::of("lead a");
    pool.send("lead", &letter(4_000, 4_000)).ok();
    pool.pass(9_000)
        .records(["6 q1@4 expired: expired#0 (engine) <- 4"]);
}

#[test]
fn m10_both_were_first_while_the_engine_was_away() {
    let mut pool = Scenario::of("lead a");
    let letter = Letter::to("a", "q1")
        .asks(1)
        .expires_in(5_000)
        .within(4_000);
    pool.send("lead", &letter).ok();
    pool.kill();
    pool.stall(60_000);
    pool.tick().records([
        "6 q1@4 timed out: queued#0 (engine) <- 4",
        "7 a dead q1@4#0: expired (engine)",
    ]);
}

#[test]
fn m10_a_claim_at_the_deadline_of_an_expired_copy_times_out() {
    let mut pool = Scenario::of("lead a");
    let letter = Letter::to("a", "q1")
        .asks(1)
        .expires_in(4_000)
        .within(5_000);
    pool.send("lead", &letter).ok();
    pool.receive("a", Take::by("x").held_for(60_000)).ok();
    pool.pass(5_000)
        .records(["7 q1@4 timed out: claimed#1 (engine) <- 4"]);
}

#[test]
fn m11_a_cancelled_request_takes_no_more_replies() {
    let mut pool = asked(1);
    pool.cancel("lead", "q1").ok();
    pool.send("a", &reply("r1")).records([
        "9 a sent r1 to lead, replies to q1@6: late",
        "10 r1@9 delivered to lead <- 9",
    ]);
}
