//! Records about named consumers.

use heronry_types::{ConsumerId, ConsumerRecovery, ConsumerStaleness, Cursor, EventKind};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, Subject, Touch};

#[cfg(test)]
mod samples;

/// The cursor of a named consumer was found stale: between it and the point at which the consumer goes
/// on, events are missed.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConsumerReset {
    /// The consumer.
    #[n(0)]
    pub consumer: ConsumerId,
    /// The cursor at which it stood.
    #[n(1)]
    pub from: Cursor,
    /// The cursor after which it goes on; absent when it does not go on.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Cursor>,
    /// The reason why its cursor is not taken any more.
    #[n(3)]
    pub reason: ConsumerStaleness,
    /// The recovery that its holder asked for.
    #[n(4)]
    pub recovery: ConsumerRecovery,
}

impl RecordBody for ConsumerReset {
    const NUMBER: u16 = 59;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::ConsumerReset
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Reset(self));
    }
}
