//! The part of the plan about members.

use heronry_types::{MemberStanding, RunId, TopicId};

use super::{
    Action, Actual, ActualMember, MembershipState, ProcessState, Setting, SupervisionRules,
};
use crate::declare::{EffectiveRoster, RosterMember};

/// Retires first, then records what is declared, then changes, restarts, puts to sleep and starts.
pub(super) fn plan(declared: &EffectiveRoster, actual: &Actual, actions: &mut Vec<Action>) {
    let stranger = ActualMember::default();
    let roster = if actual.roster == Some(declared.digest()) {
        RosterNews::Applied
    } else {
        RosterNews::Changed
    };
    let gone = actual
        .members
        .iter()
        .filter(|(run, member)| member.specified.is_some() && !declared.members.contains_key(*run));
    actions.extend(gone.map(|(run, member)| retired(run, member)));
    let found = |run| actual.members.get(run).unwrap_or(&stranger);
    let members = || {
        declared
            .members
            .iter()
            .map(|(run, it)| (run, it, found(run)))
    };
    let changed = members().filter(|(_, declared, actual)| is_to_specify(declared, actual));
    actions.extend(changed.map(|(run, ..)| Action::Specify(run.clone())));
    let mut later = Vec::new();
    for (run, declared, actual) in members() {
        match step(declared, actual, roster) {
            MemberStep::None => {}
            MemberStep::Change(settings) => actions.push(Action::Change {
                run: run.clone(),
                settings,
            }),
            MemberStep::Restart => later.push((0, Action::Restart(run.clone()))),
            MemberStep::Sleep => later.push((1, Action::Sleep(run.clone()))),
            MemberStep::Start => later.push((2, Action::Start(run.clone()))),
        }
    }
    later.sort_by_key(|(turn, _)| *turn);
    actions.extend(later.into_iter().map(|(_, action)| action));
}

/// The roster, compared with the one that was applied last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum RosterNews {
    Applied,
    Changed,
}

/// The one thing that is done about a declared member, beside recording its spec.
enum MemberStep {
    None,
    Change(Vec<Setting>),
    Restart,
    Sleep,
    Start,
}

fn retired(run: &RunId, member: &ActualMember) -> Action {
    let has_process = member.process != ProcessState::None;
    if has_process || member.membership == MembershipState::Member {
        Action::Retire(run.clone())
    } else {
        Action::Forget(run.clone())
    }
}

fn is_to_specify(declared: &RosterMember, actual: &ActualMember) -> bool {
    actual.specified != Some(declared.digest)
        || actual.layer != Some(declared.layer)
        || actual.labels != declared.spec.labels
}

/// Decides about one declared member. One whose restarts are used up, that was retired because it was idle, or
/// that somebody stopped is as it should be until the roster changes; one whose run has ended always is.
fn step(declared: &RosterMember, actual: &ActualMember, roster: RosterNews) -> MemberStep {
    match (actual.membership, actual.process) {
        (MembershipState::Ended, _) => return MemberStep::None,
        (_, ProcessState::Of(digest)) if digest != declared.digest => return MemberStep::Restart,
        (_, ProcessState::Of(_)) => return change(declared, actual),
        (MembershipState::Stranger | MembershipState::Member, ProcessState::None) => {}
    }
    let is_settled = actual.is_settled
        && roster == RosterNews::Applied
        && actual.specified == Some(declared.digest);
    let is_left = actual.standing.is_some_and(is_final);
    let sleeps = actual.standing == Some(MemberStanding::Dormant)
        && actual.membership == MembershipState::Member;
    match (declared.is_eager(), is_settled && is_left) {
        (false, _) if sleeps => change(declared, actual),
        (true | false, true) => MemberStep::None,
        (true, false) => MemberStep::Start,
        // One that had a process had a cause, and may not be done with it.
        (false, false) if actual.standing.is_some_and(had_process) => MemberStep::Start,
        (false, false) => MemberStep::Sleep,
    }
}

/// Returns true for the standings that a member keeps without a process until its roster changes.
fn is_final(standing: MemberStanding) -> bool {
    match standing {
        MemberStanding::Dormant | MemberStanding::RetiredIdle | MemberStanding::Broken => true,
        MemberStanding::Starting
        | MemberStanding::Active
        | MemberStanding::Suspended
        | MemberStanding::Retiring => false,
    }
}

/// Returns true for the standings of a member that has a process.
fn had_process(standing: MemberStanding) -> bool {
    match standing {
        MemberStanding::Starting | MemberStanding::Active | MemberStanding::Suspended => true,
        MemberStanding::Dormant
        | MemberStanding::Retiring
        | MemberStanding::RetiredIdle
        | MemberStanding::Broken => false,
    }
}

fn change(declared: &RosterMember, actual: &ActualMember) -> MemberStep {
    let spec = &declared.spec;
    let rules = SupervisionRules {
        restart: spec.restart,
        idle_after: spec.idle_after,
    };
    let settings = [
        (Setting::Labels, actual.labels != spec.labels),
        (Setting::Topics, actual.topics != sorted(&spec.topics)),
        (
            Setting::Supervision,
            actual.rules.is_some_and(|known| known != rules),
        ),
    ];
    let changed = settings.into_iter().filter(|(_, is_changed)| *is_changed);
    let changed: Vec<Setting> = changed.map(|(setting, _)| setting).collect();
    if changed.is_empty() {
        MemberStep::None
    } else {
        MemberStep::Change(changed)
    }
}

/// Returns topics in the order in which a pool keeps them, each once.
pub(crate) fn sorted(topics: &[TopicId]) -> Vec<TopicId> {
    let mut topics = topics.to_vec();
    topics.sort_unstable();
    topics.dedup();
    topics
}
