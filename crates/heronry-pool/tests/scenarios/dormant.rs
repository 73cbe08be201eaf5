//! Falling dormant: a declared member without a process stays a member at no cost (P6, U14).

use heronry_types::{LimitName, MemberStanding};

use crate::scenario::{Joining, Letter, Scenario, Sleep, Take, Wait};

const DORMANT: MemberStanding = MemberStanding::Dormant;
const HOUR: u64 = 3_600_000;

/// A pool whose steward keeps a member that may be silent for ten seconds: `scout`, joined by record 3 and specified
/// by record 5.
fn kept() -> Scenario {
    kept_with(Scenario::of("lead"))
}

fn kept_with(mut pool: Scenario) -> Scenario {
    pool.join(Joining::of("scout").lease(10_000)).ok();
    pool.take_steward("host", 1).answer("steward 4");
    pool.specify(4, 1, &["scout"]).ok();
    pool
}

#[test]
fn r30a_who_is_declared_and_dormant_is_a_member_that_is_never_lost() {
    let mut pool = kept();
    pool.stand(4, DORMANT, &["scout declared"])
        .records(["6 scout/3 is dormant (declared) (operator)"]);
    pool.say("lead", "pool:p", "news")
        .answer("news delivered at 7: scout queued#0");
    pool.wait("scout", &Wait::for_one(r#"kind == "run_failed""#, "w"))
        .ok();
    pool.pass(25 * HOUR).nothing();
    pool.kill();
    pool.pass(25 * HOUR).nothing();
    pool.members("operator", Some("lead"), 9)
        .answer("scout/3 lease 10s, 1 unread, 1 wakes, dormant");
    pool.say("lead", "scout", "more")
        .answer("more delivered at 10: scout queued#0");
}

#[test]
fn r30a_another_standing_lets_the_lease_run_from_then_on() {
    let mut pool = kept();
    pool.stand(4, DORMANT, &["scout"]).ok();
    pool.pass(HOUR).nothing();
    pool.stand(4, MemberStanding::Starting, &["scout"])
        .records(["7 scout/3 is starting (operator)"]);
    pool.pass(9_999).nothing();
    // How it stands is no sign of life of it.
    pool.stand(4, MemberStanding::Active, &["scout"]).ok();
    pool.pass(1)
        .records(["9 scout/3 lost, kept until 90010s (engine)"]);
}

#[test]
fn r30a_a_takeover_lets_the_lease_run_and_nobody_said_how_the_new_joining_stands() {
    let mut pool = kept();
    pool.stand(4, DORMANT, &["scout"]).ok();
    pool.say("lead", "scout", "m").ok();
    pool.pass(HOUR).nothing();
    pool.join(Joining::of("scout").instance("next").lease(10_000))
        .answer("scout/9 at 9, 1 unread, from 3 seen 0s");
    pool.members("operator", Some("lead"), 9)
        .answer("scout/9 lease 10s, 1 unread, 0 wakes, seen 3600s");
    pool.roster_rows("operator", None, 9)
        .answer("scout/9 as 1 in declared at 5, dormant/3 since 6");
    pool.pass(9_999).nothing();
    pool.pass(1)
        .records(["10 scout/9 lost, kept until 90010s (engine)"]);
}

#[test]
fn r30a_who_is_specified_no_longer_is_dormant_no_longer() {
    let mut pool = kept();
    pool.stand(4, DORMANT, &["scout"]).ok();
    pool.pass(HOUR).nothing();
    pool.specify(4, 0, &["scout"]).ok();
    pool.pass(9_999).nothing();
    pool.pass(1)
        .records(["8 scout/3 lost, kept until 90010s (engine)"]);
}

#[test]
fn r30a_who_was_lost_and_falls_dormant_is_lost_no_longer() {
    let mut pool = kept();
    pool.pass(10_000)
        .records(["6 scout/3 lost, kept until 86410s (engine)"]);
    pool.stand(4, DORMANT, &["scout"])
        .records(["7 scout/3 is dormant (operator)"]);
    pool.pass(25 * HOUR).nothing();
    pool.kill();
    pool.members("operator", Some("lead"), 9)
        .answer("scout/3 lease 10s, 0 unread, 0 wakes, dormant");
}

#[test]
fn p6_who_falls_dormant_gives_its_claims_back_as_attempts() {
    let mut pool = kept();
    pool.say("lead", "scout", "one").ok();
    pool.say("lead", "scout", "two").ok();
    pool.receive("scout", Take::by("r").max(2).held_for(60_000))
        .ok();
    pool.stand(4, DORMANT, &["scout"])
        .records([
            "11 scout/3 is dormant (operator)",
            "12 scout released one 6@10, two 8@10 dormant (operator)",
        ])
        .at_once();
    // Falling dormant again, as a repeat or for another reason, gives nothing back again.
    pool.stand(4, DORMANT, &["scout"]).nothing();
    pool.stand(4, DORMANT, &["scout exit 0"])
        .records(["13 scout/3 is dormant (exit 0) (operator)"]);
    pool.receive("scout", Take::by("r2").max(1).held_for(60_000))
        .answer("one#2 6@14 until 60s | 1 unread");
}

#[test]
fn p6_the_claims_of_a_suspended_run_stay_when_it_falls_dormant() {
    let mut pool = kept();
    pool.say("lead", "scout", "one").ok();
    pool.receive("scout", Take::by("r").held_for(60_000)).ok();
    pool.suspend("scout", &Sleep::default().timeout(2 * HOUR))
        .ok();
    pool.stand(4, DORMANT, &["scout"])
        .records(["10 scout/3 is dormant (operator)"]);
    pool.pass(HOUR).nothing();
    // The suspension ends, and the claim holds for its term; the lease does not run.
    pool.pass(HOUR)
        .records(["11 scout/3 is back: timeout (engine) <- 9"]);
    pool.pass(60_000)
        .records(["12 scout released one 6@8 lapsed (engine)"]);
    pool.pass(25 * HOUR).nothing();
}

#[test]
fn p6_a_last_attempt_is_dead_when_its_member_falls_dormant() {
    let mut pool = kept_with(Scenario::limited(&[(LimitName::AttemptsMax, 1)], "lead"));
    pool.join("other").ok();
    pool.specify(4, 1, &["other"]).ok();
    pool.send("lead", &Letter::to("pool:p", "both")).ok();
    for by in ["scout", "other"] {
        pool.receive(by, Take::by(by).held_for(60_000)).ok();
    }
    let before = pool.head();
    assert_eq!(before, 11);
    pool.stand(4, DORMANT, &["scout", "other"])
        .records([
            "12 scout/3 is dormant (operator)",
            "13 other/6 is dormant (operator)",
            "14 other dead both@8#1: released (engine)",
            "15 scout dead both@8#1: released (engine)",
            "16 both@8 settled: dead#1, dead#1 (engine) <- 8",
        ])
        .at_once();
}
