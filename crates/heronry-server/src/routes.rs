//! The one table of routes: the router and the `OpenAPI` document are both made from it.

mod consumers;
mod contents;
mod dead;
mod effects;
mod events;
mod filters;
mod inbox;
mod keeping;
mod members;
mod messages;
mod pool_request;
mod pools;
mod prove;
mod roster;
mod server;
mod sources;
mod wakes;
mod wiring;

use axum::{
    Router,
    body::Bytes,
    handler::Handler,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use heronry_api::{Recorded, Recording};
use heronry_wire::ProblemKind;
use serde::Serialize;

use crate::{
    app::SharedApp,
    extract::Json,
    guards::{self, BodyForm},
    identity::{self, OpenTo},
    openapi::{self, Contract, RouteFace},
    problems::ProblemAnswer,
};

pub(crate) use pool_request::PoolRequest;

/// A row of the table of routes: what a caller sees of it, and its handler.
pub(crate) struct Route {
    face: RouteFace,
    form: BodyForm,
    handler: MethodRouter<SharedApp>,
}

impl Route {
    fn new<H, T>(
        filter: MethodFilter,
        path: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, SharedApp>,
        T: 'static,
    {
        Self {
            face: RouteFace {
                filter,
                path,
                open_to: OpenTo::Members,
                contract: Contract::new(summary),
            },
            form: BodyForm::Json,
            handler: on(filter, handler),
        }
    }

    fn open_to(mut self, open_to: OpenTo) -> Self {
        self.face.open_to = open_to;
        self
    }

    fn form(mut self, form: BodyForm) -> Self {
        self.form = form;
        self
    }

    fn contract(mut self, state: impl FnOnce(Contract) -> Contract) -> Self {
        self.face.contract = state(self.face.contract);
        self
    }
}

/// Returns the `OpenAPI` document that the server answers at `/openapi.json`, as JSON.
pub fn openapi_json() -> Bytes {
    let table = table();
    let faces: Vec<&RouteFace> = table.iter().map(|route| &route.face).collect();
    openapi::document(&faces)
}

/// Returns every row of the table.
pub(crate) fn table() -> Vec<Route> {
    let groups = [
        pools::rows,
        keeping::rows,
        members::rows,
        wiring::rows,
        roster::rows,
        messages::rows,
        inbox::rows,
        dead::rows,
        effects::rows,
        wakes::rows,
        events::rows,
        sources::rows,
        consumers::rows,
        contents::rows,
        filters::rows,
        prove::rows,
        server::rows,
    ];
    groups
        .into_iter()
        .flat_map(|rows: fn() -> Vec<Route>| rows())
        .collect()
}

/// Makes the router from the table.
pub(crate) fn router(app: &SharedApp, table: Vec<Route>) -> Router {
    let mut router = Router::new();
    for route in table {
        let handler = match route.face.open_to {
            OpenTo::Everyone => route.handler,
            OpenTo::Operators | OpenTo::Members => {
                let state = (SharedApp::clone(app), route.face.open_to);
                let layer = middleware::from_fn_with_state(state, identity::authorise);
                route.handler.route_layer(layer)
            }
        };
        // Outermost: a body that no route reads like this is refused to everybody.
        let form = middleware::from_fn_with_state(route.form, guards::check_form);
        router = router.route(route.face.path, handler.route_layer(form));
    }
    router
        .fallback(async || {
            ProblemAnswer::of(ProblemKind::NotFound, "no such path; see /openapi.json")
        })
        .method_not_allowed_fallback(async || {
            ProblemAnswer::of(
                ProblemKind::MethodNotAllowed,
                "the path exists, but not with this method; see /openapi.json",
            )
        })
        .layer(middleware::from_fn_with_state(
            SharedApp::clone(app),
            guards::guard,
        ))
        .layer(middleware::from_fn_with_state(
            SharedApp::clone(app),
            guards::say_whether_it_closes,
        ))
        .with_state(SharedApp::clone(app))
}

/// Answers with 201 what was recorded now, and with 200 what was recorded before.
fn recorded<T>(recorded: Recorded<T>) -> (StatusCode, Json<T>) {
    let Recorded { answer, recording } = recorded;
    let status = match recording {
        Recording::Now => StatusCode::CREATED,
        Recording::Before => StatusCode::OK,
    };
    (status, Json(answer))
}

/// Answers with JSON that may take long to write.
fn json<T: Serialize>(answer: &T) -> Response {
    match heronry_api::to_json(answer) {
        Ok(bytes) => {
            let json = [(header::CONTENT_TYPE, "application/json")];
            (json, Bytes::from(bytes)).into_response()
        }
        Err(refusal) => ProblemAnswer::from(refusal).into_response(),
    }
}
