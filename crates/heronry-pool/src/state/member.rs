//! Members, and who answers to which address.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use heronry_store::KeyedMap;
use heronry_types::{
    AgentId, Generation, InstanceId, Millis, Policies, Position, RunEnd, RunId, SessionId,
    Timestamp, TopicId,
};

use super::{Inbox, Suspension};

/// A run that has joined.
#[derive(Clone, Debug)]
pub struct Member {
    /// The run.
    pub run: RunId,
    /// What it is a run of.
    pub agent: AgentId,
    /// Its session.
    pub session: Option<SessionId>,
    /// Which process acts as it.
    pub instance: InstanceId,
    /// Which joining this is.
    pub generation: Generation,
    /// The policies that it holds.
    pub policies: Policies,
    /// The topics that it lists, sorted and distinct.
    pub topics: Vec<TopicId>,
    /// Its copies that are not ended.
    pub inbox: Inbox,
    /// The registrations of its wakes that wait.
    pub wakes: BTreeSet<Position>,
    /// How long it may be silent before it is lost; absent: forever.
    pub lease: Option<Millis>,
    /// When it leaves unless it is heard of before; absent while it is not lost.
    pub lost_until: Option<Timestamp>,
    /// What it waits for while it is suspended.
    pub suspension: Option<Box<Suspension>>,
}

/// The members of a pool.
#[derive(Clone, Debug, Default)]
pub struct Members {
    by_run: KeyedMap<RunId, Member>,
    order: BTreeSet<RunId>,
    agents: KeyedMap<AgentId, BTreeSet<RunId>>,
    topics: KeyedMap<TopicId, BTreeSet<RunId>>,
    ended: BTreeMap<RunId, RunEnd>,
    lost: usize,
    suspended: BTreeSet<RunId>,
}

impl Members {
    /// Returns a member.
    pub fn get(&self, run: &RunId) -> Option<&Member> {
        self.by_run.get(run)
    }

    /// Returns how many members there are.
    pub fn len(&self) -> usize {
        self.by_run.len()
    }

    /// Returns true when the pool has no member.
    pub fn is_empty(&self) -> bool {
        self.by_run.is_empty()
    }

