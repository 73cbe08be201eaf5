//! The lines that a shim tells its host: that it started what it was asked to, and how that ended.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use heronry_host::IncarnationEnd;

/// A report of a shim, one line of text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ShimReport {
    /// The program runs.
    Started,
    /// Something of the incarnation still runs, so nothing was started.
    Held,
    /// The program could not be started.
    Failed(String),
    /// The program has ended.
    Ended(IncarnationEnd),
}

impl ShimReport {
    /// Returns the line, without its end.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Started => "started".to_owned(),
            Self::Held => "held".to_owned(),
            Self::Failed(why) | Self::Ended(IncarnationEnd::Failed(why)) => {
                format!("failed {}", why.replace(['\n', '\r'], " "))
            }
            Self::Ended(IncarnationEnd::Succeeded) => "code 0".to_owned(),
            Self::Ended(IncarnationEnd::ExitCode(code)) => format!("code {code}"),
            Self::Ended(IncarnationEnd::Signal(number)) => format!("signal {number}"),
        }
    }

    /// Reads a line; `None` for one that no shim writes.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "started" => Some(Self::Started),
            "held" => Some(Self::Held),
            "failed" => Some(Self::Failed(rest.to_owned())),
            "code" => rest.parse().ok().map(|code| Self::Ended(end_of_code(code))),
            "signal" => {
                let number = rest.parse().ok()?;
                Some(Self::Ended(IncarnationEnd::Signal(number)))
            }
            _ => None,
        }
    }
}

fn end_of_code(code: u8) -> IncarnationEnd {
    match code {
        0 => IncarnationEnd::Succeeded,
        code => IncarnationEnd::ExitCode(code),
    }
}

/// Returns the end that a status tells.
pub(crate) fn end_of(status: ExitStatus) -> IncarnationEnd {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    match (code, status.signal()) {
        (Some(code), _) => end_of_code(code),
        (None, Some(number)) => IncarnationEnd::Signal(number),
        (None, None) => IncarnationEnd::Failed(status.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        for report in [
            ShimReport::Started,
            ShimReport::Held,
            ShimReport::Failed("cannot start x: no such file".to_owned()),
            ShimReport::Ended(IncarnationEnd::Succeeded),
            ShimReport::Ended(IncarnationEnd::ExitCode(143)),
            ShimReport::Ended(IncarnationEnd::Signal(15)),
        ] {
            assert_eq!(ShimReport::parse(&report.line()), Some(report));
        }
        for line in ["", "code", "code 256", "signal x", "other"] {
            assert_eq!(ShimReport::parse(line), None, "{line}");
        }
    }
}
