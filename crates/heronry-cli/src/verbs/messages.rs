//! `heronry send`, `receipt`, `cancel`, `body`.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    num::NonZeroU32,
    path::PathBuf,
};

use clap::{ArgGroup, Args};
use heronry_client::{PoolClient, WaitPieces};
use heronry_types::{
    Address, AgentId, ChannelId, ContentRef, Correlation, CorrelationKey, CorrelationValue, Cursor,
    IdempotencyKey, Importance, LimitName, MessageId, MessageStatus, Millis, OnFull, PolicyRef,
    PoolId, Receipt, ReceiptUntil, ResponseContract, RunId, TopicId,
};
use heronry_wire::{BodyBytes, BodyText, ReceiptQuery, SendMessage};

use super::{
    contents,
    inbox::POLL,
    members::{parse_policy, policies_of},
};
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

/// A body up to this size travels inside the request; a larger one is stored before.
const INLINE_BYTES_MAX: usize = 128 * 1024;

/// Send a message and print its receipt
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("content").args(["body", "file", "stdin"]).required(true),
    after_help = "The receipt names the cursor to wait from: what becomes of the message comes after it. A \
message that nobody gets is kept, with a receipt that says why; the exit code is 3 then.\n\n\
Example:\n  heronry --pool review --run lead send --to run:scanner-1 --body 'src/main.rs' --id batch-1 --key batch-1\n  \
heronry --pool review --run lead wait --after batch-1 'kind == \"run_message_settled\" && message == \"batch-1\"' --timeout 10m\n  \
heronry --pool review --run lead send --to topic:scan --body 'who is free?' --expect 2 --within 10m"
)]
pub(crate) struct SendArgs {
    /// The address: run:RUN, agent:AGENT, topic:TOPIC, alias:RECIPIENT[/CHANNEL] or pool
    #[arg(long, value_name = "ADDRESS")]
    pub(super) to: String,
    /// The body
    #[arg(long, value_name = "TEXT")]
    pub(super) body: Option<String>,
    /// A file with the body
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// `-`: the body comes from stdin
    #[arg(value_name = "-", value_parser = ["-"])]
    pub(super) stdin: Option<String>,
    /// The media type of the body
    #[arg(long, value_name = "TYPE")]
    pub(super) media_type: Option<String>,
    /// The message's id [default: derived from the key]
    #[arg(long, value_name = "MESSAGE")]
    pub(super) id: Option<MessageId>,
    /// The message that this one replies to
    #[arg(long, value_name = "MESSAGE")]
    pub(super) reply_to: Option<MessageId>,
    /// The number of recipients that have to reply; a recipient that acks without a reply has declined
    #[arg(long, value_name = "N")]
    pub(super) expect: Option<NonZeroU32>,
    /// The longest wait for their replies, as 10m
    #[arg(long, value_name = "SPAN", requires = "expect", value_parser = durations::parse)]
    pub(super) within: Option<Millis>,
    /// A run whose reply counts; can be repeated [default: every recipient]
    #[arg(long = "expect-from", value_name = "RUN", requires = "expect")]
    pub(super) expect_from: Vec<RunId>,
    /// A correlation; can be repeated
    #[arg(long = "correlation", value_name = "KEY=VALUE", value_parser = parse_correlation)]
    pub(super) correlations: Vec<(CorrelationKey, CorrelationValue)>,
    /// A policy that the message carries; can be repeated
    #[arg(long = "policy", value_name = "KIND:ID[@VERSION]", value_parser = parse_policy)]
    pub(super) policies: Vec<PolicyRef>,
    /// The time in which copies can be claimed, as 10m
    #[arg(long, value_name = "SPAN", value_parser = durations::parse)]
    pub(super) expires_in: Option<Millis>,
    /// The urgency: queue, steer or interrupt [default: queue]
    #[arg(long, value_name = "IMPORTANCE", value_parser = name_of::<Importance>)]
    pub(super) importance: Option<Importance>,
    /// The delay before copies can be claimed, as 10m
    #[arg(long, value_name = "SPAN", value_parser = durations::parse)]
    pub(super) deliver_after: Option<Millis>,
    /// Hand no other ordered message of yours to a recipient before this one has ended there
    #[arg(long)]
    pub(super) ordered: bool,
    /// The treatment of a full inbox: refuse the message, or skip that recipient [default: refuse for a run,
    /// skip for every other address]
    #[arg(long, value_name = "refuse|skip", value_parser = name_of::<OnFull>)]
    pub(super) on_full: Option<OnFull>,
    /// The idempotency key: a message under the same key is sent once [default: a fresh one]
    #[arg(long, value_name = "KEY")]
    pub(super) key: Option<IdempotencyKey>,
    #[command(flatten)]
    pub(super) nobody: NobodyFlag,
}

