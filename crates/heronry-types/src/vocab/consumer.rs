//! Named consumers: why their cursors are not taken any more, and what is done then.

use super::vocabulary;

vocabulary! {
    /// The reason why a pool does not take the cursor of a consumer any more.
    ConsumerStaleness {
        /// Records after the cursor were trimmed.
        Trimmed = "trimmed",
        /// The cursor is ahead of the journal.
        Ahead = "ahead",
        /// The cursor is of a timeline that the journal left before it, or of another journal.
        Foreign = "foreign",
    }
}

vocabulary! {
    /// The recovery of a consumer whose cursor the pool does not take any more.
    #[derive(Default)]
    ConsumerRecovery {
        /// The holder is refused, and the cursor stays where it is.
        #[default]
        Fail = "fail",
        /// The consumer goes on at the oldest record that is kept.
        RestartAtFloor = "restart_at_floor",
        /// The consumer goes on after the present head.
        Head = "head",
    }
}
