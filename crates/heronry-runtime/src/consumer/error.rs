//! The errors of holders of named consumers.

use heronry_event::filter::Fingerprint;
use heronry_pool::Rejection;
use heronry_store::{ConsumerError, ConsumerId, StoreError};
use heronry_types::Cursor;

use crate::{CallError, EventsError};

/// The error of a holder of a named consumer. Unless it says otherwise, nothing was committed.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// Somebody in this process holds the consumer.
    #[error(
        "consumer {name} is held, by generation {generation}; stop that holder, or take the consumer over"
    )]
    Held {
        /// The consumer.
        name: ConsumerId,
        /// The generation of its holder.
        generation: u64,
    },
    /// Another holder took the consumer over. What was read since the last commit is read again by
    /// that one.
    #[error(
        "consumer {name} was taken over: this holder is of generation {held}, and the present one of generation {current}; stop, or take it over again"
    )]
    Fenced {
        /// The consumer.
        name: ConsumerId,
        /// The generation of this holder.
        held: u64,
        /// The generation of the present holder.
        current: u64,
    },
    /// The consumer was forgotten while it was held, or nobody ever held it.
    #[error(
        "there is no consumer {name} in this pool: it was forgotten, or never was; list the consumers to see which there are"
    )]
    NotThere {
        /// The consumer.
        name: ConsumerId,
    },
    /// The cursor of the consumer is of another filter.
    #[error(
        "consumer {name} has the cursor of filter {found}, and {asked} is asked for; take another name, or accept that what the new filter finds before the cursor is not seen"
    )]
    FilterChanged {
        /// The consumer.
        name: ConsumerId,
        /// The fingerprint of the filter that the cursor is of.
        found: Fingerprint,
        /// The fingerprint of the filter that was asked for.
        asked: Fingerprint,
    },
    /// The pool does not take the cursor of the consumer any more, and no recovery was asked for.
    #[error("consumer {name} is stale: {why}; claim it with a recovery, or forget it")]
    Stale {
        /// The consumer.
        name: ConsumerId,
        /// The rejection of its cursor: ahead, trimmed or of another journal.
        #[source]
        why: Rejection,
    },
    /// A cursor to be committed is not one of this pool's journal.
    #[error("cursor cannot be committed: {0}")]
    NotCommitted(#[source] Rejection),
    /// A cursor to be committed is before the one that is committed.
    #[error(
        "cursor {asked} is before {committed}, which is committed; a consumer only goes forwards"
    )]
    Behind {
        /// The cursor.
        asked: Cursor,
        /// The committed cursor.
        committed: Cursor,
    },
    /// A batch whose rows are to be kept does not begin where the consumer stands: it was projected
    /// before, or an earlier commit whose answer was lost was kept, or a batch was left out.
    #[error(
        "consumer {name} stands at {stands}, and the batch begins elsewhere; open the consumer again and go on from there"
    )]
    Elsewhere {
        /// The consumer.
        name: ConsumerId,
        /// The cursor that is committed.
        stands: Cursor,
    },
    /// The pool has as many consumers as a pool may have, or a projection is larger than a store
    /// takes.
    #[error(transparent)]
    TooMuch(ConsumerError),
    /// Events could not be read.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// The pool has stopped, or did not record that the consumer was reset.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The store failed. A commit that was under way may have been kept: the next one finds out.
    #[error(transparent)]
    Store(#[from] StoreError),
}
