//! Records about replies: the replies that a message asks for, and the ends that this leads to.
//!
//! The sender of the message that asks stands in the lineage.

use heronry_types::{
    CopyStanding, EventKind, Position, ReplyStanding, ResponseContract, Timestamp,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, Subject, Touch};

use super::message::{CopyName, MessageAccepted};

#[cfg(test)]
mod samples;

/// Returns the first version of an acceptance that can say this: an older build may do without
/// knowing what a message replies to, and not without knowing of a contract.
pub(super) fn version_of(accepted: &MessageAccepted) -> u16 {
    if accepted.alias.is_some() {
        return 4;
    }
    match (accepted.contract(), &accepted.options) {
        (Some(_), _) => 3,
        (None, Some(_)) => 2,
        (None, None) => 1,
    }
}

/// The ties of a message to others: the message that it replies to, and the replies that it asks for.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Thread {
    /// The message that it replies to, when there is one.
    #[n(0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answering: Option<Answering>,
    /// The replies that it asks for.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
}

impl MessageAccepted {
    /// Returns the message that it replies to.
    pub fn answering(&self) -> Option<Answering> {
        self.thread.as_ref()?.answering
    }

    /// Returns the replies that it asks for.
    pub fn contract(&self) -> Option<&Contract> {
        self.thread.as_ref()?.contract.as_ref()
    }
}

/// The message that another one replies to.
#[derive(Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Answering {
    /// The position of its acceptance.
    #[n(0)]
    pub accepted: Position,
    /// The standing of the reply under the contract of that message.
    #[n(1)]
    pub standing: ReplyStanding,
}

/// The replies that a message asks for.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The contract as the sender asked for it.
    #[n(0)]
    pub asked: ResponseContract,
    /// The time at which the message times out; absent without a timeout.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

/// A message has the replies that it asked for.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageResponded {
    /// The message.
    #[n(0)]
    pub message: CopyName,
    /// The acceptance of the reply that made the number full.
    #[n(1)]
    pub by: Position,
    /// The standing of every copy, in the order of the stored recipients.
    #[n(2)]
    pub copies: Vec<CopyStanding>,
}

impl RecordBody for MessageResponded {
    const NUMBER: u16 = 35;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageResponded
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Message(&self.message.message_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        self.message.touch_whole(touched);
        touched(Touch::Cause(self.by));
    }
}
