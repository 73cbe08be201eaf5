//! The projections port: rows that a consumer makes of events, in one transaction with its cursor.

use std::{collections::BTreeMap, ops::ControlFlow};

use async_trait::async_trait;
use heronry_types::PoolId;

use crate::{ConsumerCursor, ConsumerError, ConsumerId, StoreError};

/// The longest key of a row, in bytes.
pub const PROJECTION_KEY_BYTES_MAX: usize = 1_024;
/// The largest value of a row, in bytes.
pub const PROJECTION_VALUE_BYTES_MAX: usize = 256 * 1024;
/// The most changes of one commit.
pub const PROJECTION_CHANGES_MAX: usize = 10_000;
/// The most bytes of keys and values in one commit.
pub const PROJECTION_COMMIT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most rows of a projection.
pub const PROJECTION_ROWS_MAX: usize = 100_000;
/// The most bytes of keys and values of a projection.
pub const PROJECTION_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A change of one row of a projection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ProjectionChange {
    /// The row has this value, whether it was there or not.
    Put {
        /// The key of the row; not empty.
        key: Vec<u8>,
        /// The value of the row; it may be empty.
        value: Vec<u8>,
    },
    /// The row is gone, whether it was there or not.
    Delete {
        /// The key of the row; not empty.
        key: Vec<u8>,
    },
}

impl ProjectionChange {
    /// Returns the key of the row.
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }

    /// Returns the value that the row has then; `None` when it is gone.
    pub fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Put { value, .. } => Some(value),
            Self::Delete { .. } => None,
        }
    }
}

/// A row of a projection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProjectionRow {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// A step of a consumer: from where it is expected to stand to where it stands then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConsumerStep {
    /// The cursor that the caller believes the consumer to have; `None` for a new one.
    pub expected: Option<ConsumerCursor>,
    /// The cursor that it is to have.
    pub next: ConsumerCursor,
}

/// A part of a projection, to be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RowRange<'a> {
    /// The key after which rows are read; `None` reads from the first one.
    pub after: Option<&'a [u8]>,
    /// The most rows; 0 counts as 1.
    pub rows_max: usize,
    /// The most bytes of keys and values. One row is returned even when it is larger.
    pub bytes_max: usize,
}

/// The size of a projection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ProjectionSize {
    /// The number of rows.
    pub rows: usize,
    /// The bytes of their keys and values.
    pub bytes: usize,
}

/// Rows that named consumers make of what they read. The rows of a consumer and its cursor change in
/// one transaction, so that each event counts once in them, whatever crashes.
///
/// A projection is the consumer's: it is there as long as the consumer is, and goes with it. It can be
/// made again from the journal as far as that is kept. Neither a copy nor a move of a store carries
/// one; a move leaves the cursor of a consumer with rows behind as well, so that it begins anew.
///
/// Contract; each rule has a conformance case of the same name in `heronry-testkit`:
/// 1. *together*: after a commit the cursor stands at the step's end and every row is as its last
///    change says; after a commit that was refused, cursor and rows are as before.
/// 2. *compared*: a step with another expectation than what is there is refused with what is there,
///    as by [`Cursors::commit`](crate::Cursors::commit), and so is one above the durable head, one of
///    no pool, and one consumer too many.
/// 3. *ordered*: rows are returned in the order of the bytes of their keys, each once, after the key
///    that was asked for, at most as many as were asked for, and at least one when there is one.
/// 4. *apart*: the rows of a consumer are apart from those of other consumers and pools, whatever
///    characters names and keys have.
/// 5. *bounded*: more or larger changes than the constants of this module say, and a projection that
///    would be larger, are refused with [`ConsumerError::TooLarge`], an empty key with
///    [`ConsumerError::EmptyKey`].
/// 6. *one winner*: of several commits with the same expectation at the same time one is taken, with
///    its rows and no others.
/// 7. *deleted*: with its consumer a projection is gone, and with its pool.
/// 8. *gated*: nothing is returned whose sync has not succeeded.
/// 9. *kept*: what was acknowledged is there after reopening, as `capabilities().durability` promises.
/// 10. *checked*: damage of a row is [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt), never
///     another value; deleting the consumer works on a damaged one.
/// 11. *sealed* and *fail-stop*: as in [`Journal`](crate::Journal).
#[async_trait]
pub trait Projections: Send + Sync {
    /// Moves a consumer, and changes rows of its projection, in one transaction. The last change of a
    /// key counts.
    ///
    /// After a crash all of it is there, or nothing.
    ///
    /// # Errors
    /// [`ConsumerError`].
    async fn commit(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        step: ConsumerStep,
        changes: Vec<ProjectionChange>,
    ) -> Result<(), ConsumerError>;

