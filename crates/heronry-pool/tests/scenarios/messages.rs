//! Sending: the message, the order of checks, policies, addresses, the outcome and the receipt (M1, M2, M4 to M7).

use heronry_types::{LimitName, PoolSpec, RunEnd};

use crate::scenario::{Joining, Letter, Scenario, Take, notation::policies};

fn requiring(required: &str) -> PoolSpec {
    PoolSpec {
        required_policies: Some(policies(required)),
        ..PoolSpec::default()
    }
}

#[test]
fn m1_a_message_is_accepted_with_what_its_sender_asked_for() {
    let mut pool = Scenario::of("lead scout");
    let letter = Letter::to("scout", "m1")
        .expires_in(9_000)
        .asks(1)
        .of("scout")
        .within(4_000);
    let letter = letter.steer().after(1_000).ordered().skip_when_full();
    pool.send("lead", &letter).records([
    "4 lead sent m1 to scout, expires at 9s, asks 1 of scout by 4s, steer, after 1s, ordered, skip when full",
    "5 m1@4 delivered to scout <- 4",
]).answer("m1 delivered at 4: scout queued#0; by 4s");
}

#[test]
fn m1_a_body_is_stored_with_its_message_once() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    assert_eq!(pool.bodies(), 1);
    pool.say("lead", "scout", "m1").nothing();
    pool.send("lead", &Letter::to("scout", "m2").naming("m1"))
        .ok();
    assert_eq!(pool.bodies(), 1);
}

#[test]
fn m1_an_id_that_nobody_chose_follows_from_the_key() {
    let mut pool = Scenario::of("lead scout");
    let letter = Letter::to("scout", "-").key("k1").without_id();
    pool.send("lead", &letter).records([
        "4 lead sent m-69657b0fd084e8fa14dedb55f4df0afd to scout",
        "5 m-69657b0fd084e8fa14dedb55f4df0afd@4 delivered to scout <- 4",
    ]);
    pool.send("lead", &letter)
        .nothing()
        .answer("m-69657b0fd084e8fa14dedb55f4df0afd delivered at 4: scout queued#0, repeated");
    pool.kill();
    pool.send("lead", &letter).nothing();
}

#[test]
fn m1_an_inline_body_has_as_many_bytes_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::BodyInlineBytesMax, 3)], "lead scout");
    pool.send("lead", &Letter::to("scout", "m1").body("four"))
        .refused("body_inline_bytes_max: 4 of 3");
    assert_eq!(pool.bodies(), 0);
    pool.send("lead", &Letter::to("scout", "m1").body("123"))
        .ok();
}

#[test]
fn m1_a_message_has_as_many_correlations_and_policies_as_the_limits_say() {
    let limits = [
        (LimitName::CorrelationEntriesMax, 1),
        (LimitName::PoliciesMax, 1),
    ];
    let mut pool = Scenario::limited(&limits, "scout");
    pool.join(Joining::of("lead").policies("a")).ok();
    let letter = Letter::to("scout", "m1").correlation("a", "1");
    pool.send("lead", &letter.clone().correlation("b", "2"))
        .refused("correlation_entries_max: 2 of 1");
    pool.send("lead", &letter.policies("a b"))
        .refused("policies_max: 2 of 1");
    pool.send("lead", &Letter::to("scout", "m1").correlation("a", "1"))
        .ok();
}

#[test]
fn m1_a_media_type_has_255_bytes_at_the_most() {
    let mut pool = Scenario::of("lead scout");
    let text = |bytes| "t".repeat(bytes);
    pool.send("lead", &Letter::to("scout", "m1").media_type(&text(256)))
        .refused("too large: 256 of 255");
    pool.send("lead", &Letter::to("scout", "m1").media_type(&text(255)))
        .ok();
}

#[test]
fn m1_spans_end_within_the_calendar() {
    let mut pool = Scenario::of("lead scout");
    let span = u64::MAX;
    let letter = || Letter::to("scout", "m1");
    pool.send("lead", &letter().expires_in(span))
        .refused("expires_in_ms past the calendar");
    pool.send("lead", &letter().after(span))
        .refused("deliver_after_ms past the calendar");
    pool.send("lead", &letter().asks(1).within(span))
        .refused("response_contract.timeout_ms past the calendar");
}

