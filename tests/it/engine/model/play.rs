//! Plays a history: each answer is compared with what the rules say.

use std::collections::{BTreeMap, HashMap};

use heronry_journal::{Claim, Record};
use heronry_pool::{
    Caller, PolicyNeed, Rejection,
    decide::{
        CancelWake, ClaimSet, EndRun, Expiry, JoinPool, LeavePool, RegisterWake, SendMessage,
        SendRequest, StateDigest, Suspending, WakeEvents, WakeRequest,
    },
};
use heronry_runtime::{CallError, Pool};
use heronry_store::Clock;
use heronry_tests::{Ledger, World, agent, body, key, run, topic};
use heronry_types::{
    Address, Cursor, EventKind, Generation, LimitName, Limits, MessageId, Millis, Policies,
    PoolSpec, Position, RunEnd, RunId, Since, WakeId, WakeStatus,
};

use super::contents::Known;
use super::messages::said;
use super::replies;
use super::steps::{
    AGENTS, By, CONDITIONS, FILTERS, Letter, Listing, Meanwhile, ModelStep, POLICIES, RUNS, TOPICS,
    To, Wait, Who,
};

/// The most copies that an inbox holds: few, so that some inboxes are full.
pub(super) const INBOX_DEPTH: u64 = 8;

/// The requests by run and key, each with its first record.
pub(super) type AskedRequests = HashMap<(usize, String), (String, Cursor)>;

/// A history that is being played.
pub(super) struct Play {
    world: Option<World>,
    pool: Option<Pool>,
    pub(super) ledger: Ledger,
    /// Every generation of each run, the present one last.
    generations: BTreeMap<usize, Vec<Generation>>,
    instances: u32,
    pub(super) asked: AskedRequests,
    pub(super) claims: Vec<(usize, Claim)>,
    pub(super) sent: Vec<(usize, MessageId, Position)>,
    pub(super) wakes: Vec<(usize, WakeId)>,
    pub(super) effects: Vec<(usize, Cursor)>,
    /// The number of requests about foreign sources.
    pub(super) sourced: u32,
    /// Every body that there is, or was.
    pub(super) contents: Vec<Known>,
    /// Those that were stored under a key.
    pub(super) stored: HashMap<(usize, u8), Known>,
}

impl Play {
    /// Starts a history with two members, and so many events that the first one reports.
    pub(super) async fn start(world: World, before: usize) -> Self {
        let mut limits = Limits::default();
        limits.set(LimitName::AttemptsMax, 2);
        limits.set(LimitName::InboxDepthMax, INBOX_DEPTH);
        limits.set(LimitName::LostKeepMsMax, 40_000);
        let spec = PoolSpec {
            limits: Some(limits),
            ..PoolSpec::default()
        };
        let pool = world.pool_with(spec).await;
        let ledger = Ledger::new(pool.id().clone(), pool.epoch());
        let mut play = Self {
            world: Some(world),
            pool: Some(pool),
            ledger,
            generations: BTreeMap::new(),
            instances: 1,
            asked: HashMap::new(),
            claims: Vec::new(),
            sent: Vec::new(),
            wakes: Vec::new(),
            effects: Vec::new(),
            sourced: 0,
            contents: Vec::new(),
            stored: HashMap::new(),
        };
        let listing = |topics, lease| Listing {
            topics,
            lease,
            policies: 3,
        };
        play.join(0, listing(1, 0), 1).await;
        play.join(1, listing(2, 30), 1).await;
        play.report_before(before).await;
        play.read().await;
        play
    }

    pub(super) fn world(&self) -> &World {
        self.world.as_ref().unwrap()
    }

    pub(super) fn pool(&self) -> &Pool {
        self.pool.as_ref().unwrap()
    }

    /// Takes in what the journal says since the last step.
    pub(super) async fn read(&mut self) {
        let head = self.ledger.head();
        for record in self.world().records_after(self.pool(), head).await {
            self.ledger.note(&record);
        }
    }

    /// Has what is due decided, and reads it.
    pub(super) async fn catch_up(&mut self) {
        self.pool().call(StateDigest).await.unwrap();
        self.read().await;
    }

    /// Lets time pass while the engine runs: it is never late for what is due.
    async fn pass(&mut self, seconds: u64) {
        self.world()
            .pass(self.pool(), Millis::from_secs(seconds))
            .await;
        self.read().await;
    }

