//! `pool.toml`: who takes part in a job, read and checked as a whole.

#[cfg(test)]
mod page;
mod raw;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use heronry_host_process::ProcessCommand;
use heronry_types::{AgentId, Limits, PoolId, Retention, RunId, TopicId};

pub(crate) use raw::{RestartWhen, Until};

/// The reference page of manifests.
pub(crate) const REFERENCE: &str = include_str!("../../docs/MANIFEST.md");
/// A manifest that works as it stands.
pub(crate) const EXAMPLE: &str = include_str!("../../docs/pool.toml");

/// The most runs that one member entry may ask for.
pub(crate) const REPLICAS_MAX: u32 = 256;

/// A job that can be run.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// The part that the ids of this job's pools share, before the name of the job.
    pub(crate) pool: PoolId,
    /// Limits that differ from their defaults.
    pub(crate) limits: Option<Limits>,
    /// The part of its journal that the pool keeps.
    pub(crate) retention: Option<Retention>,
    /// The members that take part, one for each run.
    pub(crate) members: Vec<MemberPlan>,
    /// The folder of the manifest, where members run.
    pub(crate) folder: PathBuf,
    /// The manifest, as it was named.
    pub(crate) path: String,
}

/// One run that takes part.
#[derive(Clone, Debug)]
pub(crate) struct MemberPlan {
    /// The run.
    pub(crate) run: RunId,
    /// Its agent.
    pub(crate) agent: AgentId,
    /// The topics that it lists.
    pub(crate) topics: Vec<TopicId>,
    /// The program, its arguments and its working directory.
    pub(crate) command: ProcessCommand,
    /// The line of its command in the manifest.
    pub(crate) line: usize,
    /// The end of this member's work, as far as the job waits for it.
    pub(crate) until: Until,
    /// The rule by which this member is started again.
    pub(crate) restart: RestartWhen,
}

/// The error of a manifest that cannot be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    #[error("cannot read the manifest {path}: {source}")]
    Read {
        path: String,
        source: std::io::Error,
    },
    #[error("{path}:{line}: {fault}")]
    Fault {
        path: String,
        line: usize,
        fault: ManifestFault,
    },
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
    #[error(transparent)]
    Folder(heronry_types::IdError),
    #[error("{found:?} is not an id: {why}")]
    Id { found: String, why: String },
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
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

impl Manifest {
    /// Reads a manifest from a file.
    pub(crate) fn read(path: &Path) -> Result<Self, ManifestError> {
        let shown = path.display().to_string();
        let unreadable = |source| ManifestError::Read {
            path: shown.clone(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let path = std::fs::canonicalize(path).map_err(unreadable)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let parsed = Self::parse(&text, folder).map(|manifest| Self {
            path: shown.clone(),
            ..manifest
        });
        parsed.map_err(|(line, fault)| ManifestError::Fault {
            path: shown,
            line,
            fault,
        })
    }

    /// Reads a manifest from text; a fault comes with its line.
    pub(crate) fn parse(text: &str, folder: &Path) -> Result<Self, (usize, ManifestFault)> {
        let line_of = |offset: usize| {
            let before = text.get(..offset).unwrap_or(text);
            before.matches('\n').count() + 1
        };
        let raw = raw::parse(text).map_err(|(offset, fault)| (line_of(offset), fault))?;
        let mut members = Vec::new();
        for member in raw.member.unwrap_or_default() {
            let line = line_of(member.span().start);
            let command_line = line_of(member.get_ref().command.span().start);
            let runs = expand(member.into_inner(), command_line);
            members.extend(runs.map_err(|fault| (line, fault))?);
        }
        check(&members)?;
        let retention = raw.retention.map(|table| {
            let line = line_of(table.span().start);
            retention(table.get_ref()).map_err(|fault| (line, fault))
        });
        Ok(Self {
            pool: raw.pool,
            limits: raw.limits,
            retention: retention.transpose()?,
            members,
            folder: folder.to_owned(),
            path: String::new(),
        })
    }
}

/// Returns the part of its journal that the pool keeps; one that would trim nothing is a fault.
fn retention(table: &raw::RetentionTable) -> Result<Retention, ManifestFault> {
    let kept = Retention {
        age_ms: table.age.map(|age| age.0),
        bytes: table.bytes,
        keep_min: table.keep_min,
    };
    if kept.keep_min.is_some() && kept.keeps_everything() {
        return Err(ManifestFault::KeepMinAlone);
    }
    Ok(kept)
}

/// Returns the runs that one entry stands for.
fn expand(entry: raw::MemberTable, line: usize) -> Result<Vec<MemberPlan>, ManifestFault> {
    let command = entry.command.into_inner();
    if command.first().is_none_or(String::is_empty) {
        return Err(ManifestFault::EmptyCommand);
    }
    check_ids(&entry.agent, entry.run.as_ref(), &entry.topics)?;
    let runs = match (entry.run, entry.replicas) {
        (Some(_), Some(_)) => return Err(ManifestFault::RunWithReplicas),
        (Some(run), None) => vec![run],
        (None, None) => vec![run_id(entry.agent.as_str())?],
        (None, Some(found)) if found == 0 || found > REPLICAS_MAX => {
            return Err(ManifestFault::Replicas { found });
        }
        (None, Some(count)) => (1..=count)
            .map(|number| run_id(&format!("{}-{number}", entry.agent)))
            .collect::<Result<_, _>>()?,
    };
    let plan = |run| MemberPlan {
        run,
        agent: entry.agent.clone(),
        topics: entry.topics.clone(),
        command: ProcessCommand::new(command.clone()),
        line,
        until: entry.until,
        restart: entry.restart,
    };
    Ok(runs.into_iter().map(plan).collect())
}

fn run_id(text: &str) -> Result<RunId, ManifestFault> {
    RunId::parse(text).map_err(|error| ManifestFault::Id {
        found: text.to_owned(),
        why: error.to_string(),
    })
}

/// Checks that the ids of an entry can stand in paths.
fn check_ids(
    agent: &AgentId,
    run: Option<&RunId>,
    topics: &[TopicId],
) -> Result<(), ManifestFault> {
    agent
        .check_path()
        .and_then(|()| run.map_or(Ok(()), RunId::check_path))
        .and_then(|()| topics.iter().try_for_each(TopicId::check_path))
        .map_err(ManifestFault::Folder)
}

fn check(members: &[MemberPlan]) -> Result<(), (usize, ManifestFault)> {
    if members.is_empty() {
        return Err((1, ManifestFault::NoMembers));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = members.iter().find(|m| !seen.insert(&m.run)) {
        let run = twice.run.to_string();
        return Err((twice.line, ManifestFault::RunTwice { run }));
    }
    if members.iter().all(|m| m.until == Until::Stopped) {
        return Err((1, ManifestFault::NothingToWaitFor));
    }
    Ok(())
}
