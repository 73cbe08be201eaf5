//! Foreign sources of events: what of them is missing in a pool, and why.

use super::vocabulary;

vocabulary! {
    /// The choice what happens to a bridge that finds another one at its source.
    OnAttached {
        /// The new bridge is refused.
        Refuse = "refuse",
        /// The new bridge takes the source over, and the other one is fenced.
        TakeOver = "take_over",
    }
}

vocabulary! {
    /// The reason why events of a source are missing in the pool.
    SourceGapReason {
        /// The source dropped them before they were taken from it.
        Lagged = "lagged",
        /// The pool refuses them, whenever they are reported.
        RefusedPermanently = "refused_permanently",
        /// They cannot be read.
        Unreadable = "unreadable",
        /// They are larger than what is read of one.
        TooLarge = "too_large",
        /// They came after a later one of the source had been taken.
        OutOfOrder = "out_of_order",
        /// The source ended, or was left, before they were taken from it.
        CutOff = "cut_off",
    }
}
