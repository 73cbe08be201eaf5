//! `heronry wait`: sleeps until something happens.

mod begin;
mod early;

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use heronry_client::{ClientError, PoolClient, WaitPieces};
use heronry_types::{
    Condition, Count, Cursor, DistinctBy, IdempotencyKey, Millis, PolicyRef, RunState, Since,
    WakeStatus, WakeView,
};
use heronry_wire::{ProblemKind, RegisterWake, SetState, SinceText, WakeQuery};
use serde::Serialize;

use self::{
    begin::{After, Begin},
    early::Early,
};
use super::members::{parse_policy, policies_of, policy_text};
use crate::{
    connect::{Context, last_look, refused, within},
    cursors::{CursorFile, Note, What, digest},
    durations,
    failure::{Exit, Failure, Outcome},
    last,
    lines::Lines,
    out::RowsPlace,
    secrets::random_name,
};

/// The longest wait of one request.
const POLL: Millis = Millis(25_000);

/// Sleep until an event comes that a filter keeps, or until several did
#[derive(Debug, Args)]
#[command(
    after_help = "Events count from where the last wait with this pool, run and filter ended; \
the first one begins after the last that the run sent or saw from this data directory (send, ask, emit, \
inbox, wait), so that what happened in between counts, or else at the head. Where it begins is said on \
stderr, and is `since` in JSON. A command that was killed and is repeated continues the same wake.\n\n\
Example:\n  heronry --pool review --run lead send --to run:scanner-1 --body '?' --id q --expect 1 --within 10m\n  \
heronry --pool review --run lead wait --after q 'kind == \"run_message_responded\" && message == \"q\"' --timeout 10m\n  \
heronry --pool review --run lead wait 'kind == \"run_completed\"' --timeout 10m\n  \
heronry --pool review --run lead wait --count 3 --distinct-by run 'kind == \"run_completed\"'\n  \
heronry --pool review --run lead wait --suspend --timeout 1h '\"lead\" in recipients'"
)]
#[command(group(ArgGroup::new("condition").required(true).args(["filter", "any_of", "all_of"])))]
pub(crate) struct WaitArgs {
    /// The filter
    filter: Option<String>,
    /// Wait for one event of any of these filters; may be given again
    #[arg(long, visible_alias = "any", value_name = "FILTER")]
    any_of: Vec<String>,
    /// Wait until each of these filters has kept an event; may be given again
    #[arg(long, visible_alias = "all", value_name = "FILTER")]
    all_of: Vec<String>,
    /// Wait for this many events that the filter keeps
    #[arg(long, value_name = "N", requires = "filter")]
    count: Option<u32>,
    /// The part that differs between counted events: event, message, run or subject [default: subject]
    #[arg(long, value_name = "WHAT", requires = "count")]
    distinct_by: Option<DistinctBy>,
    /// The starting point of counted events: start, head or a cursor. No cursor file is used then
    #[arg(long, value_name = "CURSOR")]
    since: Option<SinceText>,
    /// The point after which events count: a message of the run (its acceptance), a cursor, or last (what the
    /// run last sent or saw). No cursor file is used then
    #[arg(long, value_name = "MESSAGE|CURSOR|last", conflicts_with = "since")]
    after: Option<After>,
    #[command(flatten)]
    end: EndArgs,
    /// Suspend the run until then: its lease does not run, and its claims do not lapse. When
    /// something else resumes it before, that ends the command, too, with exit code 1
    #[arg(long, requires = "end")]
    suspend: bool,
    /// A policy that the wake carries: the run has to hold it as long as it waits. Can be repeated
    #[arg(long = "policy", value_name = "KIND:ID[@VERSION]", value_parser = parse_policy)]
    policies: Vec<PolicyRef>,
    /// The file that says where the last wait ended [default: one in the data directory]
    #[arg(long, value_name = "FILE")]
    cursor_file: Option<PathBuf>,
}

/// The latest end of the wait.
#[derive(Debug, Args)]
struct EndArgs {
    /// The longest wait; after it the exit code is 4
    #[arg(long, value_name = "SPAN", value_parser = durations::parse, group = "end")]
    timeout: Option<Millis>,
    /// With --suspend: there is no timeout
    #[arg(long, requires = "suspend", group = "end")]
    forever: bool,
}

