//! The rules of a journal about erased bodies.

use std::collections::BTreeSet;

use heronry_journal::{Body, ContentErased, ContentRecord, Record};
use heronry_types::{ContentRef, RunId, Timestamp};

use super::Ledger;

/// The standing of a body in a journal.
#[derive(Clone, Debug, Default)]
pub struct ContentStanding {
    /// The sender of the first message with it.
    pub first_sender: Option<RunId>,
    /// The runs that sent or got a message with it.
    pub readers: BTreeSet<RunId>,
    /// The time of its erasure.
    pub erased_at: Option<Timestamp>,
}

impl Ledger {
    pub(super) fn of_content(&mut self, record: &Record, body: ContentRecord<'_>) {
        match body {
            ContentRecord::ContentErased(body) => self.erased(record, body),
            ContentRecord::ContentStored(body) => self.stored(record, body),
        }
    }

    pub(super) fn erased(&mut self, record: &Record, erased: &ContentErased) {
        self.leaves_unnamed(record, erased);
        let content_ref = erased.content_ref;
        let mut first = None;
        for earlier in &self.records {
            if let Body::ContentErased(earlier) = &earlier.entry.body {
                assert_ne!(earlier.content_ref, content_ref, "a body is erased once");
            }
            if let Body::MessageAccepted(accepted) = &earlier.entry.body
                && accepted.content_ref == content_ref
                && first.is_none()
            {
                first = Some((earlier, accepted));
            }
        }
        let Some((acceptance, accepted)) = first else {
            assert_eq!(erased.message, None, "no message refers to it");
            assert_eq!(erased.stored_with, None, "it was stored by itself");
            return;
        };
        let named = erased.message.as_ref();
        let named = named.map(|name| (name.accepted, &name.message_id));
        assert_eq!(named, Some((acceptance.position, &accepted.message_id)));
        let lineage = &record.entry.lineage;
        assert_eq!(lineage.run, acceptance.entry.lineage.run);
        assert_eq!(lineage.caused_by, Some(acceptance.position));
        assert_eq!(erased.body_bytes, accepted.body_bytes);
        let with = erased.stored_with;
        assert!(with.is_none_or(|with| with == acceptance.position));
    }

    /// Returns what the journal says of a body so far.
    pub fn content(&self, content_ref: ContentRef) -> ContentStanding {
        let mut standing = ContentStanding::default();
        let letters = self.letters.values();
        for letter in letters.filter(|it| it.accepted.content_ref == content_ref) {
            let first = &mut standing.first_sender;
            first.get_or_insert_with(|| letter.sender.clone());
            standing.readers.insert(letter.sender.clone());
            standing.readers.extend(letter.copies.keys().cloned());
        }
        let erased = self.records.iter().find(|record| {
            matches!(&record.entry.body, Body::ContentErased(it) if it.content_ref == content_ref)
        });
        standing.erased_at = erased.map(|record| record.recorded_at);
        standing
    }
}
