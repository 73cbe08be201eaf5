//! Words of a pool that is kept as it was declared: members, their edges and the modules beside them.

use super::vocabulary;

vocabulary! {
    /// The standing of a declared member, as its steward sees it.
    MemberStanding {
        /// The member has no process, and is a member: a cause starts it.
        Dormant = "dormant",
        /// The member's process was asked for, and is not ready.
        Starting = "starting",
        /// The member's process runs.
        Active = "active",
        /// The member's run is suspended.
        Suspended = "suspended",
        /// The member's process is being stopped, and the member leaves.
        Retiring = "retiring",
        /// The member left because it was idle for too long.
        RetiredIdle = "retired_idle",
        /// The member's restarts are used up.
        Broken = "broken",
    }
}

vocabulary! {
    /// The standing of a module.
    ModuleStanding {
        /// The module's process was asked for, and is not ready.
        Starting = "starting",
        /// The module's process runs and is ready.
        Healthy = "healthy",
        /// The module's restarts are used up, or it could not be started.
        Failed = "failed",
        /// The module's process ended, and is started again.
        Restarting = "restarting",
        /// The module was stopped.
        Stopped = "stopped",
    }
}

vocabulary! {
    /// The layer of a roster that an entry comes from. A later layer covers an earlier one.
    RosterLayer {
        /// A manifest or a program declared the entry.
        Declared = "declared",
        /// A source of members found the entry.
        Discovered = "discovered",
        /// An operator added the entry.
        Overlay = "overlay",
    }
}

vocabulary! {
    /// The party that looks after an edge or an alias.
    ManagedBy {
        /// The steward of the pool: what is no longer declared goes.
        Steward = "steward",
        /// An operator: the steward never claims or removes it.
        Operator = "operator",
    }
}

vocabulary! {
    /// The standing of an edge.
    EdgeStanding {
        /// The runs at its ends may talk to each other.
        Wired = "wired",
        /// An operator removed it, and the steward that looks after it has not let it go: it may not be used.
        Removed = "removed",
    }
}

vocabulary! {
    /// The rule who may send to whom.
    Peering {
        /// Every member reaches every other.
        Open = "open",
        /// A member reaches those that it has an edge with.
        Wired = "wired",
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the vocabulary macro takes no attributes of variants"
)]
impl Default for Peering {
    fn default() -> Self {
        Self::Open
    }
}

impl Peering {
    /// Returns the rule as settings keep it: nothing for the usual one.
    #[must_use]
    pub fn normalised(self) -> Option<Self> {
        match self {
            Self::Open => None,
            Self::Wired => Some(self),
        }
    }
}

vocabulary! {
    /// The step of a reconcile in which something failed.
    ReconcileStage {
        /// The run joins the pool.
        Join = "join",
        /// The host starts the process.
        Start = "start",
        /// The process becomes ready.
        Ready = "ready",
        /// Something is changed in place.
        Change = "change",
        /// The process is stopped, and the run leaves.
        Retire = "retire",
        /// An edge is wired.
        Wire = "wire",
        /// An edge is unwired.
        Unwire = "unwire",
        /// An alias is set or removed.
        Alias = "alias",
    }
}

vocabulary! {
    /// The moment at which a declared member gets a process.
    StartWhen {
        /// At once.
        Eager = "eager",
        /// On a command.
        Lazy = "lazy",
        /// Once a message is accepted for the member, or one of its wakes ends.
        OnMessage = "on_message",
        /// Once one of the member's wakes ends.
        OnWake = "on_wake",
    }
}

vocabulary! {
    /// The category of an error of a runtime that keeps a pool as it was declared.
    RuntimeErrorCategory {
        /// A member or a module could not be started.
        SpawnFailure = "spawn_failure",
        /// A reconcile left something undone.
        ReconcileIncomplete = "reconcile_incomplete",
        /// The sources of members could not be asked again.
        RediscoverFailure = "rediscover_failure",
        /// A host broke down.
        HostCrash = "host_crash",
        /// Events of a member are missing.
        IngressGap = "ingress_gap",
        /// A sink did not take what it was given.
        SinkFailure = "sink_failure",
        /// A projection could not be written.
        ProjectionFailure = "projection_failure",
        /// A snapshot could not be written.
        SnapshotFailure = "snapshot_failure",
        /// The writer of a pool does not answer.
        WriterStalled = "writer_stalled",
        /// The writer of a pool answers again.
        WriterRecovered = "writer_recovered",
        /// The writer of a pool is gone.
        WriterTerminated = "writer_terminated",
        /// Another steward took the pool over.
        StewardLost = "steward_lost",
    }
}

vocabulary! {
    /// The time until which a member runs.
    RunsUntil {
        /// Until it has exited: a job waits for it.
        Exited = "exited",
        /// Until it is stopped, once the job is done.
        Stopped = "stopped",
    }
}

vocabulary! {
    /// The rule by which a process that ended is started again.
    RestartPolicy {
        /// Never.
        Never = "never",
        /// Only after a failure.
        OnFailure = "on_failure",
        /// Always.
        Always = "always",
    }
}

vocabulary! {
    /// The sign by which a process that was started counts as ready.
    ReadyWhen {
        /// None: it is ready when it runs.
        None = "none",
        /// The first command of its run.
        FirstCommand = "first_command",
        /// The first line that it prints.
        Line = "line",
    }
}
