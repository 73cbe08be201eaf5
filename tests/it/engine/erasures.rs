//! Erasing bodies: what stays, who may, and that nothing brings the bytes back.

use heronry_journal::Body as RecordBody;
use heronry_pool::{Caller, Rejection, decide::SendRequest};
use heronry_runtime::{BodyError, ContentScope, Pool};
use heronry_store::{ContentPlace, Stored, Tombstone};
use heronry_tests::{World, canary, key, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{Address, Body, ContentRef, EventKind, Position};

on_every_store! {
    b1_an_erased_body_is_gone_from_the_store_and_its_tombstone_stays
    an_erasure_is_one_event_and_a_repeat_records_nothing
    a_body_is_erased_by_its_first_sender_by_who_stored_it_and_by_an_operator
    an_erased_body_is_not_there_for_who_could_not_read_it
    b1_an_erased_body_is_not_brought_back_by_a_repeat_of_its_message
    an_erased_body_is_not_brought_back_by_storing_it_again
    an_erased_body_cannot_be_sent_and_what_was_sent_with_it_is_repeated
    of_erasures_at_once_one_is_recorded
}

on_every_store_that_is_reopened! {
    an_erasure_is_kept_over_a_restart_and_others_stay
}

const SECRET: &str = "the heron waits at dawn";

/// The body that says it.
fn secret() -> Body {
    Body::text(canary::said(SECRET))
}

struct Sent {
    pool: Pool,
    lead: Caller,
    child: Caller,
    content_ref: ContentRef,
    accepted: Position,
}

async fn sent(world: &World) -> Sent {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let child = world.join(&pool, "child").await;
    let request = World::to_run("child", "k1", SECRET);
    let receipt = world.send(&pool, &lead, request).await.unwrap().receipt;
    Sent {
        pool,
        lead,
        child,
        content_ref: receipt.content_ref,
        accepted: receipt.cursor.position,
    }
}

async fn refusal(pool: &Pool, caller: &Caller, content_ref: ContentRef) -> Rejection {
    rejection(pool.body(caller.clone(), content_ref).await.unwrap_err())
}

fn rejection(error: BodyError) -> Rejection {
    let BodyError::Call(error) = error else {
        panic!("{error}")
    };
    error.rejection().unwrap().clone()
}

fn is_what_is_left(left: &Tombstone) -> bool {
    let digest = heronry_store::StoredContent::of(secret()).digest;
    let facts = (&*left.media_type, left.bytes, left.digest);
    facts == (Body::TEXT, secret().bytes.len() as u64, digest)
}

/// Checks that no row of the pool has the body.
async fn check_gone(world: &World, pool: &Pool) {
    let contents = &world.store().contents;
    let packs = contents.list_with(pool.id(), Position::ZERO, usize::MAX);
    let packs = packs.await.unwrap();
    let alone = contents
        .list_alone(pool.id(), None, usize::MAX)
        .await
        .unwrap();
    let all = packs
        .into_iter()
        .flat_map(|pack| pack.contents)
        .chain(alone);
    for content in all {
        let kept = content.stored.body().map(|body| body.bytes.to_vec());
        assert_ne!(kept.as_deref(), Some(&*secret().bytes));
    }
}

async fn b1_an_erased_body_is_gone_from_the_store_and_its_tombstone_stays(world: World) {
    let it = sent(&world).await;
    let left = it.pool.erase_body(it.lead.clone(), it.content_ref).await;
    let left = left.unwrap();
    assert!(is_what_is_left(&left), "{left:?}");
    check_gone(&world, &it.pool).await;
    let place = ContentPlace::With(it.accepted);
    let contents = &world.store().contents;
    let found = contents.get(it.pool.id(), it.content_ref, place).await;
    assert_eq!(found.unwrap(), Some(Stored::Erased(left.clone())));
    let erased_at = left.erased_at;
    for reader in [&it.lead, &it.child, &Caller::Operator] {
        let refusal = refusal(&it.pool, reader, it.content_ref).await;
        assert_eq!(refusal, Rejection::ContentErased { erased_at });
    }
    // The message goes on without its body.
    let received = world.receive(&it.pool, &it.child, "r1", 10).await;
    assert_eq!(received.items[0].content_ref, it.content_ref);
    world.check_replay(&it.pool).await;
}

async fn an_erasure_is_one_event_and_a_repeat_records_nothing(world: World) {
    let it = sent(&world).await;
    let head = it.pool.head().position;
    let erase = |caller: &Caller| it.pool.erase_body(caller.clone(), it.content_ref);
    let left = erase(&it.lead).await.unwrap();
    let records = world.records_after(&it.pool, head).await;
    let [record] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(record.kind(), EventKind::ContentErased);
    assert_eq!(record.recorded_at, left.erased_at);
    assert_eq!(record.entry.lineage.run, Some(run("lead")));
    assert_eq!(record.entry.lineage.caused_by, Some(it.accepted));
    let RecordBody::ContentErased(erased) = &record.entry.body else {
        panic!("{record:?}")
    };
    assert_eq!(erased.content_ref, it.content_ref);
    assert_eq!(erased.stored_with, Some(it.accepted));

    world.clock.advance(heronry_types::Millis::from_secs(5));
    for caller in [&it.lead, &Caller::Operator] {
        let repeat = erase(caller);
        assert_eq!(world.unrecorded(&it.pool, repeat).await, left);
    }
    world.check_replay(&it.pool).await;
}

async fn a_body_is_erased_by_its_first_sender_by_who_stored_it_and_by_an_operator(world: World) {
    let it = sent(&world).await;
    let third = world.join(&it.pool, "third").await;
    // Who passes it on has sent it, and is not the first.
    let content = it.pool.stored(it.child.clone(), it.content_ref).await;
    let to = Address::Run {
        run_id: run("third"),
    };
    let passed = SendRequest::new(to, content.unwrap(), key("k2"));
    world.send(&it.pool, &it.child, passed).await.unwrap();
    let head = it.pool.head();
    let nothing = ContentRef::from_bits([9; 16]);
    for (caller, content_ref) in [
        (&it.child, it.content_ref),
        (&third, it.content_ref),
        (&it.lead, nothing),
        (&Caller::Operator, nothing),
    ] {
        let erased = it.pool.erase_body(caller.clone(), content_ref).await;
        assert_eq!(rejection(erased.unwrap_err()), Rejection::ContentMissing);
    }
    assert_eq!(it.pool.head(), head);

    let stored = it.pool.store_body(it.child.clone(), secret());
    let stored = stored.await.unwrap().content_ref;
    let by_key = ContentScope {
        run: Some(run("child")),
        key: key("k3"),
    };
    let by_key = it
        .pool
        .store_body_once(it.child.clone(), by_key, secret())
        .await
        .unwrap();
    for content_ref in [stored, by_key.content_ref] {
        let erased = it.pool.erase_body(it.lead.clone(), content_ref).await;
        assert_eq!(rejection(erased.unwrap_err()), Rejection::ContentMissing);
        it.pool
            .erase_body(it.child.clone(), content_ref)
            .await
            .unwrap();
    }
    it.pool
        .erase_body(Caller::Operator, it.content_ref)
        .await
        .unwrap();
    check_gone(&world, &it.pool).await;
    world.check_replay(&it.pool).await;
}

async fn an_erased_body_is_not_there_for_who_could_not_read_it(world: World) {
    let it = sent(&world).await;
    let third = world.join(&it.pool, "third").await;
    it.pool
        .erase_body(it.lead.clone(), it.content_ref)
        .await
        .unwrap();
    let refused = refusal(&it.pool, &third, it.content_ref).await;
    assert_eq!(refused, Rejection::ContentMissing);
    let again = it.pool.erase_body(third, it.content_ref).await;
    assert_eq!(rejection(again.unwrap_err()), Rejection::ContentMissing);
    world.check_replay(&it.pool).await;
}

async fn b1_an_erased_body_is_not_brought_back_by_a_repeat_of_its_message(world: World) {
    let it = sent(&world).await;
    it.pool
        .erase_body(it.lead.clone(), it.content_ref)
        .await
        .unwrap();
    let again = world.send(&it.pool, &it.lead, World::to_run("child", "k1", SECRET));
    let again = world.unrecorded(&it.pool, again).await;
    assert!(again.repeated);
    assert_eq!(again.receipt.content_ref, it.content_ref);
    check_gone(&world, &it.pool).await;
    world.check_replay(&it.pool).await;
}

async fn an_erased_body_is_not_brought_back_by_storing_it_again(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let put = |text: &str| {
        let scope = ContentScope {
            run: Some(run("lead")),
            key: key("k1"),
        };
        pool.store_body_once(lead.clone(), scope, Body::text(canary::said(text)))
    };
    let stored = put(SECRET).await.unwrap();
    assert_eq!((stored.repeated, stored.erased_at), (false, None));
    let left = pool
        .erase_body(lead.clone(), stored.content_ref)
        .await
        .unwrap();
    assert!(is_what_is_left(&left), "{left:?}");
    let again = put(SECRET).await.unwrap();
    assert_eq!(again.content_ref, stored.content_ref);
    assert_eq!(
        (again.repeated, again.erased_at),
        (true, Some(left.erased_at))
    );
    let other = put("another body").await.unwrap_err();
    assert_eq!(rejection(other), Rejection::ContentConflict);
    check_gone(&world, &pool).await;
    world.check_replay(&pool).await;
}

async fn an_erased_body_cannot_be_sent_and_what_was_sent_with_it_is_repeated(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.join(&pool, "child").await;
    let stored = pool.store_body(lead.clone(), secret()).await;
    let stored = stored.unwrap().content_ref;
    let send = async |name: &str| {
        let content = pool.stored(lead.clone(), stored).await.unwrap();
        let to = Address::Run {
            run_id: run("child"),
        };
        world
            .send(&pool, &lead, SendRequest::new(to, content, key(name)))
            .await
    };
    let first = send("k1").await.unwrap();
    let left = pool.erase_body(lead.clone(), stored).await.unwrap();
    let head = pool.head();
    let again = send("k1").await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.receipt.cursor, first.receipt.cursor);
    let refused = send("k2").await.unwrap_err();
    let erased_at = left.erased_at;
    let expected = Rejection::ContentErased { erased_at };
    assert_eq!(refused.rejection(), Some(&expected));
    assert_eq!(pool.head(), head, "nothing is journaled");
    check_gone(&world, &pool).await;
    world.check_replay(&pool).await;
}

