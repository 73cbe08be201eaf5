//! The figures of a server after real work: sends, wakes, streams, consumers, trims and sources.

use std::collections::BTreeMap;

use heronry_runtime::ConsumerSpec;
use heronry_types::{Millis, PoolSpec};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    a_send_and_a_wake_are_counted
    a_stream_counts_while_it_is_open
    s7_the_figures_of_a_consumer_tell_its_commit_and_its_holder
    s8_trims_are_counted_with_what_they_dropped
    o13_what_a_source_reports_is_counted_by_its_outcome
}

/// The samples of `/metrics`, by name and labels.
struct Samples(BTreeMap<String, String>);

impl Samples {
    async fn of(server: &Server) -> Self {
        let text = server.get(OPERATOR, "/metrics").await.text;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.to_owned())
        });
        Self(samples.collect())
    }

    #[track_caller]
    fn value(&self, name: &str) -> u64 {
        let value = self.0.get(name);
        let value = value.unwrap_or_else(|| panic!("no {name} in {:#?}", self.0));
        // A sum is written as a number with a point.
        value.trim_end_matches(".0").parse().unwrap()
    }

    /// Returns the value of the pool `p`.
    #[track_caller]
    fn of_pool(&self, name: &str) -> u64 {
        self.value(&format!("heronry_pool_{name}{{pool=\"p\"}}"))
    }
}

fn position(cursor: &Value) -> u64 {
    let (_, position) = cursor.as_str().unwrap().rsplit_once('-').unwrap();
    position.parse().unwrap()
}

async fn a_send_and_a_wake_are_counted(server: Server) {
    let (a, b) = server.with_pair().await;
    let wake = json!({
        "filter": "kind == \"run_message_accepted\"",
        "idempotency_key": "w",
        "timeout_ms": 60_000,
    });
    server.post(&a, "/v1/pools/p/wakes", wake).await.is(201);
    let before = Samples::of(&server).await;
    assert_eq!(before.of_pool("live_wakes"), 1);
    assert_eq!(before.of_pool("wakes_triggered_total"), 0);
    assert_eq!(before.of_pool("live_messages"), 0);
    let appends = before.of_pool("append_records_count");
    server.tell(&b, "a", "k").await.is(201);
    let after = Samples::of(&server).await;
    assert_eq!(after.of_pool("live_wakes"), 0);
    assert_eq!(after.of_pool("wakes_triggered_total"), 1);
    assert_eq!(after.of_pool("live_messages"), 1);
    assert_eq!(after.of_pool("members"), 2);
    assert_eq!(after.of_pool("queued_commands"), 0);
    assert_eq!(after.of_pool("floor"), 0);
    assert_eq!(after.of_pool("append_records_count"), appends + 1);
    let head = position(&server.head().await);
    assert_eq!(after.of_pool("head"), head);
    assert_eq!(after.of_pool("append_records_sum"), head);
    assert_eq!(
        after.value("heronry_http_responses_total{status=\"201\"}"),
        5
    );
    assert_eq!(after.value("heronry_pools"), 1);
}

async fn a_stream_counts_while_it_is_open(server: Server) {
    server.with_pair().await;
    let mut stream = server.stream(OPERATOR, "").await;
    stream.until("caught_up").await;
    let open = Samples::of(&server).await;
    assert_eq!(open.of_pool("streams_open"), 1);
    assert_eq!(open.value("heronry_streams_open"), 1);
    drop(stream);
    server.quiet().await;
    let closed = Samples::of(&server).await;
    assert_eq!(closed.of_pool("streams_open"), 0);
    assert_eq!(closed.value("heronry_streams_open"), 0);
}

async fn s7_the_figures_of_a_consumer_tell_its_commit_and_its_holder(server: Server) {
    server.with_pair().await;
    let id = "p".parse().unwrap();
    let pool = server.runtime.open(&id, PoolSpec::default()).await;
    let pool = pool.unwrap().pool;
    let spec = ConsumerSpec::new("audit".parse().unwrap(), heronry_event::Filter::all());
    let mut consumer = pool.consumer(spec).await.unwrap();
    let of = |name: &str| format!("heronry_consumer_{name}{{pool=\"p\",consumer=\"audit\"}}");
    let held = Samples::of(&server).await;
    let head = position(&server.head().await);
    assert_eq!(held.value(&of("held")), 1);
    assert_eq!(held.value(&of("lag_records")), head);
    server.clock.advance(Millis::from_secs(90));
    let batch = consumer.next_batch(100, Millis(0)).await.unwrap();
    consumer.commit(batch.scanned_to).await.unwrap();
    let committed = Samples::of(&server).await;
    assert_eq!(committed.value(&of("lag_records")), 0);
    let at = "2026-11-20T08:01:30Z".parse::<heronry_types::Timestamp>();
    let at = u64::try_from(at.unwrap().as_millis() / 1_000).unwrap();
    assert_eq!(committed.value(&of("committed_seconds")), at);
    drop(consumer);
    let left = Samples::of(&server).await;
    assert_eq!(left.value(&of("held")), 0);
}

async fn s8_trims_are_counted_with_what_they_dropped(server: Server) {
    let (a, _) = server.with_pair().await;
    server.tell(&a, "b", "k1").await.is(201);
    let upto = server.head().await;
    server.tell(&a, "b", "k2").await.is(201);
    let trim = json!({"upto": upto});
    for _ in 0..2 {
        let path = "/v1/pools/p/trim";
        let trimmed = server.post(OPERATOR, path, trim.clone()).await.is(200);
        assert_eq!(trimmed["floor"], upto);
        let samples = Samples::of(&server).await;
        assert_eq!(
            samples.of_pool("trims_total"),
            1,
            "the second drops nothing"
        );
        assert_eq!(samples.of_pool("trimmed_records_total"), position(&upto));
        assert_eq!(samples.of_pool("floor"), position(&upto));
    }
}

async fn o13_what_a_source_reports_is_counted_by_its_outcome(server: Server) {
    let (a, _) = server.with_pair().await;
    let report = async |key: &str, places: &[u64]| {
        let event = |at: &u64| json!({"kind": "tool_started", "source_position": at});
        let events: Vec<_> = places.iter().map(event).collect();
        let body = json!({"source": "feed", "events": events, "idempotency_key": key});
        server.post(&a, "/v1/pools/p/events", body).await
    };
    report("k1", &[1, 2, 3]).await.is(201);
    report("k2", &[2, 3, 4]).await.is(201);
    let gap = async |key: &str, reason: &str| {
        let body = json!({"gap": {"reason": reason, "missed": 1}, "idempotency_key": key});
        let path = "/v1/pools/p/sources/feed/gaps";
        server.post(&a, path, body).await
    };
    gap("g1", "lagged").await.is(201);
    gap("g2", "refused_permanently").await.is(201);
    gap("g2", "refused_permanently").await.is(200);
    // An event of no source is nobody's.
    let own = json!({"events": [{"kind": "tool_started"}], "idempotency_key": "own"});
    server.post(&a, "/v1/pools/p/events", own).await.is(201);
    let samples = Samples::of(&server).await;
    assert_eq!(samples.of_pool("source_events_appended_total"), 4);
    assert_eq!(samples.of_pool("source_events_repeated_total"), 2);
    assert_eq!(samples.of_pool("source_events_refused_total"), 1);
    assert_eq!(samples.of_pool("source_gaps_total"), 2);
}
