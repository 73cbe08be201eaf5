//! Sending: what is recorded, what the receipt says, and where messages go.

use heronry_journal::Body;
use heronry_pool::{
    Caller, Rejection, Sent,
    decide::{Content, SendRequest},
};
use heronry_runtime::Pool;
use heronry_tests::{
    World, agent, body, canary, key, message, on_every_store, on_every_store_that_is_reopened, run,
    topic,
};
use heronry_types::{
    Address, ContentRef, CopyState, CorrelationKey, CorrelationValue, Durability, EntityKind,
    EventKind, MessageFailure, MessageStatus, Payload, PoolId, Receipt, TimelineState,
};

on_every_store! {
    a10_a_run_address_records_the_intent_and_then_the_result
    a10_the_receipt_names_the_acceptance_now_and_in_every_repeat
    a10_the_events_come_in_the_same_order_and_carry_no_body
    a14_a_fenced_or_departed_sender_gets_its_earlier_receipt
    a17_a_topic_reaches_exactly_its_present_listers
    m5_a_run_an_agent_and_a_topic_may_reach_the_sender
    m1_a_body_that_was_stored_before_is_sent_by_reference
    m1_a_body_that_came_with_a_message_can_be_passed_on
    m1_who_knows_the_reference_of_anothers_body_cannot_send_it
}

on_every_store_that_is_reopened! {
    a14_a_missing_target_gives_a_failed_receipt_that_is_remembered
}

/// The text of the bodies here; it must not show up in any record or event.
const SECRET: &str = "the heron waits at dawn";

fn to_child() -> SendRequest {
    let mut request = World::to_run("child", "k1", SECRET);
    let correlated = (CorrelationKey::parse("job"), CorrelationValue::parse("7"));
    request
        .correlation
        .insert(correlated.0.unwrap(), correlated.1.unwrap());
    request.reply_to = Some(message("earlier"));
    request
}

async fn send_to_child(world: &World) -> (Pool, Sent) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.join(&pool, "child").await;
    let sent = world.send(&pool, &lead, to_child()).await.unwrap();
    (pool, sent)
}

async fn a10_a_run_address_records_the_intent_and_then_the_result(world: World) {
    let (pool, sent) = send_to_child(&world).await;
    let acceptance = sent.receipt.cursor.position;
    let records = world.records_after(&pool, acceptance.previous()).await;
    let [intent, result] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(
        (intent.position, result.position),
        (acceptance, acceptance.next())
    );
    let Body::MessageAccepted(accepted) = &intent.entry.body else {
        panic!("{intent:?}");
    };
    assert_eq!(
        accepted.to,
        Address::Run {
            run_id: run("child")
        }
    );
    assert_eq!(accepted.message_id, sent.receipt.message_id);
    assert_eq!(
        (accepted.content_ref, accepted.body_bytes),
        (sent.receipt.content_ref, canary::said(SECRET).len() as u64)
    );
    let Body::MessageDelivered(delivered) = &result.entry.body else {
        panic!("{result:?}");
    };
    assert_eq!(
        (delivered.accepted, &delivered.message_id),
        (acceptance, &accepted.message_id)
    );
    assert_eq!(*delivered.recipients.0, [run("child")]);
    assert_eq!(delivered.reply_to, Some(message("earlier")));
    for record in [intent, result] {
        let lineage = &record.entry.lineage;
        assert_eq!(lineage.run, Some(run("lead")), "authored by the sender");
        assert_eq!(lineage.correlation.len(), 1);
    }
    assert_eq!(result.entry.lineage.caused_by, Some(acceptance));
    let chunks = world.chunks(&pool).await;
    assert!(
        chunks.iter().any(|chunk| chunk.first() == acceptance),
        "one append"
    );
    for chunk in chunks {
        let bytes = chunk.bytes().windows(SECRET.len());
        assert!(
            !bytes.into_iter().any(|bytes| bytes == SECRET.as_bytes()),
            "a body in a record"
        );
    }
    world.check_replay(&pool).await;
}

