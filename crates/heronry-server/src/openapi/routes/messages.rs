//! Messages and their receipts.

use heronry_types::{Receipt, Trace};
use heronry_wire::{CancelMessage, ProblemKind, ReceiptQuery, SendMessage};

use crate::openapi::{CURSORS, Contract, TRACE, Tag};

pub(crate) fn send_message(contract: Contract) -> Contract {
    contract
        .named("sendMessage", Tag::Messages)
        .keyed()
        .header::<Trace>("traceparent", TRACE)
        .reads::<SendMessage>()
        .answers::<Receipt>(201, "The message was accepted.")
        .answers::<Receipt>(200, "The message was accepted before, under the same key.")
        .refuses(&[
            ProblemKind::SenderMismatch,
            ProblemKind::Policy,
            ProblemKind::AliasNotFound,
            ProblemKind::ContractUnsatisfiable,
            ProblemKind::ContentErased,
            ProblemKind::InboxFull,
        ])
        .refuses_with(409, ProblemKind::ContentMissing)
}

pub(crate) fn get_receipt(contract: Contract) -> Contract {
    contract
        .named("getReceipt", Tag::Messages)
        .queries::<ReceiptQuery>()
        .answers::<Receipt>(200, "The message as it stands.")
        .refuses(&CURSORS)
        .refuses(&[ProblemKind::SenderMismatch, ProblemKind::MessageNotFound])
}

pub(crate) fn cancel_message(contract: Contract) -> Contract {
    contract
        .named("cancelMessage", Tag::Messages)
        .reads::<CancelMessage>()
        .answers::<Receipt>(200, "The message is over.")
        .refuses(&[ProblemKind::SenderMismatch, ProblemKind::MessageNotFound])
}
