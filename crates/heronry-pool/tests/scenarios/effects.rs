//! Effects: an intent before, an attempt, and a result afterwards (J6).

use heronry_types::{EffectResult, LimitName, RunEnd};

use crate::scenario::{Joining, Scenario};

/// A pool where `lead` intends to mail, under the key `k1`, at 3.
fn intended() -> Scenario {
    let mut pool = Scenario::of("lead");
    pool.intend("lead", "mail", Some("k1")).ok();
    pool
}

/// A pool where `lead` intends to call, without a key, at 3.
fn keyless() -> Scenario {
    let mut pool = Scenario::of("lead");
    pool.intend("lead", "call", None).ok();
    pool
}

fn take_over(pool: &mut Scenario) {
    pool.join(Joining::of("lead").instance("i2")).ok();
}

fn done() -> EffectResult {
    EffectResult::succeeded()
}

#[test]
fn j6_an_intent_is_recorded_with_its_first_attempt_before_anything_is_done() {
    let mut pool = Scenario::of("lead");
    pool.intend("lead", "mail", Some("k1"))
        .records([
            "3 lead/2 intends mail under k1",
            "4 lead/2 attempts 3 #1 <- 3",
        ])
        .at_once()
        .answer("3 mail of lead under k1 pending #1");
    pool.intend("lead", "call", None)
        .records(["5 lead/2 intends call", "6 lead/2 attempts 5 #1 <- 5"])
        .answer("5 call of lead pending #1");
}

#[test]
fn j6_a_result_ends_an_effect() {
    let mut pool = intended();
    pool.report("lead", ("3", Some(1)), done().with_note("sent"))
        .records(["5 effect 3 #1 succeeded (sent) <- 3"])
        .answer("3 mail of lead under k1 finished #1 succeeded at 5");
    pool.effects("lead", None, 9).answer("");
}

#[test]
fn j6_an_effect_with_a_key_is_one_whatever_became_of_it() {
    let mut pool = intended();
    pool.intend("lead", "mail", Some("k1"))
        .nothing()
        .answer("3 mail of lead under k1 pending #1, repeated");
    pool.report("lead", ("3", Some(1)), EffectResult::failed())
        .ok();
    pool.intend("lead", "mail", Some("k1"))
        .nothing()
        .answer("3 mail of lead under k1 finished #1 failed, repeated");
    pool.kill();
    pool.intend("lead", "mail", Some("k1")).nothing();
    pool.intend("lead", "other", Some("k1"))
        .refused("conflict with 3: IdempotencyKey");
}

#[test]
fn j6_an_effect_without_a_key_is_another_one_each_time() {
    let mut pool = keyless();
    pool.intend("lead", "call", None)
        .records(["5 lead/2 intends call", "6 lead/2 attempts 5 #1 <- 5"]);
}

#[test]
fn j6_the_same_result_of_the_same_attempt_again_is_a_repeat() {
    let mut pool = intended();
    pool.report("lead", ("3", Some(1)), done()).ok();
    pool.report("lead", ("3", Some(1)), done())
        .nothing()
        .answer("3 mail of lead under k1 finished #1 succeeded at 5");
    pool.kill();
    pool.report("lead", ("3", Some(1)), done()).nothing();
}

#[test]
fn j6_a_result_of_something_finished_is_refused_and_recorded() {
    let mut pool = intended();
    pool.report("lead", ("3", Some(1)), done()).ok();
    pool.report("lead", ("3", Some(1)), EffectResult::failed())
        .records(["6 effect 3 #1 failed refused: finished"])
        .answer("refused: finished at 6");
    pool.report("lead", ("3", Some(1)), done().with_note("sent"))
        .records(["7 effect 3 #1 succeeded (sent) refused: finished"]);
    pool.report("lead", ("3", Some(2)), done())
        .records(["8 effect 3 #2 succeeded refused: finished"]);
}

