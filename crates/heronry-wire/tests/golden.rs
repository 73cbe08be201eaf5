//! The JSON of requests, answers and problems, as clients in any language see it.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use heronry_types::{
    Address, AgentId, ContentRef, CopyState, Correlation, Cursor, DeadReason, Durability, Epoch,
    EpochReason, Generation, IdempotencyKey, Importance, Limits, MessageId, Millis, Policies,
    PolicyId, PolicyKind, PolicyRef, Position, RunId, RunState, Since, Timestamp, TopicId, WakeId,
    WakeStatus, WakeView,
};
use heronry_wire::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt::Debug;

fn at(position: u64) -> Cursor {
    Cursor::new(Epoch([7; 16]), Position(position))
}

fn text(position: u64) -> String {
    format!("{}-{position}", "07".repeat(16))
}

/// The value is written as `expected`, and `expected` is read as the value.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, expected: Value) {
    assert_eq!(serde_json::to_value(value).unwrap(), expected);
    assert_eq!(&serde_json::from_value::<T>(expected).unwrap(), value);
}

fn refused<T: DeserializeOwned + Debug>(json: Value) -> String {
    serde_json::from_value::<T>(json).unwrap_err().to_string()
}

fn carried() -> Policies {
    let team = PolicyId::parse("team").unwrap();
    [PolicyRef::new(PolicyKind::Host, team)]
        .into_iter()
        .collect()
}

fn key() -> IdempotencyKey {
    IdempotencyKey::parse("k").unwrap()
}

#[test]
fn a_pool_is_opened_by_what_is_named() {
    check(&PoolBody::default(), json!({}));
    let body: PoolBody = serde_json::from_value(json!({
        "message_policy": {
            "required_policies": [{"kind": "privacy", "id": "p", "version": "1"}],
            "include_sender_in_pool_broadcast": true
        },
        "wake_policy": {"payload": "refs"},
        "policies": [{"kind": "host", "id": "h"}],
        "grants": {"lead": [{"kind": "host", "id": "h"}]},
        "limits": {"members_max": 3}
    }))
    .unwrap();
    let spec = body.into_spec();
    let seen = PoolBody::from(&spec.config());
    assert_eq!(seen.limits, None, "limits are settings");
    assert_eq!(
        serde_json::to_value(&seen).unwrap()["message_policy"]["include_sender_in_pool_broadcast"],
        json!(true)
    );
    let fields = spec.conflicts(&PoolBody::default().into_spec().config(), &spec.settings());
    assert_eq!(fields.len(), 5, "{fields:?}");
}

#[test]
fn a_pool_shows_what_the_contract_names() {
    let view = PoolView {
        pool: "review.1".parse().unwrap(),
        epoch: Epoch([7; 16]).to_string(),
        head: at(9),
        floor: at(0),
        config: PoolBody::default(),
        settings: heronry_types::Settings {
            retention: None,
            peering: None,
            limits: Limits::default(),
        },
        limits: [("members_max".to_owned(), 100_000)].into(),
        settings_version: 1,
        members: 2,
        lost_members: 1,
        suspended_members: 0,
        deadlocked_members: 0,
        orphaned_wakes: 0,
        live_messages: 3,
        live_wakes: 4,
        subscriptions: 5,
        durability: Durability::Fsync,
        policies: PoliciesSource::SelfAsserted,
        consumers: Vec::new(),
        timelines: Vec::new(),
    };
    let opened = PoolOpened {
        view,
        cursor: at(9),
    };
    check(
        &opened,
        json!({
            "pool": "review.1", "epoch": "07".repeat(16), "head": text(9), "floor": text(0),
            "config": {}, "settings": {}, "limits": {"members_max": 100_000}, "settings_version": 1, "members": 2, "lost_members": 1,
            "suspended_members": 0, "deadlocked_members": 0, "orphaned_wakes": 0,
            "live_messages": 3, "live_wakes": 4, "subscriptions": 5, "durability": "fsync",
            "policies": "self_asserted", "cursor": text(9)
        }),
    );
}

#[test]
fn a_timeline_says_where_it_starts_and_why() {
    let mut timeline = TimelineEntry {
        epoch: Epoch([7; 16]).to_string(),
        start: at(9),
        reason: Some(EpochReason::TailLost),
        lost: Some(at(12)),
    };
    check(
        &timeline,
        json!({"epoch": "07".repeat(16), "start": text(9), "reason": "tail_lost", "lost": text(12)}),
    );
    (timeline.reason, timeline.lost) = (None, None);
    check(
        &timeline,
        json!({"epoch": "07".repeat(16), "start": text(9)}),
    );
}