    pub(super) fn caller(&self, who: Who) -> Caller {
        let known = self.generations.get(&who.run);
        let known = known.map_or(&[][..], Vec::as_slice);
        let present = known.last().copied();
        let older = known.len().checked_sub(2).map(|index| known[index]);
        let generation = older.filter(|_| who.is_stale).or(present);
        let generation = generation.unwrap_or(Generation(Position(1)));
        World::member(RUNS[who.run], generation)
    }

    /// Returns the reason why the rules refuse a member's command before it is looked at.
    pub(super) fn barred(&self, caller: &Caller) -> Option<Rejection> {
        let Caller::Member { run, generation } = caller else {
            return None;
        };
        match self.ledger.generation(run) {
            Some(present) if present == *generation => None,
            Some(_) => Some(Rejection::Fenced),
            None => match self.ledger.end_of(run) {
                Some(state) => Some(Rejection::RunEnded { state }),
                None => Some(Rejection::NotAMember),
            },
        }
    }

    pub(super) async fn take(&mut self, step: &ModelStep) {
        match *step {
            ModelStep::Join(run, listing) => self.join(run, listing, 1).await,
            ModelStep::TakeOver(run, listing) => {
                let instance = self.next_instance();
                self.join(run, listing, instance).await;
            }
            ModelStep::Heartbeat(who) => self.heartbeat(who).await,
            ModelStep::Lease(who, seconds) => self.lease(who, seconds).await,
            ModelStep::Suspend(who, seconds, of) => self.suspend(who, seconds, of).await,
            ModelStep::Resume(who) => self.resume(who).await,
            ModelStep::Leave(who) => self.depart(who, None).await,
            ModelStep::End(who) => self.depart(who, Some(RunEnd::Completed)).await,
            ModelStep::Send(who, letter) => self.send(who, letter).await,
            ModelStep::Store(who, what) => self.store(who, what).await,
            ModelStep::PassOn(who, letter, body) => self.pass_on(who, (letter, body)).await,
            ModelStep::FetchBody(who, body) => self.fetch_body(who, body).await,
            ModelStep::Erase(who, body) => self.erase(who, body).await,
            ModelStep::Receive(who, id, max) => self.receive(who, id, max).await,
            ModelStep::Ack(by, claim) => {
                let set = |claim| ClaimSet::These(vec![claim]);
                self.ack(by, claim, set).await;
            }
            ModelStep::AckUpTo(by, claim) => self.ack(by, claim, ClaimSet::UpTo).await,
            ModelStep::Release(by, claim, delay) => self.release(by, claim, delay).await,
            ModelStep::Extend(by, claim) => self.extend(by, claim).await,
            ModelStep::Replay(by, claim) => self.replay(by, claim).await,
            ModelStep::Withdraw(by, message) => self.withdraw(by, message).await,
            ModelStep::Reply(who, asked, key) => self.reply(who, asked, key).await,
            ModelStep::Wait(who, wait) => self.wait(who, wait).await,
            ModelStep::Cancel(by, wake) => self.cancel(by, wake).await,
            ModelStep::Report(who, key, count) => self.report(who, key, count).await,
            ModelStep::ReportFrom(who, first, count) => self.report_from(who, first, count).await,
            ModelStep::Miss(who, through) => self.miss(who, through).await,
            ModelStep::EndFrom(who, at) => self.end_from(who, at).await,
            ModelStep::Rewire(by, change) => self.rewire(by, change).await,
            ModelStep::Intend(who, key) => self.intend(who, key).await,
            ModelStep::Attempt(by, effect, of) => self.attempt(by, effect, of).await,
            ModelStep::Result(by, effect, of) => self.result(by, effect, of).await,
            ModelStep::Advance(seconds) => self.pass(seconds).await,
            ModelStep::Pause(seconds) => {
                self.world().clock.advance(Millis::from_secs(seconds));
                self.catch_up().await;
            }
            ModelStep::Crash => self.crash().await,
            ModelStep::Restart => self.restart().await,
            ModelStep::Fail(what, kept) => self.fail(what, kept).await,
            ModelStep::TakeSteward(instance) => self.take_steward(instance).await,
            ModelStep::ReleaseSteward => self.release_steward().await,
            ModelStep::Specify(who, digest) => self.specify(who, digest).await,
            ModelStep::Stand(who, standing) => self.stand(who, standing).await,
        }
        self.read().await;
    }

