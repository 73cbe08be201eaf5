//! One record of every kind, with every field set, and a short journal. Golden files keep their bytes.

mod contents;
mod effects;
mod events;
mod members;
mod replies;
mod wakes;

use heronry_types::{
    AckOutcome, Actor, Address, AgentId, Broadcast, ChosenBy, ContentRef, CopyStanding, CopyState,
    DeadReason, DeliveryOptions, Epoch, EpochReason, Generation, IdempotencyKey, Importance,
    InstanceId, LimitName, Limits, Lineage, MessageFailure, MessageId, MessagePolicy, Millis,
    OnFull, Policies, PolicyId, PolicyKind, PolicyRef, PoolConfig, PoolId, Position, ReceiveId,
    ReleaseReason, ResumeCause, ResumedBy, RunId, SessionId, Settings, Timestamp, TopicId, TurnId,
    Undeliverable, Visibility, WakePayload,
};

use crate::{
    Body, Claim, CopyName, Entry, EpochStarted, FetchedCopy, MemberJoined, MessageAccepted,
    MessageAcked, MessageCancelled, MessageDeadLettered, MessageDelivered, MessageExpired,
    MessageExtended, MessageFailed, MessageFetched, MessageReleased, MessageReplayed,
    MessageSettled, PoolConfigured, PoolCreated, PoolResumed, Recipients, RequestHash, RunLost,
    Skipped, UndeliverableCopy,
};

pub(super) const EPOCH: Epoch = Epoch(*b"heronry's golden");

/// 2026-11-20T08:15:30.125Z.
pub(super) fn recorded_at() -> Timestamp {
    Timestamp::from_millis(1_795_162_530_125)
}

fn id<K: heronry_types::IdKind>(text: &str) -> heronry_types::Id<K> {
    heronry_types::Id::parse(text).unwrap()
}

/// A record whose lineage has every field, decided for a member.
pub(super) fn full(body: Body) -> Entry {
    let run: RunId = id("run-lead");
    let lineage = Lineage {
        pool: id::<heronry_types::kind::Pool>("review"),
        run: Some(run.clone()),
        agent: Some(AgentId::parse("lead").unwrap()),
        session: Some(SessionId::parse("session-1").unwrap()),
        turn: Some(TurnId::parse("turn-7").unwrap()),
        correlation: [(id("job"), id("review-0042")), (id("ticket"), id("HER-7"))]
            .into_iter()
            .collect(),
        caused_by: Some(Position(300)),
        trace: Some(
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                .parse()
                .unwrap(),
        ),
    };
    Entry {
        lineage,
        actor: Actor::Member {
            run,
            generation: Generation(Position(3)),
        },
        visibility: Visibility::InScope,
        body,
    }
}

/// A record with nothing in its lineage but the pool, decided by this actor.
pub(super) fn bare(actor: Actor, body: Body) -> Entry {
    Entry {
        lineage: Lineage::of_pool(PoolId::parse("review").unwrap()),
        actor,
        visibility: Visibility::OutOfScope,
        body,
    }
}

fn policies() -> Policies {
    let versioned = PolicyRef {
        version: Some(id("2")),
        ..PolicyRef::new(PolicyKind::Privacy, PolicyId::parse("no-secrets").unwrap())
    };
    let sandbox = PolicyRef::new(PolicyKind::Sandbox, PolicyId::parse("read-only").unwrap());
    [versioned, sandbox].into_iter().collect()
}

fn topics() -> Vec<TopicId> {
    vec![id("findings"), id("scan")]
}

fn settings() -> Settings {
    let mut limits = Limits::default();
    limits.set(LimitName::MembersMax, 500);
    limits.set(LimitName::NoteBytesMax, 256);
    Settings { limits }
}

fn content_ref() -> ContentRef {
    ContentRef::from_bits(*b"a body elsewhere")
}

fn message(accepted: u64) -> CopyName {
    CopyName {
        accepted: Position(accepted),
        message_id: MessageId::parse(format!("msg-{accepted}")).unwrap(),
    }
}

fn claim(accepted: u64) -> (Claim, MessageId) {
    let claim = Claim {
        accepted: Position(accepted),
        fetched: Position(301),
    };
    (claim, message(accepted).message_id)
}

