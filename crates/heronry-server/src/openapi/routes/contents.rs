//! Bodies that are stored by themselves.

use heronry_wire::{ContentErased, ContentQuery, ContentStored, ProblemKind};

use crate::openapi::{Contract, Tag};

pub(crate) fn store_content(contract: Contract) -> Contract {
    contract
        .named("storeContent", Tag::Contents)
        .may_be_keyed()
        .reads_bytes()
        .queries::<ContentQuery>()
        .answers::<ContentStored>(201, "The body was stored.")
        .answers::<ContentStored>(200, "The body was stored before, under the same key.")
        .refuses(&[ProblemKind::SenderMismatch])
}

pub(crate) fn fetch_content(contract: Contract) -> Contract {
    contract
        .named("fetchContent", Tag::Contents)
        .answers_bytes("The body, with the media type that it was sent with.")
        .refuses(&[ProblemKind::ContentMissing, ProblemKind::ContentErased])
}

pub(crate) fn erase_content(contract: Contract) -> Contract {
    contract
        .named("eraseContent", Tag::Contents)
        .answers::<ContentErased>(200, "The tombstone of the body.")
        .refuses(&[ProblemKind::ContentMissing])
}
