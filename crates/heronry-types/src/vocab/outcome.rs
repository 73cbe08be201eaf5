//! States and outcomes of messages, copies, claims, wakes and runs.

use super::{event::EventKind, vocabulary};

vocabulary! {
    /// The urgency of a message, from least to most.
    #[derive(Default)]
    Importance {
        #[default]
        Queue = "queue",
        Steer = "steer",
        Interrupt = "interrupt",
    }
}

vocabulary! {
    /// The outcome that a reader reports when it acknowledges a copy.
    #[derive(Default)]
    AckOutcome {
        Seen = "seen",
        #[default]
        Done = "done",
        Blocked = "blocked",
        Rejected = "rejected",
    }
}

vocabulary! {
    /// The state of one recipient's copy of a message.
    CopyState {
        Queued = "queued",
        Claimed = "claimed",
        Acked = "acked",
        Expired = "expired",
        Cancelled = "cancelled",
        Dead = "dead",
        Undeliverable = "undeliverable",
    }
}

vocabulary! {
    /// The status of a message. `delivered` is the only status that another may follow.
    MessageStatus {
        Delivered = "delivered",
        Responded = "responded",
        Failed = "failed",
        TimedOut = "timed_out",
        Expired = "expired",
        Cancelled = "cancelled",
        Settled = "settled",
    }
}

impl MessageStatus {
    /// Returns true when no other status can follow.
    pub fn is_over(self) -> bool {
        match self {
            Self::Delivered => false,
            Self::Responded
            | Self::Failed
            | Self::TimedOut
            | Self::Expired
            | Self::Cancelled
            | Self::Settled => true,
        }
    }
}

vocabulary! {
    /// The way in which copies were chosen that were claimed out of their turn.
    ChosenBy {
        /// Their messages were named.
        Name = "name",
    }
}

vocabulary! {
    /// The reason why a claim was given back.
    ReleaseReason {
        Released = "released",
        Lapsed = "lapsed",
        TakenOver = "taken_over",
        Unanswered = "unanswered",
        Dormant = "dormant",
    }
}

vocabulary! {
    /// The reason why a copy is dead.
    DeadReason {
        Lapsed = "lapsed",
        Released = "released",
        Expired = "expired",
    }
}

vocabulary! {
    /// The end of a run.
    RunEnd {
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

vocabulary! {
    /// The state of a run. `active` and `suspended` follow each other; the other states are for good.
    #[derive(Default)]
    RunState {
        #[default]
        Active = "active",
        Suspended = "suspended",
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

impl RunEnd {
    /// Returns the kind of event that tells this end.
    pub fn event_kind(self) -> EventKind {
        match self {
            Self::Completed => EventKind::RunCompleted,
            Self::Failed => EventKind::RunFailed,
            Self::Cancelled => EventKind::RunCancelled,
        }
    }

    /// Returns the end that a kind of event tells; `None` when it tells none.
    pub fn told_by(kind: EventKind) -> Option<Self> {
        use super::Vocabulary as _;
        let mut ends = Self::ALL.iter().copied();
        ends.find(|end| end.event_kind() == kind)
    }
}

impl From<RunEnd> for RunState {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Completed => Self::Completed,
            RunEnd::Failed => Self::Failed,
            RunEnd::Cancelled => Self::Cancelled,
        }
    }
}

vocabulary! {
    /// The cause for which a suspended run goes on.
    ResumedBy {
        Command = "command",
        Wake = "wake",
        Interrupt = "interrupt",
        Timeout = "timeout",
    }
}

vocabulary! {
    /// The longest time that a run may stay suspended: until a timeout, or without end.
    SuspendFor {
        Timeout = "timeout",
        Forever = "forever",
    }
}

vocabulary! {
    /// The status of a wake. `registered` is the only status that another may follow.
    WakeStatus {
        Registered = "registered",
        Triggered = "triggered",
        TimedOut = "timed_out",
        Cancelled = "cancelled",
        Failed = "failed",
    }
}

vocabulary! {
    /// The form in which a triggered wake hands its matches to its waiter.
    #[derive(Default)]
    ResumeWith {
        #[default]
        MatchingEventRefs = "matching_event_refs",
        Summary = "summary",
        None = "none",
    }
}

vocabulary! {
    /// The reason why a new timeline of a pool starts.
    EpochReason {
        Fork = "fork",
        Import = "import",
        Copy = "copy",
        Restore = "restore",
        TailLost = "tail_lost",
    }
}

vocabulary! {
    /// The reason why a pool gives leases and claims more time.
    ResumeCause {
        Opened = "opened",
        Paused = "paused",
    }
}

vocabulary! {
    /// The durability that a store promises for what it acknowledged, from least to most.
    Durability {
        Memory = "memory",
        Os = "os",
        Fsync = "fsync",
        Quorum = "quorum",
    }
}
