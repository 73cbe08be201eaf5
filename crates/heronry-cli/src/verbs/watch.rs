//! `heronry watch`: events, one line each.

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use heronry_client::PoolClient;
use heronry_event::{CloseReason, EphemeralEvent, Event, Room, StreamItem};
use heronry_types::{Cursor, OverflowPolicy, Payload, counted};
use heronry_wire::{EventsFrom, EventsQuery};

use crate::{
    connect::{Context, refused},
    cursors::CursorFile,
    failure::{Exit, Failure, Outcome},
    lines::Lines,
    out::diagnose,
    text::name_of,
};

/// Show events, one line each
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review.1 watch 'family == \"agent_pool\"' --from start --follow"
)]
pub(crate) struct WatchArgs {
    /// Show only the events that this filter keeps
    filter: Option<String>,
    /// The starting point: start (the oldest event that is kept), head or a cursor [default: the cursor file, else start]
    #[arg(long, value_name = "CURSOR")]
    from: Option<Start>,
    /// Show only the events of a room: `run:R`, `session:S`, `agent:A`, `topic:T` or `pool`
    #[arg(long, value_name = "ROOM")]
    room: Option<Room>,
    #[command(flatten)]
    follow: FollowFlag,
    #[command(flatten)]
    end: EndFlag,
    /// A file that says where the last watch ended
    #[arg(long, value_name = "FILE")]
    cursor_file: Option<PathBuf>,
    /// Stop after this many events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Show events without a record, too; the policy says what is dropped of them when this is too slow
    #[arg(
        long,
        value_name = "POLICY",
        value_parser = name_of::<OverflowPolicy>,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "drop_non_terminal",
        requires = "follow"
    )]
    ephemeral: Option<OverflowPolicy>,
}

#[derive(Debug, Args)]
struct FollowFlag {
    /// Go on with new events until stopped
    #[arg(long, short)]
    follow: bool,
}

#[derive(Debug, Args)]
struct EndFlag {
    /// Stop behind the end of the run whose room is shown, or at once when it has ended
    #[arg(long, requires = "room", requires = "follow")]
    until_end: bool,
}

/// The place where watching starts.
#[derive(Clone, Copy, Debug)]
enum Start {
    At(EventsFrom),
    After(Cursor),
}

impl FromStr for Start {
    type Err = heronry_types::CursorError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "start" => Self::At(EventsFrom::Start),
            "head" => Self::At(EventsFrom::Head),
            cursor => Self::After(Cursor::parse(cursor)?),
        })
    }
}

/// Prints events and remembers how far it came.
#[derive(Debug)]
struct Printer<'a> {
    cx: &'a Context,
    file: Option<CursorFile>,
    left: u64,
}

pub(crate) async fn run(cx: &Context, args: WatchArgs) -> Outcome {
    let pool = if args.follow.follow {
        cx.waiting_pool(None)?
    } else {
        cx.pool()?
    };
    let file = args.cursor_file.as_deref().map(CursorFile::at);
    let kept = match &file {
        Some(file) => file.read()?,
        None => None,
    };
    let start = kept.map(Start::After).or(args.from);
    let mut query = EventsQuery {
        filter: args.filter,
        ephemeral: args.ephemeral,
        room: args.room,
        close_on_terminal: args.end.until_end.then_some(true),
        ..EventsQuery::default()
    };
    match start {
        Some(Start::After(cursor)) => query.after = Some(cursor),
        Some(Start::At(from)) => query.from = Some(from),
        None => query.from = Some(EventsFrom::Start),
    }
    let printer = Printer {
        cx,
        file,
        left: args.limit.unwrap_or(u64::MAX),
    };
    if args.follow.follow {
        follow(&pool, query, printer).await
    } else {
        pages(&pool, query, printer).await
    }
}

async fn pages(pool: &PoolClient, mut query: EventsQuery, mut printer: Printer<'_>) -> Outcome {
    loop {
        let page = pool.events(&query).await.map_err(refused)?;
        for event in &page.events {
            if !printer.print(event)? {
                return Ok(Exit::Ok);
            }
        }
        printer.passed(page.scanned_to)?;
        if page.scanned_to == page.head {
            return Ok(Exit::Ok);
        }
        query.from = None;
        query.after = Some(page.scanned_to);
    }
}

