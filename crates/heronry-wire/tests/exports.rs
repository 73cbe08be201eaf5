//! The forms of exported events, which programs outside read: each golden file is added, and never
//! edited.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use heronry_event::{Envelope, Event, Identity, Stamp};
use heronry_types::{
    CorrelationKey, CorrelationValue, Cursor, EntityKind, EntityRef, Epoch, EventKind, Payload,
    PoolId, Position, PrivacyClass, SourceKind, SourceRef, Timestamp,
};
use heronry_wire::ExportFormat;

fn event(pool: &str, position: u64) -> Event {
    let pool = PoolId::parse(pool).unwrap();
    let cursor = Cursor::new(Epoch([7; 16]), Position(position));
    let recorded_at = Timestamp::parse("2026-11-20T08:15:30.125Z").unwrap();
    let mut envelope = Envelope::new(
        Stamp::new(cursor, recorded_at),
        EventKind::ConsumerReset,
        Identity::new(pool.clone()),
        EntityRef::new(EntityKind::AgentPool, pool.retype()),
        SourceRef::new(SourceKind::Sdk, pool.retype()),
    );
    envelope.governance.privacy = PrivacyClass::Internal;
    let key = CorrelationKey::parse("consumer").unwrap();
    let value = CorrelationValue::parse("audit").unwrap();
    envelope.about.correlation.insert(key, value);
    Event::new(envelope, Payload::EnvelopeOnly)
}

#[test]
fn an_event_is_a_line_of_its_golden_file() {
    for (format, golden) in [
        (ExportFormat::JsonLines, include_str!("exports/event.jsonl")),
        (
            ExportFormat::CloudEvents,
            include_str!("exports/event.cloudevents.jsonl"),
        ),
    ] {
        let line = format.line(&event("review.1", 302)).unwrap();
        assert_eq!(format!("{line}\n"), golden, "{format:?}");
    }
}

#[test]
fn a_batch_is_lines_or_one_array() {
    let events = [event("p", 1), event("p", 2)];
    for format in [ExportFormat::JsonLines, ExportFormat::CloudEvents] {
        let lines = events.iter().map(|event| format.line(event).unwrap());
        let lines: Vec<_> = lines.collect();
        let expected = match format {
            ExportFormat::JsonLines => format!("{}\n", lines.join("\n")),
            ExportFormat::CloudEvents => format!("[{}]", lines.join(",")),
        };
        let batch = String::from_utf8(format.batch(&events).unwrap()).unwrap();
        assert_eq!(batch, expected);
    }
    assert_eq!(ExportFormat::JsonLines.batch(&[]).unwrap(), b"");
    assert_eq!(ExportFormat::CloudEvents.batch(&[]).unwrap(), b"[]");
}

#[test]
fn the_source_of_a_pool_is_its_path() {
    let line = ExportFormat::CloudEvents.line(&event("a/b é", 1)).unwrap();
    assert!(
        line.contains(r#""source":"/v1/pools/a%2Fb%20%C3%A9""#),
        "{line}"
    );
}
