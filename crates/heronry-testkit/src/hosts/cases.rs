//! The cases: one for each thing that the rules of hosts promise.

use std::{fmt::Debug, future::Future, sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture, poll};
use heronry_host::{
    HostEnvironment, HostFault, HostedSubject, Incarnation, IncarnationEnd, Launch, MemberHost,
    Running, SpecEnvironment, StopMeans,
};
use heronry_types::{AgentId, Generation, PoolId, Position, ReadyWhen, RunId};

use super::{HostFailure, HostPlace, HostSubject, HostedPlay};

/// The result of a case.
type Checked = Result<(), HostFailure>;

/// A case of the suite.
#[derive(Clone, Copy)]
pub struct HostCase {
    name: &'static str,
    check: for<'a> fn(&'a dyn HostPlace) -> BoxFuture<'a, Checked>,
}

impl Debug for HostCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HostCase").field(&self.name).finish()
    }
}

impl HostCase {
    /// Returns the name: the port, the number of the rule, and what is promised.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Checks the case on a fresh place.
    ///
    /// # Errors
    /// [`HostFailure`] when the host does not keep the rule.
    pub fn check(&self, subject: &dyn HostSubject) -> Result<(), HostFailure> {
        let place = subject.place()?;
        subject.run((self.check)(&*place))
    }
}

macro_rules! cases {
    ($($name:ident)*) => {
        vec![$(HostCase { name: stringify!($name), check: |place| $name(place).boxed() }),*]
    };
}

/// Returns every case, in the order of the rules.
pub fn host_cases() -> Vec<HostCase> {
    cases![
        host_1_check_takes_what_can_be_started_and_refuses_what_never_can
        host_2_a_start_answers_while_it_runs
        host_2_a_start_that_failed_leaves_nothing_behind
        host_3_an_incarnation_that_runs_is_not_started_again
        host_3_an_incarnation_that_ended_is_started_again
        host_3_runs_are_started_beside_each_other
        host_4_nothing_of_a_dropped_host_runs_after_recovery
        host_4_recovery_finds_nothing_of_another_pool
        host_5_what_is_started_sees_what_it_is_given
        running_1_ended_tells_success_from_failure_and_answers_the_same_again
        running_2_ended_can_be_given_up_and_called_again
        running_2_ready_waits_for_the_first_line
        running_2_what_ends_before_it_prints_was_never_ready
        running_3_what_is_asked_ends_within_its_grace
        running_3_what_does_not_end_within_its_grace_is_killed
        running_3_what_is_killed_has_ended
        running_3_a_stop_of_what_has_ended_does_nothing
        running_4_what_is_dropped_ends_or_is_found
    ]
}

/// A grace that what ends when it is asked to never needs.
const LONG: Duration = Duration::from_secs(60);

#[expect(
    clippy::needless_pass_by_value,
    reason = "cases compare values that they made for it"
)]
fn equal<T: Debug + PartialEq>(what: &str, found: T, expected: T) -> Checked {
    if found == expected {
        return Ok(());
    }
    let text = format!("{what}: found {found:?}, expected {expected:?}");
    Err(HostFailure::new(text))
}

fn pool(name: &str) -> Result<PoolId, HostFailure> {
    PoolId::parse(name).map_err(HostFailure::new)
}

fn launch(place: &dyn HostPlace, run: &str, play: &HostedPlay) -> Result<Launch, HostFailure> {
    Ok(Launch {
        subject: HostedSubject::Member(Incarnation {
            pool: pool("suite")?,
            run: RunId::parse(run).map_err(HostFailure::new)?,
            agent: AgentId::parse("agent").map_err(HostFailure::new)?,
            generation: Generation(Position(7)),
        }),
        value: place.value(play),
        variables: SpecEnvironment::new(),
        environment: HostEnvironment::default(),
        ready: ReadyWhen::Line,
    })
}

/// A run that was started, and its host.
struct StartedPlay {
    host: Arc<dyn MemberHost>,
    running: Box<dyn Running>,
}

/// Starts a run in a host of its own.
async fn started(place: &dyn HostPlace, play: &HostedPlay) -> Result<StartedPlay, HostFailure> {
    let host = place.open()?;
    let running = host.start(launch(place, "run", play)?).await?;
    Ok(StartedPlay { host, running })
}

/// Polls a future once; `None` when it has no answer yet.
async fn once<T>(future: impl Future<Output = T> + Unpin) -> Option<T> {
    match poll!(future) {
        std::task::Poll::Ready(answer) => Some(answer),
        std::task::Poll::Pending => None,
    }
}