impl WaitArgs {
    fn condition(&self) -> Condition {
        let filters = |texts: &[String]| texts.iter().cloned().map(Condition::Filter).collect();
        match (&self.filter, self.count) {
            (Some(filter), Some(n)) => Condition::Count(Count {
                n,
                filter: filter.clone(),
                distinct_by: self.distinct_by.unwrap_or_default(),
            }),
            (Some(filter), None) => Condition::Filter(filter.clone()),
            (None, _) if self.all_of.is_empty() => Condition::AnyOf(filters(&self.any_of)),
            (None, _) => Condition::AllOf(filters(&self.all_of)),
        }
    }

    /// Returns true when the command says where it begins.
    fn names_its_begin(&self) -> bool {
        self.since.is_some() || self.after.is_some()
    }

    /// Returns the text that stands for the condition: for a filter its own text, as always.
    fn text(&self) -> String {
        self.condition().to_string()
    }
}

/// The end of a wait.
#[derive(Debug, Serialize)]
struct Waited<'a> {
    #[serde(flatten)]
    view: &'a WakeView,
    /// The events that came too early for it, when it timed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    early: Option<Early>,
}

pub(crate) async fn run(cx: &Context, args: WaitArgs) -> Outcome {
    let pool = cx.waiting_pool(args.end.timeout)?;
    let file = cursor_file(cx, &pool, &args)?;
    let begin = begin(cx, &pool, (file.as_ref(), &args)).await?;
    let mut wake = RegisterWake::of(args.condition(), key(cx, &pool, (&args, begin.since))?);
    wake.run_id.clone_from(&cx.globals.run);
    wake.since = Some(SinceText(begin.since));
    wake.timeout_ms = args.end.timeout;
    wake.policies = policies_of(args.policies.clone());
    wake.suspends_run = args.suspend.then_some(true);
    wake.forever = args.end.forever.then_some(true);
    let view = until_ended(cx, &pool, (&wake, &begin)).await;
    let view = view.map_err(|error| {
        let is_stale = error.is(ProblemKind::CursorForeign) || error.is(ProblemKind::CursorTrimmed);
        match &file {
            Some(file) if is_stale => refused_cursor(&error, file),
            Some(_) | None => refused(error),
        }
    })?;
    let early = match view.status {
        WakeStatus::TimedOut => Early::find(cx, &last_look(pool.clone()), &view).await,
        WakeStatus::Triggered
        | WakeStatus::Registered
        | WakeStatus::Cancelled
        | WakeStatus::Failed => None,
    };
    let waited = Waited { view: &view, early };
    cx.out
        .answer(&waited, RowsPlace::Whole, || lines_of(&view))?;
    if let Some(early) = &early {
        early.say(cx);
    }
    if view.status == WakeStatus::Triggered {
        last::saw(cx, passed(&view));
    }
    // Only when the answer is out: a command that is killed before this gives the same answer again.
    if let Some(file) = &file {
        file.write(passed(&view))?;
    }
    Ok(match view.status {
        WakeStatus::Triggered => Exit::Ok,
        WakeStatus::TimedOut => Exit::TimedOut,
        WakeStatus::Registered | WakeStatus::Cancelled | WakeStatus::Failed => Exit::Failed,
    })
}

fn cursor_file(
    cx: &Context,
    pool: &PoolClient,
    args: &WaitArgs,
) -> Result<Option<CursorFile>, Failure> {
    match (&args.cursor_file, args.names_its_begin()) {
        (Some(path), _) => Ok(Some(CursorFile::at(path))),
        (None, true) => Ok(None),
        (None, false) => {
            let note = Note {
                what: What::Wait,
                pool: pool.id().to_string(),
                run: cx.run_text().to_owned(),
                filter: Some(args.text()),
            };
            CursorFile::of(&cx.data_dir, note).map(Some)
        }
    }
}

/// Returns where the wait begins, and writes down where a first one does.
async fn begin(
    cx: &Context,
    pool: &PoolClient,
    (file, args): (Option<&CursorFile>, &WaitArgs),
) -> Result<Begin, Failure> {
    if let Some(file) = file
        && let Some(cursor) = file.read()?
    {
        return Ok(Begin::at_file(cursor, file));
    }
    let place = (args.since, args.after.as_ref());
    let mut begin = match Begin::named(cx, pool, place).await? {
        Some(begin) => begin,
        None => Begin::first(cx, pool).await?,
    };
    if let Some(file) = file {
        let start = match begin.since {
            Since::Cursor(cursor) => cursor,
            Since::Head => pool.view().await.map_err(refused)?.head,
            Since::Start => pool.view().await.map_err(refused)?.floor,
        };
        file.write(start)?;
        begin.since = Since::Cursor(start);
    }
    Ok(begin)
}

