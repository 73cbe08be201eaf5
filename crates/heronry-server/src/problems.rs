//! Problems as answers over HTTP: a status, and `application/problem+json`.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use heronry_api::Refusal;
use heronry_wire::{PROBLEM_MEDIA_TYPE, Problem, ProblemKind};

/// The problem in an answer with a status of 500 or more, for the log.
#[derive(Clone, Debug)]
pub(crate) struct Failed(pub(crate) Problem);

/// The problem that a handler or a guard answers in place of a result.
#[derive(Debug)]
pub(crate) struct ProblemAnswer(pub(crate) Problem);

impl ProblemAnswer {
    /// Returns a problem of this kind.
    pub(crate) fn of(kind: ProblemKind, detail: &str) -> Self {
        Self(Problem::new(kind, detail))
    }
}

impl From<Problem> for ProblemAnswer {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Refusal> for ProblemAnswer {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.into())
    }
}

impl IntoResponse for ProblemAnswer {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Texts, numbers and lists of them: writing them as JSON cannot fail.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(PROBLEM_MEDIA_TYPE),
        );
        if let Some(wait_ms) = problem.number("retry_after_ms") {
            let seconds = wait_ms.div_ceil(1_000).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status.is_server_error() {
            response.extensions_mut().insert(Failed(problem));
        }
        response
    }
}
