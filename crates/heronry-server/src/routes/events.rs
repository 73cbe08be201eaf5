//! Events: pages, and streams that replay and then follow.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::MethodFilter,
};
use heronry_api::event;
use heronry_types::Cursor;
use heronry_wire::{
    AppendEvents, EVENT_STREAM, EphemeralPublished, EventsAppended, EventsQuery, PublishEphemeral,
};

use super::{PoolRequest, Route, json, recorded};
use crate::{
    extract::{Json, Query, cursor, key, trace},
    openapi::routes::events as described,
    problems::ProblemAnswer,
    sse,
};

/// The header with which a stream is resumed.
const LAST_EVENT_ID: &str = "last-event-id";

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/events",
            "Read a page of events, or follow them as a stream.",
            read,
        )
        .contract(described::read_events),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/events",
            "Report a batch of events.",
            append,
        )
        .contract(described::report_events),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/events/ephemeral",
            "Publish events that are shown live, and not recorded.",
            publish,
        )
        .contract(described::publish_ephemeral),
    ]
}

async fn read(
    request: PoolRequest,
    headers: HeaderMap,
    Query(query): Query<EventsQuery>,
) -> Result<Response, ProblemAnswer> {
    let access = request.access;
    if wants_stream(&headers) {
        let resumed_after = last_event_id(&headers)?;
        let watch = event::watch(access, &query, resumed_after).await?;
        return Ok(sse::answer(watch));
    }
    let page = event::page(&access, &query).await?;
    let (items, write) = (page.events.len(), move || json(&page));
    Ok(access.write(items, write).await)
}

async fn append(
    request: PoolRequest,
    headers: HeaderMap,
    Json(body): Json<AppendEvents>,
) -> Result<(StatusCode, Json<EventsAppended>), ProblemAnswer> {
    let appended = event::append(&request.access, body, key(&headers)?).await?;
    Ok(recorded(appended))
}

async fn publish(
    request: PoolRequest,
    headers: HeaderMap,
    Json(body): Json<PublishEphemeral>,
) -> Result<Json<EphemeralPublished>, ProblemAnswer> {
    let trace = trace(&headers);
    Ok(Json(
        event::publish_ephemeral(&request.access, body, trace).await?,
    ))
}

fn wants_stream(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|accept| {
        let accept = accept.to_str().unwrap_or_default();
        let mut types = accept
            .split(',')
            .filter_map(|range| range.split(';').next());
        types.any(|range| range.trim().eq_ignore_ascii_case(EVENT_STREAM))
    })
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Cursor>, ProblemAnswer> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    match value.to_str().unwrap_or_default() {
        "" => Ok(None),
        text => cursor(text, "Last-Event-ID").map(Some),
    }
}
