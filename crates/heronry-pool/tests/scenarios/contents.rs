//! Bodies: stored by themselves, named, fetched and erased (M1, B1, B2).

use heronry_types::LimitName;

use crate::scenario::{Letter, Scenario};

/// A pool where `lead` has stored the body `c1` by itself, at 4.
fn stored() -> Scenario {
    let mut pool = Scenario::of("lead scout");
    pool.store("lead", "c1", 2).ok();
    pool
}

#[test]
fn b2_a_body_that_is_stored_by_itself_is_recorded_once() {
    let mut pool = Scenario::of("lead");
    pool.store("lead", "c1", 5_000)
        .records(["3 lead content stored, 5000 bytes until 86400s"])
        .answer("at 3");
    pool.store("lead", "c1", 5_000).nothing().answer("at 3");
    pool.kill();
    pool.store("lead", "c1", 5_000).nothing();
}

#[test]
fn b2_a_body_that_a_message_names_is_known_and_not_recorded_again() {
    let mut pool = stored();
    pool.send("lead", &Letter::to("scout", "m1").naming("c1"))
        .ok();
    pool.store("lead", "c1", 2).nothing().answer("at 6");
}

#[test]
fn b2_a_body_that_may_have_been_erased_since_it_was_seen_is_looked_for_again() {
    let mut pool = stored();
    pool.erase("lead", "c1", None).ok();
    pool.store_seen("lead", ("c2", 2), Some(4))
        .nothing()
        .answer("look again");
    pool.store_seen("lead", ("c2", 2), Some(5))
        .records(["6 lead content stored, 2 bytes until 86400s"]);
}

#[test]
fn b2_a_body_that_no_message_names_expires_at_its_time() {
    let mut pool = Scenario::limited(&[(LimitName::UnnamedContentKeepMsMax, 60_000)], "lead");
    pool.store("lead", "c1", 2).ok();
    pool.pass(59_999).nothing();
    pool.pass(1)
        .records(["4 lead content erased, 2 bytes (engine) <- 3"]);
}

#[test]
fn b2_a_body_that_a_message_names_is_kept() {
    let mut pool = Scenario::limited(&[(LimitName::UnnamedContentKeepMsMax, 60_000)], "lead");
    pool.store("lead", "c1", 2).ok();
    pool.send("lead", &Letter::to("nobody", "m1").naming("c1"))
        .ok();
    pool.pass(60_000).nothing();
}

#[test]
fn b2_a_body_is_kept_as_long_as_the_settings_said_when_it_was_stored() {
    let mut pool = Scenario::limited(&[(LimitName::UnnamedContentKeepMsMax, 60_000)], "lead");
    pool.store("lead", "c1", 2).ok();
    pool.configure(
        "operator",
        1,
        &[(LimitName::UnnamedContentKeepMsMax, 1_000)],
    )
    .ok();
    pool.pass(59_999).nothing();
    pool.kill();
    pool.pass(1)
        .records(["5 lead content erased, 2 bytes (engine) <- 3"]);
}

#[test]
fn b2_a_body_expires_though_its_run_has_left() {
    let mut pool = Scenario::limited(&[(LimitName::UnnamedContentKeepMsMax, 60_000)], "lead");
    pool.store("lead", "c1", 2).ok();
    pool.leave("lead").ok();
    pool.pass(60_000)
        .records(["5 lead content erased, 2 bytes (engine) <- 3"]);
}

#[test]
fn b2_what_a_run_has_stored_is_bounded_and_a_small_body_counts_as_4_096_bytes() {
    let mut pool = Scenario::limited(
        &[(LimitName::UnnamedContentBytesPerRunMax, 8_192)],
        "lead scout",
    );
    pool.admit("lead", 1, 0).nothing().answer("admitted");
    pool.store("lead", "c1", 1).ok();
    pool.admit("lead", 4_097, 0)
        .refused("unnamed_content_bytes_per_run_max: 8193 of 8192");
    pool.admit("lead", 1, 4_096)
        .refused("unnamed_content_bytes_per_run_max: 12288 of 8192");
    pool.admit("lead", 4_096, 0).nothing();
    pool.admit("scout", 8_192, 0).nothing();
}

#[test]
fn b2_what_all_have_stored_is_bounded() {
    let mut pool = Scenario::limited(&[(LimitName::UnnamedContentBytesMax, 8_192)], "lead scout");
    pool.store("lead", "c1", 4_097).ok();
    pool.admit("scout", 1, 0)
        .refused("unnamed_content_bytes_max: 8193 of 8192");
    pool.admit("operator", 1, 0)
        .refused("unnamed_content_bytes_max: 8193 of 8192");
}