fn standings() -> Vec<CopyStanding> {
    let acked = CopyStanding {
        state: CopyState::Acked,
        attempt: 1,
        why: None,
        outcome: Some(AckOutcome::Done),
    };
    let undeliverable = CopyStanding {
        state: CopyState::Undeliverable,
        attempt: 0,
        why: Some(Undeliverable::Left),
        outcome: None,
    };
    vec![acked, undeliverable]
}

/// Every kind of record: the name of its golden file, and the record.
pub(super) fn every_kind() -> Vec<(&'static str, Entry)> {
    let kinds = [
        pools(),
        members::members(),
        pauses(),
        messages(),
        message_ends(),
        dead_letters(),
        replies::replies(),
        wakes::wakes(),
        events::events(),
        effects::effects(),
        contents::contents(),
    ];
    kinds
        .into_iter()
        .flatten()
        .map(|(name, body)| (name, full(body)))
        .collect()
}

/// Settings with a limit that the first version does not know.
fn second_settings() -> Settings {
    let mut settings = settings();
    settings.limits.set(LimitName::AttemptsMax, 3);
    settings
}

/// Settings with a limit that the second version does not know.
fn third_settings() -> Settings {
    let mut settings = second_settings();
    settings.limits.set(LimitName::LostKeepMsMax, 3_600_000);
    settings
}

/// Settings with a limit that the third version does not know.
fn fourth_settings() -> Settings {
    let mut settings = third_settings();
    settings.limits.set(LimitName::PendingEffectsPerRunMax, 7);
    settings
}

/// Settings with limits that the fourth version does not know.
fn fifth_settings() -> Settings {
    let mut settings = fourth_settings();
    settings.limits.set(LimitName::SubscriptionsPerRunMax, 3);
    settings.limits.set(LimitName::LongPollsMax, 40);
    settings.limits.set(LimitName::LongPollsPerRunMax, 4);
    let mebibyte = 1024 * 1024;
    settings
        .limits
        .set(LimitName::BytesUnderWayMax, 8 * mebibyte);
    settings
        .limits
        .set(LimitName::BytesUnderWayPerRunMax, mebibyte);
    settings
}

/// Settings with limits that the fifth version does not know.
fn sixth_settings() -> Settings {
    let mut settings = fifth_settings();
    settings.limits.set(LimitName::WakeCostPerRunMax, 5);
    settings.limits.set(LimitName::WakeCostPerPoolMax, 50);
    settings
}

/// Settings with limits that the sixth version does not know.
fn newer_settings() -> Settings {
    let mut settings = sixth_settings();
    let limits = &mut settings.limits;
    limits.set(LimitName::UnnamedContentBytesPerRunMax, 1024 * 1024);
    limits.set(LimitName::UnnamedContentBytesMax, 8 * 1024 * 1024);
    limits.set(LimitName::UnnamedContentKeepMsMax, 3_600_000);
    settings
}

fn config() -> PoolConfig {
    let grants = [(AgentId::parse("lead").unwrap(), policies())];
    PoolConfig {
        message_policy: MessagePolicy {
            required_policies: policies(),
            broadcast: Broadcast::IncludeSender,
        },
        wake_payload: WakePayload::Summary,
        policies: policies(),
        grants: Some(grants.into_iter().collect()),
    }
}

fn pools() -> Vec<(&'static str, Body)> {
    let (created, configured) = bare_pools(8, newer_settings());
    vec![
        ("1.7-pool-created", created),
        ("2.7-pool-configured", configured),
        ("3.1-epoch-started", Body::EpochStarted(started())),
    ]
}

/// A pool with these settings, and a change to them.
fn bare_pools(version: u64, settings: Settings) -> (Body, Body) {
    let created = PoolCreated {
        config: PoolConfig::default(),
        settings: settings.clone(),
    };
    let configured = PoolConfigured { version, settings };
    (Body::PoolCreated(created), Body::PoolConfigured(configured))
}

