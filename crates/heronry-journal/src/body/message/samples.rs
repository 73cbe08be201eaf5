//! Samples of records about messages and their copies.

use heronry_types::{
    AckOutcome, Address, AliasName, ChosenBy, ContentRef, DeliveryOptions, IdempotencyKey,
    Importance, MessageId, Millis, OnFull, Position, ReceiveId, ReleaseReason, Timestamp, TopicId,
    Undeliverable,
};
use proptest::{option, prelude::*};

use super::{
    FetchedCopy, MessageAccepted, MessageAcked, MessageDelivered, MessageExtended, MessageFetched,
    MessageReleased, Recipients, RequestHash, UndeliverableCopy,
};
use crate::{
    Skipped, Thread,
    samples::{
        self, Sample,
        arbitrary::{
            claim, copy, counted_copy, few, id, millis, note, policies, request_hash, time, word,
        },
    },
};

impl Sample for MessageAccepted {
    /// In the usual way, in another way, one that replies and asks for replies, and one to an alias.
    fn samples() -> Vec<Self> {
        let usual = Self {
            message_id: MessageId::parse("msg-302").unwrap(),
            to: Address::Topic {
                topic_id: TopicId::parse("scan").unwrap(),
            },
            content_ref: samples::content_ref(),
            media_type: "application/json".into(),
            body_bytes: 2_048,
            reply_to: Some(MessageId::parse("msg-299").unwrap()),
            expires_at: Some(Timestamp::from_millis(1_795_166_130_125)),
            policies: samples::policies(),
            idempotency_key: IdempotencyKey::parse("assign-0042").unwrap(),
            request_hash: RequestHash(*b"request's 16 hex"),
            thread: None,
            options: None,
            alias: None,
        };
        let special = Self {
            options: Some(Box::new(DeliveryOptions {
                importance: Importance::Steer,
                deliver_after: Some(Millis(90_000)),
                ordered: true,
                on_full: Some(OnFull::Refuse),
            })),
            ..usual.clone()
        };
        let asking = Self {
            thread: Some(Box::new(Thread::sample())),
            ..special.clone()
        };
        let to_alias = Self {
            alias: Some(Box::new(AliasName {
                recipient: Some(samples::id("member.run-lead")),
                channel: Some(samples::id("findings")),
            })),
            ..asking.clone()
        };
        vec![usual, special, asking, to_alias]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let content = any::<[u8; 16]>().prop_map(ContentRef::from_bits);
        let body = (content, "[a-z]{1,9}/[a-z]{1,9}", any::<u64>());
        let message = (
            id(),
            address(),
            option::of(id()),
            option::of(time()),
            policies(),
        );
        let thread = option::weighted(0.2, Thread::arbitrary());
        let alias = option::weighted(0.2, alias());
        let special = (option::of(options()), thread, alias);
        (message, body, id(), request_hash(), special)
            .prop_map(
                |(message, body, idempotency_key, request_hash, (options, thread, alias))| {
                    let (message_id, to, reply_to, expires_at, policies) = message;
                    let (content_ref, media_type, body_bytes) = body;
                    Self {
                        message_id,
                        to,
                        content_ref,
                        media_type: media_type.as_str().into(),
                        body_bytes,
                        reply_to,
                        expires_at,
                        policies,
                        idempotency_key,
                        request_hash,
                        thread: thread.map(Box::new),
                        options: options.map(Box::new),
                        alias: alias.map(Box::new),
                    }
                },
            )
            .boxed()
    }
}

fn alias() -> impl Strategy<Value = AliasName> {
    (option::of(id()), option::of(id()))
        .prop_map(|(recipient, channel)| AliasName { recipient, channel })
}

fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        id().prop_map(|run_id| Address::Run { run_id }),
        id().prop_map(|agent_id| Address::Agent { agent_id }),
        id().prop_map(|topic_id| Address::Topic { topic_id }),
        id().prop_map(|pool_id| Address::Pool { pool_id }),
    ]
}

fn options() -> impl Strategy<Value = DeliveryOptions> {
    let on_full = option::of(word());
    (word(), option::of(millis()), any::<bool>(), on_full).prop_map(
        |(importance, deliver_after, ordered, on_full)| DeliveryOptions {
            importance,
            deliver_after,
            ordered,
            on_full,
        },
    )
}