impl SendArgs {
    /// Returns the arguments of a message to this address that say nothing else.
    pub(super) fn to(to: String) -> Self {
        Self {
            to,
            body: None,
            file: None,
            stdin: None,
            media_type: None,
            id: None,
            reply_to: None,
            expect: None,
            within: None,
            expect_from: Vec::new(),
            correlations: Vec::new(),
            policies: Vec::new(),
            expires_in: None,
            importance: None,
            deliver_after: None,
            ordered: false,
            on_full: None,
            key: None,
            nobody: NobodyFlag::default(),
        }
    }
}

#[derive(Debug, Default, Args)]
pub(super) struct NobodyFlag {
    /// Accept that nobody gets the message: the exit code is 0 then, too
    #[arg(long)]
    allow_nobody: bool,
}

/// Print the receipt of a message as it stands
#[derive(Debug, Args)]
#[command(
    after_help = "With --wait the exit code is 0 when the message has changed as asked, or is over, and 4 when \
the time was up before. With --until responded it is 0 only when the replies have come, 4 also when the \
message timed out, and 1 when it ended otherwise.\n\n\
Example:\n  heronry --pool review --run lead receipt batch-1 --field status\n  \
heronry --pool review --run lead receipt batch-1 --wait 10m --until ended\n  \
heronry --pool review --run lead receipt batch-1 --wait 10m --since 5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f-42"
)]
pub(crate) struct ReceiptArgs {
    /// The message
    message: MessageId,
    /// The longest wait for a change of the receipt; without a change in time the exit code is 4. A message
    /// that is over is not waited for
    #[arg(long, value_name = "SPAN", value_parser = durations::parse)]
    wait: Option<Millis>,
    /// Wait for a change after this cursor, as the `as_of` of an earlier receipt [default: after now]
    #[arg(long, value_name = "CURSOR", requires = "wait")]
    since: Option<Cursor>,
    /// Wait until it has come to this point: ended (it is over), acked (no copy is queued or claimed any
    /// more) or responded (the replies have come). A message that is over has come to all of them
    #[arg(
        long,
        value_name = "ended|acked|responded",
        requires = "wait",
        conflicts_with = "since",
        value_parser = name_of::<ReceiptUntil>
    )]
    until: Option<ReceiptUntil>,
}

/// Cancel a message and print its receipt
///
/// Copies that nobody holds are not handed over any more; who holds one may still finish with it.
/// A message that is over already stays as it ended.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review --run lead cancel batch-1 --field status"
)]
pub(crate) struct CancelArgs {
    /// The message
    message: MessageId,
}

/// Print the body of a message
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review body content:0123456789abcdef0123456789abcdef > body.txt"
)]
pub(crate) struct BodyArgs {
    /// The reference that an inbox or a receipt shows
    content_ref: ContentRef,
}

pub(crate) async fn send(cx: &Context, args: SendArgs) -> Outcome {
    let pool = cx.pool()?;
    let allows_nobody = args.nobody.allow_nobody;
    let mut send = message_of(cx, &pool, args).await?;
    let receipt = deliver(&pool, &mut send).await?;
    last::sent(cx, receipt.cursor);
    cx.out.answer(&receipt, RowsPlace::Whole, || {
        let cursor = receipt.cursor;
        let mut lines = lines_of(&receipt);
        lines.line(format_args!("  wait --after {cursor}"));
        lines
    })?;
    if let Some(nobody) = nobody(&receipt) {
        return if allows_nobody {
            Ok(Exit::Ok)
        } else {
            Err(nobody)
        };
    }
    Ok(match receipt.status {
        MessageStatus::Failed => Exit::Failed,
        MessageStatus::Delivered
        | MessageStatus::Responded
        | MessageStatus::TimedOut
        | MessageStatus::Expired
        | MessageStatus::Cancelled
        | MessageStatus::Settled => Exit::Ok,
    })
}