/// Ends everything that a host finds of the suite's pool, and checks that it finds nothing more.
async fn recover_all(host: &dyn MemberHost) -> Checked {
    for mut found in host.recover(&pool("suite")?).await? {
        found.running.kill().await?;
    }
    let left = host.recover(&pool("suite")?).await?;
    equal("what is found after all was ended", left.len(), 0)
}

async fn host_1_check_takes_what_can_be_started_and_refuses_what_never_can(
    place: &dyn HostPlace,
) -> Checked {
    let host = place.open()?;
    let taken = host.check(&place.value(&HostedPlay::Waits));
    equal("the check of what can be started", taken, Ok(()))?;
    let refused = host.check(&place.value(&HostedPlay::CannotStart));
    equal("the check was a refusal", refused.is_err(), true)?;
    let found = host.recover(&pool("suite")?).await?.len();
    equal("what runs after a check", found, 0)
}

async fn host_2_a_start_answers_while_it_runs(place: &dyn HostPlace) -> Checked {
    let StartedPlay {
        host: _host,
        mut running,
    } = started(place, &HostedPlay::Waits).await?;
    running.ready().await?;
    let end = once(running.ended()).await;
    equal("the end of what runs", end, None)?;
    running.kill().await?;
    Ok(())
}

async fn host_2_a_start_that_failed_leaves_nothing_behind(place: &dyn HostPlace) -> Checked {
    let host = place.open()?;
    let failed = host
        .start(launch(place, "run", &HostedPlay::CannotStart)?)
        .await;
    equal("the start failed", failed.is_err(), true)?;
    let found = host.recover(&pool("suite")?).await?.len();
    equal("what runs after a start that failed", found, 0)?;
    let mut running = host
        .start(launch(place, "run", &HostedPlay::Succeeds)?)
        .await?;
    equal("the end", running.ended().await, IncarnationEnd::Succeeded)
}

async fn host_3_an_incarnation_that_runs_is_not_started_again(place: &dyn HostPlace) -> Checked {
    let StartedPlay { host, mut running } = started(place, &HostedPlay::Waits).await?;
    running.ready().await?;
    let again = launch(place, "run", &HostedPlay::Succeeds)?;
    let subject = again.subject.clone();
    let refused = host.start(again).await.map(|_| ());
    equal(
        "a second start",
        refused,
        Err(HostFault::RunsAlready(subject)),
    )?;
    let end = once(running.ended()).await;
    equal("the end of the first", end, None)?;
    running.kill().await?;
    Ok(())
}

async fn host_3_an_incarnation_that_ended_is_started_again(place: &dyn HostPlace) -> Checked {
    let StartedPlay { host, mut running } = started(place, &HostedPlay::Fails).await?;
    running.ended().await;
    let mut again = host
        .start(launch(place, "run", &HostedPlay::Succeeds)?)
        .await?;
    equal("the end", again.ended().await, IncarnationEnd::Succeeded)
}

async fn host_3_runs_are_started_beside_each_other(place: &dyn HostPlace) -> Checked {
    let StartedPlay {
        host,
        running: mut first,
    } = started(place, &HostedPlay::Waits).await?;
    let mut second = host
        .start(launch(place, "other", &HostedPlay::Waits)?)
        .await?;
    first.ready().await?;
    second.ready().await?;
    first.kill().await?;
    let end = once(second.ended()).await;
    equal("the end of the other", end, None)?;
    second.kill().await?;
    Ok(())
}

async fn host_4_nothing_of_a_dropped_host_runs_after_recovery(place: &dyn HostPlace) -> Checked {
    let StartedPlay { host, mut running } = started(place, &HostedPlay::Ignores).await?;
    running.ready().await?;
    drop((running, host));
    let later = place.open()?;
    recover_all(&*later).await?;
    let mut again = later
        .start(launch(place, "run", &HostedPlay::Succeeds)?)
        .await?;
    equal("the end", again.ended().await, IncarnationEnd::Succeeded)
}

async fn host_4_recovery_finds_nothing_of_another_pool(place: &dyn HostPlace) -> Checked {
    let StartedPlay { host, mut running } = started(place, &HostedPlay::Waits).await?;
    running.ready().await?;
    let found = host.recover(&pool("other")?).await?.len();
    equal("what is found of another pool", found, 0)?;
    running.kill().await?;
    Ok(())
}

