//! Effects: how they end, and where they stand.

use super::vocabulary;

vocabulary! {
    /// How an effect ended.
    EffectOutcome {
        Succeeded = "succeeded",
        Failed = "failed",
    }
}

vocabulary! {
    /// Where an effect stands.
    EffectStanding {
        /// The generation that intended it lives on, and may still say how it ended.
        Pending = "pending",
        /// Its generation has ended, and it has a key: doing it again does no harm.
        RetrySafe = "retry_safe",
        /// Its generation has ended, and it has no key: nobody knows whether it was done.
        UnsafePending = "unsafe_pending",
        /// It has a result.
        Finished = "finished",
    }
}

vocabulary! {
    /// Why the result of an effect was refused.
    EffectFault {
        /// There is no such effect of the run.
        Unknown = "unknown",
        /// It has a result already.
        Finished = "finished",
        /// A later attempt, or a later generation, has taken it over.
        Stale = "stale",
    }
}
