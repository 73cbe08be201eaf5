//! Events: pages, and streams that replay and then follow.

mod watch;

use heronry_event::{EventPage, Filter};
use heronry_pool::decide::{self, Viewing};
use heronry_runtime::{EventQuery, From, OnTrimmed};
use heronry_types::Cursor;
use heronry_wire::{
    AppendEvents, EventsAppended, EventsFrom, EventsQuery, OnTrimmed as WhenTrimmed,
};

use crate::{Access, Key, Recorded, Refusal};

pub use watch::{Watch, Watched, watch};

/// Returns a page of events, and waits for a first one when the request says how long.
///
/// # Errors
/// [`Refusal`].
pub async fn page(access: &Access, query: &EventsQuery) -> Result<EventPage, Refusal> {
    let asked = asked(access, query).await?;
    if query.on_trimmed == Some(WhenTrimmed::Gap) {
        return Err(Refusal::invalid(
            "on_trimmed",
            "a page has no gaps; say error, or nothing",
        ));
    }
    let limit = access.page_size(query.limit)?;
    let waiting = access.within(query.wait_ms)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = access.pool().events(&asked, limit, waiting.span);
    access.unless_stopped(page).await
}

/// Appends a batch of events that a member reports.
///
/// # Errors
/// [`Refusal`]; none of them was appended then.
pub async fn append(
    access: &Access,
    mut body: AppendEvents,
    key: Key,
) -> Result<Recorded<EventsAppended>, Refusal> {
    let run = access.identity().acting(body.run_id.take(), "run_id")?;
    let named = key.needed(body.idempotency_key.take())?;
    let command = decide::AppendEvents::new(access.caller(), run, body.events, named);
    let appended = access.call(command.with_trace(key.trace)).await?;
    let answer = EventsAppended {
        first: appended.first,
        last: appended.last,
        count: appended.count,
        durability: appended.durability,
    };
    Ok(if appended.repeated {
        Recorded::before(answer)
    } else {
        Recorded::now(answer)
    })
}

/// Returns what a request asks for, for a viewer that may look.
async fn asked(access: &Access, query: &EventsQuery) -> Result<EventQuery, Refusal> {
    let viewing = Viewing {
        caller: access.caller(),
        run: query.view_run.clone(),
    };
    let viewer = access.call(viewing).await?;
    let filter = match &query.filter {
        Some(text) => access.compile(text).await?,
        None => Filter::all(),
    };
    Ok(EventQuery {
        viewer,
        filter,
        from: start(query)?,
        on_trimmed: OnTrimmed::Error,
    })
}

fn start(query: &EventsQuery) -> Result<From, Refusal> {
    match (query.after, query.from) {
        (Some(_), Some(_)) => Err(Refusal::invalid("from", "after is given too; give one")),
        (Some(after), None) => Ok(From::Cursor(after)),
        (None, Some(EventsFrom::Head)) => Ok(From::Head),
        (None, Some(EventsFrom::Start) | None) => Ok(From::Start),
    }
}

/// Returns where a stream starts that goes on from an earlier one.
fn resumed(asked: From, after: Option<Cursor>) -> From {
    after.map_or(asked, From::Cursor)
}
