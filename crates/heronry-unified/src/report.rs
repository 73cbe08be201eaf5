//! Reports: what a pass, a shutdown or a whole run came to.

use heronry_host::IncarnationEnd;
use heronry_types::{
    AgentId, DeclaredEntry, Digest, Edge, Generation, Labels, MemberStanding, ModuleId,
    ReconcileCounts, ReconcileFailure, ReconcileStage, RosterLayer, RunEnd, RunId, RunsUntil,
};

/// The result of bringing a pool to its roster. One failure stops nothing else.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReconcileReport {
    /// The revision of the roster.
    pub revision: u64,
    /// The number of members that are declared.
    pub desired: u64,
    /// The number of members that were as they should be.
    pub retained: u64,
    /// The members that were changed while they run.
    pub changed: Vec<RunId>,
    /// The members that were started.
    pub started: Vec<RunId>,
    /// The members that were stopped, and started again.
    pub restarted: Vec<RunId>,
    /// The members that were retired.
    pub retired: Vec<RunId>,
    /// The members that joined without a process.
    pub dormant: Vec<RunId>,
    /// The modules that were started, or started again.
    pub modules_started: Vec<ModuleId>,
    /// The modules that were stopped.
    pub modules_stopped: Vec<ModuleId>,
    /// The result for the edges.
    pub edges: EdgesReport,
    /// The failures.
    pub failures: Vec<ReconcileFailure>,
}

impl ReconcileReport {
    /// Returns true when everything is as it is declared.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.edges.is_complete()
    }

    /// Returns true when nothing had to be done.
    pub fn is_unchanged(&self) -> bool {
        self.counts().is_quiet()
            && self.edges.is_unchanged()
            && self.modules_started.is_empty()
            && self.modules_stopped.is_empty()
    }

    /// Returns the numbers of members.
    pub fn counts(&self) -> ReconcileCounts {
        let number = |runs: &Vec<RunId>| runs.len() as u64;
        ReconcileCounts {
            desired: self.desired,
            retained: self.retained,
            changed: number(&self.changed),
            started: number(&self.started),
            restarted: number(&self.restarted),
            retired: number(&self.retired),
            dormant: number(&self.dormant),
            failed: self.failures.len() as u64,
        }
    }

    pub(crate) fn fail(&mut self, of: DeclaredEntry, stage: ReconcileStage, error: &FailureText) {
        self.failures.push(ReconcileFailure {
            of,
            stage,
            kind: error.kind.to_owned(),
            message: error.message.clone(),
        });
    }
}

/// Tells whether counts say that nothing was done.
trait Quiet {
    fn is_quiet(&self) -> bool;
}

impl Quiet for ReconcileCounts {
    fn is_quiet(&self) -> bool {
        let Self {
            desired: _,
            retained: _,
            changed,
            started,
            restarted,
            retired,
            dormant,
            failed,
        } = self;
        [changed, started, restarted, retired, dormant, failed]
            .iter()
            .all(|number| **number == 0)
    }
}

/// A failure in words: its kind for programs, and the rest for people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FailureText {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

/// The result of a pass for the edges of a pool.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct EdgesReport {
    /// The edges that were as they should be.
    pub retained: u64,
    /// The edges that operators had wired before, and look after.
    pub preexisting: u64,
    /// The edges that were wired.
    pub wired: Vec<Edge>,
    /// The edges that were wired again because somebody had removed them by hand.
    pub healed: Vec<Edge>,
    /// The edges that were unwired.
    pub unwired: Vec<Edge>,
    /// The edges that were let go, because they could not be used any more.
    pub pruned: Vec<Edge>,
    /// The edges that are declared, and have an end that is no member.
    pub skipped_missing_members: Vec<Edge>,
    /// The number of aliases that were set.
    pub aliases_set: u64,
    /// The number of aliases that were removed.
    pub aliases_removed: u64,
    /// The failures.
    pub failures: Vec<ReconcileFailure>,
}

impl EdgesReport {
    /// Returns true when every edge is as it is declared.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.skipped_missing_members.is_empty()
    }

    /// Returns true when nothing had to be done.
    pub fn is_unchanged(&self) -> bool {
        let changed = [&self.wired, &self.healed, &self.unwired, &self.pruned];
        changed.iter().all(|edges| edges.is_empty())
            && self.aliases_set == 0
            && self.aliases_removed == 0
            && self.failures.is_empty()
    }
}

/// A member of the roster as it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MemberStatus {
    /// The run.
    pub run: RunId,
    /// The agent that it is a run of; `None` for one that is no longer declared.
    pub agent: Option<AgentId>,
    /// The layer that its spec comes from.
    pub layer: Option<RosterLayer>,
    /// The digest of its spec.
    pub digest: Option<Digest>,
    /// Its labels.
    pub labels: Labels,
    /// The time until which it runs.
    pub until: RunsUntil,
    /// Its standing; `None` before the first.
    pub standing: Option<MemberStanding>,
    /// The reason for the standing.
    pub why: Option<String>,
    /// Its present joining; `None` when it is no member.
    pub generation: Option<Generation>,
    /// The number by which the system knows its process.
    pub process_id: Option<u32>,
    /// The number of its restarts.
    pub restarts: u32,
    /// The last end of its process.
    pub last_end: Option<IncarnationEnd>,
    /// The end of its run; `None` while it goes on.
    pub ended: Option<RunEnd>,
    /// True when its run had ended before this runtime began.
    pub ended_earlier: bool,
}

/// The stewardship after a shutdown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum StewardshipAfter {
    /// It was given back.
    Released,
    /// It was kept, because something may still run.
    #[default]
    Kept,
    /// Another steward had it already.
    Lost,
}

/// Something that could not be stopped: it may still run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotStopped {
    /// Its run or module.
    pub name: String,
    /// The reason.
    pub why: String,
}

/// The result of a shutdown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// The members that were stopped, in the order in which they ended.
    pub members: Vec<RunId>,
    /// The modules that were stopped, in the order in which they ended.
    pub modules: Vec<ModuleId>,
    /// The runs and modules that had to be killed.
    pub killed: Vec<String>,
    /// The things that may still run.
    pub not_stopped: Vec<NotStopped>,
    /// The stewardship.
    pub stewardship: StewardshipAfter,
    /// The things that could not be recorded, for people.
    pub troubles: Vec<String>,
    /// The members, as they stood at the end.
    pub standings: Vec<MemberStatus>,
}

impl ShutdownReport {
    /// Returns true when nothing runs any more, and the pool is given back.
    pub fn is_complete(&self) -> bool {
        self.not_stopped.is_empty()
            && self.troubles.is_empty()
            && self.stewardship != StewardshipAfter::Kept
    }
}

/// The reason why a run of a whole roster ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RunEndedBy {
    /// Every member that is waited for has ended.
    Done,
    /// The caller asked for it.
    Asked,
    /// Another steward took the pool.
    Fenced,
}

/// The result of a run of a whole roster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RunReport {
    /// The reason why it ended.
    pub ended_by: RunEndedBy,
    /// The members, as they stood at the end.
    pub members: Vec<MemberStatus>,
    /// The shutdown.
    pub shutdown: ShutdownReport,
}

/// The result of asking the sources of members again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RediscoverReport {
    /// The number of members that the sources found.
    pub discovered: u64,
    /// The runs that were found twice: the second of each does not count.
    pub found_twice: Vec<RunId>,
    /// The reconcile that followed.
    pub reconcile: ReconcileReport,
}
