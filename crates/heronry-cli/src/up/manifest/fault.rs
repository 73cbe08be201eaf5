//! The faults of a manifest, each with its line.

use std::fmt;

use heronry_host::EnvironmentError;
use heronry_types::IdError;

use super::REPLICAS_MAX;

/// The error of a manifest that cannot be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    #[error("cannot read the manifest {path}: {source}")]
    Read {
        path: String,
        source: std::io::Error,
    },
    #[error("{}", AllFaults(path, faults))]
    Faults {
        path: String,
        faults: Vec<FaultInLine>,
    },
}

/// A fault and its line, the first one being 1.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct FaultInLine {
    pub(crate) line: usize,
    pub(crate) fault: ManifestFault,
}

/// A fault and the place of it, in bytes.
#[derive(Debug)]
pub(super) struct FaultAt {
    pub(super) offset: usize,
    pub(super) fault: ManifestFault,
}

/// Faults of one file, with a semicolon between.
struct AllFaults<'a>(&'a str, &'a [FaultInLine]);

impl fmt::Display for AllFaults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, FaultInLine { line, fault }) in self.1.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{}:{line}: {fault}", self.0)?;
        }
        Ok(())
    }
}

/// A fault in a line of a manifest.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ManifestFault {
    #[error("{0}")]
    Toml(String),
    #[error("unknown key {key:?} in {place}{}", meant(*suggestion))]
    UnknownKey {
        key: String,
        place: &'static str,
        suggestion: Option<&'static str>,
    },
    #[error("the manifest has no [[member]]; add at least one")]
    NoMembers,
    #[error("no member has until = \"exited\", so the job would end at once; give one")]
    NothingToWaitFor,
    #[error("command is empty; write [\"program\", \"argument\"]")]
    EmptyCommand,
    #[error("replicas is {found}; give 1 to {REPLICAS_MAX}")]
    Replicas { found: u32 },
    #[error("keep_min limits what age and bytes trim, and neither is there; add one of them")]
    KeepMinAlone,
    #[error("run names one run, so it cannot stand beside replicas; remove one of them")]
    RunWithReplicas,
    #[error("run {run:?} is named twice; give each member its own run or agent")]
    RunTwice { run: String },
    #[error("module {module:?} is named twice; give each its own id")]
    ModuleTwice { module: String },
    #[error(transparent)]
    Folder(IdError),
    #[error("{found:?} is not an id: {why}")]
    Id { found: String, why: String },
    #[error("there is no host {found:?} here; write \"process\"")]
    UnknownHost { found: String },
    #[error("no program {program:?} {place}; install it or correct the command of {run:?}")]
    NoProgram {
        program: String,
        place: &'static str,
        run: String,
    },
    #[error("no program {program:?} on PATH; that of the manifest's folder is \"./{program}\"")]
    NoPath { program: String },
    #[error("{0}")]
    Host(String),
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error("cannot read env_file {file:?}: {why}")]
    EnvFile { file: String, why: String },
    #[error("line {line} of env_file {file:?} is no NAME=VALUE")]
    EnvFileLine { file: String, line: usize },
    #[error("env_from names {name:?}, which is not set here; set it, or remove it")]
    NotSet { name: String },
    #[error("{0}")]
    Declared(String),
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}
