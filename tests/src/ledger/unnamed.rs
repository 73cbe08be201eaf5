//! The rules of a journal about bodies that were stored by themselves, until a message names them.

use heronry_journal::{Body, ContentErased, ContentStored, Record};
use heronry_types::{Actor, ContentRef, LimitName, Millis, Position, RunId, Timestamp};

use super::Ledger;

/// A body that no message has named so far.
#[derive(Clone, Debug)]
pub(super) struct Unnamed {
    stored: Position,
    run: Option<RunId>,
    expires_at: Timestamp,
}

impl Ledger {
    pub(super) fn stored(&mut self, record: &Record, stored: &ContentStored) {
        let content_ref = stored.content_ref;
        let earlier = self.records.iter();
        let earlier = earlier.filter(|it| about(&it.entry.body) == Some(content_ref));
        assert_eq!(earlier.count(), 0, "nothing was known of it");
        let keep = self.limits.get(LimitName::UnnamedContentKeepMsMax);
        let expires_at = record.recorded_at.after(Millis(keep));
        assert_eq!(stored.expires_at, expires_at);
        let run = record.entry.lineage.run.clone();
        match &record.entry.actor {
            Actor::Member { run: own, .. } => assert_eq!(run.as_ref(), Some(own)),
            Actor::Operator => {}
            Actor::Engine => panic!("the engine stores nothing"),
        }
        let unnamed = Unnamed {
            stored: record.position,
            run,
            expires_at,
        };
        self.unnamed.insert(content_ref, unnamed);
    }

    /// The engine erases what has expired, and nothing else.
    pub(super) fn leaves_unnamed(&mut self, record: &Record, erased: &ContentErased) {
        let unnamed = self.unnamed.remove(&erased.content_ref);
        if record.entry.actor != Actor::Engine {
            return;
        }
        let Some(unnamed) = unnamed else {
            panic!("the engine erases what a message names: {erased:?}");
        };
        assert!(unnamed.expires_at <= record.recorded_at, "not before");
        let lineage = &record.entry.lineage;
        assert_eq!(lineage.run, unnamed.run);
        assert_eq!(lineage.caused_by, Some(unnamed.stored));
        let stored = self.records.iter().find_map(|earlier| {
            if let Body::ContentStored(stored) = &earlier.entry.body {
                (earlier.position == unnamed.stored).then_some(stored)
            } else {
                None
            }
        });
        let stored = stored.map(|it| (it.digest, &it.media_type, it.body_bytes));
        let left = (erased.digest, &erased.media_type, erased.body_bytes);
        assert_eq!(stored, Some(left));
    }

    pub(super) fn check_unnamed_at_rest(&self) {
        for (content_ref, unnamed) in &self.unnamed {
            let is_due = unnamed.expires_at < self.time;
            assert!(!is_due, "{content_ref} has not expired: {unnamed:?}");
        }
    }
}

/// The body that a record is about.
fn about(body: &Body) -> Option<ContentRef> {
    if let Body::ContentStored(stored) = body {
        Some(stored.content_ref)
    } else if let Body::ContentErased(erased) = body {
        Some(erased.content_ref)
    } else if let Body::MessageAccepted(accepted) = body {
        Some(accepted.content_ref)
    } else {
        None
    }
}
