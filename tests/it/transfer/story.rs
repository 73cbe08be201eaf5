//! The history of the pools before they are carried, and the facts that must be the same
//! afterwards.

use std::sync::Arc;

use heronry_event::Event;
use heronry_journal::{Body, Chunk, ChunkHash, Record};
use heronry_pool::{
    Caller, State, apply,
    decide::{ClaimSet, Content, SendRequest, StateDigest},
};
use heronry_runtime::Pool;
use heronry_store::{
    ConsumerCursor, ConsumerId, ConsumerStanding, FilterFingerprint, Head, MoveRoute, Store,
};
use heronry_testkit::SeededIds;
use heronry_tests::{World, key, message, pool, run};
use heronry_transfer::Carrier;
use heronry_types::{
    Address, Body as Bytes, ContentRef, Cursor, EpochReason, PoolId, PoolSpec, Position,
};

/// Returns the carrier of a test.
pub(crate) fn carrier(world: &World, seed: u64) -> Carrier {
    Carrier {
        clock: Arc::new(world.clock.clone()),
        ids: Arc::new(SeededIds::new(seed)),
        owner: "a test that carries".to_owned(),
    }
}

/// The ends of a move that tests name.
pub(crate) fn route() -> MoveRoute {
    MoveRoute {
        from: "here".to_owned(),
        to: "there".to_owned(),
    }
}

/// The state of a pool when it was left.
pub(crate) struct Left {
    pub(crate) head: Head,
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) records: Vec<Record>,
    pub(crate) events: Vec<Event>,
    /// The digest of the live state.
    pub(crate) digest: ChunkHash,
    pub(crate) lead: Caller,
    pub(crate) scout: Caller,
    /// The bodies of its messages.
    pub(crate) bodies: Vec<(ContentRef, Bytes)>,
}

/// The cursors of a pool's consumers.
pub(crate) type Consumers = Vec<ConsumerStanding>;

/// Lets three consumers of a pool stand at its start, after its first record and at its head.
pub(crate) async fn consume(store: &Store, pool: &PoolId) -> Consumers {
    let head = store.journal.head(pool).await.unwrap().unwrap();
    let stands = [
        ("a", Position::ZERO),
        ("b/1", Position(1)),
        ("c", head.head),
    ];
    for (number, (name, position)) in (1..).zip(stands) {
        let consumer = ConsumerId::parse(name).unwrap();
        let at = ConsumerCursor::new(
            Cursor::new(head.epoch, position),
            FilterFingerprint([number; 32]),
        );
        let commit = store.cursors.commit(pool, &consumer, None, at);
        commit.await.unwrap();
    }
    let consumers = store.cursors.list(pool).await.unwrap();
    assert_eq!(consumers.len(), 3);
    consumers
}

/// The filter of a wake that waits in the pool.
pub(crate) const A_TIMELINE_STARTS: &str = r#"kind == "agent_pool_epoch_started""#;

