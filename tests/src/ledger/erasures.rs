//! What a journal may say of erased bodies.

use heronry_journal::{Body, ContentErased, Record};

use super::Ledger;

impl Ledger {
    pub(super) fn erased(&self, record: &Record, erased: &ContentErased) {
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
}
