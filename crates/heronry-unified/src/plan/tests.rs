//! The plan, against a model of the pool that it is applied to.

use std::{collections::BTreeMap, time::Duration};

use heronry_host::{MemberSpec, ModuleSpec};
use heronry_types::{
    Digest, EdgeStanding, ManagedBy, MemberStanding, Peering, RosterLayer, StartWhen, Vocabulary,
};
use proptest::{prelude::*, sample::subsequence};
use serde_json::json;

use super::{members::sorted, *};
use crate::declare::{Declared, DeclaredParts, DigestKey, Layers};

/// Does what an action says, to a model of the pool.
fn apply(action: &Action, declared: &EffectiveRoster, actual: &mut Actual) {
    match action {
        Action::SetPeering(rule) => actual.peering = *rule,
        Action::StopModule(module) => {
            actual.modules.remove(module);
        }
        Action::RestartModule(id) | Action::StartModule(id) => {
            let module = ActualModule {
                process: ProcessState::Of(declared.modules[id].digest),
                is_given_up: false,
            };
            actual.modules.insert(id.clone(), module);
        }
        Action::Retire(run) | Action::Forget(run) => {
            actual.members.remove(run);
        }
        Action::Specify(run) => {
            let (member, row) = (&declared.members[run], actual.members.entry(run.clone()));
            let row = row.or_default();
            row.specified = Some(member.digest);
            row.layer = Some(member.layer);
            row.labels = member.spec.labels.clone();
        }
        Action::Change { run, .. } => {
            set_in_place(declared, actual, run);
        }
        Action::Restart(run) | Action::Sleep(run) | Action::Start(run) => {
            set_in_place(declared, actual, run);
            let (member, row) = (&declared.members[run], actual.members.get_mut(run).unwrap());
            row.membership = MembershipState::Member;
            (row.standing, row.process) = if let Action::Sleep(_) = action {
                (Some(MemberStanding::Dormant), ProcessState::None)
            } else {
                let process = ProcessState::Of(member.digest);
                (Some(MemberStanding::Active), process)
            };
        }
        Action::Unwire(edge) | Action::Prune(edge) => {
            actual.edges.remove(edge);
        }
        Action::Wire(edge) | Action::Heal(edge) => {
            let wired = ActualEdge {
                managed_by: ManagedBy::Steward,
                standing: EdgeStanding::Wired,
            };
            actual.edges.insert(edge.clone(), wired);
        }
        Action::RemoveAlias(alias) => {
            actual.aliases.remove(alias);
        }
        Action::SetAlias { alias, to } => {
            let set = ActualAlias {
                to: to.clone(),
                managed_by: ManagedBy::Steward,
            };
            actual.aliases.insert(alias.clone(), set);
        }
    }
}

fn set_in_place(declared: &EffectiveRoster, actual: &mut Actual, run: &RunId) {
    let spec = &declared.members[run].spec;
    let row = actual.members.get_mut(run).unwrap();
    row.labels = spec.labels.clone();
    row.topics = sorted(&spec.topics);
    row.rules = Some(SupervisionRules {
        restart: spec.restart,
        idle_after: spec.idle_after,
    });
}

const RUNS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn specs() -> impl Strategy<Value = Vec<MemberSpec>> {
    let one = (
        0..3_u8,
        prop::sample::select(StartWhen::ALL.to_vec()),
        0..3_u8,
        0..2_u64,
    );
    let all = prop::collection::vec(one, RUNS.len());
    (subsequence(RUNS.to_vec(), 0..=RUNS.len()), all).prop_map(|(runs, choices)| {
        let made = runs.into_iter().zip(choices);
        let made = made.map(|(run, (command, start, label, idle))| {
            let ids = (run.parse().unwrap(), "agent".parse().unwrap());
            let host = "task".parse().unwrap();
            let mut spec = MemberSpec::new(ids.0, ids.1, host, json!(command));
            spec.start = start;
            spec.labels.add("k", label.to_string()).unwrap();
            spec.topics = vec![format!("t{label}").parse().unwrap()];
            spec.idle_after = (idle > 0).then(|| Duration::from_secs(idle));
            spec
        });
        made.collect()
    })
}

fn edges() -> impl Strategy<Value = Vec<Edge>> {
    let ends = (prop::sample::select(&RUNS), prop::sample::select(&RUNS));
    let edge = ends.prop_filter_map("two ends", |(a, b)| Edge::parse(a, b).ok());
    prop::collection::vec(edge, 0..8)
}

fn rosters() -> impl Strategy<Value = EffectiveRoster> {
    let modules = subsequence(vec!["m", "n"], 0..=2);
    let peering = prop::option::of(prop::sample::select(Peering::ALL.to_vec()));
    (specs(), edges(), modules, peering).prop_map(|(members, edges, modules, peering)| {
        let modules = modules.into_iter().map(|id| {
            let command = json!(edges.len() % 2);
            ModuleSpec::new(id.parse().unwrap(), "task".parse().unwrap(), command)
        });
        let parts = DeclaredParts {
            modules: modules.collect(),
            members,
            edges,
            peering,
            aliases: Vec::new(),
        };
        let layers = Layers::of(Declared::check(parts).unwrap());
        layers.effective(&DigestKey::from([1; 32]))
    })
}

