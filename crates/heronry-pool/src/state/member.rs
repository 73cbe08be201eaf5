//! Members, and who answers to which address.

mod reach;
mod suspension;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use heronry_journal::Recipients;
use heronry_store::KeyedMap;
use heronry_types::{
    Address, AgentId, Generation, InstanceId, Millis, Policies, Position, RunEnd, RunId, SessionId,
    Timestamp, TopicId,
};

pub(crate) use reach::{Aim, Among, Reach};
pub(crate) use suspension::Suspension;

use crate::state::{
    Inbox, Wiring,
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
    member::reach::LatestReach,
};

/// A run that has joined.
#[derive(Clone, Debug)]
pub struct Member {
    /// The run.
    pub run: RunId,
    /// The agent that it is a run of.
    pub agent: AgentId,
    /// Its session.
    pub session: Option<SessionId>,
    /// The process that acts as it.
    pub instance: InstanceId,
    /// The generation of its present joining.
    pub generation: Generation,
    /// The generation that it took over; absent: it joined a run that was no member.
    pub predecessor: Option<Generation>,
    /// The policies that it holds.
    pub policies: Policies,
    /// The topics that it lists, sorted and distinct.
    pub topics: Vec<TopicId>,
    /// Its copies that are not ended.
    pub inbox: Inbox,
    /// The registrations of its wakes that wait.
    pub wakes: BTreeSet<Position>,
    /// The time that it may be silent before it is lost. `None`: forever.
    pub lease: Option<Millis>,
    /// The time when it leaves unless it is heard of before. `None` while it is not lost.
    pub lost_until: Option<Timestamp>,
    /// The suspension of the run. `None` while it is not suspended.
    pub suspension: Option<Box<Suspension>>,
}

/// The place of a member, for as long as it is one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct MemberSlot(usize);

/// Runs in order, and where their members stand.
/// A member that a message is addressed to, and where it stands.
#[derive(Clone, Copy)]
struct AddressedMember<'a> {
    run: &'a RunId,
    slot: MemberSlot,
}

type Runs = BTreeMap<RunId, MemberSlot>;

/// The members of a pool.
#[derive(Clone, Debug, Default)]
pub struct Members {
    slots: Vec<Option<Member>>,
    free: Vec<MemberSlot>,
    by_run: KeyedMap<RunId, MemberSlot>,
    order: Runs,
    agents: KeyedMap<AgentId, Runs>,
    topics: KeyedMap<TopicId, Runs>,
    reach: LatestReach,
    ended: BTreeMap<RunId, RunEnd>,
    lost: usize,
    suspended: BTreeSet<RunId>,
}

impl Members {
    /// Returns a member.
    pub fn get(&self, run: &RunId) -> Option<&Member> {
        self.at(*self.by_run.get(run)?)
    }

    pub(crate) fn at(&self, slot: MemberSlot) -> Option<&Member> {
        self.slots.get(slot.0)?.as_ref()
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
        self.order.values().filter_map(|slot| self.at(*slot))
    }

