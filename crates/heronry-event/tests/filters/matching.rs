//! Waits that agents need, and what an explanation says.

use crate::support::{id, time};
use heronry_event::{Envelope, Event, Filter, Identity, Stamp, filter::Explanation};
use heronry_types::{
    Cursor, EntityKind, EntityRef, Epoch, EventKind, Payload, Position, RunId, SourceKind,
    SourceRef,
};

fn delivered(message: &str, to: &[&str]) -> Envelope {
    let mut envelope = Envelope::new(
        Stamp::new(Cursor::new(Epoch::default(), Position(5)), time(1_000)),
        EventKind::RunMessageDelivered,
        Identity::new(id("review")),
        EntityRef::new(EntityKind::Message, id(message)),
        SourceRef::new(SourceKind::Subagent, id("lead")),
    );
    envelope.identity.run = Some(id("lead"));
    envelope.exchange.message = Some(id(message));
    envelope.exchange.recipients = to.iter().map(|run| -> RunId { id(run) }).collect();
    envelope
}

fn matches(text: &str, envelope: &Envelope) -> bool {
    let filter = Filter::compile(text).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    filter.matches(envelope)
}

fn keeps(text: &str, envelope: &Envelope) {
    assert!(matches(text, envelope), "{text} should keep the event");
}

fn drops(text: &str, envelope: &Envelope) {
    assert!(!matches(text, envelope), "{text} should not keep the event");
}

#[test]
fn a31_a_message_to_me_with_a_correlation_is_found() {
    let filter = "kind == 'run_message_delivered' && 'me' in recipients \
                  && correlation['job'] == '17'";
    let mut envelope = delivered("m", &["other", "me"]);
    drops(filter, &envelope);
    envelope.about.correlation.insert(id("job"), id("17"));
    keeps(filter, &envelope);
    envelope.about.correlation.insert(id("job"), id("18"));
    drops(filter, &envelope);
    let mut elsewhere = delivered("m", &["other"]);
    elsewhere.about.correlation.insert(id("job"), id("17"));
    drops(filter, &elsewhere);
}

#[test]
fn a31_a_reply_to_a_message_is_found() {
    let filter = "kind == 'run_message_delivered' && reply_to == 'm-1'";
    let mut envelope = delivered("m-2", &["me"]);
    drops(filter, &envelope);
    envelope.exchange.reply_to = Some(id("m-1"));
    keeps(filter, &envelope);
}

#[test]
fn a35_kinds_and_families_tell_wake_events_apart() {
    let mut envelope = delivered("m", &["me"]);
    let others = "family == 'agent_pool' && !kind.startsWith('wake_condition_') \
                  && !(kind in ['run_suspended', 'run_resumed'])";
    keeps(others, &envelope);
    for kind in [EventKind::WakeConditionRegistered, EventKind::RunSuspended] {
        envelope.kind = kind;
        keeps("family == 'agent_pool'", &envelope);
        drops(others, &envelope);
    }
}

#[test]
fn absent_texts_are_empty() {
    let envelope = delivered("m", &[]);
    keeps("topic == ''", &envelope);
    keeps("topic != 'scans'", &envelope);
    drops("topic != ''", &envelope);
    drops("run == ''", &envelope);
    keeps("destination.kind == ''", &envelope);
    drops("correlation['k'] == ''", &envelope);
    drops("correlation['k'] != 'v'", &envelope);
    keeps("!(correlation['k'] == 'v')", &envelope);
}

#[test]
fn every_recipient_is_found_where_the_event_was_made() {
    let names: Vec<_> = (0..250).map(|n| format!("run-{n:03}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let envelope = delivered("m", &names);
    keeps("'run-249' in recipients", &envelope);
    drops("'run-250' in recipients", &envelope);

    let json = serde_json::to_string(&Event::new(envelope, Payload::EnvelopeOnly)).unwrap();
    let read: Event = serde_json::from_str(&json).unwrap();
    keeps("'run-099' in recipients", &read.envelope);
    drops("'run-249' in recipients", &read.envelope);
}

#[test]
fn a38_an_explanation_names_the_clause_and_what_was_seen() {
    let filter = Filter::compile(
        "kind == 'run_message_delivered' && 'me' in recipients && correlation['job'] == '17' \
         || topic == 'scans' && run == 'me' && terminal",
    );
    let filter = filter.unwrap();
    let mut envelope = delivered("m", &["me"]);
    let explanation = filter.explain(&envelope);
    assert_eq!(
        explanation.to_string(),
        "correlation[\"job\"] == \"17\" failed, seen: absent\n\
         terminal failed, seen: false\n\
         run == \"me\" failed, seen: \"lead\"\n\
         topic == \"scans\" failed, seen: absent"
    );
    let Explanation::Missed { near } = explanation else {
        panic!("{explanation}");
    };
    assert_eq!((near[0].held, near[0].failed.len()), (2, 1));

    envelope.about.correlation.insert(id("job"), id("17"));
    assert_eq!(filter.explain(&envelope), Explanation::Kept);
    assert_eq!(
        Filter::nothing().explain(&envelope),
        Explanation::KeepsNothing
    );
}

#[test]
fn an_explanation_shows_ten_values_of_a_collection() {
    let names: Vec<_> = (0..12).map(|n| format!("{n:02}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let explanation = Filter::compile("'me' in recipients").unwrap();
    let explanation = explanation.explain(&delivered("m", &names)).to_string();
    let shown = "seen: [\"00\", \"01\", \"02\", \"03\", \"04\", \"05\", \"06\", \"07\", \"08\", \"09\"] and 2 more";
    assert!(explanation.contains(shown), "{explanation}");
}