async fn a10_the_receipt_names_the_acceptance_now_and_in_every_repeat(world: World) {
    let (pool, Sent { receipt, repeated }) = send_to_child(&world).await;
    assert!(!repeated);
    assert_eq!(
        (receipt.status, receipt.reason),
        (MessageStatus::Delivered, None)
    );
    let copy = &receipt.recipients[0];
    assert_eq!(receipt.recipients.len(), 1);
    assert_eq!(
        (&copy.run_id, copy.state, copy.attempt),
        (&run("child"), CopyState::Queued, 0)
    );
    let steps: Vec<_> = receipt
        .timeline
        .iter()
        .map(|step| (step.state, step.cursor))
        .collect();
    let delivered = World::cursor(&pool, receipt.cursor.position.next());
    let expected = [
        (TimelineState::Accepted, receipt.cursor),
        (TimelineState::Delivered, delivered),
    ];
    assert_eq!(steps, expected);
    assert_eq!(receipt.as_of, delivered);
    let promised = world.store().journal.capabilities().durability;
    assert_eq!(receipt.durability, promised);
    assert!(matches!(promised, Durability::Memory | Durability::Fsync));

    let child = world.join(&pool, "child").await;
    let claims = World::claims(&world.receive(&pool, &child, "r1", 1).await);
    let claims = heronry_pool::decide::ClaimSet::These(claims);
    world.ack(&pool, &child, claims).await.unwrap();
    let lead = world.join(&pool, "lead").await;
    let again = world.send(&pool, &lead, to_child());
    let again = world.unrecorded(&pool, again).await;
    assert!(again.repeated);
    assert_eq!(
        again.receipt.cursor, receipt.cursor,
        "the acceptance, in every repeat"
    );
    assert_eq!(
        again.receipt.status,
        MessageStatus::Settled,
        "as it stands now"
    );
    assert_eq!(again.receipt.as_of, pool.head());
    world.check_replay(&pool).await;
}

async fn a10_the_events_come_in_the_same_order_and_carry_no_body(world: World) {
    let (pool, sent) = send_to_child(&world).await;
    let events = world.events(&pool).await;
    let [accepted, delivered] = &events[events.len() - 2..] else {
        unreachable!("two events");
    };
    assert_eq!(accepted.envelope.kind, EventKind::RunMessageAccepted);
    assert_eq!(delivered.envelope.kind, EventKind::RunMessageDelivered);
    assert_eq!(accepted.envelope.id(), sent.receipt.cursor);
    assert_eq!(
        delivered.envelope.id().position,
        sent.receipt.cursor.position.next()
    );
    assert_eq!(
        delivered.envelope.causes.caused_by,
        Some(sent.receipt.cursor)
    );
    let recipients: Vec<_> = delivered
        .envelope
        .exchange
        .recipients
        .iter()
        .cloned()
        .collect();
    assert_eq!(recipients, [run("child")]);
    for event in [accepted, delivered] {
        assert_eq!(event.payload, Payload::EnvelopeOnly);
        assert_eq!(
            event.envelope.exchange.message,
            Some(sent.receipt.message_id.clone())
        );
        assert_eq!(event.envelope.about.subject.kind, EntityKind::Message);
        assert_eq!(event.envelope.identity.run, Some(run("lead")));
        let json = serde_json::to_string(event).unwrap();
        assert!(!json.contains(SECRET), "{json}");
    }
    world.check_replay(&pool).await;
}

fn failed(receipt: &Receipt, why: MessageFailure) {
    assert_eq!(
        (receipt.status, receipt.reason),
        (MessageStatus::Failed, Some(why))
    );
    assert_eq!(receipt.recipients, []);
    assert_eq!(
        receipt.timeline.last().unwrap().state,
        TimelineState::Failed
    );
}

async fn a14_a_missing_target_gives_a_failed_receipt_that_is_remembered(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let other = PoolId::parse("other").unwrap();
    let pool_id = pool.id().clone();
    let targets = [
        (
            Address::Run {
                run_id: run("nobody"),
            },
            MessageFailure::NoSuchMember,
        ),
        (
            Address::Agent {
                agent_id: agent("nobody"),
            },
            MessageFailure::NoRecipient,
        ),
        (
            Address::Topic {
                topic_id: topic("nothing"),
            },
            MessageFailure::NoRecipient,
        ),
        (
            Address::Pool { pool_id: other },
            MessageFailure::ForeignPool,
        ),
        (Address::Pool { pool_id }, MessageFailure::NoRecipient),
    ];
    let mut receipts = Vec::new();
    for (number, (to, why)) in targets.iter().enumerate() {
        let request = SendRequest::new(to.clone(), body("?"), key(&format!("k{number}")));
        let sent = world.send(&pool, &lead, request.clone()).await.unwrap();
        failed(&sent.receipt, *why);
        let kinds = world
            .kinds_after(&pool, sent.receipt.cursor.position.previous())
            .await;
        assert_eq!(
            kinds,
            [EventKind::RunMessageAccepted, EventKind::RunMessageFailed]
        );
        receipts.push((request, sent.receipt));
    }
    // Remembered: the target that comes later changes nothing, nor does a restart.
    world.join_with(&pool, "nobody", &["nothing"], &[]).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    for (request, receipt) in receipts {
        let again = world.send(&pool, &lead, request);
        let again = world.unrecorded(&pool, again).await;
        let as_of = pool.head();
        assert_eq!(again.receipt, Receipt { as_of, ..receipt });
    }
    world.check_replay(&pool).await;
}

