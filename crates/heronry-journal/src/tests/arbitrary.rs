//! Arbitrary records, for property tests.

mod contents;
mod effects;
mod events;
mod replies;
mod wake;

use std::fmt::Debug;

use heronry_types::{
    Actor, Address, Broadcast, ContentRef, CopyStanding, DeliveryOptions, Epoch, Generation, Id,
    IdKind, LimitName, Limits, Lineage, MessagePolicy, Millis, Policies, PolicyRef, PoolConfig,
    Position, Settings, Timestamp, Trace, Visibility, Vocabulary,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    Body, Claim, CopyName, Entry, EpochStarted, FetchedCopy, MemberChanged, MemberJoined,
    MemberLeft, MemberTakenOver, MessageAccepted, MessageAcked, MessageCancelled,
    MessageDeadLettered, MessageDelivered, MessageExpired, MessageExtended, MessageFailed,
    MessageFetched, MessageReleased, MessageReplayed, MessageSettled, PoolConfigured, PoolCreated,
    PoolResumed, Recipients, RequestHash, RunEnded, RunLost, RunResumed, RunSuspended, Skipped,
    UndeliverableCopy, WakeName,
};

/// Any record.
pub(super) fn entry() -> impl Strategy<Value = Entry> {
    (lineage(), actor(), visibility(), body()).prop_map(|(lineage, actor, visibility, body)| {
        Entry {
            lineage,
            actor,
            visibility,
            body,
        }
    })
}

fn id<K: IdKind>() -> impl Strategy<Value = Id<K>> {
    let text = prop_oneof![
        4 => "[a-z][a-z0-9-]{0,35}",
        1 => "[^\\p{Cc}]{1,40}",
        1 => Just("x".repeat(heronry_types::ID_BYTES_MAX)),
    ];
    text.prop_map(|text| Id::parse(text).unwrap())
}

fn word<V: Vocabulary + Debug>() -> impl Strategy<Value = V> {
    select(V::ALL)
}

fn epoch() -> impl Strategy<Value = Epoch> {
    any::<[u8; 16]>().prop_map(Epoch)
}

fn position() -> impl Strategy<Value = Position> {
    prop_oneof![0..1_000_u64, any::<u64>()].prop_map(Position)
}

fn generation() -> impl Strategy<Value = Generation> {
    position().prop_map(Generation)
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn millis() -> impl Strategy<Value = Millis> {
    any::<u64>().prop_map(Millis)
}

fn few<T: Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    vec(item, 0..4)
}

fn note() -> impl Strategy<Value = Option<String>> {
    option::of(".{0,40}")
}

fn lineage() -> impl Strategy<Value = Lineage> {
    let run = (
        option::of(id()),
        option::of(id()),
        option::of(id()),
        option::of(id()),
    );
    let causes = (
        few((id(), id())),
        option::of(position()),
        option::of(trace()),
    );
    (id(), run, causes).prop_map(|(pool, (run, agent, session, turn), causes)| {
        let (correlation, caused_by, trace) = causes;
        Lineage {
            pool,
            run,
            agent,
            session,
            turn,
            correlation: correlation.into_iter().collect(),
            caused_by,
            trace,
        }
    })
}

fn trace() -> impl Strategy<Value = Trace> {
    any::<([u8; 16], [u8; 8], u8)>().prop_map(|(trace_id, span_id, flags)| Trace {
        trace_id,
        span_id,
        flags,
    })
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        Just(Actor::Engine),
        Just(Actor::Operator),
        (id(), generation()).prop_map(|(run, generation)| Actor::Member { run, generation }),
    ]
}

fn visibility() -> impl Strategy<Value = Visibility> {
    prop_oneof![Just(Visibility::InScope), Just(Visibility::OutOfScope)]
}

fn policies() -> impl Strategy<Value = Policies> {
    let policy = (word(), id(), option::of(id())).prop_map(|(kind, id, version)| PolicyRef {
        kind,
        id,
        version,
    });
    few(policy).prop_map(|policies| policies.into_iter().collect())
}

fn settings() -> impl Strategy<Value = Settings> {
    few((word::<LimitName>(), any::<u64>())).prop_map(|entries| {
        let mut limits = Limits::default();
        for (name, value) in entries {
            limits.set(name, value);
        }
        Settings { limits }
    })
}

fn config() -> impl Strategy<Value = PoolConfig> {
    let broadcast = prop_oneof![
        Just(Broadcast::ExcludeSender),
        Just(Broadcast::IncludeSender)
    ];
    let grants = option::of(few((id(), policies())));
    (policies(), broadcast, word(), policies(), grants).prop_map(
        |(required_policies, broadcast, wake_payload, policies, grants)| PoolConfig {
            message_policy: MessagePolicy {
                required_policies,
                broadcast,
            },
            wake_payload,
            policies,
            grants: grants.map(|grants| grants.into_iter().collect()),
        },
    )
}

