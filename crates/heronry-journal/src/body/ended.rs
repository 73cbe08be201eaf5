//! Records of how messages end. The sender of the message stands in the lineage.

use heronry_types::{CopyStanding, EventKind, MessageFailure};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::message::CopyName;
use crate::kind::{RecordBody, SizeClass, Subject, Touch};

#[cfg(test)]
mod samples;

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

/// Defines records of messages that end with the standing of every copy: the kind, its number and its event.
macro_rules! ends {
    ($($(#[$doc:meta])* $kind:ident = $number:literal: $event:ident,)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
            #[serde(deny_unknown_fields)]
            pub struct $kind {
                /// The message.
                #[n(0)]
                pub message: CopyName,
                /// The standing of every copy from here on, in the order of the stored recipients.
                #[n(1)]
                pub copies: Vec<CopyStanding>,
            }

            impl RecordBody for $kind {
                const NUMBER: u16 = $number;
                const NEWEST_VERSION: u16 = 1;
                const CHANGES_WAITERS: bool = false;

                fn version(&self) -> u16 {
                    1
                }

                fn event_kind(&self) -> EventKind {
                    EventKind::$event
                }

                fn subject(&self) -> Subject<'_> {
                    Subject::Message(&self.message.message_id)
                }

                fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
                    self.message.touch_whole(touched);
                }
            }
        )*

        #[cfg(test)]
        samples::of_ends!($($kind,)*);
    };
}

ends! {
    /// A message expired.
    MessageExpired = 27: RunMessageExpired,
    /// The last copy of a message ended, and nothing else ended it before.
    MessageSettled = 28: RunMessageSettled,
    /// A message was cancelled: its queued copies end with it; a copy under a claim goes on.
    MessageCancelled = 31: RunMessageCancelled,
    /// A message waited too long for the replies that it asked for.
    MessageTimedOut = 36: RunMessageTimedOut,
    /// A message failed: too few of its recipients are left that can still reply.
    MessageUnsatisfiable = 37: RunMessageFailed,
}