#[test]
fn a_member_joins_with_little_and_learns_its_token() {
    let mut join = Join::new(
        RunId::parse("scan-1").unwrap(),
        AgentId::parse("scanner").unwrap(),
    );
    check(&join, json!({"run_id": "scan-1", "agent_id": "scanner"}));
    join.topics = vec![TopicId::parse("scan").unwrap()];
    check(
        &join,
        json!({"run_id": "scan-1", "agent_id": "scanner", "topics": ["scan"]}),
    );
    join.new = true;
    check(
        &join,
        json!({"run_id": "scan-1", "agent_id": "scanner", "topics": ["scan"], "new": true}),
    );
    let joined = Joined {
        run_id: join.run_id,
        agent_id: join.agent_id,
        generation: Generation(Position(2)),
        cursor: at(2),
        member_token: MemberToken::new("hm1.a.b"),
        unread: 0,
        durability: Durability::Memory,
        taken_over: None,
    };
    check(
        &joined,
        json!({
            "run_id": "scan-1", "agent_id": "scanner", "generation": 2, "cursor": text(2),
            "member_token": "hm1.a.b", "unread": 0, "durability": "memory"
        }),
    );
    let over = Joined {
        taken_over: Some(TakenOver {
            generation: Generation(Position(1)),
            last_seen: Some(Timestamp::from_millis(0)),
        }),
        ..joined.clone()
    };
    check(
        &over,
        json!({
            "run_id": "scan-1", "agent_id": "scanner", "generation": 2, "cursor": text(2),
            "member_token": "hm1.a.b", "unread": 0, "durability": "memory",
            "taken_over": {"generation": 1, "last_seen": "1970-01-01T00:00:00.000Z"}
        }),
    );
    assert!(
        !format!("{joined:?}").contains("hm1"),
        "Debug never shows a token"
    );
}

#[test]
fn a_message_is_sent_with_a_body_that_debug_does_not_show() {
    let to = Address::Topic {
        topic_id: TopicId::parse("scan").unwrap(),
    };
    let mut send = SendMessage::new(to, key());
    send.body_base64 = Some(BodyBytes(vec![0, 255]));
    send.reply_to = Some(MessageId::parse("m0").unwrap());
    send.expires_in_ms = Some(Millis(1500));
    check(
        &send,
        json!({
            "to": {"type": "topic", "topic_id": "scan"}, "body_base64": "AP8=", "reply_to": "m0",
            "expires_in_ms": 1500, "idempotency_key": "k"
        }),
    );
    send.body_base64 = None;
    send.body = Some(BodyText("hunter2".to_owned()));
    assert!(
        !format!("{send:?}").contains("hunter2"),
        "Debug never shows a body"
    );
    let bad = json!({"to": {"type": "pool", "pool_id": "p"}, "body_base64": "***"});
    assert!(refused::<SendMessage>(bad).contains("base64"));
}

#[test]
fn an_item_shows_what_the_contract_names() {
    let item = Item {
        message_id: MessageId::parse("m").unwrap(),
        from: RunId::parse("lead").unwrap(),
        cursor: at(4),
        attempt: 1,
        claim: Some(ClaimName("4@6".to_owned())),
        claim_expires_at: Some("2026-11-20T08:15:30.125Z".parse().unwrap()),
        content_ref: format!("content:{}", "0a".repeat(16)).parse().unwrap(),
        media_type: "text/plain; charset=utf-8".to_owned(),
        body: Some(BodyText("hi".to_owned())),
        body_base64: None,
        body_error: None,
        reply_to: None,
        correlation: Correlation::new(),
        importance: Importance::Queue,
        late: None,
    };
    let damaged = Item {
        body: None,
        body_error: Some("corrupt".to_owned()),
        ..item.clone()
    };
    let page = InboxPage {
        items: vec![item, damaged],
        unread: 2,
        cursor: at(6),
        durability: Durability::Fsync,
    };
    check(
        &page,
        json!({
            "items": [{
                "message_id": "m", "from": "lead", "cursor": text(4), "attempt": 1, "claim": "4@6",
                "claim_expires_at": "2026-11-20T08:15:30.125Z",
                "content_ref": format!("content:{}", "0a".repeat(16)),
                "media_type": "text/plain; charset=utf-8", "body": "hi", "correlation": {},
                "importance": "queue"
            }, {
                "message_id": "m", "from": "lead", "cursor": text(4), "attempt": 1, "claim": "4@6",
                "claim_expires_at": "2026-11-20T08:15:30.125Z",
                "content_ref": format!("content:{}", "0a".repeat(16)),
                "media_type": "text/plain; charset=utf-8", "body_error": "corrupt",
                "correlation": {}, "importance": "queue"
            }],
            "unread": 2, "cursor": text(6), "durability": "fsync"
        }),
    );
}

