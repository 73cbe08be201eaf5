//! Members: joining, taking over and changing (P3).

use heronry_types::LimitName;

use crate::scenario::{Joining, Scenario, Wait};

#[test]
fn p3_a_join_names_the_member_and_how_many_there_are_and_is_its_generation() {
    let mut pool = Scenario::of("lead");
    let scout = Joining::of("scout").agent("reader").session("s1");
    let scout = scout
        .topics("news alarm news")
        .policies("seen")
        .lease(5_000);
    pool.join(scout).records([
    "3 scout joined as i1 #alarm #news +seen lease 5s, 2 there, agent reader, session s1 (operator)",
]).answer("scout/3 at 3, 0 unread");
}

#[test]
fn p3_a_lease_of_no_time_is_none() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").lease(0))
        .records(["2 lead joined as i1, 1 there (operator)"]);
}

#[test]
fn p3_the_same_instance_joining_again_gets_the_same_answer_and_nothing_is_recorded() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.join("scout")
        .nothing()
        .answer("scout/3 at 3, 1 unread, repeated");
    pool.kill();
    pool.join("scout")
        .nothing()
        .answer("scout/3 at 3, 1 unread, repeated");
}

#[test]
fn p3_the_same_instance_joining_again_changes_neither_topics_nor_lease() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("lead").topics("news").lease(9))
        .nothing();
    pool.members("lead", None, 1)
        .answer("lead/2, 0 unread, 0 wakes, seen 0s");
}

#[test]
fn p3_another_instance_takes_over_and_is_told_from_whom() {
    let mut pool = Scenario::of("lead scout");
    pool.pass(3_000).ok();
    pool.heartbeat("scout").ok();
    pool.pass(1_000).ok();
    pool.join(Joining::of("scout").instance("i2"))
        .records(["4 scout/3 taken over by i2, 2 there (operator)"])
        .answer("scout/4 at 4, 0 unread, from 3 seen 3s");
}

#[test]
fn p3_a_repeat_of_a_takeover_says_the_same() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("lead").instance("i2")).ok();
    pool.join(Joining::of("lead").instance("i2"))
        .nothing()
        .answer("lead/3 at 3, 0 unread, from 2 seen 0s, repeated");
    pool.kill();
    pool.join(Joining::of("lead").instance("i2"))
        .nothing()
        .answer("lead/3 at 3, 0 unread, from 2 seen not since, repeated");
}

#[test]
fn p3_what_the_predecessor_held_returns_at_once_and_uncounted() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.join(Joining::of("scout").instance("i2"))
        .records(["7 scout/3 taken over by i2, 2 there (operator)"])
        .answer("scout/7 at 7, 1 unread, from 3 seen 0s");
    pool.receipt("lead", "m1")
        .answer("m1 delivered at 4: scout queued#0");
    pool.receive("scout", "r2")
        .records(["8 scout claimed m1@4#1 by r2 until 60s"])
        .answer("m1#1 4@8 until 60s | 0 unread");
}

#[test]
fn p3_claims_of_the_predecessor_are_not_the_successors() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.join(Joining::of("scout").instance("i2")).ok();
    pool.ack("scout", "m1 of r1").refused("lapsed 4@6");
}

#[test]
fn p3_the_same_receive_after_a_takeover_is_another_one() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.join(Joining::of("scout").instance("i2")).ok();
    pool.receive("scout", "r1")
        .records(["8 scout claimed m1@4#1 by r1 until 60s"]);
}

#[test]
fn p3_wakes_and_queued_copies_stay_through_a_takeover() {
    let mut pool = Scenario::of("lead scout");
    pool.wait("scout", &Wait::for_one(r#"kind == "run_completed""#, "w1"))
        .ok();
    pool.say("lead", "scout", "m1").ok();
    pool.join(Joining::of("scout").instance("i2"))
        .records(["7 scout/3 taken over by i2, 2 there (operator)"])
        .answer("scout/7 at 7, 1 unread, from 3 seen 0s");
    pool.wake("scout", "w1")
        .answer("w1 of scout registered at 4");
}

#[test]
fn p3_a_takeover_sets_topics_lease_and_session_anew() {
    let mut pool = Scenario::of("lead");
    pool.join(
        Joining::of("scout")
            .topics("news")
            .lease(9_000)
            .session("s1"),
    )
    .ok();
    let again = Joining::of("scout").instance("i2").topics("alarm");
    pool.join(again)
        .records(["4 scout/3 taken over by i2 #alarm, 2 there (operator)"]);
    pool.say("lead", "topic:news", "m1").records([
        "5 lead sent m1 to topic:news",
        "6 m1@5 failed: no_recipient <- 5",
    ]);
    pool.say("lead", "topic:alarm", "m2").records([
        "7 lead sent m2 to topic:alarm",
        "8 m2@7 delivered to scout #alarm <- 7",
    ]);
    pool.pass(60_000).nothing();
}

#[test]
fn p3_an_older_generation_is_fenced_and_the_newer_one_is_not() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("lead").instance("i2")).ok();
    pool.heartbeat("lead/1").refused("fenced");
    pool.heartbeat("lead/2").nothing();
    pool.kill();
    pool.heartbeat("lead/1").refused("fenced");
}

#[test]
fn p3_a_new_join_refuses_a_live_run_and_says_when_it_was_heard_of() {
    let mut pool = Scenario::of("lead");
    pool.pass(2_000).ok();
    pool.heartbeat("lead").ok();
    pool.pass(1_000).ok();
    pool.join_new(Joining::of("lead").instance("i2"))
        .refused("taken by 2, seen 2s");
    pool.kill();
    pool.join_new(Joining::of("lead").instance("i2"))
        .refused("taken by 2, seen not since");
}

