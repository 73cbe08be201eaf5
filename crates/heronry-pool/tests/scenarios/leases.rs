//! Leases: being silent, lost, heard of again, and gone (P4, P5).

use heronry_types::LimitName;

use crate::scenario::{Joining, Letter, Scenario, Take, Wait};

/// A pool with a reader that may be silent for ten seconds.
fn leased() -> Scenario {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("scout").lease(10_000)).ok();
    pool
}

#[test]
fn p5_a_lease_ends_at_its_time_and_not_before() {
    let mut pool = leased();
    pool.pass(9_999).nothing();
    pool.pass(1)
        .records(["4 scout/3 lost, kept until 86410s (engine)"]);
}

#[test]
fn p5_a_heartbeat_renews_a_lease_and_is_not_recorded() {
    let mut pool = leased();
    pool.pass(9_000).ok();
    pool.heartbeat("scout").nothing().answer("at 3");
    pool.pass(9_999).nothing();
    pool.pass(1)
        .records(["4 scout/3 lost, kept until 86419s (engine)"]);
}

#[test]
fn p5_whatever_a_member_does_renews_its_lease() {
    let acts: [fn(&mut Scenario); 6] = [
        |pool| pool.say("scout", "lead", "m1").ok(),
        |pool| pool.receive("scout", "r1").ok(),
        |pool| pool.peek("scout", 1).ok(),
        |pool| pool.members("scout", None, 1).ok(),
        |pool| pool.describe("scout").ok(),
        |pool| pool.check_standing("scout").ok(),
    ];
    for act in acts {
        let mut pool = leased();
        pool.pass(9_000).ok();
        act(&mut pool);
        pool.pass(9_999).nothing();
    }
}

#[test]
fn p5_who_is_refused_was_heard_of_all_the_same() {
    let mut pool = leased();
    pool.pass(9_000).ok();
    pool.ack("scout", "5@6").refused("unknown 5@6");
    pool.pass(9_999).nothing();
}

#[test]
fn p5_an_operator_who_acts_for_a_run_speaks_for_it_and_one_who_asks_does_not() {
    let mut pool = leased();
    pool.pass(9_000).ok();
    pool.say("operator for scout", "lead", "m1").ok();
    pool.pass(9_000).nothing();
    pool.receipt("operator for scout", "m1").ok();
    pool.pass(1_000)
        .records(["6 scout/3 lost, kept until 86419s (engine)"]);
}

#[test]
fn p5_a_fenced_joining_renews_nothing() {
    let mut pool = leased();
    pool.join(Joining::of("scout").instance("i2").lease(10_000))
        .ok();
    pool.pass(9_000).ok();
    pool.heartbeat("scout/1").refused("fenced");
    pool.pass(1_000)
        .records(["5 scout/4 lost, kept until 86410s (engine)"]);
}

#[test]
fn p5_who_waits_for_an_answer_is_heard_of() {
    let mut pool = leased();
    pool.waits("scout");
    pool.pass(100_000).nothing();
}

#[test]
fn p5_a_change_of_the_lease_begins_it_anew() {
    let mut pool = leased();
    pool.pass(5_000).ok();
    pool.set_lease("scout", 20_000).ok();
    pool.pass(19_999).nothing();
    pool.pass(1)
        .records(["5 scout/3 lost, kept until 86425s (engine)"]);
}

