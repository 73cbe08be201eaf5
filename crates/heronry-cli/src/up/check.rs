//! Checks before anything is changed: programs are there, folders are this user's, and runs are what
//! they were.

use std::path::Path;

use heronry_client::PoolClient;
use heronry_host::MemberSpec;
use heronry_host_process::{ProcessHost, ProcessPlaces, ProcessRefusal, ShimCommand};
use heronry_types::{HostId, PoolId};
use heronry_wire::MembersQuery;

use super::{
    Binary,
    manifest::{FaultInLine, Manifest, ManifestError, ManifestFault},
};
use crate::{
    connect::refused,
    data_dir::DataDir,
    failure::{Exit, Failure},
    files::file_name,
};

/// Reads a manifest, and checks all of it that can be checked before anything is changed.
pub(crate) fn read(path: &Path, data_dir: &DataDir, binary: &Binary) -> Result<Manifest, Failure> {
    let manifest = Manifest::read(path).map_err(Failure::usage)?;
    find_programs(&manifest, &process_host(data_dir, &manifest, binary)?)?;
    manifest.declared().map_err(Failure::usage)?;
    Ok(manifest)
}

/// Returns the host of the processes of a manifest.
pub(crate) fn process_host(
    data_dir: &DataDir,
    manifest: &Manifest,
    binary: &Binary,
) -> Result<ProcessHost, Failure> {
    let id = HostId::parse("process").map_err(Failure::failed)?;
    let shim = ShimCommand {
        program: binary.file.clone(),
        arguments: vec!["__shim".into(), "--".into()],
    };
    let places = ProcessPlaces {
        incarnations: data_dir.all_incarnations(),
        logs: data_dir.all_logs(),
        folder: manifest.folder.clone(),
        search_path: binary.search_path.clone(),
    };
    Ok(ProcessHost::new(id, shim, places))
}

/// Refuses a manifest that names programs which are not there.
fn find_programs(manifest: &Manifest, processes: &ProcessHost) -> Result<(), Failure> {
    let members = manifest.members.iter();
    let members = members.map(|it| (it.line, it.spec.run.to_string(), &it.spec.launch));
    let modules = manifest.modules.iter();
    let modules = modules.map(|it| (it.line, it.spec.id.to_string(), &it.spec.launch));
    let mut faults: Vec<FaultInLine> = members
        .chain(modules)
        .filter_map(|(line, name, launch)| {
            let fault = fault_of(processes.look(launch).err()?, name);
            Some(FaultInLine { line, fault })
        })
        .collect();
    // All runs of one entry share its program.
    faults.dedup_by_key(|fault| fault.line);
    if faults.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(ManifestError::Faults {
        path: manifest.path.clone(),
        faults,
    }))
}

/// Says the refusal of a host in words of the manifest.
fn fault_of(refused: ProcessRefusal, run: String) -> ManifestFault {
    let no_program = |program, place| ManifestFault::NoProgram {
        program,
        place,
        run,
    };
    match refused {
        ProcessRefusal::NotOnPath { program } => no_program(program, "on PATH"),
        ProcessRefusal::NotInFolder { program, .. } => {
            no_program(program, "in the manifest's folder")
        }
        ProcessRefusal::OnlyInFolder { program } => ManifestFault::NoPath { program },
        ProcessRefusal::Form { .. }
        | ProcessRefusal::Empty
        | ProcessRefusal::ZeroByte { .. }
        | ProcessRefusal::NoFolder { .. }
        | ProcessRefusal::NotExecutable { .. } => ManifestFault::Host(refused.to_string()),
    }
}

/// Makes the folders of a job and its members, and opens their logs, through the door that follows no
/// link.
pub(crate) fn prepare(
    data_dir: &DataDir,
    pool: &PoolId,
    manifest: &Manifest,
) -> Result<(), Failure> {
    data_dir.incarnations(pool.as_str())?;
    let logs = data_dir.logs(pool.as_str())?;
    for member in &manifest.members {
        let run = member.spec.run.as_str();
        logs.add_to(format!("{}.log", file_name(run)))?;
        data_dir.member_state(pool.as_str(), run)?;
    }
    if !manifest.modules.is_empty() {
        logs.inner("modules")?;
    }
    Ok(())
}

/// Refuses a manifest in which a run is not what it was when it joined.
pub(crate) async fn check_members(pool: &PoolClient, manifest: &Manifest) -> Result<(), Failure> {
    let mut query = MembersQuery::default();
    loop {
        let page = pool.members(&query).await.map_err(refused)?;
        for joined in &page.members {
            let same = |spec: &MemberSpec| spec.run == joined.run_id;
            let Some(member) = manifest.members.iter().find(|it| same(&it.spec)) else {
                continue;
            };
            let field = if member.spec.agent != joined.agent_id {
                "agent_id"
            } else if member.spec.session.is_some() && member.spec.session != joined.session_id {
                "session_id"
            } else {
                continue;
            };
            let (path, line, run, job) = (&manifest.path, member.line, &joined.run_id, pool.id());
            return Err(Failure::new(
                Exit::Refused,
                format_args!(
                    "{path}:{line}: run {run:?} began job {job} with another {field}, which a run keeps for \
                     life; put it back, give the member another run, or begin another job with --job NAME \
                     (member-conflict)",
                    run = run.as_str()
                ),
            ));
        }
        query.after = page.next;
        if query.after.is_none() {
            return Ok(());
        }
    }
}
