//! Edges, aliases and labels (R23, R25, R28, R44): who may change them, and what becomes of them.

use heronry_pool::decide::{UnwireEdges, WireEdges, WiredBy};
use heronry_types::{Edge, WIRING_CHANGES_MAX};

use crate::scenario::{Joining, Scenario, Wait};

#[test]
fn r23_the_steward_wires_what_is_new_and_leaves_what_it_wired() {
    let mut pool = Scenario::of("hub a");
    pool.take_steward("host", 1).ok();
    pool.wire("steward", "hub-a b-hub a-hub")
        .records([
            "5 pool wired a-hub by steward (operator)",
            "6 pool wired b-hub by steward (operator)",
        ])
        .at_once()
        .answer("at 5");
    pool.wire("steward", "a-hub").answer("at 6, unchanged");
    pool.unwire("steward", "a-hub a-b")
        .records(["7 pool unwired a-hub by steward (operator)"]);
    pool.edges("a", None, 10)
        .answer("b-hub wired by steward at 6");
}

#[test]
fn r23_an_edge_of_an_operator_is_never_claimed_or_unwired_by_the_steward() {
    let mut pool = Scenario::of("a");
    pool.take_steward("host", 1).ok();
    pool.wire("operator", "a-b")
        .records(["4 pool wired a-b by operator (operator)"]);
    pool.wire("steward", "a-b").nothing();
    pool.unwire("steward", "a-b").nothing();
    pool.edges("operator", None, 10)
        .answer("a-b wired by operator at 4");
    pool.unwire("operator", "a-b")
        .records(["5 pool unwired a-b by operator (operator)"]);
    pool.edges("operator", None, 10).answer("nothing");
    pool.unwire("operator", "a-b").answer("at 5, unchanged");
}

#[test]
fn r25_an_edge_of_the_steward_that_is_removed_by_hand_is_known_until_it_is_healed_or_let_go() {
    let mut pool = Scenario::of("a");
    pool.take_steward("host", 1).ok();
    pool.wire("steward", "a-b").ok();
    pool.unwire("operator", "a-b").ok();
    pool.unwire("operator", "a-b").nothing();
    pool.kill();
    pool.edges("operator", None, 10)
        .answer("a-b removed by steward at 5");
    pool.wire("steward", "a-b")
        .records(["6 pool wired a-b by steward (operator)"]);
    pool.unwire("operator", "a-b").ok();
    // It is not wanted any more: the steward lets it go.
    pool.unwire("steward", "a-b")
        .records(["8 pool unwired a-b by steward (operator)"]);
    pool.edges("operator", None, 10).answer("nothing");
}

#[test]
fn r25_an_edge_that_an_operator_wires_by_hand_is_the_operators_from_then_on() {
    let mut pool = Scenario::of("a");
    pool.take_steward("host", 1).ok();
    pool.wire("steward", "a-b").ok();
    pool.wire("operator", "a-b")
        .records(["5 pool wired a-b by operator (operator)"]);
    pool.wire("operator", "a-b").nothing();
    pool.unwire("steward", "a-b").nothing();
    pool.edges("a", None, 10)
        .answer("a-b wired by operator at 5");
}

#[test]
fn r23_edges_stay_when_an_end_leaves_and_need_no_members() {
    let mut pool = Scenario::of("a");
    pool.wire("operator", "a-b").ok();
    pool.leave("a").ok();
    pool.edges("operator", None, 10)
        .answer("a-b wired by operator at 3");
}

#[test]
fn r25_only_operators_wire_and_everybody_looks() {
    let mut pool = Scenario::of("a b");
    pool.wire("a", "a-b").refused("operators only");
    pool.unwire("a", "a-b").refused("operators only");
    pool.set_alias("a", "x/*", "b").refused("operators only");
    pool.remove_alias("a", "x/*").refused("operators only");
    pool.label("a", Some("a"), "k=v").refused("operators only");
    pool.edges("stranger", None, 10).refused("no member");
    pool.wire("an older steward", "a-b")
        .refused("steward fenced");
}

#[test]
fn r23_edges_are_listed_page_by_page() {
    let mut pool = Scenario::of("a");
    pool.wire("operator", "a-b a-c b-c").ok();
    pool.edges("a", None, 2)
        .answer("a-b wired by operator at 3, a-c wired by operator at 4 next a-c");
    pool.edges("a", Some("a-c"), 2)
        .answer("b-c wired by operator at 5");
    pool.edges("a", None, 10_000)
        .refused("page_items_max: 10000 of 1000");
}

#[test]
fn r23_a_request_changes_so_many_edges_at_the_most() {
    let edges = |count| {
        let edges = (0..count).map(|n| Edge::parse("hub", &format!("run-{n}")));
        edges.map(Result::unwrap).collect::<Vec<_>>()
    };
    let mut pool = Scenario::of("hub");
    let wire = |count| WireEdges {
        by: WiredBy::Hand(heronry_pool::Caller::Operator),
        edges: edges(count),
    };
    let refused = "more wiring than wiring_changes_max: 1000";
    pool.change_wiring(&wire(WIRING_CHANGES_MAX + 1))
        .refused(refused);
    pool.change_wiring(&wire(WIRING_CHANGES_MAX)).answer("at 3");
    let unwire = UnwireEdges {
        by: WiredBy::Hand(heronry_pool::Caller::Operator),
        edges: edges(WIRING_CHANGES_MAX + 1),
    };
    pool.change_wiring(&unwire).refused(refused);
}

