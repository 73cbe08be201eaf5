#![doc = include_str!("../README.md")]

mod claims;
mod clock;
mod contents;
mod error;
mod journal;
mod lease;
mod store;

pub use claims::{Checkpoint, ClaimEntry, ClaimKey, ClaimName, Claims};
pub use clock::{Clock, IdSource, Reading};
pub use contents::{ContentPlace, Contents, StoredContent};
pub use error::{AppendError, LeaseError, Outcome, ReadError, StoreError, StoreErrorKind};
pub use journal::{Capabilities, Commit, Guard, Head, Journal, NewContent, Page};
pub use lease::{FencingToken, Leases};
pub use store::Store;
