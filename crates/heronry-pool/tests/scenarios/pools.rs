//! Pools: opening, configuration and settings, and what a pool says of itself (P1, P2, P9).

use heronry_types::{Broadcast, LimitName, PoolSpec, WakePayload};

use crate::scenario::{
    Joining, Letter, Scenario,
    notation::{limited, policies},
};

fn requiring(required: &str) -> PoolSpec {
    PoolSpec {
        required_policies: Some(policies(required)),
        ..PoolSpec::default()
    }
}

#[test]
fn p1_the_first_record_says_what_the_pool_is_created_with() {
    let mut pool = Scenario::empty();
    let spec = PoolSpec {
        policies: Some(policies("seen")),
        ..limited(&[(LimitName::MembersMax, 3)])
    };
    pool.create(spec)
        .records(["1 created +seen members_max=3 (operator)"])
        .answer("written");
}

#[test]
fn p1_opening_with_the_same_or_fewer_fields_opens_and_records_nothing() {
    let mut pool = Scenario::with(requiring("signed"), "");
    pool.create(requiring("signed"))
        .nothing()
        .answer("unchanged");
    pool.create(PoolSpec::default())
        .nothing()
        .answer("unchanged");
}

#[test]
fn p1_only_the_fields_that_are_named_are_compared_and_each_that_differs_is_named() {
    let mut pool = Scenario::with(requiring("signed"), "");
    pool.create(requiring("other"))
        .refused("other message_policy.required_policies");
    let spec = PoolSpec {
        broadcast: Some(Broadcast::IncludeSender),
        wake_payload: Some(WakePayload::Refs),
        policies: Some(policies("a")),
        grants: Some([].into()),
        ..limited(&[(LimitName::MembersMax, 1)])
    };
    pool.create(spec).refused("other message_policy.include_sender_in_pool_broadcast, wake_policy.payload, policies, grants, limits");
}

#[test]
fn p1_a_pool_that_was_opened_with_other_values_goes_on_as_it_was() {
    let mut pool = Scenario::with(limited(&[(LimitName::MembersMax, 1)]), "lead");
    pool.create(limited(&[(LimitName::MembersMax, 9)]))
        .refused("other limits");
    pool.join("scout").refused("members_max: 2 of 1");
}

#[test]
fn p1_opening_compares_with_the_settings_that_hold_now() {
    let mut pool = Scenario::with(limited(&[(LimitName::MembersMax, 1)]), "");
    pool.configure("operator", 1, &[(LimitName::MembersMax, 2)])
        .ok();
    pool.create(limited(&[(LimitName::MembersMax, 2)]))
        .nothing();
    pool.create(limited(&[(LimitName::MembersMax, 1)]))
        .refused("other limits");
}

#[test]
fn p1_after_a_kill_opening_is_no_creation() {
    let mut pool = Scenario::with(requiring("signed"), "");
    pool.kill();
    pool.create(requiring("signed"))
        .nothing()
        .answer("unchanged");
    pool.create(requiring("other"))
        .refused("other message_policy.required_policies");
}

#[test]
fn p1_a_limit_is_created_at_its_floor_and_not_below_it() {
    let mut pool = Scenario::empty();
    pool.create(limited(&[(LimitName::AttemptsMax, 0)]))
        .refused("limits.attempts_max has to be 1 at least, not 0; ask for more");
    Scenario::with(limited(&[(LimitName::AttemptsMax, 1)]), "");
}

#[test]
fn p1_a_limit_is_created_at_its_ceiling_and_not_above_it() {
    Scenario::with(limited(&[(LimitName::AttemptsMax, 1_000)]), "");
    let mut pool = Scenario::empty();
    pool.create(limited(&[(LimitName::AttemptsMax, 1_001)]))
        .refused("limits.attempts_max can be 1000 at the most, not 1001; ask for less");
}

#[test]
fn p1_settings_are_changed_by_the_version_that_was_read() {
    let mut pool = Scenario::of("lead");
    pool.configure("operator", 1, &[(LimitName::MembersMax, 5)])
        .records(["3 configured 2 members_max=5 (operator)"])
        .answer("at 3");
    pool.configure("operator", 1, &[(LimitName::MembersMax, 6)])
        .refused("version 2, not 1");
    pool.configure("operator", 3, &[(LimitName::MembersMax, 6)])
        .refused("version 2, not 3");
    pool.configure("operator", 2, &[(LimitName::MembersMax, 6)])
        .records(["4 configured 3 members_max=6 (operator)"]);
}

