//! The pace of bulk: a piece is begun so seldom that a party which asks for little hardly ever meets one.
//!
//! A party that asks for one thing after another has nothing in a queue when a piece is about to begin: its
//! next request comes a moment later, and then waits for the whole piece. So the piece waits for a while instead,
//! as long as others ask.

use std::collections::{BTreeMap, BTreeSet};

use heronry_types::{Millis, PoolId, RunId};

use crate::Party;

/// The time without a request after which a party is taken to be gone.
const GONE_AFTER: Millis = Millis(10);
/// The number of appends of one pool, for others who ask for little, before the next piece: of their
/// requests, one in so many meets a piece.
const APPENDS_BETWEEN: u32 = 512;
/// The rest after a piece however many appends come, as a multiple of the time that it took.
const REST_MIN: u64 = 16;
/// The rest after a piece however few appends come, as a multiple of the time that it took.
const REST_MAX: u64 = 256;
/// The longest rest.
const REST_LIMIT: Millis = Millis(1_000);
/// The most bytes of the pieces that are begun together beside others: the store writes them at once, and others
/// wait for them as for one body of so many bytes.
const WINDOW_BYTES: u64 = 1024 * 1024;

/// The parties that asked for little in one append.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Askers {
    /// Nobody.
    #[default]
    Nobody,
    /// One party.
    One(Party),
    /// More than one.
    Several,
}

impl Askers {
    /// Adds the party of a turn before a pool: a member's, or the operators'.
    pub(crate) fn add(&mut self, pool: &PoolId, run: Option<&RunId>) {
        match self {
            Self::Nobody => *self = Self::One(Party::of_turn(pool, run)),
            Self::One(one) if one.has_turn(pool, run) => {}
            Self::One(_) | Self::Several => *self = Self::Several,
        }
    }

    /// Returns true when somebody else is among them.
    fn are_more_than(&self, party: &Party) -> bool {
        match self {
            Self::Nobody => false,
            Self::One(one) => one != party,
            Self::Several => true,
        }
    }
}

/// The appends of one pool since the last piece was begun.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Appends {
    /// The piece since which they are counted.
    since: u64,
    count: u32,
}

/// The number of a piece in the line: lower ones go first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Number(u64);

/// A piece that was found to be the first of the line.
#[derive(Clone, Copy, Debug)]
struct First {
    /// The time at which it was found so first.
    since: Millis,
    /// The number of pieces that had begun then.
    begun: u64,
}

/// A request to begin a piece of bulk.
#[derive(Clone, Debug)]
pub(crate) struct BulkRequest {
    /// The party for which the piece is.
    pub(crate) party: Party,
    /// About how many bytes the store writes for it.
    pub(crate) weight: u64,
}

/// The time at which to ask again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Later(pub(crate) Millis);

/// The pace at which pieces of bulk are begun. Times are of a monotonic clock.
///
/// A piece is begun when nobody else has asked for little for ten milliseconds. Otherwise pieces are begun in
/// windows, in the order in which they were first asked for: the first piece of a window after 512 appends of
/// others and at least 16 times as long as the longest piece of the window before took, or after 256 times as
/// long, which is a second at the most. While pieces of a window are under way, further ones join it, up to 1 MiB
/// together. So bulk has its share whatever others do, and they have theirs.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    asked: Askers,
    asked_at: Option<Millis>,
    /// The last time that a party asked which is none of those that asked last.
    asked_before: Option<Millis>,
    under_way: usize,
    /// The weight in bytes of the pieces that were begun since none was under way.
    window: u64,
    /// The number of pieces that were begun.
    begun: u64,
    /// The party of the last piece.
    of: Option<Party>,
    /// The time that the longest piece of the window took.
    took: Millis,
    ended: Millis,
    appends: u32,
    line: BTreeSet<Number>,
    /// The pieces that were the first of the line, and are not begun.
    firsts: BTreeMap<Number, First>,
    numbers: u64,
}

impl Pace {
    /// Returns a number that is higher than every other.
    pub(crate) fn number(&mut self) -> Number {
        self.numbers += 1;
        Number(self.numbers)
    }

    /// Notes who asks for little.
    pub(crate) fn asked(&mut self, askers: &Askers, now: Millis) {
        match askers {
            Askers::Nobody => return,
            Askers::One(_) if self.asked == *askers => {}
            Askers::One(_) | Askers::Several => {
                self.asked_before = self.asked_at;
                self.asked.clone_from(askers);
            }
        }
        self.asked_at = Some(now);
    }

