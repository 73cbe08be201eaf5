//! `heronry dead-letters`.

use clap::{Args, Subcommand};
use heronry_client::{ClientError, PoolClient};
use heronry_types::{Cursor, counted};
use heronry_wire::{DeadLetter, DeadLetterList, DeadLetterName, DeadLettersQuery};

use crate::{
    connect::{Context, refused},
    failure::{Exit, Outcome},
    lines::Lines,
    out::RowsPlace,
};

/// Look after messages that were claimed too often, or expired after a replay
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersVerb {
    List(DeadLetterListArgs),
    Replay(ReplayArgs),
}

/// List messages that were claimed too often, or expired after a replay, and are not handed over any more
///
/// With a run, the list has its own dead letters; without one, and with an operator's token, those
/// of every run.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review dead-letters list --field run_id,message_id,reason"
)]
pub(crate) struct DeadLetterListArgs {
    /// The maximum number of dead letters [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// Hand a dead letter over again: as the run's newest message, with attempts counted anew
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review --run scanner-1 dead-letters replay 5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f-42"
)]
pub(crate) struct ReplayArgs {
    /// The cursor that the list shows
    cursor: Cursor,
}

pub(crate) async fn run(cx: &Context, verb: DeadLettersVerb) -> Outcome {
    match verb {
        DeadLettersVerb::List(args) => list(cx, &args).await,
        DeadLettersVerb::Replay(args) => replay(cx, &args).await,
    }
}

async fn list(cx: &Context, args: &DeadLetterListArgs) -> Outcome {
    let list = pages(cx, &cx.pool()?, args).await.map_err(refused)?;
    cx.out.answer(&list, RowsPlace::Of("dead_letters"), || {
        list.dead_letters.iter().map(text_of).collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

/// Reads one page when a limit is named, else every page.
async fn pages(
    cx: &Context,
    pool: &PoolClient,
    args: &DeadLetterListArgs,
) -> Result<DeadLetterList, ClientError> {
    let mut query = DeadLettersQuery {
        run: cx.globals.run.clone(),
        limit: args.limit,
        ..DeadLettersQuery::default()
    };
    let mut list = pool.dead_letters(&query).await?;
    while let Some(next) = list.next.take().filter(|_| args.limit.is_none()) {
        (query.after, query.after_run) = (Some(next.cursor), Some(next.run_id));
        let page = pool.dead_letters(&query).await?;
        list.dead_letters.extend(page.dead_letters);
        (list.next, list.as_of) = (page.next, page.as_of);
    }
    Ok(list)
}

async fn replay(cx: &Context, args: &ReplayArgs) -> Outcome {
    let letter = DeadLetterName {
        cursor: args.cursor,
        run_id: cx.run()?.clone(),
    };
    let changed = cx.pool()?.replay(&letter).await.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        format!("{} replayed at {}", letter.cursor, changed.cursor)
    })?;
    Ok(Exit::Ok)
}

fn text_of(letter: &DeadLetter) -> String {
    let attempts = counted(u64::from(letter.attempt), "attempt");
    format!(
        "{}  {}  {} from {}  {} after {attempts}",
        letter.run_id, letter.cursor, letter.message_id, letter.from, letter.reason
    )
}
