//! Shares of things that last or are held: the amounts that a pool's members have, each and
//! together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_types::{LimitExceeded, LimitName, Limits, PoolId, RunId};

/// The amounts of one thing that are held, by pool and by holder.
///
/// A member has at most what the limit of a run says, and all members of a pool have together at most
/// what the limit of the pool says. Operators have as much again for themselves: what members hold
/// takes nothing from them.
#[derive(Debug)]
pub struct Shares {
    of_pool: LimitName,
    of_run: LimitName,
    held: Mutex<HashMap<PoolId, PoolShares>>,
}

#[derive(Debug, Default)]
struct PoolShares {
    operators: u64,
    members: u64,
    by_run: HashMap<RunId, u64>,
}

/// The amount that somebody holds; it is given back when this is dropped.
#[derive(Debug)]
pub struct Share {
    shares: Arc<Shares>,
    holder: Holder,
    amount: u64,
}

/// The holder of something in a pool.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The pool.
    pub pool: PoolId,
    /// The member; absent: an operator.
    pub run: Option<RunId>,
}

impl Shares {
    /// Returns nothing held yet of a thing that these limits bound.
    fn new(of_pool: LimitName, of_run: LimitName) -> Arc<Self> {
        Arc::new(Self {
            of_pool,
            of_run,
            held: Mutex::default(),
        })
    }

    /// Returns the shares of event streams.
    pub(crate) fn of_streams() -> Arc<Self> {
        let of_run = LimitName::SubscriptionsPerRunMax;
        Self::new(LimitName::SubscriptionsMax, of_run)
    }

    /// Returns the shares of calls that wait.
    pub(crate) fn of_long_polls() -> Arc<Self> {
        Self::new(LimitName::LongPollsMax, LimitName::LongPollsPerRunMax)
    }

    /// Returns the shares of bytes of large bodies, of requests and of answers.
    pub fn of_bytes() -> Arc<Self> {
        let of_run = LimitName::BytesUnderWayPerRunMax;
        Self::new(LimitName::BytesUnderWayMax, of_run)
    }

    /// A panic while the lock is held cannot leave a count half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<PoolId, PoolShares>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how much is held in a pool.
    pub fn of(&self, pool: &PoolId) -> u64 {
        self.lock().get(pool).map_or(0, PoolShares::total)
    }

    /// Returns how much is held.
    pub fn total(&self) -> u64 {
        self.lock().values().map(PoolShares::total).sum()
    }

    /// Checks that a member has no more than its share.
    ///
    /// # Errors
    /// [`LimitExceeded`] with the limit of a run.
    pub fn check_run(&self, holder: &Holder, limits: &Limits) -> Result<(), LimitExceeded> {
        let pools = self.lock();
        let held = pools.get(&holder.pool);
        let of_run = held.map_or(0, |held| held.of(holder.run.as_ref()).of_run);
        within(limits, self.of_run, of_run, 0)
    }

    /// Takes so much for somebody, whatever is left.
    pub fn take_anyway(self: &Arc<Self>, holder: &Holder, amount: u64) -> Share {
        let mut pools = self.lock();
        let held = pools.entry(holder.pool.clone()).or_default();
        held.change(holder.run.as_ref(), |count| count + amount);
        Share {
            shares: Arc::clone(self),
            holder: holder.clone(),
            amount,
        }
    }

    /// Takes so much for somebody.
    ///
    /// # Errors
    /// [`LimitExceeded`] with the limit that is crossed; nothing is taken then.
    pub fn take(
        self: &Arc<Self>,
        holder: &Holder,
        limits: &Limits,
        amount: u64,
    ) -> Result<Share, LimitExceeded> {
        let mut share = Share {
            shares: Arc::clone(self),
            holder: holder.clone(),
            amount: 0,
        };
        share.grow(limits, amount)?;
        Ok(share)
    }
}

