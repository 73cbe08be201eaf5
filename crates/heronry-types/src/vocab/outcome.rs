//! States and outcomes of messages, copies, claims, wakes and runs.

use super::vocabulary;

vocabulary! {
    /// How urgently a message is handed over.
    #[derive(Default)]
    Importance {
        #[default]
        Queue = "queue",
        Steer = "steer",
        Interrupt = "interrupt",
    }
}

vocabulary! {
    /// What a reader says of a copy when it acknowledges it.
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
    /// Where one recipient's copy of a message stands.
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
    /// Where a message stands. `delivered` is the only status that another may follow.
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
    /// Why a claim was given back.
    ReleaseReason {
        Released = "released",
        Lapsed = "lapsed",
        TakenOver = "taken_over",
        Unanswered = "unanswered",
    }
}

vocabulary! {
    /// Why a copy is dead.
    DeadReason {
        Lapsed = "lapsed",
        Released = "released",
        Expired = "expired",
    }
}

vocabulary! {
    /// How a run ended.
    RunEnd {
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

vocabulary! {
    /// Where a run stands. `active` and `suspended` follow each other; the others are for good.
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
    /// Why a suspended run goes on.
    ResumedBy {
        Command = "command",
        Wake = "wake",
        Interrupt = "interrupt",
        Timeout = "timeout",
    }
}

vocabulary! {
    /// How long a run may stay suspended.
    SuspendFor {
        Timeout = "timeout",
        Forever = "forever",
    }
}

vocabulary! {
    /// Where a wake stands. `registered` is the only status that another may follow.
    WakeStatus {
        Registered = "registered",
        Triggered = "triggered",
        TimedOut = "timed_out",
        Cancelled = "cancelled",
        Failed = "failed",
    }
}

vocabulary! {
    /// What a triggered wake hands to its waiter.
    #[derive(Default)]
    ResumeWith {
        #[default]
        MatchingEventRefs = "matching_event_refs",
        Summary = "summary",
        None = "none",
    }
}

vocabulary! {
    /// Why a new timeline of a pool starts.
    EpochReason {
        Fork = "fork",
        Import = "import",
        Copy = "copy",
        Restore = "restore",
        TailLost = "tail_lost",
    }
}

vocabulary! {
    /// Why a pool gives claims more time.
    ResumeCause {
        Opened = "opened",
        Paused = "paused",
    }
}

vocabulary! {
    /// How safely a store keeps what it acknowledged, from least to most.
    Durability {
        Memory = "memory",
        Os = "os",
        Fsync = "fsync",
        Quorum = "quorum",
    }
}