/// Returns the text about a message that nobody got.
pub(super) fn nobody(receipt: &Receipt) -> Option<Failure> {
    let is_failed = receipt.status == MessageStatus::Failed && receipt.recipients.is_empty();
    let why = receipt.reason.filter(|_| is_failed)?;
    let message = &receipt.message_id;
    Some(Failure::new(
        Exit::Refused,
        format_args!("nobody got {message} ({why}); the message is kept as failed"),
    ))
}

/// Makes a message of arguments. Only a large body is stored before.
pub(super) async fn message_of(
    cx: &Context,
    pool: &PoolClient,
    args: SendArgs,
) -> Result<SendMessage, Failure> {
    let to = parse_address(&args.to, pool.id()).map_err(Failure::usage)?;
    let key = match args.key {
        Some(key) => key,
        None => IdempotencyKey::parse(random_name()?).map_err(Failure::failed)?,
    };
    let mut send = SendMessage::new(to, key);
    send.from.clone_from(&cx.globals.run);
    if let Some(bytes) = read_body(args.body, args.file, args.stdin.as_deref())? {
        add_body(pool, &mut send, bytes, args.media_type.as_deref()).await?;
    }
    send.media_type = args.media_type;
    send.message_id = args.id;
    send.reply_to = args.reply_to;
    send.response_contract = args.expect.map(|expected| {
        let mut contract = ResponseContract::new(expected);
        contract.timeout_ms = args.within;
        let from: BTreeSet<RunId> = args.expect_from.into_iter().collect();
        contract.from = (!from.is_empty()).then_some(from);
        contract
    });
    send.correlation = args.correlations.into_iter().collect::<Correlation>();
    send.policies = policies_of(args.policies);
    send.expires_in_ms = args.expires_in;
    send.importance = args.importance;
    send.deliver_after_ms = args.deliver_after;
    send.ordered = args.ordered.then_some(true);
    send.on_full = args.on_full;
    Ok(send)
}

pub(crate) async fn receipt(cx: &Context, args: &ReceiptArgs) -> Outcome {
    let (receipt, reached) = match args.wait {
        Some(wait) => waited(cx, args, wait).await?,
        None => (receipt_of(&cx.pool()?, cx, args).await?, true),
    };
    print_receipt(cx, &receipt)?;
    if !reached {
        return Ok(Exit::TimedOut);
    }
    Ok(match args.until {
        Some(ReceiptUntil::Responded) => exit_of_question(receipt.status),
        Some(ReceiptUntil::Ended | ReceiptUntil::Acked) | None => Exit::Ok,
    })
}

/// Waits for the change of a receipt, and takes a last look at it when the server was away meanwhile.
async fn waited(
    cx: &Context,
    args: &ReceiptArgs,
    wait: Millis,
) -> Result<(Receipt, bool), Failure> {
    let pool = cx.waiting_pool(Some(wait))?;
    if let Some(changed) = within(Some(wait), change_of(cx, &pool, (args, wait))).await {
        return changed;
    }
    let receipt = receipt_of(&last_look(pool), cx, args).await?;
    let reached = receipt.has_reached(args.until.unwrap_or(ReceiptUntil::Ended));
    Ok((receipt, reached))
}

/// Returns how a command ends that waited for replies.
pub(super) fn exit_of_question(status: MessageStatus) -> Exit {
    match status {
        MessageStatus::Responded => Exit::Ok,
        MessageStatus::Delivered | MessageStatus::TimedOut => Exit::TimedOut,
        MessageStatus::Failed
        | MessageStatus::Expired
        | MessageStatus::Cancelled
        | MessageStatus::Settled => Exit::Failed,
    }
}

async fn receipt_of(
    pool: &PoolClient,
    cx: &Context,
    args: &ReceiptArgs,
) -> Result<Receipt, Failure> {
    let from = cx.globals.run.as_ref();
    pool.receipt(&args.message, from).await.map_err(refused)
}

