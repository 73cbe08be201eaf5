//! Actions of tests on inboxes and wakes.

use heronry_journal::{Body, Claim, Record};
use heronry_pool::{
    Caller, Done, Received,
    decide::{
        AckCopies, CancelWake, ClaimSet, Command, FetchMessages, RegisterWake, ReleaseClaims,
        StateDigest, WakeRequest,
    },
};
use heronry_runtime::{CallError, Pool, StopReason};
use heronry_store::Clock;
use heronry_types::{AckOutcome, Millis, Position, WakeId, WakeView};
use tokio::task::JoinHandle;

use crate::World;

/// Returns the count that an environment variable sets, or else the usual one.
///
/// # Panics
/// Panics when the variable holds something that is no number.
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
pub fn as_many_as_asked(variable: &str, usual: usize) -> usize {
    let asked = std::env::var(variable);
    asked.map_or(usual, |asked| asked.parse().unwrap())
}

/// Lets every other task of this test go as far as it can without waiting for the store or the clock.
pub async fn let_others_run() {
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
}

/// Lets other tasks run until something holds.
///
/// # Panics
/// Panics when the condition does not come to hold.
pub async fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..10_000_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("what the test waits for does not come");
}

/// Receives in a task of its own.
pub fn receiving(
    pool: &Pool,
    fetch: FetchMessages,
    wait: Millis,
) -> JoinHandle<Result<Received, CallError>> {
    let pool = pool.clone();
    tokio::spawn(async move { pool.receive(fetch, wait).await })
}

/// Runs a command in a task of its own.
pub fn calling<C: Command + Sync>(
    pool: &Pool,
    command: C,
) -> JoinHandle<Result<C::Answer, CallError>>
where
    C::Answer: Sync,
{
    let pool = pool.clone();
    tokio::spawn(async move { pool.call(command).await })
}

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
impl World {
    /// Lets time pass while the engine runs: it is asked so often that it is never late for what is due.
    ///
    /// # Panics
    /// Panics when the pool does not answer.
    pub async fn pass(&self, pool: &Pool, span: Millis) {
        let mut left = span.0;
        while left > 0 {
            let step = left.min(2_000);
            self.clock.advance(Millis(step));
            pool.call(StateDigest).await.unwrap();
            left -= step;
        }
    }

    /// Claims at most `max` copies for a minute, without waiting.
    ///
    /// # Panics
    /// Panics when the receive is refused.
    pub async fn receive(
        &self,
        pool: &Pool,
        caller: &Caller,
        receive_id: &str,
        max: u64,
    ) -> Received {
        let fetch = Self::fetch(caller, receive_id, max);
        pool.receive(fetch, Millis(0)).await.unwrap()
    }

    /// Returns how much time has passed.
    pub fn monotonic(&self) -> Millis {
        self.clock.now().monotonic
    }

    /// Returns true when the earliest alarm that somebody waits for is this far away.
    pub fn alarm_in(&self, span: Millis) -> bool {
        self.clock.next_alarm() == Some(Millis(self.monotonic().0 + span.0))
    }

    /// Returns the claims of received copies, in order.
    ///
    /// # Panics
    /// Panics when a copy is not claimed.
    pub fn claims(received: &Received) -> Vec<Claim> {
        let claims = received.items.iter().map(|item| item.claim.unwrap().0);
        claims.collect()
    }

    /// Returns the acceptances of received copies, in order.
    pub fn acceptances(received: &Received) -> Vec<Position> {
        let items = received.items.iter();
        items.map(|item| item.cursor.position).collect()
    }

    /// Acknowledges claims as done.
    ///
    /// # Errors
    /// The refusal.
    pub async fn ack(
        &self,
        pool: &Pool,
        caller: &Caller,
        claims: ClaimSet,
    ) -> Result<Done, CallError> {
        let ack = AckCopies {
            caller: caller.clone(),
            run: Self::run_of(caller),
            claims,
            outcome: AckOutcome::Done,
            note: None,
        };
        pool.call(ack).await
    }

    /// Gives claims back.
    ///
    /// # Errors
    /// The refusal.
    pub async fn release(
        &self,
        pool: &Pool,
        caller: &Caller,
        claims: Vec<Claim>,
        delay: Option<Millis>,
    ) -> Result<Done, CallError> {
        let release = ReleaseClaims {
            caller: caller.clone(),
            run: Self::run_of(caller),
            claims,
            delay,
        };
        pool.call(release).await
    }

    /// Registers a wake.
    ///
    /// # Panics
    /// Panics when the registration is refused.
    pub async fn register(&self, pool: &Pool, caller: &Caller, request: WakeRequest) -> WakeView {
        let register = RegisterWake::new(caller.clone(), Self::run_of(caller), request);
        pool.call(register).await.unwrap().wake
    }

    /// Returns where a wake stands now.
    ///
    /// # Panics
    /// Panics when there is no such wake.
    pub async fn wake_of(&self, pool: &Pool, caller: &Caller, wake: &WakeId) -> WakeView {
        self.wake_within(pool, caller, wake, Millis(0)).await
    }

    /// Returns where a wake stands, waiting for its end.
    ///
    /// # Panics
    /// Panics when there is no such wake.
    pub async fn wake_within(
        &self,
        pool: &Pool,
        caller: &Caller,
        wake: &WakeId,
        wait: Millis,
    ) -> WakeView {
        pool.wait_wake(caller.clone(), None, wake.clone(), wait)
            .await
            .unwrap()
    }

    /// Waits until a pool has stopped; nothing that comes after is recorded.
    ///
    /// # Panics
    /// Panics when the pool goes on.
    pub async fn stopped(&self, pool: &Pool) -> StopReason {
        match pool.call(StateDigest).await {
            Err(CallError::Stopped { why, .. }) => why,
            other => panic!("the pool goes on: {other:?}"),
        }
    }

    /// Gives a wake up.
    ///
    /// # Errors
    /// The refusal.
    pub async fn cancel(
        &self,
        pool: &Pool,
        caller: &Caller,
        wake: &WakeId,
    ) -> Result<WakeView, CallError> {
        let cancel = CancelWake {
            caller: caller.clone(),
            run: Self::run_of(caller),
            wake_id: wake.clone(),
        };
        pool.call(cancel).await
    }

    /// Returns the records that ended wakes of this id.
    pub async fn ends_of(&self, pool: &Pool, wake: &WakeId) -> Vec<Record> {
        let mut records = self.records(pool).await;
        records.retain(|record| ends(&record.entry.body, wake));
        records
    }
}

fn ends(body: &Body, wake: &WakeId) -> bool {
    if let Body::WakeTriggered(body) = body {
        body.wake_id == *wake
    } else if let Body::WakeTimedOut(body) = body {
        body.wake_id == *wake
    } else if let Body::WakeCancelled(body) = body {
        body.wake_id == *wake
    } else if let Body::WakeFailed(body) = body {
        body.wake_id == *wake
    } else {
        false
    }
}