/// Records that are still written in an earlier version: the name of the golden file, and the record.
pub(super) fn earlier_versions() -> Vec<(&'static str, Entry)> {
    let created = PoolCreated {
        config: config(),
        settings: settings(),
    };
    let configured = PoolConfigured {
        version: 2,
        settings: settings(),
    };
    let (second_created, second_configured) = bare_pools(3, second_settings());
    let (third_created, third_configured) = bare_pools(4, third_settings());
    let (fourth_created, fourth_configured) = bare_pools(5, fourth_settings());
    let (fifth_created, fifth_configured) = bare_pools(6, fifth_settings());
    let (sixth_created, sixth_configured) = bare_pools(7, sixth_settings());
    let pools = [
        ("1.1-pool-created", Body::PoolCreated(created)),
        ("1.2-pool-created", second_created),
        ("1.3-pool-created", third_created),
        ("1.4-pool-created", fourth_created),
        ("1.5-pool-created", fifth_created),
        ("1.6-pool-created", sixth_created),
        ("2.1-pool-configured", Body::PoolConfigured(configured)),
        ("2.2-pool-configured", second_configured),
        ("2.3-pool-configured", third_configured),
        ("2.4-pool-configured", fourth_configured),
        ("2.5-pool-configured", fifth_configured),
        ("2.6-pool-configured", sixth_configured),
    ];
    let others = [
        (
            "20.1-message-accepted",
            Body::MessageAccepted(Box::new(accepted())),
        ),
        (
            "20.2-message-accepted",
            Body::MessageAccepted(Box::new(special())),
        ),
        (
            "21.1-message-delivered",
            Body::MessageDelivered(delivered()),
        ),
        ("22.1-message-fetched", Body::MessageFetched(fetched())),
    ];
    let all = pools.into_iter().chain(others);
    let all = all.chain(members::without_lease()).chain(wakes::earlier());
    all.map(|(name, body)| (name, full(body))).collect()
}

pub(super) fn started() -> EpochStarted {
    EpochStarted {
        reason: EpochReason::Import,
        epoch: EPOCH,
        previous: Epoch(*b"what was before!"),
    }
}

fn pauses() -> Vec<(&'static str, Body)> {
    let resumed = PoolResumed {
        cause: ResumeCause::Paused,
        since: Timestamp::from_millis(1_795_162_500_125),
    };
    let lost = RunLost {
        generation: Generation(Position(3)),
        kept_until: Timestamp::from_millis(1_795_248_930_125),
    };
    vec![
        ("15.1-pool-resumed", Body::PoolResumed(resumed)),
        ("16.1-run-lost", Body::RunLost(lost)),
        ("17.2-run-resumed", members::resumed(Some(ResumedBy::Wake))),
        ("18.1-run-suspended", members::suspended()),
    ]
}

pub(super) fn accepted() -> MessageAccepted {
    MessageAccepted {
        message_id: MessageId::parse("msg-302").unwrap(),
        to: Address::Topic {
            topic_id: TopicId::parse("scan").unwrap(),
        },
        content_ref: content_ref(),
        media_type: "application/json".into(),
        body_bytes: 2_048,
        reply_to: Some(MessageId::parse("msg-299").unwrap()),
        expires_at: Some(Timestamp::from_millis(1_795_166_130_125)),
        policies: policies(),
        idempotency_key: IdempotencyKey::parse("assign-0042").unwrap(),
        request_hash: RequestHash(*b"request's 16 hex"),
        thread: None,
        options: None,
    }
}

pub(super) fn delivered() -> MessageDelivered {
    let recipients = ["run-scan-1", "run-scan-2", "run-scan-3"];
    MessageDelivered {
        accepted: Position(302),
        message_id: MessageId::parse("msg-302").unwrap(),
        reply_to: Some(MessageId::parse("msg-299").unwrap()),
        topic: Some(TopicId::parse("scan").unwrap()),
        recipients: Recipients(recipients.into_iter().map(id).collect()),
        skipped: None,
    }
}

/// A message that is handed over in another way than usual.
fn special() -> MessageAccepted {
    let options = DeliveryOptions {
        importance: Importance::Steer,
        deliver_after: Some(Millis(90_000)),
        ordered: true,
        on_full: Some(OnFull::Refuse),
    };
    MessageAccepted {
        options: Some(Box::new(options)),
        ..accepted()
    }
}

/// A delivery that left one recipient out.
fn skipping() -> MessageDelivered {
    MessageDelivered {
        skipped: Skipped::of(vec![1]).unwrap(),
        ..delivered()
    }
}