impl Share {
    /// Takes so much more for its holder.
    ///
    /// # Errors
    /// [`LimitExceeded`] with the limit that is crossed; nothing is taken then.
    pub fn grow(&mut self, limits: &Limits, more: u64) -> Result<(), LimitExceeded> {
        let mut pools = self.shares.lock();
        let held = pools.entry(self.holder.pool.clone()).or_default();
        let present = held.of(self.holder.run.as_ref());
        let (of_run, of_pool) = (self.shares.of_run, self.shares.of_pool);
        let checked = match self.holder.run {
            Some(_) => within(limits, of_run, present.of_run, more),
            None => Ok(()),
        };
        let checked = checked.and_then(|()| within(limits, of_pool, present.of_lane, more));
        match checked {
            Ok(()) => {
                held.change(self.holder.run.as_ref(), |count| count + more);
                self.amount += more;
            }
            Err(_) if held.total() == 0 => drop(pools.remove(&self.holder.pool)),
            Err(_) => {}
        }
        checked
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut pools = self.shares.lock();
        let Some(held) = pools.get_mut(&self.holder.pool) else {
            return;
        };
        let less = self.amount;
        held.change(self.holder.run.as_ref(), |count| count - less);
        if held.total() == 0 {
            pools.remove(&self.holder.pool);
        }
    }
}

/// The amounts that a holder has, and that its lane has.
#[derive(Clone, Copy)]
struct Present {
    of_run: u64,
    of_lane: u64,
}

impl PoolShares {
    fn total(&self) -> u64 {
        self.operators + self.members
    }

    fn of(&self, run: Option<&RunId>) -> Present {
        let of_run = run.and_then(|run| self.by_run.get(run));
        Present {
            of_run: of_run.copied().unwrap_or(0),
            of_lane: match run {
                Some(_) => self.members,
                None => self.operators,
            },
        }
    }

    fn change(&mut self, run: Option<&RunId>, change: impl Fn(u64) -> u64) {
        let Some(run) = run else {
            self.operators = change(self.operators);
            return;
        };
        self.members = change(self.members);
        let of_run = change(self.of(Some(run)).of_run);
        if of_run == 0 {
            self.by_run.remove(run);
        } else {
            self.by_run.insert(run.clone(), of_run);
        }
    }
}

fn within(limits: &Limits, limit: LimitName, held: u64, more: u64) -> Result<(), LimitExceeded> {
    let (max, actual) = (limits.get(limit), held.saturating_add(more));
    if actual > max {
        return Err(LimitExceeded::new(limit, max, actual));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pool: &str, run: Option<&str>) -> Holder {
        Holder {
            pool: pool.parse().unwrap(),
            run: run.map(|run| run.parse().unwrap()),
        }
    }

    fn limits(of_pool: u64, of_run: u64) -> Limits {
        let mut limits = Limits::default();
        limits.set(LimitName::SubscriptionsMax, of_pool);
        limits.set(LimitName::SubscriptionsPerRunMax, of_run);
        limits
    }

    fn told(refused: Result<Share, LimitExceeded>) -> (LimitName, u64, u64) {
        let refused = refused.unwrap_err();
        (refused.limit, refused.max, refused.actual)
    }

    #[test]
    fn one_member_has_its_share_and_another_member_and_the_operator_have_theirs() {
        let (streams, limits) = (Shares::of_streams(), limits(3, 2));
        let (greedy, modest) = (holder("p", Some("greedy")), holder("p", Some("modest")));
        let operator = holder("p", None);
        let take = |holder: &Holder| streams.take(holder, &limits, 1);
        let flood = [take(&greedy).unwrap(), take(&greedy).unwrap()];
        let over = (LimitName::SubscriptionsPerRunMax, 2, 3);
        assert_eq!(told(take(&greedy)), over);
        let third = take(&modest).unwrap();
        let over = (LimitName::SubscriptionsMax, 3, 4);
        assert_eq!(told(take(&modest)), over);
        let operators: Vec<_> = (0..3).map(|_| take(&operator).unwrap()).collect();
        assert_eq!(told(take(&operator)), over);
        let elsewhere = take(&holder("q", Some("greedy"))).unwrap();
        assert_eq!((streams.of(&operator.pool), streams.total()), (6, 7));
        drop((flood, third, elsewhere));
        assert_eq!((streams.of(&operator.pool), streams.total()), (3, 3));
        drop(operators);
        assert!(streams.lock().is_empty(), "nothing is left of them");
    }

    #[test]
    fn a_share_grows_up_to_its_limit_and_a_refusal_takes_nothing() {
        let (streams, limits) = (Shares::of_streams(), limits(10, 4));
        let run = holder("p", Some("a"));
        assert!(streams.take(&run, &limits, 5).is_err());
        assert!(streams.lock().is_empty());
        let mut share = streams.take(&run, &limits, 3).unwrap();
        assert!(share.grow(&limits, 2).is_err());
        share.grow(&limits, 1).unwrap();
        assert_eq!(streams.total(), 4);
        drop(share);
        assert_eq!(streams.total(), 0);
    }
}