    /// Returns the value of a row; nothing when there is no such row, consumer or pool.
    ///
    /// # Errors
    /// The store's failure; damage is [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt).
    async fn get(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Returns rows in the order of their keys.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn scan(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        range: RowRange<'_>,
    ) -> Result<Vec<ProjectionRow>, StoreError>;
}

/// The last change of each row of a commit, in the order of the keys: its value, or `None` when the
/// row is gone.
pub type RowChanges = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Checks what every adapter checks of changes before it writes any, their number and their sizes, and
/// returns the last one of each row.
///
/// # Errors
/// [`ConsumerError::TooLarge`] and [`ConsumerError::EmptyKey`].
pub fn judge_changes(changes: Vec<ProjectionChange>) -> Result<RowChanges, ConsumerError> {
    judge_size(
        "number of changes of a commit",
        changes.len(),
        PROJECTION_CHANGES_MAX,
    )?;
    let mut bytes = 0_usize;
    for change in &changes {
        let (key, value) = (change.key().len(), change.value().map_or(0, <[u8]>::len));
        if key == 0 {
            return Err(ConsumerError::EmptyKey);
        }
        judge_size("length of a key in bytes", key, PROJECTION_KEY_BYTES_MAX)?;
        judge_size(
            "length of a value in bytes",
            value,
            PROJECTION_VALUE_BYTES_MAX,
        )?;
        bytes = bytes.saturating_add(key).saturating_add(value);
    }
    judge_size(
        "size of a commit in bytes",
        bytes,
        PROJECTION_COMMIT_BYTES_MAX,
    )?;
    let changes = changes.into_iter().map(|change| match change {
        ProjectionChange::Put { key, value } => (key, Some(value)),
        ProjectionChange::Delete { key } => (key, None),
    });
    Ok(changes.collect())
}

/// Returns the size of a projection after changes, when a store takes one of that size. `length_of`
/// returns the length of the value of a row as it is.
///
/// # Errors
/// [`ConsumerError::TooLarge`], and those of `length_of`.
pub fn judge_size_after<E: From<ConsumerError>>(
    before: ProjectionSize,
    changes: &RowChanges,
    mut length_of: impl FnMut(&[u8]) -> Result<Option<usize>, E>,
) -> Result<ProjectionSize, E> {
    let mut size = before;
    for (key, value) in changes {
        let taken = |value: usize| key.len().saturating_add(value);
        let found = length_of(key)?.map(taken);
        let next = value.as_ref().map(|value| taken(value.len()));
        let rows = size.rows.saturating_sub(usize::from(found.is_some()));
        let bytes = size.bytes.saturating_sub(found.unwrap_or(0));
        size = ProjectionSize {
            rows: rows.saturating_add(usize::from(next.is_some())),
            bytes: bytes.saturating_add(next.unwrap_or(0)),
        };
    }
    judge_size(
        "number of rows of a projection",
        size.rows,
        PROJECTION_ROWS_MAX,
    )?;
    judge_size(
        "size of a projection in bytes",
        size.bytes,
        PROJECTION_BYTES_MAX,
    )?;
    Ok(size)
}

/// Rows that are being read, within the limits of a [`RowRange`].
#[derive(Debug)]
pub struct RowPage {
    rows: Vec<ProjectionRow>,
    rows_max: usize,
    bytes_left: usize,
}

impl RowRange<'_> {
    /// Returns the page of this range, with no row.
    pub fn page(&self) -> RowPage {
        RowPage {
            rows: Vec::new(),
            rows_max: self.rows_max.max(1),
            bytes_left: self.bytes_max,
        }
    }
}

impl RowPage {
    /// Takes in the next row; breaks when the page is full, and then the row is not in it.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> ControlFlow<()> {
        let bytes = key.len().saturating_add(value.len());
        let is_over = !self.rows.is_empty() && bytes > self.bytes_left;
        if is_over || self.rows.len() >= self.rows_max {
            return ControlFlow::Break(());
        }
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.rows.push(ProjectionRow {
            key: key.to_vec(),
            value: value.to_vec(),
        });
        ControlFlow::Continue(())
    }

    /// Returns the rows.
    pub fn into_rows(self) -> Vec<ProjectionRow> {
        self.rows
    }
}

fn judge_size(what: &'static str, found: usize, max: usize) -> Result<(), ConsumerError> {
    if found > max {
        return Err(ConsumerError::TooLarge { what, found, max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: ProjectionSize, changes: &[(&str, Option<&str>)], expected: ProjectionSize) {
        let changes: RowChanges = changes
            .iter()
            .map(|(key, value)| {
                (
                    key.as_bytes().to_vec(),
                    value.map(|it| it.as_bytes().to_vec()),
                )
            })
            .collect();
        // The row `there` has a value of three bytes.
        let after = judge_size_after(before, &changes, |key| {
            Ok::<_, ConsumerError>((key == b"there").then_some(3))
        });
        assert_eq!(after.unwrap(), expected);
    }

    #[test]
    fn the_size_of_a_projection_follows_its_rows() {
        let size = |rows, bytes| ProjectionSize { rows, bytes };
        check(size(1, 8), &[], size(1, 8));
        check(size(1, 8), &[("new", Some("1"))], size(2, 12));
        check(size(1, 8), &[("there", Some("1"))], size(1, 6));
        check(size(1, 8), &[("there", None)], size(0, 0));
        check(size(1, 8), &[("none", None)], size(1, 8));
    }

    #[test]
    fn a_projection_has_no_more_rows_than_a_store_takes() {
        let full = ProjectionSize {
            rows: PROJECTION_ROWS_MAX,
            bytes: 8,
        };
        check(
            full,
            &[("there", Some("1"))],
            ProjectionSize { bytes: 6, ..full },
        );
        let one_more = RowChanges::from([(b"new".to_vec(), Some(Vec::new()))]);
        let after = judge_size_after(full, &one_more, |_| Ok::<_, ConsumerError>(None));
        let Err(ConsumerError::TooLarge { found, max, .. }) = after else {
            panic!("{after:?}");
        };
        assert_eq!((found, max), (PROJECTION_ROWS_MAX + 1, PROJECTION_ROWS_MAX));
    }
}
