//! Idempotency: what a repeat is, and what a conflict (M3).

use heronry_types::{DistinctBy, EventKind, LimitName, ResumeWith};

use crate::scenario::{
    Event, Joining, Letter, Scenario, Wait,
    notation::{all, any, count},
};

/// A pool where the key `k1` is that of a message at 4.
fn sent() -> Scenario {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &first()).ok();
    pool
}

fn first() -> Letter {
    Letter::to("scout", "m1")
        .key("k1")
        .body("text")
        .correlation("a", "1")
        .expires_in(60_000)
}

#[test]
fn m3_an_equal_request_is_answered_as_it_stands_now_and_nothing_is_recorded() {
    let mut pool = sent();
    pool.send("lead", &first())
        .nothing()
        .answer("m1 delivered at 4: scout queued#0, repeated");
    pool.receive("scout", "r1").ok();
    pool.send("lead", &first())
        .nothing()
        .answer("m1 delivered at 4: scout claimed#1, repeated");
    pool.ack("scout", "m1").ok();
    pool.send("lead", &first())
        .nothing()
        .answer("m1 settled at 4: scout acked#1 done, repeated");
}

#[test]
fn m3_a_repeat_is_one_after_a_kill_and_after_the_message_left_memory() {
    let mut pool = sent();
    pool.kill();
    pool.send("lead", &first()).nothing();
    pool.receive("scout", "r1").ok();
    pool.ack("scout", "m1").ok();
    pool.kill();
    pool.send("lead", &first())
        .nothing()
        .answer("m1 settled at 4: scout acked#1 done, repeated");
}

#[test]
fn m3_every_part_of_the_request_that_differs_is_a_conflict_with_the_first_cursor() {
    let others: [fn(Letter) -> Letter; 13] = [
        |it| it.body("other"),
        |it| it.media_type("text/html"),
        |it| it.correlation("a", "2"),
        |it| it.correlation("b", "1"),
        |it| it.expires_in(60_001),
        |it| it.expires_at(60_000),
        |it| it.reply_to("m0"),
        |it| it.asks(1),
        |it| it.steer(),
        |it| it.after(1),
        |it| it.ordered(),
        |it| it.skip_when_full(),
        |it| it.policies("a"),
    ];
    for other in others {
        let mut pool = sent();
        pool.send("lead", &other(first()))
            .refused("conflict with 4: IdempotencyKey");
    }
    let mut pool = sent();
    let elsewhere = Letter::to("lead", "m1").key("k1").body("text");
    pool.send("lead", &elsewhere)
        .refused("conflict with 4: IdempotencyKey");
}

#[test]
fn m3_another_id_under_a_key_is_a_conflict_and_so_is_none() {
    let mut pool = sent();
    let other = Letter::to("scout", "m2")
        .key("k1")
        .body("text")
        .correlation("a", "1")
        .expires_in(60_000);
    pool.send("lead", &other)
        .refused("conflict with 4: IdempotencyKey");
    pool.send("lead", &first().without_id())
        .refused("conflict with 4: IdempotencyKey");
}

#[test]
fn m3_what_is_usual_anyway_is_not_part_of_a_request() {
    let mut pool = sent();
    pool.send("lead", &first().after(0)).nothing();
    pool.send("lead", &first().refuse_when_full()).nothing();
    pool.send("lead", &Letter::to("pool:p", "m2").skip_when_full())
        .records(["6 lead sent m2 to pool:p", "7 m2@6 delivered to scout <- 6"]);
    pool.send("lead", &Letter::to("pool:p", "m2")).nothing();
}

#[test]
fn m3_a_body_is_compared_by_its_digest_wherever_it_stands() {
    let mut pool = sent();
    pool.send("lead", &Letter::to("scout", "m2").naming("m1"))
        .ok();
    pool.send("lead", &Letter::to("scout", "m2").naming("m1"))
        .nothing();
    pool.send("lead", &Letter::to("scout", "m2").naming_erased("m1"))
        .nothing();
}

#[test]
fn m3_policies_have_no_order() {
    let mut pool = Scenario::of("scout");
    pool.join(Joining::of("lead").policies("a b")).ok();
    let letter = |policies: &str| Letter::to("lead", "m1").policies(policies);
    pool.send("lead", &letter("a b")).ok();
    pool.send("lead", &letter("b a")).nothing();
}

#[test]
fn m3_a_message_id_is_used_once_by_a_run() {
    let mut pool = sent();
    pool.send("lead", &first().key("k2"))
        .refused("conflict with 4: MessageId");
    pool.send("scout", &first().key("k2")).records([
        "6 scout sent m1 to scout, expires at 60s",
        "7 m1@6 delivered to scout <- 6",
    ]);
    pool.send("scout", &first().key("k1"))
        .refused("conflict with 6: MessageId");
}

#[test]
fn m3_keys_are_a_runs_own() {
    let mut pool = sent();
    let letter = Letter::to("lead", "m9").key("k1");
    pool.send("scout", &letter)
        .records(["6 scout sent m9 to lead", "7 m9@6 delivered to lead <- 6"]);
}

