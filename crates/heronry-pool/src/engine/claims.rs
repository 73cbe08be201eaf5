//! Claims that the claims store does not hold yet.

use heronry_journal::{Body, EventBatch, Record};
use heronry_store::{ClaimEntry, ClaimKey, ClaimName, KeyedMap};
use heronry_types::{Position, RunId};

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
        if let Body::ApplicationEvent(body) = body {
            self.note_batch(run, record.position, body.batch.as_ref());
            return;
        }
        let (key, id, request_hash) = if let Body::MessageAccepted(body) = body {
            let id = ClaimName::Message(body.message_id.clone());
            (body.idempotency_key.clone(), id, body.request_hash)
        } else if let Some(body) = body.registration() {
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

    /// A batch of events has a key and no id.
    fn note_batch(&mut self, run: &RunId, first: Position, batch: Option<&EventBatch>) {
        let Some(batch) = batch else {
            return;
        };
        let claim = ClaimKey {
            run: run.clone(),
            name: ClaimName::Key(batch.idempotency_key.clone()),
        };
        let request_hash = batch.request_hash;
        let entry = ClaimEntry {
            first,
            request_hash,
        };
        self.entries.insert(claim, entry);
    }

    pub(super) fn take(&mut self, until: Position) -> Vec<(ClaimKey, ClaimEntry)> {
        self.entries
            .extract_if(|_, entry| entry.first <= until)
            .collect()
    }
}
