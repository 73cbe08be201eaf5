//! The rules of a journal about members.

use std::collections::BTreeSet;

use heronry_journal::{
    Body, MemberChanged, MemberJoined, MemberRecord, MemberTakenOver, MessageAccepted, Record,
    RunLost, RunResumed,
};
use heronry_types::{
    Actor, Address, AgentId, Broadcast, Generation, LimitName, Millis, Policies, Position, RunEnd,
    RunId, Timestamp, TopicId, Undeliverable,
};

use super::{Ledger, run_of, suspend::Sleep};

/// A member as the journal shows it.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    agent: Option<AgentId>,
    pub(super) generation: Generation,
    policies: Policies,
    topics: BTreeSet<TopicId>,
    lease: Option<Millis>,
    /// The time at which it was last heard of for certain. Later signs of life may not be recorded.
    pub(super) heard: Timestamp,
    /// The time at which it leaves, unless it is heard of before.
    pub(super) lost_until: Option<Timestamp>,
    /// The condition of its suspension.
    pub(super) asleep: Option<Sleep>,
}

impl Ledger {
    pub(super) fn of_member(&mut self, record: &Record, body: MemberRecord<'_>) {
        match body {
            MemberRecord::MemberJoined(body) => self.joined(record, body),
            MemberRecord::MemberTakenOver(body) => self.taken_over(record, body),
            MemberRecord::MemberChanged(body) => self.changed(record, body),
            MemberRecord::MemberLeft(body) => self.left(record, body.generation, body.reason),
            MemberRecord::RunEnded(body) => self.run_ended(record, body),
            MemberRecord::RunLost(body) => self.lost(record, body),
            MemberRecord::RunResumed(body) => self.found(record, *body),
            MemberRecord::RunSuspended(body) => self.suspended(record, body),
        }
    }

    pub(super) fn joined(&mut self, record: &Record, body: &MemberJoined) {
        let run = run_of(record);
        assert!(!self.ended.contains_key(&run), "an ended run never joins");
        let seat = Seat {
            agent: record.entry.lineage.agent.clone(),
            generation: Generation(record.position),
            policies: body.policies.clone(),
            topics: body.topics.iter().cloned().collect(),
            lease: body.lease_ms,
            heard: record.recorded_at,
            lost_until: None,
            asleep: None,
        };
        let before = self.seats.insert(run, seat);
        assert!(before.is_none(), "a member does not join again");
        self.check_count(body.members);
    }

    pub(super) fn taken_over(&mut self, record: &Record, body: &MemberTakenOver) {
        let run = run_of(record);
        let seat = self.seat(&run);
        assert_eq!(seat.generation, body.predecessor, "it fences the present");
        assert!(seat.policies.covers(&body.policies), "policies never widen");
        seat.generation = Generation(record.position);
        seat.policies = body.policies.clone();
        seat.topics = body.topics.iter().cloned().collect();
        (seat.lease, seat.heard) = (body.lease_ms, record.recorded_at);
        seat.lost_until = None;
        seat.asleep = None;
        self.check_count(body.members);
        self.return_claims(&run);
    }

    pub(super) fn changed(&mut self, record: &Record, body: &MemberChanged) {
        let seat = self.seat(&run_of(record));
        seat.topics = body.topics.iter().cloned().collect();
        (seat.lease, seat.heard) = (body.lease_ms, record.recorded_at);
    }

    pub(super) fn run_ended(&mut self, record: &Record, body: &heronry_journal::RunEnded) {
        self.ended.insert(run_of(record), body.end);
        self.left(record, body.generation, Undeliverable::RunEnded);
    }

    pub(super) fn left(&mut self, record: &Record, generation: Generation, why: Undeliverable) {
        let run = run_of(record);
        let seat = self.seat(&run);
        assert_eq!(seat.generation, generation);
        let is_over = seat
            .lost_until
            .is_some_and(|until| until <= record.recorded_at);
        assert!(
            is_over || why != Undeliverable::Lost,
            "a lost member is kept"
        );
        self.seats.remove(&run);
        self.end_copies_of(&run, why);
    }

    /// Whoever acts is heard of, and is not lost.
    pub(super) fn hear(&mut self, record: &Record) {
        let body = &record.entry.body;
        let Actor::Member { run, generation } = &record.entry.actor else {
            return;
        };
        let departs = matches!(body, Body::MemberLeft(_) | Body::RunEnded(_));
        let is_back = matches!(body, Body::RunResumed(_));
        let seat = self.seats.get_mut(run);
        if let Some(seat) = seat.filter(|seat| seat.generation == *generation) {
            let is_lost = seat.lost_until.is_some();
            assert!(!is_lost || departs || is_back, "who acts is not lost");
            seat.heard = record.recorded_at;
        }
    }

    fn lost_keep(&self) -> Millis {
        Millis(self.limits.get(LimitName::LostKeepMsMax))
    }