#[test]
fn j6_a_result_of_something_unknown_is_refused_and_recorded() {
    let mut pool = intended();
    pool.report("lead", ("4", Some(1)), done())
        .records(["5 effect 4 #1 succeeded refused: unknown"])
        .answer("refused: unknown at 5");
    pool.report("lead", ("99", Some(1)), done())
        .records(["6 effect 99 #1 succeeded refused: unknown"]);
    pool.report("lead", ("3 of 9", Some(1)), done())
        .records(["7 effect 3 #1 succeeded refused: unknown"]);
}

#[test]
fn j6_a_result_of_another_attempt_is_stale() {
    let mut pool = intended();
    pool.attempt("lead", "3", 1)
        .records(["5 lead/2 attempts 3 #2 <- 3"])
        .answer("3 mail of lead under k1 pending #2");
    pool.report("lead", ("3", Some(1)), done())
        .records(["6 effect 3 #1 succeeded refused: stale"])
        .answer("refused: stale at 6");
    pool.report("lead", ("3", Some(2)), done())
        .records(["7 effect 3 #2 succeeded <- 3"]);
}

#[test]
fn j6_a_result_of_a_generation_that_ended_is_stale() {
    let mut pool = intended();
    take_over(&mut pool);
    pool.report("lead/1", ("3", Some(1)), done())
        .records(["6 effect 3 #1 succeeded refused: stale"])
        .answer("refused: stale at 6");
    pool.report("lead/2", ("3", Some(1)), done())
        .records(["7 effect 3 #1 succeeded refused: stale"])
        .answer("refused: stale at 7");
}

#[test]
fn j6_a_result_of_who_left_is_stale() {
    let mut pool = intended();
    pool.leave("lead").ok();
    pool.report("lead", ("3", Some(1)), done())
        .records(["6 effect 3 #1 succeeded refused: stale"]);
    pool.effects("operator", None, 9)
        .answer("3 mail of lead under k1 retry_safe #1");
}

#[test]
fn j6_a_restart_of_the_engine_orphans_nothing() {
    let mut pool = intended();
    pool.intend("lead", "call", None).ok();
    pool.kill();
    pool.effects("lead", None, 9)
        .nothing()
        .answer("3 mail of lead under k1 pending #1, 5 call of lead pending #1");
    pool.report("lead", ("3", Some(1)), done())
        .records(["7 effect 3 #1 succeeded <- 3"]);
}

#[test]
fn j6_the_end_of_the_generation_orphans_its_effects() {
    let mut pool = intended();
    pool.intend("lead", "call", None).ok();
    take_over(&mut pool);
    pool.effects("lead", None, 9)
        .nothing()
        .answer("3 mail of lead under k1 retry_safe #1, 5 call of lead unsafe_pending #1");
    pool.leave("lead").ok();
    pool.effects("operator", None, 9)
        .nothing()
        .answer("3 mail of lead under k1 retry_safe #1, 5 call of lead unsafe_pending #1");
}

#[test]
fn j6_an_orphan_with_a_key_is_attempted_by_the_next_generation_which_has_it_then() {
    let mut pool = intended();
    take_over(&mut pool);
    pool.attempt("lead/1", "3", 1).refused("fenced");
    pool.attempt("lead", "3", 1)
        .records(["6 lead/5 attempts 3 #2 <- 3"])
        .answer("3 mail of lead under k1 pending #2");
    pool.report("lead/2", ("3", Some(2)), done())
        .records(["7 effect 3 #2 succeeded <- 3"]);
}

#[test]
fn j6_an_effect_without_a_key_is_not_attempted_again() {
    let mut pool = keyless();
    pool.attempt("lead", "3", 1).refused("effect unsafe");
    take_over(&mut pool);
    pool.attempt("lead", "3", 1).refused("effect unsafe");
    pool.attempt("operator for lead", "3", 1)
        .refused("effect unsafe");
}