/// Boxed, because the trees of all kinds together are too large for the stack of a test.
fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        2 => pools().boxed(),
        5 => members().boxed(),
        6 => messages().boxed(),
        3 => message_ends().boxed(),
        1 => dead_letters().boxed(),
        1 => replies::replies().boxed(),
        4 => wake::wakes().boxed(),
        1 => events::events().boxed(),
        1 => effects::effects().boxed(),
        1 => contents::contents().boxed(),
    ]
}

fn pools() -> impl Strategy<Value = Body> {
    prop_oneof![
        (config(), settings())
            .prop_map(|(config, settings)| Body::PoolCreated(PoolCreated { config, settings })),
        (any::<u64>(), settings()).prop_map(|(version, settings)| Body::PoolConfigured(
            PoolConfigured { version, settings }
        )),
        (word(), epoch(), epoch()).prop_map(|(reason, epoch, previous)| Body::EpochStarted(
            EpochStarted {
                reason,
                epoch,
                previous
            }
        )),
        (word(), time()).prop_map(|(cause, since)| Body::PoolResumed(PoolResumed { cause, since })),
    ]
}

fn lease() -> impl Strategy<Value = Option<Millis>> {
    option::of(any::<u64>().prop_map(Millis))
}

fn members() -> impl Strategy<Value = Body> {
    let joined = (id(), policies(), few(id()), any::<u64>(), lease());
    let joined = joined.prop_map(
        |(instance, policies, topics, members, lease_ms)| MemberJoined {
            instance,
            policies,
            topics,
            members,
            lease_ms,
        },
    );
    let joined = joined.boxed();
    let taken_over = (joined.clone(), generation()).prop_map(|(joined, predecessor)| {
        Body::MemberTakenOver(MemberTakenOver {
            instance: joined.instance,
            policies: joined.policies,
            topics: joined.topics,
            members: joined.members,
            predecessor,
            lease_ms: joined.lease_ms,
        })
    });
    let left = (generation(), word(), any::<u64>()).prop_map(|(generation, reason, members)| {
        Body::MemberLeft(MemberLeft {
            generation,
            reason,
            members,
        })
    });
    let ended = (generation(), word(), note(), any::<u64>());
    let ended = ended.prop_map(|(generation, end, note, members)| {
        Body::RunEnded(RunEnded {
            generation,
            end,
            note,
            members,
        })
    });
    prop_oneof![
        joined.prop_map(Body::MemberJoined),
        taken_over,
        (few(id()), lease())
            .prop_map(|(topics, lease_ms)| Body::MemberChanged(MemberChanged { topics, lease_ms })),
        (generation(), time()).prop_map(|(generation, kept_until)| Body::RunLost(RunLost {
            generation,
            kept_until
        })),
        (generation(), option::of(word()))
            .prop_map(|(generation, by)| Body::RunResumed(RunResumed { generation, by })),
        suspended(),
        left,
        ended,
    ]
}

fn suspended() -> impl Strategy<Value = Body> {
    let wake = (position(), id()).prop_map(|(registered, wake_id)| WakeName {
        registered,
        wake_id,
    });
    (generation(), few(wake), option::of(time())).prop_map(|(generation, wakes, until)| {
        Body::RunSuspended(RunSuspended {
            generation,
            wakes,
            until,
        })
    })
}

fn copy() -> impl Strategy<Value = CopyName> {
    (position(), id()).prop_map(|(accepted, message_id)| CopyName {
        accepted,
        message_id,
    })
}

fn claim() -> impl Strategy<Value = Claim> {
    (position(), position()).prop_map(|(accepted, fetched)| Claim { accepted, fetched })
}

fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        id().prop_map(|run_id| Address::Run { run_id }),
        id().prop_map(|agent_id| Address::Agent { agent_id }),
        id().prop_map(|topic_id| Address::Topic { topic_id }),
        id().prop_map(|pool_id| Address::Pool { pool_id }),
    ]
}

fn request_hash() -> impl Strategy<Value = RequestHash> {
    any::<[u8; 16]>().prop_map(RequestHash)
}

