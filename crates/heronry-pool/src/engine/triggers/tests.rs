use heronry_types::{LimitName, Limits, Millis, RunEnd};

use crate::{
    decide::{EndRun, LeavePool},
    engine::alone::{Alone, JoinedRun, letter},
};

/// So many records that are to be matched put off every trigger.
const COPIES: usize = 4_200;
const LEASE: Millis = Millis(1_000);

/// The way in which a member goes.
#[derive(Clone, Copy, Debug)]
enum Going {
    Leaves,
    Ends,
    IsLost,
}

impl Going {
    /// Returns the kinds of the events that somebody waits for, in order.
    fn events(self) -> &'static [&'static str] {
        match self {
            Self::Leaves => &["agent_pool_run_left"],
            Self::Ends => &["run_completed"],
            Self::IsLost => &["run_lost", "agent_pool_run_left"],
        }
    }

    fn go(self, alone: &mut Alone, gone: &JoinedRun) {
        let (caller, run) = (gone.caller.clone(), gone.run.clone());
        match self {
            Self::Leaves => {
                alone.ask(&LeavePool { caller, run });
            }
            Self::Ends => {
                let (end, note) = (RunEnd::Completed, None);
                alone.ask(&EndRun {
                    caller,
                    run,
                    end,
                    note,
                });
            }
            Self::IsLost => {
                let due = alone.engine.now.after(LEASE);
                alone.begin(due);
                alone.engine.tick();
                alone.append();
            }
        }
    }
}

/// A member with a wake of its own and very many copies goes, which three wakes for each of its events wait
/// for, one of them as for a count of one. Returns the engine as the append of that left it.
fn gone(going: Going) -> Alone {
    let mut limits = Limits::default();
    limits.set(LimitName::LostKeepMsMax, 0);
    let mut alone = Alone::new(limits, 64);
    let waiting = alone.join("waiting", None);
    let gone = alone.join("gone", Some(LEASE));
    for number in 0..COPIES {
        alone.send(&waiting, letter(&gone, &format!("m{number}")));
    }
    let near = r#"kind == "run_message_settled" && run != "waiting""#;
    alone.wait(&waiting, "near", near, None);
    alone.wait(&gone, "own", "terminal", None);
    for event in going.events() {
        for number in ["1", "2"] {
            let filter = format!(r#"kind == "{event}""#);
            alone.wait(&waiting, &format!("{event}-{number}"), &filter, None);
        }
        let filter = format!(r#"kind == "{event}""#);
        alone.count(&waiting, &format!("{event}-3"), 1, &filter);
    }
    alone.catch_up();
    alone.begin(alone.engine.now);
    going.go(&mut alone, &gone);
    assert!(
        alone.engine.state().members.get(&gone.run).is_none(),
        "{going:?}: it is gone"
    );
    assert!(
        alone.engine.is_far_behind(),
        "{going:?}: triggers are put off"
    );
    alone
}

/// The names of the wakes that the events of it end, sorted.
fn expected(going: Going) -> Vec<String> {
    let events = going.events().iter();
    let names = events.flat_map(|event| ["1", "2", "3"].map(|number| format!("{event}-{number}")));
    sorted(names.collect())
}

fn sorted<T: Ord>(mut names: Vec<T>) -> Vec<T> {
    names.sort();
    names
}

#[test]
fn w8_what_a_departure_with_many_copies_triggers_outlives_a_crash() {
    for going in [Going::Leaves, Going::Ends, Going::IsLost] {
        let gone = gone(going);
        let mut opened = gone.opened();
        opened.catch_up();
        assert_eq!(sorted(opened.triggered()), expected(going), "{going:?}");
    }
}

#[test]
fn w8_what_a_departure_with_many_copies_triggers_outlives_a_crash_after_every_append() {
    for going in [Going::Leaves, Going::Ends, Going::IsLost] {
        let opened = gone(going).in_slices_of(1).catch_up_through_crashes();
        assert_eq!(sorted(opened.triggered()), expected(going), "{going:?}");
    }
}

#[test]
fn w8_of_very_many_triggers_only_one_goes_before_what_is_to_be_matched() {
    for going in [Going::Leaves, Going::Ends, Going::IsLost] {
        let mut gone = gone(going);
        let said = gone.triggered().len();
        assert_eq!(said, 1, "{going:?}: it says that more follow");
        gone.catch_up();
        assert_eq!(sorted(gone.triggered()), expected(going), "{going:?}");
    }
}
