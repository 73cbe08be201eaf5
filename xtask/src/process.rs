//! Running cargo, with the command shown before it runs.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::out;

/// A cargo command with these arguments, run by the same cargo that runs this program.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Runs a command with its output on the terminal; a non-zero exit is an error that names it.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let shown = describe(&command);
    out::line(&format!("$ {shown}"));
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// The output of a finished command, and its success.
pub(crate) struct Transcript {
    /// Both streams, standard output first.
    pub(crate) text: String,
    /// True when the exit code was 0.
    pub(crate) success: bool,
}

/// Runs a command, shows both of its streams as they come, and keeps them.
pub(crate) fn run_and_read(mut command: Command) -> Result<Transcript> {
    let shown = describe(&command);
    out::line(&format!("$ {shown}"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let text = read_both(&mut child)?;
    let status = child.wait().with_context(|| format!("lost `{shown}`"))?;
    Ok(Transcript {
        text,
        success: status.success(),
    })
}

/// Reads both streams at once, so that neither pipe can fill up and block the child.
fn read_both(child: &mut Child) -> Result<String> {
    let (stdout, stderr) = streams(child)?;
    let reader = std::thread::spawn(move || echo(stderr));
    let mut text = echo(stdout)?;
    match reader.join() {
        Ok(rest) => text.push_str(&rest?),
        Err(_) => bail!("the thread that reads standard error panicked"),
    }
    Ok(text)
}

/// Runs a command and shows its output; one that has not closed its output in time is killed.
pub(crate) fn run_within(mut command: Command, limit: Duration) -> Result<()> {
    let shown = describe(&command);
    out::line(&format!("$ {shown}"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let (stdout, stderr) = streams(&mut child)?;
    let (open, ended) = mpsc::channel::<()>();
    let also_open = open.clone();
    let readers = [
        std::thread::spawn(move || echo_while(stdout, open)),
        std::thread::spawn(move || echo_while(stderr, also_open)),
    ];
    if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
        child
            .kill()
            .with_context(|| format!("cannot kill `{shown}`"))?;
        child.wait().with_context(|| format!("lost `{shown}`"))?;
        bail!("`{shown}` still ran after {limit:?} and was killed");
    }
    for reader in readers {
        if reader.join().is_err() {
            bail!("a thread that reads the output of `{shown}` panicked");
        }
    }
    let status = child.wait().with_context(|| format!("lost `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

fn streams(child: &mut Child) -> Result<(ChildStdout, ChildStderr)> {
    let stdout = child
        .stdout
        .take()
        .context("standard output was not captured")?;
    let stderr = child
        .stderr
        .take()
        .context("standard error was not captured")?;
    Ok((stdout, stderr))
}

/// Shows a stream to its end; the receiver sees the end when the last sender is gone.
fn echo_while(stream: impl Read, open: mpsc::Sender<()>) -> Result<()> {
    echo(stream)?;
    drop(open);
    Ok(())
}

/// Shows a stream line by line and returns all of it.
fn echo(stream: impl Read) -> Result<String> {
    let mut text = String::new();
    let mut reader = BufReader::new(stream);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let line = String::from_utf8_lossy(&bytes);
        out::line(line.trim_end_matches(['\n', '\r']));
        text.push_str(&line);
        bytes.clear();
    }
    Ok(text)
}

/// The command line, as a person would type it.
fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_stem().map_or_else(
        || program.display().to_string(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    let words = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name)
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_shown_by_its_name() {
        assert_eq!(describe(&cargo(["fmt", "--all"])), "cargo fmt --all");
    }

    #[test]
    fn failed_command_is_named() {
        let error = run(cargo(["no-such-subcommand"])).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("`cargo no-such-subcommand` failed"),
            "{error}"
        );
    }

    #[test]
    fn both_streams_are_read() {
        let transcript = run_and_read(cargo(["no-such-subcommand"])).unwrap();
        assert!(!transcript.success);
        assert!(
            transcript.text.contains("no such command"),
            "{}",
            transcript.text
        );
    }

    #[cfg(unix)]
    #[test]
    fn command_that_does_not_end_is_killed() {
        let mut command = Command::new("sh");
        command.args(["-c", "exec tail -f /dev/null"]);
        let error = run_within(command, Duration::from_millis(20)).unwrap_err();
        assert!(
            error.to_string().contains("still ran after 20ms"),
            "{error}"
        );
    }

    #[test]
    fn command_that_ends_in_time_is_judged_by_its_exit_code() {
        let limit = Duration::from_secs(60);
        run_within(cargo(["--version"]), limit).unwrap();
        let error = run_within(cargo(["no-such-subcommand"]), limit).unwrap_err();
        assert!(error.to_string().contains("failed"), "{error}");
    }
}
