//! A47: a store that is moved.

use heronry_store::{
    ConsumerId, ConsumerStanding, ConsumerStep, LEASE_TERM, LeaseError, ProjectionChange,
    StoreErrorKind,
};
use heronry_tests::{World, message, pool};
use heronry_transfer::{self as transfer, TransferError};
use heronry_types::Position;

use crate::{
    between_every_two_stores,
    story::{carrier, check_bodies, check_kept, consume, route, story},
};

between_every_two_stores! {
    a47_a_move_keeps_cursors_epoch_hashes_and_state_and_seals_the_source
    a47_after_a_move_consumers_stand_where_they_stood
    s7_after_a_move_a_consumer_with_a_projection_begins_anew
}

async fn a47_a_move_keeps_cursors_epoch_hashes_and_state_and_seals_the_source(
    from: World,
    to: World,
) {
    let left = story(&from).await;
    let by = carrier(&to, 77);
    let moved = transfer::move_all(from.store(), to.store(), &route(), &by)
        .await
        .unwrap();
    let ids: Vec<_> = moved.iter().map(|moved| moved.pool.clone()).collect();
    assert_eq!(ids, [pool("p"), pool("q")]);
    assert_eq!(
        (moved[0].chunks, moved[0].contents),
        (left.chunks.len() as u64, 7)
    );

    let head = to.store().journal.head(&pool("p")).await.unwrap();
    assert_eq!(head, Some(left.head));
    // The same move again finds everything there.
    let again = transfer::move_all(from.store(), to.store(), &route(), &by)
        .await
        .unwrap();
    assert_eq!(again.len(), 2);
    let p = to.runtime.find(&pool("p")).await.unwrap();
    assert_eq!(p.epoch(), left.head.epoch);
    // A claim was live, so opening the pool says that it goes on.
    check_kept(&to, &p, &left).await;
    check_bodies(&p, &left).await;

    let seal = from.store().custody.sealed().await.unwrap();
    assert_eq!(seal.as_deref(), Some("there"));
    let (leases, now) = (&from.store().leases, left.records[0].recorded_at);
    let acquired = leases.acquire(&pool("p"), "x", now, LEASE_TERM).await;
    let Err(LeaseError::Store(error)) = acquired else {
        panic!("a sealed store gave a lease: {acquired:?}");
    };
    assert_eq!(error.kind(), StoreErrorKind::Sealed);
    let elsewhere = World::new(to.kind).await;
    let elsewhere_route = heronry_store::MoveRoute {
        to: "elsewhere".to_owned(),
        ..route()
    };
    let again = transfer::move_all(from.store(), elsewhere.store(), &elsewhere_route, &by).await;
    assert!(
        matches!(&again, Err(TransferError::Sealed { moved_to }) if moved_to == "there"),
        "{again:?}"
    );
    // The members of before go on as if nothing had happened.
    let receipt = to.say(&p, &left.scout, ("lead", "after")).await;
    assert_eq!(receipt.cursor.epoch, left.head.epoch);
    assert!(receipt.cursor.position > left.head.head);
    to.check_replay(&p).await;
    drop(p);
    let to = to.restart().await;
    let p = to.runtime.find(&pool("p")).await.unwrap();
    assert!(p.head().position > Position(left.head.head.0));
    assert_eq!(
        to.receipt(&p, "scout", "after").await.message_id,
        message("after")
    );
}

async fn s7_after_a_move_a_consumer_with_a_projection_begins_anew(from: World, to: World) {
    story(&from).await;
    let name = pool("p");
    let before = consume(from.store(), &name).await;
    let projecting = ConsumerId::parse("counts").unwrap();
    let change = ProjectionChange::Put {
        key: b"k".to_vec(),
        value: b"v".to_vec(),
    };
    let step = ConsumerStep {
        expected: None,
        next: before[1].cursor,
    };
    let projections = &from.store().projections;
    let commit = projections.commit(&name, &projecting, step, vec![change]);
    commit.await.unwrap();
    let (by, route) = (carrier(&to, 77), route());
    let moved = transfer::move_all(from.store(), to.store(), &route, &by);
    moved.await.unwrap();
    assert_eq!(to.store().cursors.list(&name).await.unwrap(), before);
    let row = to.store().projections.get(&name, &projecting, b"k").await;
    assert_eq!(row.unwrap(), None);
}

async fn a47_after_a_move_consumers_stand_where_they_stood(from: World, to: World) {
    let left = story(&from).await;
    let names = [pool("p"), pool("q")];
    let before = [
        consume(from.store(), &names[0]).await,
        consume(from.store(), &names[1]).await,
    ];
    let by = carrier(&to, 77);
    let route = route();
    let moves = || transfer::move_all(from.store(), to.store(), &route, &by);
    moves().await.unwrap();
    let cursors = &to.store().cursors;
    for (name, before) in names.iter().zip(&before) {
        assert_eq!(&cursors.list(name).await.unwrap(), before);
        assert_eq!(&from.store().cursors.list(name).await.unwrap(), before);
    }

    // What consumers do at the new place stays when the move is repeated.
    let [gone, ahead, last] = &before[0][..] else {
        panic!("three consumers");
    };
    let mut next = ahead.cursor;
    next.cursor.position = left.head.head;
    let commit = cursors.commit(&names[0], &ahead.consumer, Some(ahead.cursor), next);
    commit.await.unwrap();
    cursors.delete(&names[0], &gone.consumer).await.unwrap();
    moves().await.unwrap();
    let stands = ConsumerStanding {
        consumer: ahead.consumer.clone(),
        cursor: next,
    };
    let expected = [stands, last.clone()];
    assert_eq!(cursors.list(&names[0]).await.unwrap(), expected);
    assert_eq!(cursors.list(&names[1]).await.unwrap(), before[1]);
    let to = to.restart().await;
    let kept = to.store().cursors.list(&names[0]).await.unwrap();
    assert_eq!(kept, expected);
}
