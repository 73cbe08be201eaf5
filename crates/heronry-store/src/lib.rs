#![doc = include_str!("../README.md")]

pub mod checksum;
mod clock;
mod contents;
mod cursors;
mod custody;
mod doorbell;
mod error;
mod ext;
mod guard;
mod journal;
mod keyed_map;
mod keys;
mod layer;
mod lease;
mod memory_keys;
mod projections;
mod reservation;
pub mod runs;
mod snapshots;
mod store;

pub use clock::{Clock, IdSource, Reading};
pub use contents::{
    ContentPack, ContentPlace, Contents, Erasure, Stored, StoredContent, Tombstone,
};
pub use cursors::{
    CONSUMERS_PER_POOL_MAX, ConsumerCursor, ConsumerError, ConsumerStanding, CursorMove, Cursors,
    FilterFingerprint, Tenure, judge_cursor,
};
pub use custody::Custody;
pub use doorbell::Doorbells;
pub use error::{
    AppendError, CommitOutcome, LeaseError, ReadError, RenewError, StoreError, StoreErrorKind,
};
pub use ext::{JournalExt, RecordPage};
pub use guard::{
    Ownership, judge_append, judge_arrival, judge_baseline, judge_content, judge_contents,
    timelines_after,
};
pub use heronry_types::ConsumerId;
pub use journal::{
    Arrival, Capabilities, Commit, Guard, Head, Journal, NewContent, Page, Timeline,
};
pub use keyed_map::KeyedMap;
pub use keys::{Checkpoint, KEYED_ENTRY_BYTES, KeyEntry, KeyHash, KeyName, KeyedEntry, Keys};
pub use layer::{
    ContentsLayer, CursorsLayer, CustodyLayer, JournalLayer, KeysLayer, Layer, Layered,
    LeasesLayer, ProjectionsLayer, SnapshotsLayer,
};
pub use lease::{FencingToken, LEASE_TERM, Leases, Sharing};
pub use memory_keys::MemoryKeys;
pub use projections::{
    ConsumerStep, PROJECTION_BYTES_MAX, PROJECTION_CHANGES_MAX, PROJECTION_COMMIT_BYTES_MAX,
    PROJECTION_KEY_BYTES_MAX, PROJECTION_ROWS_MAX, PROJECTION_VALUE_BYTES_MAX, ProjectionChange,
    ProjectionRow, ProjectionSize, Projections, RowChanges, RowPage, RowRange, judge_changes,
    judge_size_after,
};
pub use reservation::{MoveRoute, Reservation};
pub use snapshots::{SNAPSHOT_BYTES_MAX, Snapshot, Snapshots, judge_snapshot, stands_on};
pub use store::{Adapter, Store};