    /// Notes an append of a pool that answers these. Returns true when a piece that waits may be due.
    pub(crate) fn appended(&mut self, askers: &Askers, now: Millis, of_pool: &mut Appends) -> bool {
        self.asked(askers, now);
        let is_for_others = match &self.of {
            Some(party) => askers.are_more_than(party),
            None => *askers != Askers::Nobody,
        };
        if !is_for_others {
            return false;
        }
        if of_pool.since != self.begun {
            *of_pool = Appends {
                since: self.begun,
                count: 0,
            };
        }
        of_pool.count = of_pool.count.saturating_add(1);
        self.appends = self.appends.max(of_pool.count);
        self.appends == APPENDS_BETWEEN
    }

    /// Asks whether a piece may begin now; one that may not waits in the line from then on.
    ///
    /// # Errors
    /// [`Later`] when it may not.
    pub(crate) fn ask(
        &mut self,
        number: Number,
        request: &BulkRequest,
        now: Millis,
    ) -> Result<(), Later> {
        let others_go = self.others_go(&request.party).filter(|at| now < *at);
        let Some(others_go) = others_go else {
            return Ok(());
        };
        self.line.insert(number);
        let is_first = self.line.first() == Some(&number);
        if is_first && self.has_room(request.weight) {
            return Ok(());
        }
        let limit = is_first.then(|| self.limit_of_first(number, now)).flatten();
        let due = (self.under_way == 0 && is_first).then(|| self.due());
        let due = [due, limit].into_iter().flatten().min();
        if due.is_some_and(|at| at <= now) {
            return Ok(());
        }
        Err(Later(due.map_or(others_go, |at| at.min(others_go))))
    }

    /// Begins a piece, or lets it wait in the line.
    ///
    /// # Errors
    /// [`Later`] when it is not begun.
    pub(crate) fn begin(
        &mut self,
        number: Number,
        request: &BulkRequest,
        now: Millis,
    ) -> Result<(), Later> {
        self.ask(number, request, now)?;
        self.forget(number);
        if self.under_way == 0 {
            self.window = 0;
            self.took = Millis(0);
        }
        self.window = self.window.saturating_add(request.weight);
        self.under_way += 1;
        self.begun += 1;
        self.appends = 0;
        self.of = Some(request.party.clone());
        Ok(())
    }

    /// Ends a piece.
    pub(crate) fn end(&mut self, began: Millis, now: Millis) {
        self.under_way = self.under_way.saturating_sub(1);
        self.took = self.took.max(Millis(now.0.saturating_sub(began.0)));
        self.ended = now;
    }

    /// Returns true when a piece may join those that are under way.
    fn has_room(&self, weight: u64) -> bool {
        self.under_way > 0 && self.window.saturating_add(weight) <= WINDOW_BYTES
    }

    /// Returns true when something waits in the line.
    pub(crate) fn has_line(&self) -> bool {
        !self.line.is_empty()
    }

    /// Returns when the first of the line is begun at the latest, once others were begun before it: those who are
    /// alone, but for what they ask themselves, do not stand in the line.
    fn limit_of_first(&mut self, number: Number, now: Millis) -> Option<Millis> {
        let begun = self.begun;
        let first = self.firsts.entry(number);
        let first = *first.or_insert(First { since: now, begun });
        let was_passed = self.begun > first.begun;
        was_passed.then(|| Millis(first.since.0.saturating_add(REST_LIMIT.0)))
    }

    /// Leaves the line; returns whether it stood there. What asks again with its number has the same place in it.
    pub(crate) fn leave(&mut self, number: Number) -> bool {
        self.line.remove(&number)
    }

    /// Forgets a piece that is begun, or that nobody asks for any more.
    pub(crate) fn forget(&mut self, number: Number) {
        self.line.remove(&number);
        self.firsts.remove(&number);
    }

    /// Returns when everybody else is taken to be gone who asked for little; nothing when nobody did.
    fn others_go(&self, party: &Party) -> Option<Millis> {
        let asked = if self.asked.are_more_than(party) {
            self.asked_at
        } else {
            self.asked_before
        };
        asked.map(|at| Millis(at.0.saturating_add(GONE_AFTER.0)))
    }

    /// Returns when the next piece is begun beside others.
    fn due(&self) -> Millis {
        let times = if self.appends >= APPENDS_BETWEEN {
            REST_MIN
        } else {
            REST_MAX
        };
        let rest = self.took.0.saturating_mul(times).min(REST_LIMIT.0);
        Millis(self.ended.0.saturating_add(rest))
    }
}

#[cfg(test)]
mod tests;