async fn a14_a_fenced_or_departed_sender_gets_its_earlier_receipt(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "child").await;
    let fenced = world.join(&pool, "fenced").await;
    let left = world.join(&pool, "left").await;
    let ended = world.join(&pool, "ended").await;
    let mut receipts = Vec::new();
    for caller in [&fenced, &left, &ended] {
        let sent = world.send(&pool, caller, to_child()).await.unwrap();
        receipts.push((caller.clone(), sent.receipt));
    }
    world
        .join_as(&pool, World::joining_as("fenced", "instance-2"))
        .await
        .unwrap();
    world.leave(&pool, &left).await.unwrap();
    world
        .end(&pool, &ended, heronry_types::RunEnd::Completed)
        .await
        .unwrap();
    for (caller, receipt) in receipts {
        let again = world.send(&pool, &caller, to_child());
        let again = world.unrecorded(&pool, again).await;
        assert!(again.repeated);
        assert_eq!(
            again.receipt,
            Receipt {
                as_of: pool.head(),
                ..receipt
            }
        );
        // A new request says nothing about earlier ones.
        let fresh = world.send(&pool, &caller, World::to_run("child", "k2", SECRET));
        let refusal = world.refused(&pool, fresh).await;
        assert!(matches!(
            refusal,
            Rejection::Fenced | Rejection::NotAMember | Rejection::RunEnded { .. }
        ));
    }
    world.check_replay(&pool).await;
}

fn runs(receipt: &Receipt) -> Vec<&str> {
    receipt
        .recipients
        .iter()
        .map(|copy| copy.run_id.as_str())
        .collect()
}

async fn a17_a_topic_reaches_exactly_its_present_listers(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    for (name, topics) in [
        ("c", &["news", "news"][..]),
        ("a", &["news", "sport"]),
        ("d", &["sport"]),
        ("b", &["news"]),
    ] {
        world.join_with(&pool, name, topics, &[]).await;
    }
    let gone = world.join_with(&pool, "gone", &["news"], &[]).await;
    world.leave(&pool, &gone).await.unwrap();
    let news = || Address::Topic {
        topic_id: topic("news"),
    };
    let receipt = world.say_to(&pool, &lead, (news(), "m1")).await;
    assert_eq!(runs(&receipt), ["a", "b", "c"], "sorted and distinct");
    let delivered = world.events(&pool).await.pop().unwrap();
    assert_eq!(delivered.envelope.exchange.topic, Some(topic("news")));

    let late = world.join_with(&pool, "late", &["news"], &[]).await;
    assert_eq!(
        world.receive(&pool, &late, "r1", 10).await.items,
        [],
        "nothing for who came late"
    );
    assert_eq!(
        runs(&world.receipt(&pool, "lead", "m1").await),
        ["a", "b", "c"]
    );
    let receipt = world.say_to(&pool, &lead, (news(), "m2")).await;
    assert_eq!(runs(&receipt), ["a", "b", "c", "late"]);
    world.check_replay(&pool).await;
}

async fn m5_a_run_an_agent_and_a_topic_may_reach_the_sender(world: World) {
    let pool = world.pool().await;
    let lead = world.join_with(&pool, "lead", &["news"], &[]).await;
    let run_id = run("lead");
    for (to, id) in [
        (Address::Run { run_id }, "m1"),
        (
            Address::Agent {
                agent_id: agent("lead"),
            },
            "m2",
        ),
        (
            Address::Topic {
                topic_id: topic("news"),
            },
            "m3",
        ),
    ] {
        let receipt = world.say_to(&pool, &lead, (to, id)).await;
        assert_eq!(runs(&receipt), ["lead"], "{id}");
    }
    assert_eq!(world.receive(&pool, &lead, "r1", 10).await.items.len(), 3);
    world.check_replay(&pool).await;
}

