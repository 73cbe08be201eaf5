//! The plan: which actions bring a pool to its roster. Without I/O and without a clock.

mod actual;
mod aliases;
mod edges;
mod members;
mod modules;
#[cfg(test)]
mod tests;

use std::fmt;

use heronry_types::{Address, AliasName, Edge, ModuleId, Peering, RunId};

use crate::declare::EffectiveRoster;

pub use actual::{
    Actual, ActualAlias, ActualEdge, ActualMember, ActualModule, MembershipState, ProcessState,
    SupervisionRules,
};
pub use edges::{EdgeVerdict, EndsOfEdge, JudgedEdge, judge_edges};
pub(crate) use members::sorted as sorted_topics;

/// A part of a spec that changes while its member runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Setting {
    /// The labels.
    Labels,
    /// The topics that it lists.
    Topics,
    /// The rules of restarts and of idle time.
    Supervision,
}

/// One action that brings a pool nearer to its roster.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// The rule who may send to whom is set.
    SetPeering(Peering),
    /// A module is stopped that is no longer declared.
    StopModule(ModuleId),
    /// A module is stopped, and started as it is declared now.
    RestartModule(ModuleId),
    /// A module is started.
    StartModule(ModuleId),
    /// A member that is no longer declared is stopped, and leaves.
    Retire(RunId),
    /// A member that is no longer declared, and is no member any more, leaves the roster.
    Forget(RunId),
    /// A member's spec is recorded.
    Specify(RunId),
    /// Settings of a member change while it runs.
    Change {
        /// The member.
        run: RunId,
        /// The settings.
        settings: Vec<Setting>,
    },
    /// A member is stopped, and started again as it is declared now.
    Restart(RunId),
    /// A member joins without a process.
    Sleep(RunId),
    /// A member joins, and is started.
    Start(RunId),
    /// An edge is unwired that is no longer declared.
    Unwire(Edge),
    /// An edge that is no longer declared, and cannot be used any more, is let go.
    Prune(Edge),
    /// An edge is wired.
    Wire(Edge),
    /// An edge that was removed by hand is wired again.
    Heal(Edge),
    /// An alias is removed that is no longer declared.
    RemoveAlias(AliasName),
    /// An alias is set.
    SetAlias {
        /// The recipient and the channel that it stands for.
        alias: AliasName,
        /// The address that it leads to.
        to: Address,
    },
}

/// Returns the actions that bring a pool to its roster, in the order in which they are taken. A pool that was
/// brought there has none.
pub fn plan(declared: &EffectiveRoster, actual: &Actual) -> Vec<Action> {
    let mut actions = Vec::new();
    let rule = declared.peering.filter(|rule| *rule != actual.peering);
    actions.extend(rule.map(Action::SetPeering));
    modules::plan(declared, actual, &mut actions);
    members::plan(declared, actual, &mut actions);
    edges::plan(declared, actual, &mut actions);
    aliases::plan(declared, actual, &mut actions);
    actions
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alias = |f: &mut fmt::Formatter<'_>, word: &str, alias: &AliasName| {
            let any = |name: Option<&str>| name.unwrap_or("any").to_owned();
            let recipient = any(alias.recipient.as_ref().map(heronry_types::Id::as_str));
            let channel = any(alias.channel.as_ref().map(heronry_types::Id::as_str));
            write!(f, "{word} {recipient} {channel}")
        };
        match self {
            Self::SetPeering(rule) => write!(f, "set peering {rule}"),
            Self::StopModule(module) => write!(f, "stop module {module}"),
            Self::RestartModule(module) => write!(f, "restart module {module}"),
            Self::StartModule(module) => write!(f, "start module {module}"),
            Self::Retire(run) => write!(f, "retire {run}"),
            Self::Forget(run) => write!(f, "forget {run}"),
            Self::Specify(run) => write!(f, "specify {run}"),
            Self::Change { run, settings } => {
                write!(f, "change {run}:")?;
                settings.iter().try_for_each(|it| write!(f, " {it}"))
            }
            Self::Restart(run) => write!(f, "restart {run}"),
            Self::Sleep(run) => write!(f, "sleep {run}"),
            Self::Start(run) => write!(f, "start {run}"),
            Self::Unwire(edge) => write!(f, "unwire {} {}", edge.a(), edge.b()),
            Self::Prune(edge) => write!(f, "prune {} {}", edge.a(), edge.b()),
            Self::Wire(edge) => write!(f, "wire {} {}", edge.a(), edge.b()),
            Self::Heal(edge) => write!(f, "heal {} {}", edge.a(), edge.b()),
            Self::RemoveAlias(name) => alias(f, "remove alias", name),
            Self::SetAlias { alias: name, .. } => alias(f, "set alias", name),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Labels => "labels",
            Self::Topics => "topics",
            Self::Supervision => "supervision",
        })
    }
}
