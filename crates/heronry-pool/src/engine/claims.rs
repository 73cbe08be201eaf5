//! Claims that the claims store does not hold yet.

use heronry_journal::{Body, Record};
use heronry_store::{ClaimEntry, ClaimKey, ClaimName, KeyedMap};
use heronry_types::Position;

/// Claims that the claims store does not hold yet: a projection of the latest records.
#[derive(Debug, Default)]
pub struct RecentClaims {
    entries: KeyedMap<ClaimKey, ClaimEntry>,
}

impl RecentClaims {
    /// Returns what was decided under a key.
    pub fn get(&self, key: &ClaimKey) -> Option<ClaimEntry> {
        self.entries.get(key).copied()
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns true when there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn note(&mut self, record: &Record) {
        let Some(run) = &record.entry.lineage.run else {
            return;
        };
        let body = &record.entry.body;
        let (key, id, request_hash) = if let Body::MessageAccepted(body) = body {
            let id = ClaimName::Message(body.message_id.clone());
            (body.idempotency_key.clone(), id, body.request_hash)
        } else if let Body::WakeRegistered(body) = body {
            let id = ClaimName::Wake(body.wake_id.clone());
            (body.idempotency_key.clone(), id, body.request_hash)
        } else {
            return;
        };
        let entry = ClaimEntry {
            first: record.position,
            request_hash,
        };
        for name in [ClaimName::Key(key), id] {
            self.entries.insert(
                ClaimKey {
                    run: run.clone(),
                    name,
                },
                entry,
            );
        }
    }

    pub(super) fn take(&mut self, until: Position) -> Vec<(ClaimKey, ClaimEntry)> {
        self.entries
            .extract_if(|_, entry| entry.first <= until)
            .collect()
    }
}
