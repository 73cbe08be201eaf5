//! Arbitrary events that members report.

use heronry_types::{Correlation, DestinationRef, EntityRef, Payload};
use proptest::{option, prelude::*};

use super::{few, id, note, policies, position, request_hash, time, word};
use crate::{ApplicationEvent, Body, EventBatch};

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

pub(super) fn events() -> BoxedStrategy<Body> {
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
        payload(),
    )
        .prop_map(|(first, names, about, destination, governed, payload)| {
            Body::ApplicationEvent(Box::new(ApplicationEvent {
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
            }))
        })
        .boxed()
}
