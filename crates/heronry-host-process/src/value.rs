//! The part of a spec that this host understands: a program, its arguments, and where it works.

use std::path::{Path, PathBuf};

use heronry_host::HostValue;
use serde::{Deserialize, Serialize};

/// The value of a spec of this host: `{"command": ["program", "argument"], "cwd": "folder"}`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProcessCommand {
    /// The program and its arguments. No shell reads them.
    pub command: Vec<String>,
    /// The working directory; one that is not absolute is looked for in the host's folder. `None`: the
    /// host's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
}

/// The reason why a value names nothing that can be started.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProcessRefusal {
    /// The value has another form.
    #[error("{why}; write {{\"command\": [\"program\", \"argument\"]}}, and \"cwd\" beside it")]
    Form {
        /// The difference.
        why: String,
    },
    /// The command has no program.
    #[error("command is empty; write [\"program\", \"argument\"]")]
    Empty,
    /// The command has a zero byte, which ends an argument.
    #[error("the command has a zero byte in {argument:?}; remove it")]
    ZeroByte {
        /// The argument.
        argument: String,
    },
    /// The working directory is no folder.
    #[error("no folder {}; make it, or correct cwd", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The program is not on the search path.
    #[error("no program {program:?} on PATH")]
    NotOnPath {
        /// The program.
        program: String,
    },
    /// The program is not on the search path, but a file in the working directory has its name.
    #[error("no program {program:?} on PATH; that of the working directory is \"./{program}\"")]
    OnlyInFolder {
        /// The program.
        program: String,
    },
    /// The path leads to no program.
    #[error("no program {program:?} in {}", folder.display())]
    NotInFolder {
        /// The program.
        program: String,
        /// The working directory.
        folder: PathBuf,
    },
    /// The program is a file that may not be executed.
    #[error("{0} is not executable; run: chmod +x {0}", file.display())]
    NotExecutable {
        /// The file.
        file: PathBuf,
    },
}

impl ProcessCommand {
    /// Returns the value of a command that works in the host's folder.
    pub fn new(command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            command: command.into_iter().map(Into::into).collect(),
            cwd: None,
        }
    }

    /// Returns the command with another working directory.
    #[must_use]
    pub fn in_folder(self, cwd: impl Into<String>) -> Self {
        Self {
            cwd: Some(cwd.into()),
            ..self
        }
    }

    /// Reads the value of a spec. Whether the program is there is not looked at.
    ///
    /// # Errors
    /// [`ProcessRefusal`] for another form, an empty command, and a zero byte in it.
    pub fn parse(value: &HostValue) -> Result<Self, ProcessRefusal> {
        let form = |error: serde_json::Error| ProcessRefusal::Form {
            why: error.to_string(),
        };
        let parsed = Self::deserialize(value).map_err(form)?;
        if parsed.command.first().is_none_or(String::is_empty) {
            return Err(ProcessRefusal::Empty);
        }
        match parsed.command.iter().find(|it| it.contains('\0')) {
            Some(argument) => Err(ProcessRefusal::ZeroByte {
                argument: argument.clone(),
            }),
            None => Ok(parsed),
        }
    }

    /// Returns the command as the value of a spec.
    pub fn to_value(&self) -> HostValue {
        let mut value = serde_json::Map::new();
        value.insert("command".to_owned(), self.command.clone().into());
        if let Some(cwd) = &self.cwd {
            value.insert("cwd".to_owned(), cwd.clone().into());
        }
        value.into()
    }

    /// Returns the working directory, looked for in this folder.
    pub(crate) fn working_directory(&self, folder: &Path) -> PathBuf {
        match &self.cwd {
            // Without the steps that lead nowhere, as it is shown.
            Some(cwd) => folder.join(cwd).components().collect(),
            None => folder.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_refused(value: &HostValue, expected: &str) {
        let refused = ProcessCommand::parse(value).unwrap_err().to_string();
        assert!(refused.starts_with(expected), "{refused}");
    }

    #[test]
    fn a_value_names_a_program_or_is_refused() {
        let command = ProcessCommand::new(["sh", "-c", "true"]).in_folder("work");
        assert_eq!(
            ProcessCommand::parse(&command.to_value()).as_ref(),
            Ok(&command)
        );
        let folder = command.working_directory(Path::new("/srv/./x"));
        assert_eq!(folder, Path::new("/srv/x/work"));
        let empty = "command is empty; write [\"program\", \"argument\"]";
        check_refused(&json!({"command": []}), empty);
        check_refused(&json!({"command": [""]}), empty);
        check_refused(&json!({"command": "sh"}), "invalid type: string \"sh\"");
        check_refused(&json!({}), "missing field `command`; write {\"command\"");
        let other = json!({"command": ["sh"], "shell": true});
        check_refused(&other, "unknown field `shell`");
        let zero = json!({"command": ["sh", "a\u{0}b"]});
        check_refused(&zero, "the command has a zero byte in \"a\\0b\"");
    }
}
