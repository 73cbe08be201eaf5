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
