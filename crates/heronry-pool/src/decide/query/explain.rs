//! Questions about why a wake still waits.

use heronry_event::filter::Filter;
use heronry_types::{Condition, RunId, WakeId};

use crate::{
    Caller, Rejection, State, answer,
    command::{AboutWakes, Applied, Command, Cx, Decision, Profile, Speaker},
    decide::{WakeEvents, guard, query::FindWake, sees},
    explain::{Author, Explain, Explained},
    suspicion::{Need, prospects_of},
};

/// The highest number of members on one page.
const AUTHORS_MAX: usize = 1_000;

/// Asks what to look at to explain a wake.
#[derive(Clone, Debug)]
pub struct ExplainWake {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run that waits. An operator may leave it out where that is unambiguous.
    pub run: Option<RunId>,
    /// The wake.
    pub wake_id: WakeId,
}

impl Command for ExplainWake {
    type Answer = Explain;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        let find = FindWake {
            caller: self.caller.clone(),
            run: self.run.clone(),
            wake_id: self.wake_id.clone(),
        };
        find.decide(state, cx)
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Explain, Rejection> {
        let registered = applied.first;
        let wake = state.wakes.get(registered);
        let wake = wake.ok_or(Rejection::WakeNotFound)?;
        let body = &wake.registered;
        let alone = || Condition::Filter(body.filter.clone());
        let condition = wake.condition.as_deref().cloned().unwrap_or_else(alone);
        let compiled = condition.try_map(&mut |text: &String| Filter::compile(text));
        // It was compiled when it was registered, and when the pool was opened.
        let condition = compiled.map_err(|_| Rejection::WakeNotFound)?;
        let prospects = prospects_of(state, wake, &condition);
        let explained = Explained {
            wake_id: body.wake_id.clone(),
            run: wake.run.clone(),
            status: answer::wake_view(state, registered, wake).status,
            text: body.filter.clone(),
            condition,
            prospects,
            since: body.since,
            registered,
            wake_events: WakeEvents::of(body),
            sees: sees(state, &wake.run),
            floor: state.floor,
            until: wake.end.as_ref().map_or(state.head, |(at, _)| *at),
            deadlocked: state
                .members
                .suspension(&wake.run)
                .filter(|it| it.waits_for(registered))
                .and_then(|it| it.suspected),
            policies: body.policies.as_deref().cloned().unwrap_or_default(),
        };
        Ok(Explain::new(explained, state.pool.clone()))
    }
}

/// Asks who the members are, by what their events say of them: one page.
#[derive(Clone, Debug)]
pub struct ListAuthors {
    /// The authenticated caller.
    pub caller: Caller,
    /// Only members whose run id comes after this one.
    pub after: Option<RunId>,
}

impl Command for ListAuthors {
    /// At most a thousand, in order of their run ids; none when there are no more.
    type Answer = Vec<Author>;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Self::Answer, Rejection> {
        // Who is lost is not there.
        let following = state.members.after(self.after.as_ref());
        let live = following.filter(|member| member.lost_until.is_none());
        let authors = live.take(AUTHORS_MAX).map(|member| Author {
            run: member.run.clone(),
            agent: member.agent.clone(),
            session: member.session.clone(),
            has: Need::of(state, member),
        });
        Ok(authors.collect())
    }
}
