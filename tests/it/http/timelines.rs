//! A pool that was copied or imported, over HTTP: cursors and tokens of the timeline that it left.

use std::{io::Cursor, sync::Arc};

use heronry_journal::{Body, ChunkWriter, Entry, EpochStarted};
use heronry_store::{Arrival, Commit, Guard, Store, Timeline};
use heronry_store_memory::MemoryStore;
use heronry_testkit::SeededIds;
use heronry_transfer::{self as transfer, Bodies, Carrier, Pools};
use heronry_types::{Actor, Epoch, EpochReason, Lineage, PoolId, Visibility};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    a47_an_operator_sees_which_timelines_a_pool_has_and_why
    a47_a_cursor_past_the_fork_is_foreign_and_says_where_the_branches_part
    p8_a_token_outlives_a_timeline_that_starts_in_its_own_place
    p8_no_token_of_a_source_acts_in_its_copy_nor_the_other_way_round
    p8_no_token_of_a_source_acts_in_its_import_nor_the_other_way_round
}

const EVENTS: &str = "/v1/pools/p/events";

/// Serves a copy of every pool.
async fn copied(server: &Server) -> Server {
    let store = Store::of(Arc::new(MemoryStore::new()));
    let copied = transfer::copy(&server.store, &store, &Pools::All, &carrier(server)).await;
    copied.unwrap();
    Server::over(store)
}

fn carrier(server: &Server) -> Carrier {
    Carrier {
        clock: Arc::new(server.clock.clone()),
        ids: Arc::new(SeededIds::new(55)),
        owner: "a test".to_owned(),
    }
}

async fn a47_an_operator_sees_which_timelines_a_pool_has_and_why(server: Server) {
    server.with_pair().await;
    let pool = "/v1/pools/p";
    let shown = server.get(OPERATOR, pool).await.is(200);
    let epoch = &shown["epoch"];
    let first = json!({"epoch": epoch, "start": format!("{}-1", epoch.as_str().unwrap())});
    assert_eq!(shown["timelines"], json!([first]));
    let head = server.head().await;

    let copy = copied(&server).await;
    let member = copy.join("c").await;
    let shown = copy.get(OPERATOR, pool).await.is(200);
    let (_, end) = head.as_str().unwrap().split_once('-').unwrap();
    let start = end.parse::<u64>().unwrap() + 1;
    let newest = &shown["epoch"];
    assert_ne!(newest, epoch);
    let second = json!({
        "epoch": newest,
        "start": format!("{}-{start}", newest.as_str().unwrap()),
        "reason": "copy",
    });
    assert_eq!(shown["timelines"], json!([first, second]));
    let to_member = copy.get(&member, pool).await.is(200);
    assert_eq!(to_member.get("timelines"), None);
    // A record that is gone says nothing.
    let upto = json!({"upto": shown["head"]});
    let trim = copy.post(OPERATOR, &format!("{pool}/trim"), upto).await;
    trim.is(200);
    let shown = copy.get(OPERATOR, pool).await.is(200);
    let trimmed = json!({"epoch": newest, "start": second["start"]});
    assert_eq!(shown["timelines"], json!([first, trimmed]));
}

async fn a47_a_cursor_past_the_fork_is_foreign_and_says_where_the_branches_part(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    let head = head.as_str().unwrap();
    let copy = copied(&server).await;
    let (epoch, position) = head.split_once('-').unwrap();
    let next = position.parse::<u64>().unwrap() + 1;

    let page = copy
        .get(OPERATOR, &format!("{EVENTS}?after={head}"))
        .await
        .is(200);
    assert_eq!(page["events"][0]["kind"], "agent_pool_epoch_started");
    assert_eq!(page["events"][0]["cursor"], page["head"]);
    let newest = page["head"].as_str().unwrap();
    assert!(newest.ends_with(&format!("-{next}")));
    assert!(!newest.starts_with(epoch));

    let past = format!("{epoch}-{next}");
    let refused = copy.get(OPERATOR, &format!("{EVENTS}?after={past}")).await;
    let refused = refused.refused(409, "cursor-foreign");
    assert_eq!(refused["requested"], past);
    assert_eq!(refused["diverged_at"], head);
    let unknown = format!("{}-1", "0".repeat(32));
    let refused = copy
        .get(OPERATOR, &format!("{EVENTS}?after={unknown}"))
        .await;
    let refused = refused.refused(409, "cursor-foreign");
    assert_eq!(refused.get("diverged_at"), None);

    // Events of before keep their names.
    let all = copy.get(OPERATOR, EVENTS).await.is(200);
    let before = server.get(OPERATOR, EVENTS).await.is(200);
    let count = before["events"].as_array().unwrap().len();
    assert_eq!(
        all["events"].as_array().unwrap()[..count],
        before["events"].as_array().unwrap()[..]
    );
}

