//! Events: pages, and streams that replay and then follow.

mod watch;

use heronry_event::{EventPage, Filter};
use heronry_pool::decide::{self, SourceClaim, Viewer, Viewing};
use heronry_runtime::{EventQuery, OnTrimmed, ReadFrom};
use heronry_types::{Cursor, Generation, SourceId, Trace};
use heronry_wire::{
    AppendEvents, EphemeralPublished, EventsAppended, EventsFrom, EventsQuery,
    OnTrimmed as WhenTrimmed, PublishEphemeral,
};
use tracing::instrument;

use crate::{Access, Identity, Key, Recorded, Refusal, access::Waiting, side::FILTER_BYTES_SMALL};

pub use watch::{EventWatch, WatchItem, watch};

/// Returns a page of events, and waits for a first one when the request says how long.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn page(access: &Access, query: &EventsQuery) -> Result<EventPage, Refusal> {
    let viewer = viewer(access, query).await?;
    let made = PageRequest::of(access, query, viewer).await;
    let request = may_look(access, query, made).await?;
    let PageRequest {
        asked,
        limit,
        waiting,
    } = request;
    let page = access.pool().events(&asked, limit, waiting.span);
    access.unless_stopped(page).await
}

/// A page that is asked for.
struct PageRequest {
    asked: EventQuery,
    limit: usize,
    waiting: Waiting,
}

impl PageRequest {
    async fn of(access: &Access, query: &EventsQuery, viewer: Viewer) -> Result<Self, Refusal> {
        let asked = asked(access, query, viewer).await?;
        if query.on_trimmed == Some(WhenTrimmed::Gap) {
            return Err(Refusal::invalid(
                "on_trimmed",
                "a page has no gaps; say error, or nothing",
            ));
        }
        if query.ephemeral.is_some() || query.ephemeral_buffer.is_some() {
            let field = if query.ephemeral.is_some() {
                "ephemeral"
            } else {
                "ephemeral_buffer"
            };
            return Err(Refusal::invalid(
                field,
                "a page has recorded events alone; ask for a stream, or leave it out",
            ));
        }
        if query.close_on_terminal == Some(true) {
            return Err(Refusal::invalid(
                "close_on_terminal",
                "a page does not stay open; ask for a stream, or leave it out",
            ));
        }
        let limit = access.page_size(query.limit)?;
        Ok(Self {
            asked,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            waiting: access.within(query.wait_ms)?,
        })
    }
}

/// Appends a batch of events that a member reports.
///
/// # Errors
/// [`Refusal`]; none of them was appended then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn append(
    access: &Access,
    mut body: AppendEvents,
    key: Key,
) -> Result<Recorded<EventsAppended>, Refusal> {
    let run = access.identity().acting(body.run_id.take(), "run_id")?;
    let named = key.needed(body.idempotency_key.take())?;
    let claim = claim(body.source.take(), body.source_generation)?;
    let command = decide::AppendEvents::new(access.caller(), run, body.events, named);
    let command = command.from_source(claim);
    let command = command.with_trace(key.trace);
    let appended = access.pool().append_events(command).await?;
    let answer = EventsAppended {
        first: appended.first,
        last: appended.last,
        count: appended.count,
        durability: appended.durability,
        already_taken: appended.already_taken,
    };
    Ok(if appended.repeated || appended.count == 0 {
        Recorded::before(answer)
    } else {
        Recorded::now(answer)
    })
}

/// Publishes events that a member reports, without a record.
///
/// # Errors
/// [`Refusal`]; none of them was published then.
pub async fn publish_ephemeral(
    access: &Access,
    mut body: PublishEphemeral,
    trace: Option<Trace>,
) -> Result<EphemeralPublished, Refusal> {
    let run = access.identity().acting(body.run_id.take(), "run_id")?;
    let (pool, caller) = (access.pool(), access.caller());
    let published = pool
        .publish_ephemeral(caller, run, body.events, trace)
        .await?;
    Ok(EphemeralPublished {
        first: published.first,
        last: published.last,
        count: published.count,
        after: published.after,
    })
}

/// Returns the source that a batch names.
fn claim(
    source: Option<SourceId>,
    generation: Option<Generation>,
) -> Result<Option<SourceClaim>, Refusal> {
    match (source, generation) {
        (Some(source), generation) => Ok(Some(SourceClaim { source, generation })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Refusal::invalid(
            "source_generation",
            "the batch names no source; say source, too",
        )),
    }
}

/// Returns whose view a request asks for.
///
/// A member's own follows from its token, and is judged with all that it asks for. Any other view is
/// judged here, and so is who has a long filter compiled.
async fn viewer(access: &Access, query: &EventsQuery) -> Result<Viewer, Refusal> {
    let is_long = |filter: &String| filter.len() > FILTER_BYTES_SMALL;
    let is_small = !query.filter.as_ref().is_some_and(is_long);
    match (access.identity(), &query.view_run) {
        (Identity::Operator, None) => Ok(Viewer::Operator),
        (
            Identity::Member {
                run, generation, ..
            },
            named,
        ) if is_small && named.as_ref().is_none_or(|named| named == run) => Ok(Viewer::Member {
            run: run.clone(),
            generation: *generation,
        }),
        (Identity::Operator, Some(_)) | (Identity::Member { .. }, _) => {
            access.call(viewing(access, query)).await
        }
    }
}

fn viewing(access: &Access, query: &EventsQuery) -> Viewing {
    Viewing {
        caller: access.caller(),
        run: query.view_run.clone(),
    }
}

/// Passes on what was made of a request. Where it is refused before the engine was asked, a member that may
/// not look is told that first.
async fn may_look<T>(
    access: &Access,
    query: &EventsQuery,
    made: Result<T, Refusal>,
) -> Result<T, Refusal> {
    if made.is_err() {
        access.call(viewing(access, query)).await?;
    }
    made
}

/// Returns what a request asks for.
async fn asked(
    access: &Access,
    query: &EventsQuery,
    viewer: Viewer,
) -> Result<EventQuery, Refusal> {
    let filter = match &query.filter {
        Some(text) => access.compile(text).await?,
        None => Filter::all(),
    };
    let asked = EventQuery {
        viewer,
        filter,
        from: start(query)?,
        on_trimmed: OnTrimmed::Error,
    };
    match &query.room {
        Some(room) => asked.in_room(room).map_err(Refusal::from),
        None => Ok(asked),
    }
}

fn start(query: &EventsQuery) -> Result<ReadFrom, Refusal> {
    match (query.after, query.from) {
        (Some(_), Some(_)) => Err(Refusal::invalid("from", "after is given too; give one")),
        (Some(after), None) => Ok(ReadFrom::Cursor(after)),
        (None, Some(EventsFrom::Head)) => Ok(ReadFrom::Head),
        (None, Some(EventsFrom::Start) | None) => Ok(ReadFrom::Start),
    }
}

/// Returns where a stream starts that goes on from an earlier one.
fn resumed(asked: ReadFrom, after: Option<Cursor>) -> ReadFrom {
    after.map_or(asked, ReadFrom::Cursor)
}
