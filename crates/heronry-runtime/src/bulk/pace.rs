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
mod tests {
    use super::*;

    /// A pace, its time, and the appends of a pool.
    #[derive(Default)]
    struct PaceScene {
        pace: Pace,
        now: u64,
        appends: Appends,
    }

    fn party(run: &str) -> Party {
        let (pool, run) = ("p".parse().unwrap(), run.parse().unwrap());
        Party::Member { pool, run }
    }

    fn asker(run: &str) -> Askers {
        Askers::One(party(run))
    }

    impl PaceScene {
        /// Begins a piece that fills a window.
        fn begin(&mut self, number: Number, run: &str) -> Result<(), Later> {
            self.begin_light(number, run, WINDOW_BYTES)
        }

        /// Begins a piece of a weight.
        fn begin_light(&mut self, number: Number, run: &str, weight: u64) -> Result<(), Later> {
            let party = party(run);
            let request = BulkRequest { party, weight };
            self.pace.begin(number, &request, Millis(self.now))
        }

        /// Begins and ends a piece of so many milliseconds.
        fn piece(&mut self, number: Number, run: &str, took: u64) {
            self.begin(number, run).unwrap();
            let began = self.now;
            self.now += took;
            self.pace.end(Millis(began), Millis(self.now));
        }

        /// Notes appends for somebody; counts how often one says that a piece may be due.
        fn appends(&mut self, of: &Askers, count: u32) -> usize {
            let now = Millis(self.now);
            let mut due = 0;
            for _ in 0..count {
                let may_be_due = self.pace.appended(of, now, &mut self.appends);
                due += usize::from(may_be_due);
            }
            due
        }

        /// Counts the appends of others before a piece is begun; four of them take a millisecond.
        fn appends_before(&mut self, number: Number, run: &str, others: &Askers) -> u32 {
            let mut count = 0;
            while self.begin(number, run).is_err() {
                count += 1;
                self.now += u64::from(count % 4 == 1);
                let may_be_due = self.appends(others, 1) == 1;
                assert_eq!(may_be_due, count == APPENDS_BETWEEN);
            }
            count
        }
    }

    #[test]
    fn who_is_alone_waits_for_nothing_whatever_it_asks_for_itself() {
        let mut scene = PaceScene::default();
        for _ in 0..10 {
            let number = scene.pace.number();
            scene.piece(number, "importer", 50);
            scene.appends(&asker("importer"), 3);
        }
    }

    #[test]
    fn two_who_ask_for_nothing_but_bulk_do_not_wait_for_each_other() {
        let mut scene = PaceScene::default();
        let (one, other) = (scene.pace.number(), scene.pace.number());
        scene.begin(one, "one").unwrap();
        scene.now += 5;
        scene.begin(other, "other").unwrap();
    }

    #[test]
    fn beside_others_one_piece_comes_for_so_many_of_their_appends() {
        let mut scene = PaceScene::default();
        let (number, others) = (scene.pace.number(), asker("bystander"));
        scene.piece(number, "importer", 4);
        scene.pace.asked(&others, Millis(scene.now));
        for _ in 0..4 {
            assert_eq!(
                scene.appends_before(number, "importer", &others),
                APPENDS_BETWEEN
            );
            let began = Millis(scene.now);
            scene.now += 4;
            scene.pace.end(began, Millis(scene.now));
        }
    }

    #[test]
    fn fast_appends_let_bulk_have_a_share_of_a_17th_at_the_most() {
        let mut scene = PaceScene::default();
        let (number, others) = (scene.pace.number(), asker("bystander"));
        scene.appends(&others, 1);
        scene.piece(number, "importer", 10);
        scene.appends(&others, 100 * APPENDS_BETWEEN);
        let ended = scene.now;
        scene.now += 10 * REST_MIN - 1;
        scene.appends(&others, 1);
        assert_eq!(
            scene.begin(number, "importer"),
            Err(Later(Millis(ended + 10 * REST_MIN)))
        );
        scene.now += 1;
        scene.begin(number, "importer").unwrap();
    }