#[test]
fn m1_an_erased_body_cannot_be_sent() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.send("lead", &Letter::to("scout", "m2").naming_erased("m1"))
        .refused("erased at 0s");
}

#[test]
fn m2_an_equal_repeat_is_answered_to_who_left_was_lost_or_ended() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.leave("lead").ok();
    pool.say("lead", "scout", "m1")
        .nothing()
        .answer("m1 delivered at 4: scout queued#0, repeated");
    pool.join("lead").ok();
    pool.say("lead/1", "scout", "m1").nothing();
    pool.end("lead", RunEnd::Failed).ok();
    pool.say("lead", "scout", "m1")
        .nothing()
        .answer("m1 delivered at 4: scout queued#0, repeated");
}

#[test]
fn m2_a_lost_sender_gets_its_receipt_again_and_is_back() {
    let mut pool = Scenario::of("scout");
    pool.join(Joining::of("lead").lease(1_000)).ok();
    pool.say("lead", "scout", "m1").ok();
    pool.pass(1_000).ok();
    pool.say("lead", "scout", "m1")
        .records(["7 lead/3 is back: heard of"])
        .answer("m1 delivered at 4: scout queued#0, repeated");
}

#[test]
fn m2_a_repeat_and_a_conflict_are_told_before_the_standing() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.leave("lead").ok();
    pool.say("lead", "scout", "m2").refused("no member");
    pool.say("lead", "scout", "m1").nothing();
    pool.send("lead", &Letter::to("scout", "m1").body("other"))
        .refused("conflict with 4: IdempotencyKey");
}

#[test]
fn m2_standing_comes_before_limits_limits_before_policies_and_those_before_addresses() {
    let mut pool = Scenario::limited(&[(LimitName::BodyInlineBytesMax, 3)], "lead scout");
    let letter = Letter::to("nobody", "m1").policies("secret");
    let large = letter.clone().body("four");
    pool.send("stranger", &large).refused("no member");
    pool.send("lead", &large)
        .refused("body_inline_bytes_max: 4 of 3");
    pool.send("lead", &letter)
        .refused("policy secret: SenderHolds");
    pool.send("lead", &Letter::to("nobody", "m1")).records([
        "4 lead sent m1 to nobody",
        "5 m1@4 failed: no_such_member <- 4",
    ]);
}

#[test]
fn m2_a_refusal_takes_no_key() {
    let mut pool = Scenario::limited(&[(LimitName::BodyInlineBytesMax, 3)], "lead scout");
    pool.send("lead", &Letter::to("scout", "m1").body("four"))
        .refused("body_inline_bytes_max: 4 of 3");
    pool.send("lead", &Letter::to("scout", "m1").body("one"))
        .records(["4 lead sent m1 to scout", "5 m1@4 delivered to scout <- 4"]);
}

#[test]
fn m2_a_refusal_leaves_no_trace_for_who_joins_later() {
    let mut pool = Scenario::of("lead scout");
    pool.leave("lead").ok();
    pool.say("lead", "scout", "m1").refused("no member");
    pool.join("lead").ok();
    pool.say("lead", "scout", "m1")
        .records(["6 lead sent m1 to scout", "7 m1@6 delivered to scout <- 6"]);
}

#[test]
fn m4_a_message_carries_what_the_pool_requires() {
    let mut pool = Scenario::with(requiring("signed"), "scout");
    pool.join(Joining::of("lead").policies("signed")).ok();
    pool.say("lead", "lead", "m1")
        .refused("policy signed: MessageCarries");
    pool.send("lead", &Letter::to("lead", "m1").policies("signed"))
        .records([
            "4 lead sent m1 to lead +signed",
            "5 m1@4 delivered to lead <- 4",
        ]);
}

