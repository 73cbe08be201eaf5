//! Arbitrary records about bodies.

use heronry_types::{ContentRef, Digest};
use proptest::{option, prelude::*};

use super::{copy, position, time};
use crate::{Body, ContentErased, ContentStored};

pub(super) fn contents() -> impl Strategy<Value = Body> {
    prop_oneof![erased(), stored()]
}

fn stored() -> impl Strategy<Value = Body> {
    let body = (
        any::<[u8; 16]>(),
        any::<[u8; 32]>(),
        ".{0,20}",
        any::<u64>(),
    );
    (body, time()).prop_map(|(body, expires_at)| {
        let (content_ref, digest, media_type, body_bytes) = body;
        Body::ContentStored(Box::new(ContentStored {
            content_ref: ContentRef::from_bits(content_ref),
            digest: Digest(digest),
            media_type: media_type.as_str().into(),
            body_bytes,
            expires_at,
        }))
    })
}

fn erased() -> impl Strategy<Value = Body> {
    let body = (
        any::<[u8; 16]>(),
        any::<[u8; 32]>(),
        ".{0,20}",
        any::<u64>(),
    );
    (body, option::of(copy()), option::of(position())).prop_map(|(body, message, stored_with)| {
        let (content_ref, digest, media_type, body_bytes) = body;
        Body::ContentErased(Box::new(ContentErased {
            content_ref: ContentRef::from_bits(content_ref),
            digest: Digest(digest),
            media_type: media_type.as_str().into(),
            body_bytes,
            message,
            stored_with,
        }))
    })
}
