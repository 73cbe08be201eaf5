//! The host of processes.

use std::{
    ffi::OsString,
    fmt, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use heronry_host::{
    HostFault, HostRefusal, HostValue, HostedSubject, Launch, MemberHost, RecoveredIncarnation,
    Running,
};
use heronry_types::{HostId, PoolId};
use tokio::process::Command;

use crate::{
    LOG_BYTES_MAX, OWN_VARIABLES, OutputObserver, ProcessCommand, ProcessRefusal,
    folder::{file_name, make_inner},
    incarnation_file::{FileState, IncarnationFile},
    log::Log,
    output::Output,
    process::{NotStarted, ShimmedProcess},
    program::check_program,
    recovered::LeftProcess,
};

/// The program that calls [`run_shim`](crate::run_shim), and the arguments that make it do so. The
/// arguments of the shim come behind them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShimCommand {
    /// The program, as an absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// The places that a host uses. No two hosts that run at once share their incarnations.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProcessPlaces {
    /// The folder of the files of incarnations, made when it is missing.
    pub incarnations: PathBuf,
    /// The folder of logs, made when it is missing: `POOL/RUN.log`, and `POOL/modules/MODULE.log`.
    pub logs: PathBuf,
    /// The folder where everything works that names no other.
    pub folder: PathBuf,
    /// The search path of programs, which is also the `PATH` of what is given none.
    pub search_path: OsString,
}

/// A host that runs processes.
#[derive(Clone)]
pub struct ProcessHost {
    id: HostId,
    shim: ShimCommand,
    places: ProcessPlaces,
    observer: Option<Arc<dyn OutputObserver>>,
}

impl fmt::Debug for ProcessHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessHost")
            .field("id", &self.id)
            .field("shim", &self.shim)
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

impl ProcessHost {
    /// Returns a host of this name whose output nobody observes.
    pub fn new(id: HostId, shim: ShimCommand, places: ProcessPlaces) -> Self {
        Self {
            id,
            shim,
            places,
            observer: None,
        }
    }

    /// Returns the host with an observer of what is printed.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn OutputObserver>) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// Returns the log of a subject.
    pub fn log_of(&self, subject: &HostedSubject) -> PathBuf {
        let place = LogPlace::of(subject);
        let mut path = self.places.logs.clone();
        path.extend(place.folders);
        path.join(place.name)
    }

    /// Reads a value, and looks whether what it names can be started.
    ///
    /// # Errors
    /// [`ProcessRefusal`] that says what cannot, and what to do.
    pub fn look(&self, value: &HostValue) -> Result<ProcessCommand, ProcessRefusal> {
        let command = ProcessCommand::parse(value)?;
        let folder = command.working_directory(&self.places.folder);
        let program = command.command.first().map_or("", String::as_str);
        check_program(program, &folder, &self.places.search_path)?;
        Ok(command)
    }

    fn command(&self, command: &ProcessCommand, launch: &Launch, file: &Path) -> Command {
        let mut shim = Command::new(&self.shim.program);
        shim.args(&self.shim.arguments)
            .arg(file)
            .args(&command.command);
        shim.current_dir(command.working_directory(&self.places.folder));
        for (name, _) in std::env::vars_os() {
            if name.as_bytes().starts_with(OWN_VARIABLES.as_bytes()) {
                shim.env_remove(name);
            }
        }
        shim.env("PATH", &self.places.search_path);
        for name in launch.variables.names() {
            if let Some(value) = launch.variables.value(name) {
                shim.env(name, value.reveal());
            }
        }
        let given = launch.environment.variables.iter();
        shim.envs(given.map(|(name, value)| (name, value.reveal())));
        shim
    }

    fn log(&self, subject: &HostedSubject) -> io::Result<Log> {
        let place = LogPlace::of(subject);
        let folders: Vec<&str> = place.folders.iter().map(String::as_str).collect();
        let folder = make_inner(&self.places.logs, &folders)?;
        Log::open(&folder.join(place.name), LOG_BYTES_MAX)
    }
}

/// The place of a subject's log.
struct LogPlace {
    /// The folders, from that of all logs on.
    folders: Vec<String>,
    /// The name in the last one.
    name: String,
}

impl LogPlace {
    fn of(subject: &HostedSubject) -> Self {
        let mut folders = vec![file_name(subject.pool().as_str())];
        match subject {
            HostedSubject::Member(_) => {}
            HostedSubject::Module { .. } => folders.push("modules".to_owned()),
        }
        let name = format!("{}.log", file_name(subject.name()));
        Self { folders, name }
    }
}

#[async_trait]
impl MemberHost for ProcessHost {
    fn id(&self) -> &HostId {
        &self.id
    }

    fn check(&self, value: &HostValue) -> Result<(), HostRefusal> {
        let looked = self.look(value);
        looked.map_err(|it| refusal(&it))?;
        Ok(())
    }

    async fn start(&self, launch: Launch) -> Result<Box<dyn Running>, HostFault> {
        let command = self.look(&launch.value).map_err(|it| refusal(&it))?;
        let subject = launch.subject.clone();
        let failed = |doing: &str, error: io::Error| {
            HostFault::System(format!("cannot {doing} of {}: {error}", subject.name()))
        };
        let log = self.log(&subject);
        let log = log.map_err(|error| failed("open the log", error))?;
        let file = IncarnationFile::create(&self.places.incarnations, &subject);
        let file = file.map_err(|error| failed("make the file", error))?;
        let Some(file) = file else {
            return Err(HostFault::RunsAlready(subject));
        };
        let output = Output::new(subject.clone(), log, self.observer.clone());
        let command = self.command(&command, &launch, file.path());
        let started = ShimmedProcess::start(command, &output, file.clone(), launch.ready).await;
        match started {
            Ok(process) => Ok(Box::new(process)),
            Err(NotStarted::Held) => Err(HostFault::RunsAlready(subject)),
            Err(NotStarted::Failed(why)) => {
                // Removes the file; what failed matters more than what is left of it.
                let _ = file.look();
                Err(HostFault::System(why))
            }
        }
    }

    async fn recover(&self, pool: &PoolId) -> Result<Vec<RecoveredIncarnation>, HostFault> {
        let failed = |error: io::Error| {
            let folder = self.places.incarnations.display();
            HostFault::System(format!(
                "cannot tell what of {pool} runs, in {folder}: {error}"
            ))
        };
        let files = IncarnationFile::of_pool(&self.places.incarnations, pool).map_err(failed)?;
        let mut found = Vec::new();
        for file in files {
            match file.look().map_err(failed)? {
                FileState::Left => {}
                FileState::Held(held) => found.push(RecoveredIncarnation {
                    subject: held.subject,
                    running: Box::new(LeftProcess::new(file, held.group)),
                }),
            }
        }
        Ok(found)
    }
}

fn refusal(refused: &ProcessRefusal) -> HostRefusal {
    HostRefusal(refused.to_string())
}
