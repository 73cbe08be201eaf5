//! Waiting for an event, and giving up.

use heronry_event::filter::Filter;
use heronry_journal::{
    Body, ConditionRegistered, Entry, RequestHash, WakeCancelled, WakeName, WakeRegistered,
    WakeTimedOut, WakeTriggered,
};
use heronry_store::KeyName;
use heronry_types::{
    Condition, Epoch, IdempotencyKey, LimitName, Millis, Policies, Position, ResumeWith, RunId,
    Since, WakeId, WakeReason,
};

use crate::{
    Caller, Minter, Registered, Rejection, State, answer,
    command::{
        self, AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Names, Needs,
        Profile, Speaker,
    },
    condition,
    decide::{
        Extent, ScanRequest, Suspending, cost_of, guard, member::suspend, message::release::Giving,
    },
    hash::RequestHasher,
    mint::Minted,
    rejection::{ConflictField, PolicyNeed},
    state::Member,
};

/// The choice to let events about wakes, and about runs that suspend and resume, trigger a wake or not.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum WakeEvents {
    /// Such events cannot trigger it.
    #[default]
    Skip,
    /// Such events can trigger it.
    Include,
}

impl WakeEvents {
    /// Returns what a registration says of them.
    pub(crate) fn of(wake: &WakeRegistered) -> Self {
        if wake.include_wakes {
            Self::Include
        } else {
            Self::Skip
        }
    }
}

/// A wake as its waiter asks for it.
#[derive(Clone, Debug)]
pub struct WakeRequest {
    /// Its id; absent: derived from the key.
    pub wake_id: Option<WakeId>,
    /// The condition that it waits for.
    pub condition: Condition<Filter>,
    /// The point after which events count.
    pub since: Since,
    /// The longest time that it waits. `None`: no limit.
    pub timeout: Option<Millis>,
    /// The form in which it hands its matches to its waiter.
    pub resume_with: ResumeWith,
    /// The choice to count events about wakes or not.
    pub wake_events: WakeEvents,
    /// The suspension of its run until the wake ends. `None`: the run goes on.
    pub suspending: Option<Suspending>,
    /// The policies that it carries: its run has to hold them, now and as long as it waits.
    pub policies: Policies,
    /// The key under which a repeat has the same outcome.
    pub key: IdempotencyKey,
}

impl WakeRequest {
    /// Returns a wake for a condition, or for the next event that a filter keeps, without a timeout.
    pub fn new(condition: impl Into<Condition<Filter>>, key: IdempotencyKey) -> Self {
        Self {
            wake_id: None,
            condition: condition.into(),
            since: Since::default(),
            timeout: None,
            resume_with: ResumeWith::default(),
            wake_events: WakeEvents::default(),
            suspending: None,
            policies: Policies::default(),
            key,
        }
    }
}

/// Registers a wake.
#[derive(Clone, Debug)]
pub struct RegisterWake {
    caller: Caller,
    run: RunId,
    request: WakeRequest,
    hash: RequestHash,
}

impl RegisterWake {
    /// Returns the command; hashes the request, so call it on the caller's side of the queue.
    pub fn new(caller: Caller, run: RunId, mut request: WakeRequest) -> Self {
        // What is too deep or too much is refused as it was asked for.
        if request.condition.check().is_ok() {
            request.condition = condition::canonical(request.condition);
        }
        let hash = request_hash(&request);
        Self {
            caller,
            run,
            request,
            hash,
        }
    }

    fn wake_id(&self, minted: Minted) -> WakeId {
        self.request
            .wake_id
            .clone()
            .unwrap_or_else(|| minted.wake_id())
    }

    fn mint(&self, epoch: Epoch, minter: &Minter) -> Minted {
        minter.mint(epoch, &self.run, &self.request.key)
    }

    fn since(&self, state: &State) -> Result<Position, Rejection> {
        match self.request.since {
            Since::Start => Ok(state.floor.previous()),
            Since::Head => Ok(state.head.next()),
            Since::Cursor(cursor) => state.check_cursor(cursor),
        }
    }