#[test]
fn p5_the_end_of_a_lease_can_be_waited_for() {
    let mut pool = leased();
    pool.wait(
        "lead",
        &Wait::for_one(r#"kind == "run_lost" && run == "scout""#, "w1"),
    )
    .ok();
    pool.pass(10_000).records([
        "5 scout/3 lost, kept until 86410s (engine)",
        "6 w1@4 triggered by 5 (engine) <- 5",
    ]);
}

#[test]
fn p5_opening_with_leases_is_recorded_and_gives_each_its_full_term() {
    let mut pool = leased();
    pool.pass(9_000).ok();
    pool.reopen()
        .records(["4 resumed opened since 0s (engine)"]);
    pool.pass(9_999).nothing();
    pool.pass(1)
        .records(["5 scout/3 lost, kept until 86419s (engine)"]);
}

#[test]
fn p5_opening_after_a_long_time_loses_nobody() {
    let mut pool = leased();
    pool.kill();
    pool.stall(7 * 24 * 3_600_000);
    pool.tick().records(["4 resumed opened since 0s (engine)"]);
    pool.heartbeat("scout").nothing();
}

#[test]
fn p5_opening_without_leases_and_claims_records_nothing() {
    let mut pool = Scenario::of("lead");
    pool.reopen().nothing();
}

#[test]
fn p5_opening_with_claims_gives_each_its_term_or_thirty_seconds_uncounted() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "short").ok();
    pool.say("lead", "scout", "long").ok();
    pool.receive("scout", Take::by("r1").max(1).held_for(5_000))
        .ok();
    pool.receive("scout", Take::by("r2").max(1).held_for(60_000))
        .ok();
    pool.kill();
    pool.stall(59_000);
    pool.tick().records(["10 resumed opened since 0s (engine)"]);
    pool.receive("scout", "r1")
        .nothing()
        .answer("short#1 4@8 until 64s | 0 unread");
    pool.receive("scout", "r2")
        .nothing()
        .answer("long#1 6@9 until 89s | 0 unread");
    pool.pass(5_000)
        .records(["11 scout released short 4@8 lapsed (engine)"]);
    pool.pass(25_000)
        .records(["12 scout released long 6@9 lapsed (engine)"]);
}

#[test]
fn p5_a_claim_that_holds_for_longer_anyway_keeps_its_time() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", Take::by("r1").held_for(60_000)).ok();
    pool.reopen()
        .records(["7 resumed opened since 0s (engine)"]);
    pool.receive("scout", "r1")
        .answer("m1#1 4@6 until 60s | 0 unread");
}

#[test]
fn p5_an_engine_two_seconds_late_has_not_paused_and_one_later_has() {
    let mut pool = leased();
    pool.stall(12_000);
    pool.tick()
        .records(["4 scout/3 lost, kept until 86412s (engine)"]);
    let mut pool = leased();
    pool.stall(12_001);
    pool.tick().records(["4 resumed paused since 10s (engine)"]);
    pool.pass(9_999).nothing();
}

#[test]
fn p5_a_pause_holds_claims_for_longer() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", Take::by("r1").held_for(1_000)).ok();
    pool.stall(3_001);
    pool.tick().records(["7 resumed paused since 1s (engine)"]);
    pool.ack("scout", "m1").records([
        "8 scout acked m1 4@6 done",
        "9 m1@4 settled: acked#1 done (engine) <- 4",
    ]);
}

#[test]
fn p5_a_pause_with_an_extended_claim_counts_the_longer_term() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", Take::by("r1").held_for(1_000)).ok();
    pool.extend("scout", "m1", 20_000).ok();
    pool.stall(30_000);
    pool.tick().records(["8 resumed paused since 20s (engine)"]);
    pool.receive("scout", "r1")
        .answer("m1#1 4@6 until 50s | 0 unread");
}

#[test]
fn p4_what_a_lost_member_held_lapses_at_once_and_counts() {
    let mut pool = leased();
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.pass(10_000).records([
        "7 scout/3 lost, kept until 86410s (engine)",
        "8 scout released m1 4@6 lapsed (engine)",
    ]);
    pool.receipt("lead", "m1")
        .answer("m1 delivered at 4: scout queued#1 member_lost");
}

