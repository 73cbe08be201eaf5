//! Events: pages, and streams that replay and then follow.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::MethodFilter,
};
use heronry_event::{EventPage, Filter};
use heronry_pool::decide::{AppendEvents, Viewing};
use heronry_runtime::{EventQuery, Follow, OnTrimmed, ReadFrom};
use heronry_types::{Cursor, Millis};
use heronry_wire::{
    AppendEvents as AppendBody, EVENT_STREAM, EventsAppended, EventsFrom, EventsQuery,
    OnTrimmed as WhenTrimmed, Problem, ProblemKind,
};

use super::{PoolRequest, Route};
use crate::{
    extract::{Json, Query, idempotency_key, invalid, trace},
    openapi::routes::events as described,
    problems::Refusal,
    side, sse,
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
    ]
}

async fn read(
    request: PoolRequest,
    headers: HeaderMap,
    Query(query): Query<EventsQuery>,
) -> Result<Response, Refusal> {
    let viewing = Viewing {
        caller: request.caller(),
        run: query.view_run.clone(),
    };
    let viewer = request.call(viewing).await?;
    let filter = match &query.filter {
        Some(text) => request.compile(text).await?,
        None => Filter::all(),
    };
    let mut asked = EventQuery {
        viewer,
        filter,
        from: start(&query)?,
        on_trimmed: OnTrimmed::Error,
    };
    if !wants_stream(&headers) {
        return Ok(shown(&request, page(&request, &asked, &query).await?).await);
    }
    if let Some(resumed) = last_event_id(&headers)? {
        asked.from = ReadFrom::Cursor(resumed);
    }
    asked.on_trimmed = match query.on_trimmed.unwrap_or_default() {
        WhenTrimmed::Gap => OnTrimmed::Gap,
        WhenTrimmed::Error => OnTrimmed::Error,
    };
    stream(&request, asked, &query).await
}

async fn append(
    request: PoolRequest,
    headers: HeaderMap,
    Json(mut body): Json<AppendBody>,
) -> Result<(StatusCode, Json<EventsAppended>), Refusal> {
    let run = request.identity.acting(body.run_id.take(), "run_id")?;
    let key = idempotency_key(&headers, body.idempotency_key.take())?;
    let command = AppendEvents::new(request.caller(), run, body.events, key);
    let appended = request.call(command.with_trace(trace(&headers))).await?;
    let status = if appended.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let answer = EventsAppended {
        first: appended.first,
        last: appended.last,
        count: appended.count,
        durability: appended.durability,
    };
    Ok((status, Json(answer)))
}

fn start(query: &EventsQuery) -> Result<ReadFrom, Refusal> {
    match (query.after, query.from) {
        (Some(_), Some(_)) => Err(invalid("from", "after is given too; give one")),
        (Some(after), None) => Ok(ReadFrom::Cursor(after)),
        (None, Some(EventsFrom::Head)) => Ok(ReadFrom::Head),
        (None, Some(EventsFrom::Start) | None) => Ok(ReadFrom::Start),
    }
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

fn last_event_id(headers: &HeaderMap) -> Result<Option<Cursor>, Refusal> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    Cursor::parse(text).map(Some).map_err(|error| {
        let problem = Problem::new(ProblemKind::CursorInvalid, error.to_string());
        Refusal(problem.with("field", "Last-Event-ID"))
    })
}

async fn page(
    request: &PoolRequest,
    asked: &EventQuery,
    query: &EventsQuery,
) -> Result<EventPage, Refusal> {
    if query.on_trimmed == Some(WhenTrimmed::Gap) {
        return Err(invalid(
            "on_trimmed",
            "a page has no gaps; say error, or nothing",
        ));
    }
    let limit = request.page_size(query.limit)?;
    let waiting = request.within(query.wait_ms)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    request
        .unless_stopped(request.pool.events(asked, limit, waiting.span))
        .await
}

/// Answers with a page.
async fn shown(request: &PoolRequest, page: EventPage) -> Response {
    let items = page.events.len();
    let write = move || side::json(&page);
    side::write(&request.app, &request.identity.party(), (items, write)).await
}

async fn stream(
    request: &PoolRequest,
    asked: EventQuery,
    query: &EventsQuery,
) -> Result<Response, Refusal> {
    if query.limit.is_some() {
        return Err(invalid("limit", "a stream has no limit; leave it out"));
    }
    if query.wait_ms.is_some_and(|wait| wait > Millis(0)) {
        return Err(invalid("wait_ms", "a stream always waits; leave it out"));
    }
    let share = request
        .app
        .streams
        .take(&request.holder(), &request.pool.limits(), 1);
    let open =
        share.map_err(|exceeded| Refusal::of_share(exceeded, "end one of those that are open"))?;
    let subscription = request.pool.subscribe(asked, Follow::Live).await?;
    let party = request.identity.party();
    Ok(sse::answer(&request.app, subscription, (party, open)))
}