async fn an_erasure_is_kept_over_a_restart_and_others_stay(world: World) {
    let it = sent(&world).await;
    let other = World::to_run("child", "k2", "another body");
    let other = world.send(&it.pool, &it.lead, other).await.unwrap();
    let left = it.pool.erase_body(it.lead.clone(), it.content_ref).await;
    let left = left.unwrap();
    let (lead, child, content_ref) = (it.lead, it.child, it.content_ref);
    drop(it.pool);
    let mut world = world;
    for _ in 0..2 {
        world = world.crash().await;
        let pool = world.pool().await;
        check_gone(&world, &pool).await;
        let erased_at = left.erased_at;
        let refused = refusal(&pool, &child, content_ref).await;
        assert_eq!(refused, Rejection::ContentErased { erased_at });
        let again = pool.erase_body(lead.clone(), content_ref).await.unwrap();
        assert_eq!(again, left);
        let kept = pool.body(child.clone(), other.receipt.content_ref).await;
        assert_eq!(
            &*kept.unwrap().body.bytes,
            canary::said("another body").as_bytes()
        );
        world.check_replay(&pool).await;
    }
}

async fn of_erasures_at_once_one_is_recorded(world: World) {
    let it = sent(&world).await;
    let head = it.pool.head().position;
    let erase = || it.pool.erase_body(it.lead.clone(), it.content_ref);
    let (one, other) = tokio::join!(erase(), erase());
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(it.pool.head().position, head.next());
    world.check_replay(&it.pool).await;
}