#[test]
fn p1_a_setting_keeps_the_others() {
    let mut pool = Scenario::with(limited(&[(LimitName::MembersMax, 1)]), "");
    pool.configure("operator", 1, &[(LimitName::AttemptsMax, 2)])
        .records(["2 configured 2 members_max=1 attempts_max=2 (operator)"]);
}

#[test]
fn p1_a_setting_that_holds_already_is_not_recorded_again() {
    let mut pool = Scenario::of("");
    pool.configure("operator", 1, &[(LimitName::MembersMax, 5)])
        .ok();
    pool.configure("operator", 2, &[(LimitName::MembersMax, 5)])
        .nothing()
        .answer("at 2");
}

#[test]
fn p1_only_an_operator_changes_settings() {
    let mut pool = Scenario::of("lead");
    pool.configure("lead", 1, &[(LimitName::MembersMax, 5)])
        .refused("operators only");
    pool.configure("operator for lead", 1, &[(LimitName::MembersMax, 5)])
        .records(["3 configured 2 members_max=5 (operator)"]);
}

#[test]
fn p1_a_setting_is_checked_before_its_version() {
    let mut pool = Scenario::of("");
    pool.configure("operator", 9, &[(LimitName::AttemptsMax, 0)])
        .refused("limits.attempts_max has to be 1 at least, not 0; ask for more");
}

#[test]
fn p1_settings_hold_for_later_records_alone() {
    let mut pool = Scenario::of("lead scout");
    pool.configure("operator", 1, &[(LimitName::MembersMax, 1)])
        .ok();
    pool.members("operator", None, 9)
        .answer("lead/2, 0 unread, 0 wakes, seen 0s, scout/3, 0 unread, 0 wakes, seen 0s");
    pool.join("late").refused("members_max: 3 of 1");
}

#[test]
fn p1_settings_are_there_after_a_kill() {
    let mut pool = Scenario::of("lead");
    pool.configure("operator", 1, &[(LimitName::MembersMax, 1)])
        .ok();
    pool.kill();
    pool.join("late").refused("members_max: 2 of 1");
    pool.configure("operator", 1, &[])
        .refused("version 2, not 1");
}

#[test]
fn p2_an_author_without_the_policies_of_the_pool_is_hidden_from_members() {
    let spec = PoolSpec {
        policies: Some(policies("seen")),
        ..PoolSpec::default()
    };
    let mut pool = Scenario::with(spec, "lead");
    pool.join(Joining::of("scout").policies("seen"))
        .records(["3 scout joined as i1 +seen, 2 there (operator)"]);
    pool.say("lead", "scout", "m1").records([
        "4 lead sent m1 to scout hidden",
        "5 m1@4 delivered to scout <- 4 hidden",
    ]);
    pool.say("scout", "lead", "m2")
        .records(["6 scout sent m2 to lead", "7 m2@6 delivered to lead <- 6"]);
}

#[test]
fn p2_a_broadcast_to_the_pool_reaches_its_sender_where_that_is_configured() {
    let spec = PoolSpec {
        broadcast: Some(Broadcast::IncludeSender),
        ..PoolSpec::default()
    };
    let mut pool = Scenario::with(spec, "lead scout");
    pool.say("lead", "pool:p", "m1").records([
        "4 lead sent m1 to pool:p",
        "5 m1@4 delivered to lead, scout <- 4",
    ]);
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "pool:p", "m1")
        .records(["4 lead sent m1 to pool:p", "5 m1@4 delivered to scout <- 4"]);
}

