//! Routes about the server itself.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::MethodFilter,
};
use heronry_api::server::{self, ServerHost};
use heronry_runtime::{PoolOpening, layers::Meter};
use heronry_wire::{ConnectionsStatus, DiskStatus, ServerStatus, Version};

use super::Route;
use crate::{
    app::{App, SharedApp},
    connections::Places,
    extract::Json,
    identity::{Authenticated, OpenTo},
    metrics::{self, OpenCounts, Scrape},
    openapi::routes::server as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::GET,
            "/healthz",
            "Say that the server is alive.",
            healthz,
        )
        .open_to(OpenTo::Everyone)
        .contract(described::get_health),
        Route::new(
            MethodFilter::GET,
            "/readyz",
            "Say whether the store can be written.",
            readyz,
        )
        .open_to(OpenTo::Everyone)
        .contract(described::get_readiness),
        Route::new(
            MethodFilter::GET,
            "/openapi.json",
            "Show this contract.",
            contract,
        )
        .open_to(OpenTo::Everyone)
        .contract(described::get_contract),
        Route::new(
            MethodFilter::GET,
            "/v1/version",
            "Say what the server is.",
            version,
        )
        .open_to(OpenTo::Everyone)
        .contract(described::get_version),
        Route::new(
            MethodFilter::GET,
            "/metrics",
            "Show figures for Prometheus.",
            get_metrics,
        )
        .open_to(OpenTo::Operators)
        .contract(described::get_metrics),
        Route::new(
            MethodFilter::GET,
            "/v1/status",
            "Show how the server and its pools are. It opens the pools that it shows.",
            status,
        )
        .open_to(OpenTo::Operators)
        .contract(described::get_status),
    ]
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(app): State<SharedApp>) -> Result<String, ProblemAnswer> {
    server::check_ready(&app.api).await?;
    let mut text = "ready\n".to_owned();
    let warning = app.health.disk_warning();
    let opening = shown_openings(&app.api.runtime().openings());
    for line in [warning, opening].into_iter().flatten() {
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

/// Returns the line about pools that are being opened; nothing when none is. It names no pool: anybody
/// may read it.
fn shown_openings(openings: &[PoolOpening]) -> Option<String> {
    let slowest = openings.iter().map(|opening| opening.percent).min()?;
    let count = openings.len();
    Some(format!(
        "pools being opened: {count}, the slowest at {slowest} %"
    ))
}

async fn status(
    State(app): State<SharedApp>,
    Authenticated(identity): Authenticated,
) -> Result<Json<ServerStatus>, ProblemAnswer> {
    let host = host(&app).await;
    Ok(Json(server::status(&app.api, &identity, host).await?))
}

async fn host(app: &App) -> ServerHost {
    let places = app.places.as_ref();
    ServerHost {
        started: app.health.started,
        place: app.health.store.place.clone(),
        connections: places.map(|places| ConnectionsStatus {
            open: places.taken(),
            max: places.max(),
        }),
        disk: disk(app).await,
    }
}

async fn disk(app: &App) -> Option<DiskStatus> {
    let watch = app.health.store.disk.as_ref()?;
    let space = app.health.look_at_disk().await?;
    Some(DiskStatus {
        free_bytes: space.free_bytes,
        total_bytes: space.total_bytes,
        free_bytes_min: watch.free_bytes_min,
    })
}

async fn contract(State(app): State<SharedApp>) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::OK, json, app.contract.clone()).into_response()
}

async fn version() -> Json<Version> {
    Json(server::version())
}

async fn get_metrics(
    State(app): State<SharedApp>,
    Authenticated(identity): Authenticated,
) -> Result<Response, ProblemAnswer> {
    let pools = server::samples(&app.api, &identity).await?;
    let content_type = [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)];
    let open = OpenCounts {
        connections: app.places.as_ref().map_or(0, Places::taken),
        streams: app.api.streams().total(),
    };
    let meter = app.health.store.meter.as_ref();
    let scrape = Scrape {
        answers: app.metrics.answers(),
        open,
        store_bytes: app.health.store_bytes().await,
        pools,
        store: meter.map(Meter::figures).unwrap_or_default(),
    };
    Ok((content_type, scrape.text()).into_response())
}

#[cfg(test)]
mod tests {
    use heronry_types::PoolId;

    use super::*;

    #[test]
    fn pools_that_are_being_opened_are_counted_and_not_named() {
        let opening = |name: &str, percent| PoolOpening {
            pool: PoolId::parse(name).unwrap(),
            percent,
        };
        assert_eq!(shown_openings(&[]), None);
        let shown = shown_openings(&[opening("a", 90), opening("b", 61)]);
        assert_eq!(
            shown.as_deref(),
            Some("pools being opened: 2, the slowest at 61 %")
        );
    }
}
