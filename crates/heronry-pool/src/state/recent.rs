//! The latest ids of something without order, so that it is known when it comes again.

use std::collections::{HashSet, VecDeque};

use heronry_types::SOURCE_WINDOW;
use minicbor::bytes::ByteArray;

use crate::state::{
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

/// The first 16 bytes of the BLAKE3 hash of an id.
type ItemHash = [u8; 16];

/// The latest ids, [`SOURCE_WINDOW`] of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecentItems {
    order: VecDeque<ItemHash>,
    known: HashSet<ItemHash>,
}

impl RecentItems {
    fn hash(id: &str) -> ItemHash {
        let mut bits = [0; 16];
        let hash = blake3::hash(id.as_bytes());
        bits.copy_from_slice(hash.as_bytes().split_at(16).0);
        bits
    }

    /// Returns true when there was none.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Returns true when the id is one of the latest.
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.known.contains(&Self::hash(id))
    }

    /// Notes an id; the oldest one is forgotten when there are too many.
    pub(crate) fn insert(&mut self, id: &str) {
        let hash = Self::hash(id);
        if !self.known.insert(hash) {
            return;
        }
        self.order.push_back(hash);
        if self.order.len() > SOURCE_WINDOW
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self { order, known: _ } = self;
        to.each(order.iter(), |to, hash| to.put(ByteArray::from(*hash)));
    }

    pub(super) fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        let hashes: Vec<ByteArray<16>> = from.list_of(Decoding::take)?;
        let order: VecDeque<ItemHash> = hashes.into_iter().map(ItemHash::from).collect();
        let known = order.iter().copied().collect();
        Ok(Self { order, known })
    }
}
