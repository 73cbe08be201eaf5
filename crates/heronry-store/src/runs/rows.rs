//! The rows that runs lie in, wherever a store keeps them.

use std::ops::ControlFlow;

use crate::StoreError;

/// The rows of the keys of one pool, where they are.
pub trait RunRows {
    /// Walks the rows of a range until it is told to stop.
    ///
    /// # Errors
    /// Rows that cannot be read.
    fn walk(&self, range: KeyRange<'_>, order: Order, see: &mut See<'_>) -> Result<(), StoreError>;
}

/// The keys of the rows between two of them, both included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyRange<'a> {
    /// The lowest key.
    pub from: &'a [u8],
    /// The highest key.
    pub to: &'a [u8],
}

impl<'a> KeyRange<'a> {
    /// Returns the range between two keys, both included.
    pub fn new(from: &'a [u8], to: &'a [u8]) -> Self {
        Self { from, to }
    }

    /// Returns the range of one key.
    pub fn one(key: &'a [u8]) -> Self {
        Self::new(key, key)
    }
}

/// The order in which rows are walked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// From the first key to the last.
    Ascending,
    /// From the last key to the first.
    Descending,
}

/// Sees a row, as key and value, and says whether to go on.
pub type See<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;