#[test]
fn r28_an_alias_of_both_comes_before_that_of_the_recipient_the_channel_and_any() {
    let mut pool = Scenario::of("a");
    pool.set_alias("operator", "*/*", "agent:any").ok();
    pool.find_alias("a", "lead/news")
        .answer("*/* to agent:any by operator at 3");
    pool.set_alias("operator", "*/news", "topic:news").ok();
    pool.find_alias("a", "lead/news")
        .answer("*/news to topic:news by operator at 4");
    pool.set_alias("operator", "lead/*", "a").ok();
    pool.find_alias("a", "lead/news")
        .answer("lead/* to a by operator at 5");
    pool.set_alias("operator", "lead/news", "pool:p").ok();
    pool.find_alias("a", "lead/news")
        .answer("lead/news to pool:p by operator at 6");
    pool.find_alias("a", "lead/*")
        .answer("lead/* to a by operator at 5");
    pool.find_alias("a", "=lead/old").refused("no such alias");
    pool.aliases("a", None, 3).answer(
        "*/* to agent:any by operator at 3, */news to topic:news by operator at 4, \
         lead/* to a by operator at 5 next lead/*",
    );
    pool.aliases("a", Some("lead/*"), 3)
        .answer("lead/news to pool:p by operator at 6");
}

#[test]
fn r28_the_steward_changes_only_its_own_aliases() {
    let mut pool = Scenario::of("a");
    pool.take_steward("host", 1).ok();
    pool.set_alias("steward", "member.a/*", "a")
        .records(["4 pool alias member.a/* to a by steward (operator)"]);
    pool.set_alias("steward", "member.a/*", "a")
        .answer("at 4, unchanged");
    pool.set_alias("steward", "member.a/*", "b").ok();
    pool.set_alias("operator", "member.a/*", "b")
        .records(["6 pool alias member.a/* to b by operator (operator)"]);
    pool.set_alias("steward", "member.a/*", "a").nothing();
    pool.remove_alias("steward", "member.a/*").nothing();
    pool.kill();
    pool.remove_alias("operator", "member.a/*")
        .records(["7 pool no alias member.a/* by operator (operator)"]);
    pool.remove_alias("operator", "member.a/*").nothing();
    pool.find_alias("a", "member.a/x").refused("no such alias");
}

#[test]
fn r44_labels_are_replaced_and_cleared_and_those_of_runs_and_pool_are_apart() {
    let mut pool = Scenario::of("a");
    pool.label("operator", None, "team=red tier=1")
        .records(["3 pool labelled team=red, tier=1 (operator)"]);
    pool.label("operator", Some("a"), "team=blue")
        .records(["4 a labelled team=blue (operator)"]);
    pool.label("operator", Some("later"), "team=green")
        .records(["5 later labelled team=green (operator)"]);
    pool.label("operator", Some("a"), "team=blue")
        .answer("at 5, unchanged");
    pool.label("operator", Some("a"), "")
        .records(["6 a labelled nothing (operator) [team=blue]"]);
    pool.label("operator", Some("a"), "").nothing();
    pool.kill();
    pool.labels("a", None).answer("team=red, tier=1");
    pool.labels("a", Some("a")).answer("nothing");
    pool.labels("operator", Some("later")).answer("team=green");
}

#[test]
fn r44_structural_records_show_the_labels_of_their_moment_and_others_none() {
    let mut pool = Scenario::of("a");
    pool.label("operator", None, "team=red").ok();
    pool.label("operator", Some("b"), "tier=1").ok();
    pool.join("b")
        .records(["5 b joined as i1, 2 there (operator) [tier=1]"]);
    pool.wire("operator", "a-b")
        .records(["6 pool wired a-b by operator (operator) [team=red]"]);
    pool.say("b", "a", "m")
        .records(["7 b sent m to a", "8 m@7 delivered to a <- 7"]);
    pool.label("operator", Some("b"), "tier=2")
        .records(["9 b labelled tier=2 (operator) [tier=1]"]);
    pool.join(Joining::of("b").instance("i2")).ok();
    pool.wait("a", &Wait::for_one(r#"labels["tier"] == "2""#, "w"))
        .ok();
    pool.leave("b").ok();
    let shown = pool.records().iter().filter_map(|record| {
        let labels = record.entry.lineage.labels.as_ref()?;
        Some((record.kind().to_string(), labels.value("tier")?.to_owned()))
    });
    let shown: Vec<_> = shown.map(|(kind, tier)| format!("{kind} {tier}")).collect();
    assert_eq!(
        shown,
        [
            "agent_pool_run_joined 1",
            "agent_pool_labels_changed 1",
            "run_taken_over 2",
            "agent_pool_run_left 2"
        ]
    );
    let kinds = pool
        .records()
        .iter()
        .map(|record| record.kind().to_string());
    let kinds: Vec<_> = kinds.collect();
    assert!(
        kinds.contains(&"wake_condition_triggered".to_owned()),
        "{kinds:?}"
    );
}
