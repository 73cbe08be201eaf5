//! `heronry up`: runs a job of separate processes.

mod job;
pub(crate) mod manifest;
mod member;
mod phase;
mod restart;
mod screen;
mod summary;
mod team;

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use heronry_client::{Client, Token};
use heronry_host::{HostEnvironment, MemberHost, MemberSpec};
use heronry_host_process::{ProcessHost, ProcessPlaces, ProcessRefusal, ShimCommand};
use heronry_store::Clock;
use heronry_types::{HostId, PoolId};

pub(crate) use self::member::MEMBER_FIELDS;
use self::{
    job::{JobOrigin, UpJob},
    manifest::{EXAMPLE, FaultInLine, Manifest, ManifestError, ManifestFault, Planned},
    screen::Screen,
    summary::{JobOutcome, Summary},
    team::{Team, TeamEnd},
};
use crate::{
    connect::Context,
    failure::{Exit, Failure, Outcome},
    host::{Host, ListenAddress, Rollback, RollbackArgs, ServerSettings, StoreChoice},
    out::{RowsPlace, print},
};

/// Run the job of a manifest: a pool of separate processes
#[derive(Debug, Args)]
#[command(
    after_help = "All keys of a manifest, and what members get: heronry man manifest\n\n\
Example:\n  heronry up examples/review/pool.toml --input . --output review-report\n  \
heronry up --example > pool.toml"
)]
pub(crate) struct UpArgs {
    /// The manifest, as pool.toml
    #[arg(required_unless_present = "example")]
    manifest: Option<PathBuf>,
    /// Print a manifest that works as it stands, with all that can be in one
    #[arg(long, exclusive = true)]
    example: bool,
    /// The store of the journal: redb:PATH, sled:PATH or memory [default: store.redb in the data directory]
    #[arg(long, value_name = "STORE")]
    store: Option<StoreChoice>,
    /// The address where the server listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: ListenAddress,
    /// The folder that the job works on
    #[arg(long, value_name = "DIR", default_value = ".")]
    input: PathBuf,
    /// The folder where the job leaves its results
    #[arg(long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// The job to run; otherwise the unfinished one, or a new one
    #[arg(long, value_name = "NAME", value_parser = job::parse_name)]
    job: Option<String>,
    #[command(flatten)]
    rollback: RollbackArgs,
}

/// The folders of a job, absolute.
#[derive(Clone, Debug)]
struct Folders {
    input: PathBuf,
    output: PathBuf,
}

/// The place of this binary, and the search path by which members find it.
#[derive(Clone, Debug)]
struct Binary {
    file: PathBuf,
    search_path: OsString,
}

/// Runs a job to its end.
pub(crate) async fn run(mut cx: Context, args: UpArgs) -> Outcome {
    let Some(path) = args.manifest.filter(|_| !args.example) else {
        print(EXAMPLE)?;
        return Ok(Exit::Ok);
    };
    let manifest = Manifest::read(&path).map_err(|e| refuse_manifest(&e))?;
    let binary = Binary::current()?;
    find_programs(&manifest, &process_host(&cx, &manifest, &binary)?)?;
    let input = existing_folder(&args.input)?;
    let settings = ServerSettings {
        rollback: args.rollback.or(Rollback::GoOn),
        ..ServerSettings::default()
    };
    let host = Host::start(&mut cx.data_dir, args.store, &args.listen, &settings).await?;
    let folders = Folders {
        input,
        output: created_folder(&args.output)?,
    };
    let ended = run_on(
        &cx,
        &host,
        &manifest,
        (&folders, &binary, args.job.as_deref()),
    )
    .await;
    host.stop().await?;
    ended
}

async fn run_on(
    cx: &Context,
    host: &Host,
    manifest: &Manifest,
    (folders, binary, name): (&Folders, &Binary, Option<&str>),
) -> Outcome {
    let token = Token::new(host.operator_token());
    let client = Client::new(host.url(), Some(token)).map_err(crate::connect::refused)?;
    let widest = manifest
        .members
        .iter()
        .map(|m| m.spec.run.as_str().chars().count());
    let screen = Screen::new(&cx.out, widest.max().unwrap_or(0));
    let job = UpJob::open(&client, manifest, name).await?;
    let how = match job.found {
        JobOrigin::New => "new",
        JobOrigin::Unfinished => "continued",
    };
    screen.progress(&format!("job    {} ({how})", job.pool.id()));
    screen.progress(&format!("store  {}", host.store()));
    screen.progress(&format!("server {}", host.url()));
    let clock: Arc<dyn Clock> = host.clock();
    let since = clock.now().monotonic.0;
    let processes = process_host(cx, manifest, binary)?.with_observer(Arc::new(screen.clone()));
    end_what_is_left(&processes, job.pool.id()).await?;
    let team = Team {
        cx,
        manifest,
        pool: job.pool.clone(),
        screen,
        clock: Arc::clone(&clock),
        environment: environment(host, &job, folders, binary),
        processes: Arc::new(processes),
    };
    let members = match team.run(host).await? {
        TeamEnd::Done(members) => members,
        TeamEnd::Signal(number) => return Ok(Exit::Signal(number)),
    };
    let summary = Summary {
        pool: job.pool.id().to_string(),
        job: job.name,
        store: host.store().to_string(),
        output: folders.output.display().to_string(),
        outcome: JobOutcome::of(&members),
        elapsed_ms: clock.now().monotonic.0.saturating_sub(since),
        members,
    };
    cx.out
        .answer(&summary, RowsPlace::Of("members"), || summary.lines())?;
    Ok(summary.outcome.exit())
}