fn accepted() -> impl Strategy<Value = Body> {
    let content = any::<[u8; 16]>().prop_map(ContentRef::from_bits);
    let body = (content, "[a-z]{1,9}/[a-z]{1,9}", any::<u64>());
    let message = (
        id(),
        address(),
        option::of(id()),
        option::of(time()),
        policies(),
    );
    let thread = option::weighted(0.2, replies::thread());
    let special = (option::of(options()), thread);
    (message, body, id(), request_hash(), special).prop_map(
        |(message, body, idempotency_key, request_hash, (options, thread))| {
            let (message_id, to, reply_to, expires_at, policies) = message;
            let (content_ref, media_type, body_bytes) = body;
            Body::MessageAccepted(Box::new(MessageAccepted {
                message_id,
                to,
                content_ref,
                media_type: media_type.as_str().into(),
                body_bytes,
                reply_to,
                expires_at,
                policies,
                idempotency_key,
                request_hash,
                thread: thread.map(Box::new),
                options: options.map(Box::new),
            }))
        },
    )
}

fn options() -> impl Strategy<Value = DeliveryOptions> {
    let on_full = option::of(word());
    (word(), option::of(millis()), any::<bool>(), on_full).prop_map(
        |(importance, deliver_after, ordered, on_full)| DeliveryOptions {
            importance,
            deliver_after,
            ordered,
            on_full,
        },
    )
}

fn skipped() -> impl Strategy<Value = Option<Skipped>> {
    proptest::collection::btree_set(0..5_000_u32, 0..9)
        .prop_map(|numbers| Skipped::of(numbers.into_iter().collect()).unwrap())
}

fn delivered() -> impl Strategy<Value = Body> {
    let to = (option::of(id()), option::of(id()), few(id()));
    (copy(), to, skipped()).prop_map(|(copy, (reply_to, topic, recipients), skipped)| {
        Body::MessageDelivered(MessageDelivered {
            accepted: copy.accepted,
            message_id: copy.message_id,
            reply_to,
            topic,
            recipients: Recipients(recipients.into()),
            skipped,
        })
    })
}

fn fetched() -> impl Strategy<Value = Body> {
    let copy_of = (copy(), any::<u32>()).prop_map(|(copy, attempt)| FetchedCopy { copy, attempt });
    let undeliverable = (copy(), word()).prop_map(|(copy, why)| UndeliverableCopy { copy, why });
    let term = (time(), millis());
    let chosen_by = option::of(word());
    (id(), term, few(copy_of), few(undeliverable), chosen_by).prop_map(
        |(receive_id, (claimed_until, claim_ms), copies, undeliverable, chosen_by)| {
            Body::MessageFetched(MessageFetched {
                receive_id,
                claimed_until,
                claim_ms,
                copies,
                undeliverable,
                chosen_by,
            })
        },
    )
}

fn messages() -> impl Strategy<Value = Body> {
    let acked = (few((claim(), id())), word(), note()).prop_map(|(claims, outcome, note)| {
        Body::MessageAcked(MessageAcked {
            claims,
            outcome,
            note,
        })
    });
    let released = (few((claim(), id())), word(), option::of(time()));
    let released = released.prop_map(|(claims, reason, visible_at)| {
        Body::MessageReleased(MessageReleased {
            claims,
            reason,
            visible_at,
        })
    });
    let extended = few((claim(), id(), time()))
        .prop_map(|claims| Body::MessageExtended(MessageExtended { claims }));
    prop_oneof![
        accepted(),
        delivered(),
        fetched(),
        acked,
        released,
        extended
    ]
}

fn standings() -> impl Strategy<Value = Vec<CopyStanding>> {
    let standing = (word(), any::<u32>(), option::of(word()), option::of(word()));
    few(
        standing.prop_map(|(state, attempt, why, outcome)| CopyStanding {
            state,
            attempt,
            why,
            outcome,
        }),
    )
}

fn dead_letters() -> impl Strategy<Value = Body> {
    let copy_of = (copy(), any::<u32>()).prop_map(|(copy, attempt)| FetchedCopy { copy, attempt });
    prop_oneof![
        (few(copy_of), word()).prop_map(|(copies, reason)| {
            Body::MessageDeadLettered(MessageDeadLettered { copies, reason })
        }),
        copy().prop_map(|copy| Body::MessageReplayed(MessageReplayed { copy })),
    ]
}

fn message_ends() -> impl Strategy<Value = Body> {
    prop_oneof![
        (copy(), word())
            .prop_map(|(message, reason)| Body::MessageFailed(MessageFailed { message, reason })),
        (copy(), standings())
            .prop_map(|(message, copies)| Body::MessageExpired(MessageExpired { message, copies })),
        (copy(), standings())
            .prop_map(|(message, copies)| Body::MessageSettled(MessageSettled { message, copies })),
        (copy(), standings()).prop_map(|(message, copies)| {
            Body::MessageCancelled(MessageCancelled { message, copies })
        }),
    ]
}
