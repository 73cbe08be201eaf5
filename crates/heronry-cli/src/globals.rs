//! Options that every verb takes.

use std::path::PathBuf;

use clap::Args;
use heronry_types::{Millis, PoolId, RunId};

use crate::{
    durations, environment,
    failure::Failure,
    fields::FieldPath,
    lines::TextForm,
    out::{Color, Format, Out},
};

/// Options that every verb takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for every verb")]
pub(crate) struct Globals {
    /// The pool [env: `HERONRY_POOL`] [default: that of a member token]
    #[arg(long, global = true, value_name = "POOL")]
    pub(crate) pool: Option<PoolId>,
    /// The run to act as [env: `HERONRY_RUN`] [default: that of a member token]
    #[arg(long, global = true, value_name = "RUN")]
    pub(crate) run: Option<RunId>,
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "The server, as http://127.0.0.1:7171 or unix:PATH [env: HERONRY_URL] \
                [default: the one of the data directory, else http://127.0.0.1:7171]"
    )]
    pub(crate) url: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        conflicts_with = "token_file",
        help = "The token; other users of this machine can see it here, so prefer the environment \
                [env: HERONRY_TOKEN] [default: the data directory's operator token]"
    )]
    pub(crate) token: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help = "A file with the token [env: HERONRY_TOKEN_FILE]"
    )]
    pub(crate) token_file: Option<PathBuf>,
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help = "The data directory [env: HERONRY_DATA_DIR] [default: the nearest .heronry of this \
                user in the working directory or above it]"
    )]
    pub(crate) data_dir: Option<PathBuf>,
    #[arg(
        long,
        global = true,
        value_name = "SPAN",
        value_parser = durations::parse,
        help = "The time to try while no server answers [env: HERONRY_CONNECT_TIMEOUT] [default: 5s]"
    )]
    pub(crate) connect_timeout: Option<Millis>,
    #[command(flatten)]
    shape: OutputArgs,
    #[command(flatten)]
    content: ContentFlag,
    /// The use of colours
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

#[derive(Debug, Args)]
struct OutputArgs {
    /// Print JSON: one document, or one line for each item
    #[arg(long, global = true, conflicts_with_all = ["field", "quiet"])]
    json: bool,
    /// Print these fields alone, with tabs between them
    #[arg(
        long,
        global = true,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with = "quiet"
    )]
    field: Vec<FieldPath>,
    #[command(flatten)]
    quiet: QuietFlag,
}

#[derive(Debug, Args)]
struct QuietFlag {
    /// Print nothing but errors
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct ContentFlag {
    /// Show text of others as it is, not line ends and control characters in it as escapes
    #[arg(long, global = true)]
    raw: bool,
}

impl Globals {
    /// Takes the values that no option named from the environment.
    pub(crate) fn complete(&mut self) -> Result<(), Failure> {
        if self.pool.is_none() {
            self.pool = environment::parsed("HERONRY_POOL")?;
        }
        if self.run.is_none() {
            self.run = environment::parsed("HERONRY_RUN")?;
        }
        if self.connect_timeout.is_none() {
            let span: Option<durations::TimeSpan> = environment::parsed("HERONRY_CONNECT_TIMEOUT")?;
            self.connect_timeout = span.map(|span| span.0);
        }
        Ok(())
    }

    /// Returns the printer that was asked for.
    pub(crate) fn out(&self) -> Out {
        let format = if self.shape.json {
            Format::Json
        } else if !self.shape.field.is_empty() {
            Format::Fields(self.shape.field.clone())
        } else if self.shape.quiet.quiet {
            Format::Quiet
        } else {
            Format::Text
        };
        let content = if self.content.raw {
            TextForm::Raw
        } else {
            TextForm::Escaped
        };
        Out::new(format, content, self.color)
    }
}
