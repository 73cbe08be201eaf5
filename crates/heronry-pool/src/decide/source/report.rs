//! Events that come from a source: which of them are new.

use std::collections::HashSet;

use heronry_types::{Generation, NewEvent, SourceId, SourcePosition};

use crate::{
    Caller, EventFault, Rejection, State,
    command::Applied,
    decide::source::{admit_claim, check_position},
};

/// The source that a batch of events comes from, as who reports it claims it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SourceClaim {
    /// The source.
    pub source: SourceId,
    /// The attachment of the bridge; absent when it has none, and then nobody may have one.
    pub generation: Option<Generation>,
}

/// An event of a batch that is to be recorded.
#[derive(Clone, Copy, Debug)]
pub(in crate::decide) struct SourcedEvent<'a> {
    /// The event.
    pub event: &'a NewEvent,
    /// Its place in the source. `None` when it comes from none.
    pub position: Option<&'a SourcePosition>,
}

/// Returns the events of a batch that were not taken before, in order.
pub(in crate::decide) fn fresh<'a>(
    state: &State,
    caller: &Caller,
    claim: Option<&SourceClaim>,
    events: &'a [NewEvent],
) -> Result<Vec<SourcedEvent<'a>>, Rejection> {
    let at = |index, fault| Rejection::Event { index, fault };
    let Some(claim) = claim else {
        let mut placed = events.iter().enumerate();
        let placed = placed.find(|(_, event)| event.source_position.is_some());
        if let Some((index, _)) = placed {
            return Err(at(index, EventFault::NoSource));
        }
        let all = events.iter();
        let all = all.map(|event| SourcedEvent {
            event,
            position: None,
        });
        return Ok(all.collect());
    };
    let source = admit_claim(state, caller, claim)?;
    let mut fresh: Vec<SourcedEvent<'_>> = Vec::with_capacity(events.len());
    let mut ids = HashSet::new();
    let mut last = None;
    for (index, event) in events.iter().enumerate() {
        let Some(position) = &event.source_position else {
            return Err(at(index, EventFault::NoPosition));
        };
        check_position(source, position).map_err(|fault| at(index, fault))?;
        let is_repeated = match position {
            SourcePosition::Number(number) => {
                let repeated = last.is_some_and(|last| *number <= last);
                last = last.max(Some(*number));
                repeated
            }
            SourcePosition::Id(id) => !ids.insert(id),
        };
        if last.is_some() && !ids.is_empty() {
            return Err(at(index, EventFault::OtherPositions));
        }
        let is_taken = source.is_some_and(|source| source.has_taken(position));
        if !is_repeated && !is_taken {
            fresh.push(SourcedEvent {
                event,
                position: Some(position),
            });
        }
    }
    Ok(fresh)
}

/// Returns how many records the batch of a source has that was answered: the last one, or an earlier one, whose
/// end stands under its key.
pub(in crate::decide) fn taken_count(
    state: &State,
    claim: &SourceClaim,
    applied: Applied<'_>,
) -> u64 {
    let source = state.sources.get(&claim.source);
    let batch = source.and_then(|source| source.last_batch);
    let batch = batch.filter(|batch| batch.first == applied.first);
    let earlier = || {
        let last = applied.prior.id?.first;
        Some(last.next().0.saturating_sub(applied.first.0))
    };
    let count = batch.map(|batch| batch.count).or_else(earlier);
    count.unwrap_or(0)
}