#[test]
fn p3_a_new_join_refuses_a_lost_run_too() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").lease(1_000)).ok();
    pool.pass(1_000)
        .records(["3 lead/2 lost, kept until 86401s (engine)"]);
    pool.join_new(Joining::of("lead").instance("i2"))
        .refused("taken by 2, seen 0s");
}

#[test]
fn p3_a_new_join_of_the_same_instance_is_a_repeat() {
    let mut pool = Scenario::of("");
    pool.join_new("lead")
        .records(["2 lead joined as i1, 1 there (operator)"])
        .answer("lead/2 at 2, 0 unread");
    pool.join_new("lead")
        .nothing()
        .answer("lead/2 at 2, 0 unread, repeated");
}

#[test]
fn p3_who_joins_a_run_that_is_no_member_took_nothing_over() {
    let mut pool = Scenario::of("scout");
    pool.leave("scout").ok();
    pool.join(Joining::of("scout").instance("i2"))
        .records(["4 scout joined as i2, 1 there (operator)"])
        .answer("scout/4 at 4, 0 unread");
}

#[test]
fn p3_a_run_keeps_its_agent_for_life() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("lead").agent("other"))
        .refused("another agent_id");
    pool.join(Joining::of("lead").agent("other").instance("i2"))
        .refused("another agent_id");
}

#[test]
fn p3_joining_again_cannot_widen_policies() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").policies("a b")).ok();
    pool.join(Joining::of("lead").policies("a b c"))
        .refused("policy c: NotWidened");
    pool.join(Joining::of("lead").policies("c").instance("i2"))
        .refused("policy c: NotWidened");
    pool.join(Joining::of("lead").instance("i2"))
        .records(["3 lead/2 taken over by i2 +a +b, 1 there (operator)"]);
    pool.join(Joining::of("lead").policies("a").instance("i3"))
        .records(["4 lead/3 taken over by i3 +a, 1 there (operator)"]);
    pool.join(Joining::of("lead").policies("a b").instance("i4"))
        .refused("policy b: NotWidened");
}

#[test]
fn p3_only_an_operator_lets_runs_join() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("scout").by("lead"))
        .refused("operators only");
    pool.join_new(Joining::of("scout").by("lead"))
        .refused("operators only");
    pool.join_new(Joining::of("lead").by("lead").instance("i2"))
        .refused("operators only");
}

#[test]
fn p3_members_are_as_many_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::MembersMax, 2)], "lead scout");
    pool.join("third").refused("members_max: 3 of 2");
    pool.join(Joining::of("scout").instance("i2")).ok();
    pool.leave("lead").ok();
    pool.join("third")
        .records(["6 third joined as i1, 2 there (operator)"]);
}

#[test]
fn p3_a_member_lists_as_many_distinct_topics_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::TopicsPerMemberMax, 2)], "");
    pool.join(Joining::of("lead").topics("a b c"))
        .refused("topics_per_member_max: 3 of 2");
    pool.join(Joining::of("lead").topics("a b b"))
        .records(["2 lead joined as i1 #a #b, 1 there (operator)"]);
    pool.set_topics("lead", "a b c")
        .refused("topics_per_member_max: 3 of 2");
}

#[test]
fn p3_a_lease_is_as_long_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::LeaseMsMax, 1_000)], "");
    pool.join(Joining::of("lead").lease(1_001))
        .refused("lease_ms_max: 1001 of 1000");
    pool.join(Joining::of("lead").lease(1_000)).ok();
    pool.set_lease("lead", 1_001)
        .refused("lease_ms_max: 1001 of 1000");
}

#[test]
fn p3_a_member_holds_as_many_policies_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::PoliciesMax, 1)], "");
    pool.join(Joining::of("lead").policies("a b"))
        .refused("policies_max: 2 of 1");
    pool.join(Joining::of("lead").policies("a")).ok();
}

#[test]
fn p3_topics_and_lease_change_without_a_new_generation() {
    let mut pool = Scenario::of("lead scout");
    pool.set_topics("scout", "news alarm news")
        .records(["4 scout changed #alarm #news"])
        .answer("at 4");
    pool.set_lease("scout", 5_000)
        .records(["5 scout changed #alarm #news lease 5s"]);
    pool.say("lead", "topic:alarm", "m1").records([
        "6 lead sent m1 to topic:alarm",
        "7 m1@6 delivered to scout #alarm <- 6",
    ]);
    pool.heartbeat("scout/1").nothing();
}

#[test]
fn p3_a_change_to_what_is_is_not_recorded() {
    let mut pool = Scenario::of("lead");
    pool.set_topics("lead", "b a").ok();
    pool.set_topics("lead", "a b a").nothing().answer("at 3");
    pool.set_lease("lead", 0).nothing();
}

#[test]
fn p3_topics_that_are_not_listed_any_more_reach_nobody() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("scout").topics("news")).ok();
    pool.set_topics("scout", "").records(["4 scout changed"]);
    pool.say("lead", "topic:news", "m1").records([
        "5 lead sent m1 to topic:news",
        "6 m1@5 failed: no_recipient <- 5",
    ]);
}

#[test]
fn p3_who_has_no_lease_any_more_is_never_lost() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").lease(1_000)).ok();
    pool.set_lease("lead", 0).records(["3 lead changed"]);
    pool.pass(100_000).nothing();
}

#[test]
fn p3_a_change_is_by_the_member_or_an_operator() {
    let mut pool = Scenario::of("lead scout");
    pool.set_topics("scout for lead", "a")
        .refused("not your run");
    pool.set_topics("operator for lead", "a")
        .records(["4 lead changed #a (operator)"]);
    pool.set_topics("stranger", "a").refused("no member");
}