/// Lets things happen in pool `p`, and a little in pool `q`, and closes both.
pub(crate) async fn story(world: &World) -> Left {
    let name = pool("q");
    let other = world.runtime.open(&name, PoolSpec::default());
    let other = other.await.unwrap().pool;
    world.join(&other, "loner").await;
    let p = world.pool().await;
    let lead = world.join(&p, "lead").await;
    let scout = world.join(&p, "scout").await;
    let mut receipts = Vec::new();
    for number in 0..6 {
        let id = format!("said-{number}");
        receipts.push(world.say(&p, &lead, ("scout", &id)).await);
    }
    receipts.push(send_stored(world, &p, &lead).await);
    world
        .register(&p, &lead, World::waiting(A_TIMELINE_STARTS, "starts"))
        .await;
    world
        .register(
            &p,
            &scout,
            World::waiting(r#"message == "no-such-message""#, "x"),
        )
        .await;
    let received = world.receive(&p, &scout, "first", 2).await;
    let claims = World::claims(&received);
    let first = ClaimSet::These(vec![claims[0]]);
    world.ack(&p, &scout, first).await.unwrap();
    let head = world.store().journal.head(p.id()).await.unwrap().unwrap();
    let left = Left {
        head,
        chunks: world.chunks(&p).await,
        records: world.records(&p).await,
        events: world.events(&p).await,
        digest: p.call(StateDigest).await.unwrap().1,
        bodies: bodies(&p, &lead, &receipts).await,
        lead,
        scout,
    };
    world.check_replay(&p).await;
    world.runtime.shutdown().await;
    left
}

/// Sends a body that was stored before, by itself.
async fn send_stored(world: &World, pool: &Pool, from: &Caller) -> heronry_types::Receipt {
    let stored = Bytes::new(Bytes::BINARY, vec![7; 100_000]);
    let alone = pool.store_body(from.clone(), stored.clone()).await;
    let content_ref = alone.unwrap().content_ref;
    let content = Content::Stored {
        content_ref,
        media_type: stored.media_type.to_string(),
        bytes: stored.bytes.len() as u64,
        digest: heronry_store::StoredContent::of(stored).digest,
        erased_at: None,
    };
    let to = Address::Run {
        run_id: run("scout"),
    };
    let mut request = SendRequest::new(to, content, key("stored"));
    request.message_id = Some(message("stored"));
    world.send(pool, from, request).await.unwrap().receipt
}

async fn bodies(
    pool: &Pool,
    caller: &Caller,
    receipts: &[heronry_types::Receipt],
) -> Vec<(ContentRef, Bytes)> {
    let mut bodies = Vec::new();
    for receipt in receipts {
        let content_ref = receipt.content_ref;
        let body = pool.body(caller.clone(), content_ref).await.unwrap().body;
        bodies.push((content_ref, body));
    }
    assert_eq!(bodies.len(), 7);
    bodies
}

/// Checks that every body is there.
pub(crate) async fn check_bodies(pool: &Pool, left: &Left) {
    for (content_ref, body) in &left.bodies {
        let found = pool.body(left.lead.clone(), *content_ref).await.unwrap();
        assert_eq!(&found.body, body);
    }
}

/// Returns every chunk of a pool, byte for byte.
pub(crate) fn bytes_of(chunks: &[Chunk]) -> Vec<Vec<u8>> {
    chunks.iter().map(|chunk| chunk.bytes().to_vec()).collect()
}

/// Returns the digest of the state at a position.
pub(crate) fn digest_at(
    pool: &PoolId,
    records: &[Record],
    chunks: &[Chunk],
    at: Position,
) -> ChunkHash {
    let mut state = State::new(pool.clone(), chunks[0].header().epoch);
    for record in records.iter().take_while(|record| record.position <= at) {
        apply(&mut state, record);
    }
    assert_eq!(state.head(), at);
    state.digest()
}

/// Opens the pool at its new place, where it goes on after a new timeline was started, and checks
/// that what was before is the same.
pub(crate) async fn check_new_timeline(to: &World, left: &Left, reason: EpochReason) -> Pool {
    let stored = to.store().journal.head(&pool("p")).await.unwrap().unwrap();
    assert_eq!(stored.head, left.head.head.next());
    assert_ne!(stored.epoch, left.head.epoch);
    let p = to.runtime.find(&pool("p")).await.unwrap();
    let (chunks, records) = (to.chunks(&p).await, to.records(&p).await);
    let before = left.chunks.len();
    assert_eq!(bytes_of(&chunks[..before]), bytes_of(&left.chunks));
    assert_eq!(records[..left.records.len()], left.records[..]);
    let start = &records[left.records.len()];
    let Body::EpochStarted(started) = &start.entry.body else {
        panic!("no timeline starts at {}", start.position);
    };
    assert_eq!(
        (started.reason, started.previous),
        (reason, left.head.epoch)
    );
    assert_eq!((started.epoch, p.epoch()), (stored.epoch, stored.epoch));
    let digest = digest_at(p.id(), &records, &chunks, left.head.head);
    assert_eq!(digest, left.digest, "the state at the fork is the same");
    check_bodies(&p, left).await;
    to.check_replay(&p).await;
    p
}

/// Checks that what was left is the beginning of a pool that was opened, and that the opening alone
/// follows: a claim was live.
pub(crate) async fn check_kept(world: &World, pool: &Pool, left: &Left) {
    let (chunks, records) = (world.chunks(pool).await, world.records(pool).await);
    let (before, after) = chunks.split_at(left.chunks.len());
    assert_eq!(bytes_of(before), bytes_of(&left.chunks));
    assert_eq!(after.len(), 1);
    assert_eq!(world.events(pool).await[..left.events.len()], left.events);
    let last = records.last().unwrap();
    assert!(matches!(last.entry.body, Body::PoolResumed(_)));
    let digest = digest_at(pool.id(), &records, &chunks, left.head.head);
    assert_eq!(digest, left.digest);
}

/// Returns the cursor at a position of the timeline that was left.
pub(crate) fn old(left: &Left, position: u64) -> Cursor {
    Cursor::new(left.head.epoch, Position(position))
}

/// Checks that a store has the pools of the story and no other, as they were left.
pub(crate) async fn check_untouched(store: &Store, left: &Left) {
    let pools = store.journal.pools().await.unwrap();
    assert_eq!(pools, [pool("p"), pool("q")]);
    let head = store.journal.head(&pool("p")).await.unwrap();
    assert_eq!(head, Some(left.head));
    assert_eq!(store.custody.sealed().await.unwrap(), None);
}

/// Checks that a store has no pool.
pub(crate) async fn check_empty(store: &Store) {
    assert_eq!(store.journal.pools().await.unwrap(), []);
}
