//! Checks before anything else: the host that the request was sent to, and the page that sent it.

mod media;
mod single;

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use heronry_wire::{Problem, ProblemKind};

use crate::{
    app::SharedApp,
    extract::{BodyLane, HeldRoom},
    hosts::Hosts,
    problems::{Failed, ProblemAnswer},
};

pub(crate) use media::BodyForm;

/// Refuses a body that the route would read as something else than it is.
pub(crate) async fn check_form(
    State(form): State<BodyForm>,
    request: Request,
    next: Next,
) -> Response {
    match media::check(&request, form) {
        Ok(()) => next.run(request).await,
        Err(problem) => ProblemAnswer(problem).into_response(),
    }
}

/// Refuses requests to other hosts, of foreign pages, or that say twice what counts once.
pub(crate) async fn guard(
    State(app): State<SharedApp>,
    mut request: Request,
    next: Next,
) -> Response {
    // Given back when the request is answered. An operator has room of its own, once it is known as one.
    let held = Arc::new(HeldRoom::nothing_of(&app.bodies, BodyLane::Common));
    request.extensions_mut().insert(Arc::clone(&held));
    let checked = single::check(request.headers()).and_then(|()| check_hosts(&request));
    let asked = LoggedRequest::of(&request);
    let response = match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => ProblemAnswer(problem).into_response(),
    };
    app.metrics.count(response.status());
    asked.log_failure(&response);
    response
}

/// Says in a 503 that the connection closes when the server ends behind it.
pub(crate) async fn say_whether_it_closes(
    State(app): State<SharedApp>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SERVICE_UNAVAILABLE && app.health.ends(app.runtime()) {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// The request as the log may name it: by its route, never by what the caller put into it.
struct LoggedRequest {
    method: Method,
    route: Option<MatchedPath>,
}

impl LoggedRequest {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            route: request.extensions().get().cloned(),
        }
    }

    /// Says why an answer has a status of 500 or more.
    fn log_failure(&self, response: &Response) {
        let status = response.status();
        if !status.is_server_error() {
            return;
        }
        let route = self.route.as_ref().map_or("", MatchedPath::as_str);
        let failed = response.extensions().get().map(|Failed(problem)| problem);
        let detail = failed.map_or("", |problem| problem.detail.as_str());
        let cause = failed.and_then(|problem| problem.text("cause"));
        let (method, status) = (self.method.as_str(), status.as_u16());
        if failed.and_then(Problem::kind) == Some(ProblemKind::ShuttingDown) {
            tracing::info!(method, route, status, detail, "a request came too late");
        } else {
            tracing::error!(method, route, status, cause, detail, "a request failed");
        }
    }
}

fn check_hosts(request: &Request) -> Result<(), Problem> {
    let Some(hosts) = request.extensions().get::<Arc<Hosts>>() else {
        let detail = "the request does not say on which listener it arrived";
        return Err(Problem::new(ProblemKind::Internal, detail));
    };
    hosts.check(request.uri(), request.headers())
}
