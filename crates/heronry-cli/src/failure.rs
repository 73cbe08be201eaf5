//! The end of a verb: exit codes, and failures of one line.

use std::{
    fmt, io,
    os::unix::process::ExitStatusExt,
    process::{ExitCode, ExitStatus},
};

/// The number of the signal that ends a process which writes to a pipe that nobody reads.
const BROKEN_PIPE: u8 = 13;

/// The way in which the process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// The verb did what was asked.
    Ok,
    /// The verb failed.
    Failed,
    /// The request makes no sense.
    Usage,
    /// The rules refuse the request.
    Refused,
    /// The awaited thing did not happen in time.
    TimedOut,
    /// There is no server.
    Unreachable,
    /// Stored data is damaged.
    Damaged,
    /// The store closed under the server, which a new process may open again.
    StoreClosed,
    /// The store closed under the server. A new process may open it again.
    Signal(u8),
}

impl Exit {
    /// Returns the exit code of the process.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::TimedOut => 4,
            Self::Unreachable => 5,
            Self::Damaged => 6,
            Self::StoreClosed => 7,
            Self::Signal(number) => 128_u8.saturating_add(number),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Returns the exit code of a process as a shell would: 128 and the number of the signal that ended it.
pub(crate) fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|number| 128 + number));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(Exit::Failed.code())
}

/// The failure of a verb: one line for people, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    line: String,
}

/// The result of a verb.
pub(crate) type Outcome = Result<Exit, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, line: impl fmt::Display) -> Self {
        Self {
            exit,
            line: line.to_string(),
        }
    }

    pub(crate) fn failed(line: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, line)
    }

    pub(crate) fn usage(line: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, line)
    }

    /// Returns the failure of an operation on a file.
    pub(crate) fn file(doing: &str, path: &std::path::Path, error: &io::Error) -> Self {
        Self::failed(format_args!("cannot {doing} {}: {error}", path.display()))
    }

    /// Returns the failure to write to somebody who does not read any more: nobody is to be told, and
    /// the process ends as every other in such a pipe.
    pub(crate) fn unread() -> Self {
        Self::new(Exit::Signal(BROKEN_PIPE), "")
    }

    /// Returns true when there is nothing to say about it.
    pub(crate) fn is_silent(&self) -> bool {
        self.line.is_empty()
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One line, whatever a cause put into it.
        let mut lines = self.line.lines().map(str::trim).filter(|l| !l.is_empty());
        f.write_str(lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| write!(f, "; {line}"))
    }
}
