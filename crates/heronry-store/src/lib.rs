#![doc = include_str!("../README.md")]

pub mod checksum;
mod claims;
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
mod layer;
mod lease;
mod memory_claims;
mod reservation;
pub mod runs;
mod snapshots;
mod store;

pub use claims::{Checkpoint, ClaimEntry, ClaimKey, ClaimName, Claims, NamedClaim};
pub use clock::{Clock, IdSource, Reading};
pub use contents::{
    ContentPack, ContentPlace, Contents, Erasure, Stored, StoredContent, Tombstone,
};
pub use cursors::{
    CONSUMERS_PER_POOL_MAX, Consumer, ConsumerCursor, ConsumerError, ConsumerId, CursorMove,
    Cursors, FilterFingerprint, judge_cursor,
};
pub use custody::Custody;
pub use doorbell::Doorbells;
pub use error::{AppendError, LeaseError, Outcome, ReadError, StoreError, StoreErrorKind};
pub use ext::{JournalExt, RecordPage};
pub use guard::{
    Ownership, judge_append, judge_arrival, judge_content, judge_contents, timelines_after,
};
pub use journal::{
    Arrival, Capabilities, Commit, Guard, Head, Journal, NewContent, Page, Timeline,
};
pub use keyed_map::KeyedMap;
pub use layer::{
    ClaimsLayer, ContentsLayer, CursorsLayer, CustodyLayer, JournalLayer, Layer, Layered,
    LeasesLayer, SnapshotsLayer,
};
pub use lease::{FencingToken, Leases};
pub use memory_claims::MemoryClaims;
pub use reservation::{MoveRoute, Reservation};
pub use snapshots::{SNAPSHOT_BYTES_MAX, Snapshot, Snapshots, judge_snapshot, stands_on};
pub use store::{Adapter, Store};