    /// Checks the rest after a piece that took so long, beside somebody who asks every millisecond.
    fn check_rest(took: u64, rest: u64) {
        let mut scene = PaceScene::default();
        let (number, others) = (scene.pace.number(), asker("bystander"));
        scene.pace.asked(&others, Millis(0));
        scene.piece(number, "importer", took);
        let ended = scene.now;
        loop {
            scene.pace.asked(&others, Millis(scene.now));
            if scene.begin(number, "importer").is_ok() {
                break;
            }
            scene.now += 1;
        }
        assert_eq!(scene.now - ended, rest);
    }

    #[test]
    fn bulk_has_its_share_however_few_appends_others_make() {
        check_rest(1, REST_MAX);
        check_rest(3, 3 * REST_MAX);
        check_rest(60, REST_LIMIT.0);
        check_rest(60_000, REST_LIMIT.0);
    }

    #[test]
    fn bulk_waits_no_longer_when_the_others_are_gone() {
        let mut scene = PaceScene::default();
        let (number, others) = (scene.pace.number(), asker("bystander"));
        scene.appends(&others, 1);
        scene.piece(number, "importer", 5);
        scene.appends(&others, 1);
        let gone = Later(Millis(scene.now + GONE_AFTER.0));
        assert_eq!(scene.begin(number, "importer"), Err(gone));
        // Its own requests keep nobody there.
        scene.now += GONE_AFTER.0 - 1;
        scene.appends(&asker("importer"), 1);
        assert_eq!(scene.begin(number, "importer"), Err(gone));
        scene.now += 1;
        scene.begin(number, "importer").unwrap();
    }

    #[test]
    fn pieces_that_fill_a_window_are_begun_one_at_a_time_as_they_were_asked_for() {
        let mut scene = PaceScene::default();
        let mut numbers: Vec<_> = (0..3).map(|_| scene.pace.number()).collect();
        scene.appends(&Askers::Several, 1);
        scene.piece(numbers[0], "a", 1);
        numbers[0] = scene.pace.number();
        for number in [1, 2, 0] {
            scene.begin(numbers[number], "a").unwrap_err();
        }
        for next in [1, 2, 0] {
            scene.now += REST_MAX;
            scene.appends(&Askers::Several, 1);
            for other in (0..3).filter(|other| *other != next) {
                scene.begin(numbers[other], "a").unwrap_err();
            }
            scene.begin(numbers[next], "a").unwrap();
            numbers[next] = scene.pace.number();
            scene.pace.end(Millis(scene.now - 1), Millis(scene.now));
        }
    }

    #[test]
    fn pieces_that_wait_are_begun_together_up_to_a_window_and_in_their_order() {
        const WEIGHT: u64 = WINDOW_BYTES / 4;
        let mut scene = PaceScene::default();
        let before = scene.pace.number();
        let numbers: Vec<_> = (0..5).map(|_| scene.pace.number()).collect();
        scene.appends(&Askers::Several, 1);
        scene.piece(before, "a", 1);
        for number in &numbers[..5] {
            scene.begin_light(*number, "a", WEIGHT).unwrap_err();
        }
        scene.now += REST_MAX;
        scene.appends(&Askers::Several, 1);
        scene.begin_light(numbers[1], "a", WEIGHT).unwrap_err();
        for number in &numbers[..4] {
            scene.begin_light(*number, "a", WEIGHT).unwrap();
        }
        scene.begin_light(numbers[4], "a", WEIGHT).unwrap_err();
        // The window is not larger because a piece of it has ended.
        scene.pace.end(Millis(scene.now), Millis(scene.now + 2));
        scene.begin_light(numbers[4], "a", WEIGHT).unwrap_err();
        let began = Millis(scene.now);
        scene.now += 3;
        scene.pace.asked(&Askers::Several, Millis(scene.now));
        for _ in 0..3 {
            scene.pace.end(began, Millis(scene.now));
        }
        let again = Later(Millis(scene.now + GONE_AFTER.0));
        assert_eq!(scene.begin_light(numbers[4], "a", WEIGHT), Err(again));
        scene.now += 3 * REST_MAX - 1;
        scene.appends(&Askers::Several, 1);
        scene.begin_light(numbers[4], "a", WEIGHT).unwrap_err();
        scene.now += 1;
        scene.begin_light(numbers[4], "a", WEIGHT).unwrap();
    }