    fn registered(&self, state: &State, cx: &Cx<'_>) -> Result<WakeRegistered, Rejection> {
        let request = &self.request;
        Ok(WakeRegistered {
            wake_id: self.wake_id(self.mint(state.epoch(), cx.minter)),
            filter: condition::text(&request.condition),
            language: condition::language(&request.condition),
            fingerprint: *condition::fingerprint(&request.condition).as_bytes(),
            since: self.since(state)?,
            timeout_ms: request.timeout,
            deadline: request.timeout.map(|timeout| cx.now.after(timeout)),
            resume_with: request.resume_with,
            include_wakes: request.wake_events == WakeEvents::Include,
            idempotency_key: request.key.clone(),
            request_hash: self.hash,
            scan_to: (cx.scan.extent == Extent::Later).then_some(state.head),
            suspends: request.suspending.as_ref().map(|it| it.lasts),
            policies: carried(&request.policies),
        })
    }

    /// Returns the record of the registration.
    fn body(&self, wake: WakeRegistered, cx: &Cx<'_>) -> Body {
        match &self.request.condition {
            Condition::Filter(_) => Body::WakeRegistered(Box::new(wake)),
            condition @ (Condition::AnyOf(_) | Condition::AllOf(_) | Condition::Count(_)) => {
                Body::ConditionRegistered(Box::new(ConditionRegistered {
                    wake,
                    condition: condition::texts(condition),
                    counted: cx.scan.counted.clone(),
                }))
            }
        }
    }

    /// Returns the record of an end that is fixed already when the wake is registered. `None` when there
    /// is none.
    fn at_once(&self, state: &State, cx: &Cx<'_>, wake_id: &WakeId) -> Option<Entry> {
        let registered = state.head.next();
        let wake_id = wake_id.clone();
        let author = Author::engine(state.lineage_of(&self.run));
        if let Some(by) = cx.scan.matches.last() {
            let (matches, more_follow) = (cx.scan.matches.clone(), false);
            let body = WakeTriggered {
                registered,
                wake_id,
                matches,
                more_follow,
            };
            return Some(
                author
                    .caused_by(by.position)
                    .entry(Body::WakeTriggered(body)),
            );
        }
        if self.request.timeout == Some(Millis(0)) {
            let body = Body::WakeTimedOut(WakeTimedOut {
                registered,
                wake_id,
            });
            return Some(author.caused_by(registered).entry(body));
        }
        None
    }
}

/// Returns the policies that a registration carries. `None` when there are none.
fn carried(policies: &Policies) -> Option<Box<Policies>> {
    (!policies.is_empty()).then(|| Box::new(policies.clone()))
}

/// Checks that who waits may read the pool's events, and holds what its wake carries: it would wait
/// in vain for what it is not shown.
fn check_policies(state: &State, member: &Member, policies: &Policies) -> Result<(), Rejection> {
    guard::viewer(state, member)?;
    let Some(policy) = member.policies.first_missing(policies) else {
        return Ok(());
    };
    let (policy, need) = (policy.clone(), PolicyNeed::WaiterHolds);
    Err(Rejection::Policy { policy, need })
}

fn request_hash(request: &WakeRequest) -> RequestHash {
    let mut hasher = RequestHasher::new("wake/1");
    hasher.put((
        &request.wake_id,
        condition::fingerprint(&request.condition)
            .as_bytes()
            .as_slice(),
    ));
    match request.since {
        Since::Start => hasher.put(0_u8),
        Since::Head => hasher.put(1_u8),
        Since::Cursor(cursor) => hasher.put((2_u8, cursor)),
    }
    let include = request.wake_events == WakeEvents::Include;
    hasher.put((request.timeout, request.resume_with, include));
    if let Some(suspending) = &request.suspending {
        hasher.put(("suspends_run", suspending.lasts, &suspending.release));
    }
    if !request.policies.is_empty() {
        hasher.put(("policies", &request.policies));
    }
    hasher.finish()
}

impl Command for RegisterWake {
    type Answer = Registered;

    fn profile(&self) -> Profile<'_> {
        // Each filter that is armed takes about as long as a record.
        Profile::new(AboutWakes::Perhaps)
            .with_burden(1 + self.request.condition.clauses().len())
            .spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn names(&self, epoch: Epoch, minter: &Minter) -> Option<Names> {
        let derived = self.mint(epoch, minter);
        let id = KeyName::Wake(self.wake_id(derived));
        let names = Names::new(&self.run, Some(self.request.key.clone()), Some(id));
        Some(names.with_minted(derived))
    }

