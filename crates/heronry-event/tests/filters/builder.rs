//! Filters built from sets: the same as their text.

use crate::support::{id, quoted, time};
use heronry_event::{
    Filter,
    filter::{CorrelationEntry, ErrorKind, FilterBuilder, Limit, RelatedEntity},
};
use heronry_types::{
    DestinationKind, EntityKind, EventFamily, EventKind, EventSemantics, EventTag, Position,
    PrivacyClass, SourceKind, Vocabulary,
};
use proptest::prelude::*;

fn run(text: &str) -> RelatedEntity {
    RelatedEntity {
        kind: EntityKind::Run,
        id: id(text),
    }
}

fn correlation(key: &str, value: &str) -> CorrelationEntry {
    CorrelationEntry {
        key: id(key),
        value: id(value),
    }
}

fn check(builder: FilterBuilder, text: &str) {
    let built = builder.build().unwrap();
    let compiled = Filter::compile(text).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    assert_eq!(built.normal_form(), compiled.normal_form());
    assert_eq!(built.fingerprint(), compiled.fingerprint());
}

#[test]
fn a40_every_set_is_the_same_as_its_text() {
    let new = Filter::builder;
    check(new(), "true");
    check(new().pools([id("p")]), "pool == 'p'");
    check(new().runs([id("b"), id("a")]), "run == 'a' || run == 'b'");
    check(new().agents([id("a")]), "agent == 'a'");
    check(new().sessions([id("s")]), "session == 's'");
    check(new().turns([id("t")]), "turn == 't'");
    check(new().messages([id("m")]), "message == 'm'");
    check(new().replies_to([id("m")]), "reply_to == 'm'");
    check(new().topics([id("t")]), "topic == 't'");
    check(
        new().families([EventFamily::AgentPool]),
        "family == 'agent_pool'",
    );
    check(new().kinds([EventKind::RunFailed]), "kind == 'run_failed'");
    check(
        new().source_kinds([SourceKind::Sdk]),
        "source.kind == 'sdk'",
    );
    check(
        new().destination_kinds([DestinationKind::Topic]),
        "destination.kind == 'topic'",
    );
    check(new().destination_ids([id("d")]), "destination.id == 'd'");
    check(
        new().subject_kinds([EntityKind::Message]),
        "subject.kind == 'message'",
    );
    check(new().subject_ids([id("s")]), "subject.id == 's'");
    check(
        new().related_kinds([EntityKind::Run]),
        "related.exists(r, r.kind == 'run')",
    );
    check(
        new().related_ids([id("a"), id("b")]),
        "related.exists(r, r.id in ['a', 'b'])",
    );
    check(
        new().related([run("a")]),
        "related.exists(r, r.kind == 'run' && r.id == 'a')",
    );
    check(
        new().recipients([id("a"), id("b")]),
        "'a' in recipients || 'b' in recipients",
    );
    check(new().tags([id("t")]), "'t' in tags");
    check(new().correlation_keys([id("k")]), "'k' in correlation");
    check(
        new().correlations([correlation("k", "v")]),
        "correlation['k'] == 'v'",
    );
    check(new().privacy([PrivacyClass::Public]), "privacy == 'public'");
    check(
        new().semantics([EventSemantics::JournalBacked]),
        "semantics == 'journal_backed'",
    );
    check(new().terminal_only(), "terminal");
    check(new().nothing(), "false");
}

#[test]
fn a40_ranges_are_the_same_as_their_text() {
    let new = Filter::builder;
    check(
        new().positions(Position(3)..Position(9)),
        "position >= 3 && position < 9",
    );
    check(new().positions(..=Position(9)), "position <= 9");
    check(new().positions(Position(4)..Position(4)), "false");
    let since = "timestamp('1970-01-01T00:00:02Z')";
    check(
        new().recorded(time(2_000)..),
        &format!("recorded_at >= {since}"),
    );
    check(
        new().occurred(..time(2_000)),
        &format!("occurred_at < {since}"),
    );
}

#[test]
fn several_sets_must_all_be_passed() {
    let builder = Filter::builder()
        .kinds([EventKind::RunMessageDelivered])
        .recipients([id("me")]);
    check(
        builder,
        "kind == 'run_message_delivered' && 'me' in recipients",
    );
    let twice = Filter::builder()
        .runs([id("a"), id("b")])
        .runs([id("b"), id("c")]);
    check(twice, "run == 'b'");
}

#[test]
fn an_empty_set_must_be_asked_for_by_name() {
    let errors = Filter::builder().runs([]).tags([]).build().unwrap_err();
    assert_eq!(errors.as_slice()[0].kind, ErrorKind::EmptySet);
    let shown = errors.to_string();
    assert!(
        shown.contains("run") && shown.contains("nothing()"),
        "{shown}"
    );
    assert!(Filter::builder().nothing().build().unwrap().is_nothing());
}

#[test]
fn a43_a_builder_has_the_limits_of_text() {
    let tag = |n: u32| -> EventTag { id(&format!("{n:04}")) };
    let errors = Filter::builder()
        .tags((0..1025).map(tag))
        .build()
        .unwrap_err();
    assert_eq!(errors.limit(), Some(Limit::LiteralsMax));
    let errors = Filter::builder()
        .runs((0..3000).map(|n| id(&n.to_string())))
        .build()
        .unwrap_err();
    assert_eq!(errors.limit(), Some(Limit::TextBytesMax));
}

fn any_of(place: &str, texts: &[String]) -> String {
    let parts: Vec<_> = texts
        .iter()
        .map(|text| format!("{place} == {}", quoted(text)))
        .collect();
    format!("({})", parts.join(" || "))
}

proptest! {
    #[test]
    fn a40_text_and_builder_have_the_same_fingerprint(
        runs in prop::collection::vec(crate::support::any_id(), 1..4),
        kinds in prop::collection::vec(prop::sample::select(crate::support::KINDS.to_vec()), 1..4),
        topics in prop::collection::vec(crate::support::any_id(), 1..4),
        value in crate::support::any_id(),
    ) {
        let names: Vec<_> = kinds.iter().map(|kind| kind.wire_name().to_owned()).collect();
        let text = format!(
            "{} && correlation['k'] == {} && {} && {}",
            any_of("topic", &topics),
            quoted(&value),
            any_of("kind", &names),
            any_of("run", &runs),
        );
        let ids = |texts: &[String]| texts.iter().map(|text| id(text)).collect::<Vec<_>>();
        let built = Filter::builder()
            .kinds(kinds)
            .runs(ids(&runs))
            .topics(topics.iter().map(|topic| id(topic)))
            .correlations([correlation("k", &value)])
            .build()
            .unwrap();
        prop_assert_eq!(&built, &Filter::compile(&text).unwrap());
    }
}
