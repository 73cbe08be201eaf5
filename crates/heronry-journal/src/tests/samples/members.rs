//! Samples of records about members.

use heronry_types::{
    Generation, InstanceId, Millis, Position, ResumedBy, RunEnd, Timestamp, Undeliverable, WakeId,
};

use super::{policies, topics};
use crate::{
    Body, MemberChanged, MemberJoined, MemberLeft, MemberTakenOver, RunEnded, RunResumed,
    RunSuspended, WakeName,
};

/// Records of members without a lease, and of one that was lost, which are still written in the
/// first version.
pub(super) fn without_lease() -> Vec<(&'static str, Body)> {
    vec![
        ("10.1-member-joined", joined(None)),
        ("11.1-member-taken-over", taken_over(None)),
        ("12.1-member-changed", changed(None)),
        ("17.1-run-resumed", resumed(None)),
    ]
}

fn joined(lease_ms: Option<Millis>) -> Body {
    Body::MemberJoined(MemberJoined {
        instance: InstanceId::parse("host-1:4711").unwrap(),
        policies: policies(),
        topics: topics(),
        members: 5,
        lease_ms,
    })
}

fn taken_over(lease_ms: Option<Millis>) -> Body {
    Body::MemberTakenOver(MemberTakenOver {
        instance: InstanceId::parse("host-2:815").unwrap(),
        policies: policies(),
        topics: topics(),
        members: 5,
        predecessor: Generation(Position(3)),
        lease_ms,
    })
}

fn changed(lease_ms: Option<Millis>) -> Body {
    let topics = topics();
    Body::MemberChanged(MemberChanged { topics, lease_ms })
}

pub(super) fn resumed(by: Option<ResumedBy>) -> Body {
    let generation = Generation(Position(3));
    Body::RunResumed(RunResumed { generation, by })
}

pub(super) fn suspended() -> Body {
    Body::RunSuspended(RunSuspended {
        generation: Generation(Position(3)),
        wakes: vec![WakeName {
            registered: Position(301),
            wake_id: WakeId::parse("wake-7").unwrap(),
        }],
        until: Some(Timestamp::from_millis(1_795_166_130_125)),
    })
}

pub(super) fn members() -> Vec<(&'static str, Body)> {
    let left = MemberLeft {
        generation: Generation(Position(3)),
        reason: Undeliverable::Left,
        members: 4,
    };
    let ended = RunEnded {
        generation: Generation(Position(3)),
        end: RunEnd::Failed,
        note: Some("no disk left".to_owned()),
        members: 4,
    };
    vec![
        ("10.2-member-joined", joined(Some(Millis(90_000)))),
        ("11.2-member-taken-over", taken_over(Some(Millis(90_000)))),
        ("12.2-member-changed", changed(Some(Millis(45_000)))),
        ("13.1-member-left", Body::MemberLeft(left)),
        ("14.1-run-ended", Body::RunEnded(ended)),
    ]
}
