//! A server that is killed again and again while writers send and readers follow: no acknowledged message
//! is lost, none is there twice, and no reader misses an event or sees one twice.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use heronry_client::{Client, Endpoint, Locate, LocateError, Patience, PoolClient, Token};
use heronry_event::StreamItem;
use heronry_runtime::SystemClock;
use heronry_store::Clock as _;
use heronry_tests::{
    as_many_as_asked,
    process::{Folder, Running},
};
use heronry_types::{MessageId, Position, Receipt};
use heronry_wire::{EventsQuery, SendMessage};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::block_in_place,
};

/// The number of kills of the server, unless `HERONRY_KILLS` sets it.
const KILLS: usize = 4;
/// The number of writers at the same time.
const WRITERS: usize = 8;
/// The number of readers at the same time.
const READERS: usize = 8;
/// The number of answers between two kills, at the least.
const ANSWERS: usize = 40;
/// The message after which the readers end.
const LAST: &str = "the-last-one";
/// The longest time for what must come on a busy machine: only a failure takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// Finds the server whose data directory stands in a folder.
#[derive(Debug)]
struct InFolder(PathBuf);

impl Locate for InFolder {
    fn locate(&self) -> Result<Endpoint, LocateError> {
        let read = |name: &str| {
            let text = fs::read_to_string(self.0.join(name));
            text.map_err(|error| LocateError::NotYet(error.to_string()))
        };
        let note: Value = serde_json::from_str(&read("server.json")?)
            .map_err(|error| LocateError::NotYet(error.to_string()))?;
        let url = note["url"].as_str().unwrap_or_default();
        let address = url.parse();
        Ok(Endpoint {
            address: address.map_err(|_| LocateError::NotYet(url.to_owned()))?,
            token: Some(Token::new(read("operator.token")?.trim())),
        })
    }
}

/// Returns a client of the pool that has its own connections.
fn client(place: &Folder) -> PoolClient {
    let patience = Patience {
        first: PATIENCE,
        again: Some(PATIENCE),
    };
    let locate = Arc::new(InFolder(place.at(".heronry")));
    let client = Client::located(locate).with_patience(patience);
    client.pool(&"p".parse().unwrap())
}

fn message(id: &str) -> SendMessage {
    let message = json!({
        "message_id": id,
        "from": "lead",
        "to": {"type": "topic", "topic_id": "nothing"},
        "body": "-",
        "idempotency_key": id,
    });
    serde_json::from_value(message).unwrap()
}

