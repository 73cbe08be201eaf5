//! `heronry up`: runs a job of separate processes.

mod access;
mod check;
mod job;
mod keep;
pub(crate) mod manifest;
mod plan;
mod reread;
mod screen;
mod summary;

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use heronry_client::{Client, Token};
use heronry_host::MemberHost;
use heronry_host_process::ProcessHost;
use heronry_store::Clock;
use heronry_types::PoolId;
use heronry_unified::UnifiedRuntimeBuilder;

pub(crate) use self::summary::MEMBER_FIELDS;
use self::{
    access::JobAccess,
    job::UpJob,
    keep::{JobEnd, keep},
    manifest::{EXAMPLE, Manifest},
    reread::{RereadPlaces, Rereads, Watching},
    screen::Screen,
    summary::{JobOutcome, MemberReport, Summary},
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
    watching: WatchArgs,
    #[command(flatten)]
    planning: PlanArgs,
    #[command(flatten)]
    rollback: RollbackArgs,
}

/// The choice to watch the manifest.
#[derive(Debug, Args)]
struct WatchArgs {
    /// Read the manifest again when it changes; on SIGHUP it always is
    #[arg(long)]
    watch: bool,
}

/// The choice to plan the job alone.
#[derive(Debug, Args)]
struct PlanArgs {
    /// Print what the job would begin with, and do nothing of it
    #[arg(long, conflicts_with = "watch")]
    plan: bool,
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
    let binary = Binary::current()?;
    let manifest = check::read(&path, &cx.data_dir, &binary)?;
    let input = existing_folder(&args.input)?;
    let settings = ServerSettings {
        rollback: args.rollback.or(Rollback::GoOn),
        ..ServerSettings::default()
    };
    let host = Host::start(&mut cx.data_dir, args.store, &args.listen, &settings).await?;
    let watching = if args.watching.watch {
        Watching::On
    } else {
        Watching::Off
    };
    let asked = JobAsked {
        path: &path,
        manifest: &manifest,
        name: args.job.as_deref(),
        watching,
    };
    if args.planning.plan {
        let planned = plan::show(&cx, &host, &asked, &binary).await;
        host.stop().await?;
        return planned;
    }
    let folders = Folders {
        input,
        output: created_folder(&args.output)?,
    };
    let ended = run_on(&cx, &host, &asked, &folders, &binary).await;
    host.stop().await?;
    ended
}

/// The job that a command asks for.
struct JobAsked<'a> {
    path: &'a Path,
    manifest: &'a Manifest,
    name: Option<&'a str>,
    watching: Watching,
}

async fn run_on(
    cx: &Context,
    host: &Host,
    asked: &JobAsked<'_>,
    folders: &Folders,
    binary: &Binary,
) -> Outcome {
    let manifest = asked.manifest;
    let token = Token::new(host.operator_token());
    let client = Client::new(host.url(), Some(token)).map_err(crate::connect::refused)?;
    let names = manifest.members.iter().map(|m| m.spec.run.as_str());
    let names = names.chain(manifest.modules.iter().map(|m| m.spec.id.as_str()));
    let widest = names.map(|name| name.chars().count()).max();
    let screen = Screen::new(&cx.out, widest.unwrap_or(0));
    let job = UpJob::find(&client, manifest, asked.name).await?;
    job.open(manifest).await?;
    let how = job.found.name();
    screen.progress(&format!("job    {} ({how})", job.pool.id()));
    screen.progress(&format!("store  {}", host.store()));
    screen.progress(&format!("server {}", host.url()));
    let pool = job.pool.id();
    check::check_members(&job.pool, manifest).await?;
    check::prepare(&cx.data_dir, pool, manifest)?;
    let clock: Arc<dyn Clock> = host.clock();
    let since = clock.now().monotonic.0;
    let processes = check::process_host(&cx.data_dir, manifest, binary)?;
    let processes = processes.with_observer(Arc::new(screen.clone()));
    end_what_is_left(&processes, pool).await?;
    let places = RereadPlaces {
        pool,
        data_dir: &cx.data_dir,
        binary,
    };
    let mut rereads = Rereads::listen(asked.path, manifest, asked.watching, places)?;
    let builder = UnifiedRuntimeBuilder::new(
        host.runtime().clone(),
        pool.clone(),
        manifest.declared().map_err(Failure::usage)?,
        vec![Arc::new(processes.clone())],
        Arc::new(JobAccess::new(&cx.data_dir, host, pool, folders, binary)),
    )
    .with_observer(Arc::new(screen.clone()));
    let members = match keep(builder, host, &screen, &mut rereads).await? {
        JobEnd::Done(members) => members,
        JobEnd::Signal(number) => return Ok(Exit::Signal(number)),
    };
    let report = |status| MemberReport::of(status, pool, &processes);
    let members: Vec<MemberReport> = members.iter().map(report).collect();
    let summary = Summary {
        pool: pool.to_string(),
        job: job.name.clone(),
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

/// Ends what still runs of the job from an earlier `up` that was killed together with its shims: nobody
/// keeps what it prints any more.
async fn end_what_is_left(processes: &ProcessHost, pool: &PoolId) -> Result<(), Failure> {
    for mut left in processes.recover(pool).await.map_err(Failure::failed)? {
        left.running.kill().await.map_err(Failure::failed)?;
    }
    Ok(())
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
