//! `heronry inbox`, `ack`, `release`.

use clap::Args;
use heronry_client::{PoolClient, WaitPieces};
use heronry_types::{AckOutcome, Millis, ReceiveId, RunId, counted};
use heronry_wire::{Ack, ClaimName, InboxPage, InboxQuery, Item, Receive, ReleaseClaims};

use super::hold::HeldWork;
use crate::{
    connect::{Context, last_look, refused, within},
    durations,
    failure::{Exit, Failure, Outcome},
    last,
    lines::Lines,
    out::RowsPlace,
    secrets::random_name,
    text::name_of,
};

/// The longest wait of one request; a longer wait is several requests under the same receive id.
pub(super) const POLL: Millis = Millis(40_000);

/// Claim messages that were sent to a run, or look at them
#[derive(Debug, Args)]
#[command(
    after_help = "With --keep the claims are held longer again and again, each time for --claim-for, so that work may \
take its time; when the command is killed they lapse after that time at the most. It ends with 0 when all \
was acknowledged, and with 3 when something was given back or has lapsed.\n\n\
Example:\n  heronry --pool review --run scanner-1 inbox --wait 10m --field claim,content_ref\n  \
heronry --pool review --run scanner-1 inbox --max 9 --keep --field claim |\n    \
while read -r claim; do make && heronry --pool review --run scanner-1 ack \"$claim\"; done"
)]
pub(crate) struct InboxArgs {
    /// The longest wait for a first message; without one in time the exit code is 4
    #[arg(long, value_name = "SPAN", value_parser = durations::parse)]
    wait: Option<Millis>,
    /// The maximum number of messages [default: 1]
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// The term of the claims [default: 60s]
    #[arg(long, value_name = "SPAN", value_parser = durations::parse)]
    claim_for: Option<Millis>,
    /// The id of the receive: the same id returns the same live claims [default: a fresh one]
    #[arg(long, value_name = "RECEIVE")]
    receive_id: Option<ReceiveId>,
    /// Show bodies too
    #[command(flatten)]
    bodies: BodiesFlag,
    #[command(flatten)]
    peek: PeekFlag,
    #[command(flatten)]
    keep: KeepFlag,
}

#[derive(Debug, Args)]
struct KeepFlag {
    /// Stay and hold what was claimed, until all of it was acknowledged or given back by other commands,
    /// nobody reads the output any more, or the command is killed
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Args)]
struct BodiesFlag {
    /// Show bodies too
    #[arg(long)]
    bodies: bool,
}

#[derive(Debug, Args)]
struct PeekFlag {
    /// Look without claiming
    #[arg(long, conflicts_with_all = ["wait", "claim_for", "receive_id", "keep"])]
    peek: bool,
}

/// Acknowledge claims: their messages are done with
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review --run scanner-1 ack 12@14 --outcome done"
)]
pub(crate) struct AckArgs {
    /// The claims that an inbox showed
    #[arg(value_name = "CLAIM", required_unless_present = "up_to")]
    claims: Vec<String>,
    /// This claim and the earlier ones of the same receive
    #[arg(long, value_name = "CLAIM", conflicts_with = "claims")]
    up_to: Option<String>,
    /// seen, done, blocked or rejected [default: done]
    #[arg(long, value_name = "OUTCOME", value_parser = name_of::<AckOutcome>)]
    outcome: Option<AckOutcome>,
    /// A short text, kept with the record
    #[arg(long)]
    note: Option<String>,
}

/// Give claims back, so that their messages can be claimed again
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review --run scanner-1 release 12@14 --delay 5s"
)]
pub(crate) struct ReleaseArgs {
    /// The claims that an inbox showed
    #[arg(value_name = "CLAIM", required = true)]
    claims: Vec<String>,
    /// The time until the messages can be claimed again
    #[arg(long, value_name = "SPAN", value_parser = durations::parse)]
    delay: Option<Millis>,
}