#[test]
fn m4_a_sender_holds_what_its_message_carries() {
    let mut pool = Scenario::of("scout");
    pool.join(Joining::of("lead").policies("a b")).ok();
    pool.send("lead", &Letter::to("scout", "m1").policies("a c"))
        .refused("policy c: SenderHolds");
    pool.send("lead", &Letter::to("lead", "m1").policies("b a"))
        .records([
            "4 lead sent m1 to lead +a +b",
            "5 m1@4 delivered to lead <- 4",
        ]);
}

#[test]
fn m4_a_recipient_holds_what_the_message_carries_when_it_is_accepted() {
    let mut pool = Scenario::of("bare");
    pool.join(Joining::of("lead").policies("a b")).ok();
    pool.join(Joining::of("some").policies("a").topics("t"))
        .ok();
    pool.join(Joining::of("all").policies("a b").topics("t"))
        .ok();
    let letter = |to: &str, id: &str| Letter::to(to, id).policies("a b");
    pool.send("lead", &letter("topic:t", "m1")).records([
        "6 lead sent m1 to topic:t +a +b",
        "7 m1@6 delivered to all #t <- 6",
    ]);
    pool.send("lead", &letter("some", "m2"))
        .records(["8 lead sent m2 to some +a +b", "9 m2@8 failed: policy <- 8"]);
    pool.send("lead", &letter("agent:some", "m3")).records([
        "10 lead sent m3 to agent:some +a +b",
        "11 m3@10 failed: policy <- 10",
    ]);
    pool.send("lead", &letter("pool:p", "m4")).records([
        "12 lead sent m4 to pool:p +a +b",
        "13 m4@12 delivered to all <- 12",
    ]);
}

#[test]
fn m4_a_recipient_holds_them_again_when_it_receives() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").policies("a")).ok();
    pool.join(Joining::of("scout").policies("a")).ok();
    pool.send("lead", &Letter::to("scout", "m1").policies("a"))
        .ok();
    pool.say("lead", "scout", "m2").ok();
    pool.join(Joining::of("scout").policies("").instance("i2"))
        .ok();
    pool.peek("scout", 9).nothing().answer("m2#0 | 2 unread");
    pool.receive("scout", "r1")
        .records([
            "9 scout claimed m2@6#1 by r1 until 60s, undeliverable m1@4 policy",
            "10 m1@4 settled: undeliverable#0 policy (engine) <- 4",
        ])
        .answer("m2#1 6@9 until 60s | 0 unread");
    pool.receipt("lead", "m1")
        .answer("m1 settled at 4: scout undeliverable#0 policy");
}

#[test]
fn m4_a_receive_that_hands_nothing_over_ends_what_it_cannot() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").policies("a")).ok();
    pool.join(Joining::of("scout").policies("a")).ok();
    pool.send("lead", &Letter::to("scout", "m1").policies("a").asks(1))
        .ok();
    pool.join(Joining::of("scout").policies("").instance("i2"))
        .ok();
    pool.receive("scout", "r1")
        .records([
            "7 scout claimed  by r1 until 60s, undeliverable m1@4 policy",
            "8 m1@4 unsatisfiable: undeliverable#0 policy (engine) <- 4",
        ])
        .answer("nothing | 0 unread");
    pool.receive("scout", "r1").nothing();
}

#[test]
fn m5_a_run_address_reaches_that_member() {
    let mut pool = Scenario::of("lead scout scout2");
    pool.say("lead", "scout", "m1")
        .records(["5 lead sent m1 to scout", "6 m1@5 delivered to scout <- 5"])
        .answer("m1 delivered at 5: scout queued#0");
}

#[test]
fn m5_an_agent_address_reaches_every_member_of_that_agent() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("b").agent("scout")).ok();
    pool.join(Joining::of("a").agent("scout")).ok();
    pool.join(Joining::of("scout").agent("other")).ok();
    pool.say("lead", "agent:scout", "m1").records([
        "6 lead sent m1 to agent:scout",
        "7 m1@6 delivered to a, b <- 6",
    ]);
}

