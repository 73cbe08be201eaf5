//! The chunk that starts a timeline.

use heronry_journal::{Body, Chunk, ChunkWriter, Entry, EpochStarted};
use heronry_store::{StoreError, StoreErrorKind};
use heronry_types::{Actor, Cursor, Epoch, EpochReason, Lineage, PoolId, Timestamp, Visibility};

/// The start of a timeline.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimelineStart {
    /// The reason.
    pub reason: EpochReason,
    /// The epoch of the new timeline.
    pub epoch: Epoch,
    /// The acknowledged head that the journal does not hold any more, where one is known.
    pub lost: Option<Cursor>,
}

/// Makes the chunk whose one record starts a timeline of a pool after its last chunk.
///
/// # Errors
/// [`TooLarge`](StoreErrorKind::TooLarge), which an id, two epochs and a cursor never are.
pub fn start_after(
    last: &Chunk,
    pool: &PoolId,
    start: TimelineStart,
    now: Timestamp,
) -> Result<Chunk, StoreError> {
    let TimelineStart {
        reason,
        epoch,
        lost,
    } = start;
    let (previous, time) = (last.header().epoch, last.header().recorded_at);
    let mut writer = ChunkWriter::new(epoch, last.last(), last.hash(), time.max(now));
    let entry = Entry {
        lineage: Lineage::of_pool(pool.clone()),
        actor: Actor::Operator,
        visibility: Visibility::InScope,
        body: Body::EpochStarted(EpochStarted {
            reason,
            epoch,
            previous,
            lost,
        }),
    };
    // An id, two epochs and a cursor are far smaller than a chunk.
    let pushed = writer.push(&entry);
    debug_assert!(pushed.is_ok(), "the start of a timeline fits into a chunk");
    writer.finish().pop().ok_or_else(|| {
        let detail = "the record that starts a timeline does not fit";
        StoreError::new(StoreErrorKind::TooLarge, "append", detail)
    })
}
