//! The log: what the process says of itself on stderr, beside its answers.

use std::io::{self, IsTerminal};

use clap::{Args, ValueEnum};
use tracing_subscriber::{
    Layer, Registry, filter::LevelFilter, filter::Targets, fmt, layer::SubscriberExt,
    util::SubscriberInitExt,
};

use heronry_types::nearest;

use crate::{environment, failure::Failure, text};

/// The variable that says how much is logged.
const LOG: &str = "HERONRY_LOG";

/// Options of the log: its level and its form.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for every verb")]
pub(crate) struct LogArgs {
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        value_enum,
        help = "The level of the log on stderr [env: HERONRY_LOG] [default: info for serve, else warn]"
    )]
    log: Option<Level>,
    /// The form of log lines: text for people, or one JSON object a line; auto is text on a terminal, else JSON
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t = LogFormat::Auto
    )]
    log_format: LogFormat,
}

/// The least importance of the lines that are logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Level {
    /// Nothing.
    Off,
    /// Failures.
    Error,
    /// Failures, and warnings.
    Warn,
    /// Failures, warnings, and events that come now and then.
    Info,
    /// All of these, and events that come all the time.
    Debug,
    /// And everything else.
    Trace,
}

/// The form of the log's lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LogFormat {
    /// As text on a terminal, and as JSON elsewhere.
    Auto,
    /// As lines for people.
    Text,
    /// As one JSON object a line.
    Json,
}

impl Level {
    fn filter(self) -> LevelFilter {
        match self {
            Self::Off => LevelFilter::OFF,
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }

    /// Reads a level from the environment.
    fn named(text: &str) -> Result<Self, Failure> {
        Self::from_str(text, true).map_err(|_| {
            let names = ["off", "error", "warn", "info", "debug", "trace"];
            let meant = nearest(&text.to_ascii_lowercase(), names);
            let meant = meant.map_or_else(String::new, |name| format!("; did you mean {name}?"));
            let known = names.join(", ");
            Failure::usage(format_args!(
                "{LOG} is {text:?}, which is no level{meant} known: {known}"
            ))
        })
    }
}

/// Begins to log. `usual` is how much, unless somebody says.
pub(crate) fn start(args: &LogArgs, usual: Level) -> Result<(), Failure> {
    let named = match (args.log, environment::value(LOG)) {
        (Some(level), _) => Some(level),
        (None, Some(text)) => Some(Level::named(&text.to_string_lossy())?),
        (None, None) => None,
    };
    let level = named.unwrap_or(usual).filter();
    // Of libraries only what failed is of use to somebody who runs this program.
    let filter = Targets::new()
        .with_target("heronry", level)
        .with_default(level.min(LevelFilter::WARN));
    let is_terminal = io::stderr().is_terminal();
    let is_json = match args.log_format {
        LogFormat::Auto => !is_terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let lines = fmt::layer().with_writer(|| Plain);
    let layer: Box<dyn Layer<Registry> + Send + Sync> = if is_json {
        Box::new(lines.json().flatten_event(true))
    } else {
        let is_refused = environment::value("NO_COLOR").is_some();
        Box::new(lines.with_ansi(is_terminal && !is_refused))
    };
    // Nobody else has begun to log in this process; if somebody had, their log would do.
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init();
    Ok(())
}

/// The stderr of the log: names that others chose end no line of it.
struct Plain;

impl io::Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = text::log_line(&String::from_utf8_lossy(bytes));
        io::stderr().lock().write_all(line.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_named_in_any_case() {
        assert_eq!(Level::named("Debug").unwrap(), Level::Debug);
        let refused = Level::named("inof").unwrap_err().to_string();
        assert!(refused.contains("did you mean info?"), "{refused}");
        assert!(refused.contains("known: off, error,"), "{refused}");
    }
}
