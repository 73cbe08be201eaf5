//! References and ids that follow from a request: a retry mints the same ones.

use std::fmt::{self, Write as _};

use heronry_types::{ContentRef, Epoch, IdempotencyKey, MessageId, RunId, WakeId};

/// Derives references and ids from (timeline, run, key) under a secret key.
#[derive(Clone)]
pub struct Minter {
    secret: [u8; 32],
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Minter(secret)")
    }
}

impl Minter {
    /// Returns a minter under a secret key: unguessable without it.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// Returns the reference of the body of a keyed request.
    pub fn content_ref(&self, epoch: Epoch, run: &RunId, key: &IdempotencyKey) -> ContentRef {
        ContentRef::from_bits(self.derive("content", epoch, run, key))
    }

    pub(crate) fn message_id(&self, epoch: Epoch, run: &RunId, key: &IdempotencyKey) -> MessageId {
        let text = hex("m-", self.derive("message", epoch, run, key));
        #[expect(clippy::expect_used, reason = "34 hex characters are an id")]
        MessageId::parse(text).expect("34 characters of hex are an id")
    }

    pub(crate) fn wake_id(&self, epoch: Epoch, run: &RunId, key: &IdempotencyKey) -> WakeId {
        let text = hex("w-", self.derive("wake", epoch, run, key));
        #[expect(clippy::expect_used, reason = "34 hex characters are an id")]
        WakeId::parse(text).expect("34 characters of hex are an id")
    }

    fn derive(&self, what: &str, epoch: Epoch, run: &RunId, key: &IdempotencyKey) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for part in [
            what.as_bytes(),
            &epoch.0,
            run.as_str().as_bytes(),
            key.as_str().as_bytes(),
        ] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut bits = [0; 16];
        hasher.finalize_xof().fill(&mut bits);
        bits
    }
}

fn hex(prefix: &str, bits: [u8; 16]) -> String {
    bits.iter().fold(String::from(prefix), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
