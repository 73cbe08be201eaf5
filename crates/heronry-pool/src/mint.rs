//! References and ids that follow from a request: a retry mints the same ones.

use std::fmt;

use heronry_types::{ContentRef, Epoch, IdempotencyKey, MessageId, RunId, WakeId};

/// The purpose of the key that is derived from a secret.
const KEY_CONTEXT: &str = "heronry 2026-11 ids and references of requests";

/// Derives references and ids from (timeline, run, key) under a key that is derived from a secret.
///
/// Earlier builds minted under the secret itself. What they stored by itself is still found and is
/// still its run's; nothing is minted that way any more.
#[derive(Clone)]
pub struct Minter {
    key: [u8; 32],
    /// The key of earlier builds.
    earlier: [u8; 32],
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Minter(secret)")
    }
}

/// The bytes that are minted for one request. They cannot be guessed without the secret.
#[derive(Clone, Copy)]
pub(crate) struct Minted {
    content: [u8; 16],
    id: [u8; 16],
}

impl Minter {
    /// Returns a minter for a secret of 256 bits: nothing that it mints can be guessed without it.
    pub fn new(secret: [u8; 32]) -> Self {
        Self {
            key: blake3::derive_key(KEY_CONTEXT, &secret),
            earlier: secret,
        }
    }

    /// Mints for a keyed request; the same for its every retry.
    pub(crate) fn mint(&self, epoch: Epoch, run: &RunId, key: &IdempotencyKey) -> Minted {
        let request = [
            epoch.0.as_slice(),
            run.as_str().as_bytes(),
            key.as_str().as_bytes(),
        ];
        let [content, id] = halves(hash(&self.key, &request));
        Minted { content, id }
    }

    /// Mints the reference of a body that is stored by itself under a key; the same for its every
    /// retry. An operator may store one for no run.
    pub fn content_ref(
        &self,
        epoch: Epoch,
        run: Option<&RunId>,
        key: &IdempotencyKey,
    ) -> ContentRef {
        stored_ref(&self.key, epoch, run, key)
    }

    /// Returns the reference that an earlier build gave to what [`content_ref`](Self::content_ref)
    /// names, so that a repeat finds what it stored.
    pub fn earlier_content_ref(
        &self,
        epoch: Epoch,
        run: Option<&RunId>,
        key: &IdempotencyKey,
    ) -> ContentRef {
        stored_ref(&self.earlier, epoch, run, key)
    }

    /// Returns the reference of a body that is stored by itself without a key, from random bits.
    /// [`stores`](Self::stores) knows whose it is.
    pub fn signed_ref(&self, random: [u8; 16], run: Option<&RunId>) -> ContentRef {
        signed(&self.key, random, run)
    }

    /// Returns whether a body was stored by itself for this run, or for none: its reference says so to
    /// who has the secret. Another store's references, under another secret, say nothing.
    pub fn stores(&self, run: Option<&RunId>, content_ref: ContentRef) -> bool {
        let bits = content_ref.bits();
        let keys = [&self.key, &self.earlier];
        keys.into_iter()
            .any(|key| bits.ends_with(&mark(key, bits, run)))
    }
}

/// Returns the reference of a body that is stored by itself under an idempotency key.
fn stored_ref(
    secret: &[u8; 32],
    epoch: Epoch,
    run: Option<&RunId>,
    key: &IdempotencyKey,
) -> ContentRef {
    // One part more than a message has: the body of a message under the same key is another.
    let request = [
        b"stored by itself".as_slice(),
        epoch.0.as_slice(),
        run.map_or("", |run| run.as_str()).as_bytes(),
        key.as_str().as_bytes(),
    ];
    let [content, _] = halves(hash(secret, &request));
    signed(secret, content, run)
}

fn signed(secret: &[u8; 32], random: [u8; 16], run: Option<&RunId>) -> ContentRef {
    let mut bits = random;
    if let Some(last) = bits.last_chunk_mut() {
        *last = mark(secret, random, run);
    }
    ContentRef::from_bits(bits)
}