#[test]
fn a_wake_is_asked_for_and_shown_as_the_contract_says() {
    let mut wake = RegisterWake::new("kind == \"run_completed\"", key());
    wake.since = Some(SinceText(Since::Cursor(at(3))));
    check(
        &wake,
        json!({"filter": "kind == \"run_completed\"", "since": text(3), "idempotency_key": "k"}),
    );
    let mut suspending = wake.clone();
    suspending.suspends_run = Some(true);
    suspending.forever = Some(true);
    suspending.release = Some(vec![ClaimName("3@5".to_owned())]);
    check(
        &suspending,
        json!({
            "filter": "kind == \"run_completed\"", "since": text(3), "idempotency_key": "k",
            "suspends_run": true, "forever": true, "release": ["3@5"]
        }),
    );
    let mut carrying = wake.clone();
    carrying.policies = carried();
    check(
        &carrying,
        json!({
            "filter": "kind == \"run_completed\"", "since": text(3), "idempotency_key": "k",
            "policies": [{"kind": "host", "id": "team"}]
        }),
    );
    wake.since = Some(SinceText(Since::Start));
    assert_eq!(serde_json::to_value(&wake).unwrap()["since"], "start");
    assert!(refused::<RegisterWake>(json!({"since": "7"})).contains("not a cursor"));
    let changed = WakeChanged {
        wake: WakeView {
            wake_id: WakeId::parse("w").unwrap(),
            run_id: RunId::parse("lead").unwrap(),
            since: at(3),
            status: WakeStatus::Registered,
            reason: None,
            matches: Vec::new(),
            summary: None,
            cursor: at(5),
            deadline: None,
            policies: carried(),
            run_state: Some(RunState::Suspended),
        },
        durability: Durability::Os,
    };
    check(
        &changed,
        json!({
            "wake_id": "w", "run_id": "lead", "since": text(3), "status": "registered", "matches": [],
            "cursor": text(5), "policies": [{"kind": "host", "id": "team"}],
            "run_state": "suspended", "durability": "os"
        }),
    );
}

#[test]
fn a_run_is_suspended_as_the_contract_says() {
    let mut state = SetState::of(RunState::Suspended);
    check(&state, json!({"state": "suspended"}));
    state.wakes = Some(vec![WakeId::parse("w").unwrap()]);
    state.timeout_ms = Some(Millis(5));
    state.release = Some(vec![ClaimName("3@5".to_owned())]);
    check(
        &state,
        json!({"state": "suspended", "wakes": ["w"], "timeout_ms": 5, "release": ["3@5"]}),
    );
    refused::<SetState>(json!({"note": "x"}));
    let changed = StateChanged {
        cursor: at(7),
        durability: Durability::Os,
        state: RunState::Active,
    };
    check(
        &changed,
        json!({"cursor": text(7), "durability": "os", "state": "active"}),
    );
    let view = SuspendedView {
        cursor: at(7),
        wakes: vec![WakeId::parse("w").unwrap()],
        until: None,
        suspected_deadlock: Some(at(9)),
        orphaned: vec![WakeId::parse("w").unwrap()],
    };
    check(
        &view,
        json!({
            "cursor": text(7), "wakes": ["w"], "suspected_deadlock": text(9), "orphaned": ["w"]
        }),
    );
}

