//! Joining a pool, and changing what a member lists.

use heronry_journal::{Body, Entry, MemberChanged, MemberJoined, MemberTakenOver, WakeCancelled};
use heronry_types::{
    AgentId, Generation, InstanceId, LimitName, Millis, Policies, RunId, SessionId, TopicId,
    WakeReason,
};

use crate::{
    Caller, Done, Joined, Rejection, State, TakenOver,
    command::{
        AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Profile, Speaker,
        visibility,
    },
    decide::guard,
    rejection::PolicyNeed,
    state::Member,
};

/// Joins a run, or takes it over for another instance.
#[derive(Clone, Debug)]
pub struct JoinPool {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run.
    pub run: RunId,
    /// The agent that it is a run of.
    pub agent: AgentId,
    /// Its session.
    pub session: Option<SessionId>,
    /// The topics that it lists.
    pub topics: Vec<TopicId>,
    /// The policies that it holds; absent: what its agent is granted, or what it held before.
    pub policies: Option<Policies>,
    /// The process that joins.
    pub instance: InstanceId,
    /// The time that it may be silent before it is lost. `None` or zero: forever.
    pub lease: Option<Millis>,
}

impl JoinPool {
    fn topics(&self) -> Vec<TopicId> {
        sorted(&self.topics)
    }

    fn check_limits(&self, state: &State) -> Result<(), Rejection> {
        guard::topics(state, &self.topics())?;
        check_lease(state, self.lease)?;
        self.policies
            .as_ref()
            .map_or(Ok(()), |policies| guard::policies(state, policies))
    }

    fn fresh(&self, state: &State) -> Result<Decision, Rejection> {
        let members = state.members.len() + 1;
        state
            .settings
            .limits
            .check(LimitName::MembersMax, members)?;
        let grants = state.config.grants.as_ref();
        let granted = grants.and_then(|grants| grants.get(&self.agent));
        let policies = self
            .policies
            .clone()
            .or_else(|| granted.cloned())
            .unwrap_or_default();
        let body = Body::MemberJoined(MemberJoined {
            instance: self.instance.clone(),
            policies: policies.clone(),
            topics: self.topics(),
            members: members as u64,
            lease_ms: lasting(self.lease),
        });
        let joined = self.entry(state, &policies, body);
        Ok(Decision::Write(Draft::of(vec![joined])))
    }