/// Waits for the change of a receipt that is asked for, one request after the other, and says whether
/// it came. A message that is over is not waited for.
async fn change_of(
    cx: &Context,
    pool: &PoolClient,
    (args, wait): (&ReceiptArgs, Millis),
) -> Result<(Receipt, bool), Failure> {
    let mut query = ReceiptQuery {
        from: cx.globals.run.clone(),
        ..ReceiptQuery::default()
    };
    let now = pool.wait_receipt(&args.message, &query).await;
    let mut receipt = now.map_err(refused)?;
    let since = args.since.unwrap_or(receipt.as_of);
    query.until = args.until;
    query.since = args.until.is_none().then_some(since);
    let mut pieces = WaitPieces::of(Some(wait), POLL);
    let mut goes_on = wait.0 > 0;
    loop {
        let reached = match args.until {
            Some(until) => receipt.has_reached(until),
            None => receipt.is_over() || receipt.has_changed_since(since),
        };
        if reached || !goes_on {
            return Ok((receipt, reached));
        }
        query.wait_ms = pieces.next();
        match pool.wait_receipt(&args.message, &query).await {
            Ok(again) => {
                receipt = again;
                goes_on = pieces.passed().await;
            }
            Err(error) => pieces.fit(error).map_err(refused)?,
        }
    }
}

pub(crate) async fn cancel(cx: &Context, args: &CancelArgs) -> Outcome {
    let from: Option<&RunId> = cx.globals.run.as_ref();
    let receipt = cx.pool()?.cancel_message(&args.message, from).await;
    print_receipt(cx, &receipt.map_err(refused)?)?;
    Ok(Exit::Ok)
}

pub(crate) async fn body(cx: &Context, args: &BodyArgs) -> Outcome {
    contents::get(cx, args.content_ref).await
}

fn print_receipt(cx: &Context, receipt: &Receipt) -> Result<(), Failure> {
    cx.out
        .answer(receipt, RowsPlace::Whole, || lines_of(receipt))
}

fn lines_of(receipt: &Receipt) -> Lines {
    let reason = receipt
        .reason
        .map_or_else(String::new, |it| format!(" ({it})"));
    let mut lines = Lines::of(format_args!(
        "{} {}{reason} at {}",
        receipt.message_id, receipt.status, receipt.cursor
    ));
    if let Some(contract) = &receipt.response_contract {
        let replies = (receipt.responses.len(), contract.expected_responses);
        lines.line(format_args!("  {} of {} replies", replies.0, replies.1));
    }
    for response in &receipt.responses {
        let (run, reply) = (&response.run_id, &response.message_id);
        lines.line(format_args!("  {run} replied {reply}"));
    }
    for recipient in &receipt.recipients {
        lines.line(format_args!("  {} {}", recipient.run_id, recipient.state));
    }
    lines
}

pub(super) fn read_body(
    text: Option<String>,
    file: Option<PathBuf>,
    stdin: Option<&str>,
) -> Result<Option<Vec<u8>>, Failure> {
    if let Some(text) = text {
        return Ok(Some(text.into_bytes()));
    }
    if let Some(path) = file {
        let read = fs::read(&path).map_err(|error| Failure::file("read", &path, &error));
        return read.map(Some);
    }
    if stdin.is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Failure::failed(format_args!("cannot read stdin: {error}")))?;
    Ok(Some(bytes))
}

/// Sends a message. A body that the pool wants stored by itself is stored, and referred to: who sent it
/// did not say how it travels.
pub(super) async fn deliver(pool: &PoolClient, send: &mut SendMessage) -> Result<Receipt, Failure> {
    let error = match pool.send(send).await {
        Ok(receipt) => return Ok(receipt),
        Err(error) => error,
    };
    let body = send.body.take().map(|text| text.0.into_bytes());
    let body = body.or_else(|| send.body_base64.take().map(|bytes| bytes.0));
    match body.filter(|_| error.crossed(LimitName::BodyInlineBytesMax).is_some()) {
        None => Err(refused(error)),
        Some(bytes) => {
            let media_type = send.media_type.clone();
            store_body(pool, send, (bytes, media_type.as_deref())).await?;
            pool.send(send).await.map_err(refused)
        }
    }
}

