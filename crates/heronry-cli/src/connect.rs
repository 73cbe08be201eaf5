//! Finding the server and the token, and what its answers mean for the exit code.

use std::{env, ffi::OsString, fs, path::Path};

use heronry_client::{Client, ClientError, PoolClient, Token};
use heronry_event::filter::CompileErrors;
use heronry_types::RunId;
use heronry_wire::{Problem, ProblemKind};

use crate::{
    data_dir::DataDir,
    failure::{Exit, Failure},
    globals::Globals,
    out::Out,
};

/// Where a server is when nothing says so.
const DEFAULT_URL: &str = "http://127.0.0.1:7171";

/// What every verb works with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) globals: Globals,
    pub(crate) out: Out,
    pub(crate) data_dir: DataDir,
}

impl Context {
    pub(crate) fn new(globals: Globals) -> Self {
        let out = globals.out();
        // A variable that is set to nothing names nothing.
        let data_dir = if globals.data_dir.as_os_str().is_empty() {
            DataDir::at("./.heronry")
        } else {
            DataDir::at(&globals.data_dir)
        };
        Self {
            globals,
            out,
            data_dir,
        }
    }

    /// Returns a client of the server that was named, or that is found.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let named = self.globals.url.clone().or_else(|| text_of("HERONRY_URL"));
        let url = named
            .or_else(|| self.data_dir.announced_url())
            .unwrap_or_else(|| DEFAULT_URL.to_owned());
        Client::new(&url, self.token()?).map_err(refused)
    }

    /// Returns a client of the pool that was named.
    pub(crate) fn pool(&self) -> Result<PoolClient, Failure> {
        match &self.globals.pool {
            Some(pool) => Ok(self.client()?.pool(pool)),
            None => Err(Failure::usage(
                "no pool is named; give --pool or set HERONRY_POOL",
            )),
        }
    }

    /// Returns the run that was named.
    pub(crate) fn run(&self) -> Result<&RunId, Failure> {
        let missing = || Failure::usage("no run is named; give --run or set HERONRY_RUN");
        self.globals.run.as_ref().ok_or_else(missing)
    }

    /// Returns the run that was named, as text; empty when none was.
    pub(crate) fn run_text(&self) -> &str {
        self.globals.run.as_ref().map_or("", |run| run.as_str())
    }

    /// Flags come before the environment, and a token before a file of one.
    fn token(&self) -> Result<Option<Token>, Failure> {
        if let Some(token) = &self.globals.token {
            return Ok(Some(Token::new(token)));
        }
        if let Some(file) = &self.globals.token_file {
            return token_in(file).map(Some);
        }
        if let Some(token) = text_of("HERONRY_TOKEN") {
            return Ok(Some(Token::new(token)));
        }
        if let Some(file) = value_of("HERONRY_TOKEN_FILE") {
            return token_in(Path::new(&file)).map(Some);
        }
        let operator = self.data_dir.operator_token();
        if operator.exists() {
            return token_in(&operator).map(Some);
        }
        Ok(None)
    }
}

fn token_in(file: &Path) -> Result<Token, Failure> {
    let text = fs::read_to_string(file);
    let text = text.map_err(|error| Failure::file("read the token in", file, &error))?;
    Ok(Token::new(text))
}

fn value_of(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn text_of(name: &str) -> Option<String> {
    // A URL or token that is not text cannot be meant.
    value_of(name).and_then(|value| value.into_string().ok())
}

/// Says what an error of the client means to the caller of the command.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands in map_err, which hands the error over"
)]
pub(crate) fn refused(error: ClientError) -> Failure {
    let exit = match &error {
        ClientError::Url { .. } | ClientError::Path { .. } => Exit::Usage,
        ClientError::Unreachable { .. }
        | ClientError::Timeout { .. }
        | ClientError::Foreign { .. } => Exit::Unreachable,
        ClientError::Refused(problem) => return problem_failure(problem),
        ClientError::Decode { .. } | _ => Exit::Failed,
    };
    let cause = std::error::Error::source(&error).map(innermost);
    let cause = cause.map_or_else(String::new, |cause| format!(" ({cause})"));
    Failure::new(exit, format_args!("{error}{cause}"))
}

/// The first cause says what happened; those around it say where.
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