/// Returns the last bytes of a reference, which follow from the others and from the run.
fn mark(secret: &[u8; 32], bits: [u8; 16], run: Option<&RunId>) -> [u8; 4] {
    let (random, _) = bits.split_at(12);
    let request = [
        b"stored for".as_slice(),
        run.map_or("", |run| run.as_str()).as_bytes(),
        random,
    ];
    let [hash, _] = halves(hash(secret, &request));
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

fn hash(secret: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut request = Vec::with_capacity(128);
    for part in parts {
        request.extend_from_slice(&(part.len() as u64).to_le_bytes());
        request.extend_from_slice(part);
    }
    *blake3::keyed_hash(secret, &request).as_bytes()
}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Minted(secret)")
    }
}

fn halves(bits: [u8; 32]) -> [[u8; 16]; 2] {
    let (mut first, mut second) = ([0; 16], [0; 16]);
    first.copy_from_slice(bits.split_at(16).0);
    second.copy_from_slice(bits.split_at(16).1);
    [first, second]
}

impl Minted {
    /// Returns the reference of the request's body.
    pub(crate) fn content_ref(self) -> ContentRef {
        ContentRef::from_bits(self.content)
    }

    /// Returns the id of a message that was sent without one.
    #[expect(clippy::expect_used, reason = "34 plain characters are an id")]
    pub(crate) fn message_id(self) -> MessageId {
        MessageId::parse(hex("m-", self.id)).expect("34 plain characters are an id")
    }

    /// Returns the id of a wake that was registered without one.
    #[expect(clippy::expect_used, reason = "34 plain characters are an id")]
    pub(crate) fn wake_id(self) -> WakeId {
        WakeId::parse(hex("w-", self.id)).expect("34 plain characters are an id")
    }
}

fn hex(prefix: &str, bits: [u8; 16]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let mut text = String::with_capacity(prefix.len() + 32);
    text.push_str(prefix);
    for byte in bits {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> RunId {
        RunId::parse(text).unwrap()
    }

    #[test]
    fn a_reference_says_for_whom_a_body_is_stored_to_who_has_the_secret() {
        let minter = Minter::new([1; 32]);
        let key = IdempotencyKey::parse("k").unwrap();
        let lead = run("lead");
        let by_key = minter.content_ref(Epoch([7; 16]), Some(&lead), &key);
        for content_ref in [minter.signed_ref([9; 16], Some(&lead)), by_key] {
            assert!(minter.stores(Some(&lead), content_ref));
            assert!(!minter.stores(Some(&run("child")), content_ref));
            assert!(!Minter::new([2; 32]).stores(Some(&lead), content_ref));
        }
        let nobodys = minter.signed_ref([9; 16], None);
        assert!(minter.stores(None, nobodys) && !minter.stores(None, by_key));
        assert!(!minter.stores(Some(&lead), nobodys));
        assert_eq!(nobodys.bits()[..12], [9; 12]);
        let again = minter.content_ref(Epoch([7; 16]), Some(&lead), &key);
        assert_eq!(by_key, again);
    }
    #[test]
    fn what_an_earlier_build_stored_is_found_and_is_its_runs() {
        let (secret, epoch) = ([1; 32], Epoch([7; 16]));
        let minter = Minter::new(secret);
        let key = IdempotencyKey::parse("k").unwrap();
        let lead = run("lead");
        let earlier = minter.earlier_content_ref(epoch, Some(&lead), &key);
        // As a build minted it that had no derived keys.
        let expected = "content:9788870e87500b2e76399735f78e6af7";
        assert_eq!(earlier.to_string(), expected);
        assert_ne!(minter.content_ref(epoch, Some(&lead), &key), earlier);
        assert!(minter.stores(Some(&lead), earlier));
        assert!(!minter.stores(Some(&run("child")), earlier));
    }
}
