//! The lines that people see while a job runs.

use heronry_host::{HostedSubject, IncarnationEnd};
use heronry_host_process::OutputObserver;
use heronry_unified::{Notice, Observer};

use crate::{
    failure::Failure,
    lines::TextForm,
    out::{Format, Out, diagnose},
};

/// Colours of member names, in turn.
const COLORS: [u8; 6] = [36, 33, 32, 35, 34, 31];

/// Shows progress: on stdout for people, on stderr beside an answer for programs.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    place: ScreenTarget,
    is_colored: bool,
    content: TextForm,
    width: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ScreenTarget {
    Stdout,
    Stderr,
    Nowhere,
}

impl Screen {
    /// Returns a screen for members whose names have at most this many characters.
    pub(crate) fn new(out: &Out, width: usize) -> Self {
        let place = match out.format() {
            Format::Text => ScreenTarget::Stdout,
            Format::Json | Format::Fields(_) => ScreenTarget::Stderr,
            Format::Quiet => ScreenTarget::Nowhere,
        };
        Self {
            place,
            is_colored: place == ScreenTarget::Stdout && out.is_colored(),
            content: out.content(),
            width,
        }
    }

    /// Shows a line of a member.
    fn member_line(&self, run: &str, line: &str) {
        let (run, line) = (self.content.line(run), self.content.line(line));
        let padding = " ".repeat(self.width.saturating_sub(run.chars().count()));
        if self.is_colored {
            let color = color_of(&run);
            self.show(&format!("\u{1b}[{color}m{run}{padding} |\u{1b}[0m {line}"));
        } else {
            self.show(&format!("{run}{padding} | {line}"));
        }
    }

    /// Shows an action of `up` itself.
    pub(crate) fn progress(&self, line: &str) {
        self.show(&self.content.line(line));
    }

    fn show(&self, line: &str) {
        match self.place {
            ScreenTarget::Stdout => {
                // The job goes on when nobody looks any more.
                let _: Result<(), Failure> = crate::out::print(&format!("{line}\n"));
            }
            ScreenTarget::Stderr => diagnose(line),
            ScreenTarget::Nowhere => {}
        }
    }
}

impl OutputObserver for Screen {
    fn line(&self, subject: &HostedSubject, line: &str) {
        self.member_line(subject.name(), line);
    }
}

impl Observer for Screen {
    fn notice(&self, notice: &Notice) {
        let line = match notice {
            Notice::Restarting { run, end, pause } => {
                let millis = pause.as_millis();
                match end {
                    IncarnationEnd::Failed(why) => {
                        format!("{run}: {why}; starts again in {millis} ms")
                    }
                    IncarnationEnd::Succeeded
                    | IncarnationEnd::ExitCode(_)
                    | IncarnationEnd::Signal(_) => {
                        format!("{run} ended with {end}; starts again in {millis} ms")
                    }
                }
            }
            Notice::Ended { run, state, end } => match end {
                Some(end) => format!("{run} {state} ({end})"),
                None => format!("{run} {state}"),
            },
            Notice::EndedEarlier { run, state } => format!("{run} {state} earlier"),
            Notice::Broken { run, why } => format!("{run} is broken: {why}"),
            Notice::ModuleFailed { module, why } => format!("module {module} failed: {why}"),
            Notice::Trouble { what } => what.clone(),
            // The rest is seen in what members print.
            Notice::Phase(_)
            | Notice::Ready { .. }
            | Notice::Asleep { .. }
            | Notice::ModuleReady { .. }
            | _ => return,
        };
        self.progress(&line);
    }
}

fn color_of(run: &str) -> u8 {
    let sum: usize = run.bytes().map(usize::from).sum();
    COLORS.get(sum % COLORS.len()).copied().unwrap_or(36)
}
