//! `heronry ask`: a question and its replies.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{ArgGroup, Args};
use heronry_client::{Asked, PoolClient, Reply};
use heronry_types::{
    CorrelationKey, CorrelationValue, IdempotencyKey, Importance, MessageId, MessageStatus, Millis,
    PolicyRef, Receipt, Response, RunId, counted,
};
use heronry_wire::{BodyBytes, BodyText};
use serde::Serialize;

use super::{
    members::parse_policy,
    messages::{SendArgs, deliver, exit_of_question, message_of, nobody, parse_correlation},
};
use crate::{
    connect::{Context, refused, within},
    durations,
    failure::{Exit, Failure, Outcome},
    last,
    lines::Lines,
    out::RowsPlace,
    text::name_of,
};

/// The time past its own limit that the command waits for a server that was away meanwhile, and for
/// the bodies of the replies that have come.
const LAST_REPLIES: Millis = Millis(2_000);

/// Ask others and print their replies: a message that asks for replies, and the wait for them
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("content").args(["body", "file", "stdin"]).required(true),
    after_help = "The replies that count are printed, and then acknowledged in the inbox of the run; no other \
message is touched. Who replies does it with `send --reply-to`. The exit code is 0 when the replies have \
come, 4 when the time was up (those that came are printed), 1 when they cannot come any more. Killed and \
repeated with its --key, the command goes on with the same question, and prints its replies again when they \
were printed before.\n\n\
Example:\n  heronry --pool review --run lead ask --to run:scanner-1 --body 'how many files?' --within 20s --field body\n  \
heronry --pool review --run lead ask --to topic:scan --body 'who is free?' --within 1m --expect 2 --key free-1"
)]
pub(crate) struct AskArgs {
    /// The address: run:RUN, agent:AGENT, topic:TOPIC or pool
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// The question
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
    /// A file with the question
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// `-`: the question comes from stdin
    #[arg(value_name = "-", value_parser = ["-"])]
    stdin: Option<String>,
    /// The media type of the question
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// The longest wait for the replies, as 20s
    #[arg(long, value_name = "SPAN", value_parser = durations::parse)]
    within: Millis,
    /// The number of recipients that have to reply
    #[arg(long, value_name = "N", default_value = "1")]
    expect: NonZeroU32,
    /// A run whose reply counts; can be repeated [default: every recipient]
    #[arg(long = "expect-from", value_name = "RUN")]
    expect_from: Vec<RunId>,
    /// The question's id [default: derived from the key]
    #[arg(long, value_name = "MESSAGE")]
    id: Option<MessageId>,
    /// A correlation; can be repeated
    #[arg(long = "correlation", value_name = "KEY=VALUE", value_parser = parse_correlation)]
    correlations: Vec<(CorrelationKey, CorrelationValue)>,
    /// A policy that the question carries; can be repeated
    #[arg(long = "policy", value_name = "KIND:ID[@VERSION]", value_parser = parse_policy)]
    policies: Vec<PolicyRef>,
    /// The urgency: queue, steer or interrupt [default: queue]
    #[arg(long, value_name = "IMPORTANCE", value_parser = name_of::<Importance>)]
    importance: Option<Importance>,
    /// The idempotency key: a question under the same key is asked once [default: a fresh one]
    #[arg(long, value_name = "KEY")]
    key: Option<IdempotencyKey>,
}

impl AskArgs {
    /// Returns the message that asks.
    fn sending(self) -> SendArgs {
        SendArgs {
            body: self.body,
            file: self.file,
            stdin: self.stdin,
            media_type: self.media_type,
            id: self.id,
            expect: Some(self.expect),
            within: Some(self.within),
            expect_from: self.expect_from,
            correlations: self.correlations,
            policies: self.policies,
            importance: self.importance,
            key: self.key,
            ..SendArgs::to(self.to)
        }
    }
}

