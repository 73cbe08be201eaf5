//! Receives that name the messages whose copies they claim.

use heronry_pool::{
    Rejection,
    decide::{FetchMessages, Select},
};
use heronry_tests::{World, on_every_store};
use heronry_types::{Cursor, LimitName, Millis};

use super::delivery::{Scene, ids, ordered, usual};

on_every_store! {
    m9_a_receive_of_named_messages_passes_over_others_and_not_over_ordered_ones
}

async fn m9_a_receive_of_named_messages_passes_over_others_and_not_over_ordered_ones(world: World) {
    let scene = Scene::new(world).await;
    let mut sent = Vec::new();
    for (id, options) in [
        ("m1", usual()),
        ("m2", usual()),
        ("o1", ordered()),
        ("o2", ordered()),
    ] {
        sent.push(scene.send(id, options).await.cursor);
    }
    let fetch = |receive_id: &str, these: &[Cursor]| FetchMessages {
        select: Select::These(these.to_vec()),
        ..World::fetch(&scene.ann, receive_id, 10)
    };
    let take = async |receive_id: &str, these: &[Cursor]| {
        let fetched = scene
            .pool
            .receive(fetch(receive_id, these), Millis(0))
            .await;
        fetched.unwrap()
    };
    let second = take("r1", &sent[1..2]).await;
    assert_eq!((ids(&second), second.unread), (vec!["m2"], 3));
    let again = take("r1", &sent[1..2]).await;
    assert_eq!(World::claims(&again), World::claims(&second));
    let none = take("r2", &sent[1..2]).await;
    assert_eq!(ids(&none), [""; 0], "it is claimed");
    let later = take("r3", &sent[3..]).await;
    assert_eq!(
        ids(&later),
        [""; 0],
        "another one of its sender comes first"
    );
    let both = take("r4", &sent[2..]).await;
    assert_eq!(ids(&both), ["o1"]);
    assert_eq!(ids(&scene.receive("rest").await), ["m1"]);
    scene.ack(&both).await;
    assert_eq!(ids(&take("r5", &sent).await), ["o2"]);

    let many = vec![sent[0]; 1_001];
    let refused = scene.pool.call(fetch("r6", &many)).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused.rejection(), Some(Rejection::Limit(over)) if over.limit == LimitName::PageItemsMax),
        "{refused:?}"
    );
    scene.ends().await;
}
