//! Effects: what a run does outside the pool, journaled before and after.

use serde::{Deserialize, Serialize};

use crate::{Cursor, EffectOutcome, EffectStanding, IdempotencyKey, RunId};

/// How an effect ended.
#[derive(
    Clone, Debug, Deserialize, Eq, PartialEq, Serialize, minicbor::Decode, minicbor::Encode,
)]
#[serde(deny_unknown_fields)]
pub struct EffectResult {
    /// Whether it was done.
    #[n(0)]
    pub outcome: EffectOutcome,
    /// A short text.
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

/// Where an effect stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct EffectView {
    /// Its intent: the effect's id.
    pub effect: Cursor,
    /// Whose it is.
    pub run_id: RunId,
    /// What is done, in a few words.
    pub what: String,
    /// The key under which a repeat of it does nothing; such an effect is safe to retry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
    /// Where it stands.
    pub standing: EffectStanding,
    /// How often it was attempted.
    pub attempts: u32,
    /// How it ended; absent while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<EffectResult>,
}