impl Sample for MessageDelivered {
    /// To everybody, one that left a recipient out, and one that left out who has no edge with the sender.
    fn samples() -> Vec<Self> {
        let recipients = ["run-scan-1", "run-scan-2", "run-scan-3"];
        let without = |skipped, not_peered| Self {
            accepted: Position(302),
            message_id: MessageId::parse("msg-302").unwrap(),
            reply_to: Some(MessageId::parse("msg-299").unwrap()),
            topic: Some(TopicId::parse("scan").unwrap()),
            recipients: Recipients(recipients.into_iter().map(samples::id).collect()),
            skipped,
            not_peered,
        };
        let skipped = || Skipped::of(vec![1]).unwrap();
        let not_peered = Recipients([samples::id("run-scan-4")].into());
        vec![
            without(None, None),
            without(skipped(), None),
            without(skipped(), Some(not_peered)),
        ]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let skipped = proptest::collection::btree_set(0..5_000_u32, 0..9)
            .prop_map(|numbers| Skipped::of(numbers.into_iter().collect()).unwrap());
        let to = (option::of(id()), option::of(id()), few(id()));
        let not_peered = option::weighted(0.2, few(id()));
        (copy(), to, skipped, not_peered)
            .prop_map(
                |(copy, (reply_to, topic, recipients), skipped, not_peered)| Self {
                    accepted: copy.accepted,
                    message_id: copy.message_id,
                    reply_to,
                    topic,
                    recipients: Recipients(recipients.into()),
                    skipped,
                    not_peered: not_peered.map(|runs| Recipients(runs.into())),
                },
            )
            .boxed()
    }
}

impl Sample for MessageFetched {
    /// In turn, and by name.
    fn samples() -> Vec<Self> {
        let chosen = |chosen_by| Self {
            receive_id: ReceiveId::parse("receive-9").unwrap(),
            claimed_until: Timestamp::from_millis(1_795_162_590_125),
            claim_ms: Millis(60_000),
            copies: vec![FetchedCopy {
                copy: samples::message(302),
                attempt: 2,
            }],
            undeliverable: vec![UndeliverableCopy {
                copy: samples::message(303),
                why: Undeliverable::Policy,
            }],
            chosen_by,
        };
        vec![chosen(None), chosen(Some(ChosenBy::Name))]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let undeliverable =
            (copy(), word()).prop_map(|(copy, why)| UndeliverableCopy { copy, why });
        let term = (time(), millis());
        let copies = (few(counted_copy()), few(undeliverable));
        (id(), term, copies, option::of(word()))
            .prop_map(
                |(receive_id, (claimed_until, claim_ms), copies, chosen_by)| Self {
                    receive_id,
                    claimed_until,
                    claim_ms,
                    copies: copies.0,
                    undeliverable: copies.1,
                    chosen_by,
                },
            )
            .boxed()
    }
}

impl Sample for MessageAcked {
    fn samples() -> Vec<Self> {
        vec![Self {
            claims: vec![samples::claim(299), samples::claim(300)],
            outcome: AckOutcome::Blocked,
            note: Some("waits for a licence".to_owned()),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (few((claim(), id())), word(), note())
            .prop_map(|(claims, outcome, note)| Self {
                claims,
                outcome,
                note,
            })
            .boxed()
    }
}

impl Sample for MessageReleased {
    fn samples() -> Vec<Self> {
        vec![Self {
            claims: vec![samples::claim(299)],
            reason: ReleaseReason::Lapsed,
            visible_at: Some(Timestamp::from_millis(1_795_162_535_000)),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (few((claim(), id())), word(), option::of(time()))
            .prop_map(|(claims, reason, visible_at)| Self {
                claims,
                reason,
                visible_at,
            })
            .boxed()
    }
}

impl Sample for MessageExtended {
    fn samples() -> Vec<Self> {
        let (claim, message_id) = samples::claim(299);
        let until = Timestamp::from_millis(1_795_162_650_125);
        vec![Self {
            claims: vec![(claim, message_id, until)],
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        few((claim(), id(), time()))
            .prop_map(|claims| Self { claims })
            .boxed()
    }
}
