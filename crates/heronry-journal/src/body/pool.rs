//! Records about a pool as a whole.

use heronry_types::{
    Cursor, Epoch, EpochReason, EventKind, LimitName, PoolConfig, ResumeCause, Settings, Timestamp,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, Subject, Touch};

#[cfg(test)]
mod samples;

/// Returns the first version of these records that knows everything which is set.
pub(super) fn version_of(settings: &Settings) -> u16 {
    let known_since = |name: LimitName| {
        if matches!(
            name,
            LimitName::UnnamedContentBytesPerRunMax
                | LimitName::UnnamedContentBytesMax
                | LimitName::UnnamedContentKeepMsMax
        ) {
            7
        } else if matches!(
            name,
            LimitName::WakeCostPerRunMax | LimitName::WakeCostPerPoolMax
        ) {
            6
        } else if matches!(
            name,
            LimitName::SubscriptionsPerRunMax
                | LimitName::LongPollsMax
                | LimitName::LongPollsPerRunMax
                | LimitName::BytesUnderWayMax
                | LimitName::BytesUnderWayPerRunMax
        ) {
            5
        } else if name == LimitName::PendingEffectsPerRunMax {
            4
        } else if matches!(name, LimitName::LeaseMsMax | LimitName::LostKeepMsMax) {
            3
        } else if name == LimitName::AttemptsMax {
            2
        } else {
            1
        }
    };
    if settings.peering.is_some() {
        return 9;
    }
    if settings.retention.is_some() {
        return 8;
    }
    let names = settings.limits.iter();
    names.map(|(name, _)| known_since(name)).max().unwrap_or(1)
}

/// A pool was created: always record 1.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PoolCreated {
    /// The configuration of the pool.
    #[n(0)]
    pub config: PoolConfig,
    /// The settings of the pool, which have version 1.
    #[n(1)]
    pub settings: Settings,
}

impl RecordBody for PoolCreated {
    const NUMBER: u16 = 1;
    const NEWEST_VERSION: u16 = 9;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        version_of(&self.settings)
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AgentPoolCreated
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}
}

/// A pool's settings were changed.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfigured {
    /// The version of these settings.
    #[n(0)]
    pub version: u64,
    /// All settings, valid for later records.
    #[n(1)]
    pub settings: Settings,
}

impl RecordBody for PoolConfigured {
    const NUMBER: u16 = 2;
    const NEWEST_VERSION: u16 = 9;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        version_of(&self.settings)
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AgentPoolConfigured
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}
}

/// A new timeline started: always the first record of a chunk, and the first of its epoch.
///
/// The previous timeline ends with the position before this record.
#[derive(Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EpochStarted {
    /// The reason why the timeline starts.
    #[n(0)]
    pub reason: EpochReason,
    /// The timeline that starts: the epoch of the chunk.
    #[n(1)]
    pub epoch: Epoch,
    /// The timeline that ends.
    #[n(2)]
    pub previous: Epoch,
    /// The head that was acknowledged before, and that the journal does not hold any more: what is
    /// after the point where the previous timeline ends is lost. Absent where nobody knows of one.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Cursor>,
}

impl RecordBody for EpochStarted {
    const NUMBER: u16 = 3;
    const NEWEST_VERSION: u16 = 2;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        if self.lost.is_some() { 2 } else { 1 }
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AgentPoolEpochStarted
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}
}

/// The engine goes on after a time in which nobody could reach it. Each lease begins again. Each
/// live claim holds from this record on for its term or for 30 seconds, whichever is shorter,
/// unless it holds longer anyway.
#[derive(Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PoolResumed {
    /// The reason why leases and claims get more time.
    #[n(0)]
    pub cause: ResumeCause,
    /// The time of the last record when the pool was opened, of the missed deadline after a pause.
    #[n(1)]
    pub since: Timestamp,
}

impl RecordBody for PoolResumed {
    const NUMBER: u16 = 15;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AgentPoolResumed
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}
}
