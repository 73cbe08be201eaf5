//! A digest of what a store holds.

use super::WriterPools;

impl WriterPools {
    /// Returns a BLAKE3 digest of who may write, and of where each journal stands.
    ///
    /// An adapter whose database takes a file that lost its end for one that was not written to
    /// its end keeps it when it closes, and compares it when it opens.
    pub fn digest(&self) -> [u8; 32] {
        let mut pools: Vec<_> = self.pools.iter().collect();
        pools.sort_by_key(|(name, _)| *name);
        let mut hasher = blake3::Hasher::new();
        for (name, pool) in pools {
            push(&mut hasher, name.as_str().as_bytes());
            hasher.update(&pool.no.0.to_be_bytes());
            hasher.update(&pool.ownership.token().0.to_be_bytes());
            hasher.update(&[u8::from(pool.head().is_some())]);
            if let Some(head) = pool.head() {
                hasher.update(&head.epoch.0);
                hasher.update(&head.head.0.to_be_bytes());
                hasher.update(&head.floor.0.to_be_bytes());
                hasher.update(&head.last_hash.0);
            }
        }
        push(
            &mut hasher,
            self.moved_to.as_deref().unwrap_or_default().as_bytes(),
        );
        *hasher.finalize().as_bytes()
    }
}

fn push(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}
