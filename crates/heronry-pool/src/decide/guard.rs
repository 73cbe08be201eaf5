//! Checks that several rules share: identity, membership, limits.

use heronry_event::filter::Filter;
use heronry_types::{
    Condition, LimitExceeded, LimitName, Limits, Millis, Policies, RunId, Timestamp, TopicId,
};

use crate::{Caller, Rejection, State, rejection::PolicyNeed, state::Member};

/// Checks that the caller may act as this run.
pub(super) fn identity(caller: &Caller, run: &RunId) -> Result<(), Rejection> {
    match caller {
        Caller::Operator => Ok(()),
        Caller::Member { run: own, .. } if own == run => Ok(()),
        Caller::Member { .. } => Err(Rejection::SenderMismatch),
    }
}

/// Checks that the caller is an operator.
pub(super) fn operator(caller: &Caller) -> Result<(), Rejection> {
    match caller {
        Caller::Operator => Ok(()),
        Caller::Member { .. } => Err(Rejection::OperatorOnly),
    }
}

/// Checks that the run is a member and that the caller is its present generation.
pub(super) fn standing<'a>(
    state: &'a State,
    caller: &Caller,
    run: &RunId,
) -> Result<&'a Member, Rejection> {
    identity(caller, run)?;
    let Some(member) = state.members.get(run) else {
        return Err(match state.members.ended(run) {
            Some(state) => Rejection::RunEnded { state },
            None => Rejection::NotAMember,
        });
    };
    match caller {
        Caller::Member { generation, .. } if *generation != member.generation => {
            Err(Rejection::Fenced)
        }
        Caller::Member { .. } | Caller::Operator => Ok(member),
    }
}

pub(super) fn policies(state: &State, policies: &Policies) -> Result<(), Rejection> {
    Ok(state
        .settings
        .limits
        .check(LimitName::PoliciesMax, policies.len())?)
}

pub(super) fn topics(state: &State, topics: &[TopicId]) -> Result<(), Rejection> {
    Ok(state
        .settings
        .limits
        .check(LimitName::TopicsPerMemberMax, topics.len())?)
}

pub(super) fn note(state: &State, note: Option<&String>) -> Result<(), Rejection> {
    let bytes = note.map_or(0, String::len);
    Ok(state
        .settings
        .limits
        .check(LimitName::NoteBytesMax, bytes)?)
}

/// Checks that a media type is not longer than a record may say.
pub(super) fn media_type(text: &str) -> Result<(), Rejection> {
    /// The longest media type in bytes.
    const BYTES_MAX: usize = 255;
    if text.len() > BYTES_MAX {
        return Err(Rejection::TooLarge {
            actual: text.len(),
            max: BYTES_MAX,
        });
    }
    Ok(())
}

/// Checks that a wake can have this condition in this pool: its filters together are one text.
pub(super) fn condition(state: &State, condition: &Condition<Filter>) -> Result<(), Rejection> {
    condition.check()?;
    let clauses = condition.clauses();
    let bytes = clauses
        .iter()
        .map(|clause| clause.filter.text_bytes())
        .sum();
    let limits = &state.settings.limits;
    Ok(limits.check(LimitName::FilterTextBytesMax, bytes)?)
}

/// Checks that the text of a filter is not too long for this pool.
pub(super) fn filter(limits: &Limits, filter: &Filter) -> Result<(), Rejection> {
    Ok(limits.check(LimitName::FilterTextBytesMax, filter.text_bytes())?)
}

/// Checks that a span from now ends within the calendar.
pub(super) fn span(
    now: Timestamp,
    field: &'static str,
    span: Option<Millis>,
) -> Result<(), Rejection> {
    match span.map(|span| now.checked_after(span)) {
        None | Some(Some(_)) => Ok(()),
        Some(None) => Err(Rejection::PastCalendar {
            field,
            max: Timestamp::LAST.since(now),
        }),
    }
}

/// Checks that the caller may look at what belongs to this run.
pub(super) fn reader(state: &State, caller: &Caller, run: &RunId) -> Result<(), Rejection> {
    match caller {
        Caller::Operator => Ok(()),
        Caller::Member { .. } => standing(state, caller, run).map(|_| ()),
    }
}

/// Checks that a member may read the pool's events: it holds every policy of the pool.
pub(super) fn viewer(state: &State, member: &Member) -> Result<(), Rejection> {
    let Some(policy) = member.policies.first_missing(&state.config.policies) else {
        return Ok(());
    };
    let (policy, need) = (policy.clone(), PolicyNeed::ViewerHolds);
    Err(Rejection::Policy { policy, need })
}

/// Checks that the caller is an operator or a present member.
pub(super) fn present(state: &State, caller: &Caller) -> Result<(), Rejection> {
    match caller {
        Caller::Operator => Ok(()),
        Caller::Member { run, .. } => standing(state, caller, run).map(|_| ()),
    }
}

/// Checks a number in a request against its limit.
pub(super) fn limit(state: &State, limit: LimitName, actual: u64) -> Result<(), Rejection> {
    within(&state.settings.limits, limit, actual)
}

/// Checks a number against one of these limits.
pub(super) fn within(limits: &Limits, limit: LimitName, actual: u64) -> Result<(), Rejection> {
    let max = limits.get(limit);
    if actual > max {
        Err(LimitExceeded::new(limit, max, actual).into())
    } else {
        Ok(())
    }
}
