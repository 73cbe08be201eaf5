//! Samples of records about bodies.

use heronry_types::{Body as Content, Digest, Position, Timestamp};

use super::{content_ref, message};
use crate::{Body, ContentErased, ContentStored};

pub(super) fn contents() -> Vec<(&'static str, Body)> {
    let erased = ContentErased {
        content_ref: content_ref(),
        digest: Digest(*b"the digest of a body has 32 byte"),
        media_type: Content::TEXT.into(),
        body_bytes: 23,
        message: Some(message(302)),
        stored_with: Some(Position(302)),
    };
    let stored = ContentStored {
        content_ref: content_ref(),
        digest: Digest(*b"the digest of a body has 32 byte"),
        media_type: Content::TEXT.into(),
        body_bytes: 23,
        expires_at: Timestamp::from_millis(1_795_248_930_125),
    };
    vec![
        ("56.1-content-erased", Body::ContentErased(Box::new(erased))),
        ("57.1-content-stored", Body::ContentStored(Box::new(stored))),
    ]
}
