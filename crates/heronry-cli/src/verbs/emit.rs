//! `heronry emit`: report events.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::{ArgGroup, Args};
use heronry_types::{
    CorrelationKey, CorrelationValue, EntityId, EntityKind, EntityRef, EventKind, EventTag,
    IdempotencyKey, NewEvent, Payload, PolicyRef, PrivacyClass, TurnId,
};
use heronry_wire::{AppendEvents, PublishEphemeral, Unreadable};

use super::{
    members::{parse_policy, policies_of},
    messages::parse_correlation,
};
use crate::{
    connect::{Context, refused},
    failure::{Exit, Failure, Outcome},
    last,
    out::RowsPlace,
    secrets::random_name,
    text::name_of,
};

/// Report an event of the run, or a batch of them
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").args(["kind", "file"]).required(true),
    after_help = "Example:\n  heronry --pool review --run scanner-1 emit tool_completed --subject tool_call:call-17 --summary '12 findings' --tag lint"
)]
pub(crate) struct EmitArgs {
    /// The kind of the event: any kind outside the pool's own family, as `tool_completed`
    #[arg(value_parser = name_of::<EventKind>)]
    kind: Option<EventKind>,
    /// A file with a batch, each line an event as JSON; `-`: stdin
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["summary", "subject", "related", "turn", "correlations", "tags", "policies", "privacy"]
    )]
    file: Option<PathBuf>,
    /// A short text that may be shown
    #[arg(long, value_name = "TEXT")]
    summary: Option<String>,
    /// The subject of the event [default: the run]
    #[arg(long, value_name = "KIND:ID", value_parser = parse_entity)]
    subject: Option<EntityRef>,
    /// Another thing that it touches; can be repeated
    #[arg(long, value_name = "KIND:ID", value_parser = parse_entity)]
    related: Vec<EntityRef>,
    /// The turn of the run
    #[arg(long)]
    turn: Option<TurnId>,
    /// A correlation; can be repeated
    #[arg(long = "correlation", value_name = "KEY=VALUE", value_parser = parse_correlation)]
    correlations: Vec<(CorrelationKey, CorrelationValue)>,
    /// A tag; can be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<EventTag>,
    /// A policy that it falls under; can be repeated
    #[arg(long = "policy", value_name = "KIND:ID[@VERSION]", value_parser = parse_policy)]
    policies: Vec<PolicyRef>,
    /// The privacy class of the event [default: `content_refs_only`]
    #[arg(long, value_parser = name_of::<PrivacyClass>)]
    privacy: Option<PrivacyClass>,
    /// The idempotency key: events under the same key are reported once [default: a fresh one]
    #[arg(long, value_name = "KEY")]
    key: Option<IdempotencyKey>,
    #[command(flatten)]
    record: RecordFlag,
}

#[derive(Debug, Args)]
struct RecordFlag {
    /// Show it to those who watch with --ephemeral, and record nothing
    #[arg(long, conflicts_with = "key")]
    ephemeral: bool,
}

pub(crate) async fn run(cx: &Context, mut args: EmitArgs) -> Outcome {
    let (key, is_ephemeral) = (args.key.take(), args.record.ephemeral);
    let events = match (args.kind, &args.file) {
        (Some(kind), _) => vec![event(kind, args)],
        (None, Some(path)) => read_events(path)?,
        (None, None) => return Err(Failure::usage("name a kind, or a file with events")),
    };
    if is_ephemeral {
        publish(cx, events).await
    } else {
        append(cx, events, key).await
    }
}

/// Publishes events without a record.
async fn publish(cx: &Context, events: Vec<NewEvent>) -> Outcome {
    let mut request = PublishEphemeral::new(events);
    request.run_id.clone_from(&cx.globals.run);
    let pool = cx.pool()?;
    let published = pool.publish_ephemeral(&request).await.map_err(refused)?;
    cx.out.answer(&published, RowsPlace::Whole, || {
        let (first, last, after) = (published.first, published.last, published.after);
        if published.count == 1 {
            format!("shown as {first} after {after}")
        } else {
            format!(
                "{} events shown as {first} to {last} after {after}",
                published.count
            )
        }
    })?;
    Ok(Exit::Ok)
}

/// Reports events.
async fn append(cx: &Context, events: Vec<NewEvent>, key: Option<IdempotencyKey>) -> Outcome {
    let pool = cx.pool()?;
    let key = match key {
        Some(key) => key,
        None => IdempotencyKey::parse(random_name()?).map_err(Failure::failed)?,
    };
    let mut batch = AppendEvents::new(events, key);
    batch.run_id.clone_from(&cx.globals.run);
    let appended = pool.append_events(&batch).await.map_err(refused)?;
    last::sent(cx, appended.last);
    cx.out.answer(&appended, RowsPlace::Whole, || {
        let (first, last) = (appended.first, appended.last);
        if appended.count == 1 {
            format!("reported at {first}")
        } else {
            format!("{} events reported from {first} to {last}", appended.count)
        }
    })?;
    Ok(Exit::Ok)
}

fn event(kind: EventKind, args: EmitArgs) -> NewEvent {
    let mut event = NewEvent::new(kind);
    event.subject = args.subject;
    event.related = args.related;
    event.turn = args.turn;
    event.correlation = args.correlations.into_iter().collect();
    event.tags = args.tags;
    event.policies = policies_of(args.policies);
    event.privacy = args.privacy.unwrap_or_default();
    if let Some(summary) = args.summary {
        let refs = Vec::new();
        event.payload = Payload::Summary { summary, refs };
    }
    event
}

fn read_events(path: &Path) -> Result<Vec<NewEvent>, Failure> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        let read = io::stdin().lock().read_to_string(&mut text);
        read.map_err(|error| Failure::failed(format_args!("cannot read stdin: {error}")))?;
        text
    } else {
        fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?
    };
    parse_events(&text).map_err(Failure::usage)
}

fn parse_events(text: &str) -> Result<Vec<NewEvent>, String> {
    let lines = text.lines().zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim().is_empty());
    lines
        .map(|(line, number)| {
            serde_json::from_str(line).map_err(|error| {
                let why = Unreadable::of(&error.to_string()).sentence();
                format!("line {number}: {why}")
            })
        })
        .collect()
}

fn parse_entity(text: &str) -> Result<EntityRef, String> {
    let (kind, id) = text.split_once(':').ok_or("write it as KIND:ID")?;
    let id = EntityId::parse(id).map_err(|error| error.to_string())?;
    Ok(EntityRef::new(name_of::<EntityKind>(kind)?, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_one_event_for_each_line() {
        let text = "{\"kind\":\"tool_started\"}\n\n{\"kind\":\"tool_failed\",\"tags\":[\"t\"]}\n";
        let kinds: Vec<_> = parse_events(text)
            .unwrap()
            .iter()
            .map(|it| it.kind)
            .collect();
        assert_eq!(kinds, [EventKind::ToolStarted, EventKind::ToolFailed]);
        let wrong =
            parse_events("{\"kind\":\"tool_started\"}\n{\"kind\":\"nothing\"}").unwrap_err();
        assert!(
            wrong.starts_with("line 2: \"nothing\" is no event kind; the nearest are "),
            "{wrong}"
        );
    }

    #[test]
    fn a_thing_is_its_kind_and_its_id() {
        let call = parse_entity("tool_call:a:b").unwrap();
        assert_eq!((call.kind, call.id.as_str()), (EntityKind::ToolCall, "a:b"));
        for text in ["", "tool_call", "tool_call:", "room:x"] {
            assert!(parse_entity(text).is_err(), "{text}");
        }
    }
}