    fn needs(&self, state: &State) -> Result<Needs, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run);
        let admitted = member.and_then(|it| check_policies(state, it, &self.request.policies));
        if admitted.is_err() {
            return Ok(Needs::default()); // `decide` says why not, unless it is a repeat
        }
        let after = self.since(state)?;
        let scan = (after < state.head).then(|| ScanRequest {
            after,
            until: state.head,
            condition: self.request.condition.clone(),
            wake_events: self.request.wake_events,
            run: self.run.clone(),
        });
        Ok(Needs {
            scan,
            ..Needs::default()
        })
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::identity(&self.caller, &self.run)?;
        if let Some(first) = command::repeat(state, cx.prior, self.hash, ConflictField::WakeId)? {
            return Ok(Decision::Repeat(first));
        }
        let member = guard::standing(state, &self.caller, &self.run)?;
        guard::condition(state, &self.request.condition)?;
        guard::span(cx.now, "timeout_ms", self.request.timeout)?;
        if let Some(suspending) = &self.request.suspending {
            suspending.check(self.request.timeout)?;
        }
        guard::policies(state, &self.request.policies)?;
        let live = member.wakes.len() as u64 + 1;
        guard::limit(state, LimitName::LiveWakesPerRunMax, live)?;
        guard::limit(
            state,
            LimitName::LiveWakesPerPoolMax,
            state.wakes.live() as u64 + 1,
        )?;
        let cost = cost_of(&self.request.condition);
        let of_run = cx.costs.of_run(&self.run) + cost;
        guard::limit(state, LimitName::WakeCostPerRunMax, of_run)?;
        let in_all = cx.costs.total() + cost;
        guard::limit(state, LimitName::WakeCostPerPoolMax, in_all)?;
        check_policies(state, member, &self.request.policies)?;
        let registered = self.registered(state, cx)?;
        let at_once = self.at_once(state, cx, &registered.wake_id);
        let author = Author::member(state, &self.caller, member);
        let follows = match (at_once, &self.request.suspending) {
            (Some(end), _) => vec![end],
            (None, Some(suspending)) => {
                let wake = WakeName {
                    registered: state.head.next(),
                    wake_id: registered.wake_id.clone(),
                };
                let giving = Giving {
                    author: &author,
                    member,
                    claims: suspending.release.clone(),
                    delay: None,
                };
                suspend::for_wake(state, cx.now, giving, wake)?
            }
            (None, None) => Vec::new(),
        };
        let mut entries = vec![author.entry(self.body(registered, cx))];
        entries.extend(follows);
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Registered, Rejection> {
        let wake = state
            .wakes
            .get(applied.first)
            .ok_or(Rejection::WakeNotFound)?;
        Ok(Registered {
            wake: answer::wake_view(state, applied.first, wake),
            repeated: applied.how == How::Repeated,
        })
    }
}

/// Gives a wake up. Repeating it, or giving up one that has ended, changes nothing.
#[derive(Clone, Debug)]
pub struct CancelWake {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run that waits.
    pub run: RunId,
    /// The wake.
    pub wake_id: WakeId,
}

impl CancelWake {
    fn find(&self, state: &State) -> Result<Position, Rejection> {
        let mut own = state
            .wakes
            .of_id(&self.wake_id)
            .filter(|it| it.wake.run == self.run);
        own.next()
            .map(|it| it.registered)
            .ok_or(Rejection::WakeNotFound)
    }
}

impl Command for CancelWake {
    type Answer = heronry_types::WakeView;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps)
            .reserved_for(&self.run)
            .spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run)?;
        let registered = self.find(state)?;
        if state
            .wakes
            .get(registered)
            .is_none_or(|wake| wake.end.is_some())
        {
            return Ok(Decision::Nothing);
        }
        let author = Author::member(state, &self.caller, member).caused_by(registered);
        let body = Body::WakeCancelled(WakeCancelled {
            registered,
            wake_id: self.wake_id.clone(),
            reason: WakeReason::Requested,
        });
        Ok(Decision::Write(Draft::of(vec![author.entry(body)])))
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Self::Answer, Rejection> {
        let registered = self.find(state)?;
        let wake = state.wakes.get(registered).ok_or(Rejection::WakeNotFound)?;
        Ok(answer::wake_view(state, registered, wake))
    }
}