async fn host_5_what_is_started_sees_what_it_is_given(place: &dyn HostPlace) -> Checked {
    let host = place.open()?;
    for (variable, value, end) in [
        ("GIVEN", "pool", true),
        ("NAMED", "spec", true),
        ("BOTH", "pool", true),
        ("BOTH", "spec", false),
    ] {
        let mut launch = launch(place, "run", &HostedPlay::SucceedsIf { variable, value })?;
        for name in ["NAMED", "BOTH"] {
            let named = launch.variables.set(name, "spec");
            named.map_err(HostFailure::new)?;
        }
        launch.environment.set("GIVEN", "pool");
        launch.environment.set("BOTH", "pool");
        let mut running = host.start(launch).await?;
        let found = running.ended().await.is_success();
        equal(&format!("{variable} has the value {value}"), found, end)?;
    }
    Ok(())
}

async fn running_1_ended_tells_success_from_failure_and_answers_the_same_again(
    place: &dyn HostPlace,
) -> Checked {
    for (play, is_success) in [(HostedPlay::Succeeds, true), (HostedPlay::Fails, false)] {
        let StartedPlay {
            host: _host,
            mut running,
        } = started(place, &play).await?;
        let end = running.ended().await;
        equal("the success of the end", end.is_success(), is_success)?;
        equal("the end, asked again", running.ended().await, end)?;
    }
    Ok(())
}

async fn running_2_ended_can_be_given_up_and_called_again(place: &dyn HostPlace) -> Checked {
    let StartedPlay {
        host: _host,
        mut running,
    } = started(place, &HostedPlay::Waits).await?;
    for _ in 0..3 {
        equal("the end of what runs", once(running.ended()).await, None)?;
    }
    // Ready may not be known yet; giving it up is what counts.
    let _ = once(running.ready()).await;
    running.ready().await?;
    let end = running.kill().await?;
    equal("the end", running.ended().await, end)
}

async fn running_2_ready_waits_for_the_first_line(place: &dyn HostPlace) -> Checked {
    let StartedPlay {
        host: _host,
        mut running,
    } = started(place, &HostedPlay::Waits).await?;
    equal("ready", running.ready().await, Ok(()))?;
    equal("ready, asked again", running.ready().await, Ok(()))?;
    running.kill().await?;
    Ok(())
}

async fn running_2_what_ends_before_it_prints_was_never_ready(place: &dyn HostPlace) -> Checked {
    let StartedPlay {
        host: _host,
        mut running,
    } = started(place, &HostedPlay::FailsSilently).await?;
    let ready = running.ready().await;
    let end = running.ended().await;
    equal("ready", ready, Err(HostFault::EndedEarly(end)))
}

async fn running_3_what_is_asked_ends_within_its_grace(place: &dyn HostPlace) -> Checked {
    let StartedPlay { host, mut running } = started(place, &HostedPlay::Waits).await?;
    running.ready().await?;
    let stopped = running.stop(LONG).await?;
    equal("the means", stopped.means, StopMeans::Asked)?;
    equal("the end", running.ended().await, stopped.end)?;
    recover_none(&*host).await
}

async fn running_3_what_does_not_end_within_its_grace_is_killed(place: &dyn HostPlace) -> Checked {
    let StartedPlay { host, mut running } = started(place, &HostedPlay::Ignores).await?;
    running.ready().await?;
    let stopped = running.stop(Duration::from_millis(20)).await?;
    equal("the means", stopped.means, StopMeans::Killed)?;
    equal("the success", stopped.end.is_success(), false)?;
    recover_none(&*host).await
}

async fn running_3_what_is_killed_has_ended(place: &dyn HostPlace) -> Checked {
    let StartedPlay { host, mut running } = started(place, &HostedPlay::Ignores).await?;
    running.ready().await?;
    let end = running.kill().await?;
    equal("the success", end.is_success(), false)?;
    equal("the end, killed again", running.kill().await?, end)?;
    recover_none(&*host).await
}

async fn running_3_a_stop_of_what_has_ended_does_nothing(place: &dyn HostPlace) -> Checked {
    let StartedPlay {
        host: _host,
        mut running,
    } = started(place, &HostedPlay::Succeeds).await?;
    running.ended().await;
    let stopped = running.stop(LONG).await?;
    equal("the means", stopped.means, StopMeans::None)?;
    equal("the end", stopped.end, IncarnationEnd::Succeeded)
}

async fn running_4_what_is_dropped_ends_or_is_found(place: &dyn HostPlace) -> Checked {
    let StartedPlay { host, mut running } = started(place, &HostedPlay::Ignores).await?;
    running.ready().await?;
    drop(running);
    recover_all(&*host).await
}

async fn recover_none(host: &dyn MemberHost) -> Checked {
    let found = host.recover(&pool("suite")?).await?.len();
    equal("what still runs", found, 0)
}
