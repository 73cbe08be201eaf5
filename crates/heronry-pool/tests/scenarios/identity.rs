//! Identity: who may act as whom, in every standing of a run (P3, P8, M2).

use heronry_types::{EffectResult, EventKind, RunEnd};

use crate::scenario::{Event, Joining, Letter, Scenario, Sleep, Step, Wait};

type Act = (&'static str, fn(&mut Scenario, &str) -> Step);

/// The acts of a caller as a run.
const ACTS: [Act; 19] = [
    ("send", |pool, by| pool.say(by, "lead", "new")),
    ("receive", |pool, by| pool.receive(by, "r2")),
    ("peek", |pool, by| pool.peek(by, 1)),
    ("ack", |pool, by| pool.ack(by, "4@6")),
    ("release", |pool, by| pool.release(by, "4@6")),
    ("extend", |pool, by| pool.extend(by, "4@6", 1_000)),
    ("cancel", |pool, by| pool.cancel(by, "q1")),
    ("receipt", |pool, by| pool.receipt(by, "q1")),
    ("replay", |pool, by| pool.replay(by, "4")),
    ("wait", |pool, by| {
        pool.wait(by, &Wait::for_one("terminal", "w2"))
    }),
    ("cancel a wake", |pool, by| pool.cancel_wake(by, "w1")),
    ("find a wake", |pool, by| pool.wake(by, "w1")),
    ("suspend", |pool, by| pool.suspend(by, &Sleep::on("w1"))),
    ("resume", |pool, by| pool.resume(by)),
    ("change", |pool, by| pool.set_topics(by, "news")),
    ("heartbeat", |pool, by| pool.heartbeat(by)),
    ("intend", |pool, by| pool.intend(by, "mail", None)),
    ("report events", |pool, by| {
        pool.report_events(by, "e1", vec![Event::of(EventKind::TurnStarted)])
    }),
    ("leave", |pool, by| pool.leave(by)),
];

/// The questions of a caller to the pool, in its own name.
const QUESTIONS: [Act; 11] = [
    ("members", |pool, by| pool.members(by, None, 1)),
    ("wakes", |pool, by| pool.wakes(by, None, 1)),
    ("dead letters", |pool, by| {
        pool.dead_letters(by, None, (None, 1))
    }),
    ("effects", |pool, by| pool.effects(by, None, 1)),
    ("describe", |pool, by| pool.describe(by)),
    ("view", |pool, by| pool.view(by)),
    ("standing", |pool, by| pool.check_standing(by)),
    ("authors", |pool, by| pool.authors(by)),
    ("admit", |pool, by| pool.admit(by, 1, 0)),
    ("fetch a body", |pool, by| pool.fetch_content(by, "m1")),
    ("erase a body", |pool, by| pool.may_erase(by, "q1")),
];

/// A pool where `scout` has a claim, a wake, an effect and a message of its own.
fn scene() -> Scenario {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.wait("scout", &Wait::for_one(r#"kind == "run_failed""#, "w1"))
        .ok();
    pool.say("scout", "lead", "q1").ok();
    pool.intend("scout", "mail", Some("mail")).ok();
    pool
}

/// Lets somebody do everything, each time in a new scene that was changed like this.
fn check(acts: &[Act], change: fn(&mut Scenario), (by, refusal): (&str, &str)) {
    for (name, act) in acts {
        let mut pool = scene();
        change(&mut pool);
        let step = act(&mut pool, by);
        assert_eq!(step.refusal(), Some(refusal), "{name} by {by}");
    }
}

#[test]
fn p8_another_member_acts_for_nobody_else() {
    check(&ACTS, |_| {}, ("lead for scout", "not your run"));
}

#[test]
fn p8_who_never_joined_is_no_member() {
    check(&ACTS, |_| {}, ("stranger", "no member"));
    check(&QUESTIONS, |_| {}, ("stranger", "no member"));
}

#[test]
fn p3_an_older_generation_is_fenced_in_whatever_it_does_and_asks() {
    let take_over = |pool: &mut Scenario| pool.join(Joining::of("scout").instance("i2")).ok();
    check(&ACTS, take_over, ("scout/1", "fenced"));
    check(&QUESTIONS, take_over, ("scout/1", "fenced"));
}

#[test]
fn p3_an_older_generation_is_fenced_after_a_kill_too() {
    let take_over = |pool: &mut Scenario| {
        pool.join(Joining::of("scout").instance("i2")).ok();
        pool.kill();
    };
    check(&ACTS, take_over, ("scout/1", "fenced"));
}

#[test]
fn p4_who_left_neither_acts_nor_asks() {
    let leave = |pool: &mut Scenario| pool.leave("scout").ok();
    check(&ACTS, leave, ("scout", "no member"));
    check(&QUESTIONS, leave, ("scout", "no member"));
}

#[test]
fn p6_who_ended_neither_acts_nor_asks() {
    let end = |pool: &mut Scenario| pool.end("scout", RunEnd::Completed).ok();
    check(&ACTS, end, ("scout", "run completed"));
    check(&QUESTIONS, end, ("scout", "run completed"));
}

#[test]
fn p8_an_operator_does_for_a_run_what_that_run_may() {
    for (name, act) in ACTS {
        if name == "replay" {
            continue; // nothing is dead
        }
        act(&mut scene(), "operator for scout").ok();
    }
}

#[test]
fn p8_a_member_does_for_itself_what_an_operator_may_for_it() {
    for (name, act) in ACTS {
        if name == "replay" {
            continue; // nothing is dead
        }
        act(&mut scene(), "scout").ok();
    }
    for (_, ask) in QUESTIONS {
        ask(&mut scene(), "scout").nothing();
    }
}

#[test]
fn p8_an_operator_acts_for_members_alone() {
    let mut pool = scene();
    pool.say("operator for stranger", "lead", "m9")
        .refused("no member");
    pool.heartbeat("operator for stranger").refused("no member");
    pool.wait("operator for stranger", &Wait::for_one("terminal", "w9"))
        .refused("no member");
}

#[test]
fn p8_a_record_by_an_operator_for_a_run_says_so() {
    let mut pool = scene();
    pool.say("operator for scout", "lead", "m9").records([
        "12 scout sent m9 to lead (operator)",
        "13 m9@12 delivered to lead (operator) <- 12",
    ]);
    pool.ack("operator for scout", "m1").records([
        "14 scout acked m1 4@6 done (operator)",
        "15 m1@4 settled: acked#1 done (engine) <- 4",
    ]);
    pool.cancel("operator for scout", "q1")
        .records(["16 q1@8 cancelled: cancelled#0 (operator) <- 8"]);
    pool.cancel_wake("operator for scout", "w1")
        .records(["17 w1@7 cancelled: requested (operator) <- 7"]);
    pool.intend("operator for scout", "call", None).records([
        "18 scout/3 intends call (operator)",
        "19 scout/3 attempts 18 #1 (operator) <- 18",
    ]);
}

#[test]
fn p8_absent_and_another_ones_look_alike_to_a_member() {
    let mut pool = scene();
    pool.say("lead", "scout", "m3").ok();
    pool.receipt("scout", "m3").refused("no such message");
    pool.receipt("scout", "nothing").refused("no such message");
    pool.wait("lead", &Wait::for_one("terminal", "w7")).ok();
    pool.wake("scout", "w7").refused("no such wake");
    pool.wake("scout", "nothing").refused("no such wake");
    pool.cancel_wake("scout", "w7").refused("no such wake");
    pool.cancel("scout", "m3").refused("no such message");
}

#[test]
fn p8_an_operator_finds_what_belongs_to_a_run_that_has_left() {
    let mut pool = scene();
    pool.leave("scout").ok();
    pool.receipt("operator for scout", "q1")
        .nothing()
        .answer("q1 delivered at 8: lead queued#0");
    pool.wake("operator for scout", "w1")
        .nothing()
        .answer("w1 of scout cancelled left at 13");
    pool.cancel("operator for scout", "q1")
        .records(["15 q1@8 cancelled: cancelled#0 (operator) <- 8"]);
}

#[test]
fn p7_no_run_is_started_because_it_was_addressed() {
    let mut pool = Scenario::of("lead");
    pool.say("lead", "agent:scout", "m1").records([
        "3 lead sent m1 to agent:scout",
        "4 m1@3 failed: no_recipient <- 3",
    ]);
    pool.say("lead", "scout", "m2").records([
        "5 lead sent m2 to scout",
        "6 m2@5 failed: no_such_member <- 5",
    ]);
    pool.members("operator", None, 9)
        .answer("lead/2, 0 unread, 0 wakes, seen 0s");
}

#[test]
fn p8_a_member_lists_only_its_own_wakes_effects_and_dead_letters() {
    let mut pool = scene();
    pool.wakes("lead for scout", None, 9)
        .refused("not your run");
    pool.effects("lead for scout", None, 9)
        .refused("not your run");
    pool.dead_letters("lead", Some("scout"), (None, 9))
        .refused("not your run");
    pool.wakes("lead", None, 9).nothing().answer("");
    pool.wakes("operator", None, 9)
        .nothing()
        .answer("w1 of scout registered at 7");
    pool.wakes("operator for scout", None, 9)
        .nothing()
        .answer("w1 of scout registered at 7");
}

#[test]
fn p8_an_operator_that_looks_with_a_members_eyes_is_not_fenced_by_a_takeover() {
    let mut pool = scene();
    pool.view("operator for scout")
        .nothing()
        .answer("as scout since 3");
    pool.view("scout").nothing().answer("scout/3");
    pool.view("operator").nothing().answer("all");
    pool.join(Joining::of("scout").instance("i2")).ok();
    pool.read_events("operator for scout", None, 1).nothing();
    pool.read_events("scout/1", None, 1).refused("fenced");
    pool.leave("scout").ok();
    pool.read_events("operator for scout", None, 1)
        .refused("no member");
}

#[test]
fn p8_a_result_of_anothers_effect_is_not_ones_own() {
    let mut pool = scene();
    let effect = ("10", Some(1));
    pool.report("lead for scout", effect, EffectResult::succeeded())
        .refused("not your run");
    pool.report("lead", effect, EffectResult::succeeded())
        .records(["12 effect 10 #1 succeeded refused: unknown"])
        .answer("refused: unknown at 12");
}

#[test]
fn m2_identity_comes_before_the_repeat() {
    let mut pool = scene();
    pool.send("lead for scout", &Letter::to("lead", "q1"))
        .refused("not your run");
}
