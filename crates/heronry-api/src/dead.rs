//! Dead letters: showing them, and giving them another chance.

use heronry_pool::{
    DeadLetterView,
    decide::{ListDeadLetters, ReplayCopy},
};
use heronry_types::{Cursor, RunId};
use heronry_wire::{Changed, DeadLetter, DeadLetterList, DeadLetterName, DeadLettersQuery};
use tracing::instrument;

use crate::{Access, Refusal, changed};

/// Lists dead copies, claimed too often or expired after a replay: a member's own, or those of every run for an operator.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn list(access: &Access, query: DeadLettersQuery) -> Result<DeadLetterList, Refusal> {
    let list = access.made(asked(access, query)).await?;
    let page = access.call(list).await?;
    Ok(DeadLetterList {
        dead_letters: page.letters.into_iter().map(shown).collect(),
        next: page
            .next
            .map(|(run_id, cursor)| DeadLetterName { cursor, run_id }),
        as_of: page.as_of,
    })
}

fn asked(access: &Access, query: DeadLettersQuery) -> Result<ListDeadLetters, Refusal> {
    if query.limit == Some(0) {
        let why = "0 shows nothing; ask for 1 at least";
        return Err(Refusal::invalid("limit", why));
    }
    let run = access.identity().whose(query.run)?;
    let after = match (query.after_run, query.after) {
        (None, None) => None,
        (Some(run), Some(after)) => Some((run, after)),
        (None, Some(_)) => {
            return Err(Refusal::invalid("after_run", "missing; it goes with after"));
        }
        (Some(_), None) => {
            return Err(Refusal::invalid("after", "missing; it goes with after_run"));
        }
    };
    Ok(ListDeadLetters {
        caller: access.caller(),
        run,
        after,
        max: access.page_size(query.limit)?,
    })
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

/// Gives a run a new copy of the message that was accepted at `accepted` and whose copy is dead, for an
/// operator.
///
/// # Errors
/// [`Refusal`], when there is no such copy, or it is not dead.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), run = %run, message = %accepted))]
pub async fn replay(access: &Access, run: RunId, accepted: Cursor) -> Result<Changed, Refusal> {
    access.identity().check_operator()?;
    let run = access.acting_as(run)?;
    let caller = access.caller();
    let replay = ReplayCopy {
        caller,
        run,
        accepted,
    };
    Ok(changed(access.call(replay).await?))
}
