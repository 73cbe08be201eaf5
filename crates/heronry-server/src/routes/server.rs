//! Routes about the server itself.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::MethodFilter,
};
use heronry_wire::{ServerStatus, Version};

use super::Route;
use crate::{
    app::SharedApp, connections::Places, extract::Json, identity::Access, metrics::OpenCounts,
    openapi::routes::server as described, problems::Refusal, status,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::GET,
            "/healthz",
            "Say that the server is alive.",
            healthz,
        )
        .access(Access::Open)
        .contract(described::get_health),
        Route::new(
            MethodFilter::GET,
            "/readyz",
            "Say whether the store can be written.",
            readyz,
        )
        .access(Access::Open)
        .contract(described::get_readiness),
        Route::new(
            MethodFilter::GET,
            "/openapi.json",
            "Show this contract.",
            contract,
        )
        .access(Access::Open)
        .contract(described::get_contract),
        Route::new(
            MethodFilter::GET,
            "/v1/version",
            "Say what the server is.",
            version,
        )
        .access(Access::Open)
        .contract(described::get_version),
        Route::new(
            MethodFilter::GET,
            "/metrics",
            "Show figures for Prometheus.",
            metrics,
        )
        .access(Access::Operator)
        .contract(described::get_metrics),
        Route::new(
            MethodFilter::GET,
            "/v1/status",
            "Show how the server and its pools are. It opens the pools that it shows.",
            status,
        )
        .access(Access::Operator)
        .contract(described::get_status),
    ]
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(app): State<SharedApp>) -> Result<String, Refusal> {
    app.runtime.pools().await?;
    Ok(match app.health.disk_warning() {
        None => "ready\n".to_owned(),
        Some(warning) => format!("ready\n{warning}\n"),
    })
}

async fn status(State(app): State<SharedApp>) -> Json<ServerStatus> {
    Json(status::of(&app).await)
}

async fn contract(State(app): State<SharedApp>) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::OK, json, app.contract.clone()).into_response()
}

async fn version() -> Json<Version> {
    Json(Version {
        name: "heronry".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api: "v1".to_owned(),
    })
}

async fn metrics(State(app): State<SharedApp>) -> Result<Response, Refusal> {
    let pools = app.figures().await?;
    let text = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    let open = OpenCounts {
        connections: app.places.as_ref().map_or(0, Places::taken),
        streams: app.streams.total(),
    };
    Ok((text, app.metrics.render(&pools, open)).into_response())
}