    /// Walks the members whose run ids come after this one, in order; all when there is none.
    pub fn after(&self, run: Option<&RunId>) -> impl Iterator<Item = &Member> + '_ {
        let from = run.map_or(Bound::Unbounded, Bound::Excluded);
        self.order
            .range::<RunId, _>((from, Bound::Unbounded))
            .filter_map(|(_, slot)| self.at(*slot))
    }

    /// Walks the runs of an agent that are members, in order.
    pub fn of_agent(&self, agent: &AgentId) -> impl Iterator<Item = &Member> + '_ {
        let slots = self.agents.get(agent).into_iter().flat_map(Runs::values);
        slots.filter_map(|slot| self.at(*slot))
    }

    /// Walks the members that list a topic, in order.
    pub fn of_topic(&self, topic: &TopicId) -> impl Iterator<Item = &Member> + '_ {
        let slots = self.topics.get(topic).into_iter().flat_map(Runs::values);
        slots.filter_map(|slot| self.at(*slot))
    }

    /// Returns whom a message to several members reaches: of those that it is addressed to, the ones that
    /// hold its policies.
    pub(crate) fn reach(&self, aim: Aim, wiring: &Wiring) -> Arc<Reach> {
        self.reach.of(aim, |aim| {
            let holds = |slot: MemberSlot| {
                let member = self.at(slot);
                member.is_some_and(|member| member.policies.covers(&aim.policies))
            };
            let addressed = self.named(aim).filter(|named| holds(named.slot));
            let (reached, left_out): (Vec<_>, Vec<_>) =
                addressed.partition(|named| aim.among.has(wiring, named.run));
            let runs = |named: &[AddressedMember<'_>]| {
                let runs = named.iter().map(|named| named.run.clone());
                Recipients(runs.collect())
            };
            Reach {
                runs: runs(&reached),
                slots: reached.iter().map(|named| named.slot).collect(),
                not_peered: (!left_out.is_empty()).then(|| runs(&left_out)),
            }
        })
    }

    /// Forgets whom messages reach, because edges have changed.
    pub(crate) fn forget_reach(&mut self) {
        self.reach.forget();
    }

    /// Returns true when a message is addressed to anybody, whether or not they hold its policies.
    pub(crate) fn is_anybody_named(&self, aim: &Aim) -> bool {
        self.named(aim).next().is_some()
    }

    fn named(&self, aim: &Aim) -> impl Iterator<Item = AddressedMember<'_>> {
        let addressed = self.runs_of(&aim.to).into_iter().flatten();
        let addressed = addressed.map(|(run, slot)| AddressedMember { run, slot: *slot });
        addressed.filter(|named| aim.without.as_ref() != Some(named.run))
    }

    fn runs_of(&self, to: &Address) -> Option<&Runs> {
        match to {
            Address::Run { .. } | Address::Alias { .. } => None,
            Address::Agent { agent_id } => self.agents.get(agent_id),
            Address::Topic { topic_id } => self.topics.get(topic_id),
            Address::Pool { .. } => Some(&self.order),
        }
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

    /// Walks the runs that are suspended and come after this one, in order; all when there is none.
    pub(crate) fn suspended_after(&self, run: Option<&RunId>) -> impl Iterator<Item = &RunId> + '_ {
        let from = run.map_or(Bound::Unbounded, Bound::Excluded);
        self.suspended.range::<RunId, _>((from, Bound::Unbounded))
    }

    /// Returns what a run waits for that is suspended.
    pub fn suspension(&self, run: &RunId) -> Option<&Suspension> {
        if self.suspended.is_empty() {
            return None;
        }
        self.get(run)?.suspension.as_deref()
    }

    pub(crate) fn suspension_mut(&mut self, run: &RunId) -> Option<&mut Suspension> {
        self.get_mut(run)?.suspension.as_deref_mut()
    }

    pub(crate) fn each_suspension(&mut self, mut change: impl FnMut(&mut Suspension)) {
        for run in &self.suspended {
            let slot = self.by_run.get(run);
            let member = slot.and_then(|slot| self.slots.get_mut(slot.0)?.as_mut());
            if let Some(suspension) = member.and_then(|it| it.suspension.as_deref_mut()) {
                change(suspension);
            }
        }
    }

    /// Returns how a run ended, when it has.
    pub fn ended(&self, run: &RunId) -> Option<RunEnd> {
        self.ended.get(run).copied()
    }

    pub(crate) fn get_mut(&mut self, run: &RunId) -> Option<&mut Member> {
        let slot = *self.by_run.get(run)?;
        self.at_mut(slot)
    }

    fn at_mut(&mut self, slot: MemberSlot) -> Option<&mut Member> {
        self.slots.get_mut(slot.0)?.as_mut()
    }

    /// Does the same to every one of these runs that is a member.
    pub(crate) fn each_of(&mut self, runs: &Recipients, mut change: impl FnMut(&mut Member)) {
        if let Some(reach) = self.reach.with(runs) {
            for slot in &reach.slots {
                self.at_mut(*slot).into_iter().for_each(&mut change);
            }
        } else {
            for run in runs.0.iter() {
                self.get_mut(run).into_iter().for_each(&mut change);
            }
        }
    }

    pub(crate) fn insert(&mut self, member: Member) {
        self.reach.forget();
        let slot = self.slot_for(&member.run);
        self.order.insert(member.run.clone(), slot);
        self.agents
            .entry(member.agent.clone())
            .or_default()
            .insert(member.run.clone(), slot);
        self.list_topics(&member.run, slot, &member.topics);
        self.by_run.insert(member.run.clone(), slot);
        if let Some(place) = self.slots.get_mut(slot.0) {
            *place = Some(member);
        }
    }

    /// Returns the slot of a run, or one that is free.
    fn slot_for(&mut self, run: &RunId) -> MemberSlot {
        if let Some(slot) = self.by_run.get(run) {
            return *slot;
        }
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            MemberSlot(self.slots.len() - 1)
        })
    }

    pub(crate) fn remove(&mut self, run: &RunId) -> Option<Member> {
        self.reach.forget();
        let slot = self.by_run.remove(run)?;
        let member = self.slots.get_mut(slot.0)?.take()?;
        self.free.push(slot);
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
        self.reach.forget();
        let Some(slot) = self.by_run.get(run).copied() else {
            return;
        };
        let Some(member) = self.at_mut(slot) else {
            return;
        };
        let before = std::mem::replace(&mut member.topics, topics.to_vec());
        self.unlist_topics(run, &before);
        self.list_topics(run, slot, topics);
    }

    pub(crate) fn set_policies(&mut self, run: &RunId, policies: &Policies) {
        self.reach.forget();
        if let Some(member) = self.get_mut(run) {
            member.policies = policies.clone();
        }
    }

    /// Says until when a lost member is kept, or that it is not lost; returns what held before.
    pub(crate) fn set_lost(&mut self, run: &RunId, until: Option<Timestamp>) -> Option<Timestamp> {
        let member = self.get_mut(run)?;
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
        let suspends = suspension.is_some();
        let member = self.get_mut(run)?;
        let before = std::mem::replace(&mut member.suspension, suspension.map(Box::new));
        if suspends {
            self.suspended.insert(run.clone());
        } else if before.is_some() {
            self.suspended.remove(run);
        }
        before.map(|before| *before)
    }

    pub(crate) fn set_ended(&mut self, run: RunId, end: RunEnd) {
        self.ended.insert(run, end);
    }

    fn list_topics(&mut self, run: &RunId, slot: MemberSlot, topics: &[TopicId]) {
        for topic in topics {
            self.topics
                .entry(topic.clone())
                .or_default()
                .insert(run.clone(), slot);
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

impl Members {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            order,
            ended,
            // Where members stand, and by what they are found, follows from the members.
            slots: _,
            free: _,
            by_run: _,
            agents: _,
            topics: _,
            reach: _,
            lost: _,
            suspended: _,
        } = self;
        to.list(2);
        to.list(order.len());
        self.iter().for_each(|member| member.encode(to));
        to.put(ended);
    }

    pub(super) fn decode(&mut self, from: &mut Decoding<'_>) -> Result<(), UnreadableState> {
        from.list(2)?;
        for member in from.list_of(Member::decode)? {
            if self.get(&member.run).is_some() {
                return Err(from.malformed("a member that is there twice"));
            }
            self.lost += usize::from(member.lost_until.is_some());
            if member.suspension.is_some() {
                self.suspended.insert(member.run.clone());
            }
            self.insert(member);
        }
        self.ended = from.take()?;
        Ok(())
    }
}
