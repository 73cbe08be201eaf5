//! States and outcomes of messages, copies, claims, wakes and runs.

use super::vocabulary;

vocabulary! {
    /// How urgently a message is handed over.
    Importance {
        Queue = "queue",
        Steer = "steer",
        Interrupt = "interrupt",
    }
}

impl Default for Importance {
    fn default() -> Self {
        Self::Queue
    }
}

vocabulary! {
    /// What a reader says of a copy when it acknowledges it.
    AckOutcome {
        Seen = "seen",
        Done = "done",
        Blocked = "blocked",
        Rejected = "rejected",
    }
}

impl Default for AckOutcome {
    fn default() -> Self {
        Self::Done
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
    /// How a run ended.
    RunEnd {
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
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
    ResumeWith {
        MatchingEventRefs = "matching_event_refs",
        Summary = "summary",
        None = "none",
    }
}

impl Default for ResumeWith {
    fn default() -> Self {
        Self::MatchingEventRefs
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
