//! Reading what a pool is like when a runtime begins.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use heronry_pool::{
    Caller, MemberView, RosterView, StandingView,
    decide::{DescribeRoster, FindRunEnd, ListMembers, ListRoster},
};
use heronry_runtime::CallError;
use heronry_types::{Position, RosterLayer, RunId};

use crate::{
    declare::{EffectiveRoster, Layers},
    kept::{KeptMember, StandingAge},
    parts::RuntimeParts,
    plan::MembershipState,
};

/// The most questions that are asked at once.
const QUESTIONS_AT_ONCE: usize = 128;

/// The most members of a page in which one is looked for.
const NEAR: u64 = 32;

/// Returns what the pool says of its roster as a whole.
pub(crate) async fn describe(parts: &RuntimeParts) -> Result<RosterView, CallError> {
    let caller = Caller::Operator;
    parts.pool.call(DescribeRoster { caller }).await
}

/// Returns true when layers are declared in the pool just as they are here.
pub(crate) fn is_applied(view: &RosterView, layers: &Layers, parts: &RuntimeParts) -> bool {
    let ours = layers.digests(&parts.key);
    let of = |layer: RosterLayer| view.layers.iter().find(|it| it.layer == layer);
    view.not_applied_since.is_none()
        && ours
            .iter()
            .all(|it| of(it.layer).is_some_and(|there| there.digest == it.digest))
        && view.layers.len() == ours.len()
}

/// Returns the members of the pool and of its roster, and the ends of declared runs.
pub(crate) async fn members(
    parts: &RuntimeParts,
    view: &RosterView,
    roster: &EffectiveRoster,
) -> Result<BTreeMap<RunId, KeptMember>, CallError> {
    let mut members = BTreeMap::new();
    let declared = view.layers.iter().map(|layer| layer.cursor.position).max();
    read_roster(parts, declared.unwrap_or(Position(0)), &mut members).await?;
    read_members(parts, &mut members).await?;
    read_ends(parts, roster, &mut members).await?;
    Ok(members)
}

async fn read_roster(
    parts: &RuntimeParts,
    declared: Position,
    members: &mut BTreeMap<RunId, KeptMember>,
) -> Result<(), CallError> {
    let mut after = None;
    loop {
        let list = ListRoster {
            caller: Caller::Operator,
            after,
            max: parts.page(),
        };
        let page = parts.pool.call(list).await?;
        for row in page.rows {
            let stands = row.stands.filter(|it| it.generation == row.generation);
            let member = KeptMember {
                specified: Some(row.digest),
                layer: Some(row.layer),
                labels: row.labels,
                standing: stands.as_ref().map(|it| it.standing),
                settled: settled(stands.as_ref(), declared),
                why: stands.and_then(|it| it.why),
                ..KeptMember::default()
            };
            members.insert(row.run, member);
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Returns a member, as the pool sees it; `None` when the run is none.
pub(crate) async fn member(
    parts: &RuntimeParts,
    run: &RunId,
) -> Result<Option<MemberView>, CallError> {
    // The page begins a little before the run: nobody need be there.
    let text = run.as_str();
    let shorter = text
        .char_indices()
        .last()
        .and_then(|(at, _)| text.get(..at));
    let mut after = shorter.and_then(|text| RunId::parse(text).ok());
    loop {
        let list = ListMembers {
            caller: Caller::Operator,
            after,
            max: NEAR.min(parts.page()),
        };
        let page = parts.pool.call(list).await?;
        let mut members = page.members.into_iter();
        if let Some(member) = members.find(|member| member.run == *run) {
            return Ok(Some(member));
        }
        match page.next {
            Some(next) if next < *run => after = Some(next),
            Some(_) | None => return Ok(None),
        }
    }
}

/// Tells whether a standing came about after the roster was declared.
fn settled(stands: Option<&StandingView>, declared: Position) -> StandingAge {
    if stands.is_some_and(|it| it.since.position > declared) {
        StandingAge::Present
    } else {
        StandingAge::Earlier
    }
}

async fn read_members(
    parts: &RuntimeParts,
    members: &mut BTreeMap<RunId, KeptMember>,
) -> Result<(), CallError> {
    let mut after = None;
    loop {
        let list = ListMembers {
            caller: Caller::Operator,
            after,
            max: parts.page(),
        };
        let page = parts.pool.call(list).await?;
        for view in page.members {
            let member = members.entry(view.run).or_default();
            member.membership = MembershipState::Member;
            member.generation = Some(view.generation);
            member.topics = view.topics;
            member.had_unread = view.unread > 0;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Asks of every run that could be started whether it has ended.
async fn read_ends(
    parts: &RuntimeParts,
    roster: &EffectiveRoster,
    members: &mut BTreeMap<RunId, KeptMember>,
) -> Result<(), CallError> {
    let is_stranger = |run: &&RunId| {
        members
            .get(*run)
            .is_none_or(|it| it.membership == MembershipState::Stranger)
    };
    let strangers: Vec<RunId> = roster.members.keys().filter(is_stranger).cloned().collect();
    let ends = stream::iter(strangers).map(|run| async move {
        let end = parts.pool.call(FindRunEnd { run: run.clone() }).await?;
        Ok::<_, CallError>(end.map(|end| (run, end)))
    });
    let ends: Vec<_> = ends.buffered(QUESTIONS_AT_ONCE).try_collect().await?;
    for (run, end) in ends.into_iter().flatten() {
        let member = members.entry(run).or_default();
        member.membership = MembershipState::Ended;
        member.ended = Some(end);
        member.found_ended = Some(end);
    }
    Ok(())
}