    #[test]
    fn who_leaves_the_line_holds_up_nobody() {
        let mut scene = PaceScene::default();
        let (gone, stays) = (scene.pace.number(), scene.pace.number());
        scene.appends(&Askers::Several, 1);
        scene.piece(stays, "a", 1);
        scene.begin(gone, "b").unwrap_err();
        scene.begin(stays, "a").unwrap_err();
        scene.now += REST_MAX;
        scene.appends(&Askers::Several, 1);
        scene.begin(stays, "a").unwrap_err();
        scene.pace.leave(gone);
        scene.begin(stays, "a").unwrap();
    }

    #[test]
    fn who_steps_aside_has_the_same_place_again_and_who_asks_has_begun_nothing() {
        let mut scene = PaceScene::default();
        let before = scene.pace.number();
        let (aside, stays) = (scene.pace.number(), scene.pace.number());
        scene.appends(&Askers::Several, 1);
        scene.piece(before, "a", 1);
        scene.begin(aside, "b").unwrap_err();
        scene.begin(stays, "a").unwrap_err();
        assert!(scene.pace.leave(aside));
        scene.now += REST_MAX;
        scene.appends(&Askers::Several, 1);
        let party = party("b");
        let request = BulkRequest { party, weight: 1 };
        for _ in 0..2 {
            scene.pace.ask(aside, &request, Millis(scene.now)).unwrap();
        }
        scene.begin(stays, "a").unwrap_err();
        scene.begin(aside, "b").unwrap();
    }

    #[test]
    fn who_steps_aside_again_and_again_takes_nobodys_time() {
        let mut scene = PaceScene::default();
        let before = scene.pace.number();
        let (flaps, stands) = (scene.pace.number(), scene.pace.number());
        scene.appends(&Askers::Several, 1);
        scene.piece(before, "a", 1);
        let begun_at = (0..=2 * REST_LIMIT.0).find(|ms| {
            // Somebody who is alone begins pieces all the time, as far as the pace sees.
            scene.pace.begun += 1;
            scene.pace.ended = Millis(scene.now);
            scene.now += 1;
            scene.pace.asked(&Askers::Several, Millis(scene.now));
            let flaps_begin = ms % 2 == 0 && scene.begin(flaps, "b").is_ok();
            scene.pace.leave(flaps);
            flaps_begin || scene.begin(stands, "a").is_ok()
        });
        assert!(begun_at.is_some_and(|ms| ms <= REST_LIMIT.0 + 2));
    }

    #[test]
    fn appends_are_counted_pool_by_pool_and_of_others_alone() {
        let mut scene = PaceScene::default();
        let number = scene.pace.number();
        scene.piece(number, "importer", 1);
        let own = asker("importer");
        assert_eq!(scene.appends(&own, APPENDS_BETWEEN), 0);
        let others = asker("bystander");
        let mut of_another_pool = Appends::default();
        for _ in 1..APPENDS_BETWEEN {
            let now = Millis(scene.now);
            let pace = &mut scene.pace;
            assert!(!pace.appended(&others, now, &mut of_another_pool));
            assert!(!pace.appended(&others, now, &mut scene.appends));
        }
        assert_eq!(scene.appends(&others, 1), 1);
    }

    #[test]
    fn who_asks_for_little_and_for_bulk_starves_nobody_that_stands_in_the_line() {
        let mut scene = PaceScene::default();
        let (passes, stands) = (scene.pace.number(), scene.pace.number());
        let both = asker("both");
        scene.appends(&both, 1);
        // Who is alone but for itself begins a piece every 50 ms, and asks for little every millisecond.
        let begun_at = (0..=REST_LIMIT.0).find(|ms| {
            if ms % 50 == 0 {
                scene.piece(passes, "both", 2);
            }
            scene.now += 1;
            scene.appends(&both, 1);
            scene.begin_light(stands, "other", 20_000).is_ok()
        });
        assert!(begun_at.is_some(), "not begun after {} ms", scene.now);
    }
}
