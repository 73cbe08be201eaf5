//! Waiting for events.

use axum::{
    http::{HeaderMap, StatusCode},
    routing::MethodFilter,
};
use heronry_event::{WakeExplanation, filter::Filter};
use heronry_pool::{
    Caller, Rejection,
    decide::{CancelWake, FindWake, ListWakes, RegisterWake, Suspending, WakeEvents, WakeRequest},
};
use heronry_types::{
    Condition, IdempotencyKey, Millis, RunId, Since, WakeId, WakeStatus, WakeView,
};
use heronry_wire::{
    ExplainQuery, ProblemKind, RegisterWake as WakeBody, WakeChanged, WakeList, WakeQuery,
    WakesQuery,
};

use super::{PoolRequest, Route, inbox::claims};
use crate::{
    extract::{Json, Query, idempotency_key, invalid},
    openapi::routes::wakes as described,
    problems::Refusal,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/wakes",
            "Register a wake, and wait for its end.",
            register,
        )
        .contract(described::register_wake),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/wakes",
            "List the wakes that wait.",
            list,
        )
        .contract(described::list_wakes),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/wakes/{id}",
            "Show a wake, and wait for its end.",
            wait,
        )
        .contract(described::get_wake),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}/wakes/{id}",
            "Give a wake up.",
            cancel,
        )
        .contract(described::cancel_wake),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/wakes/{id}/explain",
            "Say why a wake has not been triggered.",
            explain,
        )
        .contract(described::explain_wake),
    ]
}

async fn register(
    request: PoolRequest,
    headers: HeaderMap,
    Json(mut body): Json<WakeBody>,
) -> Result<(StatusCode, Json<WakeChanged>), Refusal> {
    let run = request.identity.acting(body.run_id.take(), "run_id")?;
    let key = idempotency_key(&headers, body.idempotency_key.take())?;
    let waiting = request.within(body.wait_ms)?;
    let registered = request
        .call(RegisterWake::new(
            request.caller(),
            run.clone(),
            wake_of(&request, body, key).await?,
        ))
        .await?;
    let status = if registered.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let waits = registered.wake.status == WakeStatus::Registered && waiting.span > Millis(0);
    let wake = if waits {
        wait_for(&request, run, registered.wake, waiting.span).await
    } else {
        request
            .pool
            .summed_up(request.caller(), registered.wake)
            .await
    };
    let durability = request.app.durability();
    Ok((status, Json(WakeChanged { wake, durability })))
}

/// Waits for the end of a wake that was registered just now or before.
///
/// The wake is journaled, so the end of the waiting is no refusal of the request, whatever its
/// reason: the run left, it was taken over, the server stops. The answer is then the standing of
/// the wake, as far as it can be told.
async fn wait_for(
    request: &PoolRequest,
    run: RunId,
    registered: WakeView,
    wait: Millis,
) -> WakeView {
    let (run, wake_id) = (Some(run), registered.wake_id.clone());
    let ended = request
        .pool
        .wait_wake(request.caller(), run.clone(), wake_id.clone(), wait);
    if let Ok(wake) = request.unless_stopped(ended).await {
        return wake;
    }
    let caller = Caller::Operator;
    let find = FindWake {
        caller,
        run,
        wake_id,
    };
    request.call(find).await.unwrap_or(registered)
}

async fn wake_of(
    request: &PoolRequest,
    mut body: WakeBody,
    key: IdempotencyKey,
) -> Result<WakeRequest, Refusal> {
    let condition = body.take_condition();
    let condition = condition.map_err(|error| invalid("filter", &error.to_string()))?;
    condition.check().map_err(Rejection::from)?;
    let mut wake = WakeRequest::new(compiled(request, &condition).await?, key);
    wake.suspending = suspending(&body)?;
    wake.wake_id = body.wake_id;
    wake.policies = body.policies;
    wake.since = body.since.map_or(Since::default(), |since| since.0);
    wake.timeout = body.timeout_ms;
    wake.resume_with = body.resume_with.unwrap_or_default();
    wake.wake_events = match body.include_wakes {
        Some(true) => WakeEvents::Include,
        Some(false) | None => WakeEvents::Skip,
    };
    Ok(wake)
}

