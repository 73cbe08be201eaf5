//! Samples of events that members report.

use heronry_types::{
    ContentCapture, DestinationKind, DestinationRef, EntityKind, EntityRef, EventKind, Payload,
    Position, PrivacyClass, Timestamp,
};

use super::{id, policies};
use crate::{ApplicationEvent, Body, EventBatch, RequestHash};

fn described(kind: EntityKind, name: &str) -> EntityRef {
    EntityRef {
        privacy: PrivacyClass::Internal,
        summary: Some(format!("what {name} is")),
        ..EntityRef::new(kind, id(name))
    }
}

pub(super) fn events() -> Vec<(&'static str, Body)> {
    let mut destination = DestinationRef::new(DestinationKind::Tool, id("grep"));
    destination.correlation = [(id("call"), id("17"))].into_iter().collect();
    let event = ApplicationEvent {
        kind: EventKind::ToolCompleted,
        batch: Some(EventBatch {
            count: 2,
            idempotency_key: id("events-1"),
            request_hash: RequestHash(*b"the request hash"),
        }),
        occurred_at: Some(Timestamp::from_millis(1_795_162_529_000)),
        attempt: Some(id("attempt-2")),
        message: Some(id("m-1")),
        reply_to: Some(id("m-0")),
        topic: Some(id("findings")),
        causal: vec![Position(298), Position(299)],
        subject: described(EntityKind::ToolCall, "call-17"),
        related: vec![described(EntityKind::Artifact, "report")],
        tags: vec![id("fast"), id("lint")],
        destination: Some(destination),
        policies: policies(),
        privacy: PrivacyClass::Sensitive,
        content_capture: ContentCapture::Summary,
        redaction: policies().as_slice().first().cloned(),
        payload: Payload::Summary {
            summary: "12 findings".to_owned(),
            refs: vec![described(EntityKind::Content, "list")],
        },
    };
    vec![(
        "50.1-application-event",
        Body::ApplicationEvent(Box::new(event)),
    )]
}
