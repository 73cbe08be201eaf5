//! Records about the stewardship of a pool.

use heronry_types::{EventKind, InstanceId, StewardToken};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, Subject, Touch};

/// A steward took the pool: from here on nobody else keeps it as it was declared.
///
/// The position of the record is the token of the stewardship.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StewardTaken {
    /// The instance of the steward: a repeat of its request is known by it.
    #[n(0)]
    pub instance: InstanceId,
    /// The fencing token of the owner of the pool, with which the stewardship ends.
    #[n(1)]
    pub owner: u64,
    /// The stewardship that it replaces; absent when there was none.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<StewardToken>,
}

impl RecordBody for StewardTaken {
    const NUMBER: u16 = 62;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::StewardTaken
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Says("steward", &self.instance));
        if let Some(replaced) = &self.replaced {
            touched(Touch::Says("replaced", replaced));
        }
    }
}

/// A steward gave the pool back.
#[derive(Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StewardReleased {
    /// The stewardship that ends.
    #[n(0)]
    pub steward: StewardToken,
}

impl RecordBody for StewardReleased {
    const NUMBER: u16 = 63;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::StewardReleased
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Says("stewardship", &self.steward));
    }
}
