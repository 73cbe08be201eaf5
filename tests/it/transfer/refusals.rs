//! Refusals, which change nothing.

use heronry_runtime::transfer::{self, Pools, TransferError};
use heronry_store::{LeaseError, StoreErrorKind};
use heronry_tests::{World, pool};

use crate::{
    between_every_two_stores,
    story::{Left, carrier, check_empty, check_kept, check_untouched, route, story},
};

between_every_two_stores! {
    a_pool_that_is_there_is_not_overwritten
    a_pool_that_is_not_there_is_said
    a_store_in_use_is_not_moved
    a_sealed_store_takes_nothing
}

async fn a_pool_that_is_there_is_not_overwritten(from: World, to: World) {
    let left = story(&from).await;
    // A process of its own draws other epochs.
    let to = to.restart().await;
    let p = to.pool().await;
    let head = p.head();
    to.runtime.shutdown().await;
    let by = carrier(&to, 77);
    let is_there = |error: TransferError| matches!(error, TransferError::PoolExists { pool: found } if found == pool("p"));
    let copied = transfer::copy(from.store(), to.store(), &Pools::All, &by).await;
    assert!(is_there(copied.unwrap_err()));
    let moved = transfer::move_all(from.store(), to.store(), &route(), &by).await;
    assert!(is_there(moved.unwrap_err()));
    let itself = transfer::copy(from.store(), from.store(), &Pools::All, &by).await;
    assert!(is_there(itself.unwrap_err()));
    check_untouched(from.store(), &left).await;
    let pools = to.store().journal.pools().await.unwrap();
    assert_eq!(pools, [pool("p")], "the other pool did not arrive either");
    let found = to.store().journal.head(&pool("p")).await.unwrap().unwrap();
    assert_eq!((found.epoch, found.head), (head.epoch, head.position));
    // The pool that is not in the way can be copied.
    let other = Pools::One(pool("q"));
    transfer::copy(from.store(), to.store(), &other, &by)
        .await
        .unwrap();
    let pools = to.store().journal.pools().await.unwrap();
    assert_eq!(pools, [pool("p"), pool("q")]);
}

async fn a_pool_that_is_not_there_is_said(from: World, to: World) {
    story(&from).await;
    let by = carrier(&to, 77);
    let one = Pools::One(pool("no-such-pool"));
    let copied = transfer::copy(from.store(), to.store(), &one, &by).await;
    assert!(
        matches!(copied, Err(TransferError::NoPool { .. })),
        "{copied:?}"
    );
    check_empty(to.store()).await;
}

async fn a_store_in_use_is_not_moved(from: World, to: World) {
    let left = story(&from).await;
    let from = from.restart().await;
    let p = from.runtime.find(&pool("p")).await.unwrap();
    check_kept(&from, &p, &left).await;
    let head = from.store().journal.head(p.id()).await.unwrap().unwrap();
    let left = Left { head, ..left };
    let by = carrier(&to, 77);
    let moved = transfer::move_all(from.store(), to.store(), &route(), &by).await;
    let Err(TransferError::Lease {
        error: LeaseError::Owned { owner, .. },
        ..
    }) = moved
    else {
        panic!("a store in use was moved: {moved:?}");
    };
    assert_eq!(owner, "tests");
    check_empty(to.store()).await;
    check_untouched(from.store(), &left).await;
    from.say(&p, &left.lead, ("scout", "still-here")).await;
    // A copy takes what is durable at that moment.
    let copied = transfer::copy(from.store(), to.store(), &Pools::All, &by)
        .await
        .unwrap();
    assert_eq!(copied[0].head.position, p.head().position.next());
}

async fn a_sealed_store_takes_nothing(from: World, to: World) {
    let left = story(&from).await;
    to.store().custody.seal("a third place").await.unwrap();
    let by = carrier(&to, 77);
    for moves in [true, false] {
        let ended = if moves {
            transfer::move_all(from.store(), to.store(), &route(), &by).await
        } else {
            transfer::copy(from.store(), to.store(), &Pools::All, &by).await
        };
        let Err(
            TransferError::Store(error)
            | TransferError::Lease {
                error: LeaseError::Store(error),
                ..
            },
        ) = ended
        else {
            panic!("a sealed store took pools: {ended:?}");
        };
        assert_eq!(error.kind(), StoreErrorKind::Sealed);
        check_untouched(from.store(), &left).await;
    }
    to.store().custody.unseal().await.unwrap();
    check_empty(to.store()).await;
    // A sealed store can be copied: that starts a timeline, so no two are the same.
    from.store().custody.seal("a fourth place").await.unwrap();
    let copied = transfer::copy(from.store(), to.store(), &Pools::All, &by)
        .await
        .unwrap();
    assert_ne!(copied[0].head.epoch, left.head.epoch);
}