    /// Walks the members in order of their run ids.
    pub fn iter(&self) -> impl Iterator<Item = &Member> + '_ {
        self.order.iter().filter_map(|run| self.by_run.get(run))
    }

    /// Walks the members whose run ids come after this one, in order; all when there is none.
    pub fn after(&self, run: Option<&RunId>) -> impl Iterator<Item = &Member> + '_ {
        let from = run.map_or(Bound::Unbounded, Bound::Excluded);
        self.order
            .range::<RunId, _>((from, Bound::Unbounded))
            .filter_map(|run| self.by_run.get(run))
    }

    /// Walks the runs of an agent that are members, in order.
    pub fn of_agent(&self, agent: &AgentId) -> impl Iterator<Item = &Member> + '_ {
        self.agents
            .get(agent)
            .into_iter()
            .flatten()
            .filter_map(|run| self.by_run.get(run))
    }

    /// Walks the members that list a topic, in order.
    pub fn of_topic(&self, topic: &TopicId) -> impl Iterator<Item = &Member> + '_ {
        self.topics
            .get(topic)
            .into_iter()
            .flatten()
            .filter_map(|run| self.by_run.get(run))
    }

    /// Returns how many members are lost.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// Returns true when the run is a member that is lost.
    pub fn is_lost(&self, run: &RunId) -> bool {
        self.lost > 0 && self.get(run).is_some_and(|m| m.lost_until.is_some())
    }

    /// Walks the runs that are suspended, in order.
    pub fn suspended(&self) -> impl ExactSizeIterator<Item = &RunId> + '_ {
        self.suspended.iter()
    }

    /// Returns what a run waits for that is suspended.
    pub fn suspension(&self, run: &RunId) -> Option<&Suspension> {
        if self.suspended.is_empty() {
            return None;
        }
        self.get(run)?.suspension.as_deref()
    }

    pub(crate) fn suspension_mut(&mut self, run: &RunId) -> Option<&mut Suspension> {
        self.by_run.get_mut(run)?.suspension.as_deref_mut()
    }

    pub(crate) fn each_suspension(&mut self, mut change: impl FnMut(&mut Suspension)) {
        for run in &self.suspended {
            let member = self.by_run.get_mut(run);
            if let Some(suspension) = member.and_then(|it| it.suspension.as_deref_mut()) {
                change(suspension);
            }
        }
    }

    /// Returns how a run ended, when it has.
    pub fn ended(&self, run: &RunId) -> Option<RunEnd> {
        self.ended.get(run).copied()
    }

    /// Walks the runs that have ended, in order.
    pub fn all_ended(&self) -> impl Iterator<Item = (&RunId, RunEnd)> + '_ {
        self.ended.iter().map(|(run, end)| (run, *end))
    }

    pub(crate) fn get_mut(&mut self, run: &RunId) -> Option<&mut Member> {
        self.by_run.get_mut(run)
    }

    pub(crate) fn insert(&mut self, member: Member) {
        self.order.insert(member.run.clone());
        self.agents
            .entry(member.agent.clone())
            .or_default()
            .insert(member.run.clone());
        self.list_topics(&member.run, &member.topics);
        self.by_run.insert(member.run.clone(), member);
    }

    pub(crate) fn remove(&mut self, run: &RunId) -> Option<Member> {
        let member = self.by_run.remove(run)?;
        self.order.remove(run);
        if let Some(runs) = self.agents.get_mut(&member.agent) {
            runs.remove(run);
            if runs.is_empty() {
                self.agents.remove(&member.agent);
            }
        }
        self.unlist_topics(run, &member.topics);
        Some(member)
    }

    pub(crate) fn set_topics(&mut self, run: &RunId, topics: &[TopicId]) {
        let Some(member) = self.by_run.get_mut(run) else {
            return;
        };
        let before = std::mem::replace(&mut member.topics, topics.to_vec());
        self.unlist_topics(run, &before);
        self.list_topics(run, topics);
    }

    /// Says until when a lost member is kept, or that it is not lost; returns what held before.
    pub(crate) fn set_lost(&mut self, run: &RunId, until: Option<Timestamp>) -> Option<Timestamp> {
        let member = self.by_run.get_mut(run)?;
        let before = std::mem::replace(&mut member.lost_until, until);
        self.lost += usize::from(until.is_some());
        self.lost -= usize::from(before.is_some());
        before
    }

    /// Says what a suspended member waits for, or that it is not suspended; returns what held before.
    pub(crate) fn set_suspended(
        &mut self,
        run: &RunId,
        suspension: Option<Suspension>,
    ) -> Option<Suspension> {
        let member = self.by_run.get_mut(run)?;
        if suspension.is_some() {
            self.suspended.insert(run.clone());
        } else if member.suspension.is_some() {
            self.suspended.remove(run);
        }
        let before = std::mem::replace(&mut member.suspension, suspension.map(Box::new));
        before.map(|before| *before)
    }

    pub(crate) fn set_ended(&mut self, run: RunId, end: RunEnd) {
        self.ended.insert(run, end);
    }

    fn list_topics(&mut self, run: &RunId, topics: &[TopicId]) {
        for topic in topics {
            self.topics
                .entry(topic.clone())
                .or_default()
                .insert(run.clone());
        }
    }

    fn unlist_topics(&mut self, run: &RunId, topics: &[TopicId]) {
        for topic in topics {
            let Some(runs) = self.topics.get_mut(topic) else {
                continue;
            };
            runs.remove(run);
            if runs.is_empty() {
                self.topics.remove(topic);
            }
        }
    }
}
