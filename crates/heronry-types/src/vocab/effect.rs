//! Effects: how they end, and where they stand.

use super::vocabulary;

vocabulary! {
    /// The outcome of an effect.
    EffectOutcome {
        Succeeded = "succeeded",
        Failed = "failed",
    }
}

vocabulary! {
    /// The standing of an effect.
    EffectStanding {
        /// The generation that intended the effect lives on, and may still report its result.
        Pending = "pending",
        /// The generation has ended, and the effect has a key: doing it again does no harm.
        RetrySafe = "retry_safe",
        /// The generation has ended, and the effect has no key: nobody knows whether it was done.
        UnsafePending = "unsafe_pending",
        /// The effect has a result.
        Finished = "finished",
    }
}

vocabulary! {
    /// The reason why the result of an effect was refused.
    EffectFault {
        /// The run has no such effect.
        Unknown = "unknown",
        /// The effect has a result already.
        Finished = "finished",
        /// A later attempt, or a later generation, has taken the effect over.
        Stale = "stale",
    }
}
