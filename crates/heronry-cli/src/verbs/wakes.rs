//! `heronry wakes` and `heronry explain`.

use clap::{Args, Subcommand};
use heronry_client::{ClientError, PoolClient};
use heronry_event::{FilterExplanation, WakeExplanation};
use heronry_types::{Cursor, RunId, WakeId, WakeView, counted};
use heronry_wire::{ExplainQuery, WakeList, WakeQuery, WakesQuery};

use super::members::policy_text;
use crate::{
    connect::{Context, refused},
    failure::{Exit, Outcome},
    lines::Lines,
    out::RowsPlace,
};

/// List the wakes that wait, oldest first, or end one
///
/// With a run, the list has its own wakes; without one, and with an operator's token, those of
/// every run.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  heronry --pool review wakes --field wake_id,run_id,deadline\n  \
heronry --pool review --run lead wakes end wake-7"
)]
pub(crate) struct WakesArgs {
    #[command(subcommand)]
    verb: Option<WakesVerb>,
    #[command(flatten)]
    page: PageArgs,
}

/// The verbs for wakes.
#[derive(Debug, Subcommand)]
enum WakesVerb {
    End(EndArgs),
}

/// Give a wake up: whoever waits for it is told that it was cancelled
///
/// A wake that has ended stays as it ended. An operator may name the run, and has to when two runs have
/// a wake of this id.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review --run lead wakes end wake-7")]
struct EndArgs {
    /// The wake
    wake: WakeId,
}

/// The choice of the wakes that are listed.
#[derive(Debug, Args)]
struct PageArgs {
    /// The maximum number of wakes [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only wakes that were registered after this cursor
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
}

/// Say why a wake still waits: what came close, what was in the way, and who could still bring it about
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review --run lead explain wake-7")]
pub(crate) struct ExplainArgs {
    /// The wake
    wake: WakeId,
}

pub(crate) async fn run(cx: &Context, args: &WakesArgs) -> Outcome {
    match &args.verb {
        Some(WakesVerb::End(end)) => give_up(cx, end).await,
        None => list(cx, &args.page).await,
    }
}

async fn give_up(cx: &Context, args: &EndArgs) -> Outcome {
    let query = WakeQuery {
        wait_ms: None,
        run: cx.globals.run.clone(),
    };
    let ended = cx.pool()?.cancel_wake(&args.wake, &query).await;
    let ended = ended.map_err(refused)?;
    cx.out.answer(&ended, RowsPlace::Whole, || {
        let (run, wake) = (&ended.wake.run_id, &ended.wake);
        format!(
            "{run}  {}  {} at {}",
            wake.wake_id, wake.status, wake.cursor
        )
    })?;
    Ok(Exit::Ok)
}

async fn list(cx: &Context, args: &PageArgs) -> Outcome {
    let list = pages(cx, &cx.pool()?, args).await.map_err(refused)?;
    cx.out.answer(&list, RowsPlace::Of("wakes"), || {
        list.wakes.iter().map(lines_of).collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

/// Reads one page when a limit is named, else every page.
async fn pages(cx: &Context, pool: &PoolClient, args: &PageArgs) -> Result<WakeList, ClientError> {
    let mut query = WakesQuery {
        run: cx.globals.run.clone(),
        limit: args.limit,
        after: args.after,
    };
    let mut list = pool.wakes(&query).await?;
    while args.limit.is_none() && list.next.is_some() {
        query.after = list.next.take();
        let page = pool.wakes(&query).await?;
        list.wakes.extend(page.wakes);
        (list.next, list.as_of) = (page.next, page.as_of);
    }
    Ok(list)
}

fn lines_of(wake: &WakeView) -> Lines {
    let (run, cursor) = (&wake.run_id, wake.since);
    let mut lines = Lines::of(format_args!("{run}  {}  since {cursor}", wake.wake_id));
    if let Some(deadline) = wake.deadline {
        lines.add(format_args!("  until {deadline}"));
    }
    lines
}

pub(crate) async fn explain(cx: &Context, args: &ExplainArgs) -> Outcome {
    let query = ExplainQuery {
        run: cx.globals.run.clone(),
    };
    let explained = cx.pool()?.explain_wake(&args.wake, &query).await;
    let explained = explained.map_err(refused)?;
    cx.out
        .answer(&explained, RowsPlace::Whole, || explanation(&explained))?;
    Ok(Exit::Ok)
}

fn explanation(explained: &WakeExplanation) -> Lines {
    let mut lines = Lines::of(format_args!("{} {}", explained.wake_id, explained.status));
    let events = counted(explained.events, "event");
    lines.line(format_args!("looked at {events} after {}", explained.after));
    let values = counted(explained.cost, "value");
    lines.line(format_args!("compares an event with up to {values}"));
    if explained.orphaned {
        lines.line(format_args!(
            "orphaned: no member that is there can bring it about"
        ));
    }
    if explained.suspected_deadlock.is_some() {
        lines.line(format_args!(
            "suspected deadlock: its run waits only on runs that wait on it"
        ));
    }
    if !explained.policies.is_empty() {
        let policies = explained.policies.as_slice().iter().map(policy_text);
        let policies: Vec<String> = policies.collect();
        let (run, policies) = (&explained.run_id, policies.join(", "));
        lines.line(format_args!(
            "carries what {run} has to hold as long as it waits: {policies}"
        ));
    }
    for clause in &explained.clauses {
        add_clause(&mut lines, clause);
    }
    lines
}

fn add_clause(lines: &mut Lines, clause: &FilterExplanation) {
    let (counted_events, needed) = (clause.counted, clause.needed);
    lines.line(format_args!(""));
    lines.line(format_args!("{}", clause.filter));
    lines.line(format_args!("  {counted_events} of {needed} counted"));
    if clause.early > 0 {
        lines.add(format_args!(", {} came too early", clause.early));
    }
    lines.add(format_args!(", {} came close", clause.close));
    if let Some(early) = &clause.latest_early {
        let (cursor, kind, since) = (early.cursor, early.kind, early.since);
        lines.line(format_args!(
            "  latest too early: {cursor} {kind}; a wake since {since} counts it"
        ));
    }
    for missing in &clause.missing {
        let seen: Vec<String> = missing
            .seen
            .iter()
            .map(|it| format!("{} ({})", it.value, it.events))
            .collect();
        let (events, seen) = (counted(missing.events, "event"), seen.join(", "));
        lines.line(format_args!(
            "  {events} failed only {}: {seen}",
            missing.clause
        ));
    }
    if let Some(closest) = &clause.closest {
        lines.line(format_args!(
            "  closest: {} {}",
            closest.cursor, closest.kind
        ));
        for failed in &closest.failed {
            lines.line(format_args!("    {failed}"));
        }
    }
    let runs: Vec<&str> = clause.could.runs.iter().map(RunId::as_str).collect();
    let members = counted(clause.could.count, "member");
    lines.line(format_args!(
        "  {members} could still do it: {}",
        runs.join(", ")
    ));
}
