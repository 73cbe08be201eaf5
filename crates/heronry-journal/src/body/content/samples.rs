//! Samples of records about bodies.

use heronry_types::{Body, ContentRef, Digest, MediaType, Position, Timestamp};
use proptest::{option, prelude::*};

use super::{ContentErased, ContentStored};
use crate::samples::{
    Sample,
    arbitrary::{copy, position, time},
    content_ref, message,
};

const DIGEST: Digest = Digest(*b"the digest of a body has 32 byte");

impl Sample for ContentErased {
    fn samples() -> Vec<Self> {
        vec![Self {
            content_ref: content_ref(),
            digest: DIGEST,
            media_type: Body::TEXT.into(),
            body_bytes: 23,
            message: Some(message(302)),
            stored_with: Some(Position(302)),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (body(), option::of(copy()), option::of(position()))
            .prop_map(|(body, message, stored_with)| {
                let (content_ref, digest, media_type, body_bytes) = body;
                Self {
                    content_ref,
                    digest,
                    media_type,
                    body_bytes,
                    message,
                    stored_with,
                }
            })
            .boxed()
    }
}

impl Sample for ContentStored {
    fn samples() -> Vec<Self> {
        vec![Self {
            content_ref: content_ref(),
            digest: DIGEST,
            media_type: Body::TEXT.into(),
            body_bytes: 23,
            expires_at: Timestamp::from_millis(1_795_248_930_125),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (body(), time())
            .prop_map(|(body, expires_at)| {
                let (content_ref, digest, media_type, body_bytes) = body;
                Self {
                    content_ref,
                    digest,
                    media_type,
                    body_bytes,
                    expires_at,
                }
            })
            .boxed()
    }
}

/// Returns the reference, the digest, the media type and the size of a body.
fn body() -> impl Strategy<Value = (ContentRef, Digest, MediaType, u64)> {
    let parts = (
        any::<[u8; 16]>(),
        any::<[u8; 32]>(),
        ".{0,20}",
        any::<u64>(),
    );
    parts.prop_map(|(content_ref, digest, media_type, bytes)| {
        let content_ref = ContentRef::from_bits(content_ref);
        (
            content_ref,
            Digest(digest),
            media_type.as_str().into(),
            bytes,
        )
    })
}