    /// Returns the command that joins a run, or takes it over as another instance.
    pub(super) fn joining(&self, who: usize, listing: Listing, instance: u32) -> JoinPool {
        let instance = format!("instance-{instance}");
        let listed = TOPICS.iter().enumerate();
        let asked = policies(listing.policies);
        let mut policies = asked.clone();
        // Joining again never widens.
        if let Some(held) = self.ledger.policies(&run(RUNS[who])) {
            let kept = asked
                .as_slice()
                .iter()
                .filter(|it| held.as_slice().contains(it));
            policies = kept.cloned().collect();
        }
        JoinPool {
            agent: agent(AGENTS[who]),
            topics: listed
                .filter(|(index, _)| listing.topics & (1 << index) != 0)
                .map(|(_, name)| topic(name))
                .collect(),
            policies: Some(policies),
            lease: Some(Millis::from_secs(listing.lease)),
            ..World::joining_as(RUNS[who], &instance)
        }
    }

    pub(super) fn next_instance(&mut self) -> u32 {
        self.instances += 1;
        self.instances
    }

    pub(super) fn note_joined(&mut self, who: usize, generation: Generation) {
        let known = self.generations.entry(who).or_default();
        let rises = known.last().is_none_or(|last| *last < generation);
        assert!(rises, "generations rise");
        known.push(generation);
    }

    async fn join(&mut self, who: usize, listing: Listing, instance: u32) {
        let join = self.joining(who, listing, instance);
        let run = run(RUNS[who]);
        match self.pool().call(join).await {
            Ok(joined) => {
                assert_eq!(self.ledger.end_of(&run), None);
                if joined.repeated {
                    let known = self.generations.get(&who).and_then(|it| it.last());
                    assert_eq!(known, Some(&joined.generation));
                } else {
                    self.note_joined(who, joined.generation);
                }
            }
            Err(error) => {
                let state = self.ledger.end_of(&run).unwrap();
                assert_eq!(error.rejection(), Some(&Rejection::RunEnded { state }));
            }
        }
    }

    async fn depart(&mut self, who: Who, end: Option<RunEnd>) {
        let (caller, run) = (self.caller(who), run(RUNS[who.run]));
        let barred = self.barred(&caller);
        let answer = match end {
            None => self.pool().call(LeavePool { caller, run }).await,
            Some(end) => {
                let note = None;
                let command = EndRun {
                    caller,
                    run,
                    end,
                    note,
                };
                self.pool().call(command).await
            }
        };
        check_barred(&answer, barred.as_ref());
    }

    /// Returns the reason why the rules refuse a letter.
    pub(super) fn refused(&self, who: Who, letter: Letter) -> Option<Rejection> {
        let barred = self.barred(&self.caller(who));
        let full = || self.full(who, letter);
        let unsatisfiable = || self.unsatisfiable(who.run, letter);
        barred.or_else(full).or_else(unsatisfiable)
    }

    pub(super) fn address(to: To) -> Address {
        match to {
            To::Run(index) => Address::Run {
                run_id: run(RUNS[index]),
            },
            To::Agent(index) => Address::Agent {
                agent_id: agent(["smith", "jones"][index]),
            },
            To::Topic(index) => Address::Topic {
                topic_id: topic(TOPICS[index]),
            },
            To::Pool => Address::Pool {
                pool_id: heronry_tests::pool("p"),
            },
        }
    }

    pub(super) fn request(letter: Letter) -> SendRequest {
        let to = Self::address(letter.to);
        let mut request = SendRequest::new(to, body("work"), key(&letter.key.to_string()));
        let seconds = letter.expires_in.map(Millis::from_secs);
        request.expiry = seconds.map(Expiry::In);
        request.options = letter.options;
        request.contract = letter.asking.map(replies::contract);
        request
    }

