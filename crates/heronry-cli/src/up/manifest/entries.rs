//! Entries of a manifest as specs of members and modules.

use std::path::Path;

use heronry_host::{MemberSpec, ModuleSpec, READY_WITHIN, ReadyRule, RestartRule, STOP_GRACE};
use heronry_host_process::ProcessCommand;
use heronry_types::{AgentId, HostId, ReadyWhen, RunId, RunsUntil, TopicId};

use super::{
    REPLICAS_MAX,
    fault::ManifestFault,
    raw::{MemberTable, ModuleTable},
    variables::NamedVariables,
};

/// The host of entries that name none, and the one that there is.
const PROCESS: &str = "process";

/// Returns the members that one entry stands for.
pub(super) fn members(
    entry: MemberTable,
    folder: &Path,
) -> Result<Vec<MemberSpec>, Vec<ManifestFault>> {
    let mut faults = Vec::new();
    let runs = Faulty(&mut faults).take(runs(&entry));
    Faulty(&mut faults).take(check_ids(&entry).map_err(ManifestFault::Folder));
    let command = command(entry.command.get_ref(), entry.cwd);
    let command = Faulty(&mut faults).take(command);
    let host = Faulty(&mut faults).take(host(entry.host));
    let variables = NamedVariables {
        env: &entry.env,
        env_file: entry.env_file.as_deref(),
        env_from: &entry.env_from,
        folder,
    };
    let environment = Faulty(&mut faults).take_all(variables.read());
    let (Some(runs), Some(command), Some(host), true) = (runs, command, host, faults.is_empty())
    else {
        return Err(faults);
    };
    let ready_within = entry.ready_within.map(|it| it.0.into());
    let spec = |run: RunId| {
        let mut spec = MemberSpec::new(run, entry.agent.clone(), host.clone(), command.to_value());
        spec.topics.clone_from(&entry.topics);
        spec.policies.clone_from(&entry.policies);
        spec.labels.clone_from(&entry.labels);
        spec.environment.clone_from(&environment);
        spec.until = entry.until.unwrap_or(RunsUntil::Exited);
        spec.restart = entry.restart.map_or_else(RestartRule::default, |it| it.0);
        spec.ready = ready(entry.ready, ready_within);
        spec.stop_grace = entry.stop_grace.map_or(STOP_GRACE, |it| it.0.into());
        spec.lease = entry.lease.map(|it| it.0);
        spec.timeout = entry.timeout.map(|it| it.0.into());
        spec.session.clone_from(&entry.session);
        spec
    };
    Ok(runs.into_iter().map(spec).collect())
}

/// Returns the module that an entry stands for.
pub(super) fn module(entry: ModuleTable, folder: &Path) -> Result<ModuleSpec, Vec<ManifestFault>> {
    let mut faults = Vec::new();
    let named = entry.id.check_path().map_err(ManifestFault::Folder);
    Faulty(&mut faults).take(named);
    let command = command(entry.command.get_ref(), entry.cwd);
    let command = Faulty(&mut faults).take(command);
    let host = Faulty(&mut faults).take(host(entry.host));
    let variables = NamedVariables {
        env: &entry.env,
        env_file: entry.env_file.as_deref(),
        env_from: &entry.env_from,
        folder,
    };
    let environment = Faulty(&mut faults).take_all(variables.read());
    let (Some(command), Some(host), true) = (command, host, faults.is_empty()) else {
        return Err(faults);
    };
    let mut spec = ModuleSpec::new(entry.id, host, command.to_value());
    spec.environment = environment;
    spec.restart = entry.restart.map_or_else(RestartRule::default, |it| it.0);
    spec.ready = ready(entry.ready, entry.ready_within.map(|it| it.0.into()));
    spec.stop_grace = entry.stop_grace.map_or(STOP_GRACE, |it| it.0.into());
    Ok(spec)
}

/// Faults that are gathered.
struct Faulty<'a>(&'a mut Vec<ManifestFault>);

impl Faulty<'_> {
    fn take<T>(&mut self, found: Result<T, ManifestFault>) -> Option<T> {
        found.map_err(|fault| self.0.push(fault)).ok()
    }

    fn take_all<T: Default>(&mut self, found: Result<T, Vec<ManifestFault>>) -> T {
        found.unwrap_or_else(|faults| {
            self.0.extend(faults);
            T::default()
        })
    }
}

fn ready(when: Option<ReadyWhen>, within: Option<std::time::Duration>) -> ReadyRule {
    ReadyRule {
        when: when.unwrap_or(ReadyWhen::None),
        within: within.unwrap_or(READY_WITHIN),
    }
}

fn command(command: &[String], cwd: Option<String>) -> Result<ProcessCommand, ManifestFault> {
    if command.first().is_none_or(String::is_empty) {
        return Err(ManifestFault::EmptyCommand);
    }
    let command = ProcessCommand::new(command);
    Ok(match cwd {
        Some(cwd) => command.in_folder(cwd),
        None => command,
    })
}

fn host(named: Option<HostId>) -> Result<HostId, ManifestFault> {
    match named {
        None => HostId::parse(PROCESS).map_err(|error| ManifestFault::Id {
            found: PROCESS.to_owned(),
            why: error.to_string(),
        }),
        Some(host) if host.as_str() == PROCESS => Ok(host),
        Some(host) => Err(ManifestFault::UnknownHost {
            found: host.to_string(),
        }),
    }
}

/// Returns the runs that an entry stands for.
fn runs(entry: &MemberTable) -> Result<Vec<RunId>, ManifestFault> {
    match (&entry.run, entry.replicas) {
        (Some(_), Some(_)) => Err(ManifestFault::RunWithReplicas),
        (Some(run), None) => Ok(vec![run.clone()]),
        (None, None) => Ok(vec![run_id(entry.agent.as_str())?]),
        (None, Some(found)) if found == 0 || found > REPLICAS_MAX => {
            Err(ManifestFault::Replicas { found })
        }
        (None, Some(count)) => (1..=count)
            .map(|number| run_id(&format!("{}-{number}", entry.agent)))
            .collect(),
    }
}

fn run_id(text: &str) -> Result<RunId, ManifestFault> {
    RunId::parse(text).map_err(|error| ManifestFault::Id {
        found: text.to_owned(),
        why: error.to_string(),
    })
}

/// Checks that the ids of an entry can stand in paths.
fn check_ids(entry: &MemberTable) -> Result<(), heronry_types::IdError> {
    AgentId::check_path(&entry.agent)?;
    entry.run.as_ref().map_or(Ok(()), RunId::check_path)?;
    entry.topics.iter().try_for_each(TopicId::check_path)
}
