//! Keeping a job until it is done, or until something ends it before that.

use std::pin::pin;

use heronry_types::{DeclaredEntry, ReconcileStage};
use heronry_unified::{
    BuildError, MemberStatus, RunEndedBy, RunReport, UnifiedRuntime, UnifiedRuntimeBuilder,
};

use super::{reread::Rereads, screen::Screen};
use crate::{
    failure::{Exit, Failure},
    host::Host,
    signals::Signals,
};

/// The reason why `up` stopped running a job.
#[derive(Debug)]
pub(crate) enum JobEnd {
    /// Every member that the job waits for has ended.
    Done(Vec<MemberStatus>),
    /// A signal ended it before that.
    Signal(u8),
}

/// The thing that ended a job before it was done.
enum EndedBy {
    Signal(u8),
    Server(Failure),
}

/// Builds the runtime of a job, and keeps the job with it.
pub(crate) async fn keep(
    builder: UnifiedRuntimeBuilder,
    host: &Host,
    screen: &Screen,
    rereads: &mut Rereads,
) -> Result<JobEnd, Failure> {
    let (mut signals, mut again) = (Signals::listen()?, Signals::listen()?);
    let mut second = pin!(async move {
        again.next().await;
        again.next().await
    });
    let built = tokio::select! {
        built = builder.build() => built,
        number = &mut second => return Ok(JobEnd::Signal(number)),
    };
    let kept = built.map_err(|error| not_built(host, &error))?;
    if let Some(refused) = refused_join(&kept) {
        kept.shutdown().await;
        return Err(refused);
    }
    let mut ended_by = None;
    let until = async {
        let by = tokio::select! {
            number = signals.next() => EndedBy::Signal(number),
            failure = host.failed() => EndedBy::Server(failure),
        };
        if matches!(by, EndedBy::Signal(_)) {
            screen.progress("stopping; run the same command again to go on with this job");
        }
        ended_by = Some(by);
    };
    let report = tokio::select! {
        report = kept.run(until) => report,
        number = &mut second => {
            kept.kill().await;
            return Ok(JobEnd::Signal(number));
        }
        never = rereads.follow(&kept, screen) => match never {},
    };
    say_left(&report, screen);
    judge(report, ended_by, host)
}

/// Says what a shutdown could not do.
fn say_left(report: &RunReport, screen: &Screen) {
    for left in &report.shutdown.not_stopped {
        screen.progress(&format!("{} may still run: {}", left.name, left.why));
    }
    for trouble in &report.shutdown.troubles {
        screen.progress(trouble);
    }
}

fn judge(report: RunReport, by: Option<EndedBy>, host: &Host) -> Result<JobEnd, Failure> {
    // Everything fails when the store has closed; that is why, and not what is said then.
    if let Some(closed) = host.store_closed() {
        return Err(closed);
    }
    match (by, report.ended_by) {
        (Some(EndedBy::Server(failure)), _) => Err(failure),
        (Some(EndedBy::Signal(number)), _) => Ok(JobEnd::Signal(number)),
        (None, RunEndedBy::Done) => Ok(JobEnd::Done(report.members)),
        (None, RunEndedBy::Fenced | RunEndedBy::Asked) => {
            Err(Failure::failed("another runtime took the pool of the job"))
        }
    }
}

fn not_built(host: &Host, error: &BuildError) -> Failure {
    host.store_closed()
        .unwrap_or_else(|| Failure::failed(format_args!("the job did not begin: {error}")))
}

/// Returns the refusal of a member that cannot be joined at all.
fn refused_join(kept: &UnifiedRuntime) -> Option<Failure> {
    let report = kept.bootstrap_report();
    let refused = report
        .failures
        .into_iter()
        .find(|failure| failure.stage == ReconcileStage::Join && failure.kind == "rejected")?;
    let of = match refused.of {
        DeclaredEntry::Run(run) => run.to_string(),
        other @ (DeclaredEntry::Module(_)
        | DeclaredEntry::Edge(_)
        | DeclaredEntry::Alias { .. }) => {
            format!("{other:?}")
        }
    };
    Some(Failure::new(
        Exit::Refused,
        format_args!("{of} cannot join: {}", refused.message),
    ))
}