    async fn send(&mut self, who: Who, letter: Letter) {
        self.catch_up().await;
        let caller = self.caller(who);
        let send = SendMessage::new(caller.clone(), run(RUNS[who.run]), Self::request(letter));
        let said = said(letter);
        let name = (who.run, letter.key.to_string());
        let answer = self.pool().call(send).await;
        match self.asked.get(&name) {
            Some((before, first)) if *before == said => {
                let again = answer.unwrap();
                assert!(again.repeated, "an equal request has the same outcome");
                assert_eq!(again.receipt.cursor, *first);
            }
            Some((_, first)) => check_conflict(&answer, *first),
            None => {
                let refused = self.refused(who, letter);
                check_barred(&answer, refused.as_ref());
                if let Ok(sent) = answer {
                    assert!(!sent.repeated);
                    self.note_sent(name, said, &sent.receipt);
                }
            }
        }
    }

    pub(super) fn now(&self) -> heronry_types::Timestamp {
        self.world().clock.now().wall
    }

    /// Returns the command that registers a wake, and its request as a text.
    pub(super) fn registering(&self, who: Who, wait: Wait) -> (RegisterWake, String) {
        let head = self.pool().head();
        let since = wait.back.map_or(Since::Head, |back| {
            let position = Position(head.position.0.saturating_sub(back));
            Since::Cursor(Cursor::new(head.epoch, position))
        });
        let key_text = wait.key.to_string();
        let asked = match FILTERS.get(wait.filter) {
            Some(filter) => World::waiting(filter, &key_text),
            None => World::waiting_for(CONDITIONS[wait.filter - FILTERS.len()], &key_text),
        };
        let request = WakeRequest {
            since,
            timeout: wait.timeout.map(Millis::from_secs),
            wake_events: if wait.includes_wakes {
                WakeEvents::Include
            } else {
                WakeEvents::Skip
            },
            suspending: (wait.while_waiting == Meanwhile::IsSuspended).then(|| {
                match wait.timeout {
                    Some(_) => Suspending::until_timeout(),
                    None => Suspending::forever(),
                }
            }),
            policies: policies(wait.policies),
            ..asked
        };
        let said = format!("wait {} {since:?} {wait:?}", wait.filter);
        let register = RegisterWake::new(self.caller(who), run(RUNS[who.run]), request);
        (register, said)
    }

    /// Returns the reason why the rules refuse a wake.
    pub(super) fn wake_refused(&self, who: Who, wait: Wait) -> Option<Rejection> {
        let not_held = || self.not_held(&run(RUNS[who.run]), wait.policies);
        self.barred(&self.caller(who)).or_else(not_held)
    }

    /// Remembers what was registered under a name.
    pub(super) async fn note_registered(
        &mut self,
        who: Who,
        (name, said): ((usize, String), String),
        wake_id: WakeId,
    ) {
        self.read().await;
        let first = self.ledger.registration_of(&run(RUNS[who.run]), &wake_id);
        let first = self.pool().cursor(first.unwrap());
        self.asked.insert(name, (said, first));
        self.wakes.push((who.run, wake_id));
    }

    async fn wait(&mut self, who: Who, wait: Wait) {
        let (register, said) = self.registering(who, wait);
        let name = (who.run, wait.key.to_string());
        let answer = self.pool().call(register).await;
        match self.asked.get(&name) {
            Some((before, _)) if *before == said => assert!(answer.unwrap().repeated),
            Some((_, first)) => check_conflict(&answer, *first),
            None => {
                check_barred(&answer, self.wake_refused(who, wait).as_ref());
                if let Ok(registered) = answer {
                    let wake_id = registered.wake.wake_id;
                    self.note_registered(who, (name, said), wake_id).await;
                }
            }
        }
    }

    /// Returns the reason why a wake is refused that carries policies which its run does not hold.
    fn not_held(&self, run: &RunId, carried: u8) -> Option<Rejection> {
        let held = self.ledger.policies(run)?;
        let policy = held.first_missing(&policies(carried))?.clone();
        let need = PolicyNeed::WaiterHolds;
        Some(Rejection::Policy { policy, need })
    }

    async fn cancel(&mut self, by: By, number: usize) {
        let Some((owner, wake_id)) = self.wakes.iter().rev().nth(number).cloned() else {
            return;
        };
        let who = acting(by, owner);
        let caller = self.caller(who);
        let barred = self.barred(&caller);
        let cancel = CancelWake {
            caller,
            run: run(RUNS[who.run]),
            wake_id,
        };
        let answer = self.pool().call(cancel).await;
        if barred.is_some() || owner == who.run {
            check_barred(&answer, barred.as_ref());
            let ended = |status| status != WakeStatus::Registered;
            assert!(answer.is_err() || ended(answer.unwrap().status));
        } else {
            let error = answer.unwrap_err();
            assert_eq!(error.rejection(), Some(&Rejection::WakeNotFound));
        }
    }

