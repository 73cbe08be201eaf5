//! Records of what a steward tells of its work: modules, reconciles and errors.

use heronry_types::{
    EventKind, ModuleId, ModuleStanding, ReconcileCounts, ReconcileFailure, RuntimeErrorCategory,
    RuntimeErrorId,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, Subject, Touch};

/// The standing of a module changed.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleStandingChanged {
    /// The module.
    #[n(0)]
    pub module: ModuleId,
    /// The standing.
    #[n(1)]
    pub standing: ModuleStanding,
    /// A short text that may be shown: the reason for the standing.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl RecordBody for ModuleStandingChanged {
    const NUMBER: u16 = 67;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::ModuleStanding
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Says("module", &self.module));
        touched(Touch::Says("standing", &self.standing));
    }

    fn note(&self) -> Option<&str> {
        self.why.as_deref()
    }
}

/// A steward brought the pool to its roster, as far as it could.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reconciled {
    /// The revision of the roster.
    #[n(0)]
    pub revision: u64,
    /// The numbers of members that it found, and brought to their places.
    #[n(1)]
    pub counts: ReconcileCounts,
    /// The first failures; the counts have all of them.
    #[n(2)]
    pub failures: Vec<ReconcileFailure>,
}

impl RecordBody for Reconciled {
    const NUMBER: u16 = 68;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::Reconciled
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Says("revision", &self.revision));
        touched(Touch::Says("failed", &self.counts.failed));
    }
}

/// An error of the runtime that keeps the pool as it was declared. The lineage names the run that it is
/// about, when it is one.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeErrorRecorded {
    /// The error: it is recorded once.
    #[n(0)]
    pub id: RuntimeErrorId,
    /// The category of the error.
    #[n(1)]
    pub category: RuntimeErrorCategory,
    /// A short text that may be shown: the error.
    #[n(2)]
    pub detail: String,
}

impl RecordBody for RuntimeErrorRecorded {
    const NUMBER: u16 = 69;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RuntimeError
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Says("error", &self.id));
        touched(Touch::Says("category", &self.category));
    }

    fn note(&self) -> Option<&str> {
        Some(&self.detail)
    }
}
