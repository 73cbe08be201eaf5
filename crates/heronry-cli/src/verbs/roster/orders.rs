//! Orders to the runtime that keeps a pool.

use heronry_types::{RunId, counted};
use heronry_wire::{MemberOrdered, ReconcileAnswer, ReconcileOutcome, ReconcileRequest};

use crate::{
    connect::{Context, refused},
    failure::{Exit, Failure, Outcome},
    lines::Lines,
    out::RowsPlace,
};

/// Tells the actions of a reconcile.
pub(super) async fn plan(cx: &Context) -> Outcome {
    let asked = ReconcileRequest { plan: true };
    let answer = cx.pool()?.reconcile(&asked).await.map_err(refused)?;
    cx.out.answer(&answer, RowsPlace::Whole, || {
        let actions = answer.actions.iter().flatten();
        actions.cloned().collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

/// Brings the pool to its roster.
pub(super) async fn apply(cx: &Context) -> Outcome {
    let asked = ReconcileRequest::default();
    let answer = cx.pool()?.reconcile(&asked).await.map_err(refused)?;
    cx.out.answer(&answer, RowsPlace::Whole, || told(&answer))?;
    let is_complete = |report: &ReconcileOutcome| report.is_complete;
    if answer.report.as_ref().is_none_or(is_complete) {
        Ok(Exit::Ok)
    } else {
        Ok(Exit::Failed)
    }
}

/// Starts a member.
pub(super) async fn start(cx: &Context, run: &RunId) -> Outcome {
    let answer = cx.pool()?.start_member(run).await.map_err(refused)?;
    ordered(cx, &answer, "started")
}

/// Stops a member.
pub(super) async fn stop(cx: &Context, run: &RunId) -> Outcome {
    let answer = cx.pool()?.stop_member(run).await.map_err(refused)?;
    ordered(cx, &answer, "stopped")
}

fn ordered(cx: &Context, answer: &MemberOrdered, done: &str) -> Result<Exit, Failure> {
    cx.out.answer(answer, RowsPlace::Whole, || {
        Lines::of(format_args!("{} is {done}", answer.run_id))
    })?;
    Ok(Exit::Ok)
}

/// Returns the report for people: the numbers, and a line for each failure.
fn told(answer: &ReconcileAnswer) -> Lines {
    let Some(report) = &answer.report else {
        return Lines::default();
    };
    let members = &report.members;
    let numbers = [
        ("retained", members.retained),
        ("changed", members.changed),
        ("started", members.started),
        ("restarted", members.restarted),
        ("retired", members.retired),
        ("dormant", members.dormant),
    ];
    let numbers = numbers.iter().filter(|(_, number)| *number > 0);
    let numbers: Vec<String> = numbers
        .map(|(word, number)| format!("{number} {word}"))
        .collect();
    let desired = counted(members.desired, "member");
    let mut lines = Lines::of(format_args!(
        "revision {}  {desired}: {}",
        report.revision,
        numbers.join(", ")
    ));
    for failure in &report.failures {
        let (stage, why) = (failure.stage, &failure.message);
        lines.line(format_args!("failed to {stage}: {why}"));
    }
    lines
}