#[test]
fn b2_room_is_free_again_when_a_body_is_named_erased_or_expires() {
    let ends: [fn(&mut Scenario); 3] = [
        |pool| {
            pool.send("lead", &Letter::to("lead", "m1").naming("c1"))
                .ok();
        },
        |pool| pool.erase("lead", "c1", None).ok(),
        |pool| pool.pass(24 * 3_600_000).ok(),
    ];
    for end in ends {
        let mut pool =
            Scenario::limited(&[(LimitName::UnnamedContentBytesPerRunMax, 4_096)], "lead");
        pool.store("lead", "c1", 1).ok();
        pool.admit("lead", 1, 0)
            .refused("unnamed_content_bytes_per_run_max: 8192 of 4096");
        end(&mut pool);
        pool.admit("lead", 1, 0).nothing();
    }
}

#[test]
fn m1_a_body_is_as_large_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::ContentBytesMax, 3)], "lead");
    pool.admit("lead", 4, 0)
        .refused("content_bytes_max: 4 of 3");
    pool.admit("lead", 3, 0).nothing();
}

#[test]
fn m1_a_body_is_fetched_by_who_sent_or_received_it() {
    let mut pool = Scenario::of("lead scout other");
    pool.say("lead", "scout", "m1").ok();
    pool.fetch_content("lead", "m1").nothing().answer("with 5");
    pool.fetch_content("scout", "m1").nothing().answer("with 5");
    pool.fetch_content("other", "m1").refused("no such content");
    pool.fetch_content("operator", "m1")
        .nothing()
        .answer("with 5");
}

#[test]
fn m1_a_body_that_was_passed_on_is_fetched_by_its_next_reader_with_the_first_message() {
    let mut pool = Scenario::of("lead scout other");
    pool.say("lead", "scout", "m1").ok();
    pool.send("scout", &Letter::to("other", "m2").naming("m1"))
        .ok();
    pool.fetch_content("other", "m1").nothing().answer("with 5");
}

#[test]
fn m1_a_body_is_named_by_whom_it_was_stored_for_or_who_had_it_in_a_message() {
    let mut pool = stored();
    pool.name_content("lead", "c1")
        .nothing()
        .answer("of no message");
    pool.name_content("scout", "c1").refused("no such content");
    pool.name_content("operator", "c1").nothing();
    pool.send("lead", &Letter::to("scout", "m1").naming("c1"))
        .ok();
    pool.name_content("scout", "c1").nothing().answer("with 5");
    pool.leave("lead").ok();
    pool.name_content("lead", "c1").nothing();
}

#[test]
fn m1_what_an_operator_stored_for_nobody_is_named_by_everybody() {
    let mut pool = stored();
    pool.store("operator", "c2", 2)
        .records(["5 pool content stored, 2 bytes until 86400s (operator)"]);
    pool.name_content("scout", "c2")
        .nothing()
        .answer("of no message");
    pool.send("scout", &Letter::to("lead", "m1").naming("c2"))
        .ok();
    pool.name_content("scout", "c2").nothing().answer("with 6");
}

#[test]
fn m1_what_an_operator_stored_for_a_run_is_that_runs() {
    let mut pool = stored();
    pool.store("operator for scout", "c2", 2)
        .records(["5 scout content stored, 2 bytes until 86400s (operator)"]);
    pool.name_content("scout", "c2").nothing();
    pool.name_content("lead", "c2").refused("no such content");
}

#[test]
fn b1_a_body_is_erased_by_who_stored_it_who_sent_it_first_or_an_operator() {
    let mut pool = stored();
    pool.say("lead", "scout", "m1").ok();
    pool.send("scout", &Letter::to("lead", "m2").naming("m1"))
        .ok();
    pool.may_erase("lead", "c1")
        .nothing()
        .answer("of no message");
    pool.may_erase("scout", "c1").refused("no such content");
    pool.may_erase("lead", "m1").nothing().answer("with 5");
    pool.may_erase("scout", "m1").refused("no such content");
    pool.may_erase("operator", "m1").nothing();
    pool.erase("scout", "m1", Some(5))
        .refused("no such content");
}

#[test]
fn b1_an_erasure_names_the_first_message_and_where_the_body_stood() {
    let mut pool = stored();
    pool.say("lead", "scout", "m1").ok();
    pool.erase("lead", "m1", Some(5))
        .records(["7 lead content erased of m1@5 stored with 5, 2 bytes <- 5"])
        .answer("erased at 0s");
    pool.erase("operator", "c1", None)
        .records(["8 pool content erased, 2 bytes (operator)"])
        .answer("erased at 0s");
    pool.pass(48 * 3_600_000).nothing();
}
