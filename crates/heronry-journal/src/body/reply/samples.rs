//! Samples of records about replies, and of what a message says of them.

use std::num::NonZeroU32;

use heronry_types::{Millis, Position, ReplyStanding, ResponseContract, Timestamp};
use proptest::{option, prelude::*};

use super::{Answering, Contract, MessageResponded, Thread};
use crate::samples::{
    self, Sample,
    arbitrary::{copy, few, id, millis, position, standings, time, word},
};

impl Sample for MessageResponded {
    fn samples() -> Vec<Self> {
        vec![Self {
            message: samples::message(302),
            by: Position(310),
            copies: samples::standings(),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (copy(), position(), standings())
            .prop_map(|(message, by, copies)| Self {
                message,
                by,
                copies,
            })
            .boxed()
    }
}

impl Thread {
    /// The ties of a message that replies to another one, and asks for replies itself.
    pub(crate) fn sample() -> Self {
        let mut asked = ResponseContract::new(NonZeroU32::MIN.saturating_add(1));
        asked.timeout_ms = Some(Millis(30_000));
        let from = [samples::id("run-scan-1"), samples::id("run-scan-2")];
        asked.from = Some(from.into_iter().collect());
        Self {
            answering: Some(Answering {
                accepted: Position(299),
                standing: ReplyStanding::Counted,
            }),
            contract: Some(Contract {
                asked,
                deadline: Some(Timestamp::from_millis(1_795_162_560_125)),
            }),
        }
    }

    pub(crate) fn arbitrary() -> impl Strategy<Value = Self> {
        (option::of(answering()), option::of(contract())).prop_map(|(answering, contract)| Self {
            answering,
            contract,
        })
    }
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
