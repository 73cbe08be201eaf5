//! Effects: what runs do outside the pool.

use heronry_types::{Cursor, EffectOutcome, EffectView, RunId};
use serde::{Deserialize, Serialize};

/// The query of `GET …/effects`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EffectsQuery {
    /// Whose effects; absent: the token's run, or every run for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub run: Option<RunId>,
    /// How many at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Only those after this one: the `next` of a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub after: Option<Cursor>,
}

/// A page of the effects that have no result, oldest first.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EffectList {
    /// The effects.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub effects: Vec<EffectView>,
    /// Where the next page goes on; absent when there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub next: Option<Cursor>,
    /// The head at which they were read.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub as_of: Cursor,
}

/// Says how an effect ended. The body of `POST …/effects/{id}/resolve`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResolveEffect {
    /// Whether it was done.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub outcome: EffectOutcome,
    /// A short text, kept with the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