#[test]
fn p2_an_agent_is_granted_its_policies_when_a_run_of_it_joins() {
    let grants = [("scout".parse().unwrap(), policies("seen"))];
    let spec = PoolSpec {
        grants: Some(grants.into()),
        ..PoolSpec::default()
    };
    let mut pool = Scenario::with(spec, "lead");
    pool.join("scout")
        .records(["3 scout joined as i1 +seen, 2 there (operator)"]);
    pool.join(Joining::of("scout-2").agent("scout").policies(""))
        .records(["4 scout-2 joined as i1, 3 there, agent scout (operator)"]);
    pool.members("operator", None, 9).answer("lead/2, 0 unread, 0 wakes, seen 0s, scout/3 +seen, 0 unread, 0 wakes, seen 0s, scout-2/4, 0 unread, 0 wakes, seen 0s");
}

#[test]
fn p2_a_page_of_events_shows_members_what_the_wake_policy_says() {
    let spec = PoolSpec {
        wake_payload: Some(WakePayload::Summary),
        ..PoolSpec::default()
    };
    let mut pool = Scenario::with(spec, "lead");
    pool.read_events("lead", None, 1)
        .nothing()
        .answer("summary");
    pool.read_events("operator for lead", None, 1)
        .nothing()
        .answer("summary");
    pool.read_events("operator", None, 1)
        .nothing()
        .answer("refs");
}

#[test]
fn p9_a_pool_is_deleted_only_when_nobody_is_there_and_by_operators() {
    let mut pool = Scenario::of("lead");
    pool.retire("lead", None).refused("operators only");
    pool.retire("operator", None).refused("1 there");
    pool.leave("lead").ok();
    pool.retire("operator", None).nothing().answer("at 3");
}

#[test]
fn p9_a_pool_is_deleted_only_at_the_head_that_was_seen() {
    let mut pool = Scenario::of("lead");
    pool.leave("lead").ok();
    pool.retire("operator", Some("2"))
        .refused("head is 3, not 2");
    pool.retire("operator", Some("3")).nothing().answer("at 3");
}

#[test]
fn p2_a_pool_says_what_it_is_and_where_it_stands() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &Letter::to("scout", "m1")).ok();
    pool.describe("operator").nothing().answer(
        "head 5, floor 0, version 1, 2 members, 0 lost, 0 asleep, 1 messages, 0 wakes, 0 dead",
    );
    pool.describe("lead").nothing();
    pool.describe("stranger").refused("no member");
}

#[test]
fn p3_members_are_listed_by_pages_in_the_order_of_their_ids() {
    let mut pool = Scenario::of("c a b");
    pool.members("a", None, 2)
        .nothing()
        .answer("a/3, 0 unread, 0 wakes, seen 0s, b/4, 0 unread, 0 wakes, seen 0s next b");
    pool.members("a", Some("b"), 2)
        .nothing()
        .answer("c/2, 0 unread, 0 wakes, seen 0s");
    pool.members("a", Some("b2"), 2)
        .nothing()
        .answer("c/2, 0 unread, 0 wakes, seen 0s");
    pool.members("operator", None, 3).nothing().answer("a/3, 0 unread, 0 wakes, seen 0s, b/4, 0 unread, 0 wakes, seen 0s, c/2, 0 unread, 0 wakes, seen 0s");
}

#[test]
fn l1_a_page_of_members_has_so_many_at_the_most() {
    let mut pool = Scenario::limited(&[(LimitName::PageItemsMax, 2)], "a");
    pool.members("a", None, 2).nothing();
    pool.members("a", None, 3).refused("page_items_max: 3 of 2");
    pool.members("stranger", None, 3).refused("no member");
}

#[test]
fn p2_an_author_is_judged_just_before_its_record_and_a_join_just_after() {
    let spec = PoolSpec {
        policies: Some(policies("seen")),
        ..PoolSpec::default()
    };
    let mut pool = Scenario::with(spec, "");
    pool.join(Joining::of("lead").policies("seen"))
        .records(["2 lead joined as i1 +seen, 1 there (operator)"]);
    pool.join(Joining::of("lead").policies("").instance("i2"))
        .records(["3 lead/2 taken over by i2, 1 there (operator) hidden"]);
    pool.set_topics("lead", "news")
        .records(["4 lead changed #news hidden"]);
    pool.leave("lead")
        .records(["5 lead/3 left: left, 0 there hidden"]);
    pool.join(Joining::of("lead").policies("seen"))
        .records(["6 lead joined as i1 +seen, 1 there (operator)"]);
    pool.leave("lead").records(["7 lead/6 left: left, 0 there"]);
}