/// Compiles the filters of a condition, one after the other.
async fn compiled(
    request: &PoolRequest,
    condition: &Condition,
) -> Result<Condition<Filter>, Refusal> {
    let mut compiled = Vec::new();
    for clause in condition.clauses() {
        compiled.push(request.compile(clause.filter).await?);
    }
    let mut compiled = compiled.into_iter();
    condition.try_map(&mut |_: &String| {
        // Both walk the filters in the order in which they stand.
        let filter = compiled.next();
        filter.ok_or_else(|| Refusal::of(ProblemKind::Internal, "a filter was not compiled"))
    })
}

/// Returns how the run is to be suspended, if it is.
fn suspending(body: &WakeBody) -> Result<Option<Suspending>, Refusal> {
    if body.suspends_run != Some(true) {
        let alone = "goes only with suspends_run";
        return match (body.forever, &body.release) {
            (None | Some(false), None) => Ok(None),
            (Some(true), _) => Err(invalid("forever", alone)),
            (None | Some(false), Some(_)) => Err(invalid("release", alone)),
        };
    }
    let mut suspending = match body.forever {
        Some(true) => Suspending::forever(),
        Some(false) | None => Suspending::until_timeout(),
    };
    let release = body.release.as_deref().unwrap_or_default();
    suspending.release = claims(release, "release")?;
    Ok(Some(suspending))
}

async fn list(
    request: PoolRequest,
    Query(query): Query<WakesQuery>,
) -> Result<Json<WakeList>, Refusal> {
    request.identity.check_standing().await?;
    if query.limit == Some(0) {
        return Err(invalid("limit", "0 shows nothing; ask for 1 at least"));
    }
    let list = ListWakes {
        caller: request.caller(),
        run: whose(&request, query.run)?,
        after: query.after,
        max: request.page_size(query.limit)?,
    };
    let page = request.call(list).await?;
    Ok(Json(WakeList {
        wakes: page.wakes,
        next: page.next,
        as_of: page.as_of,
    }))
}

async fn explain(
    request: PoolRequest,
    Query(query): Query<ExplainQuery>,
) -> Result<Json<WakeExplanation>, Refusal> {
    let run = whose(&request, query.run)?;
    let wake_id = request.params.id("id")?;
    let explained = request.pool.explain_wake(request.caller(), run, wake_id);
    Ok(Json(explained.await?))
}

async fn wait(
    request: PoolRequest,
    Query(query): Query<WakeQuery>,
) -> Result<Json<WakeView>, Refusal> {
    let run = whose(&request, query.run)?;
    let wake_id = request.params.id("id")?;
    let waiting = request.within(query.wait_ms)?;
    let ended = request
        .pool
        .wait_wake(request.caller(), run, wake_id, waiting.span);
    Ok(Json(request.unless_stopped(ended).await?))
}

async fn cancel(
    request: PoolRequest,
    Query(query): Query<WakeQuery>,
) -> Result<Json<WakeChanged>, Refusal> {
    let wake_id: WakeId = request.params.id("id")?;
    if query.wait_ms.is_some() {
        return Err(invalid("wait_ms", "giving up does not wait; leave it out"));
    }
    // An operator may name no run: the id says whose it is then, unless two runs have it.
    let run = if let Some(run) = whose(&request, query.run)? {
        run
    } else {
        let (caller, run, wake_id) = (request.caller(), None, wake_id.clone());
        request
            .call(FindWake {
                caller,
                run,
                wake_id,
            })
            .await?
            .run_id
    };
    let caller = request.caller();
    let wake = request
        .call(CancelWake {
            caller,
            run,
            wake_id,
        })
        .await?;
    let wake = request.pool.summed_up(request.caller(), wake).await;
    let durability = request.app.durability();
    Ok(Json(WakeChanged { wake, durability }))
}

/// Returns whose wake a query is about: a member's own, or the one that an operator may name.
fn whose(request: &PoolRequest, named: Option<RunId>) -> Result<Option<RunId>, Refusal> {
    match request.identity.own_run() {
        None => Ok(named),
        Some(_) => request.identity.acting(named, "run").map(Some),
    }
}
