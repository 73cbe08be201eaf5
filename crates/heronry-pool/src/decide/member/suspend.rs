//! Suspending a run, and letting it go on.

use heronry_journal::{Body, Claim, Entry, RunResumed, RunSuspended, WakeName};
use heronry_types::{
    Importance, LimitName, Millis, Position, ResumedBy, RunId, RunState, SuspendFor, Timestamp,
    WakeId,
};

use crate::{
    Caller, Done, Rejection, State, Stood,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile, Speaker},
    decide::{guard, message::release::Giving},
    state::{ClaimTurn, Member, WakeAt},
};

/// The suspension of a run by its wake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suspending {
    /// The choice between a wake that has a timeout and one that may wait forever.
    pub lasts: SuspendFor,
    /// The claims that are given back; the others are held.
    pub release: Vec<Claim>,
}

impl Suspending {
    /// Returns a suspension that holds every claim, and ends with the timeout of its wake at the latest.
    pub fn until_timeout() -> Self {
        Self {
            lasts: SuspendFor::Timeout,
            release: Vec::new(),
        }
    }

    /// Returns a suspension that holds every claim, and may last forever.
    pub fn forever() -> Self {
        Self {
            lasts: SuspendFor::Forever,
            release: Vec::new(),
        }
    }

    /// Checks that there is a timeout, or that it was said that there is none.
    pub(in crate::decide) fn check(&self, timeout: Option<Millis>) -> Result<(), Rejection> {
        match (self.lasts, timeout) {
            (SuspendFor::Timeout, Some(_)) | (SuspendFor::Forever, None) => Ok(()),
            (SuspendFor::Timeout, None) | (SuspendFor::Forever, Some(_)) => Err(Rejection::OneEnd),
        }
    }
}

/// Suspends a run: its lease does not run, and its claims do not lapse, until it goes on.
///
/// Whatever it does, the end of one of the wakes, an urgent message (`interrupt`) or the time resumes
/// it, whichever is first; what holds already does so at once.
#[derive(Clone, Debug)]
pub struct SuspendRun {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run.
    pub run: RunId,
    /// Its wakes whose ends resume it.
    pub wakes: Vec<WakeId>,
    /// The longest time of the suspension. `None`: forever.
    pub timeout: Option<Millis>,
    /// The claims that are given back; the others are held.
    pub release: Vec<Claim>,
}

impl SuspendRun {
    fn wakes(&self, state: &State) -> Result<Vec<WakeName>, Rejection> {
        let find = |wake_id: &WakeId| {
            let mut own = state
                .wakes
                .of_id(wake_id)
                .filter(|it| it.wake.run == self.run);
            let WakeAt { registered, .. } = own.next().ok_or(Rejection::WakeNotFound)?;
            let wake_id = wake_id.clone();
            Ok(WakeName {
                registered,
                wake_id,
            })
        };
        let found: Result<Vec<WakeName>, Rejection> = self.wakes.iter().map(find).collect();
        let mut wakes = found?;
        wakes.sort_unstable_by_key(|wake| wake.registered);
        wakes.dedup();
        Ok(wakes)
    }
}

impl Command for SuspendRun {
    type Answer = Stood;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps)
            .reserved_for(&self.run)
            .spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run)?;
        guard::span(cx.now, "timeout_ms", self.timeout)?;
        let named = self.wakes.len() as u64;
        guard::limit(state, LimitName::LiveWakesPerRunMax, named)?;
        let wakes = self.wakes(state)?;
        let author = Author::member(state, &self.caller, member);
        let giving = Giving {
            author: &author,
            member,
            claims: self.release.clone(),
            delay: None,
        };
        let mut entries = giving.entries(state, cx.now)?;
        let until = self.timeout.map(|timeout| cx.now.after(timeout));
        entries.push(suspended(&author, member, wakes, until));
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Stood, Rejection> {
        Ok(stood(state, &self.run, applied))
    }
}

/// Lets a suspended run go on; one that is not suspended stays as it is.
#[derive(Clone, Debug)]
pub struct ResumeRun {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run.
    pub run: RunId,
}

impl Command for ResumeRun {
    type Answer = Stood;

