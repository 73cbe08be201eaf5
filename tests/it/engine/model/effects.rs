//! The steps of a history that do something outside: intents, attempts, results.

use heronry_pool::{
    Caller, EffectReport, Rejection,
    decide::{AttemptEffect, IntendEffect, ListEffects, ReportEffect},
};

use heronry_tests::{key, run};
use heronry_types::{Cursor, EffectFault, EffectOutcome, EffectResult, EffectStanding};

use super::{
    play::{Play, acting, check_barred, check_conflict},
    steps::{By, RUNS, Who},
};

/// The attempt that a result names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// The last one.
    Last,
    /// The one before.
    Earlier,
    /// None: it is resolved from outside, by an operator.
    Outside,
}

impl Play {
    /// Intends an effect, under a key or without.
    pub(super) async fn intend(&mut self, who: Who, under: Option<u8>) {
        let caller = self.caller(who);
        let key_text = under.map(|under| under.to_string());
        let command = IntendEffect::new(
            caller.clone(),
            run(RUNS[who.run]),
            "something outside".to_owned(),
            key_text.as_deref().map(key),
        );
        let answer = self.pool().call(command).await;
        let name = key_text.map(|text| (who.run, text));
        let before = name.as_ref().and_then(|name| self.asked.get(name)).cloned();
        match before {
            Some((said, first)) if said == "effect" => {
                let again = answer.unwrap();
                assert!(again.repeated, "under a key an effect is intended once");
                assert_eq!(again.effect.effect, first);
            }
            Some((_, first)) => check_conflict(&answer, first),
            None => {
                check_barred(&answer, self.barred(&caller).as_ref());
                let Ok(started) = answer else { return };
                assert!(!started.repeated);
                assert_eq!(started.effect.standing, EffectStanding::Pending);
                let effect = started.effect.effect;
                self.effects.push((who.run, effect));
                if let Some(name) = name {
                    self.asked.insert(name, ("effect".to_owned(), effect));
                }
            }
        }
    }

    fn effect(&self, number: usize) -> Option<(usize, Cursor)> {
        self.effects.iter().rev().nth(number).copied()
    }

    /// Attempts an effect again.
    pub(super) async fn attempt(&mut self, by: By, number: usize, of: Of) {
        let Some((owner, effect)) = self.effect(number) else {
            return;
        };
        let who = acting(by, owner);
        let caller = self.caller(who);
        let attempts = self.ledger.deed(effect.position).unwrap().attempts;
        let again = AttemptEffect {
            caller: caller.clone(),
            run: run(RUNS[who.run]),
            effect,
            after: match of {
                Of::Last | Of::Outside => attempts,
                Of::Earlier => attempts - 1,
            },
        };
        let after = again.after;
        let answer = self.pool().call(again).await;
        let deed = self.ledger.deed(effect.position).unwrap();
        let refused = self.barred(&caller).or_else(|| {
            if owner != who.run {
                Some(Rejection::EffectNotFound)
            } else if deed.done.is_some() {
                Some(Rejection::EffectFinished)
            } else if !deed.is_keyed {
                Some(Rejection::EffectUnsafe)
            } else {
                (after != attempts).then_some(Rejection::EffectStale)
            }
        });
        check_barred(&answer, refused.as_ref());
        if let Ok(view) = answer {
            assert_eq!(view.attempts, attempts + 1);
            assert_eq!(view.standing, EffectStanding::Pending);
        }
    }

    /// Says how an effect ended.
    pub(super) async fn result(&mut self, by: By, number: usize, of: Of) {
        let Some((owner, effect)) = self.effect(number) else {
            return;
        };
        let who = acting(by, owner);
        let deed = self.ledger.deed(effect.position).unwrap();
        let (attempt, caller) = match of {
            Of::Last => (Some(deed.attempts), self.caller(who)),
            Of::Earlier => (Some(deed.attempts - 1), self.caller(who)),
            Of::Outside => (None, Caller::Operator),
        };
        let is_owner = match &caller {
            Caller::Operator => true,
            Caller::Member { generation, run } => {
                *generation == deed.generation && self.ledger.generation(run) == Some(*generation)
            }
        };
        let fault = if owner != who.run {
            Some(EffectFault::Unknown)
        } else if deed.done.is_some() {
            Some(EffectFault::Finished)
        } else {
            let is_last = attempt.is_none_or(|attempt| attempt == deed.attempts);
            (!is_owner || !is_last).then_some(EffectFault::Stale)
        };
        let report = ReportEffect {
            caller,
            run: Some(run(RUNS[who.run])),
            effect,
            attempt,
            result: EffectResult {
                outcome: EffectOutcome::Succeeded,
                note: None,
            },
        };
        let answer = self.pool().call(report).await.unwrap();
        match (answer, fault) {
            (EffectReport::Completed(view, _), None) => {
                assert_eq!(view.standing, EffectStanding::Finished);
            }
            // The same result of the same attempt again.
            (EffectReport::Completed(view, done), Some(EffectFault::Finished)) => {
                assert_eq!(view.standing, EffectStanding::Finished);
                assert!(done.cursor.position <= self.pool().head().position);
            }
            (EffectReport::Refused(found, _), Some(expected)) => assert_eq!(found, expected),
            (answer, fault) => panic!("{answer:?} instead of {fault:?}"),
        }
    }

    /// Checks that the effects without a result are listed, each once.
    pub(super) async fn check_pending(&self) {
        let list = ListEffects {
            caller: Caller::Operator,
            run: None,
            after: None,
            max: 1_000,
        };
        let page = self.pool().call(list).await.unwrap();
        assert_eq!(page.effects.len(), self.ledger.pending_deeds());
        for effect in &page.effects {
            let deed = self.ledger.deed(effect.effect.position).unwrap();
            let lives_on = self.ledger.generation(&deed.run) == Some(deed.generation);
            let expected = match (lives_on, deed.is_keyed) {
                (true, _) => EffectStanding::Pending,
                (false, true) => EffectStanding::RetrySafe,
                (false, false) => EffectStanding::UnsafePending,
            };
            assert_eq!((effect.standing, deed.done), (expected, None));
            assert_eq!(effect.attempts, deed.attempts);
        }
    }
}
