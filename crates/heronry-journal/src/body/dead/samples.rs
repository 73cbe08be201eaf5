//! Samples of records about dead letters.

use heronry_types::DeadReason;
use proptest::prelude::*;

use super::{MessageDeadLettered, MessageReplayed};
use crate::{
    FetchedCopy,
    samples::{
        Sample,
        arbitrary::{copy, counted_copy, few, word},
        message,
    },
};

impl Sample for MessageDeadLettered {
    fn samples() -> Vec<Self> {
        vec![Self {
            copies: vec![FetchedCopy {
                copy: message(302),
                attempt: 5,
            }],
            reason: DeadReason::Lapsed,
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (few(counted_copy()), word())
            .prop_map(|(copies, reason)| Self { copies, reason })
            .boxed()
    }
}

impl Sample for MessageReplayed {
    fn samples() -> Vec<Self> {
        vec![Self { copy: message(302) }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        copy().prop_map(|copy| Self { copy }).boxed()
    }
}
