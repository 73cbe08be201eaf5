//! Rules about foreign sources of events: who reports from one, what was taken of it, what is missing.

mod attach;
mod gap;
mod report;

use heronry_types::{
    Generation, RunId, SOURCES_MAX, SOURCES_PER_RUN_MAX, SourceId, SourcePosition,
};

use crate::{
    Caller, EventFault, Rejection, SourcesLimit, State, command::Author, state::ForeignSource,
};

pub use attach::{AttachSource, DetachSource};
pub use gap::RecordSourceGap;
pub use report::SourceClaim;
pub(in crate::decide) use report::{SourcedEvent, fresh, taken_count};

/// Returns a source for a caller that may speak of it; `None` when nothing was said of it so far, and there is
/// room for it.
fn admit<'a>(
    state: &'a State,
    caller: &Caller,
    source: &SourceId,
) -> Result<Option<&'a ForeignSource>, Rejection> {
    let known = known(state, caller, source)?;
    if known.is_none() {
        check_room(state, caller)?;
    }
    Ok(known)
}

/// Checks that there is room for another source, which will belong to the caller.
fn check_room(state: &State, caller: &Caller) -> Result<(), Rejection> {
    if state.sources.len() >= SOURCES_MAX {
        let (limit, max) = (SourcesLimit::InAll, SOURCES_MAX);
        return Err(Rejection::TooManySources { limit, max });
    }
    match caller {
        Caller::Member { run, .. } if state.sources.count_of(run) >= SOURCES_PER_RUN_MAX => {
            let (limit, max) = (SourcesLimit::PerRun, SOURCES_PER_RUN_MAX);
            Err(Rejection::TooManySources { limit, max })
        }
        Caller::Member { .. } | Caller::Operator => Ok(()),
    }
}

/// Returns a source for a caller that may speak of it; `None` when nothing was said of it so far.
fn known<'a>(
    state: &'a State,
    caller: &Caller,
    source: &SourceId,
) -> Result<Option<&'a ForeignSource>, Rejection> {
    let Some(known) = state.sources.get(source) else {
        return Ok(None);
    };
    match caller {
        Caller::Member { run, .. } if known.owner.as_ref() != Some(run) => {
            Err(Rejection::SourceOfAnother)
        }
        Caller::Member { .. } | Caller::Operator => Ok(Some(known)),
    }
}

/// Checks that a caller reports from a source as its bridge, or that it has none.
fn admit_claim<'a>(
    state: &'a State,
    caller: &Caller,
    claim: &SourceClaim,
) -> Result<Option<&'a ForeignSource>, Rejection> {
    let source = admit(state, caller, &claim.source)?;
    let holder = source.and_then(|source| holder(state, source));
    match (holder, claim.generation) {
        (None, None) => Ok(source),
        (Some(held), Some(generation)) if held == generation => Ok(source),
        (Some(generation), None) => Err(Rejection::SourceTaken { generation }),
        (_, Some(_)) => Err(Rejection::SourceFenced),
    }
}

/// Returns the attachment that holds a source.
fn holder(state: &State, source: &ForeignSource) -> Option<Generation> {
    let attached = source.attached.as_ref()?;
    attached
        .lives_on(&state.members)
        .then_some(attached.generation)
}

/// Checks that a place is said as the source says its places.
fn check_position(
    source: Option<&ForeignSource>,
    position: &SourcePosition,
) -> Result<(), EventFault> {
    if source.is_none_or(|source| source.speaks_like(position)) {
        Ok(())
    } else {
        Err(EventFault::OtherPositions)
    }
}

/// Returns the author of a record about a source: a run, or an operator for it or for the pool.
fn author(state: &State, caller: &Caller, run: Option<&RunId>) -> Author {
    match caller.run_or_own(run) {
        Some(run) => Author::of_run(state, caller, run),
        None => Author::operator(state),
    }
}