#[test]
fn m5_a_topic_reaches_every_member_that_lists_it() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("b").topics("news")).ok();
    pool.join(Joining::of("a").topics("alarm news")).ok();
    pool.join(Joining::of("c").topics("alarm")).ok();
    pool.say("lead", "topic:news", "m1").records([
        "6 lead sent m1 to topic:news",
        "7 m1@6 delivered to a, b #news <- 6",
    ]);
}

#[test]
fn m5_the_pool_reaches_everybody_but_the_sender() {
    let mut pool = Scenario::of("b lead a");
    pool.say("lead", "pool:p", "m1")
        .records(["5 lead sent m1 to pool:p", "6 m1@5 delivered to a, b <- 5"]);
}

#[test]
fn m5_a_run_an_agent_and_a_topic_may_reach_the_sender() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").topics("news")).ok();
    pool.say("lead", "lead", "m1")
        .records(["3 lead sent m1 to lead", "4 m1@3 delivered to lead <- 3"]);
    pool.say("lead", "agent:lead", "m2").records([
        "5 lead sent m2 to agent:lead",
        "6 m2@5 delivered to lead <- 5",
    ]);
    pool.say("lead", "topic:news", "m3").records([
        "7 lead sent m3 to topic:news",
        "8 m3@7 delivered to lead #news <- 7",
    ]);
}

#[test]
fn m5_recipients_are_sorted() {
    let mut pool = Scenario::of("lead c a b");
    pool.say("lead", "pool:p", "m1")
        .answer("m1 delivered at 6: a queued#0, b queued#0, c queued#0");
}

#[test]
fn m5_who_joins_later_gets_nothing() {
    let mut pool = Scenario::of("lead a");
    pool.say("lead", "pool:p", "m1").ok();
    pool.join("b").ok();
    pool.receive("b", "r1")
        .nothing()
        .answer("nothing | 0 unread");
    pool.receipt("lead", "m1")
        .answer("m1 delivered at 4: a queued#0");
}

#[test]
fn m5_what_an_address_meant_stays_through_changes_and_a_kill() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("a").topics("news")).ok();
    pool.join(Joining::of("b").topics("news")).ok();
    pool.say("lead", "topic:news", "m1").ok();
    pool.set_topics("a", "").ok();
    pool.kill();
    pool.receive("a", "r1")
        .records(["8 a claimed m1@5#1 by r1 until 60s"]);
    pool.receipt("lead", "m1")
        .answer("m1 delivered at 5: a claimed#1, b queued#0");
}

#[test]
fn m5_a_message_has_as_many_recipients_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::RecipientsPerMessageMax, 2)], "lead a b");
    pool.say("lead", "pool:p", "m1").ok();
    pool.join("c").ok();
    pool.say("lead", "pool:p", "m2")
        .refused("recipients_per_message_max: 3 of 2");
}

#[test]
fn m5_the_ids_of_recipients_have_as_many_bytes_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::RecipientIdsBytesMax, 4)], "lead aa bb");
    pool.say("lead", "pool:p", "m1").ok();
    pool.join("c").ok();
    pool.say("lead", "pool:p", "m2")
        .refused("recipient_ids_bytes_max: 5 of 4");
    pool.leave("aa").ok();
    pool.leave("bb").ok();
    pool.join("ää").ok();
    pool.say("lead", "pool:p", "m2")
        .refused("recipient_ids_bytes_max: 5 of 4");
}

#[test]
fn m6_what_reaches_nobody_fails_in_its_own_append_and_says_why() {
    let mut pool = Scenario::of("lead gone");
    pool.end("gone", RunEnd::Completed).ok();
    for (number, (to, why)) in [
        ("nobody", "no_such_member"),
        ("gone", "run_ended"),
        ("agent:nobody", "no_recipient"),
        ("topic:nothing", "no_recipient"),
        ("pool:p", "no_recipient"),
        ("pool:other", "foreign_pool"),
    ]
    .into_iter()
    .enumerate()
    {
        let (id, at) = (format!("m{number}"), 5 + 2 * number);
        let receipt = format!("{id} failed {why} at {at}: nothing");
        let sent = pool.say("lead", to, &id);
        sent.at_once().answer(&receipt);
        pool.say("lead", to, &id)
            .nothing()
            .answer(&format!("{receipt}, repeated"));
    }
}

