//! Samples of records about bodies.

use heronry_types::{Body as Content, Digest, Position};

use super::{content_ref, message};
use crate::{Body, ContentErased};

pub(super) fn contents() -> Vec<(&'static str, Body)> {
    let erased = ContentErased {
        content_ref: content_ref(),
        digest: Digest(*b"the digest of a body has 32 byte"),
        media_type: Content::TEXT.into(),
        body_bytes: 23,
        message: Some(message(302)),
        stored_with: Some(Position(302)),
    };
    vec![("56.1-content-erased", Body::ContentErased(Box::new(erased)))]
}