    /// A member's run joins again: the same process gets the same answer, another takes over.
    fn again(&self, state: &State, member: &Member) -> Result<Decision, Rejection> {
        if member.agent != self.agent {
            return Err(Rejection::MemberConflict { field: "agent_id" });
        }
        let policies = self.policies.as_ref().unwrap_or(&member.policies);
        if let Some(policy) = member.policies.first_missing(policies) {
            let need = PolicyNeed::NotWidened;
            return Err(Rejection::Policy {
                policy: policy.clone(),
                need,
            });
        }
        if member.instance == self.instance {
            return Ok(Decision::Repeat(member.generation.0));
        }
        let body = Body::MemberTakenOver(MemberTakenOver {
            instance: self.instance.clone(),
            policies: policies.clone(),
            topics: self.topics(),
            members: state.members.len() as u64,
            predecessor: member.generation,
            lease_ms: lasting(self.lease),
        });
        let mut entries = vec![self.entry(state, policies, body)];
        entries.extend(narrowed(state, member, policies));
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn entry(&self, state: &State, policies: &Policies, body: Body) -> Entry {
        let mut author = Author::operator(state).with_visibility(visibility(state, policies));
        author.lineage.run = Some(self.run.clone());
        author.lineage.agent = Some(self.agent.clone());
        author.lineage.session.clone_from(&self.session);
        author.last_entry(body)
    }
}

/// Cancels the wakes that carry a policy which their run, taken over by the record before, does not
/// hold any more; all of them when it may not read the pool's events any more.
fn narrowed(state: &State, member: &Member, policies: &Policies) -> Vec<Entry> {
    if policies.covers(&member.policies) {
        return Vec::new();
    }
    let sees = policies.covers(&state.config.policies);
    let taken_over = state.head.next();
    let author = Author::engine(state.lineage_of(&member.run)).caused_by(taken_over);
    let cancelled = member.wakes.iter().filter_map(|registered| {
        let wake = &state.wakes.get(*registered)?.registered;
        let carried = wake.policies.as_deref();
        if sees && carried.is_none_or(|carried| policies.covers(carried)) {
            return None;
        }
        let body = WakeCancelled {
            registered: *registered,
            wake_id: wake.wake_id.clone(),
            reason: WakeReason::Policy,
        };
        Some(author.entry(Body::WakeCancelled(body)))
    });
    cancelled.collect()
}

fn check_lease(state: &State, lease: Option<Millis>) -> Result<(), Rejection> {
    let lease = lease.map_or(0, |lease| lease.0);
    guard::limit(state, LimitName::LeaseMsMax, lease)
}

/// A lease of no time is none.
fn lasting(lease: Option<Millis>) -> Option<Millis> {
    lease.filter(|lease| lease.0 > 0)
}

fn sorted(topics: &[TopicId]) -> Vec<TopicId> {
    let mut topics = topics.to_vec();
    topics.sort_unstable();
    topics.dedup();
    topics
}

impl Command for JoinPool {
    type Answer = Joined;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).spoken_by(Speaker::Joining(&self.run, &self.instance))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::operator(&self.caller)?;
        if let Some(state) = state.members.ended(&self.run) {
            return Err(Rejection::RunEnded { state });
        }
        self.check_limits(state)?;
        match state.members.get(&self.run) {
            Some(member) => self.again(state, member),
            None => self.fresh(state),
        }
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Joined, Rejection> {
        let member = state.members.get(&self.run).ok_or(Rejection::NotAMember)?;
        Ok(Joined {
            run: member.run.clone(),
            agent: member.agent.clone(),
            generation: Generation(applied.first),
            cursor: state.cursor(applied.first),
            unread: member.inbox.unread(),
            repeated: applied.how == How::Repeated,
            taken_over: member.predecessor.map(|generation| TakenOver {
                generation,
                last_seen: applied.heard.of_predecessor(&member.run),
            }),
        })
    }
}

/// Joins a run that nobody has joined: one that is a member is refused and not taken over, also when
/// it is lost. The same instance joining again gets the same answer, as with [`JoinPool`].
#[derive(Clone, Debug)]
pub struct JoinNew(pub JoinPool);

impl Command for JoinNew {
    type Answer = Joined;

    fn profile(&self) -> Profile<'_> {
        self.0.profile()
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        let Self(join) = self;
        guard::operator(&join.caller)?;
        if let Some(member) = state.members.get(&join.run)
            && member.instance != join.instance
        {
            return Err(Rejection::RunTaken {
                generation: member.generation,
                last_seen: cx.heard.last(&join.run),
            });
        }
        join.decide(state, cx)
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Joined, Rejection> {
        self.0.answer(state, applied)
    }
}

/// Changes the topics that a member lists, or its lease; its generation stays.
#[derive(Clone, Debug)]
pub struct ChangeMember {
    /// The authenticated caller.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
    /// The topics that it lists from here on; absent: as before.
    pub topics: Option<Vec<TopicId>>,
    /// The time that it may be silent from here on. `None`: as before; zero: forever.
    pub lease: Option<Millis>,
}

impl Command for ChangeMember {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).spoken_by(match &self.caller {
            Caller::Operator => Speaker::Asking(&self.caller),
            Caller::Member { run, .. } => Speaker::Acting(&self.caller, run),
        })
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run)?;
        let topics = self.topics.as_ref();
        let topics = topics.map_or_else(|| member.topics.clone(), |topics| sorted(topics));
        guard::topics(state, &topics)?;
        check_lease(state, self.lease)?;
        let lease_ms = self
            .lease
            .map_or(member.lease, |lease| lasting(Some(lease)));
        if topics == member.topics && lease_ms == member.lease {
            return Ok(Decision::Nothing);
        }
        let author = Author::member(state, &self.caller, member);
        let body = Body::MemberChanged(MemberChanged { topics, lease_ms });
        Ok(Decision::Write(Draft::of(vec![author.entry(body)])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
