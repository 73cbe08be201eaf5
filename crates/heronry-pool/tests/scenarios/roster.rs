//! The roster: its steward, what it declares, and how its members and modules stand (U1, U2).

use heronry_pool::decide::ROSTER_BATCH_MAX;
use heronry_types::{
    EpochReason, LimitName, MemberStanding, ModuleStanding, RECONCILE_FAILURES_MAX, RosterLayer,
    SOURCE_WINDOW,
};

use crate::scenario::Scenario;

const DECLARED: RosterLayer = RosterLayer::Declared;

/// Returns a pool with a steward, and these members in its roster and in the pool.
fn kept(members: &[&str]) -> (Scenario, u64) {
    let mut pool = Scenario::of(&members.join(" "));
    pool.take_steward("host", 1).ok();
    let steward = pool.head();
    pool.specify(steward, 1, members).ok();
    (pool, steward)
}

#[test]
fn r12_one_steward_at_a_time_and_a_second_takes_over_only_by_choice() {
    let mut pool = Scenario::of("");
    pool.take_steward("one", 1)
        .records(["2 steward one of owner 1 (operator)"])
        .answer("steward 2");
    pool.take_steward("one", 1)
        .nothing()
        .answer("steward 2, repeated");
    pool.take_steward("two", 1).refused("held by steward 2");
    pool.take_steward("two!", 1)
        .records(["3 steward two of owner 1, instead of 2 (operator)"])
        .answer("steward 3");
    // The first one is fenced from here on.
    pool.specify(2, 1, &["a"]).refused("steward fenced");
    pool.stand(2, MemberStanding::Active, &["a"])
        .refused("steward fenced");
    pool.declare(2, DECLARED, 1, None).refused("steward fenced");
    pool.reconcile(2, 1, 0).refused("steward fenced");
    pool.stand_module(2, "m", ModuleStanding::Healthy)
        .refused("steward fenced");
    pool.specify(3, 1, &["a"]).ok();
}

#[test]
fn u2_a_stewardship_lives_as_long_as_the_owner_of_the_pool() {
    let mut pool = Scenario::of("");
    pool.take_steward("one", 1).ok();
    pool.kill();
    pool.take_steward("two", 2)
        .records(["3 steward two of owner 2, instead of 2 (operator)"])
        .answer("steward 3");
    pool.take_steward("one", 3)
        .records(["4 steward one of owner 3, instead of 3 (operator)"])
        .answer("steward 4");
}

#[test]
fn u2_giving_back_a_stewardship_that_has_ended_changes_nothing() {
    let mut pool = Scenario::of("");
    pool.take_steward("one", 1).ok();
    pool.take_steward("two!", 1).ok();
    pool.release_steward(2).nothing();
    pool.release_steward(3)
        .records(["4 steward 3 goes (operator)"]);
    pool.release_steward(3).nothing();
    pool.roster("operator")
        .answer("nobody: revision 0 [] 0 members");
    pool.take_steward("one", 1)
        .records(["5 steward one of owner 1 (operator)"]);
}

#[test]
fn r16_what_is_declared_twice_keeps_its_revision_and_is_not_recorded() {
    let mut pool = Scenario::of("");
    pool.take_steward("one", 1).ok();
    pool.declare(2, DECLARED, 7, None)
        .records(["3 roster 1: 2 of 7 in declared by 2 (operator)"])
        .answer("revision 1");
    pool.declare(2, DECLARED, 7, None)
        .nothing()
        .answer("revision 1, repeated");
    pool.declare(2, RosterLayer::Discovered, 7, None)
        .records(["4 roster 2: 2 of 7 in discovered by 2 (operator)"])
        .answer("revision 2");
    pool.declare(2, DECLARED, 8, None).answer("revision 3");
    pool.kill();
    pool.roster("operator")
        .answer("2 one/1: revision 3 [declared 3 as 8 at 5, discovered 2 as 7 at 4] 0 members");
}

#[test]
fn u1_an_operator_declares_by_hand_on_the_revision_that_it_saw() {
    let mut pool = Scenario::of("");
    pool.declare(0, RosterLayer::Overlay, 1, Some(0))
        .records(["2 roster 1: 2 of 1 in overlay by hand (operator)"]);
    pool.declare(0, RosterLayer::Overlay, 2, Some(0))
        .refused("roster is at 1, not 0");
    pool.declare(0, RosterLayer::Overlay, 2, Some(1))
        .answer("revision 2");
}

