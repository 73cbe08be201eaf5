//! The JSON form of events, pinned by golden files.
#![expect(clippy::unwrap_used, reason = "a test panics to fail")]

use heronry_event::{Envelope, EphemeralEvent, Event, Identity, Stamp, StreamItem};
use heronry_types::{
    ContentCapture, Cursor, DestinationKind, DestinationRef, EntityKind, EntityRef, Epoch,
    EventKind, Id, IdKind, Payload, PolicyKind, PolicyRef, Position, PrivacyClass, RunId,
    SourceKind, SourceRef, Timestamp,
};

fn id<K: IdKind>(text: &str) -> Id<K> {
    Id::parse(text).unwrap()
}

fn at(position: u64) -> Cursor {
    Cursor::new(Epoch([0xa7; 16]), Position(position))
}

fn entity(kind: EntityKind, name: &str) -> EntityRef {
    EntityRef::new(kind, id(name))
}

fn minimal() -> Event {
    let recorded_at = Timestamp::parse("2026-11-20T08:15:30.125Z").unwrap();
    Event::from(Envelope::new(
        Stamp::new(at(1), recorded_at),
        EventKind::AgentPoolCreated,
        Identity::new(id("review")),
        entity(EntityKind::AgentPool, "review"),
        SourceRef::new(SourceKind::Sdk, id("engine")),
    ))
}

fn full() -> Event {
    let mut event = minimal();
    let envelope = &mut event.envelope;
    envelope.stamp = Stamp::new(at(42), envelope.stamp.recorded_at);
    envelope.stamp.occurred_at = Timestamp::parse("2026-11-20T08:15:29.900Z").unwrap();
    envelope.kind = EventKind::RunMessageDelivered;
    envelope.identity.run = Some(id("lead"));
    envelope.identity.agent = Some(id("planner"));
    envelope.identity.session = Some(id("s-1"));
    envelope.identity.turn = Some(id("t-1"));
    envelope.identity.attempt = Some(id("try-1"));
    envelope.exchange.message = Some(id("m-2"));
    envelope.exchange.reply_to = Some(id("m-1"));
    envelope.exchange.topic = Some(id("scans"));
    envelope.exchange.recipients = ["scan-2", "scan-1"].map(id).into_iter().collect();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    envelope.causes.trace = Some(trace.parse().unwrap());
    envelope.causes.caused_by = Some(at(41));
    envelope.causes.causal = vec![at(7), at(9)];
    envelope.about.subject = entity(EntityKind::Message, "m-2");
    envelope.about.related = vec![entity(EntityKind::Topic, "scans")];
    envelope.about.correlation.insert(id("job"), id("17"));
    envelope.about.tags = vec![id("urgent")];
    envelope.route.source = SourceRef::new(SourceKind::Subagent, id("lead"));
    envelope.route.destination = Some(DestinationRef::new(DestinationKind::Topic, id("scans")));
    let policy = |kind, name| PolicyRef::new(kind, id(name));
    let governance = &mut envelope.governance;
    governance.policies = [policy(PolicyKind::Permission, "may-scan")]
        .into_iter()
        .collect();
    governance.privacy = PrivacyClass::Internal;
    governance.content_capture = ContentCapture::Summary;
    governance.redaction = Some(policy(PolicyKind::Redaction, "no-secrets"));
    event.payload = Payload::Summary {
        summary: "scan these files".into(),
        refs: vec![entity(EntityKind::Content, "body-2")],
    };
    event
}

fn check(name: &str, event: &Event) {
    insta::assert_json_snapshot!(name, event);
    let json = serde_json::to_string(event).unwrap();
    assert_eq!(&serde_json::from_str::<Event>(&json).unwrap(), event);
    let envelope = serde_json::to_string(&event.envelope).unwrap();
    let read: Envelope = serde_json::from_str(&envelope).unwrap();
    assert_eq!(read, event.envelope);
}

#[test]
fn a_full_event_reads_back_as_it_was_written() {
    check("full", &full());
}

#[test]
fn a_minimal_event_leaves_out_what_is_absent() {
    check("minimal", &minimal());
}

#[test]
fn an_event_without_a_record_says_what_it_follows_and_not_where_it_is_recorded() {
    let shown = EphemeralEvent {
        number: 17,
        event: full(),
    };
    insta::assert_json_snapshot!("ephemeral", shown);
    let item = StreamItem::Ephemeral(shown.into());
    let json = serde_json::to_string(&item).unwrap();
    assert_eq!(serde_json::from_str::<StreamItem>(&json).unwrap(), item);
    assert_eq!((item.name(), item.cursor()), ("ephemeral", None));
    let mut placed: serde_json::Value = serde_json::from_str(&json).unwrap();
    placed["event"]["position"] = 1.into();
    assert!(serde_json::from_value::<EphemeralEvent>(placed).is_err());
}

#[test]
fn json_shows_a_hundred_recipients_and_counts_all() {
    let mut event = full();
    let run = |n: u32| id(&format!("run-{n:04}"));
    let recipients = &mut event.envelope.exchange.recipients;
    *recipients = (0..250).map(run).collect();
    let hidden: RunId = run(249);
    assert!(recipients.contains(hidden.as_str()));

    let json = serde_json::to_value(&event).unwrap();
    assert_eq!(json["recipients"].as_array().unwrap().len(), 100);
    assert_eq!(json["recipient_count"], 250);

    let read: Event = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(read.envelope.exchange.recipients.count(), 250);
    assert_eq!(serde_json::to_value(&read).unwrap(), json);
}

#[test]
fn an_event_that_contradicts_itself_is_refused() {
    let refusal = |field: &str, value: serde_json::Value| {
        let mut json = serde_json::to_value(minimal()).unwrap();
        json[field] = value;
        serde_json::from_value::<Event>(json)
            .unwrap_err()
            .to_string()
    };
    assert!(refusal("family", "run".into()).contains("family"));
    assert!(refusal("position", 2.into()).contains("position"));
    assert!(refusal("id", at(2).to_string().into()).contains("cursor"));
    assert!(refusal("kind", "run_message_delivred".into()).contains("run_message_delivered"));
}

#[test]
fn fields_of_later_versions_are_ignored() {
    let mut json = serde_json::to_value(minimal()).unwrap();
    json["a_later_field"] = true.into();
    assert_eq!(serde_json::from_value::<Event>(json).unwrap(), minimal());
}
