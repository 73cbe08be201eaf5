//! `heronry completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{
    Cli,
    failure::{Exit, Outcome},
    out::print,
};

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry completions bash > ~/.local/share/bash-completion/completions/heronry"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "heronry", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