/// A question that is over, as it is printed.
#[derive(Debug, Serialize)]
struct AskAnswer<'a> {
    #[serde(flatten)]
    receipt: &'a Receipt,
    replies: Vec<PrintedReply<'a>>,
}

/// The fields of a reply, as it is printed.
pub(super) const REPLY_FIELDS: [&str; 7] = [
    "run_id",
    "message_id",
    "cursor",
    "content_ref",
    "media_type",
    "body",
    "body_base64",
];

/// A reply, as it is printed.
#[derive(Debug, Serialize)]
struct PrintedReply<'a> {
    #[serde(flatten)]
    response: &'a Response,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<BodyText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<BodyBytes>,
}

pub(crate) async fn run(cx: &Context, args: AskArgs) -> Outcome {
    let time = Some(args.within);
    let pool = cx.waiting_pool(time)?;
    let limit = Some(Millis(args.within.0.saturating_add(LAST_REPLIES.0)));
    let asked = within(limit, ask(cx, &pool, args)).await;
    let Some(asked) = asked.transpose()? else {
        let late =
            "the server did not answer in time; repeated with its --key the question goes on";
        return Err(Failure::new(Exit::TimedOut, late));
    };
    print(cx, &asked)?;
    // Only when they are printed: what is killed before this prints them again.
    cx.pool()?.ack_replies(&asked).await.map_err(refused)?;
    if let Some(newest) = asked.replies.last() {
        last::saw(cx, newest.response.cursor);
    }
    Ok(exit_of_question(asked.receipt.status))
}

async fn ask(cx: &Context, pool: &PoolClient, args: AskArgs) -> Result<Asked, Failure> {
    let mut question = message_of(cx, pool, args.sending()).await?;
    let sent = deliver(pool, &mut question).await?;
    last::sent(cx, sent.cursor);
    if let Some(nobody) = nobody(&sent) {
        return Err(nobody);
    }
    // A repeat of what was sent, which waits.
    pool.ask(&question).await.map_err(refused)
}

fn print(cx: &Context, asked: &Asked) -> Result<(), Failure> {
    let receipt = &asked.receipt;
    let answer = AskAnswer {
        receipt,
        replies: asked.replies.iter().map(shown).collect(),
    };
    cx.out.answer(&answer, RowsPlace::Of("replies"), || {
        answer.replies.iter().map(lines_of).collect::<Lines>()
    })?;
    if receipt.status != MessageStatus::Responded {
        let (message, status) = (&receipt.message_id, receipt.status);
        let contract = receipt.response_contract.as_ref();
        let expected = contract.map_or(0, |it| it.expected_responses.get());
        let came = asked.replies.len();
        cx.out.note(&format!(
            "{message} {status} with {came} of {expected} replies"
        ));
    }
    Ok(())
}

fn shown(reply: &Reply) -> PrintedReply<'_> {
    let content = reply.content.as_ref();
    let (body, body_base64) = match content.map(|it| std::str::from_utf8(&it.bytes)) {
        Some(Ok(text)) => (Some(BodyText(text.to_owned())), None),
        Some(Err(_)) => (None, content.map(|it| BodyBytes(it.bytes.clone()))),
        None => (None, None),
    };
    PrintedReply {
        response: &reply.response,
        media_type: content.map(|it| it.media_type.as_str()),
        body,
        body_base64,
    }
}

fn lines_of(reply: &PrintedReply<'_>) -> Lines {
    let (run, message) = (&reply.response.run_id, &reply.response.message_id);
    let mut lines = Lines::of(format_args!("{run} replied {message}"));
    if let Some(body) = &reply.body {
        lines.indented(&body.0);
    } else if let Some(bytes) = &reply.body_base64 {
        let bytes = counted(bytes.0.len() as u64, "byte");
        lines.line(format_args!("  ({bytes}, not text)"));
    } else {
        lines.line(format_args!("  (its body is gone)"));
    }
    lines
}