#[test]
fn a_dead_letter_says_whose_it_is_and_why() {
    let name = DeadLetterName {
        cursor: at(3),
        run_id: RunId::parse("scan-1").unwrap(),
    };
    let letter = DeadLetter {
        run_id: name.run_id.clone(),
        cursor: name.cursor,
        message_id: MessageId::parse("m").unwrap(),
        from: RunId::parse("lead").unwrap(),
        attempt: 5,
        reason: DeadReason::Lapsed,
        dead_at: Timestamp::from_millis(0),
        dead_cursor: at(9),
        content_ref: ContentRef::from_bits([0; 16]),
    };
    let list = DeadLetterList {
        dead_letters: vec![letter],
        next: Some(name),
        as_of: at(9),
    };
    check(
        &list,
        json!({
            "dead_letters": [{
                "run_id": "scan-1", "cursor": text(3), "message_id": "m", "from": "lead",
                "attempt": 5, "reason": "lapsed", "dead_at": "1970-01-01T00:00:00.000Z",
                "dead_cursor": text(9), "content_ref": format!("content:{}", "0".repeat(32))
            }],
            "next": {"cursor": text(3), "run_id": "scan-1"}, "as_of": text(9)
        }),
    );
}

#[test]
fn contracts_and_retention_are_read_and_refused_by_name() {
    let base = json!({"to": {"type": "pool", "pool_id": "p"}});
    let mut asking = base.clone();
    asking["response_contract"] =
        json!({"expected_responses": 2, "timeout_ms": 5, "from": ["b", "a"]});
    let send: SendMessage = serde_json::from_value(asking).unwrap();
    let contract = send.response_contract.unwrap();
    assert_eq!(
        json!(contract),
        json!({"expected_responses": 2, "timeout_ms": 5, "from": ["a", "b"]})
    );
    for broken in [
        json!({}),
        json!({"expected_responses": 0}),
        json!({"expected_responses": 1, "form": []}),
    ] {
        let mut body = base.clone();
        body["response_contract"] = broken;
        refused::<SendMessage>(body);
    }
    let retention = json!({"age_ms": 86_400_000, "bytes": 1_000_000, "keep_min": 100});
    let pool: PoolBody = serde_json::from_value(json!({"retention": retention})).unwrap();
    assert_eq!(json!(pool.into_spec().retention), retention);
    for broken in [json!({"age": 1}), json!({"bytes": -1}), json!("all")] {
        refused::<PatchSettings>(json!({"expected_version": 1, "retention": broken}));
    }
}

#[test]
fn unknown_fields_are_named() {
    for error in [
        refused::<PoolBody>(json!({"memebers": 1})),
        refused::<Join>(json!({"run_id": "r", "agent_id": "a", "memebers": 1})),
        refused::<Receive>(json!({"memebers": 1})),
        refused::<Ack>(json!({"memebers": 1})),
        refused::<RegisterWake>(json!({"memebers": 1})),
        refused::<CompileFilter>(json!({"filter": "", "memebers": 1})),
        refused::<EventsQuery>(json!({"memebers": 1})),
    ] {
        assert!(error.contains("`memebers`"), "{error}");
    }
}

#[test]
fn a_problem_has_a_stable_slug_and_typed_members() {
    let problem = Problem::new(ProblemKind::CursorAhead, "the head is earlier")
        .with_cursor("head", at(9))
        .with("retry_after_ms", 20);
    check(
        &problem,
        json!({
            "type": "/problems/cursor-ahead", "title": "the cursor is ahead of the journal",
            "status": 409, "detail": "the head is earlier", "head": text(9), "retry_after_ms": 20
        }),
    );
    assert_eq!(problem.kind(), Some(ProblemKind::CursorAhead));
    assert_eq!(problem.cursor("head"), Some(at(9)));
    assert_eq!(problem.number("retry_after_ms"), Some(20));
    assert_eq!(problem.to_string(), "the head is earlier");
}

#[test]
fn every_problem_is_found_by_its_slug() {
    for kind in ProblemKind::ALL {
        assert_eq!(ProblemKind::from_slug(kind.slug()), Some(*kind));
        assert!((400..600).contains(&kind.status()), "{kind:?}");
        assert!(
            kind.slug()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'-')
        );
    }
    assert_eq!(ProblemKind::from_slug("no-such-problem"), None);
}

#[test]
fn a_receipt_is_the_one_of_the_engine() {
    let receipt: heronry_types::Receipt = serde_json::from_value(json!({
        "message_id": "m", "from": "lead", "status": "failed", "reason": "run_ended",
        "content_ref": format!("content:{}", "0a".repeat(16)), "cursor": text(4), "as_of": text(6),
        "durability": "fsync",
        "recipients": [{"run_id": "a", "state": "undeliverable", "why": "left", "attempt": 0}],
        "timeline": [{"at": "2026-11-20T08:15:30.125Z", "cursor": text(4), "state": "accepted"}]
    }))
    .unwrap();
    assert_eq!(receipt.recipients[0].state, CopyState::Undeliverable);
}
