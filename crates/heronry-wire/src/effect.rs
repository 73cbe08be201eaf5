//! Effects: the work of runs outside the pool.

use heronry_types::{Cursor, EffectOutcome, EffectView, RunId};
use serde::{Deserialize, Serialize};

/// The query of `GET …/effects`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::effects_query())
)]
pub struct EffectsQuery {
    /// The run whose effects are listed. Absent: the token's run, or every run for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The largest number of effects in the page. Absent: 100, or the pool's limit where that is lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The effect after which the page begins: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
}

/// A page of the effects that have no result, oldest first.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EffectList {
    /// The effects.
    pub effects: Vec<EffectView>,
    /// The last effect here, after which the next page goes on; absent when there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
    /// The head at which they were read.
    pub as_of: Cursor,
}

/// Reports the result of an effect. The body of `POST …/effects/{id}/resolve`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::resolve_effect())
)]
pub struct ResolveEffect {
    /// The outcome: the effect was done, or was not.
    pub outcome: EffectOutcome,
    /// A short text, kept with the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
