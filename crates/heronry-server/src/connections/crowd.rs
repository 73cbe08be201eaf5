//! The owners of the open connections: nobody yet, a member, or an operator.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_runtime::Party;
use heronry_wire::{Problem, ProblemKind};

use super::ConnectionLimits;
use crate::problems::ProblemAnswer;

/// The owners of the open connections.
///
/// A connection belongs to nobody until a request of it shows a token that is believed. Such ones have a
/// share of all places, each member has one, and the members together leave some to operators.
#[derive(Debug)]
pub(crate) struct Crowd {
    limits: ConnectionLimits,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    strangers: u32,
    members: u32,
    by_member: HashMap<Party, u32>,
}

/// One open connection; it is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Guest {
    crowd: Arc<Crowd>,
    /// The caller whose token was shown on the connection; `None` before that.
    party: Mutex<Option<Party>>,
}

/// A share of the connections that is all taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Full {
    /// The share's name.
    pub(crate) limit: &'static str,
    /// The number of connections of the share.
    pub(crate) max: u32,
}

impl Full {
    /// Refuses a connection.
    pub(crate) fn refusal(self) -> ProblemAnswer {
        let Self { limit, max } = self;
        let detail = format!("{limit} is {max}, and so many are open; close some, or try again");
        let problem = Problem::new(ProblemKind::TooManyConnections, detail);
        ProblemAnswer(
            problem
                .with("limit", limit)
                .with("max", max)
                .with("retry_after_ms", 1_000),
        )
    }
}

impl Crowd {
    /// Returns nobody yet.
    pub(crate) fn new(limits: ConnectionLimits) -> Arc<Self> {
        let counts = Mutex::default();
        Arc::new(Self { limits, counts })
    }

    /// A panic while the lock is held cannot leave a count half changed.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a connection on which nobody has shown a token.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Guest, Full> {
        let max = self.limits.strangers_max();
        let mut counts = self.lock();
        if counts.strangers >= max {
            let limit = "connections_without_token_max";
            return Err(Full { limit, max });
        }
        counts.strangers += 1;
        Ok(Guest {
            crowd: Arc::clone(self),
            party: Mutex::default(),
        })
    }
}

impl Guest {
    /// Says whose connection it is, now that somebody has shown a token on it.
    pub(crate) fn is_of(&self, party: &Party) -> Result<(), Full> {
        let mut present = self.party.lock().unwrap_or_else(PoisonError::into_inner);
        if present.as_ref() == Some(party) {
            return Ok(());
        }
        let mut counts = self.crowd.lock();
        counts.add(party, &self.crowd.limits)?;
        counts.remove(present.as_ref());
        *present = Some(party.clone());
        Ok(())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let party = self.party.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.crowd.lock().remove(party.as_ref());
    }
}

impl Counts {
    fn add(&mut self, party: &Party, limits: &ConnectionLimits) -> Result<(), Full> {
        if *party == Party::Operator {
            return Ok(());
        }
        let of_member = self.by_member.get(party).copied().unwrap_or(0);
        for (limit, count, max) in [
            (
                "connections_per_run_max",
                of_member,
                limits.per_member_max(),
            ),
            (
                "connections_of_members_max",
                self.members,
                limits.members_max(),
            ),
        ] {
            if count >= max {
                return Err(Full { limit, max });
            }
        }
        self.members += 1;
        self.by_member.insert(party.clone(), of_member + 1);
        Ok(())
    }

    fn remove(&mut self, party: Option<&Party>) {
        match party {
            None => self.strangers -= 1,
            Some(Party::Operator) => {}
            Some(member @ Party::Member { .. }) => {
                self.members -= 1;
                let of_member = self.by_member.get(member).copied().unwrap_or(0);
                if of_member > 1 {
                    self.by_member.insert(member.clone(), of_member - 1);
                } else {
                    self.by_member.remove(member);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(connections_max: u32) -> Arc<Crowd> {
        Crowd::new(ConnectionLimits {
            connections_max,
            ..ConnectionLimits::default()
        })
    }

    fn member(run: &str) -> Party {
        Party::Member {
            pool: "p".parse().unwrap(),
            run: run.parse().unwrap(),
        }
    }

    /// Opens connections of somebody until that is refused.
    fn flood(crowd: &Arc<Crowd>, party: &Party) -> (Vec<Guest>, Full) {
        let mut open = Vec::new();
        loop {
            let guest = crowd.enter().unwrap();
            match guest.is_of(party) {
                Ok(()) => open.push(guest),
                Err(full) => return (open, full),
            }
        }
    }

    #[test]
    fn connections_without_a_token_have_a_quarter_of_the_places_and_what_is_known_is_none_of_them()
    {
        let crowd = crowd(1_024);
        let mut strangers: Vec<_> = (0..256).map(|_| crowd.enter().unwrap()).collect();
        let limit = "connections_without_token_max";
        let full = Full { limit, max: 256 };
        assert_eq!(crowd.enter().unwrap_err(), full);
        strangers[0].is_of(&Party::Operator).unwrap();
        strangers[1].is_of(&member("a")).unwrap();
        let others = [crowd.enter().unwrap(), crowd.enter().unwrap()];
        assert_eq!(crowd.enter().unwrap_err(), full);
        drop(others);
        strangers.clear();
        let counts = crowd.lock();
        assert_eq!((counts.strangers, counts.members), (0, 0));
        assert!(counts.by_member.is_empty());
    }

    #[test]
    fn a_members_flood_leaves_places_to_another_member_and_to_the_operator() {
        let crowd = crowd(1_024);
        let (flood_of_a, full) = flood(&crowd, &member("a"));
        let limit = "connections_per_run_max";
        assert_eq!((flood_of_a.len(), full), (128, Full { limit, max: 128 }));
        let mut held = vec![flood_of_a];
        for run in ["b", "c", "d", "e"] {
            held.push(flood(&crowd, &member(run)).0);
        }
        let (few, full) = flood(&crowd, &member("f"));
        let limit = "connections_of_members_max";
        assert_eq!((few.len(), full), (704 - 5 * 128, Full { limit, max: 704 }));
        crowd.enter().unwrap().is_of(&Party::Operator).unwrap();
        drop(held);
        crowd.enter().unwrap().is_of(&member("f")).unwrap();
    }

    #[test]
    fn a_connection_is_counted_for_who_asked_last() {
        let crowd = crowd(1_024);
        let guest = crowd.enter().unwrap();
        for party in [member("a"), member("b"), Party::Operator, member("b")] {
            guest.is_of(&party).unwrap();
            guest.is_of(&party).unwrap();
        }
        let counts = crowd.lock();
        assert_eq!((counts.strangers, counts.members), (0, 1));
        assert_eq!(counts.by_member.get(&member("b")), Some(&1));
        assert_eq!(counts.by_member.len(), 1);
        drop(counts);
        drop(guest);
        assert_eq!(crowd.lock().members, 0);
    }
}
