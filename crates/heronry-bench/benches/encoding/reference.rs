//! The reference send: one message accepted, and delivered to three members of a topic.

use heronry_journal::{Body, Entry, MessageAccepted, MessageDelivered, Recipients, RequestHash};
use heronry_types::{
    Actor, Address, ContentRef, Generation, Id, IdKind, Lineage, Policies, Position, Visibility,
};

fn id<K: IdKind>(text: &str) -> Id<K> {
    match Id::parse(text) {
        Ok(id) => id,
        Err(error) => unreachable!("{text}: {error}"),
    }
}

pub(crate) fn lineage() -> Lineage {
    Lineage {
        pool: id("review-2026-11-20-main"),
        run: Some(id("run-7d1f0a52-lead-4b0e9c33")),
        agent: Some(id("review-lead-agent-01")),
        session: Some(id("session-018f3a6e-5c2d")),
        correlation: [(id("review_job"), id("job-018f3a6e-5c2d-7b31"))]
            .into_iter()
            .collect(),
        ..Lineage::of_pool(id("review-2026-11-20-main"))
    }
}

fn entry(actor: Actor, lineage: Lineage, body: Body) -> Entry {
    Entry {
        lineage,
        actor,
        visibility: Visibility::InScope,
        body,
    }
}

/// The two records of one send.
pub(crate) fn send() -> [Entry; 2] {
    let run = id("run-7d1f0a52-lead-4b0e9c33");
    let member = Actor::Member {
        run,
        generation: Generation(Position(2)),
    };
    let accepted = Body::MessageAccepted(Box::new(MessageAccepted {
        message_id: id("0198a6b2-71c4-7d3e-9f10-5b2c8e4a6d01"),
        to: Address::Topic {
            topic_id: id("findings.rust.unsafe"),
        },
        content_ref: ContentRef::from_bits([0xc4; 16]),
        media_type: "text/plain; charset=utf-8".into(),
        body_bytes: 1_024,
        reply_to: None,
        expires_at: None,
        policies: Policies::default(),
        idempotency_key: id("assign-0198a6b2-71c4-7d3e-9f10-5b2c"),
        request_hash: RequestHash([0x5e; 16]),
        options: None,
        thread: None,
        alias: None,
    }));
    let delivered = Body::MessageDelivered(MessageDelivered {
        accepted: Position(123_456),
        message_id: id("0198a6b2-71c4-7d3e-9f10-5b2c8e4a6d01"),
        reply_to: None,
        topic: Some(id("findings.rust.unsafe")),
        recipients: Recipients(
            ["scan-1", "scan-2", "scan-3"]
                .map(|name| id(&format!("run-7d1f0a52-{name}-4b0e9c")))
                .into(),
        ),
        skipped: None,
        not_peered: None,
    });
    let caused = Lineage {
        caused_by: Some(Position(123_456)),
        ..lineage()
    };
    [
        entry(member, lineage(), accepted),
        entry(Actor::Engine, caused, delivered),
    ]
}
