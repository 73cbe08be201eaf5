//! Records about foreign sources of events, from which bridges report.

use heronry_types::{
    EventKind, Generation, IdempotencyKey, InstanceId, SourceGapReason, SourceId, SourcePosition,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, Subject, Touch};

use crate::body::RequestHash;

#[cfg(test)]
pub(crate) mod samples;

/// The source of an event that was reported, and its place there.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceStep {
    /// The source.
    #[n(0)]
    pub source: SourceId,
    /// The place of the event in its source.
    #[n(1)]
    pub position: SourcePosition,
}

/// Events of a source are missing in the pool.
///
/// The lineage names the run that they are about, when it is one.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceGap {
    /// The source.
    #[n(0)]
    pub source: SourceId,
    /// The last position that was taken before the gap; absent when none was.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<SourcePosition>,
    /// The last position that the gap covers; absent when it is not known.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<SourcePosition>,
    /// The number of missing events; absent when it is not known.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<u64>,
    /// The reason why they are missing.
    #[n(4)]
    pub reason: SourceGapReason,
    /// A short text that may be shown.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The key of the request, among those of the source.
    #[n(6)]
    pub idempotency_key: IdempotencyKey,
    /// The hash of the request.
    #[n(7)]
    pub request_hash: RequestHash,
}

impl RecordBody for SourceGap {
    const NUMBER: u16 = 58;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::SourceGap
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Gap(self));
    }

    fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

/// A bridge was attached to a source: from here on nobody else reports from it.
///
/// The lineage names the run on whose behalf it reports, when it is one. The position of the record
/// is the generation of the attachment.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceAttached {
    /// The source.
    #[n(0)]
    pub source: SourceId,
    /// The instance of the bridge: a repeat of its request is known by it.
    #[n(1)]
    pub instance: InstanceId,
    /// The attachment that it took the source from; absent when nobody had it.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Generation>,
}

impl RecordBody for SourceAttached {
    const NUMBER: u16 = 60;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::SourceAttached
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Source(&self.source));
    }
}

/// A bridge left its source.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceDetached {
    /// The source.
    #[n(0)]
    pub source: SourceId,
    /// The attachment that ends.
    #[n(1)]
    pub generation: Generation,
}

impl RecordBody for SourceDetached {
    const NUMBER: u16 = 61;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::SourceDetached
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Source(&self.source));
    }
}
