//! Garbage for everything that reads JSON: refused, or read to what it is written as.

use heronry_event::{Envelope, Event, EventPage, StreamItem};
use heronry_journal::{Body, ChunkHeader, Entry};
use heronry_tests::{StoreKind, World};
use heronry_types::{
    Actor, Address, Condition, Correlation, DestinationRef, EntityRef, Limits, Lineage, Payload,
    Policies, PolicyRef, PoolConfig, Receipt, Settings, SourceRef, WakeMatch, WakeView,
};
use heronry_wire::{
    Ack, CompileFilter, EventsQuery, ExtendClaims, InboxQuery, Join, Joined, PatchMember,
    PatchSettings, PoolBody, Problem, Receive, RegisterWake, ReleaseClaims, SendMessage, SetState,
    WakeChanged,
};
use proptest::test_runner::TestRunner;
use serde::{Serialize, de::DeserializeOwned};

use crate::newer::golden;
use heronry_tests::garbage::garbage;
use heronry_tests::tries::cases;

/// Reads garbage near these texts, which must be read themselves.
fn check<T: DeserializeOwned + Serialize>(valid: &[&str]) {
    for text in valid {
        if let Err(error) = serde_json::from_str::<T>(text) {
            panic!("{}: {text}: {error}", std::any::type_name::<T>());
        }
    }
    let read = TestRunner::new(cases(60)).run(&garbage(valid), |text| {
        if let Ok(value) = serde_json::from_str::<T>(&text) {
            let written = serde_json::to_string(&value).unwrap();
            let again: T = serde_json::from_str(&written)
                .unwrap_or_else(|error| panic!("{text} is written as {written}: {error}"));
            assert_eq!(serde_json::to_string(&again).unwrap(), written, "{text}");
        }
        Ok(())
    });
    read.unwrap();
}

const CURSOR: &str = "5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f-42";

