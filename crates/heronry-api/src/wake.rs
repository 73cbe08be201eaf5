//! Waiting for events.

use heronry_event::{WakeExplanation, filter::Filter};
use heronry_pool::{
    Caller, Rejection,
    decide::{self, CancelWake, FindWake, ListWakes, Suspending, WakeEvents, WakeRequest},
};
use heronry_types::{
    Condition, IdempotencyKey, Millis, RunId, Since, WakeId, WakeStatus, WakeView,
};
use heronry_wire::{
    ExplainQuery, ProblemKind, RegisterWake, WakeChanged, WakeList, WakeQuery, WakesQuery,
};
use tracing::instrument;

use crate::{Access, Key, Recorded, Refusal, inbox::claims};

/// Registers a wake, and waits for its end when the request says how long.
///
/// # Errors
/// [`Refusal`]; no wake was registered then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn register(
    access: &Access,
    mut body: RegisterWake,
    key: Key,
) -> Result<Recorded<WakeChanged>, Refusal> {
    let run = access.identity().acting(body.run_id.take(), "run_id")?;
    let key = key.needed(body.idempotency_key.take())?;
    let waiting = access.within(body.wait_ms)?;
    let request = request(access, body, key).await?;
    let command = decide::RegisterWake::new(access.caller(), run.clone(), request);
    let registered = access.call(command).await?;
    let repeated = registered.repeated;
    let waits = registered.wake.status == WakeStatus::Registered && waiting.span > Millis(0);
    let wake = if waits {
        wait_for(access, run, registered.wake, waiting.span).await
    } else {
        let pool = access.pool();
        pool.summed_up(access.caller(), registered.wake).await
    };
    let durability = access.api().durability();
    let answer = WakeChanged { wake, durability };
    Ok(if repeated {
        Recorded::before(answer)
    } else {
        Recorded::now(answer)
    })
}

/// Waits for the end of a wake that was registered just now or before.
///
/// The wake is journaled, so the end of the waiting is no refusal of the request, whatever its
/// reason: the run left, it was taken over, the server stops. The answer is then the standing of
/// the wake, as far as it can be told.
async fn wait_for(access: &Access, run: RunId, registered: WakeView, wait: Millis) -> WakeView {
    let (run, wake_id) = (Some(run), registered.wake_id.clone());
    let pool = access.pool();
    let ended = pool.wait_wake(access.caller(), run.clone(), wake_id.clone(), wait);
    if let Ok(wake) = access.unless_stopped(ended).await {
        return wake;
    }
    let caller = Caller::Operator;
    let find = FindWake {
        caller,
        run,
        wake_id,
    };
    access.call(find).await.unwrap_or(registered)
}

async fn request(
    access: &Access,
    mut body: RegisterWake,
    key: IdempotencyKey,
) -> Result<WakeRequest, Refusal> {
    let condition = body.take_condition();
    let condition = condition.map_err(|error| Refusal::invalid("filter", &error.to_string()))?;
    condition.check().map_err(Rejection::from)?;
    let mut request = WakeRequest::new(compiled(access, &condition).await?, key);
    request.suspending = suspending(&body)?;
    request.wake_id = body.wake_id;
    request.policies = body.policies;
    request.since = body.since.map_or(Since::default(), |since| since.0);
    request.timeout = body.timeout_ms;
    request.resume_with = body.resume_with.unwrap_or_default();
    request.wake_events = match body.include_wakes {
        Some(true) => WakeEvents::Include,
        Some(false) | None => WakeEvents::Skip,
    };
    Ok(request)
}

/// Compiles the filters of a condition, one after the other.
async fn compiled(access: &Access, condition: &Condition) -> Result<Condition<Filter>, Refusal> {
    let mut compiled = Vec::new();
    for clause in condition.clauses() {
        compiled.push(access.compile(clause.filter).await?);
    }
    let mut compiled = compiled.into_iter();
    condition.try_map(&mut |_: &String| {
        // Both walk the filters in the order in which they stand.
        let filter = compiled.next();
        filter.ok_or_else(|| Refusal::of(ProblemKind::Internal, "a filter was not compiled"))
    })
}

/// Returns how the run is to be suspended, if it is.
fn suspending(body: &RegisterWake) -> Result<Option<Suspending>, Refusal> {
    if body.suspends_run != Some(true) {
        let alone = "goes only with suspends_run";
        return match (body.forever, &body.release) {
            (None | Some(false), None) => Ok(None),
            (Some(true), _) => Err(Refusal::invalid("forever", alone)),
            (None | Some(false), Some(_)) => Err(Refusal::invalid("release", alone)),
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

/// Lists the wakes that wait: a member's own, or those of every run for an operator.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn list(access: &Access, query: WakesQuery) -> Result<WakeList, Refusal> {
    let list = access.made(asked(access, query)).await?;
    let page = access.call(list).await?;
    Ok(WakeList {
        wakes: page.wakes,
        next: page.next,
        as_of: page.as_of,
    })
}

fn asked(access: &Access, query: WakesQuery) -> Result<ListWakes, Refusal> {
    if query.limit == Some(0) {
        let why = "0 shows nothing; ask for 1 at least";
        return Err(Refusal::invalid("limit", why));
    }
    Ok(ListWakes {
        caller: access.caller(),
        run: access.identity().whose(query.run)?,
        after: query.after,
        max: access.page_size(query.limit)?,
    })
}

/// Explains why a wake has not been triggered.
///
/// # Errors
/// [`Refusal`], `wake-not-found` when there is no such wake among others.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), wake = %wake_id))]
pub async fn explain(
    access: &Access,
    wake_id: WakeId,
    query: ExplainQuery,
) -> Result<WakeExplanation, Refusal> {
    let run = access.identity().whose(query.run)?;
    let pool = access.pool();
    Ok(pool.explain_wake(access.caller(), run, wake_id).await?)
}

/// Returns where a wake stands, and waits for its end when the request says how long.
///
/// # Errors
/// [`Refusal`], `wake-not-found` when there is no such wake among others.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), wake = %wake_id))]
pub async fn show(access: &Access, wake_id: WakeId, query: WakeQuery) -> Result<WakeView, Refusal> {
    let run = access.identity().whose(query.run)?;
    let waiting = access.within(query.wait_ms)?;
    let pool = access.pool();
    let ended = pool.wait_wake(access.caller(), run, wake_id, waiting.span);
    access.unless_stopped(ended).await
}

/// Gives a wake up.
///
/// # Errors
/// [`Refusal`], `wake-not-found` when there is no such wake among others.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), wake = %wake_id))]
pub async fn cancel(
    access: &Access,
    wake_id: WakeId,
    query: WakeQuery,
) -> Result<WakeChanged, Refusal> {
    if query.wait_ms.is_some() {
        let why = "giving up does not wait; leave it out";
        return Err(Refusal::invalid("wait_ms", why));
    }
    // An operator may name no run: the id says whose it is then, unless two runs have it.
    let run = if let Some(run) = access.identity().whose(query.run)? {
        run
    } else {
        let find = FindWake {
            caller: access.caller(),
            run: None,
            wake_id: wake_id.clone(),
        };
        access.call(find).await?.run_id
    };
    let caller = access.caller();
    let cancel = CancelWake {
        caller,
        run,
        wake_id,
    };
    let wake = access.call(cancel).await?;
    let wake = access.pool().summed_up(access.caller(), wake).await;
    let durability = access.api().durability();
    Ok(WakeChanged { wake, durability })
}
