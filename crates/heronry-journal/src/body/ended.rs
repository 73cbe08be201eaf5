//! Records of how messages end. The sender of the message stands in the lineage.

use heronry_types::{CopyStanding, EventKind, MessageFailure};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::message::CopyName;
use crate::kind::{Noun, RecordBody, SizeClass, Subject, Touch};

/// A message failed at its acceptance: nobody got a copy.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageFailed {
    /// The message.
    #[n(0)]
    pub message: CopyName,
    /// The reason why the message failed.
    #[n(1)]
    pub reason: MessageFailure,
}

impl RecordBody for MessageFailed {
    const NUMBER: u16 = 26;
    const NEWEST_VERSION: u16 = 1;
    const NOUN: Noun = Noun::Message;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageFailed
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Message(&self.message.message_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        self.message.touch_whole(touched);
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}

/// A message expired.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageExpired {
    /// The message.
    #[n(0)]
    pub message: CopyName,
    /// The standing in which every copy ended, in the order of the stored recipients.
    #[n(1)]
    pub copies: Vec<CopyStanding>,
}

impl RecordBody for MessageExpired {
    const NUMBER: u16 = 27;
    const NEWEST_VERSION: u16 = 1;
    const NOUN: Noun = Noun::Message;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageExpired
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Message(&self.message.message_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        self.message.touch_whole(touched);
    }
}

/// A message was cancelled: its queued copies end with it; a copy under a claim goes on.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageCancelled {
    /// The message.
    #[n(0)]
    pub message: CopyName,
    /// The standing of every copy from here on, in the order of the stored recipients.
    #[n(1)]
    pub copies: Vec<CopyStanding>,
}

impl RecordBody for MessageCancelled {
    const NUMBER: u16 = 31;
    const NEWEST_VERSION: u16 = 1;
    const NOUN: Noun = Noun::Message;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageCancelled
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Message(&self.message.message_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        self.message.touch_whole(touched);
    }
}

/// The last copy of a message ended, and nothing else ended it before.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageSettled {
    /// The message.
    #[n(0)]
    pub message: CopyName,
    /// The standing in which every copy ended, in the order of the stored recipients.
    #[n(1)]
    pub copies: Vec<CopyStanding>,
}

impl RecordBody for MessageSettled {
    const NUMBER: u16 = 28;
    const NEWEST_VERSION: u16 = 1;
    const NOUN: Noun = Noun::Message;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageSettled
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Message(&self.message.message_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        self.message.touch_whole(touched);
    }
}