async fn follow(pool: &PoolClient, query: EventsQuery, mut printer: Printer<'_>) -> Outcome {
    let ends_with_run = query.close_on_terminal == Some(true);
    let mut reader = pool.follow(query);
    loop {
        match reader.next().await.map_err(refused)? {
            StreamItem::Event(event) => {
                let goes_on = printer.print(&event)?;
                printer.passed(event.envelope.id())?;
                if !goes_on {
                    return Ok(Exit::Ok);
                }
            }
            StreamItem::Gap { from, to, reason } => {
                diagnose(&format!(
                    "heronry: events after {from} up to {to} are {reason}"
                ));
            }
            StreamItem::Closed { reason } => match reason {
                // The reader connects again.
                CloseReason::Shutdown | CloseReason::StoreFailed => {}
                CloseReason::Finished => return Ok(Exit::Ok),
                CloseReason::RunEnded if ends_with_run => return Ok(Exit::Ok),
                CloseReason::Left
                | CloseReason::Revoked
                | CloseReason::RunEnded
                | CloseReason::PoolDeleted
                | CloseReason::Overflow => {
                    let line = format_args!("the view is closed: {reason}");
                    return Err(Failure::new(Exit::Refused, line));
                }
            },
            StreamItem::CaughtUp { .. } => {}
            StreamItem::Ephemeral(shown) => printer.show(&shown)?,
            StreamItem::Dropped(dropped) => diagnose(&format!(
                "heronry: {} without a record were dropped, {} to {}",
                counted(dropped.dropped, "event"),
                dropped.first,
                dropped.last
            )),
        }
    }
}

impl Printer<'_> {
    /// Prints an event; false when no further one is wanted.
    fn print(&mut self, event: &Event) -> Result<bool, Failure> {
        if self.left == 0 {
            return Ok(false);
        }
        self.cx.out.item(event, || line_of(event))?;
        self.left -= 1;
        if self.left == 0 {
            self.passed(event.envelope.id())?;
        }
        Ok(self.left > 0)
    }

    /// Prints an event without a record, which moves no cursor and counts for no limit.
    fn show(&self, shown: &EphemeralEvent) -> Result<(), Failure> {
        self.cx.out.item(shown, || {
            let stamp = shown.event.envelope.stamp;
            let place = format!("~{}", shown.number);
            let mut line = Lines::of(format_args!("{place:>6}  {}", stamp.recorded_at));
            add_content(&mut line, &shown.event);
            line
        })
    }

    fn passed(&self, cursor: Cursor) -> Result<(), Failure> {
        self.file.as_ref().map_or(Ok(()), |file| file.write(cursor))
    }
}

/// Writes an event as one line: place, time, kind, who, which message, to whom.
fn line_of(event: &Event) -> Lines {
    let envelope = &event.envelope;
    let stamp = envelope.stamp;
    let mut line = Lines::of(format_args!(
        "{:>6}  {}",
        stamp.cursor.position, stamp.recorded_at
    ));
    add_content(&mut line, event);
    line
}

/// Adds the kind of an event, and whom and what it concerns.
fn add_content(line: &mut Lines, event: &Event) {
    let envelope = &event.envelope;
    line.add(format_args!("  {}", envelope.kind));
    if let Some(run) = &envelope.identity.run {
        line.add(format_args!("  {run}"));
    }
    if let Some(message) = &envelope.exchange.message {
        line.add(format_args!("  message {message}"));
    }
    for related in &envelope.about.related {
        line.add(format_args!("  {} {}", related.kind, related.id));
    }
    let recipients: &[heronry_types::RunId] = &envelope.exchange.recipients;
    if !recipients.is_empty() {
        let shown: Vec<&str> = recipients
            .iter()
            .take(8)
            .map(heronry_types::RunId::as_str)
            .collect();
        let more = if recipients.len() > 8 { ", …" } else { "" };
        line.add(format_args!("  to {}{more}", shown.join(", ")));
    }
    if let Payload::Summary { summary, .. } = &event.payload {
        line.add(format_args!("  {summary}"));
    }
}