#[test]
fn p4_a_lost_member_keeps_its_place_its_inbox_and_its_wakes() {
    let mut pool = leased();
    pool.wait("scout", &Wait::for_one(r#"kind == "run_completed""#, "w1"))
        .ok();
    pool.pass(10_000).ok();
    pool.say("lead", "scout", "m1")
        .records(["6 lead sent m1 to scout", "7 m1@6 delivered to scout <- 6"])
        .answer("m1 delivered at 6: scout queued#0 member_lost");
    pool.members("operator", None, 9).answer("lead/2, 0 unread, 0 wakes, seen 10s, scout/3 lease 10s, 1 unread, 1 wakes, seen 0s, lost until 86410s");
}

#[test]
fn p4_a_lost_member_is_back_with_its_next_command() {
    let mut pool = leased();
    pool.pass(10_000).ok();
    pool.heartbeat("scout")
        .records(["5 scout/3 is back: heard of"]);
    pool.heartbeat("scout").nothing();
    pool.pass(10_000)
        .records(["6 scout/3 lost, kept until 86420s (engine)"]);
}

#[test]
fn p4_a_lost_member_is_back_before_what_it_says() {
    let mut pool = leased();
    pool.pass(10_000).ok();
    pool.say("scout", "lead", "m1").records([
        "5 scout/3 is back: heard of",
        "6 scout sent m1 to lead",
        "7 m1@6 delivered to lead <- 6",
    ]);
}

#[test]
fn p4_an_operator_brings_a_lost_member_back_by_acting_for_it() {
    let mut pool = leased();
    pool.pass(10_000).ok();
    pool.heartbeat("operator for scout")
        .records(["5 scout/3 is back: heard of (operator)"]);
}

#[test]
fn p4_the_same_instance_that_joins_again_is_back() {
    let mut pool = leased();
    pool.pass(10_000).ok();
    pool.join(Joining::of("scout").lease(10_000))
        .records(["5 scout/3 is back: heard of (operator)"])
        .answer("scout/3 at 3, 0 unread, repeated");
}

#[test]
fn p4_a_lost_member_leaves_when_it_was_kept_for_long_enough() {
    let mut pool = Scenario::limited(&[(LimitName::LostKeepMsMax, 60_000)], "lead");
    pool.join(Joining::of("scout").lease(10_000)).ok();
    pool.say("lead", "scout", "m1").ok();
    pool.wait("scout", &Wait::for_one(r#"kind == "run_completed""#, "w1"))
        .ok();
    pool.pass(10_000)
        .records(["7 scout/3 lost, kept until 70s (engine)"]);
    pool.pass(59_999).nothing();
    pool.pass(1).records([
        "8 scout/3 left: member_lost, 1 there (engine)",
        "9 w1@6 cancelled: left (engine) <- 8",
        "10 m1@4 settled: undeliverable#0 member_lost (engine) <- 4",
    ]);
    pool.heartbeat("scout").refused("no member");
}

#[test]
fn p4_who_is_back_in_time_does_not_leave() {
    let mut pool = Scenario::limited(&[(LimitName::LostKeepMsMax, 60_000)], "lead");
    pool.join(Joining::of("scout").lease(10_000)).ok();
    pool.pass(69_999)
        .records(["4 scout/3 lost, kept until 70s (engine)"]);
    pool.heartbeat("scout")
        .records(["5 scout/3 is back: heard of"]);
    pool.set_lease("scout", 0).ok();
    pool.pass(1_000_000).nothing();
}

#[test]
fn p4_being_lost_goes_on_through_a_kill() {
    let mut pool = Scenario::limited(&[(LimitName::LostKeepMsMax, 60_000)], "lead");
    pool.join(Joining::of("scout").lease(10_000)).ok();
    pool.pass(10_000).ok();
    pool.reopen().nothing();
    pool.pass(60_000)
        .records(["5 scout/3 left: member_lost, 1 there (engine)"]);
}

#[test]
fn p4_a_takeover_of_a_lost_run_finds_it_again() {
    let mut pool = leased();
    pool.pass(10_000).ok();
    pool.join(Joining::of("scout").instance("i2"))
        .records(["5 scout/3 taken over by i2, 2 there (operator)"]);
    pool.pass(100 * 3_600_000).nothing();
    pool.members("operator", None, 9)
        .answer("lead/2, 0 unread, 0 wakes, seen 0s, scout/5, 0 unread, 0 wakes, seen 10s");
}

#[test]
fn p4_the_last_attempt_of_who_is_lost_kills_the_copy() {
    let mut pool = Scenario::limited(&[(LimitName::AttemptsMax, 1)], "lead");
    pool.join(Joining::of("scout").lease(10_000)).ok();
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.pass(10_000).records([
        "7 scout/3 lost, kept until 86410s (engine)",
        "8 scout dead m1@4#1: lapsed (engine)",
        "9 m1@4 settled: dead#1 (engine) <- 4",
    ]);
}

#[test]
fn p4_a_departure_of_the_lost_judges_contracts_again() {
    let mut pool = Scenario::limited(&[(LimitName::LostKeepMsMax, 1_000)], "lead");
    pool.join(Joining::of("scout").lease(10_000)).ok();
    pool.send("lead", &Letter::to("scout", "q1").asks(1)).ok();
    pool.pass(11_000).records([
        "6 scout/3 lost, kept until 11s (engine)",
        "7 scout/3 left: member_lost, 1 there (engine)",
        "8 q1@4 unsatisfiable: undeliverable#0 member_lost (engine) <- 4",
    ]);
}
