//! Dead letters: showing them, and giving them another chance.

use axum::routing::MethodFilter;
use heronry_pool::{
    DeadLetterView,
    decide::{ListDeadLetters, ReplayCopy},
};
use heronry_types::Cursor;
use heronry_wire::{
    Changed, DeadLetter, DeadLetterList, DeadLetterName, DeadLettersQuery, Problem, ProblemKind,
};

use super::{PoolRequest, Route, changed};
use crate::{
    extract::{Json, Query, invalid},
    identity::Access,
    openapi::routes::dead as described,
    problems::Refusal,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/dead-letters",
            "List copies that were claimed too often.",
            list,
        )
        .contract(described::list_dead_letters),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/dead-letters/{cursor}/{run}/replay",
            "Give a run a new copy of a message whose copy is dead.",
            replay,
        )
        .access(Access::Operator)
        .contract(described::replay_dead_letter),
    ]
}

async fn list(
    request: PoolRequest,
    Query(query): Query<DeadLettersQuery>,
) -> Result<Json<DeadLetterList>, Refusal> {
    request.identity.check_standing().await?;
    if query.limit == Some(0) {
        return Err(invalid("limit", "0 shows nothing; ask for 1 at least"));
    }
    let run = match request.identity.own_run() {
        None => query.run,
        Some(_) => request.identity.acting(query.run, "run").map(Some)?,
    };
    let after = match (query.after_run, query.after) {
        (None, None) => None,
        (Some(run), Some(after)) => Some((run, after)),
        (None, Some(_)) => return Err(invalid("after_run", "missing; it goes with after")),
        (Some(_), None) => return Err(invalid("after", "missing; it goes with after_run")),
    };
    let max = request.page_size(query.limit)?;
    let list = ListDeadLetters {
        caller: request.caller(),
        run,
        after,
        max,
    };
    let page = request.call(list).await?;
    Ok(Json(DeadLetterList {
        dead_letters: page.letters.into_iter().map(shown).collect(),
        next: page
            .next
            .map(|(run_id, cursor)| DeadLetterName { cursor, run_id }),
        as_of: page.as_of,
    }))
}

fn shown(letter: DeadLetterView) -> DeadLetter {
    DeadLetter {
        run_id: letter.run,
        cursor: letter.cursor,
        message_id: letter.message_id,
        from: letter.from,
        attempt: letter.attempt,
        reason: letter.reason,
        dead_at: letter.dead_at,
        dead_cursor: letter.dead_cursor,
        content_ref: letter.content_ref,
    }
}

async fn replay(request: PoolRequest) -> Result<Json<Changed>, Refusal> {
    let run = request.path_run()?;
    let accepted: Cursor = request.params.text("cursor").parse().map_err(|error| {
        let problem = Problem::new(
            ProblemKind::CursorInvalid,
            heronry_types::CursorError::to_string(&error),
        );
        Refusal(problem.with("field", "cursor"))
    })?;
    let caller = request.caller();
    let replay = ReplayCopy {
        caller,
        run,
        accepted,
    };
    Ok(changed(request.call(replay).await?))
}