/// Starts a timeline of a pool that nobody has open.
async fn start_timeline(store: &Store, pool: &PoolId, reason: EpochReason) {
    let head = store.journal.head(pool).await.unwrap().unwrap();
    let Epoch(mut bits) = head.epoch;
    bits[0] = bits[0].wrapping_add(1);
    let epoch = Epoch(bits);
    let page = store.journal.read(pool, head.head.previous(), 1).await;
    let last = page.unwrap().chunks.pop().unwrap();
    let time = last.header().recorded_at;
    let mut writer = ChunkWriter::new(epoch, head.head, head.last_hash, time);
    let started = EpochStarted {
        reason,
        epoch,
        previous: head.epoch,
        lost: None,
    };
    let entry = Entry {
        lineage: Lineage::of_pool(pool.clone()),
        actor: Actor::Operator,
        visibility: Visibility::InScope,
        body: Body::EpochStarted(started),
    };
    writer.push(&entry).unwrap();
    let token = store
        .leases
        .acquire(pool, "a test", time, heronry_store::LEASE_TERM)
        .await
        .unwrap();
    let commit = Commit {
        timeline: Timeline::Starts,
        chunks: writer.finish(),
        contents: Vec::new(),
        erasures: Vec::new(),
        consumers: Vec::new(),
        arrival: Arrival::Whole,
        baseline: None,
    };
    let guard = Guard {
        expected_head: head.head,
        token,
    };
    store.journal.append(pool, commit, guard).await.unwrap();
    store.leases.release(pool, token).await.unwrap();
}

async fn p8_a_token_outlives_a_timeline_that_starts_in_its_own_place(server: Server) {
    let (before, _) = server.with_pair().await;
    server.runtime.shutdown().await;
    let (store, pool) = (server.store.clone(), "p".parse().unwrap());
    let said = [
        (EpochReason::TailLost, true),
        (EpochReason::Restore, true),
        (EpochReason::Fork, false),
        (EpochReason::TailLost, false),
    ];
    for (number, (reason, good)) in said.into_iter().enumerate() {
        start_timeline(&store, &pool, reason).await;
        let server = Server::over(store.clone());
        let told = server.tell(&before, "b", &format!("k-{number}")).await;
        if good {
            told.is(201);
        } else {
            told.refused(401, "unauthorized");
        }
        server.runtime.shutdown().await;
    }
}

/// Serves what an export of every pool holds.
async fn imported(server: &Server) -> Server {
    let store = Store::of(Arc::new(MemoryStore::new()));
    let mut lines = Vec::new();
    let exported = transfer::export(&server.store, &Pools::All, Bodies::Included, &mut lines).await;
    exported.unwrap();
    let by = carrier(server);
    let imported = transfer::import(&store, || Ok(Cursor::new(&lines)), &by).await;
    imported.unwrap();
    Server::over(store)
}

async fn p8_no_token_of_a_source_acts_in_its_copy_nor_the_other_way_round(server: Server) {
    server.with_pair().await;
    let before = join_kept(&server).await;
    check_apart(&server, &copied(&server).await, &before).await;
}

async fn p8_no_token_of_a_source_acts_in_its_import_nor_the_other_way_round(server: Server) {
    server.with_pair().await;
    let before = join_kept(&server).await;
    check_apart(&server, &imported(&server).await, &before).await;
}

/// Joins the run `kept`, which stays the same member of the same generation.
async fn join_kept(server: &Server) -> Value {
    let body = json!({"run_id": "kept", "agent_id": "kept", "instance": "one"});
    let joined = server.post(OPERATOR, "/v1/pools/p/members", body).await;
    assert!(joined.status.is_success(), "{}", joined.text);
    joined.json()
}

fn token_of(joined: &Value) -> &str {
    joined["member_token"].as_str().unwrap()
}

/// Checks that tokens of a pool, and of what was made from it, are good in their own place alone:
/// both servers have one key.
async fn check_apart(source: &Server, made: &Server, before: &Value) {
    let refused = made.tell(token_of(before), "b", "k").await;
    refused.refused(401, "unauthorized");
    source.tell(token_of(before), "b", "k").await.is(201);

    // A run that had joined before keeps its generation, and gets a token of this place.
    let after = join_kept(made).await;
    assert_eq!(after["generation"], before["generation"]);
    assert_ne!(token_of(&after), token_of(before));
    assert_eq!(token_of(&join_kept(made).await), token_of(&after));
    let new = json!({"run_id": "new", "agent_id": "new"});
    let new = made
        .post(OPERATOR, "/v1/pools/p/members", new)
        .await
        .is(201);
    for token in [token_of(&after), token_of(&new)] {
        made.tell(token, "b", "k2").await.is(201);
        let refused = source.tell(token, "b", "k2").await;
        refused.refused(401, "unauthorized");
    }
}
