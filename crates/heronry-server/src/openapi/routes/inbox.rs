//! The inbox of a member.

use heronry_wire::{
    Ack, Changed, ClaimsExtended, ExtendClaims, InboxPage, InboxQuery, Receive, ReleaseClaims,
};

use crate::openapi::{CLAIMS, CURSORS, Contract, Tag};

pub(crate) fn receive_messages(contract: Contract) -> Contract {
    contract
        .named("receiveMessages", Tag::Inbox)
        .reads::<Receive>()
        .answers::<InboxPage>(200, "The copies that were claimed.")
        .refuses(&CURSORS)
}

pub(crate) fn peek_inbox(contract: Contract) -> Contract {
    contract
        .named("peekInbox", Tag::Inbox)
        .queries::<InboxQuery>()
        .answers::<InboxPage>(200, "The copies that wait.")
}

pub(crate) fn ack_messages(contract: Contract) -> Contract {
    contract
        .named("ackMessages", Tag::Inbox)
        .reads::<Ack>()
        .answers::<Changed>(200, "The copies are acknowledged.")
        .refuses(&CLAIMS)
}

pub(crate) fn release_claims(contract: Contract) -> Contract {
    contract
        .named("releaseClaims", Tag::Inbox)
        .reads::<ReleaseClaims>()
        .answers::<Changed>(200, "The copies wait again.")
        .refuses(&CLAIMS)
}

pub(crate) fn extend_claims(contract: Contract) -> Contract {
    contract
        .named("extendClaims", Tag::Inbox)
        .reads::<ExtendClaims>()
        .answers::<ClaimsExtended>(200, "The claims are held longer.")
        .refuses(&CLAIMS)
}