#[test]
fn r16_who_is_specified_alike_is_not_recorded() {
    let mut pool = Scenario::of("a");
    pool.take_steward("one", 1).ok();
    pool.specify_labelled(3, 1, &["a", "b found"], &[("tier", "2")])
        .records([
            "4 a specified as 1 in declared tier=2 (operator)",
            "5 b specified as 1 in declared tier=2 (found) (operator)",
        ])
        .at_once();
    pool.specify_labelled(3, 1, &["b found", "a"], &[("tier", "2")])
        .nothing();
    pool.specify_labelled(3, 1, &["a", "b found"], &[("tier", "3")])
        .records([
            "6 a specified as 1 in declared tier=3 (operator)",
            "7 b specified as 1 in declared tier=3 (found) (operator)",
        ]);
    pool.specify(3, 0, &["b", "nobody"])
        .records(["8 b specified no more in declared (operator)"]);
    pool.roster_rows("a", None, 9)
        .answer("a/2 as 1 in declared tier=3 at 6");
}

#[test]
fn r20_a_batch_that_names_a_run_twice_or_is_too_long_is_refused() {
    let (mut pool, steward) = kept(&["a"]);
    pool.specify(steward, 2, &["a", "b", "a"])
        .refused("a twice");
    pool.stand(steward, MemberStanding::Active, &["a", "a"])
        .refused("a twice");
    let runs: Vec<String> = (0..=ROSTER_BATCH_MAX).map(|n| format!("r{n}")).collect();
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    pool.specify(steward, 2, &runs)
        .refused("1001 of 1000 in a batch");
    pool.specify(steward, 2, &runs[1..]).ok();
    pool.stand(steward, MemberStanding::Starting, &runs)
        .refused("1001 of 1000 in a batch");
}

#[test]
fn u1_a_roster_has_as_many_members_as_a_pool_may_have() {
    let mut pool = Scenario::limited(&[(LimitName::MembersMax, 2)], "");
    pool.take_steward("one", 1).ok();
    pool.specify(2, 1, &["a", "b", "c"])
        .refused("members_max: 3 of 2");
    pool.specify(2, 1, &["a", "b"]).ok();
    pool.specify(2, 1, &["c"]).refused("members_max: 3 of 2");
    pool.specify(2, 0, &["a"]).ok();
    pool.specify(2, 1, &["c"]).ok();
}

#[test]
fn u1_a_standing_is_recorded_once_with_the_joining_that_stands_so() {
    let (mut pool, steward) = kept(&["a"]);
    pool.specify(steward, 1, &["b"]).ok();
    let head = pool.head();
    pool.stand(steward, MemberStanding::Starting, &["a", "b"])
        .records([
            &*format!("{} a/2 is starting (operator)", head + 1),
            &format!("{} b is starting (operator)", head + 2),
        ])
        .at_once();
    pool.stand(steward, MemberStanding::Starting, &["a", "b"])
        .nothing();
    pool.stand(steward, MemberStanding::Broken, &["b 5 restarts in 60 s"])
        .records([&*format!(
            "{} b is broken (5 restarts in 60 s) (operator)",
            head + 3
        )]);
    pool.stand(steward, MemberStanding::Active, &["c"])
        .refused("c is not specified");
    pool.members("operator", None, 9)
        .answer("a/2, 0 unread, 0 wakes, seen 0s, starting");
    pool.kill();
    pool.roster_rows("operator", None, 1).answer(&format!(
        "a/2 as 1 in declared at 4, starting/2 since {} next a",
        head + 1
    ));
    pool.roster_rows("operator", Some("a"), 1).answer(&format!(
        "b as 1 in declared at 5, broken (5 restarts in 60 s) since {}",
        head + 3
    ));
}

#[test]
fn r35_who_left_or_ended_keeps_its_row_until_it_is_specified_no_longer() {
    let (mut pool, steward) = kept(&["a", "b"]);
    pool.stand(steward, MemberStanding::RetiredIdle, &["a"])
        .ok();
    pool.leave("a").ok();
    pool.end("b", heronry_types::RunEnd::Completed).ok();
    pool.roster_rows("operator", None, 9)
        .answer("a as 1 in declared at 5, retired_idle/2 since 7, b as 1 in declared at 6");
    pool.specify(steward, 0, &["a", "b"]).ok();
    pool.roster_rows("operator", None, 9).answer("");
}

