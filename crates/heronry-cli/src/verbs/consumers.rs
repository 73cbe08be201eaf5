//! `heronry consumers`.

use clap::{Args, Subcommand};
use heronry_types::counted;
use heronry_wire::{ConsumerEntry, ConsumerState};

use crate::{
    connect::{Context, refused},
    failure::{Exit, Outcome},
    lines::Lines,
    out::RowsPlace,
};

/// Look after named consumers: durable places of those who read events
#[derive(Debug, Subcommand)]
pub(crate) enum ConsumersVerb {
    List(ConsumerListArgs),
    Resume(ConsumerResumeArgs),
    Forget(ConsumerForgetArgs),
}

/// List the consumers of a pool, with their lag and who holds them
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review consumers list --field name,lag,state,committed_at"
)]
pub(crate) struct ConsumerListArgs {}

/// Let an export of the server go on that stopped at a refusal
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review consumers resume audit")]
pub(crate) struct ConsumerResumeArgs {
    /// The consumer, as the list shows it
    name: String,
}

/// Forget a consumer, with its cursor and what it made of events in the store
///
/// Whoever holds it commits no more. A consumer that comes under the same name begins anew.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review consumers forget audit")]
pub(crate) struct ConsumerForgetArgs {
    /// The consumer, as the list shows it
    name: String,
}

pub(crate) async fn run(cx: &Context, verb: ConsumersVerb) -> Outcome {
    match verb {
        ConsumersVerb::List(ConsumerListArgs {}) => list(cx).await,
        ConsumersVerb::Resume(args) => resume(cx, &args).await,
        ConsumersVerb::Forget(args) => forget(cx, &args).await,
    }
}

async fn list(cx: &Context) -> Outcome {
    let list = cx.pool()?.consumers().await.map_err(refused)?;
    cx.out.answer(&list, RowsPlace::Of("consumers"), || {
        list.consumers.iter().map(text_of).collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

async fn resume(cx: &Context, args: &ConsumerResumeArgs) -> Outcome {
    let resumed = cx.pool()?.resume_consumer(&args.name).await;
    let resumed = resumed.map_err(refused)?;
    cx.out.answer(&resumed, RowsPlace::Whole, || {
        if resumed.resumed {
            format!("{} goes on", args.name)
        } else {
            format!("{} is not parked", args.name)
        }
    })?;
    Ok(Exit::Ok)
}

async fn forget(cx: &Context, args: &ConsumerForgetArgs) -> Outcome {
    let forgotten = cx.pool()?.forget_consumer(&args.name).await;
    let forgotten = forgotten.map_err(refused)?;
    cx.out.answer(&forgotten, RowsPlace::Whole, || {
        format!("{} is forgotten", forgotten.name)
    })?;
    Ok(Exit::Ok)
}

pub(super) fn text_of(consumer: &ConsumerEntry) -> String {
    let lag = consumer.lag.map_or_else(
        || "not of this journal".to_owned(),
        |lag| format!("{} behind", counted(lag, "record")),
    );
    let state = match (consumer.state, &consumer.why) {
        (ConsumerState::Idle, _) => "idle".to_owned(),
        (ConsumerState::Held, _) => "held".to_owned(),
        (ConsumerState::Parked, None) => "parked".to_owned(),
        (ConsumerState::Parked, Some(why)) => format!("parked: {why}"),
    };
    let committed = consumer.committed_at.map_or_else(
        || "never".to_owned(),
        |committed_at| committed_at.to_string(),
    );
    let (name, cursor) = (&consumer.name, consumer.cursor);
    format!("{name}  {cursor}  {lag}  {state}  committed {committed}")
}
