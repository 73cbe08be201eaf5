//! The steps of a history that are about inboxes.

use heronry_journal::Claim;
use heronry_pool::{
    Caller, Done, Rejection,
    decide::{ClaimSet, ExtendClaims, ReplayCopy},
};
use heronry_runtime::CallError;
use heronry_tests::{World, run};
use heronry_types::{CopyState, Millis};

use super::{
    play::{INBOX_DEPTH, Play, acting, check_barred},
    steps::{By, RUNS, Who},
};

impl Play {
    pub(super) async fn receive(&mut self, who: Who, id: u8, max: u64) {
        self.catch_up().await;
        let (caller, name) = (self.caller(who), run(RUNS[who.run]));
        let expected = self.ledger.claimable_by(&name, self.now());
        let fetch = World::fetch(&caller, &format!("receive-{id}"), max);
        let answer = self.pool().receive(fetch, Millis(0)).await;
        check_barred(&answer, self.barred(&caller).as_ref());
        let Ok(received) = answer else { return };
        let claims = World::claims(&received);
        let again: Vec<(usize, Claim)> = claims.iter().map(|claim| (who.run, *claim)).collect();
        if claims
            .first()
            .is_some_and(|_| self.claims.contains(&again[0]))
        {
            let held = |claim: &Claim| self.ledger.held_until(&name, *claim).is_some();
            assert!(claims.iter().all(held), "a repeat returns what is held");
            return;
        }
        let count = expected.len().min(usize::try_from(max).unwrap());
        assert_eq!(World::acceptances(&received), expected[..count]);
        self.claims.extend(again);
    }

    /// Returns the run that acts on a claim, counted from the newest; the claim; and true when its
    /// owner holds it now, or has acknowledged it.
    fn claim(&self, by: By, number: usize) -> Option<(Who, Claim, bool)> {
        let (owner, claim) = *self.claims.iter().rev().nth(number)?;
        let who = acting(by, owner);
        let name = run(RUNS[who.run]);
        let until = self.ledger.held_until(&name, claim);
        let is_held = until.is_some_and(|until| until > self.now());
        Some((who, claim, is_held || self.ledger.is_acked(&name, claim)))
    }

    pub(super) async fn ack(&mut self, by: By, number: usize, set: impl FnOnce(Claim) -> ClaimSet) {
        let Some((who, claim, holds)) = self.claim(by, number) else {
            return;
        };
        let caller = self.caller(who);
        let answer = self.world().ack(self.pool(), &caller, set(claim)).await;
        if self.check_claim(answer, &caller, (claim, holds)) {
            self.read().await;
            assert!(self.ledger.is_acked(&run(RUNS[who.run]), claim));
        }
    }

    pub(super) async fn release(&mut self, by: By, number: usize, delay: u64) {
        let Some((who, claim, holds)) = self.claim(by, number) else {
            return;
        };
        let caller = self.caller(who);
        let delay = Some(Millis::from_secs(delay));
        let release = self
            .world()
            .release(self.pool(), &caller, vec![claim], delay);
        let answer = release.await;
        let max = Millis::from_secs(60);
        let is_held = self.ledger.held_until(&run(RUNS[who.run]), claim).is_some();
        let is_long = is_held && self.ledger.is_ordered(claim.accepted) && delay > Some(max);
        if is_long && holds && self.barred(&caller).is_none() {
            let error = answer.unwrap_err();
            assert_eq!(error.rejection(), Some(&Rejection::OrderedDelay { max }));
            return;
        }
        self.check_claim(answer, &caller, (claim, holds));
    }

    pub(super) async fn extend(&mut self, by: By, number: usize) {
        let Some((who, claim, holds)) = self.claim(by, number) else {
            return;
        };
        let caller = self.caller(who);
        let extend = ExtendClaims {
            caller: caller.clone(),
            run: run(RUNS[who.run]),
            claims: vec![claim],
            claim_ms: Millis::from_secs(60),
        };
        let extended = self.pool().call(extend).await;
        if let (true, Ok(extended)) = (holds, &extended) {
            let is_acked = self.ledger.is_acked(&run(RUNS[who.run]), claim);
            assert_eq!(extended.held.is_empty(), is_acked);
        }
        let answer = extended.map(|it| it.done);
        self.check_claim(answer, &caller, (claim, holds));
    }

    /// The copy of a claim is replayed when it is dead, and only then.
    pub(super) async fn replay(&mut self, by: By, number: usize) {
        self.catch_up().await;
        let Some((who, claim, _)) = self.claim(by, number) else {
            return;
        };
        let (caller, name) = (self.caller(who), run(RUNS[who.run]));
        let expected = self.barred(&caller).or_else(|| {
            let Some(standing) = self.ledger.standing(&name, claim.accepted) else {
                return Some(Rejection::DeadLetterNotFound);
            };
            let state = standing.state;
            if state != CopyState::Dead {
                return Some(Rejection::NotDead { state });
            }
            let is_over = self.ledger.is_over(claim.accepted, self.now());
            let is_full = self.ledger.is_full(&name);
            let depth = INBOX_DEPTH;
            is_over
                .then_some(Rejection::MessageOver)
                .or_else(|| is_full.then_some(Rejection::InboxFull { depth }))
        });
        let replay = ReplayCopy {
            caller,
            run: name,
            accepted: self.pool().cursor(claim.accepted),
        };
        let answer = self.pool().call(replay).await;
        check_barred(&answer, expected.as_ref());
    }

    /// A claim that does not hold its copy does nothing. Returns true when it held.
    fn check_claim(
        &self,
        answer: Result<Done, CallError>,
        caller: &Caller,
        (claim, holds): (Claim, bool),
    ) -> bool {
        let barred = self.barred(caller);
        if barred.is_some() || holds {
            check_barred(&answer, barred.as_ref());
            return barred.is_none();
        }
        let name = World::run_of(caller);
        let is_its_own = |(owner, own): &(usize, Claim)| run(RUNS[*owner]) == name && *own == claim;
        let expected = if self.claims.iter().any(is_its_own) {
            let claims = vec![claim];
            Rejection::ClaimLapsed { claims }
        } else {
            Rejection::UnknownClaim { claim }
        };
        assert_eq!(answer.unwrap_err().rejection(), Some(&expected));
        false
    }
}
