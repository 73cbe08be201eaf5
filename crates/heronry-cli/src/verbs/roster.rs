//! `heronry roster`, `modules`.

mod orders;

use clap::{Args, Subcommand};
use heronry_client::{ClientError, PoolClient};
use heronry_types::{ModuleId, RunId, counted};
use heronry_wire::{ModuleEntry, ModuleList, ModulesQuery, RosterEntry, RosterList, RosterQuery};

use crate::{
    connect::{Context, refused},
    failure::{Exit, Outcome},
    lines::Lines,
    out::RowsPlace,
};

/// Look at the roster, and order what keeps it: which members should run, and how they stand
#[derive(Debug, Subcommand)]
pub(crate) enum RosterVerb {
    Show(RosterShowArgs),
    Plan(PlanArgs),
    Apply(ApplyArgs),
    Start(StartArgs),
    Stop(StopArgs),
}

/// Show the roster: its steward, its revision, and its members in order of their run ids
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review roster show --field run_id,standing,why")]
pub(crate) struct RosterShowArgs {
    /// The maximum number of members [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only members whose run id comes after this one
    #[arg(long, value_name = "RUN")]
    after: Option<RunId>,
}

/// Tell what would bring the pool to its roster: one action a line, nothing when there is nothing to do
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review.1 roster plan")]
pub(crate) struct PlanArgs {}

/// Bring the pool to its roster, and report what was done
///
/// It ends with exit code 1 when something was left undone; everything else is done.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review.1 roster apply")]
pub(crate) struct ApplyArgs {}

/// Start a member of the roster, also one that sleeps, was stopped or is broken
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review.1 roster start scanner-2")]
pub(crate) struct StartArgs {
    /// The member
    run: RunId,
}

/// Stop a member of the roster; it stays a member without a process
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review.1 roster stop scanner-2")]
pub(crate) struct StopArgs {
    /// The member
    run: RunId,
}

/// List the modules that run beside the members, and how they stand
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review modules --field module,standing")]
pub(crate) struct ModulesArgs {
    /// The maximum number of modules [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only modules whose id comes after this one
    #[arg(long, value_name = "MODULE")]
    after: Option<ModuleId>,
}

pub(crate) async fn run(cx: &Context, verb: RosterVerb) -> Outcome {
    match verb {
        RosterVerb::Show(args) => show(cx, args).await,
        RosterVerb::Plan(_) => orders::plan(cx).await,
        RosterVerb::Apply(_) => orders::apply(cx).await,
        RosterVerb::Start(args) => orders::start(cx, &args.run).await,
        RosterVerb::Stop(args) => orders::stop(cx, &args.run).await,
    }
}

async fn show(cx: &Context, args: RosterShowArgs) -> Outcome {
    let list = pages(&cx.pool()?, args).await.map_err(refused)?;
    cx.out.answer(&list, RowsPlace::Of("members"), || {
        let mut lines = Lines::of(format_args!("{}", head(&list)));
        for member in &list.members {
            lines.line(format_args!("{}", line_of(member)));
        }
        lines
    })?;
    Ok(Exit::Ok)
}

pub(crate) async fn modules(cx: &Context, args: ModulesArgs) -> Outcome {
    let list = module_pages(&cx.pool()?, args).await.map_err(refused)?;
    cx.out.answer(&list, RowsPlace::Of("modules"), || {
        list.modules.iter().map(module_line).collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

/// Reads one page when a limit is named, else every page.
async fn pages(pool: &PoolClient, args: RosterShowArgs) -> Result<RosterList, ClientError> {
    let mut query = RosterQuery {
        limit: args.limit,
        after: args.after,
    };
    let mut list = pool.roster(&query).await?;
    while args.limit.is_none() && list.next.is_some() {
        query.after = list.next.take();
        let page = pool.roster(&query).await?;
        let members = std::mem::take(&mut list.members);
        list = page;
        list.members.splice(0..0, members);
    }
    Ok(list)
}

/// Reads one page when a limit is named, else every page.
async fn module_pages(pool: &PoolClient, args: ModulesArgs) -> Result<ModuleList, ClientError> {
    let mut query = ModulesQuery {
        limit: args.limit,
        after: args.after,
    };
    let mut list = pool.modules(&query).await?;
    while args.limit.is_none() && list.next.is_some() {
        query.after = list.next.take();
        let page = pool.modules(&query).await?;
        list.modules.extend(page.modules);
        (list.next, list.as_of) = (page.next, page.as_of);
    }
    Ok(list)
}

/// Returns the line about the roster as a whole.
fn head(list: &RosterList) -> String {
    let steward = match &list.steward {
        Some(steward) => format!("kept by {} as {}", steward.instance, steward.token),
        None => "kept by nobody".to_owned(),
    };
    let failed = list.reconciled.as_ref().map(|last| last.counts.failed);
    let reconciled = match failed {
        Some(0) => "  reconciled".to_owned(),
        Some(failed) => format!("  reconciled, {}", counted(failed, "failure")),
        None => String::new(),
    };
    let held = match list.not_applied_since {
        Some(at) => format!("  not applied since {at}"),
        None => String::new(),
    };
    format!("revision {}  {steward}{reconciled}{held}", list.revision)
}

fn line_of(member: &RosterEntry) -> String {
    let mut line = format!("{}  ", member.run_id);
    match member.standing {
        Some(standing) => line.push_str(&standing.to_string()),
        None => line.push_str("not started"),
    }
    line.extend(member.why.iter().map(|why| format!(": {why}")));
    line.extend([format!("  {}", member.layer)]);
    if let Some(generation) = member.generation {
        line.extend([format!("  generation {generation}")]);
    }
    let value = |name| member.labels.value(name).unwrap_or_default();
    let labels = member.labels.names();
    line.extend(labels.map(|name| format!("  {name}={}", value(name))));
    line
}

fn module_line(module: &ModuleEntry) -> String {
    let why = module.why.iter().map(|why| format!(": {why}"));
    let why: String = why.collect();
    format!("{}  {}{why}", module.module, module.standing)
}
