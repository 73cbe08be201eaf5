//! One example of each request, which its schema shows. Each is taken by the server as it stands, in a
//! pool `review` with the members `lead` and `scanner`.

use serde_json::{Value, json};

/// A cursor, as an earlier answer gave it.
const CURSOR: &str = "07070707070707070707070707070707-12";
/// A claim, as an item gave it.
const CLAIM: &str = "12@14";

pub(crate) fn pool_body() -> Value {
    json!({
        "message_policy": {"include_sender_in_pool_broadcast": false},
        "limits": {"inbox_depth_max": 1000},
    })
}

pub(crate) fn patch_settings() -> Value {
    json!({"expected_version": 1, "limits": {"claim_ms_max": 600_000}})
}

pub(crate) fn trim() -> Value {
    json!({"age_ms": 2_592_000_000_u64})
}

pub(crate) fn delete_pool_query() -> Value {
    json!({"expected_head": CURSOR})
}

pub(crate) fn export_query() -> Value {
    json!({"consumers": true})
}

pub(crate) fn join() -> Value {
    json!({
        "run_id": "scanner", "agent_id": "scanner", "topics": ["findings"], "instance": "host-1.4711",
    })
}

pub(crate) fn members_query() -> Value {
    json!({"limit": 100, "after": "lead"})
}

pub(crate) fn edges_query() -> Value {
    json!({"limit": 100, "after_a": "lead", "after_b": "scanner"})
}

pub(crate) fn aliases_query() -> Value {
    json!({"limit": 100, "after_recipient": "member.lead", "after_channel": "*"})
}

pub(crate) fn put_alias() -> Value {
    json!({"to": {"type": "run", "run_id": "lead"}})
}

pub(crate) fn put_labels() -> Value {
    json!({"labels": {"team": "red", "tier": "1"}})
}

pub(crate) fn roster_query() -> Value {
    json!({"limit": 100, "after": "lead"})
}

pub(crate) fn modules_query() -> Value {
    json!({"limit": 100, "after": "index"})
}

pub(crate) fn patch_member() -> Value {
    json!({"topics": ["findings", "alerts"], "lease_ms": 60_000})
}

pub(crate) fn set_state() -> Value {
    json!({"state": "completed", "note": "nothing left to scan"})
}

pub(crate) fn send_message() -> Value {
    json!({
        "to": {"type": "agent", "agent_id": "scanner"},
        "body": "Is src/lib.rs safe to merge?",
        "media_type": "text/plain; charset=utf-8",
        "message_id": "question-1",
        "response_contract": {"expected_responses": 1, "timeout_ms": 600_000},
        "idempotency_key": "question-1",
    })
}

pub(crate) fn receipt_query() -> Value {
    json!({"from": "lead", "wait_ms": 10, "until": "acked"})
}

pub(crate) fn cancel_message() -> Value {
    json!({"from": "lead"})
}

pub(crate) fn receive() -> Value {
    json!({"max": 10, "claim_ms": 60_000, "bodies": true})
}

pub(crate) fn inbox_query() -> Value {
    json!({"max": 10, "bodies": false})
}

pub(crate) fn ack() -> Value {
    json!({"claims": [CLAIM], "outcome": "done", "note": "looked at"})
}

pub(crate) fn release_claims() -> Value {
    json!({"claims": [CLAIM], "delay_ms": 5_000})
}

pub(crate) fn extend_claims() -> Value {
    json!({"claims": [CLAIM], "claim_ms": 120_000})
}

pub(crate) fn dead_letters_query() -> Value {
    json!({"run": "scanner", "limit": 100})
}

pub(crate) fn effects_query() -> Value {
    json!({"run": "scanner", "limit": 100})
}

pub(crate) fn resolve_effect() -> Value {
    json!({"outcome": "succeeded", "note": "the commit is there"})
}

pub(crate) fn claim_consumer() -> Value {
    json!({"filter": "kind == \"run_message_acked\"", "start": "floor"})
}

pub(crate) fn commit_consumer() -> Value {
    json!({"generation": 7, "cursor": "07070707070707070707070707070707-12"})
}

pub(crate) fn register_wake() -> Value {
    json!({
        "wake_id": "answered",
        "run_id": "lead",
        "filter": "kind == \"run_message_acked\"",
        "since": "start",
        "timeout_ms": 600_000,
        "idempotency_key": "answered",
    })
}

pub(crate) fn wakes_query() -> Value {
    json!({"run": "lead", "limit": 100})
}

pub(crate) fn wake_query() -> Value {
    json!({"run": "lead"})
}

pub(crate) fn explain_query() -> Value {
    json!({"run": "lead"})
}

pub(crate) fn events_query() -> Value {
    json!({"filter": "kind == \"run_message_accepted\"", "from": "start", "limit": 100})
}

pub(crate) fn append_events() -> Value {
    json!({
        "run_id": "scanner",
        "events": [{
            "kind": "tool_started",
            "tags": ["lint"],
            "payload": {"type": "summary", "summary": "cargo clippy"},
        }],
        "idempotency_key": "lint-1",
    })
}

pub(crate) fn publish_ephemeral() -> Value {
    json!({
        "run_id": "scanner",
        "events": [{
            "kind": "model_stream_delta",
            "payload": {"type": "summary", "summary": "The lock is taken twice"},
        }],
    })
}

pub(crate) fn attach_source() -> Value {
    json!({"instance": "host-1:4711", "run_id": "scanner", "on_attached": "take_over"})
}

pub(crate) fn detach_source() -> Value {
    json!({"generation": 42})
}

pub(crate) fn tell_gap() -> Value {
    json!({
        "gap": {"reason": "lagged", "after": 41, "missed": 7},
        "idempotency_key": "gap-1",
    })
}

pub(crate) fn content_query() -> Value {
    json!({"idempotency_key": "report-1", "run": "scanner"})
}

pub(crate) fn compile_filter() -> Value {
    json!({"filter": "kind == \"run_message_acked\" && run == \"scanner\""})
}

pub(crate) fn prove() -> Value {
    json!({"nonce": "07".repeat(32), "address": "127.0.0.1:7171", "name": "operator"})
}