fn environment(host: &Host, job: &UpJob, folders: &Folders, binary: &Binary) -> HostEnvironment {
    let mut environment = HostEnvironment::default();
    environment.set("HERONRY_URL", host.url());
    environment.set("HERONRY_POOL", job.pool.id().as_str());
    environment.set("HERONRY_INPUT", folders.input.clone());
    environment.set("HERONRY_OUTPUT", folders.output.clone());
    environment.set("HERONRY_BIN", binary.file.clone());
    environment.set("PATH", binary.search_path.clone());
    environment
}

/// Ends what still runs of the job from an earlier `up` that was killed together with its shims.
async fn end_what_is_left(processes: &ProcessHost, pool: &PoolId) -> Result<(), Failure> {
    for mut left in processes.recover(pool).await.map_err(Failure::failed)? {
        left.running.kill().await.map_err(Failure::failed)?;
    }
    Ok(())
}

fn refuse_manifest(error: &ManifestError) -> Failure {
    Failure::usage(error)
}

impl Binary {
    fn current() -> Result<Self, Failure> {
        let failed = |error| Failure::failed(format_args!("cannot find this program: {error}"));
        let file = std::env::current_exe().map_err(failed)?;
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        let others = std::env::var_os("PATH").unwrap_or_default();
        let places = std::iter::once(folder).chain(std::env::split_paths(&others));
        let search_path = std::env::join_paths(places)
            .map_err(|error| Failure::failed(format_args!("cannot extend PATH: {error}")))?;
        Ok(Self { file, search_path })
    }
}

/// Runs the shim of a member.
pub(crate) async fn shim(arguments: &[OsString]) -> Result<u8, Failure> {
    let ended = heronry_host_process::run_shim(arguments).await;
    ended.map_err(Failure::usage)
}

/// Returns the host of the job's processes.
fn process_host(
    cx: &Context,
    manifest: &Manifest,
    binary: &Binary,
) -> Result<ProcessHost, Failure> {
    let id = HostId::parse("process").map_err(Failure::failed)?;
    let shim = ShimCommand {
        program: binary.file.clone(),
        arguments: vec!["__shim".into(), "--".into()],
    };
    let places = ProcessPlaces {
        incarnations: cx.data_dir.all_incarnations(),
        logs: cx.data_dir.all_logs(),
        folder: manifest.folder.clone(),
        search_path: binary.search_path.clone(),
    };
    Ok(ProcessHost::new(id, shim, places))
}

/// Refuses a manifest that names programs which are not there, before anything is changed.
fn find_programs(manifest: &Manifest, processes: &ProcessHost) -> Result<(), Failure> {
    let refused = manifest.members.iter().filter_map(|member| {
        let refused = processes.look(&member.spec.launch).err()?;
        Some(FaultInLine {
            line: member.line,
            fault: fault_of(refused, member),
        })
    });
    let mut faults: Vec<FaultInLine> = refused.collect();
    // All runs of one entry share its program.
    faults.dedup_by_key(|fault| fault.line);
    if faults.is_empty() {
        return Ok(());
    }
    Err(refuse_manifest(&ManifestError::Faults {
        path: manifest.path.clone(),
        faults,
    }))
}

/// Says the refusal of a host in words of the manifest.
fn fault_of(refused: ProcessRefusal, member: &Planned<MemberSpec>) -> ManifestFault {
    let no_program = |program, place| ManifestFault::NoProgram {
        program,
        place,
        run: member.spec.run.to_string(),
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

fn existing_folder(path: &Path) -> Result<PathBuf, Failure> {
    let refuse =
        |error: io::Error| Failure::usage(format_args!("--input {}: {error}", path.display()));
    let found = fs::canonicalize(path).map_err(refuse)?;
    if !found.is_dir() {
        return Err(refuse(io::ErrorKind::NotADirectory.into()));
    }
    Ok(found)
}

fn created_folder(path: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(path)
        .and_then(|()| fs::canonicalize(path))
        .map_err(|error| Failure::usage(format_args!("--output {}: {error}", path.display())))
}