/// A wait at the cursor of a file has one key, so that its repeat is the same wake; others are fresh.
fn key(
    cx: &Context,
    pool: &PoolClient,
    (args, since): (&WaitArgs, Since),
) -> Result<IdempotencyKey, Failure> {
    let is_kept = args.cursor_file.is_some() || !args.names_its_begin();
    let text = match since {
        Since::Cursor(cursor) if is_kept => {
            let timeout = args
                .end
                .timeout
                .map_or_else(String::new, |span| span.to_string());
            let (condition, cursor) = (args.text(), cursor.to_string());
            let mut texts = vec![
                pool.id().as_str(),
                cx.run_text(),
                &condition,
                &cursor,
                &timeout,
            ];
            texts.extend(args.suspend.then_some("suspend"));
            let policies = policies_of(args.policies.clone());
            let policies: Vec<String> = policies.as_slice().iter().map(policy_text).collect();
            texts.extend(policies.iter().map(String::as_str));
            digest(&texts)
        }
        Since::Cursor(_) | Since::Head | Since::Start => random_name()?,
    };
    IdempotencyKey::parse(format!("wait-{text}")).map_err(Failure::failed)
}

/// Registers the wake and waits for its end, over as many requests and servers as that takes.
async fn until_ended(
    cx: &Context,
    pool: &PoolClient,
    (wake, begin): (&RegisterWake, &Begin),
) -> Result<WakeView, ClientError> {
    // Not held: from the answer on, the wake is there whatever becomes of this server.
    let mut view = pool.register_wake(wake).await?.wake;
    cx.out.note(&begin.line(cx, view.since));
    if is_resumed(&view) {
        view = suspend_again(pool, &view).await?;
    }
    let query = WakeQuery {
        wait_ms: None,
        run: cx.globals.run.clone(),
    };
    let id = view.wake_id.clone();
    // The wake ends by itself when its time is over.
    let mut pieces = WaitPieces::of(None, POLL);
    // The wake outlives a server that starts again, and the client finds that one.
    let ended = within(wake.timeout_ms, async {
        while view.status == WakeStatus::Registered && !is_resumed(&view) {
            let query = WakeQuery {
                wait_ms: pieces.next(),
                ..query.clone()
            };
            match pool.wake(&id, &query).await {
                Ok(again) if again.status == WakeStatus::Registered => {
                    view = again;
                    pieces.passed().await;
                }
                Ok(again) => view = again,
                Err(error) => pieces.fit(error)?,
            }
        }
        Ok(view)
    });
    match ended.await {
        Some(ended) => ended,
        None => last_look(pool.clone()).wake(&id, &query).await,
    }
}

/// The wake still waits, and its run goes on for another reason.
fn is_resumed(view: &WakeView) -> bool {
    view.status == WakeStatus::Registered && view.run_state == Some(RunState::Active)
}

/// A repeated registration suspends nobody: this does, until the wake ends.
async fn suspend_again(pool: &PoolClient, view: &WakeView) -> Result<WakeView, ClientError> {
    let state = SetState {
        wakes: Some(vec![view.wake_id.clone()]),
        forever: Some(true),
        ..SetState::of(RunState::Suspended)
    };
    pool.set_state(&view.run_id, &state).await?;
    let query = WakeQuery {
        wait_ms: None,
        run: Some(view.run_id.clone()),
    };
    pool.wake(&view.wake_id, &query).await
}

/// Returns where the next wait starts: behind the event at which the condition came to hold, or
/// behind the end.
fn passed(view: &WakeView) -> Cursor {
    let last = view
        .matches
        .iter()
        .map(|it| it.cursor)
        .max_by_key(|it| it.position);
    last.unwrap_or(view.cursor)
}

fn refused_cursor(error: &ClientError, file: &CursorFile) -> Failure {
    Failure::new(
        Exit::Refused,
        format_args!(
            "{error}; remove {} to start at the head",
            file.path().display()
        ),
    )
}

fn lines_of(view: &WakeView) -> Lines {
    let mut lines = Lines::of(format_args!("{} {}", view.wake_id, view.status));
    if is_resumed(view) {
        lines.add(format_args!(", and {} goes on", view.run_id));
    }
    if let Some(reason) = view.reason {
        lines.add(format_args!(" ({reason})"));
    }
    for found in &view.matches {
        lines.line(format_args!("  {} {}", found.cursor, found.kind));
    }
    lines
}
