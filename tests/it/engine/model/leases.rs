//! The steps of a history that are about leases.

use heronry_pool::Caller;
use heronry_pool::{
    Done,
    decide::{ChangeMember, Heartbeat},
};
use heronry_runtime::CallError;
use heronry_tests::World;
use heronry_types::Millis;

use super::{
    play::{Play, check_barred},
    steps::Who,
};

impl Play {
    pub(super) async fn heartbeat(&mut self, who: Who) {
        // What is due already is recorded by whatever comes next.
        self.catch_up().await;
        self.settle_scans().await;
        let caller = self.caller(who);
        let run = World::run_of(&caller);
        let head = self.pool().head().position;
        let was_lost = self.ledger.is_lost(&run);
        let heartbeat = Heartbeat {
            caller: caller.clone(),
            run: run.clone(),
        };
        let answer = self.pool().call(heartbeat).await;
        let barred = self.barred(&caller);
        check_barred(&answer, barred.as_ref());
        self.read().await;
        let is_back = was_lost && barred.is_none();
        let records = self.ledger.head().0 - head.0;
        assert!(is_back || records == 0, "a heartbeat is not recorded");
        assert!(
            barred.is_some() || !self.ledger.is_lost(&run),
            "it is heard of"
        );
    }

    pub(super) async fn lease(&mut self, who: Who, seconds: u64) {
        let caller = self.caller(who);
        let answer = self.lease_of(&caller, seconds).await;
        check_barred(&answer, self.barred(&caller).as_ref());
    }

    pub(super) async fn lease_of(&self, caller: &Caller, seconds: u64) -> Result<Done, CallError> {
        let change = ChangeMember {
            caller: caller.clone(),
            run: World::run_of(caller),
            topics: None,
            lease: Some(Millis::from_secs(seconds)),
        };
        self.pool().call(change).await
    }
}
