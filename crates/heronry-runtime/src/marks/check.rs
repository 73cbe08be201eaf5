//! Comparing a store with its mark.

use std::fmt;

use heronry_store::{Store, StoreError, StoreErrorKind, stands_on};
use heronry_types::{Cursor, PoolId};

use super::{MarkedHead, Marks};

/// A pool whose journal does not hold the head that the mark of its store names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RolledBack {
    /// The pool.
    pub pool: PoolId,
    /// The head that the mark names: it was acknowledged.
    pub marked: Cursor,
    /// The head that the store has; nothing when the pool is not there.
    pub found: Option<Cursor>,
}

impl fmt::Display for RolledBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { marked, found, .. } = self;
        match found {
            Some(found) if found.position < marked.position => write!(
                f,
                "the store was rolled back: the pool ends at {found}, and the mark beside the store says {marked}"
            ),
            Some(found) => write!(
                f,
                "the store was rolled back: the pool ends at {found}, and has another record at {marked}, \
                 which the mark beside the store names"
            ),
            None => write!(
                f,
                "the store was rolled back: the pool is not there, and the mark beside the store says {marked}"
            ),
        }
    }
}

/// Returns the pools of a store that do not hold the heads that a mark names, sorted.
///
/// A pool whose journal cannot be read at the head in the mark is damaged, and not among them:
/// reading it reports the damage. A pool that was trimmed beyond that head cannot be compared, and is
/// not among them either.
///
/// # Errors
/// The store's failure.
pub async fn rolled_back(store: &Store, marks: &Marks) -> Result<Vec<RolledBack>, StoreError> {
    let journal = &*store.journal;
    let mut found = Vec::new();
    for MarkedHead { pool, at } in marks.iter() {
        match stands_on(journal, pool, at).await {
            Ok(true) => {}
            Ok(false) => {
                let head = journal.head(pool).await?;
                if head.is_some_and(|head| at.position.next() < head.floor) {
                    continue;
                }
                found.push(RolledBack {
                    pool: pool.clone(),
                    marked: Cursor::new(at.epoch, at.position),
                    found: head.map(|head| Cursor::new(head.epoch, head.head)),
                });
            }
            Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                tracing::warn!(%pool, %error, "the pool cannot be compared with its mark");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
