//! Samples of events that members report.

use heronry_types::{
    ContentCapture, Correlation, DestinationKind, DestinationRef, EntityKind, EntityRef, EventKind,
    Payload, Position, PrivacyClass, SourcePosition, Timestamp,
};
use proptest::{option, prelude::*};

use super::{ApplicationEvent, EventBatch};
use crate::{
    RequestHash, SourceStep,
    body::source::samples::step,
    samples::{
        self, Sample,
        arbitrary::{few, id, note, policies, position, request_hash, time, word},
    },
};

impl Sample for ApplicationEvent {
    fn samples() -> Vec<Self> {
        let mut destination = DestinationRef::new(DestinationKind::Tool, samples::id("grep"));
        destination.correlation = [(samples::id("call"), samples::id("17"))]
            .into_iter()
            .collect();
        let reported = Self {
            kind: EventKind::ToolCompleted,
            batch: Some(EventBatch {
                count: 2,
                idempotency_key: samples::id("events-1"),
                request_hash: RequestHash(*b"the request hash"),
            }),
            occurred_at: Some(Timestamp::from_millis(1_795_162_529_000)),
            attempt: Some(samples::id("attempt-2")),
            message: Some(samples::id("m-1")),
            reply_to: Some(samples::id("m-0")),
            topic: Some(samples::id("findings")),
            causal: vec![Position(298), Position(299)],
            subject: described(EntityKind::ToolCall, "call-17"),
            related: vec![described(EntityKind::Artifact, "report")],
            tags: vec![samples::id("fast"), samples::id("lint")],
            destination: Some(destination),
            policies: samples::policies(),
            privacy: PrivacyClass::Sensitive,
            content_capture: ContentCapture::Summary,
            redaction: samples::policies().as_slice().first().cloned(),
            payload: Payload::Summary {
                summary: "12 findings".to_owned(),
                refs: vec![described(EntityKind::Content, "list")],
            },
            from: None,
        };
        let bridged = Self {
            from: Some(SourceStep {
                source: samples::id("runtime-7"),
                position: SourcePosition::Number(41),
            }),
            ..reported.clone()
        };
        vec![reported, bridged]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let first = (word(), option::of(batch()), option::of(time()));
        let names = (
            option::of(id()),
            option::of(id()),
            option::of(id()),
            option::of(id()),
        )
            .boxed();
        let about = (few(position()), entity(), few(entity()), few(id())).boxed();
        let governed = (policies(), word(), word(), policies()).boxed();
        (
            first,
            names,
            about,
            option::of(destination()),
            governed,
            (payload(), option::of(step())),
        )
            .prop_map(
                |(first, names, about, destination, governed, (payload, from))| Self {
                    kind: first.0,
                    batch: first.1,
                    occurred_at: first.2,
                    attempt: names.0,
                    message: names.1,
                    reply_to: names.2,
                    topic: names.3,
                    causal: about.0,
                    subject: about.1,
                    related: about.2,
                    tags: about.3,
                    destination,
                    policies: governed.0,
                    privacy: governed.1,
                    content_capture: governed.2,
                    redaction: governed.3.as_slice().first().cloned(),
                    payload,
                    from,
                },
            )
            .boxed()
    }
}

fn described(kind: EntityKind, name: &str) -> EntityRef {
    EntityRef {
        privacy: PrivacyClass::Internal,
        summary: Some(format!("what {name} is")),
        ..EntityRef::new(kind, samples::id(name))
    }
}

fn entity() -> BoxedStrategy<EntityRef> {
    (word(), id(), word(), note())
        .prop_map(|(kind, id, privacy, summary)| EntityRef {
            kind,
            id,
            privacy,
            summary,
        })
        .boxed()
}

fn destination() -> BoxedStrategy<DestinationRef> {
    let correlation = few((id(), id()));
    (word(), id(), word(), word(), correlation, note())
        .prop_map(
            |(kind, id, privacy, retention, correlation, summary)| DestinationRef {
                kind,
                id,
                privacy,
                retention,
                correlation: correlation.into_iter().collect::<Correlation>(),
                summary,
            },
        )
        .boxed()
}

fn payload() -> BoxedStrategy<Payload> {
    prop_oneof![
        Just(Payload::EnvelopeOnly),
        (".{0,40}", few(entity())).prop_map(|(summary, refs)| Payload::Summary { summary, refs }),
        few(entity()).prop_map(|refs| Payload::Refs { refs }),
    ]
    .boxed()
}

fn batch() -> impl Strategy<Value = EventBatch> {
    (any::<u64>(), id(), request_hash()).prop_map(|(count, idempotency_key, request_hash)| {
        EventBatch {
            count,
            idempotency_key,
            request_hash,
        }
    })
}