/// Stores a body under the message's own key: a repeat stores nothing and refers to the same body.
async fn store_body(
    pool: &PoolClient,
    send: &mut SendMessage,
    (bytes, media_type): (Vec<u8>, Option<&str>),
) -> Result<(), Failure> {
    let content = contents::content_of(bytes, media_type);
    let (key, run) = (send.idempotency_key.as_ref(), send.from.as_ref());
    let stored = pool.put_content(content, key, run).await;
    send.content_ref = Some(stored.map_err(refused)?.content_ref);
    Ok(())
}

/// Puts a small body into the request, and stores a large one before.
async fn add_body(
    pool: &PoolClient,
    send: &mut SendMessage,
    bytes: Vec<u8>,
    media_type: Option<&str>,
) -> Result<(), Failure> {
    if bytes.len() > INLINE_BYTES_MAX {
        return store_body(pool, send, (bytes, media_type)).await;
    }
    match String::from_utf8(bytes) {
        Ok(text) => send.body = Some(BodyText(text)),
        Err(error) => send.body_base64 = Some(BodyBytes(error.into_bytes())),
    }
    Ok(())
}

pub(super) fn parse_address(text: &str, pool: &PoolId) -> Result<Address, String> {
    let shape = || {
        format!("{text:?} is no address; write run:R, agent:A, topic:T, alias:R[/CHANNEL] or pool")
    };
    if text == "pool" {
        return Ok(Address::Pool {
            pool_id: pool.clone(),
        });
    }
    let (kind, id) = text.split_once(':').ok_or_else(shape)?;
    let wrong = |error: heronry_types::IdError| format!("{text:?}: {error}");
    match kind {
        "run" => RunId::parse(id).map(|run_id| Address::Run { run_id }),
        "agent" => AgentId::parse(id).map(|agent_id| Address::Agent { agent_id }),
        "topic" => TopicId::parse(id).map(|topic_id| Address::Topic { topic_id }),
        "pool" => PoolId::parse(id).map(|pool_id| Address::Pool { pool_id }),
        "alias" => alias_address(id),
        _ => return Err(shape()),
    }
    .map_err(wrong)
}

/// Returns an address as it is written, but with the id of a pool.
pub(super) fn address_text(to: &Address) -> String {
    match to {
        Address::Run { run_id } => format!("run:{run_id}"),
        Address::Agent { agent_id } => format!("agent:{agent_id}"),
        Address::Topic { topic_id } => format!("topic:{topic_id}"),
        Address::Pool { pool_id } => format!("pool:{pool_id}"),
        Address::Alias {
            recipient,
            channel: None,
        } => format!("alias:{recipient}"),
        Address::Alias {
            recipient,
            channel: Some(channel),
        } => format!("alias:{recipient}/{channel}"),
    }
}

/// Reads an alias as an address: what it stands for, and after the last slash its channel.
fn alias_address(text: &str) -> Result<Address, heronry_types::IdError> {
    let (recipient, channel) = match text.rsplit_once('/') {
        Some((recipient, channel)) => (recipient, Some(ChannelId::parse(channel)?)),
        None => (text, None),
    };
    let recipient = RunId::parse(recipient)?;
    Ok(Address::Alias { recipient, channel })
}

pub(super) fn parse_correlation(text: &str) -> Result<(CorrelationKey, CorrelationValue), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    let key = CorrelationKey::parse(key).map_err(|e| e.to_string())?;
    let value = CorrelationValue::parse(value).map_err(|e| e.to_string())?;
    Ok((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_their_kind() {
        let pool = PoolId::parse("p").unwrap();
        let check = |text: &str, id: &str| {
            assert_eq!(parse_address(text, &pool).unwrap().id_text(), id, "{text}");
        };
        check("run:a:b", "a:b");
        check("agent:x", "x");
        check("topic:t", "t");
        check("pool", "p");
        check("pool:q", "q");
        for text in ["", "a", "run", "run:", "room:x"] {
            assert!(parse_address(text, &pool).is_err(), "{text}");
        }
    }
}
