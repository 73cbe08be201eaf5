//! Trips to the actor of a pool that a member's request makes.

use heronry_tests::server::{HttpReply, Server, to_run};
use heronry_types::Millis;
use serde_json::{Value, json};

const INBOX: &str = "/v1/pools/p/members/b/inbox";
const MESSAGES: &str = "/v1/pools/p/messages";

/// The time that the requests of these tests wait.
const WAIT: Millis = Millis(1_000);

/// The trips that a request makes.
async fn trips(server: &Server, request: impl Future<Output = HttpReply>) -> (u64, HttpReply) {
    let pool = server.runtime.find(&"p".parse().unwrap()).await.unwrap();
    let before = pool.trips();
    let reply = request.await;
    (pool.trips() - before, reply)
}

fn message(key: &str, wait_ms: u64) -> Value {
    json!({"to": to_run("b"), "body": "text", "idempotency_key": key, "wait_ms": wait_ms})
}

/// A server with the pool `p`, and the tokens of its members `a` and `b`.
struct Scene {
    server: Server,
    a: String,
    b: String,
}

impl Scene {
    async fn new() -> Self {
        let server = Server::on_memory();
        let (a, b) = server.with_pair().await;
        Self { server, a, b }
    }

    /// Asks, and lets the time go by when the request waits.
    async fn late(&self, request: impl Future<Output = HttpReply>) -> HttpReply {
        let goes_by = async {
            self.server.waits_for(WAIT).await;
            self.server.clock.advance(WAIT);
        };
        tokio::join!(request, goes_by).0
    }
}

/// The unread copies that an answer tells.
fn unread(reply: &HttpReply) -> &str {
    reply.headers["heronry-unread"].to_str().unwrap()
}

#[tokio::test]
async fn a_request_of_a_member_makes_one_trip_and_its_answer_tells_what_is_unread() {
    let Scene { server, a, b } = Scene::new().await;
    let (made, reply) = trips(&server, server.post(&a, MESSAGES, message("1", 0))).await;
    reply.is(201);
    assert_eq!((made, unread(&reply)), (1, "0"), "send");
    server.post(&a, MESSAGES, message("2", 0)).await.is(201);
    let filtered = "/v1/pools/p/events?filter=kind%20%3D%3D%20%22run_message_acked%22";
    let receive = format!("{INBOX}/receive");
    for line in [
        "/v1/pools/p/events",
        filtered,
        INBOX,
        "/v1/pools/p/members",
        "/v1/pools/p",
    ] {
        let (made, reply) = trips(&server, server.get(&b, line)).await;
        reply.is(200);
        assert_eq!((made, unread(&reply)), (1, "2"), "{line}");
    }
    let (made, reply) = trips(&server, server.post(&b, &receive, json!({}))).await;
    assert_eq!((made, unread(&reply)), (1, "1"), "receive");
    let ack = json!({"claims": [reply.is(200)["items"][0]["claim"]]});
    let line = format!("{INBOX}/ack");
    let (made, reply) = trips(&server, server.post(&b, &line, ack)).await;
    reply.is(200);
    assert_eq!((made, unread(&reply)), (1, "1"), "ack");
    let unknown = "/v1/pools/p/messages/nothing";
    let (made, reply) = trips(&server, server.get(&b, unknown)).await;
    reply.refused(404, "message-not-found");
    assert_eq!((made, unread(&reply)), (1, "1"), "a refusal of the engine");
    let (made, reply) = trips(
        &server,
        server.post(&b, MESSAGES, json!({"to": to_run("a")})),
    )
    .await;
    reply.refused(400, "invalid-request");
    assert_eq!(
        (made, unread(&reply)),
        (1, "1"),
        "a refusal before the engine"
    );
}

#[tokio::test]
async fn a_receive_that_waits_makes_one_trip_for_every_time_that_it_looks() {
    let scene = Scene::new().await;
    let (server, receive) = (&scene.server, format!("{INBOX}/receive"));
    let ask = || server.post(&scene.b, &receive, json!({"wait_ms": WAIT.0}));
    let (made, reply) = trips(server, scene.late(ask())).await;
    assert_eq!(reply.is(200)["items"], json!([]));
    assert_eq!(
        (made, unread(&reply)),
        (2, "0"),
        "it looks, and renews its lease"
    );
    let (made, reply) = trips(server, async {
        let sent = async {
            server.waits_for(WAIT).await;
            server
                .post(&scene.a, MESSAGES, message("1", 0))
                .await
                .is(201);
        };
        tokio::join!(ask(), sent).0
    })
    .await;
    assert_eq!(reply.is(200)["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (made, unread(&reply)),
        (3, "0"),
        "it looks twice; one is the send"
    );
}

#[tokio::test]
async fn a_send_that_waits_makes_two_trips_more_than_one_that_does_not() {
    let scene = Scene::new().await;
    let send = scene.server.post(&scene.a, MESSAGES, message("1", WAIT.0));
    let (made, reply) = trips(&scene.server, scene.late(send)).await;
    reply.is(201);
    assert_eq!(
        (made, unread(&reply)),
        (3, "0"),
        "it sends, looks, and renews its lease"
    );
}

#[tokio::test]
async fn a_page_that_waited_tells_what_came_meanwhile() {
    let scene = Scene::new().await;
    let server = &scene.server;
    let line = format!("/v1/pools/p/events?from=head&wait_ms={}", WAIT.0);
    let (made, reply) = trips(server, async {
        let sent = async {
            server.waits_for(WAIT).await;
            server
                .post(&scene.a, MESSAGES, message("1", 0))
                .await
                .is(201);
        };
        tokio::join!(server.get(&scene.b, &line), sent).0
    })
    .await;
    assert_eq!(reply.is(200)["events"].as_array().unwrap().len(), 2);
    assert_eq!(
        (made, unread(&reply)),
        (3, "1"),
        "it looks twice; one is the send"
    );
}
