//! Questions about the pool as a whole.

use std::ops::Bound;

use heronry_journal::ChunkHash;
use heronry_types::{Cursor, LimitName, Limits, Position, RunId, WakeView};

use crate::{
    Caller, MemberPage, MemberView, PoolView, Rejection, State, WakePage, answer,
    command::{AboutWakes, Applied, Command, Cx, Decision, Profile, Speaker},
    decide::guard,
};

/// Asks who is a member: one page of them.
#[derive(Clone, Debug)]
pub struct ListMembers {
    /// The authenticated caller.
    pub caller: Caller,
    /// Only members whose run id comes after this one; it need not be a member's.
    pub after: Option<RunId>,
    /// The highest number of members in the answer.
    pub max: u64,
}

impl Command for ListMembers {
    /// The members in order of their run ids.
    type Answer = MemberPage;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        guard::limit(state, LimitName::PageItemsMax, self.max)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Self::Answer, Rejection> {
        let view = |member: &crate::state::Member| MemberView {
            run: member.run.clone(),
            agent: member.agent.clone(),
            session: member.session.clone(),
            generation: member.generation,
            policies: member.policies.clone(),
            topics: member.topics.clone(),
            unread: member.inbox.unread(),
            live_wakes: member.wakes.len() as u64,
            lease: member.lease,
            last_seen: applied.heard.last(&member.run),
            lost_until: member.lost_until,
            standing: state.roster.standing_of(member),
            suspended: member
                .suspension
                .as_deref()
                .map(|suspension| answer::suspended_view(state, suspension)),
        };
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let mut following = state.members.after(self.after.as_ref());
        let members: Vec<MemberView> = following.by_ref().take(max).map(view).collect();
        let last = members.last().map(|member| member.run.clone());
        Ok(MemberPage {
            next: following.next().and(last),
            members,
            as_of: state.head_cursor(),
        })
    }
}

/// Asks which wakes wait: a member its own, an operator all or those of one run.
#[derive(Clone, Debug)]
pub struct ListWakes {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run whose wakes are listed. `None`: the caller's own, or all for an operator.
    pub run: Option<RunId>,
    /// Only wakes that were registered after this cursor; it need not be a registration.
    pub after: Option<Cursor>,
    /// The highest number of wakes in the answer.
    pub max: u64,
}

impl Command for ListWakes {
    /// The wakes, oldest first.
    type Answer = WakePage;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        if let Some(run) = &self.run {
            guard::identity(&self.caller, run)?;
        }
        if let Some(after) = self.after {
            state.locate(after)?;
        }
        guard::limit(state, LimitName::PageItemsMax, self.max)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Self::Answer, Rejection> {
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let after = self.after.map_or(Position::ZERO, |after| after.position);
        let following = (Bound::Excluded(after), Bound::Unbounded);
        let run = self.caller.run_or_own(self.run.as_ref());
        let mut live: Box<dyn Iterator<Item = Position>> = match run {
            None => Box::new(state.wakes.live_after(after)),
            Some(run) => {
                let own = state.members.get(run).into_iter();
                Box::new(
                    own.flat_map(|member| member.wakes.range(following))
                        .copied(),
                )
            }
        };
        let view = |at: Position| Some(answer::wake_view(state, at, state.wakes.get(at)?));
        let wakes: Vec<WakeView> = live.by_ref().take(max).filter_map(view).collect();
        let last = wakes.last().map(|last| last.cursor);
        Ok(WakePage {
            next: live.next().and(last),
            wakes,
            as_of: state.head_cursor(),
        })
    }
}

/// Asks what the pool is and where it stands.
#[derive(Clone, Debug)]
pub struct DescribePool {
    /// The authenticated caller.
    pub caller: Caller,
}

impl Command for DescribePool {
    type Answer = PoolView;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<PoolView, Rejection> {
        let mut limits = Limits::default();
        for (name, value) in state.settings.limits.effective() {
            limits.set(name, value);
        }
        let suspension = |run| state.members.suspension(run);
        let asleep = || state.members.suspended().filter_map(suspension);
        Ok(PoolView {
            head: state.head_cursor(),
            floor: state.cursor(state.floor.previous()),
            config: state.config.clone(),
            settings: state.settings.clone(),
            settings_version: state.settings_version,
            limits,
            members: state.members.len() as u64,
            lost_members: state.members.lost() as u64,
            dead_letters: state.dead_letters().len() as u64,
            suspended_members: state.members.suspended().len() as u64,
            deadlocked_members: asleep().filter(|it| it.suspected.is_some()).count() as u64,
            orphaned_wakes: asleep().map(|it| it.orphaned.len() as u64).sum(),
            live_messages: state.messages.live(),
            live_wakes: state.wakes.live() as u64,
            durability: applied.durability,
        })
    }
}

/// Asks for a digest of the whole state, to compare with a replay.
#[derive(Clone, Copy, Debug)]
pub struct StateDigest;

impl Command for StateDigest {
    /// The head, and the digest of the state there.
    type Answer = (Cursor, ChunkHash);

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps)
    }

    fn decide(&self, _: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Self::Answer, Rejection> {
        Ok((state.head_cursor(), state.digest()))
    }
}
