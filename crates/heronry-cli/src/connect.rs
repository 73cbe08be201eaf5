//! Asking the server, and the exit codes of its answers.

use std::{future::Future, sync::Arc, time::Duration};

use heronry_client::{Client, ClientError, Patience, PoolClient};
use heronry_event::filter::CompileErrors;
use heronry_types::{Millis, RunId};
use heronry_wire::{Problem, ProblemKind};

use crate::{
    data_dir::DataDir,
    failure::{Exit, Failure},
    finder::{Finder, check_token_file, named_member, take_from_pipe},
    globals::Globals,
    out::Out,
};

/// The longest time that a command tries to reach a server, when no option or variable gives another.
const CONNECT_TIME: Millis = Millis(5_000);
/// The time past its own limit in which a waiting command still takes the answer of a server.
const LAST_ANSWER: Duration = Duration::from_millis(500);
/// The longest time that the last look of a waiting command goes on while no server answers.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// The common surroundings of every verb: global options, output and data directory.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) globals: Globals,
    pub(crate) out: Out,
    pub(crate) data_dir: DataDir,
}

impl Context {
    pub(crate) fn new(mut globals: Globals) -> Result<Self, Failure> {
        globals.complete()?;
        take_from_pipe(&mut globals);
        // A member token is all that a member needs.
        if let Some(member) = named_member(&globals) {
            globals.pool.get_or_insert(member.pool);
            globals.run.get_or_insert(member.run);
        }
        let out = globals.out();
        let data_dir = DataDir::find(globals.data_dir.as_deref());
        data_dir.say_passed_over();
        Ok(Self {
            globals,
            out,
            data_dir,
        })
    }

    /// Returns a client of the server that was named, or that is found.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let time = self.connect_time();
        let patience = Patience {
            first: time,
            again: Some(time),
        };
        Ok(self.found()?.with_patience(patience))
    }

    fn found(&self) -> Result<Client, Failure> {
        let finder = Finder::new(&self.globals).map_err(refused)?;
        Ok(Client::located(Arc::new(finder)))
    }

    fn connect_time(&self) -> Duration {
        self.globals.connect_timeout.unwrap_or(CONNECT_TIME).into()
    }

    /// Returns a client of the pool that was named.
    pub(crate) fn pool(&self) -> Result<PoolClient, Failure> {
        self.pool_of(&self.client()?)
    }

    /// Returns a client of the pool for a command that waits: a server that was there may be gone for
    /// as long as that takes. The command's own time bounds how long a first server is looked for.
    pub(crate) fn waiting_pool(&self, within: Option<Millis>) -> Result<PoolClient, Failure> {
        let time = self.connect_time();
        let first = within.map_or(time, |within| time.min(within.into()));
        let patience = Patience { first, again: None };
        self.pool_of(&self.found()?.with_patience(patience))
    }

    fn pool_of(&self, client: &Client) -> Result<PoolClient, Failure> {
        match &self.globals.pool {
            Some(pool) => Ok(client.pool(pool)),
            None => Err(self.unnamed("no pool is named; give --pool or set HERONRY_POOL")),
        }
    }

    /// Returns the run that was named.
    pub(crate) fn run(&self) -> Result<&RunId, Failure> {
        let missing = || self.unnamed("no run is named; give --run or set HERONRY_RUN");
        self.globals.run.as_ref().ok_or_else(missing)
    }

    /// Says what was not named. A member token names it; one that cannot be read comes first.
    fn unnamed(&self, line: &str) -> Failure {
        let checked = check_token_file(&self.globals);
        checked.err().unwrap_or_else(|| Failure::usage(line))
    }

    /// Returns the run that was named, as text; empty when none was.
    pub(crate) fn run_text(&self) -> &str {
        self.globals.run.as_ref().map_or("", |run| run.as_str())
    }
}

