//! Wired pools (R27), and messages to aliases (R28).

use heronry_types::{LimitName, Peering, PoolSpec};

use crate::scenario::{Joining, Letter, Scenario, notation::limits_of};

/// Returns a wired pool of these members, where a is wired to b and c.
fn wired(members: &str) -> Scenario {
    let spec = PoolSpec {
        peering: Some(Peering::Wired),
        ..PoolSpec::default()
    };
    let mut pool = Scenario::with(spec, members);
    pool.wire("operator", "a-b a-c").ok();
    pool
}

#[test]
fn r27_a_message_to_the_pool_reaches_exactly_the_neighbours_and_names_the_others() {
    let mut pool = wired("a b c d");
    pool.say("a", "pool:p", "to all")
        .records([
            "8 a sent to all to pool:p",
            "9 to all@8 delivered to b, c, not to d <- 8",
        ])
        .answer("to all delivered at 8: b queued#0, c queued#0; not to d");
    pool.say("b", "pool:p", "from b")
        .answer("from b delivered at 10: a queued#0; not to c, d");
    pool.kill();
    pool.receipt("a", "to all")
        .answer("to all delivered at 8: b queued#0, c queued#0; not to d");
}

#[test]
fn r27_a_message_to_a_run_an_agent_and_a_topic_reaches_neighbours_and_oneself() {
    let mut pool = wired("a b");
    pool.join(Joining::of("c").agent("x").topics("t")).ok();
    pool.join(Joining::of("d").agent("x").topics("t")).ok();
    pool.say("d", "agent:x", "m1")
        .answer("m1 delivered at 8: d queued#0; not to c");
    pool.say("a", "topic:t", "m2")
        .answer("m2 delivered at 10: c queued#0; not to d");
    pool.say("b", "topic:t", "m3")
        .answer("m3 failed not_peered at 12: nothing");
    pool.say("a", "d", "m4")
        .records(["14 a sent m4 to d", "15 m4@14 failed: not_peered <- 14"]);
    pool.say("d", "d", "m5")
        .answer("m5 delivered at 16: d queued#0");
    pool.say("a", "nobody", "m6")
        .answer("m6 failed no_such_member at 18: nothing");
}

#[test]
fn r27_an_operator_who_acts_for_a_run_has_the_edges_of_that_run() {
    let mut pool = wired("a b c d");
    pool.say("operator for a", "b", "m1")
        .answer("m1 delivered at 8: b queued#0");
    pool.say("operator for a", "d", "m2")
        .answer("m2 failed not_peered at 10: nothing");
}

#[test]
fn r27_a_reply_reaches_its_requester_though_the_edge_is_gone() {
    let mut pool = wired("a b c");
    pool.send("a", &Letter::to("b", "asks").asks(1)).ok();
    pool.unwire("operator", "a-b").ok();
    pool.say("b", "a", "no reply")
        .answer("no reply failed not_peered at 10: nothing");
    pool.send("b", &Letter::to("a", "other").reply_to("never asked"))
        .answer("other failed not_peered at 12: nothing");
    pool.send("b", &Letter::to("pool:p", "answers").reply_to("asks"))
        .answer("answers delivered at 14: a queued#0; not to c");
    pool.receipt("a", "asks")
        .answer("asks responded at 7: b queued#0; b answers@14");
}

#[test]
fn r27_an_edge_that_is_removed_after_the_acceptance_changes_nothing_of_it() {
    let mut pool = wired("a b c");
    pool.say("a", "b", "before").ok();
    pool.unwire("operator", "a-b").ok();
    pool.receive("b", "r")
        .answer("before#1 7@10 until 60s | 0 unread");
    pool.ack("b", "before").ok();
    pool.say("a", "b", "after")
        .answer("after failed not_peered at 13: nothing");
}

#[test]
fn r27_peering_is_a_journaled_setting_and_edges_count_from_the_next_message_on() {
    let mut pool = Scenario::of("a b c");
    pool.say("a", "pool:p", "open")
        .answer("open delivered at 5: b queued#0, c queued#0");
    pool.peer("a", 1, Peering::Wired).refused("operators only");
    pool.peer("operator", 1, Peering::Wired)
        .records(["7 configured 2, wired (operator)"]);
    pool.peer("operator", 2, Peering::Wired).nothing();
    pool.say("a", "pool:p", "alone")
        .answer("alone failed not_peered at 8: nothing");
    pool.wire("operator", "a-c").ok();
    pool.say("a", "pool:p", "wired")
        .answer("wired delivered at 11: c queued#0; not to b");
    pool.unwire("operator", "a-c").ok();
    pool.kill();
    pool.say("a", "pool:p", "gone")
        .answer("gone failed not_peered at 14: nothing");
    pool.peer("operator", 2, Peering::Open)
        .records(["16 configured 3 (operator)"]);
    pool.say("a", "pool:p", "again")
        .answer("again delivered at 17: b queued#0, c queued#0");
}

#[test]
fn r27_those_who_get_no_copy_count_among_the_recipients_of_a_message() {
    let spec = PoolSpec {
        peering: Some(Peering::Wired),
        limits: Some(limits_of(&[(LimitName::RecipientsPerMessageMax, 2)])),
        ..PoolSpec::default()
    };
    let mut pool = Scenario::with(spec, "a b c d");
    pool.wire("operator", "a-b").ok();
    pool.say("a", "pool:p", "m")
        .refused("recipients_per_message_max: 3 of 2");
}

#[test]
fn r28_a_message_to_an_alias_goes_where_it_leads_when_it_is_accepted_and_says_both() {
    let mut pool = Scenario::of("a b c");
    pool.set_alias("operator", "member.b/*", "b").ok();
    pool.say("a", "alias:member.b/news", "m1")
        .records([
            "6 a sent m1 to b, by alias member.b/news",
            "7 m1@6 delivered to b <- 6",
        ])
        .answer("m1 delivered at 6: b queued#0");
    pool.set_alias("operator", "member.b/*", "c").ok();
    pool.say("a", "alias:member.b/", "m2")
        .answer("m2 delivered at 9: c queued#0");
    // A repeat is answered as it was, wherever the alias leads now, and also when it is gone.
    pool.remove_alias("operator", "member.b/*").ok();
    pool.say("a", "alias:member.b/news", "m1")
        .answer("m1 delivered at 6: b queued#0, repeated");
    pool.say("a", "alias:member.b/news", "m3")
        .refused("no such alias");
}

#[test]
fn r28_an_alias_follows_its_member_through_a_respawn_and_leads_to_no_alias() {
    let mut pool = Scenario::of("a b");
    pool.set_alias("operator", "member.b/*", "b").ok();
    pool.join(Joining::of("b").instance("i2")).ok();
    pool.say("a", "alias:member.b/", "m")
        .answer("m delivered at 6: b queued#0");
    pool.set_alias("operator", "x/*", "alias:member.b/")
        .refused("alias of an alias");
}

#[test]
fn r28_a_full_inbox_refuses_or_is_skipped_as_for_the_address_that_the_alias_leads_to() {
    let mut pool = Scenario::limited(&[(LimitName::InboxDepthMax, 1)], "a b");
    pool.set_alias("operator", "one/*", "b").ok();
    pool.set_alias("operator", "all/*", "pool:p").ok();
    pool.say("a", "b", "m1").ok();
    pool.say("a", "alias:one/", "m2").refused("full: 1");
    pool.say("a", "alias:all/", "m3")
        .answer("m3 settled at 8: b undeliverable#0 inbox_full");
}
