//! The steps of a history that report from a foreign source: each run has one.

use heronry_pool::{
    Rejection,
    decide::{AppendEvents, RecordSourceGap, SourceClaim},
};
use heronry_tests::{key, run};
use heronry_types::{
    EventKind, IdempotencyKey, NewEvent, NewSourceGap, SourceGapReason, SourceId, SourcePosition,
};

use super::{
    play::{Play, check_barred},
    steps::{RUNS, Who},
};

/// Returns the source of a run.
fn source(who: Who) -> SourceId {
    SourceId::parse(format!("feed of {}", RUNS[who.run])).unwrap()
}

fn claim(who: Who) -> SourceClaim {
    SourceClaim {
        source: source(who),
        generation: None,
    }
}

fn at(kind: EventKind, number: u64) -> NewEvent {
    NewEvent {
        source_position: Some(SourcePosition::Number(number)),
        ..NewEvent::new(kind)
    }
}

impl Play {
    fn sourced_key(&mut self) -> IdempotencyKey {
        self.sourced += 1;
        key(&format!("sourced {}", self.sourced))
    }

    /// Returns true when an event of the run's source is not to be taken any more.
    fn was_taken(&self, who: Who, number: u64) -> bool {
        let last = self.ledger.last_taken(&source(who));
        last.is_some_and(|last| number <= last)
    }

    pub(super) async fn report_from(&mut self, who: Who, first: u64, count: u64) {
        let numbers = first..first + count;
        let fresh = numbers.clone().filter(|it| !self.was_taken(who, *it));
        let fresh = fresh.count() as u64;
        let events = numbers.map(|number| at(EventKind::ToolStarted, number));
        let caller = self.caller(who);
        let name = self.sourced_key();
        let append = AppendEvents::new(caller.clone(), run(RUNS[who.run]), events.collect(), name);
        let answer = self.pool().call(append.from_source(Some(claim(who)))).await;
        let barred = self.barred(&caller);
        if fresh == 0 && barred != Some(Rejection::Fenced) {
            let appended = answer.unwrap();
            assert_eq!((appended.count, appended.already_taken), (0, count));
            return;
        }
        check_barred(&answer, barred.as_ref());
        if let Ok(appended) = answer {
            let expected = (fresh, count - fresh);
            assert_eq!((appended.count, appended.already_taken), expected);
        }
    }

    pub(super) async fn miss(&mut self, who: Who, through: Option<u64>) {
        let gap = NewSourceGap {
            through: through.map(SourcePosition::Number),
            missed: Some(2),
            ..NewSourceGap::new(SourceGapReason::Lagged)
        };
        let is_known = through.is_some_and(|through| self.was_taken(who, through));
        let (caller, name) = (self.caller(who), self.sourced_key());
        let about = Some(run(RUNS[who.run]));
        let record = || {
            let (caller, gap) = (caller.clone(), gap.clone());
            RecordSourceGap::new(caller, about.clone(), claim(who), gap, name.clone())
        };
        let answer = self.pool().call(record()).await;
        check_barred(&answer, self.barred(&caller).as_ref());
        if let Ok(recorded) = answer {
            assert_eq!(recorded.repeated, is_known);
            let again = self.pool().call(record()).await.unwrap();
            assert!(again.repeated, "a repeat writes nothing");
        }
    }

    pub(super) async fn end_from(&mut self, who: Who, number: u64) {
        let (caller, name) = (self.caller(who), self.sourced_key());
        let barred = self.barred(&caller);
        let is_repeat =
            self.was_taken(who, number) || matches!(barred, Some(Rejection::RunEnded { .. }));
        let events = vec![at(EventKind::RunCompleted, number)];
        let append = AppendEvents::new(caller, run(RUNS[who.run]), events, name);
        let answer = self.pool().call(append.from_source(Some(claim(who)))).await;
        if is_repeat && barred != Some(Rejection::Fenced) {
            assert_eq!(answer.unwrap().count, 0);
            return;
        }
        check_barred(&answer, barred.as_ref());
        if let Ok(appended) = answer {
            assert_eq!((appended.count, appended.already_taken), (1, 0));
        }
    }
}
