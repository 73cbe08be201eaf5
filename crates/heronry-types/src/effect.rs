//! Effects: the work of a run outside the pool, journaled before and after.

use serde::{Deserialize, Serialize};

use crate::{Cursor, EffectOutcome, EffectStanding, IdempotencyKey, RunId};

/// The result of an effect.
#[derive(
    Clone, Debug, Deserialize, Eq, PartialEq, Serialize, minicbor::Decode, minicbor::Encode,
)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EffectResult {
    /// The outcome: the effect was done, or was not.
    #[n(0)]
    pub outcome: EffectOutcome,
    /// A short text about the result.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl EffectResult {
    /// Returns that it was done.
    pub fn succeeded() -> Self {
        Self {
            outcome: EffectOutcome::Succeeded,
            note: None,
        }
    }

    /// Returns that it was not done, for good.
    pub fn failed() -> Self {
        Self {
            outcome: EffectOutcome::Failed,
            note: None,
        }
    }

    /// Adds a short text.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// An effect as the pool shows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EffectView {
    /// The cursor of the intent, which is the id of the effect.
    pub effect: Cursor,
    /// The run that intended the effect.
    pub run_id: RunId,
    /// The work that is done, in a few words.
    pub what: String,
    /// The key under which a repeat of the effect does nothing. An effect with a key is safe to retry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
    /// The standing of the effect.
    pub standing: EffectStanding,
    /// The number of attempts so far.
    pub attempts: u32,
    /// The result of the effect; absent while it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<EffectResult>,
}
