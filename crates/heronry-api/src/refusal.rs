//! Refusals and failures of use cases: a kind with a stable slug, a text and typed members.

mod failure;
mod rejection;

use heronry_event::filter::CompileErrors;
use heronry_types::Cursor;
use heronry_wire::{Problem, ProblemKind};
use serde_json::Value;

/// The refusal that a use case answers in place of a result, whether a rule says no or something failed.
///
/// Its kind is one of [`ProblemKind`], with the members that the contract names for it. A surface writes
/// it as its protocol does; over HTTP it is a problem document with the status that stands in it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{problem}")]
pub struct Refusal {
    kind: ProblemKind,
    problem: Problem,
}

impl Refusal {
    /// Returns a refusal of this kind; `detail` says what was found and what to do.
    pub fn of(kind: ProblemKind, detail: impl Into<String>) -> Self {
        let problem = Problem::new(kind, detail);
        Self { kind, problem }
    }

    /// Returns the refusal of a field with a value that cannot be used.
    pub fn invalid(field: &str, why: &str) -> Self {
        Self::of(ProblemKind::InvalidRequest, format!("{field}: {why}")).with("field", field)
    }

    /// Returns the one refusal of every request whose token is missing or cannot be believed.
    pub fn unauthorized() -> Self {
        Self::of(
            ProblemKind::Unauthorized,
            "send the operator's token or a member token as Authorization: Bearer",
        )
    }

    /// Returns the one refusal of pools that do not exist and of those that the caller may not know of.
    pub fn pool_not_found() -> Self {
        Self::of(
            ProblemKind::PoolNotFound,
            "no such pool; an operator opens it with PUT",
        )
    }

    /// Adds a typed member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.problem = self.problem.with(name, value);
        self
    }

    /// Adds a member that is a cursor.
    #[must_use]
    pub fn with_cursor(mut self, name: &str, cursor: Cursor) -> Self {
        self.problem = self.problem.with_cursor(name, cursor);
        self
    }

    /// Sets another status than the usual one of the kind.
    #[must_use]
    fn with_status(mut self, status: u16) -> Self {
        self.problem = self.problem.with_status(status);
        self
    }

    /// Returns the kind.
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// Returns the refusal as the contract writes it.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        refusal.problem
    }
}

/// Fields whose rule comes later, and that no request type knows, are refused by their own types.
impl From<CompileErrors> for Refusal {
    fn from(errors: CompileErrors) -> Self {
        // Spans, texts and names: writing them as JSON cannot fail.
        let list = serde_json::to_value(&errors).unwrap_or_default();
        let refusal = Self::of(ProblemKind::FilterInvalid, errors.to_string());
        refusal.with("field", "filter").with("errors", list)
    }
}
