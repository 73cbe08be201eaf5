//! Samples of records of how messages end.

use heronry_types::MessageFailure;
use proptest::prelude::*;

use super::MessageFailed;
use crate::samples::{
    Sample,
    arbitrary::{copy, word},
    message,
};

impl Sample for MessageFailed {
    fn samples() -> Vec<Self> {
        vec![Self {
            message: message(302),
            reason: MessageFailure::NoSuchMember,
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (copy(), word())
            .prop_map(|(message, reason)| Self { message, reason })
            .boxed()
    }
}

/// The samples of records that hold the standing of every copy.
macro_rules! of_ends {
    ($($kind:ident,)*) => {
        $(
            impl crate::samples::Sample for $kind {
                fn samples() -> Vec<Self> {
                    vec![Self {
                        message: crate::samples::message(302),
                        copies: crate::samples::standings(),
                    }]
                }

                fn arbitrary() -> proptest::strategy::BoxedStrategy<Self> {
                    use crate::samples::arbitrary::{copy, standings};
                    use proptest::strategy::Strategy;

                    (copy(), standings())
                        .prop_map(|(message, copies)| Self { message, copies })
                        .boxed()
                }
            }
        )*
    };
}
pub(super) use of_ends;