/// Sends one message after the other until it is over, and tells of each answer.
async fn write(
    pool: PoolClient,
    name: usize,
    over: Arc<AtomicBool>,
    answered: UnboundedSender<Receipt>,
) {
    for number in 1.. {
        let send = message(&format!("m{name}-{number}"));
        let receipt = loop {
            match pool.send(&send).await {
                Ok(receipt) => break receipt,
                // The server was killed while it answered: the key makes the repeat harmless.
                Err(error) if error.is_unreachable() => {}
                Err(error) => panic!("{error}"),
            }
        };
        answered.send(receipt).unwrap();
        if over.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// Follows the pool from its start to the last message, and returns the accepted messages in order.
async fn read(pool: PoolClient) -> Vec<MessageId> {
    let mut reader = pool.follow(EventsQuery::default());
    let (mut at, mut accepted) = (Position::ZERO, Vec::new());
    loop {
        let next = tokio::time::timeout(PATIENCE, reader.next()).await.unwrap();
        let event = match next {
            Ok(StreamItem::Event(event)) => event,
            Ok(StreamItem::CaughtUp { .. } | StreamItem::Closed { .. }) => continue,
            Ok(other) => panic!("{other:?}"),
            Err(error) if error.is_unreachable() => continue,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(event.envelope.id().position, at.next(), "a gap or a repeat");
        at = at.next();
        let json = serde_json::to_value(&*event).unwrap();
        if json["kind"] == "run_message_accepted" {
            let message: MessageId = serde_json::from_value(json["message"].clone()).unwrap();
            let is_last = message.as_str() == LAST;
            accepted.push(message);
            if is_last {
                return accepted;
            }
        }
    }
}

/// Kills the server again and again, each time when more was answered; returns the last server, what was
/// answered, and the times from a kill until the next server was ready.
fn kill_often(place: &Folder, store: &[&str], answers: &mut UnboundedReceiver<Receipt>) -> Killed {
    let clock = SystemClock::new();
    let mut killed = Killed {
        server: place.serve(store),
        answered: Vec::new(),
        away: Vec::new(),
    };
    for kill in 0..as_many_as_asked("HERONRY_KILLS", KILLS) {
        // Another number each time, so that the kill meets another moment of the sends under way.
        for _ in 0..ANSWERS + kill % (WRITERS * 2) {
            killed.answered.push(answers.blocking_recv().unwrap());
        }
        let begun = clock.elapsed();
        killed.server.kill();
        killed.server = place.serve(store);
        killed.away.push(clock.elapsed().saturating_sub(begun));
    }
    killed
}

/// Checks that every reader saw the same messages, each once, and all that were answered; returns their
/// number.
fn check_streams(streams: &[Vec<MessageId>], answered: &[Receipt]) -> usize {
    let (first, others) = streams.split_first().unwrap();
    assert!(others.iter().all(|other| other == first), "one stream");
    let distinct: BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), first.len(), "a message is there twice");
    let known: BTreeSet<_> = answered.iter().map(|it| &it.message_id).collect();
    let lost: Vec<_> = known.difference(&distinct).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert_eq!(distinct, known, "every message was answered");
    first.len()
}

struct Killed {
    server: Running,
    answered: Vec<Receipt>,
    away: Vec<Duration>,
}

#[expect(clippy::print_stdout, reason = "a test reports its figures")]
async fn check(store: &[&str]) {
    let place = Folder::new();
    let first = block_in_place(|| {
        let first = place.serve(store);
        place.run(&["pool", "open", "p"]).ok();
        place.run(&["--pool", "p", "--run", "lead", "join"]).ok();
        first
    });
    first.kill();
    let over = Arc::new(AtomicBool::new(false));
    let (answered, mut answers) = unbounded_channel();
    let writers: Vec<_> = (0..WRITERS)
        .map(|name| {
            let (over, answered) = (Arc::clone(&over), answered.clone());
            tokio::spawn(write(client(&place), name, over, answered))
        })
        .collect();
    let readers: Vec<_> = (0..READERS)
        .map(|_| tokio::spawn(read(client(&place))))
        .collect();
    drop(answered);
    let Killed {
        server,
        answered: mut known,
        mut away,
    } = block_in_place(|| kill_often(&place, store, &mut answers));
    over.store(true, Ordering::Relaxed);
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    while let Some(receipt) = answers.recv().await {
        known.push(receipt);
    }
    known.push(client(&place).send(&message(LAST)).await.unwrap());
    let mut streams = Vec::new();
    for reader in readers {
        streams.push(reader.await.unwrap());
    }
    let seen = check_streams(&streams, &known);
    away.sort_unstable();
    let middle = away[away.len() / 2];
    let (kills, messages, longest) = (away.len(), seen, away.last().unwrap());
    println!(
        "{kills} kills, {messages} messages, {READERS} readers; from a kill until the next server is ready: \
         median {middle:.0?}, longest {longest:.0?}"
    );
    block_in_place(|| {
        server.signal("TERM");
        assert_eq!(server.end().code, Some(0));
        let mut verify = vec!["journal", "verify", "--json"];
        verify.extend(store);
        assert_eq!(place.run(&verify).json()["ok"], true);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn o19_writers_and_readers_of_a_killed_server_lose_nothing_and_see_nothing_twice() {
    check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "asked on redb; on sled in `cargo xtask prove`"]
async fn o19_writers_and_readers_of_a_killed_server_on_sled_lose_nothing_and_see_nothing_twice() {
    check(&["--store", "sled:store.sled"]).await;
}
