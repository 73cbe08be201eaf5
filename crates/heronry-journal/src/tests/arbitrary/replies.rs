//! Arbitrary records about replies.

use std::num::NonZeroU32;

use heronry_types::ResponseContract;
use proptest::{option, prelude::*};

use super::{copy, few, id, millis, position, standings, time, word};
use crate::{
    Answering, Body, Contract, MessageResponded, MessageTimedOut, MessageUnsatisfiable, Thread,
};

pub(super) fn thread() -> impl Strategy<Value = Thread> {
    (option::of(answering()), option::of(contract())).prop_map(|(answering, contract)| Thread {
        answering,
        contract,
    })
}

fn answering() -> impl Strategy<Value = Answering> {
    (position(), word()).prop_map(|(accepted, standing)| Answering { accepted, standing })
}

fn contract() -> impl Strategy<Value = Contract> {
    let expected = any::<u32>().prop_map(|number| NonZeroU32::MIN.saturating_add(number));
    let from = option::of(few(id()).prop_map(|runs| runs.into_iter().collect()));
    (expected, option::of(millis()), from, option::of(time())).prop_map(
        |(expected_responses, timeout_ms, from, deadline)| Contract {
            asked: ResponseContract {
                expected_responses,
                timeout_ms,
                from,
            },
            deadline,
        },
    )
}

pub(super) fn replies() -> impl Strategy<Value = Body> {
    prop_oneof![
        (copy(), position(), standings()).prop_map(|(message, by, copies)| {
            Body::MessageResponded(MessageResponded {
                message,
                by,
                copies,
            })
        }),
        (copy(), standings()).prop_map(|(message, copies)| {
            Body::MessageTimedOut(MessageTimedOut { message, copies })
        }),
        (copy(), standings()).prop_map(|(message, copies)| {
            Body::MessageUnsatisfiable(MessageUnsatisfiable { message, copies })
        }),
    ]
}