#[test]
fn j6_an_attempt_that_somebody_else_has_made_is_stale() {
    let mut pool = intended();
    pool.attempt("lead", "3", 1).ok();
    pool.attempt("lead", "3", 1).refused("effect stale");
    pool.attempt("lead", "3", 3).refused("effect stale");
    pool.attempt("lead", "3", 2).ok();
}

#[test]
fn j6_what_is_finished_or_not_there_is_not_attempted() {
    let mut pool = intended();
    pool.attempt("lead", "4", 1).refused("no such effect");
    pool.attempt("lead", "3 of 9", 1).refused("no such effect");
    pool.report("lead", ("3", Some(1)), done()).ok();
    pool.attempt("lead", "3", 1).refused("effect finished");
}

#[test]
fn j6_anothers_effect_is_not_attempted() {
    let mut pool = intended();
    pool.join("scout").ok();
    pool.attempt("scout", "3", 1).refused("no such effect");
    pool.attempt("scout for lead", "3", 1)
        .refused("not your run");
}

#[test]
fn j6_an_operator_resolves_what_nobody_else_knows() {
    let mut pool = keyless();
    pool.leave("lead").ok();
    pool.report("lead", ("3", None), done())
        .refused("operators only");
    pool.report("operator", ("3", None), done().with_note("asked the host"))
        .records(["6 effect 3 succeeded (asked the host) (operator) <- 3"])
        .answer("3 call of lead finished #1 succeeded at 6");
    pool.report("operator", ("3", None), done().with_note("asked the host"))
        .nothing();
    pool.report("operator", ("9", None), done())
        .records(["7 effect 9 succeeded refused: unknown (operator)"]);
}

#[test]
fn j6_an_operator_attempts_an_orphan_for_the_generation_that_has_it() {
    let mut pool = intended();
    pool.end("lead", RunEnd::Failed).ok();
    pool.attempt("operator for lead", "3", 1)
        .records(["6 lead/2 attempts 3 #2 (operator) <- 3"])
        .answer("3 mail of lead under k1 retry_safe #2");
    pool.report("operator for lead", ("3", Some(2)), done())
        .records(["7 effect 3 #2 succeeded (operator) <- 3"]);
}

#[test]
fn j6_pending_effects_of_a_run_are_as_many_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::PendingEffectsPerRunMax, 1)], "lead scout");
    pool.intend("lead", "mail", None).ok();
    pool.intend("lead", "call", None)
        .refused("pending_effects_per_run_max: 2 of 1");
    pool.intend("scout", "call", None).ok();
    pool.report("lead", ("4", Some(1)), done()).ok();
    pool.intend("lead", "call", None).ok();
}

#[test]
fn j6_an_intent_and_a_note_are_as_long_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::NoteBytesMax, 4)], "lead");
    pool.intend("lead", "mails", None)
        .refused("note_bytes_max: 5 of 4");
    pool.intend("lead", "mail", None).ok();
    pool.report("lead", ("3", Some(1)), done().with_note("fives"))
        .refused("note_bytes_max: 5 of 4");
    pool.report("lead", ("3", Some(1)), done().with_note("four"))
        .ok();
}

#[test]
fn j6_effects_are_listed_by_pages() {
    let mut pool = intended();
    pool.join("scout").ok();
    pool.intend("scout", "call", None).ok();
    pool.intend("lead", "call", None).ok();
    pool.effects("operator", None, 2)
        .nothing()
        .answer("3 mail of lead under k1 pending #1, 6 call of scout pending #1 next 6");
    pool.effects("operator", Some("6"), 2)
        .answer("8 call of lead pending #1");
    pool.effects("lead", None, 1)
        .answer("3 mail of lead under k1 pending #1 next 3");
    pool.effects("lead", Some("99"), 1)
        .refused("99 is ahead of 9");
    let mut pool = Scenario::limited(&[(LimitName::PageItemsMax, 1)], "lead");
    pool.effects("lead", None, 2)
        .refused("page_items_max: 2 of 1");
}