pub(crate) async fn receive(cx: &Context, args: InboxArgs) -> Outcome {
    let run = cx.run()?;
    let page = if args.peek.peek {
        let query = InboxQuery {
            max: args.max,
            bodies: args.bodies.bodies.then_some(true),
        };
        cx.pool()?.peek(run, &query).await.map_err(refused)?
    } else if let Some(wait) = args.wait {
        claim_within(cx, run, (&args, wait)).await?
    } else {
        claim(&cx.pool()?, run, &receive_of(&args)?).await?
    };
    cx.out.answer(&page, RowsPlace::Of("items"), || {
        page.items.iter().map(lines_of).collect::<Lines>()
    })?;
    if let Some(newest) = page
        .items
        .iter()
        .map(|it| it.cursor)
        .max_by_key(|it| it.position)
    {
        last::saw(cx, newest);
    }
    let claims: Vec<ClaimName> = page
        .items
        .iter()
        .filter_map(|it| it.claim.clone())
        .collect();
    if args.keep.keep && !claims.is_empty() {
        return HeldWork::new(run, claims, args.claim_for)
            .keep(cx, (&cx.waiting_pool(None)?, page.cursor))
            .await;
    }
    let is_late = page.items.is_empty() && args.wait.is_some();
    Ok(if is_late { Exit::TimedOut } else { Exit::Ok })
}

fn receive_of(args: &InboxArgs) -> Result<Receive, Failure> {
    let receive_id = match &args.receive_id {
        Some(id) => id.clone(),
        None => ReceiveId::parse(random_name()?).map_err(Failure::failed)?,
    };
    Ok(Receive {
        receive_id: Some(receive_id),
        max: args.max,
        wait_ms: None,
        claim_ms: args.claim_for,
        bodies: args.bodies.bodies.then_some(true),
        only: None,
    })
}

async fn claim(pool: &PoolClient, run: &RunId, receive: &Receive) -> Result<InboxPage, Failure> {
    pool.receive(run, receive).await.map_err(refused)
}

/// Waits for a first message, over as many requests and servers as that takes.
async fn claim_within(
    cx: &Context,
    run: &RunId,
    (args, wait): (&InboxArgs, Millis),
) -> Result<InboxPage, Failure> {
    let pool = cx.waiting_pool(Some(wait))?;
    let now = receive_of(args)?;
    let claimed = within(Some(wait), async {
        let mut pieces = WaitPieces::of(Some(wait), POLL);
        loop {
            let receive = Receive {
                wait_ms: pieces.next(),
                ..now.clone()
            };
            match pool.receive(run, &receive).await {
                Ok(page) if !page.items.is_empty() || !pieces.passed().await => return Ok(page),
                Ok(_) => {}
                Err(error) => pieces.fit(error).map_err(refused)?,
            }
        }
    });
    match claimed.await {
        Some(claimed) => claimed,
        None => claim(&last_look(pool), run, &now).await,
    }
}

pub(crate) async fn ack(cx: &Context, args: AckArgs) -> Outcome {
    let ack = Ack {
        claims: args.up_to.is_none().then(|| names(args.claims)),
        up_to: args.up_to.map(ClaimName),
        outcome: args.outcome,
        note: args.note,
    };
    let changed = cx.pool()?.ack(cx.run()?, &ack).await.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        format!("acked at {}", changed.cursor)
    })?;
    Ok(Exit::Ok)
}

pub(crate) async fn release(cx: &Context, args: ReleaseArgs) -> Outcome {
    let release = ReleaseClaims {
        claims: names(args.claims),
        delay_ms: args.delay,
    };
    let changed = cx.pool()?.release(cx.run()?, &release).await;
    let changed = changed.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        format!("released at {}", changed.cursor)
    })?;
    Ok(Exit::Ok)
}

fn names(claims: Vec<String>) -> Vec<ClaimName> {
    claims.into_iter().map(ClaimName).collect()
}

fn lines_of(item: &Item) -> Lines {
    let claim = item.claim.as_ref().map_or("-", |claim| claim.0.as_str());
    let mut lines = Lines::of(format_args!(
        "{claim}  {}  from {}  attempt {}  {}",
        item.message_id, item.from, item.attempt, item.content_ref
    ));
    if let Some(request) = &item.reply_to {
        let late = if item.late == Some(true) {
            ", late"
        } else {
            ""
        };
        lines.add(format_args!("  reply to {request}{late}"));
    }
    if let Some(body) = &item.body {
        lines.indented(&body.0);
    }
    if let Some(bytes) = &item.body_base64 {
        let size = counted(bytes.0.len() as u64, "byte");
        lines.line(format_args!("  ({size}, not text)"));
    }
    if let Some(cause) = &item.body_error {
        lines.line(format_args!("  (its body cannot be read: {cause})"));
    }
    lines
}