#[test]
fn m6_a_failure_is_remembered_when_there_is_a_recipient_later() {
    let mut pool = Scenario::of("lead");
    pool.say("lead", "scout", "m1").ok();
    pool.join("scout").ok();
    pool.say("lead", "scout", "m1")
        .nothing()
        .answer("m1 failed no_such_member at 3: nothing, repeated");
    pool.receive("scout", "r1").nothing();
}

#[test]
fn m6_acceptance_and_delivery_are_one_append() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1")
        .records(["4 lead sent m1 to scout", "5 m1@4 delivered to scout <- 4"])
        .at_once();
}

#[test]
fn m7_a_receipt_is_read_by_its_sender_and_operators() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receipt("lead", "m1")
        .nothing()
        .answer("m1 delivered at 4: scout queued#0");
    pool.receipt("operator for lead", "m1").nothing();
    pool.receipt("scout for lead", "m1").refused("not your run");
}

#[test]
fn m7_a_receipt_tells_every_step_and_when_it_was_read() {
    let mut pool = Scenario::of("lead a b");
    pool.say("lead", "pool:p", "m1").ok();
    pool.pass(1_000).ok();
    pool.receive("a", Take::by("r1").held_for(2_000)).ok();
    pool.ack("a", "m1").ok();
    pool.receive("b", Take::by("r2").held_for(2_000)).ok();
    pool.pass(2_000).ok();
    pool.timeline("lead", "m1").nothing().answer("5 accepted 0s, 6 delivered 0s, 7 claimed a 1s, 8 acked a 1s, 9 claimed b 1s, 10 released b 3s as of 10, memory");
}

#[test]
fn m7_the_cursor_is_that_of_the_acceptance_and_never_another() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.say("lead", "scout", "m1")
        .nothing()
        .answer("m1 delivered at 4: scout claimed#1, repeated");
    pool.ack("scout", "m1").ok();
    pool.kill();
    pool.say("lead", "scout", "m1")
        .nothing()
        .answer("m1 settled at 4: scout acked#1 done, repeated");
    pool.receipt("lead", "m1")
        .answer("m1 settled at 4: scout acked#1 done");
}

#[test]
fn m7_a_message_is_settled_with_its_last_copy_and_names_every_copy_in_order() {
    let mut pool = Scenario::of("lead a b");
    pool.say("lead", "pool:p", "m1").ok();
    pool.receive("b", "r1").ok();
    pool.ack("b", "m1").records(["8 b acked m1 5@7 done"]);
    pool.leave("a").records([
        "9 a/3 left: left, 2 there",
        "10 m1@5 settled: undeliverable#0 left, acked#1 done (engine) <- 5",
    ]);
    pool.receipt("lead", "m1")
        .answer("m1 settled at 5: a undeliverable#0 left, b acked#1 done");
}

#[test]
fn m7_a_message_settles_once() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.ack("scout", "m1").ok();
    pool.leave("scout")
        .records(["9 scout/3 left: left, 1 there"]);
    pool.describe("operator").answer(
        "head 9, floor 0, version 1, 1 members, 0 lost, 0 asleep, 0 messages, 0 wakes, 0 dead",
    );
}

#[test]
fn m7_outcomes_of_acknowledgements_stand_in_the_receipt() {
    use heronry_types::AckOutcome::{Blocked, Done, Rejected, Seen};
    for (outcome, receipt) in [
        (Seen, "m1 settled at 4: scout acked#1 seen"),
        (Done, "m1 settled at 4: scout acked#1 done"),
        (Blocked, "m1 settled at 4: scout acked#1 blocked"),
        (Rejected, "m1 settled at 4: scout acked#1 rejected"),
    ] {
        let mut pool = Scenario::of("lead scout");
        pool.say("lead", "scout", "m1").ok();
        pool.receive("scout", "r1").ok();
        pool.ack_as("scout", "m1", outcome).ok();
        pool.receipt("lead", "m1").answer(receipt);
    }
}
