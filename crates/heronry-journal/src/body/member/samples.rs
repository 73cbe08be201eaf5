//! Samples of records about members.

use heronry_types::{
    Generation, InstanceId, Millis, Position, ResumedBy, RunEnd, Timestamp, Undeliverable, WakeId,
};
use proptest::{option, prelude::*};

use super::{
    MemberChanged, MemberJoined, MemberLeft, MemberTakenOver, RunEnded, RunLost, RunResumed,
    RunSuspended, WakeName,
};
use crate::samples::{
    self, Sample,
    arbitrary::{few, generation, id, lease, note, policies, position, time, word},
};

const GENERATION: Generation = Generation(Position(3));

impl Sample for MemberJoined {
    fn samples() -> Vec<Self> {
        let of_lease = |lease_ms| Self {
            instance: InstanceId::parse("host-1:4711").unwrap(),
            policies: samples::policies(),
            topics: samples::topics(),
            members: 5,
            lease_ms,
        };
        vec![of_lease(None), of_lease(Some(Millis(90_000)))]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (id(), policies(), few(id()), any::<u64>(), lease())
            .prop_map(|(instance, policies, topics, members, lease_ms)| Self {
                instance,
                policies,
                topics,
                members,
                lease_ms,
            })
            .boxed()
    }
}

impl Sample for MemberTakenOver {
    fn samples() -> Vec<Self> {
        let of_lease = |lease_ms| Self {
            instance: InstanceId::parse("host-2:815").unwrap(),
            policies: samples::policies(),
            topics: samples::topics(),
            members: 5,
            predecessor: GENERATION,
            lease_ms,
        };
        vec![of_lease(None), of_lease(Some(Millis(90_000)))]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (MemberJoined::arbitrary(), generation())
            .prop_map(|(joined, predecessor)| Self {
                instance: joined.instance,
                policies: joined.policies,
                topics: joined.topics,
                members: joined.members,
                predecessor,
                lease_ms: joined.lease_ms,
            })
            .boxed()
    }
}

impl Sample for MemberChanged {
    fn samples() -> Vec<Self> {
        let of_lease = |lease_ms| Self {
            topics: samples::topics(),
            lease_ms,
        };
        vec![of_lease(None), of_lease(Some(Millis(45_000)))]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (few(id()), lease())
            .prop_map(|(topics, lease_ms)| Self { topics, lease_ms })
            .boxed()
    }
}

impl Sample for MemberLeft {
    fn samples() -> Vec<Self> {
        vec![Self {
            generation: GENERATION,
            reason: Undeliverable::Left,
            members: 4,
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (generation(), word(), any::<u64>())
            .prop_map(|(generation, reason, members)| Self {
                generation,
                reason,
                members,
            })
            .boxed()
    }
}

impl Sample for RunEnded {
    fn samples() -> Vec<Self> {
        vec![Self {
            generation: GENERATION,
            end: RunEnd::Failed,
            note: Some("no disk left".to_owned()),
            members: 4,
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (generation(), word(), note(), any::<u64>())
            .prop_map(|(generation, end, note, members)| Self {
                generation,
                end,
                note,
                members,
            })
            .boxed()
    }
}

impl Sample for RunLost {
    fn samples() -> Vec<Self> {
        vec![Self {
            generation: GENERATION,
            kept_until: Timestamp::from_millis(1_795_248_930_125),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (generation(), time())
            .prop_map(|(generation, kept_until)| Self {
                generation,
                kept_until,
            })
            .boxed()
    }
}

impl Sample for RunResumed {
    fn samples() -> Vec<Self> {
        let by = |by| Self {
            generation: GENERATION,
            by,
        };
        vec![by(None), by(Some(ResumedBy::Wake))]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (generation(), option::of(word()))
            .prop_map(|(generation, by)| Self { generation, by })
            .boxed()
    }
}

impl Sample for RunSuspended {
    fn samples() -> Vec<Self> {
        vec![Self {
            generation: GENERATION,
            wakes: vec![WakeName {
                registered: Position(301),
                wake_id: WakeId::parse("wake-7").unwrap(),
            }],
            until: Some(Timestamp::from_millis(1_795_166_130_125)),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (generation(), few(WakeName::arbitrary()), option::of(time()))
            .prop_map(|(generation, wakes, until)| Self {
                generation,
                wakes,
                until,
            })
            .boxed()
    }
}

impl WakeName {
    pub(crate) fn arbitrary() -> impl Strategy<Value = Self> {
        (position(), id()).prop_map(|(registered, wake_id)| Self {
            registered,
            wake_id,
        })
    }
}
