//! Keys that the store does not hold yet.

use heronry_journal::{ApplicationEvent, Body, MessageAccepted, Record, WakeRegistered};
use heronry_store::{KeyEntry, KeyHash, KeyName, KeyedEntry, KeyedMap};
use heronry_types::{IdempotencyKey, Position, RunId};

use crate::command::{KnownKeys, Names};

/// Keys that the store does not hold yet: a projection of the latest records.
#[derive(Debug, Default)]
pub struct RecentKeys {
    entries: KeyedMap<KeyHash, KeyEntry>,
    /// Those that were handed to the store, until it has them.
    handed: KeyedMap<KeyHash, KeyEntry>,
    /// The store had those of records up to here when the pool was opened.
    kept: Position,
}

impl RecentKeys {
    /// Returns what was decided under a key.
    pub fn get(&self, key: &KeyHash) -> Option<KeyEntry> {
        let recent = self.entries.get(key);
        recent.or_else(|| self.handed.get(key)).copied()
    }

    /// Returns what is known of names: these keys, and what the store was asked for.
    pub(super) fn known<'a>(&'a self, found: &'a [KeyedEntry]) -> KnownKeys<'a> {
        KnownKeys::new([&self.entries, &self.handed], found)
    }

    /// Returns how many were not handed to the store yet.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns true when one of them is of a record after a position.
    pub fn goes_past(&self, position: Position) -> bool {
        self.entries.values().any(|entry| entry.first > position)
    }

    /// Returns true when all were handed to the store.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn set_kept(&mut self, until: Position) {
        self.kept = until;
    }

    /// Takes in the keys of a record; `names` are those of its command, when it has them at hand.
    pub(super) fn note(&mut self, record: &Record, names: Option<&Names>) {
        if record.position <= self.kept {
            return;
        }
        let body = &record.entry.body;
        if let Body::SourceGap(gap) = body {
            let entry = KeyEntry {
                first: record.position,
                request_hash: gap.request_hash,
            };
            let hash = KeyHash::of_source(&gap.source, &gap.idempotency_key);
            self.entries.insert(hash, entry);
            return;
        }
        let Some(run) = &record.entry.lineage.run else {
            return;
        };
        if let Body::ApplicationEvent(body) = body {
            self.note_batch(run, record.position, body);
            return;
        }
        if let Body::EffectIntended(body) = body {
            if let Some(key) = &body.key {
                let first = record.position;
                let request_hash = key.request_hash;
                let entry = KeyEntry {
                    first,
                    request_hash,
                };
                self.note_key(run, &key.idempotency_key, entry);
            }
            return;
        }
        let (request_hash, of_record) = if let Body::MessageAccepted(body) = body {
            (body.request_hash, Keyed::Message(body))
        } else if let Some(body) = body.registration() {
            (body.request_hash, Keyed::Wake(body))
        } else {
            return;
        };
        let entry = KeyEntry {
            first: record.position,
            request_hash,
        };
        let known = names.and_then(|names| Some([*names.key()?, *names.id()?]));
        debug_assert!(
            known.is_none_or(|known| known == of_record.keys(run)),
            "a command names what its record says"
        );
        let keys = known.unwrap_or_else(|| of_record.keys(run));
        self.entries.extend(keys.map(|key| (key, entry)));
    }

    /// Notes the key of a batch of events, when this is its first one.
    fn note_batch(&mut self, run: &RunId, first: Position, body: &ApplicationEvent) {
        let Some(batch) = &body.batch else {
            return;
        };
        let request_hash = batch.request_hash;
        let entry = |first| KeyEntry {
            first,
            request_hash,
        };
        self.note_key(run, &batch.idempotency_key, entry(first));
        // Of a batch of a source some may have been left out: its end tells how many there are.
        if body.from.is_some() {
            let end = KeyName::BatchEnd(batch.idempotency_key.clone());
            let last = Position(first.0 + batch.count.saturating_sub(1));
            self.entries.insert(KeyHash::new(run, &end), entry(last));
        }
    }

    /// Notes the key of a batch of events or of an effect, which have no id.
    fn note_key(&mut self, run: &RunId, key: &IdempotencyKey, entry: KeyEntry) {
        let hash = KeyHash::new(run, &KeyName::Key(key.clone()));
        self.entries.insert(hash, entry);
    }

    pub(super) fn hand_over(&mut self, until: Position) -> Vec<KeyedEntry> {
        debug_assert!(self.handed.is_empty(), "one run is handed over at a time");
        std::mem::swap(&mut self.handed, &mut self.entries);
        // Few, if any: what is decided on top of what is durable.
        let later = self.handed.extract_if(|_, entry| entry.first > until);
        self.entries.extend(later);
        let handed = self.handed.iter();
        handed
            .map(|(key, entry)| KeyedEntry::new(*key, *entry))
            .collect()
    }

    pub(super) fn forget_handed(&mut self) {
        // The room stays for the next ones.
        self.handed.clear();
    }
}

/// A record with a key and an id.
#[derive(Clone, Copy)]
enum Keyed<'a> {
    Message(&'a MessageAccepted),
    Wake(&'a WakeRegistered),
}

impl Keyed<'_> {
    fn keys(self, run: &RunId) -> [KeyHash; 2] {
        let (key, id) = match self {
            Self::Message(body) => (
                &body.idempotency_key,
                KeyName::Message(body.message_id.clone()),
            ),
            Self::Wake(body) => (&body.idempotency_key, KeyName::Wake(body.wake_id.clone())),
        };
        [KeyName::Key(key.clone()), id].map(|name| KeyHash::new(run, &name))
    }
}
