//! Records about dead letters: copies that died, and their replay.
//!
//! The recipient stands in the lineage.

use heronry_types::{DeadReason, EventKind};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, SizeClass, Subject, Touch};

use super::message::{CopyName, FetchedCopy};

#[cfg(test)]
mod samples;

/// Copies of one recipient are dead: they end, and can be replayed.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageDeadLettered {
    /// The copies, each with the number of attempts that were counted.
    #[n(0)]
    pub copies: Vec<FetchedCopy>,
    /// The reason why the copies are dead.
    #[n(1)]
    pub reason: DeadReason,
}

impl RecordBody for MessageDeadLettered {
    const NUMBER: u16 = 29;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageDeadLettered
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::OwnInbox { has_more: false });
        let copies = self.copies.iter().map(|dead| &dead.copy);
        copies.map(CopyName::touch).for_each(touched);
    }
}

/// A dead copy was replayed: its recipient has a new copy, behind every other, whose attempts start anew.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageReplayed {
    /// The message.
    #[n(0)]
    pub copy: CopyName,
}

impl RecordBody for MessageReplayed {
    const NUMBER: u16 = 30;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageReplayed
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Message(&self.copy.message_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::OwnInbox { has_more: true });
        self.copy.touch_whole(touched);
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}