/// Actual states that came of another roster, and then lived on.
fn states() -> impl Strategy<Value = Actual> {
    let lives = prop::collection::vec(0..6_u8, RUNS.len());
    let hands = prop::collection::vec(0..4_u8, 16);
    (rosters(), lives, hands).prop_map(|(roster, lives, hands)| {
        let mut actual = Actual::default();
        for action in plan(&roster, &actual) {
            apply(&action, &roster, &mut actual);
        }
        actual.roster = Some(roster.digest());
        for (member, life) in actual.members.values_mut().zip(lives) {
            live_on(member, life);
        }
        for (edge, hand) in actual.edges.values_mut().zip(&hands) {
            match hand {
                0 => edge.standing = EdgeStanding::Removed,
                1 => edge.managed_by = ManagedBy::Operator,
                _ => {}
            }
        }
        for (alias, hand) in actual.aliases.values_mut().zip(&hands) {
            if *hand == 0 {
                alias.managed_by = ManagedBy::Operator;
            }
        }
        actual
    })
}

fn live_on(member: &mut ActualMember, life: u8) {
    let process = match life {
        0 | 1 => return,
        2 => {
            member.membership = MembershipState::Ended;
            ProcessState::None
        }
        3 => {
            member.standing = Some(MemberStanding::Broken);
            member.is_settled = true;
            ProcessState::None
        }
        4 => {
            member.membership = MembershipState::Stranger;
            member.standing = Some(MemberStanding::RetiredIdle);
            member.is_settled = true;
            ProcessState::None
        }
        // The process was started for a cause.
        _ => ProcessState::Of(member.specified.unwrap_or(Digest([0; 32]))),
    };
    member.process = process;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn r21_a_plan_that_was_carried_out_leaves_nothing_to_do(
        declared in rosters(),
        actual in states(),
    ) {
        let actions = plan(&declared, &actual);
        prop_assert_eq!(&plan(&declared, &actual), &actions, "the same inputs, the same actions");
        let mut after = actual.clone();
        for action in &actions {
            apply(action, &declared, &mut after);
        }
        after.roster = Some(declared.digest());
        prop_assert_eq!(plan(&declared, &after), vec![]);
        for (run, member) in &declared.members {
            let row = &after.members[run];
            prop_assert_eq!(row.specified, Some(member.digest), "{} is in the roster", run);
            let is_kept = row.process == ProcessState::Of(member.digest)
                || row.standing == Some(MemberStanding::Dormant)
                || row.membership == MembershipState::Ended
                || row.is_settled;
            prop_assert!(is_kept, "{} {:?}", run, row);
        }
    }
}

fn roster_of(members: &[(&str, &str)]) -> EffectiveRoster {
    let members = members.iter().map(|(run, command)| {
        let ids = (run.parse().unwrap(), "agent".parse().unwrap());
        MemberSpec::new(ids.0, ids.1, "task".parse().unwrap(), json!(command))
    });
    let parts = DeclaredParts {
        members: members.collect(),
        ..DeclaredParts::default()
    };
    Layers::of(Declared::check(parts).unwrap()).effective(&DigestKey::from([1; 32]))
}

#[track_caller]
fn check(declared: &EffectiveRoster, actual: &Actual, expected: &[&str]) {
    let actions = plan(declared, actual);
    let shown: Vec<String> = actions.iter().map(ToString::to_string).collect();
    let without_aliases: Vec<&str> = shown
        .iter()
        .map(String::as_str)
        .filter(|it| !it.contains("alias"))
        .collect();
    assert_eq!(without_aliases, expected);
}

fn kept(declared: &EffectiveRoster) -> Actual {
    let mut actual = Actual::default();
    for action in plan(declared, &actual) {
        apply(&action, declared, &mut actual);
    }
    actual.roster = Some(declared.digest());
    actual
}

#[test]
fn r13_what_is_no_longer_declared_is_retired_and_the_rest_is_retained() {
    let both = roster_of(&[("a", "1"), ("b", "1")]);
    check(
        &both,
        &Actual::default(),
        &["specify a", "specify b", "start a", "start b"],
    );
    check(&roster_of(&[("a", "1")]), &kept(&both), &["retire b"]);
}

#[test]
fn r35_what_was_retired_idle_comes_back_only_under_another_roster() {
    let one = roster_of(&[("a", "1")]);
    let mut actual = kept(&one);
    live_on(actual.members.values_mut().next().unwrap(), 4);
    check(&one, &actual, &[]);
    let other = roster_of(&[("a", "1"), ("b", "1")]);
    check(&other, &actual, &["specify b", "start a", "start b"]);
}

#[test]
fn a_member_that_ended_by_itself_is_not_started_again() {
    let one = roster_of(&[("a", "1")]);
    let mut actual = kept(&one);
    live_on(actual.members.values_mut().next().unwrap(), 2);
    check(&one, &actual, &[]);
    check(&roster_of(&[]), &actual, &["forget a"]);
}

#[test]
fn a_guest_that_nobody_declared_is_left_alone() {
    let guest = ActualMember {
        membership: MembershipState::Member,
        layer: None::<RosterLayer>,
        ..ActualMember::default()
    };
    let actual = Actual {
        members: BTreeMap::from([("guest".parse().unwrap(), guest)]),
        ..Actual::default()
    };
    check(&roster_of(&[]), &actual, &[]);
}