    pub(super) fn lost(&mut self, record: &Record, body: &RunLost) {
        let (run, now, keep) = (run_of(record), record.recorded_at, self.lost_keep());
        assert!(!self.is_dormant(&run), "who is dormant is not lost");
        let seat = self.seat(&run);
        assert_eq!(seat.generation, body.generation, "the present one is lost");
        let silent = now.since(seat.heard);
        let lease = seat.lease;
        assert!(lease.is_some_and(|lease| silent >= lease), "never early");
        assert_eq!(seat.lost_until, None, "it is lost once");
        assert!(seat.asleep.is_none(), "a suspended run is not lost");
        assert_eq!(body.kept_until, now.after(keep));
        seat.lost_until = Some(body.kept_until);
        self.lapse_claims(&run, now);
    }

    pub(super) fn found(&mut self, record: &Record, body: RunResumed) {
        if let Some(by) = body.by {
            return self.woken(record, body.generation, by);
        }
        let seat = self.seat(&run_of(record));
        assert_eq!(seat.generation, body.generation, "the present one is back");
        assert!(seat.lost_until.take().is_some(), "it was lost");
        seat.heard = record.recorded_at;
    }

    /// After a pause every lease that can end has its full term again. Returns when the first could
    /// have ended at the earliest.
    pub(super) fn renew_leases(&mut self, now: Timestamp) -> Option<Timestamp> {
        let mut first = None;
        let dormant: BTreeSet<RunId> = self.seats.keys().cloned().collect();
        let dormant: BTreeSet<RunId> = dormant
            .into_iter()
            .filter(|it| self.is_dormant(it))
            .collect();
        for (run, seat) in &mut self.seats {
            if seat.lost_until.is_some() || seat.asleep.is_some() || dormant.contains(run) {
                continue;
            }
            let end = seat.lease.map(|lease| seat.heard.after(lease));
            first = first.into_iter().chain(end).min();
            seat.heard = now;
        }
        first
    }

    /// Returns true when a run is a member that is lost.
    pub fn is_lost(&self, run: &RunId) -> bool {
        let seat = self.seats.get(run);
        seat.is_some_and(|seat| seat.lost_until.is_some())
    }

    pub(super) fn is_member(&self, run: &RunId) -> bool {
        self.seats.contains_key(run)
    }

    pub(super) fn sees(&self, run: &RunId) -> bool {
        let seat = self.seats.get(run);
        seat.is_some_and(|seat| seat.policies.covers(&self.config.policies))
    }

    /// Returns the policies that a member holds.
    pub fn policies(&self, run: &RunId) -> Option<&Policies> {
        self.seats.get(run).map(|seat| &seat.policies)
    }

    pub(super) fn holds(&self, run: &RunId, policies: &Policies) -> bool {
        let seat = self.seats.get(run);
        seat.is_some_and(|seat| seat.policies.covers(policies))
    }

    /// Returns who gets a copy, by the rules, sorted.
    pub(super) fn addressed(&self, sender: &RunId, body: &MessageAccepted) -> Vec<RunId> {
        self.addressed_by(sender, (&body.to, &body.policies))
    }

    /// Returns who gets a copy of a message without policies, sorted.
    pub fn recipients(&self, sender: &RunId, to: &Address) -> Vec<RunId> {
        self.addressed_by(sender, (to, &Policies::default()))
    }

    /// Returns who would get a copy of a message that carries these policies, sorted.
    pub(super) fn addressed_by(
        &self,
        sender: &RunId,
        (to, policies): (&Address, &Policies),
    ) -> Vec<RunId> {
        let config = &self.config.message_policy;
        let wanted = |run: &RunId, seat: &Seat| match to {
            Address::Run { run_id } => run_id == run,
            Address::Agent { agent_id } => seat.agent.as_ref() == Some(agent_id),
            Address::Topic { topic_id } => seat.topics.contains(topic_id),
            Address::Pool { pool_id } => {
                *pool_id == self.pool
                    && (config.broadcast == Broadcast::IncludeSender || run != sender)
            }
            Address::Alias { .. } => panic!("an alias was followed before"),
        };
        let seats = self.seats.iter();
        let found = seats.filter(|(run, seat)| wanted(run, seat) && seat.policies.covers(policies));
        found.map(|(run, _)| run.clone()).collect()
    }

    #[expect(clippy::unwrap_used, reason = "a record about a member needs one")]
    pub(super) fn seat(&mut self, run: &RunId) -> &mut Seat {
        self.seats.get_mut(run).unwrap()
    }

    fn check_count(&self, members: u64) {
        assert_eq!(members, self.seats.len() as u64, "the members are counted");
    }

    /// Returns which joining of a run is present.
    pub fn generation(&self, run: &RunId) -> Option<Generation> {
        self.seats.get(run).map(|seat| seat.generation)
    }

    /// Returns every member.
    pub fn members(&self) -> impl Iterator<Item = &RunId> {
        self.seats.keys()
    }

    /// Returns how a run ended.
    pub fn end_of(&self, run: &RunId) -> Option<RunEnd> {
        self.ended.get(run).copied()
    }

    /// Returns the position of the acceptance of each message that a run has a copy of.
    pub fn copies_of<'a>(&'a self, run: &'a RunId) -> impl Iterator<Item = Position> + 'a {
        let letters = self.letters.iter();
        letters
            .filter(move |(_, letter)| letter.copies.contains_key(run))
            .map(|(accepted, _)| *accepted)
    }
}
