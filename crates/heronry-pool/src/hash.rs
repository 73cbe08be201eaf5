//! Hashes of requests as they were asked.

use heronry_journal::RequestHash;
use minicbor::{Encode, encode::Write};

/// Hashes the parts of a request in canonical CBOR.
pub(crate) struct RequestHasher(blake3::Hasher);

impl Write for RequestHasher {
    type Error = std::convert::Infallible;
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.update(bytes);
        Ok(())
    }
}

impl RequestHasher {
    /// Starts a hash over a command of this kind and version.
    pub(crate) fn new(kind: &str) -> Self {
        let mut hasher = Self(blake3::Hasher::new());
        hasher.put(kind);
        hasher
    }

    pub(crate) fn put<T: Encode<()>>(&mut self, part: T) {
        // Encoding into a hash cannot fail: the writer is infallible and no codec here refuses a value.
        let encoded = minicbor::encode(part, &mut *self);
        debug_assert!(encoded.is_ok(), "a request part has no encoding");
    }

    pub(crate) fn finish(self) -> RequestHash {
        let mut bits = [0; 16];
        self.0.finalize_xof().fill(&mut bits);
        RequestHash(bits)
    }
}
