//! Commands of scenarios about wakes, effects and reported events.

use heronry_pool::decide::{
    AppendEvents, AttemptEffect, CancelWake, FindWake, IntendEffect, ListEffects, ListWakes,
    RegisterWake, ReportEffect, SumUp, Suspending, WakeEvents, WakeRequest,
};
use heronry_types::{EffectResult, NewEvent, Since};

use super::{
    Event, Scenario, Step, Wait,
    answers::{self, REPEATED},
    notation::{Lasts, id, policies},
    record_text::list,
};

impl Scenario {
    fn wake_request(&self, run: &str, wait: &Wait) -> WakeRequest {
        let mut request = WakeRequest::new(wait.condition.clone(), id(&wait.key));
        request.wake_id = wait.id.as_deref().map(id);
        request.since = match wait.since.as_str() {
            "start" => Since::Start,
            "head" => Since::Head,
            cursor => Since::Cursor(self.cursor(cursor)),
        };
        request.timeout = wait.timeout;
        request.resume_with = wait.resume_with;
        if wait.includes_wakes {
            request.wake_events = WakeEvents::Include;
        }
        request.suspending = wait.lasts.map(|lasts| {
            let mut suspending = match lasts {
                Lasts::Timeout => Suspending::until_timeout(),
                Lasts::Forever => Suspending::forever(),
            };
            suspending.release = self.claims_of(run, &wait.release);
            suspending
        });
        request.policies = policies(&wait.policies);
        request
    }

    pub(crate) fn wait(&mut self, by: &str, wait: &Wait) -> Step {
        let (caller, run) = self.speaker(by);
        let request = self.wake_request(run.as_str(), wait);
        let register = RegisterWake::new(caller, run, request);
        self.step(&register, |it| {
            let repeated = if it.repeated { REPEATED } else { "" };
            format!("{}{repeated}", answers::wake(&it.wake))
        })
    }

    pub(crate) fn cancel_wake(&mut self, by: &str, wake: &str) -> Step {
        let (caller, run) = self.speaker(by);
        let cancel = CancelWake {
            caller,
            run,
            wake_id: id(wake),
        };
        self.step(&cancel, |it| answers::wake(&it))
    }

    /// Asks where a wake stands; `operator` names no run.
    pub(crate) fn wake(&mut self, by: &str, wake: &str) -> Step {
        let (caller, run) = self.speaker(by);
        let find = FindWake {
            caller,
            run: (by != "operator").then_some(run),
            wake_id: id(wake),
        };
        self.step(&find, |it| answers::wake(&it))
    }

    pub(crate) fn wakes(&mut self, by: &str, after: Option<&str>, max: u64) -> Step {
        let (caller, run) = self.speaker(by);
        let wakes = ListWakes {
            caller,
            run: (by != "operator").then_some(run),
            after: after.map(|cursor| self.cursor(cursor)),
            max,
        };
        self.step(&wakes, |it| {
            let next = it.next.map(|at| format!(" next {}", at.position));
            format!(
                "{}{}",
                list(it.wakes.iter().map(answers::wake)),
                next.unwrap_or_default()
            )
        })
    }

    pub(crate) fn sum_up(&mut self, by: &str, wake: &str) -> Step {
        let (caller, run) = self.speaker(by);
        let sum_up = SumUp {
            caller,
            run,
            wake_id: id(wake),
        };
        self.step(&sum_up, |it| list(it.iter().map(ToString::to_string)))
    }

    pub(crate) fn intend(&mut self, by: &str, what: &str, key: Option<&str>) -> Step {
        let (caller, run) = self.speaker(by);
        let intend = IntendEffect::new(caller, run, what.to_owned(), key.map(id));
        self.step(&intend, |it| {
            let repeated = if it.repeated { REPEATED } else { "" };
            format!("{}{repeated}", answers::effect(&it.effect))
        })
    }

    pub(crate) fn attempt(&mut self, by: &str, effect: &str, after: u32) -> Step {
        let (caller, run) = self.speaker(by);
        let attempt = AttemptEffect {
            caller,
            run,
            effect: self.cursor(effect),
            after,
        };
        self.step(&attempt, |it| answers::effect(&it))
    }

    /// Reports the result of an attempt; `operator` names no run.
    pub(crate) fn report(
        &mut self,
        by: &str,
        (effect, attempt): (&str, Option<u32>),
        result: EffectResult,
    ) -> Step {
        let (caller, run) = self.speaker(by);
        let report = ReportEffect {
            caller,
            run: (by != "operator").then_some(run),
            effect: self.cursor(effect),
            attempt,
            result,
        };
        self.step(&report, |it| answers::report(&it))
    }

    pub(crate) fn effects(&mut self, by: &str, after: Option<&str>, max: u64) -> Step {
        let (caller, run) = self.speaker(by);
        let effects = ListEffects {
            caller,
            run: (by != "operator").then_some(run),
            after: after.map(|cursor| self.cursor(cursor)),
            max,
        };
        self.step(&effects, |it| {
            let next = it.next.map(|at| format!(" next {}", at.position));
            format!(
                "{}{}",
                list(it.effects.iter().map(answers::effect)),
                next.unwrap_or_default()
            )
        })
    }

    pub(super) fn reported(&self, event: Event) -> NewEvent {
        let causal = event.causal.split_whitespace();
        let causal = causal.map(|cursor| self.cursor(cursor)).collect();
        let caused_by = event.caused_by.map(|cursor| self.cursor(&cursor));
        NewEvent {
            caused_by,
            causal,
            ..event.reported
        }
    }

    pub(crate) fn report_events(&mut self, by: &str, key: &str, events: Vec<Event>) -> Step {
        let (caller, run) = self.speaker(by);
        let events = events.into_iter().map(|event| self.reported(event));
        let events = events.collect();
        let append = AppendEvents::new(caller, run, events, id(key));
        self.step(&append, |it| answers::appended(&it))
    }
}