#[test]
fn references_and_addresses() {
    check::<Address>(&[
        r#"{"type":"run","run_id":"a"}"#,
        r#"{"type":"agent","agent_id":"a"}"#,
        r#"{"type":"topic","topic_id":"a"}"#,
        r#"{"type":"pool","pool_id":"a"}"#,
    ]);
    check::<EntityRef>(&[r#"{"kind":"message","id":"m","privacy":"internal","summary":"s"}"#]);
    check::<SourceRef>(&[
        r#"{"kind":"sdk","id":"s","trust":"untrusted","privacy":"secret","correlation":{"k":"v"}}"#,
    ]);
    check::<DestinationRef>(&[
        r#"{"kind":"run","id":"r","privacy":"public","retention":"durable","correlation":{"k":"v"}}"#,
    ]);
    check::<PolicyRef>(&[r#"{"kind":"host","id":"p","version":"1"}"#]);
    check::<Policies>(&[
        r#"[{"kind":"host","id":"p"},{"kind":"privacy","id":"q"}]"#,
        "[]",
    ]);
    check::<Correlation>(&[r#"{"job":"j","part":"2"}"#, "{}"]);
    check::<Payload>(&[
        r#"{"type":"envelope_only"}"#,
        r#"{"type":"refs","refs":[{"kind":"message","id":"m","privacy":"internal"}]}"#,
    ]);
}

#[test]
fn configuration_and_conditions() {
    check::<Limits>(&[r#"{"members_max":3}"#, "{}"]);
    check::<Settings>(&[r#"{"limits":{"members_max":3}}"#]);
    check::<Condition>(&[
        r#"{"filter":"terminal"}"#,
        r#"{"any_of":["terminal",{"count":{"n":2,"filter":"true","distinct_by":"run"}}]}"#,
    ]);
    let config = PoolConfig::default();
    check::<PoolConfig>(&[&serde_json::to_string(&config).unwrap()]);
}

#[tokio::test]
async fn events_and_receipts() {
    let world = World::new(StoreKind::Memory).await;
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.join(&pool, "scout").await;
    let receipt = world.say(&pool, &lead, ("scout", "m")).await;
    let receipt = serde_json::to_string(&receipt).unwrap();
    let events = world.events(&pool).await.into_iter();
    let events: Vec<String> = events
        .map(|it| serde_json::to_string(&it).unwrap())
        .collect();
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    check::<Receipt>(&[&receipt]);
    check::<Event>(&events);
    check::<StreamItem>(&events);
    check::<Envelope>(&events);
    let page = format!(
        r#"{{"events":[{}],"scanned_to":"{CURSOR}","head":"{CURSOR}","floor":"{CURSOR}"}}"#,
        events[0]
    );
    check::<EventPage>(&[&page]);
}

#[test]
fn parts_of_records_and_their_bodies() {
    let golden = golden();
    for part in ["lineage", "actor"] {
        let texts: Vec<String> = golden
            .iter()
            .map(|(_, _, json)| json[part].to_string())
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        match part {
            "lineage" => check::<Lineage>(&texts),
            _ => check::<Actor>(&texts),
        }
    }
    for (_, _, json) in golden {
        let number = u16::try_from(json["number"].as_u64().unwrap()).unwrap();
        let text = json["body"].to_string();
        let read = |text: &str| {
            Body::deserialize_as(number, &mut serde_json::Deserializer::from_str(text)).ok()
        };
        let stored = read(&text).unwrap();
        let read = TestRunner::new(cases(40)).run(&garbage(&[text]), |text| {
            // What is read is encoded, and is never an encoding that cannot be read.
            if let Some(body) = read(&text) {
                let entry = Entry {
                    lineage: serde_json::from_value(json["lineage"].clone()).unwrap(),
                    actor: serde_json::from_value(json["actor"].clone()).unwrap(),
                    visibility: serde_json::from_value(json["visibility"].clone()).unwrap(),
                    body,
                };
                super::chunks::check_entry(&entry);
            }
            Ok(())
        });
        read.unwrap();
        assert_eq!(stored.number(), number);
    }
}

#[test]
fn headers_of_chunks() {
    check::<ChunkHeader>(&[
        r#"{"epoch":"5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f","first":1,"count":1,"recorded_at":"2026-11-20T08:15:30.125Z","previous":"0000000000000000000000000000000000000000000000000000000000000000"}"#,
    ]);
}

#[test]
fn requests() {
    let policy = r#"{"kind":"host","id":"h"}"#;
    check::<PoolBody>(&[
        "{}",
        &format!(
            r#"{{"message_policy":{{"required_policies":[{policy}]}},"wake_policy":{{"payload":"refs"}},"grants":{{"lead":[{policy}]}},"limits":{{"members_max":3}}}}"#
        ),
    ]);
    check::<PatchSettings>(&[r#"{"expected_version":1,"limits":{"members_max":3}}"#]);
    check::<Join>(&[&format!(
        r#"{{"run_id":"a","agent_id":"b","topics":["t"],"policies":[{policy}]}}"#
    )]);
    check::<PatchMember>(&[r#"{"topics":["t"]}"#]);
    check::<SetState>(&[r#"{"state":"completed"}"#]);
    check::<SendMessage>(&[
        r#"{"from":"a","to":{"type":"run","run_id":"b"},"body":"é","idempotency_key":"k","correlation":{"a":"b"}}"#,
        r#"{"to":{"type":"topic","topic_id":"t"},"body_base64":"AP8=","idempotency_key":"k","expires_in_ms":5}"#,
    ]);
    check::<Receive>(&[
        "{}",
        r#"{"receive_id":"r","max":3,"claim_ms":5,"wait_ms":6}"#,
    ]);
    check::<Ack>(&[
        r#"{"claims":["1@2"],"outcome":"done"}"#,
        r#"{"up_to":"1@2"}"#,
    ]);
    check::<ReleaseClaims>(&[r#"{"claims":["1@2"],"delay_ms":7}"#]);
    check::<ExtendClaims>(&[r#"{"claims":["1@2"],"claim_ms":7}"#]);
    check::<RegisterWake>(&[&format!(
        r#"{{"run_id":"a","filter":"terminal","since":"{CURSOR}","timeout_ms":5,"idempotency_key":"w"}}"#
    )]);
    check::<CompileFilter>(&[r#"{"filter":"terminal"}"#]);
    check::<EventsQuery>(&[&format!(r#"{{"filter":"terminal","after":"{CURSOR}"}}"#)]);
    check::<InboxQuery>(&["{}"]);
}

#[test]
fn answers() {
    check::<Problem>(&[
        r#"{"type":"/problems/cursor-ahead","title":"t","status":409,"detail":"d","head":"x","requested":"y"}"#,
    ]);
    let matched = format!(r#"{{"cursor":"{CURSOR}","id":"{CURSOR}","kind":"run_failed"}}"#);
    check::<WakeMatch>(&[&matched]);
    let view = format!(
        r#"{{"wake_id":"w","run_id":"r","since":"{CURSOR}","status":"triggered","matches":[{matched}],"cursor":"{CURSOR}"}}"#
    );
    check::<WakeView>(&[&view]);
    let joined = format!(
        r#"{{"run_id":"a","agent_id":"b","generation":2,"cursor":"{CURSOR}","member_token":"t","unread":0,"durability":"memory"}}"#
    );
    check::<Joined>(&[&joined]);
    let changed = format!(
        r#"{{"wake_id":"w","run_id":"r","since":"{CURSOR}","status":"registered","matches":[],"cursor":"{CURSOR}","durability":"fsync"}}"#
    );
    check::<WakeChanged>(&[&changed]);
}