async fn m1_a_body_that_was_stored_before_is_sent_by_reference(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let child = world.join(&pool, "child").await;
    let Content::Inline(secret) = body(SECRET) else {
        unreachable!()
    };
    let stored = pool
        .store_body(lead.clone(), secret)
        .await
        .unwrap()
        .content_ref;
    let content = pool.stored(lead.clone(), stored).await.unwrap();
    let to = Address::Run {
        run_id: run("child"),
    };
    let by_reference = SendRequest::new(to, content, key("k1"));
    let sent = world.send(&pool, &lead, by_reference).await.unwrap();
    assert_eq!(sent.receipt.content_ref, stored);
    let read = pool.body(child.clone(), stored).await.unwrap();
    assert_eq!(&*read.body.bytes, canary::said(SECRET).as_bytes());

    // The same body inline is the same request.
    let inline = world.send(&pool, &lead, World::to_run("child", "k1", SECRET));
    let again = world.unrecorded(&pool, inline).await;
    assert_eq!(again.receipt.content_ref, stored);
    // Absent and forbidden look alike.
    let third = world.join(&pool, "third").await;
    for missing in [stored, ContentRef::from_bits([9; 16])] {
        let error = pool.body(third.clone(), missing).await.unwrap_err();
        let heronry_runtime::BodyError::Call(error) = error else {
            panic!("{error}")
        };
        assert_eq!(error.rejection(), Some(&Rejection::ContentMissing));
    }
    world.check_replay(&pool).await;
}

async fn m1_who_knows_the_reference_of_anothers_body_cannot_send_it(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let thief = world.join(&pool, "thief").await;
    let stored = pool
        .store_body(
            lead.clone(),
            heronry_types::Body::text(canary::said(SECRET)),
        )
        .await;
    let own = stored.unwrap().content_ref;
    let nobodys = pool.store_body(
        Caller::Operator,
        heronry_types::Body::text(canary::said("for all")),
    );
    let nobodys = nobodys.await.unwrap().content_ref;
    let to_thief = |content, name: &str| {
        let run_id = run("thief");
        SendRequest::new(Address::Run { run_id }, content, key(name))
    };

    let absent = pool.stored(thief.clone(), ContentRef::from_bits([9; 16]));
    let absent = absent.await.unwrap_err().to_string();
    let foreign = pool.stored(thief.clone(), own).await.unwrap_err();
    assert_eq!(foreign.to_string(), absent, "both look alike");
    // What an operator stored for nobody is anybody's to send, also when another has sent it.
    for (caller, name) in [(&lead, "k1"), (&thief, "k2")] {
        let content = pool.stored(caller.clone(), nobodys).await.unwrap();
        let sent = world.send(&pool, caller, to_thief(content, name)).await;
        assert_eq!(sent.unwrap().receipt.content_ref, nobodys);
    }
    let content = pool.stored(lead.clone(), own).await.unwrap();
    let to_lead = Address::Run {
        run_id: run("lead"),
    };
    let to_itself = SendRequest::new(to_lead, content, key("k3"));
    world.send(&pool, &lead, to_itself.clone()).await.unwrap();
    // Nor is it named by another when a message that is not for it has named it.
    pool.stored(thief.clone(), own).await.unwrap_err();
    world.leave(&pool, &lead).await.unwrap();
    let content = pool.stored(lead.clone(), own).await.unwrap();
    let again = SendRequest {
        content,
        ..to_itself
    };
    let again = world.send(&pool, &lead, again).await.unwrap();
    assert!(
        again.repeated,
        "an equal repeat of who has left is answered"
    );
    world.check_replay(&pool).await;
}

async fn m1_a_body_that_came_with_a_message_can_be_passed_on(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let child = world.join(&pool, "child").await;
    let third = world.join(&pool, "third").await;
    let sent = world.send(&pool, &lead, to_child()).await.unwrap();
    let content_ref = sent.receipt.content_ref;
    pool.stored(third.clone(), content_ref).await.unwrap_err();
    let content = pool.stored(child.clone(), content_ref).await.unwrap();
    let to = Address::Run {
        run_id: run("third"),
    };
    let passed = SendRequest::new(to, content, key("k1"));
    let passed = world.send(&pool, &child, passed).await.unwrap();
    assert_eq!(passed.receipt.content_ref, content_ref);
    let read = pool.body(third, content_ref).await.unwrap();
    assert_eq!(&*read.body.bytes, canary::said(SECRET).as_bytes());
    world.check_replay(&pool).await;
}