    pub(super) async fn crash(&mut self) {
        drop(self.pool.take());
        let world = self.world.take().unwrap().crash().await;
        self.pool = Some(world.pool().await);
        self.world = Some(world);
    }

    async fn restart(&mut self) {
        drop(self.pool.take());
        let world = self.world.take().unwrap().restart().await;
        self.pool = Some(world.pool().await);
        self.world = Some(world);
    }

    /// Lets every wake that still looks back come to the end of that: nothing else is recorded meanwhile.
    pub(super) async fn settle_scans(&mut self) {
        for _ in 0..100_000 {
            if !self.ledger.is_looking_back() {
                return;
            }
            tokio::task::yield_now().await;
            self.catch_up().await;
        }
        panic!("a wake looks back forever");
    }

    /// Whatever was not acknowledged comes again, every wake that has a timeout ends, and the
    /// journal gives the same state as the one that was lived. Returns how many wakes looked far back.
    pub(super) async fn finish(mut self) -> usize {
        self.resume_all().await;
        self.pass(240).await;
        let members: Vec<_> = self.ledger.members().cloned().collect();
        for name in members {
            let owed = self.ledger.tally(&name);
            assert_eq!(owed.claimed, 0, "every claim has lapsed");
            let caller = World::member(name.as_str(), self.ledger.generation(&name).unwrap());
            let mut got = 0;
            // What is ordered comes one at a time.
            while got < owed.queued {
                let receive_id = format!("all-{got}");
                let all = self
                    .world()
                    .receive(self.pool(), &caller, &receive_id, 1_000);
                let all = all.await;
                assert!(!all.items.is_empty(), "nothing is forgotten");
                got += all.items.len() as u64;
                let all = ClaimSet::These(World::claims(&all));
                self.world().ack(self.pool(), &caller, all).await.unwrap();
            }
            assert_eq!(got, owed.queued);
            self.lease_of(&caller, 0).await.unwrap();
            self.read().await;
            assert!(!self.ledger.is_lost(&name), "who acts is back");
        }
        self.settle_scans().await;
        assert_eq!(self.ledger.overdue_wakes(self.now()), 0);
        assert_eq!(self.ledger.overdue_replies(self.now()), 0);
        self.check_pending().await;
        let digest = self.world().check_replay(self.pool()).await;
        self.crash().await;
        let again = self.world().check_replay(self.pool()).await;
        assert_eq!(again, digest, "a crash at rest changes nothing");
        let records = self.world().records(self.pool()).await;
        let looked = |record: &&Record| record.kind() == EventKind::WakeConditionScanned;
        records.iter().filter(looked).count()
    }
}

/// Some of the policies, one bit for each.
fn policies(some: u8) -> Policies {
    let all = POLICIES.iter().enumerate();
    let some: Vec<&str> = all
        .filter(|(index, _)| some & (1 << index) != 0)
        .map(|(_, name)| *name)
        .collect();
    World::policies(&some)
}

pub(super) fn acting(by: By, owner: usize) -> Who {
    match by {
        By::Other(who) => who,
        By::Owner => Who {
            run: owner,
            is_stale: false,
        },
    }
}

pub(super) fn check_barred<T: std::fmt::Debug>(
    answer: &Result<T, CallError>,
    barred: Option<&Rejection>,
) {
    match (answer, barred) {
        (Ok(_), None) => {}
        (Err(error), Some(barred)) => assert_eq!(error.rejection(), Some(barred)),
        (answer, barred) => panic!("{answer:?} instead of {barred:?}"),
    }
}

pub(super) fn check_conflict<T: std::fmt::Debug>(answer: &Result<T, CallError>, expected: Cursor) {
    let error = answer.as_ref().unwrap_err();
    let conflict = matches!(
        error.rejection(),
        Some(Rejection::IdempotencyConflict { first, .. }) if *first == expected
    );
    assert!(conflict, "{error:?} does not name {expected:?}");
}