#[test]
fn u1_a_reconcile_tells_its_first_failures_and_counts_all() {
    let (mut pool, steward) = kept(&["a"]);
    let head = pool.head();
    pool.reconcile(steward, 3, RECONCILE_FAILURES_MAX + 1)
        .records([&*format!(
            "{} reconciled 3: 2 desired, 65 failed, 64 told (operator)",
            head + 1
        )]);
    pool.roster("operator").answer(&format!(
        "3 host/1: revision 0 [] 1 members, reconciled 3 at {}",
        head + 1
    ));
}

#[test]
fn u1_an_error_is_recorded_once_per_id() {
    let mut pool = Scenario::of("a");
    pool.runtime_error("e-1", Some("a"))
        .records(["3 error e-1 of a: host_crash (down) (operator)"]);
    pool.runtime_error("e-1", None).nothing();
    pool.kill();
    pool.runtime_error("e-1", Some("a")).nothing();
    pool.runtime_error("e-2", None)
        .records(["4 error e-2 of pool: host_crash (down) (operator)"]);
    // The window is as long as that of a source without order.
    for number in 2..=SOURCE_WINDOW {
        pool.runtime_error(&format!("more-{number}"), None).ok();
    }
    let head = pool.head();
    pool.runtime_error("e-2", None).nothing();
    pool.runtime_error("e-1", None).records([&*format!(
        "{} error e-1 of pool: host_crash (down) (operator)",
        head + 1
    )]);
}

#[test]
fn u1_modules_stand_like_members_and_the_first_stopped_makes_room() {
    let (mut pool, steward) = kept(&[]);
    pool.stand_module(steward, "index", ModuleStanding::Starting)
        .records(["3 module index is starting (operator)"]);
    pool.stand_module(steward, "index", ModuleStanding::Starting)
        .nothing();
    pool.stand_module(steward, "index exit 1", ModuleStanding::Failed)
        .records(["4 module index is failed (exit 1) (operator)"]);
    for number in 1..1_024 {
        let module = format!("m{number:04}");
        pool.stand_module(steward, &module, ModuleStanding::Healthy)
            .ok();
    }
    pool.stand_module(steward, "more", ModuleStanding::Healthy)
        .refused("more than 1024 modules");
    pool.stand_module(steward, "m0007", ModuleStanding::Stopped)
        .ok();
    pool.stand_module(steward, "more", ModuleStanding::Healthy)
        .ok();
    pool.kill();
    pool.modules("operator", Some("m1022"), 9)
        .answer("m1023 healthy since 1027, more healthy since 1029");
    pool.modules("operator", Some("m0006"), 1)
        .answer("m0008 healthy since 12 next m0008");
    pool.modules("operator", None, 1)
        .answer("index failed (exit 1) since 4 next index");
}

#[test]
fn r57_in_a_timeline_of_another_place_nobody_keeps_the_pool_and_everybody_is_dormant() {
    for reason in [
        EpochReason::Copy,
        EpochReason::Import,
        EpochReason::Restore,
        EpochReason::Fork,
    ] {
        let (mut pool, steward) = kept(&["a", "b"]);
        pool.declare(steward, DECLARED, 1, None).ok();
        pool.stand(steward, MemberStanding::Active, &["a"]).ok();
        pool.start_timeline_because(reason, 9);
        pool.specify(steward, 2, &["a"]).refused("steward fenced");
        pool.roster("operator")
            .answer("nobody: revision 1 [declared 1 as 1 at 7] 2 members, not applied since 9");
        pool.roster_rows("operator", None, 9).answer(
            "a/2 as 1 in declared at 5, dormant/2 (new_timeline) since 9, \
             b/3 as 1 in declared at 6, dormant/3 (new_timeline) since 9",
        );
        // Whoever applies it says so by declaring it, although it is the same.
        pool.take_steward("host", 1).answer("steward 10");
        pool.declare(10, DECLARED, 1, None)
            .records(["11 roster 2: 2 of 1 in declared by 10 (operator)"]);
        pool.declare(10, DECLARED, 1, None).nothing();
        pool.roster("operator")
            .answer("10 host/1: revision 2 [declared 2 as 1 at 11] 2 members");
    }
}

#[test]
fn r58_a_tail_that_was_lost_keeps_the_roster_and_its_steward() {
    let (mut pool, steward) = kept(&["a"]);
    pool.declare(steward, DECLARED, 1, None).ok();
    pool.stand(steward, MemberStanding::Active, &["a"]).ok();
    pool.start_timeline_because(EpochReason::TailLost, 9);
    pool.roster("operator")
        .answer("3 host/1: revision 1 [declared 1 as 1 at 5] 1 members");
    pool.members("operator", None, 9)
        .answer("a/2, 0 unread, 0 wakes, active");
}