fn fetched() -> MessageFetched {
    MessageFetched {
        receive_id: ReceiveId::parse("receive-9").unwrap(),
        claimed_until: Timestamp::from_millis(1_795_162_590_125),
        claim_ms: Millis(60_000),
        copies: vec![FetchedCopy {
            copy: message(302),
            attempt: 2,
        }],
        undeliverable: vec![UndeliverableCopy {
            copy: message(303),
            why: Undeliverable::Policy,
        }],
        chosen_by: None,
    }
}

fn fetched_by_name() -> MessageFetched {
    MessageFetched {
        chosen_by: Some(ChosenBy::Name),
        ..fetched()
    }
}

fn messages() -> Vec<(&'static str, Body)> {
    let (first, first_id) = claim(299);
    let acked = MessageAcked {
        claims: vec![(first, first_id.clone()), claim(300)],
        outcome: AckOutcome::Blocked,
        note: Some("waits for a licence".to_owned()),
    };
    let released = MessageReleased {
        claims: vec![(first, first_id.clone())],
        reason: ReleaseReason::Lapsed,
        visible_at: Some(Timestamp::from_millis(1_795_162_535_000)),
    };
    let until = Timestamp::from_millis(1_795_162_650_125);
    let extended = MessageExtended {
        claims: vec![(first, first_id, until)],
    };
    vec![
        (
            "20.3-message-accepted",
            Body::MessageAccepted(Box::new(replies::asking())),
        ),
        ("21.2-message-delivered", Body::MessageDelivered(skipping())),
        (
            "22.2-message-fetched",
            Body::MessageFetched(fetched_by_name()),
        ),
        ("23.1-message-acked", Body::MessageAcked(acked)),
        ("24.1-message-released", Body::MessageReleased(released)),
        ("25.1-message-extended", Body::MessageExtended(extended)),
    ]
}

fn message_ends() -> Vec<(&'static str, Body)> {
    let failed = MessageFailed {
        message: message(302),
        reason: MessageFailure::NoSuchMember,
    };
    let expired = MessageExpired {
        message: message(302),
        copies: standings(),
    };
    let settled = MessageSettled {
        message: message(302),
        copies: standings(),
    };
    vec![
        ("26.1-message-failed", Body::MessageFailed(failed)),
        ("27.1-message-expired", Body::MessageExpired(expired)),
        ("28.1-message-settled", Body::MessageSettled(settled)),
    ]
}

fn dead_letters() -> Vec<(&'static str, Body)> {
    let dead = MessageDeadLettered {
        copies: vec![FetchedCopy {
            copy: message(302),
            attempt: 5,
        }],
        reason: DeadReason::Lapsed,
    };
    let replayed = MessageReplayed { copy: message(302) };
    let cancelled = MessageCancelled {
        message: message(302),
        copies: standings(),
    };
    vec![
        (
            "29.1-message-dead-lettered",
            Body::MessageDeadLettered(dead),
        ),
        ("30.1-message-replayed", Body::MessageReplayed(replayed)),
        ("31.1-message-cancelled", Body::MessageCancelled(cancelled)),
    ]
}

/// A short journal of two commits: records with as little as they may have, by every actor.
pub(super) fn journal() -> Vec<Vec<Entry>> {
    let created = Body::PoolCreated(PoolCreated {
        config: PoolConfig::default(),
        settings: Settings::default(),
    });
    let joined = Body::MemberJoined(MemberJoined {
        instance: InstanceId::parse("host-1:4711").unwrap(),
        policies: Policies::default(),
        topics: Vec::new(),
        members: 1,
        lease_ms: None,
    });
    let accepted = Body::MessageAccepted(Box::new(MessageAccepted {
        to: Address::Run {
            run_id: RunId::parse("run-lead").unwrap(),
        },
        reply_to: None,
        expires_at: None,
        policies: Policies::default(),
        ..accepted()
    }));
    let delivered = Body::MessageDelivered(MessageDelivered {
        accepted: Position(3),
        reply_to: None,
        topic: None,
        ..delivered()
    });
    let acked = Body::MessageAcked(MessageAcked {
        claims: vec![claim(3)],
        outcome: AckOutcome::Done,
        note: None,
    });
    vec![
        vec![bare(Actor::Operator, created)],
        vec![
            bare(Actor::Operator, joined),
            full(accepted),
            bare(Actor::Engine, delivered),
            full(acked),
        ],
    ]
}
