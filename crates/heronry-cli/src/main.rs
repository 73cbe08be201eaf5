#![doc = include_str!("../README.md")]

mod bench;
mod carry;
mod connect;
mod cursors;
mod data_dir;
mod durations;
mod environment;
mod failure;
mod fields;
mod files;
mod finder;
mod globals;
mod host;
mod last;
mod lines;
mod logging;
mod out;
mod secrets;
mod signals;
mod tables;
mod text;
mod up;
mod verbs;

use std::{process::ExitCode, time::Duration};

use clap::{
    Command, CommandFactory, FromArgMatches, Parser,
    error::{ContextKind, ContextValue},
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    connect::Context,
    failure::Failure,
    globals::Globals,
    logging::{Level, LogArgs},
    verbs::Verb,
};

/// The allocator of the process. One thread often frees here the memory that another allocated, and
/// the system's allocator is slow at that.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The most threads that wait at the same time for members and other blocking work.
const BLOCKING_THREADS_MAX: usize = 4_096;
/// The longest time that work which cannot be stopped may delay the end of the process.
const LAST_WORK: Duration = Duration::from_secs(1);

/// Durable coordination for pools of agents: join, send, sleep until something happens, replay
#[derive(Debug, Parser)]
#[command(
    name = "heronry",
    version,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 ok; 1 failed; 2 usage; 3 refused by the rules; 4 timed out; \
5 cannot reach the server; 6 data damaged; 7 the store closed under the server (start it again); \
130 and 143 ended by a signal; \
141 nobody reads the output any more.\n\n\
Example:\n  heronry serve &\n  heronry pool open review\n  \
heronry --pool review join --run lead --agent lead"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(flatten)]
    log: LogArgs,
    #[command(subcommand)]
    verb: Verb,
}

fn main() -> ExitCode {
    let found = with_dashes(Cli::command()).try_get_matches();
    let cli = match found.and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => cli,
        Err(error) => escaped(error).exit(),
    };
    let started = logging::start(&cli.log, usual_level(&cli.verb))
        .and_then(|()| Ok((Context::new(cli.globals)?, runtime(&cli.verb)?)));
    let code = started.and_then(|(cx, runtime)| {
        let ended = runtime.block_on(Box::pin(verbs::run(cx, cli.verb)));
        runtime.shutdown_timeout(LAST_WORK);
        ended
    });
    match code {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            if !failure.is_silent() {
                out::diagnose(&format!("heronry: {failure}"));
            }
            failure.exit().into()
        }
    }
}

/// Escapes the texts of the command line that a refusal quotes, so that each stays in its line.
fn escaped(mut error: clap::Error) -> clap::Error {
    let quoted: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(text::one_line(text)))),
            ContextValue::Strings(texts) => {
                let texts = texts.iter().map(|text| text::one_line(text));
                Some((kind, ContextValue::Strings(texts.collect())))
            }
            // These are no text of the command line; the last arm is for kinds younger than this match.
            ContextValue::None
            | ContextValue::Bool(_)
            | ContextValue::StyledStr(_)
            | ContextValue::StyledStrs(_)
            | ContextValue::Number(_)
            | _ => None,
        })
        .collect();
    for (kind, value) in quoted {
        error.insert(kind, value);
    }
    error
}

/// Returns the usual level of the log: a server tells its actions; a job's screen tells the useful
/// ones, and other verbs answer.
fn usual_level(verb: &Verb) -> Level {
    if matches!(verb, Verb::Serve(_)) {
        Level::Info
    } else {
        Level::Warn
    }
}

/// Lets the value of every option begin with a dash: texts of agents are lists, diffs and negative
/// numbers, and ids may begin as they like.
fn with_dashes(command: Command) -> Command {
    command
        .mut_args(|option| {
            let takes_value = option.get_action().takes_values() && !option.is_positional();
            option.allow_hyphen_values(takes_value)
        })
        .mut_subcommands(with_dashes)
}

/// Servers get threads; everything else, of which there may be hundreds at once, gets none.
fn runtime(verb: &Verb) -> Result<Runtime, Failure> {
    let mut builder = if matches!(verb, Verb::Serve(_) | Verb::Up(_) | Verb::Bench(_)) {
        Builder::new_multi_thread()
    } else {
        Builder::new_current_thread()
    };
    builder
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|error| Failure::failed(format_args!("cannot start the async runtime: {error}")))
}
