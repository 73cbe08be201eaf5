//! Records about what was declared: the roster, and the members of it.

use heronry_types::{
    ContentRef, Digest, EventKind, Generation, Labels, MemberStanding, RosterLayer, StewardToken,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, Subject, Touch};

/// A layer of the roster was declared anew.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RosterDeclared {
    /// The revision of the roster: a number that rises with each declaration.
    #[n(0)]
    pub revision: u64,
    /// The digest of what was declared.
    #[n(1)]
    pub digest: Digest,
    /// The layer.
    #[n(2)]
    pub layer: RosterLayer,
    /// The number of members that the layer has.
    #[n(3)]
    pub members: u64,
    /// The body with what was declared; absent when it was not stored.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentRef>,
    /// The stewardship in which it was declared; absent when an operator declared it by hand.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steward: Option<StewardToken>,
}

impl RecordBody for RosterDeclared {
    const NUMBER: u16 = 64;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RosterDeclared
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Says("revision", &self.revision));
        touched(Touch::Says("layer", &self.layer));
        touched(Touch::Says("members", &self.members));
        touched(Touch::Says("digest", &self.digest));
        if let Some(content) = self.content {
            touched(Touch::Reference(content));
        }
    }
}

/// A member was specified, or is specified no longer. The lineage names the run.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSpecified {
    /// The digest of its spec; absent when it is specified no longer.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The labels that the spec gives it.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// The layer of the roster that the spec comes from.
    #[n(2)]
    pub layer: RosterLayer,
    /// A short text that may be shown: the reason for which it was specified.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl RecordBody for MemberSpecified {
    const NUMBER: u16 = 65;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::MemberSpecified
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Says("layer", &self.layer));
        if let Some(digest) = &self.digest {
            touched(Touch::Says("digest", digest));
        }
    }

    fn note(&self) -> Option<&str> {
        self.why.as_deref()
    }
}

/// The standing of a declared member changed. The lineage names the run.
///
/// A dormant member has no process: its lease does not run until it stands otherwise, or is taken over.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MemberStandingChanged {
    /// The standing.
    #[n(0)]
    pub standing: MemberStanding,
    /// A short text that may be shown: the reason for the standing.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The joining that stands so; absent when the run is no member.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
}

impl RecordBody for MemberStandingChanged {
    const NUMBER: u16 = 66;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::MemberStanding
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Says("standing", &self.standing));
    }

    fn note(&self) -> Option<&str> {
        self.why.as_deref()
    }
}