#[test]
fn m3_sends_wakes_events_and_effects_share_one_key_space() {
    let mut pool = sent();
    let wait = Wait::for_one("terminal", "w1").key("k1");
    pool.wait("lead", &wait)
        .refused("conflict with 4: IdempotencyKey");
    let events = || vec![Event::of(EventKind::TurnStarted)];
    pool.report_events("lead", "k1", events())
        .refused("conflict with 4: IdempotencyKey");
    pool.intend("lead", "mail", Some("k1"))
        .refused("conflict with 4: IdempotencyKey");
    pool.report_events("lead", "k2", events()).ok();
    pool.say("lead", "scout", "k2")
        .refused("conflict with 6: IdempotencyKey");
    pool.intend("lead", "mail", Some("k3")).ok();
    pool.say("lead", "scout", "k3")
        .refused("conflict with 7: IdempotencyKey");
    pool.kill();
    pool.say("lead", "scout", "k3")
        .refused("conflict with 7: IdempotencyKey");
    pool.say("lead", "scout", "k2")
        .refused("conflict with 6: IdempotencyKey");
}

#[test]
fn m3_ids_of_messages_and_wakes_are_apart() {
    let mut pool = sent();
    pool.wait("lead", &Wait::for_one("terminal", "m1").key("k2"))
        .records(["6 lead waits m1 for terminal since 6"]);
}

#[test]
fn m3_a_key_outlives_the_joining_of_its_run() {
    let mut pool = sent();
    pool.join(Joining::of("lead").instance("i2")).ok();
    pool.send("lead/2", &first()).nothing();
    pool.send("lead/1", &first()).nothing();
    pool.send("lead/2", &first().body("other"))
        .refused("conflict with 4: IdempotencyKey");
}

#[test]
fn m3_a_repeat_is_answered_over_a_limit_that_came_later() {
    let mut pool = sent();
    pool.configure("operator", 1, &[(LimitName::BodyInlineBytesMax, 0)])
        .ok();
    pool.send("lead", &first()).nothing();
}

fn wait() -> Wait {
    Wait::for_one(r#"kind == "run_failed""#, "w1")
        .key("k1")
        .timeout(60_000)
}

#[test]
fn m3_an_equal_wake_is_answered_as_it_stands_now() {
    let mut pool = Scenario::of("lead scout");
    pool.wait("lead", &wait()).ok();
    pool.wait("lead", &wait())
        .nothing()
        .answer("w1 of lead registered at 4, until 60s, repeated");
    pool.end("scout", heronry_types::RunEnd::Failed).ok();
    pool.wait("lead", &wait())
        .nothing()
        .answer("w1 of lead triggered at 6 by 5, until 60s, repeated");
    pool.kill();
    pool.wait("lead", &wait())
        .nothing()
        .answer("w1 of lead triggered at 6 by 5, until 60s, repeated");
}

#[test]
fn m3_every_part_of_a_wake_that_differs_is_a_conflict() {
    let others: [fn(Wait) -> Wait; 9] = [
        |it| it.since("start"),
        |it| it.since("3"),
        |it| it.timeout(60_001),
        |it| it.resume_with(ResumeWith::None),
        |it| it.resume_with(ResumeWith::Summary),
        |it| it.wakes_too(),
        |it| it.suspends(),
        |it| it.policies("a"),
        |it| it.without_id(),
    ];
    for other in others {
        let mut pool = Scenario::of("lead");
        pool.wait("lead", &wait()).ok();
        pool.wait("lead", &other(wait()))
            .refused("conflict with 3: IdempotencyKey");
    }
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &wait()).ok();
    let other = Wait::for_one("terminal", "w1").key("k1").timeout(60_000);
    pool.wait("lead", &other)
        .refused("conflict with 3: IdempotencyKey");
}

#[test]
fn m3_a_wake_id_is_used_once_by_a_run() {
    let mut pool = Scenario::of("lead scout");
    pool.wait("lead", &wait()).ok();
    pool.wait("lead", &wait().key("k2"))
        .refused("conflict with 4: WakeId");
    pool.wait("scout", &wait()).ok();
}

#[test]
fn m3_equal_conditions_are_one_request_whatever_the_order_of_their_parts() {
    let (one, other) = (r#"kind == "run_failed""#, r#"run == "scout""#);
    for (asked, again) in [
        (all(&[one, other]), all(&[other, one, other])),
        (any(&[one, other]), any(&[other, one])),
        (any(&[one]), all(&[one])),
        (
            any(&[r#"kind == "run_failed" && terminal"#]),
            all(&[r#"terminal && kind in ["run_failed"]"#]),
        ),
    ] {
        let mut pool = Scenario::of("lead");
        pool.wait("lead", &Wait::on(asked, "w1")).ok();
        pool.wait("lead", &Wait::on(again, "w1")).nothing();
    }
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &Wait::on(count(2, DistinctBy::Run, one), "w1"))
        .ok();
    pool.wait("lead", &Wait::on(count(3, DistinctBy::Run, one), "w1"))
        .refused("conflict with 3: IdempotencyKey");
    pool.wait("lead", &Wait::on(count(2, DistinctBy::Event, one), "w1"))
        .refused("conflict with 3: IdempotencyKey");
}

#[test]
fn m3_a_repeated_wake_is_answered_before_its_cursor_is_checked() {
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &wait().since("1")).ok();
    pool.trim_to(3);
    pool.wait("lead", &wait().since("1")).nothing();
    pool.wait("lead", &Wait::for_one("terminal", "w2").since("1"))
        .refused("1 is trimmed before 2");
}

#[test]
fn m3_an_id_of_a_wake_that_nobody_chose_follows_from_the_key() {
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &wait().without_id()).records([
    "3 lead waits w-69657b0fd084e8fa14dedb55f4df0afd for kind == \"run_failed\" since 3, until 60s",
]);
    pool.wait("lead", &wait().without_id()).nothing();
}
