//! Hashes of requests as they were asked.

use heronry_journal::RequestHash;
use minicbor::Encode;

/// Hashes the parts of a request in canonical CBOR.
pub(crate) struct RequestHasher(Vec<u8>);

impl RequestHasher {
    /// Starts a hash over a command of this kind and version.
    pub(crate) fn new(kind: &str) -> Self {
        let mut hasher = Self(Vec::with_capacity(256));
        hasher.put(kind);
        hasher
    }

    pub(crate) fn put<T: Encode<()>>(&mut self, part: T) {
        // Encoding into a buffer cannot fail: it grows, and no codec here refuses a value.
        let encoded = minicbor::encode(part, &mut self.0);
        debug_assert!(encoded.is_ok(), "a request part has no encoding");
    }

    /// Returns how many bytes were put so far.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn finish(self) -> RequestHash {
        let mut bits = [0; 16];
        bits.copy_from_slice(blake3::hash(&self.0).as_bytes().split_at(16).0);
        RequestHash(bits)
    }
}
