//! Bodies that were stored by themselves and that no message has named so far.

use std::collections::{BTreeMap, HashMap};

use heronry_journal::{ContentStored, Record};
use heronry_types::{ContentRef, Digest, MediaType, Position, RunId, Timestamp};

use crate::state::{
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

/// The least number of bytes that a body counts as: what a store and its index take for one.
const COUNTED_BYTES_MIN: u64 = 4 * 1_024;

/// A body that no message has named so far.
#[derive(Clone, Debug)]
pub(crate) struct UnnamedContent {
    /// The record that says so.
    pub(crate) stored: Position,
    /// The run that it was stored for; absent when an operator named none.
    pub(crate) run: Option<RunId>,
    /// The BLAKE3 digest of its bytes.
    pub(crate) digest: Digest,
    /// Its media type.
    pub(crate) media_type: MediaType,
    /// The size of the body, in bytes.
    pub(crate) bytes: u64,
    /// The time when it expires.
    pub(crate) expires_at: Timestamp,
}

/// The bodies that no message has named so far, and how many bytes they have.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnnamedContents {
    by_ref: BTreeMap<ContentRef, UnnamedContent>,
    bytes: u64,
    bytes_of: HashMap<RunId, u64>,
    /// The last record that erased a body which had been stored by itself.
    last_erasure: Position,
}

impl UnnamedContent {
    pub(crate) fn of(record: &Record, body: &ContentStored) -> Self {
        Self {
            stored: record.position,
            run: record.entry.lineage.run.clone(),
            digest: body.digest,
            media_type: body.media_type.clone(),
            bytes: body.body_bytes,
            expires_at: body.expires_at,
        }
    }
}

impl UnnamedContents {
    /// Returns as how many bytes a body of this size counts.
    pub(crate) fn counted(bytes: u64) -> u64 {
        bytes.max(COUNTED_BYTES_MIN)
    }

    pub(crate) fn get(&self, content: ContentRef) -> Option<&UnnamedContent> {
        self.by_ref.get(&content)
    }

    /// Returns all of them, by their references.
    pub(crate) fn all(&self) -> &BTreeMap<ContentRef, UnnamedContent> {
        &self.by_ref
    }

    /// Returns as how many bytes all of them count.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns as how many bytes those of a run count.
    pub(crate) fn bytes_of(&self, run: &RunId) -> u64 {
        self.bytes_of.get(run).copied().unwrap_or(0)
    }

    /// Walks the runs that have any, in no order.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &RunId> + '_ {
        self.bytes_of.keys()
    }

    pub(crate) fn last_erasure(&self) -> Position {
        self.last_erasure
    }

    pub(crate) fn insert(&mut self, content: ContentRef, unnamed: UnnamedContent) {
        let counted = Self::counted(unnamed.bytes);
        self.bytes += counted;
        if let Some(run) = &unnamed.run {
            *self.bytes_of.entry(run.clone()).or_default() += counted;
        }
        self.by_ref.insert(content, unnamed);
    }

    pub(crate) fn remove(&mut self, content: ContentRef) -> Option<UnnamedContent> {
        let unnamed = self.by_ref.remove(&content)?;
        let counted = Self::counted(unnamed.bytes);
        self.bytes -= counted;
        if let Some(run) = &unnamed.run
            && let Some(sum) = self.bytes_of.get_mut(run)
        {
            *sum -= counted;
            if *sum == 0 {
                self.bytes_of.remove(run);
            }
        }
        Some(unnamed)
    }

    pub(crate) fn note_erasure(&mut self, erased: Position) {
        self.last_erasure = erased;
    }
}

impl UnnamedContents {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            by_ref,
            last_erasure,
            // The sums follow from the bodies.
            bytes: _,
            bytes_of: _,
        } = self;
        to.list(2);
        to.each(by_ref.iter(), |to, (content, unnamed)| {
            to.put((content, unnamed.fields()));
        });
        to.put(last_erasure);
    }

    pub(super) fn decode(&mut self, from: &mut Decoding<'_>) -> Result<(), UnreadableState> {
        from.list(2)?;
        let bodies: Vec<(ContentRef, UnnamedContent)> = from.list_of(|from| {
            from.list(2)?;
            Ok((from.take()?, UnnamedContent::decode(from)?))
        })?;
        let sum = bodies.iter().try_fold(0_u64, |sum, (_, unnamed)| {
            sum.checked_add(Self::counted(unnamed.bytes))
        });
        if sum.is_none() {
            return Err(from.malformed("bodies of more bytes than there are"));
        }
        for (content, unnamed) in bodies {
            self.insert(content, unnamed);
        }
        self.last_erasure = from.take()?;
        Ok(())
    }
}