    fn profile(&self) -> Profile<'_> {
        // As every command of the run, this resumes it.
        Profile::new(AboutWakes::Perhaps)
            .reserved_for(&self.run)
            .spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::standing(state, &self.caller, &self.run)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Stood, Rejection> {
        Ok(stood(state, &self.run, applied))
    }
}

fn stood(state: &State, run: &RunId, applied: Applied<'_>) -> Stood {
    Stood {
        done: Done::at(state, applied),
        state: match state.members.suspension(run) {
            Some(_) => RunState::Suspended,
            None => RunState::Active,
        },
    }
}

/// Returns the record that a run is suspended.
fn suspended(
    author: &Author,
    member: &Member,
    wakes: Vec<WakeName>,
    until: Option<Timestamp>,
) -> Entry {
    author.entry(Body::RunSuspended(RunSuspended {
        generation: member.generation,
        wakes,
        until,
    }))
}

/// Returns the records that suspend a run for a wake which is registered in the same append: any of
/// its suspending wakes resumes it. The run gives claims back with that.
pub(in crate::decide) fn for_wake(
    state: &State,
    now: Timestamp,
    giving: Giving<'_>,
    wake: WakeName,
) -> Result<Vec<Entry>, Rejection> {
    let Giving { author, member, .. } = giving;
    let mut entries = giving.entries(state, now)?;
    let earlier = member.wakes.iter().filter_map(|registered| {
        let body = &state.wakes.get(*registered)?.registered;
        body.suspends.map(|_| WakeName {
            registered: *registered,
            wake_id: body.wake_id.clone(),
        })
    });
    let wakes = earlier.chain([wake]).collect();
    entries.push(suspended(author, member, wakes, None));
    Ok(entries)
}

/// Returns the record that a suspended run goes on, when something has resumed it: the end of one of
/// its wakes, its time, or an urgent message that it can claim.
pub(crate) fn resumed_entry(state: &State, run: &RunId, now: Timestamp) -> Option<Entry> {
    let member = state.members.get(run)?;
    let suspension = member.suspension.as_deref()?;
    let ended = suspension.wakes.iter().filter_map(|wake| {
        let end = state.wakes.get(wake.registered)?.end.as_ref();
        end.map(|(at, _)| *at)
    });
    let is_over = suspension.until.is_some_and(|until| until <= now);
    let (by, cause) = if let Some(at) = ended.min() {
        (ResumedBy::Wake, at)
    } else if let Some(accepted) = interrupt(state, member, now) {
        (ResumedBy::Interrupt, accepted)
    } else if is_over {
        (ResumedBy::Timeout, suspension.position)
    } else {
        return None;
    };
    let author = Author::engine(state.lineage_of(run)).caused_by(cause);
    let (generation, by) = (member.generation, Some(by));
    Some(author.last_entry(Body::RunResumed(RunResumed { generation, by })))
}

/// The first urgent message that a member can claim.
fn interrupt(state: &State, member: &Member, now: Timestamp) -> Option<Position> {
    let come = ClaimTurn::come(Importance::Interrupt, now);
    let mut come = member.inbox.special.range(come);
    let found = come.find(|(turn, visible_at)| {
        let message = state.messages.get(turn.accepted);
        visible_at.is_none_or(|at| at <= now)
            && message.is_some_and(|message| !message.is_past_expiry(now))
    });
    found.map(|(turn, _)| turn.accepted)
}

/// Returns the record that a suspended run goes on because it does something, unless a record after `until`
/// suspended it: that is what it does.
pub(crate) fn acting_entry(
    state: &State,
    speaker: Speaker<'_>,
    until: Position,
    cause: Option<Position>,
) -> Option<Entry> {
    let Speaker::Acting(caller, _) = speaker else {
        return None;
    };
    let member = speaker.member(state)?;
    let suspension = member.suspension.as_deref()?;
    if suspension.position > until {
        return None; // it is what suspends the run
    }
    let mut author = Author::member(state, caller, member);
    author.lineage.caused_by = cause;
    let (generation, by) = (member.generation, Some(ResumedBy::Command));
    Some(author.last_entry(Body::RunResumed(RunResumed { generation, by })))
}