/// Waits for what a waiting command does, and a moment longer than its own time; nothing when that is
/// over, as when the server was away meanwhile.
pub(crate) async fn within<T>(time: Option<Millis>, doing: impl Future<Output = T>) -> Option<T> {
    let Some(time) = time else {
        return Some(doing.await);
    };
    let limit = Duration::from(time).saturating_add(LAST_ANSWER);
    // An elapsed time is the answer itself.
    tokio::time::timeout(limit, doing).await.ok()
}

/// Returns a client for a last look at how things stand, when the time of a command is over.
pub(crate) fn last_look(pool: PoolClient) -> PoolClient {
    pool.with_patience(Patience {
        first: LAST_LOOK,
        again: Some(LAST_LOOK),
    })
}

/// Returns the failure that tells the caller of the command of an error of the client.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands in map_err, which hands the error over"
)]
pub(crate) fn refused(error: ClientError) -> Failure {
    let exit = match &error {
        ClientError::Url { .. } | ClientError::Path { .. } => Exit::Usage,
        ClientError::Unreachable { .. }
        | ClientError::Timeout { .. }
        | ClientError::Foreign { .. }
        | ClientError::NotFound { may_come: true, .. } => Exit::Unreachable,
        ClientError::Unproven { .. } => {
            let ways = "give the server's --data-dir, --token-file or HERONRY_TOKEN";
            return Failure::new(Exit::Refused, format_args!("{error}; {ways}"));
        }
        ClientError::Refused(problem) => return problem_failure(problem),
        // What would name the server or the token is there, and may not be used.
        ClientError::NotFound {
            may_come: false, ..
        }
        | ClientError::Decode { .. } => Exit::Failed,
    };
    let cause = std::error::Error::source(&error).map(innermost);
    let cause = cause.map_or_else(String::new, |cause| format!(" ({cause})"));
    Failure::new(exit, format_args!("{error}{cause}"))
}

/// The first cause names the event; the causes around it name the place.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn problem_failure(problem: &Problem) -> Failure {
    let exit = match (problem.kind(), problem.status) {
        (
            Some(
                ProblemKind::InvalidRequest
                | ProblemKind::CursorInvalid
                | ProblemKind::FilterInvalid,
            ),
            _,
        ) => Exit::Usage,
        (_, 500..) => Exit::Failed,
        _ => Exit::Refused,
    };
    let slug = problem.slug();
    match filter_errors(problem) {
        None => match on_the_command_line(problem) {
            Some(line) => Failure::new(exit, format_args!("{line} ({slug})")),
            None => Failure::new(exit, format_args!("{problem} ({slug})")),
        },
        Some(errors) => {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::new(exit, format_args!("filter: {} ({slug})", lines.join("; ")))
        }
    }
}

/// Says what to do in the words of the command line, where the server speaks of requests.
fn on_the_command_line(problem: &Problem) -> Option<String> {
    let kind = problem.kind()?;
    let line = if kind == ProblemKind::PoolNotFound {
        "no such pool; open it with `heronry pool open`, or see `heronry pool list`"
    } else if kind == ProblemKind::Unauthorized {
        "the token is missing or wrong; give the server's --data-dir, --token-file or HERONRY_TOKEN"
    } else if kind == ProblemKind::InvalidRequest && is_missing_run(problem) {
        "no run is named; give --run or set HERONRY_RUN"
    } else if kind == ProblemKind::ConfigConflict {
        let ways = "leave them out to open it as it is, or change limits with `heronry pool set`";
        return Some(format!("{problem}; {ways}"));
    } else {
        return None;
    };
    Some(line.to_owned())
}

/// An operator's request has to name the run, in one of these fields.
fn is_missing_run(problem: &Problem) -> bool {
    let names_run = matches!(problem.text("field"), Some("from" | "run" | "run_id"));
    names_run && problem.to_string().contains("missing")
}

/// Returns the errors of a filter that a problem lists.
fn filter_errors(problem: &Problem) -> Option<CompileErrors> {
    let listed = problem.members.get("errors").cloned()?;
    // A server that lists them in another form still names the problem itself.
    serde_json::from_value(listed).ok()
}
