//! Records about replies.

use std::num::NonZeroU32;

use heronry_types::{Millis, Position, ReplyStanding, ResponseContract, Timestamp};

use super::{id, message, special, standings};
use crate::{
    Answering, Body, Contract, MessageAccepted, MessageResponded, MessageTimedOut,
    MessageUnsatisfiable, Thread,
};

/// A message that replies to another one, and asks for replies itself.
pub(in crate::tests) fn asking() -> MessageAccepted {
    let mut asked = ResponseContract::new(NonZeroU32::MIN.saturating_add(1));
    asked.timeout_ms = Some(Millis(30_000));
    asked.from = Some([id("run-scan-1"), id("run-scan-2")].into_iter().collect());
    let contract = Contract {
        asked,
        deadline: Some(Timestamp::from_millis(1_795_162_560_125)),
    };
    let answering = Answering {
        accepted: Position(299),
        standing: ReplyStanding::Counted,
    };
    MessageAccepted {
        thread: Some(Box::new(Thread {
            answering: Some(answering),
            contract: Some(contract),
        })),
        ..special()
    }
}

pub(super) fn replies() -> Vec<(&'static str, Body)> {
    let responded = MessageResponded {
        message: message(302),
        by: Position(310),
        copies: standings(),
    };
    let timed_out = MessageTimedOut {
        message: message(302),
        copies: standings(),
    };
    let unsatisfiable = MessageUnsatisfiable {
        message: message(302),
        copies: standings(),
    };
    vec![
        ("35.1-message-responded", Body::MessageResponded(responded)),
        ("36.1-message-timed-out", Body::MessageTimedOut(timed_out)),
        (
            "37.1-message-unsatisfiable",
            Body::MessageUnsatisfiable(unsatisfiable),
        ),
    ]
}
