//! `heronry effects`.

use clap::{Args, Subcommand};
use heronry_client::{ClientError, PoolClient};
use heronry_types::{Cursor, EffectOutcome, EffectView, counted};
use heronry_wire::{EffectList, EffectsQuery, ResolveEffect};

use crate::{
    connect::{Context, refused},
    failure::{Exit, Outcome},
    lines::Lines,
    out::RowsPlace,
    text::name_of,
};

/// Look after effects that have no result
#[derive(Debug, Subcommand)]
pub(crate) enum EffectsVerb {
    List(EffectListArgs),
    Resolve(ResolveArgs),
}

/// List effects that have no result, oldest first
///
/// Nobody is left to say how `retry_safe` and `unsafe_pending` effects ended. With a run, the list
/// has its own effects; without one, and with an operator's token, those of every run.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review effects list --field effect,run_id,standing,what"
)]
pub(crate) struct EffectListArgs {
    /// The maximum number of effects [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// Say how an effect ended, after looking at what it was to do
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review effects resolve 5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f-42 succeeded --note 'seen on the site'"
)]
pub(crate) struct ResolveArgs {
    /// The effect, as the list shows it
    effect: Cursor,
    /// succeeded or failed
    #[arg(value_name = "OUTCOME", value_parser = name_of::<EffectOutcome>)]
    outcome: EffectOutcome,
    /// A short text, kept with the record
    #[arg(long)]
    note: Option<String>,
}

pub(crate) async fn run(cx: &Context, verb: EffectsVerb) -> Outcome {
    match verb {
        EffectsVerb::List(args) => list(cx, &args).await,
        EffectsVerb::Resolve(args) => resolve(cx, args).await,
    }
}

async fn list(cx: &Context, args: &EffectListArgs) -> Outcome {
    let list = pages(cx, &cx.pool()?, args).await.map_err(refused)?;
    cx.out.answer(&list, RowsPlace::Of("effects"), || {
        list.effects.iter().map(text_of).collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

/// Reads one page when a limit is named, else every page.
async fn pages(
    cx: &Context,
    pool: &PoolClient,
    args: &EffectListArgs,
) -> Result<EffectList, ClientError> {
    let mut query = EffectsQuery {
        run: cx.globals.run.clone(),
        limit: args.limit,
        after: None,
    };
    let mut list = pool.effects(&query).await?;
    while let Some(next) = list.next.take().filter(|_| args.limit.is_none()) {
        query.after = Some(next);
        let page = pool.effects(&query).await?;
        list.effects.extend(page.effects);
        (list.next, list.as_of) = (page.next, page.as_of);
    }
    Ok(list)
}

async fn resolve(cx: &Context, args: ResolveArgs) -> Outcome {
    let result = ResolveEffect {
        outcome: args.outcome,
        note: args.note,
    };
    let changed = cx.pool()?.resolve_effect(args.effect, &result).await;
    let changed = changed.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        format!("{} {} at {}", args.effect, result.outcome, changed.cursor)
    })?;
    Ok(Exit::Ok)
}

fn text_of(effect: &EffectView) -> String {
    let attempts = counted(u64::from(effect.attempts), "attempt");
    format!(
        "{}  {}  {}  {attempts}  {}",
        effect.effect, effect.run_id, effect.standing, effect.what
    )
}
