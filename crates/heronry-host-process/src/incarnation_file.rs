//! The file of an incarnation: whoever holds its lock is a process of it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
};

use heronry_host::{HostedSubject, Incarnation};
use heronry_types::{AgentId, Generation, ModuleId, PoolId, RunId};
use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::{
    folder::{self, file_name},
    holders::signal_holders,
};

/// The most that is read of such a file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The file of an incarnation. Its first line is the subject, its second one the number of the shim,
/// which is that of the process group, too.
#[derive(Clone, Debug)]
pub(crate) struct IncarnationFile {
    path: PathBuf,
}

/// The state of a file that was looked at.
#[derive(Debug)]
pub(crate) enum FileState {
    /// Nobody holds it: it was left, and is removed.
    Left,
    /// Something of the incarnation runs.
    Held(HeldIncarnation),
}

/// The content of a file that is held.
#[derive(Clone, Debug)]
pub(crate) struct HeldIncarnation {
    pub(crate) subject: HostedSubject,
    pub(crate) group: Option<Pid>,
}

/// The subject as it is written.
#[derive(Deserialize, Serialize)]
struct SubjectLine {
    pool: PoolId,
    module: Option<ModuleId>,
    member: Option<MemberLine>,
}

#[derive(Deserialize, Serialize)]
struct MemberLine {
    run: RunId,
    agent: AgentId,
    generation: Generation,
}

impl IncarnationFile {
    /// Makes the file of a subject that is to be started. `None` when something of it still runs.
    pub(crate) fn create(folder: &Path, subject: &HostedSubject) -> io::Result<Option<Self>> {
        let pool = file_name(subject.pool().as_str());
        // The shim opens it from another working directory.
        let folder = folder::make_inner(&std::path::absolute(folder)?, &[&pool])?;
        let file = Self {
            path: folder.join(name_of(subject)),
        };
        let mut options = OpenOptions::new();
        let opened = folder::open(&file.path, options.read(true).write(true).create(true));
        let mut opened = opened?;
        match opened.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        opened.set_len(0)?;
        let line = serde_json::to_string(&SubjectLine::of(subject)).map_err(io::Error::other)?;
        writeln!(opened, "{line}")?;
        Ok(Some(file))
    }

    /// Returns the files that are in the folder of a pool.
    pub(crate) fn of_pool(folder: &Path, pool: &PoolId) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(folder.join(file_name(pool.as_str()))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let file = |entry: io::Result<fs::DirEntry>| entry.map(|it| Self { path: it.path() });
        let mut files = entries.map(file).collect::<io::Result<Vec<_>>>()?;
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks whether something holds the file, and removes one that nothing holds.
    pub(crate) fn look(&self) -> io::Result<FileState> {
        let Some(mut file) = self.open()? else {
            return Ok(FileState::Left);
        };
        match file.try_lock() {
            Ok(()) => {
                fs::remove_file(&self.path)?;
                return Ok(FileState::Left);
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut text = String::new();
        (&mut file).take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        let mut lines = text.lines();
        let subject: SubjectLine =
            serde_json::from_str(lines.next().unwrap_or_default()).map_err(io::Error::other)?;
        let subject = subject.subject().ok_or_else(|| {
            io::Error::other("the file of an incarnation names neither a member nor a module")
        })?;
        let group = lines.next().and_then(|line| line.parse().ok());
        Ok(FileState::Held(HeldIncarnation {
            subject,
            group: group.and_then(Pid::from_raw),
        }))
    }

    /// Signals whatever holds the file.
    pub(crate) fn signal_holders(&self, group: Option<Pid>, signal: Signal) -> io::Result<()> {
        if let Some(file) = self.open()? {
            signal_holders(&file.metadata()?, group, signal);
        }
        Ok(())
    }

    /// Waits, on a thread of its own, until nothing holds the file, and removes it then.
    pub(crate) fn freed(&self) -> io::Result<oneshot::Receiver<io::Result<()>>> {
        let (tell, told) = oneshot::channel();
        let this = self.clone();
        // A thread of the runtime would hold up its end.
        thread::Builder::new().spawn(move || {
            let freed = this.open().and_then(|file| match file {
                Some(file) => file.lock().and_then(|()| fs::remove_file(&this.path)),
                None => Ok(()),
            });
            // Nobody waits for it any more when that fails.
            let _ = tell.send(freed);
        })?;
        Ok(told)
    }

    fn open(&self) -> io::Result<Option<File>> {
        match folder::open(&self.path, OpenOptions::new().read(true).write(true)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Returns the name of a subject's file: no two subjects of a pool share one.
fn name_of(subject: &HostedSubject) -> String {
    let name = file_name(subject.name());
    match subject {
        HostedSubject::Member(incarnation) => format!("{name}~{}", incarnation.generation),
        HostedSubject::Module { .. } => format!("{name}~module"),
    }
}

impl SubjectLine {
    fn of(subject: &HostedSubject) -> Self {
        let module = match subject {
            HostedSubject::Member(_) => None,
            HostedSubject::Module { module, .. } => Some(module.clone()),
        };
        Self {
            pool: subject.pool().clone(),
            module,
            member: subject.incarnation().map(|it| MemberLine {
                run: it.run.clone(),
                agent: it.agent.clone(),
                generation: it.generation,
            }),
        }
    }

    fn subject(self) -> Option<HostedSubject> {
        let pool = self.pool;
        let incarnation = self.member.map(|it| Incarnation {
            pool: pool.clone(),
            run: it.run,
            agent: it.agent,
            generation: it.generation,
        });
        match self.module {
            Some(module) => Some(HostedSubject::Module {
                pool,
                module,
                acts_as: incarnation,
            }),
            None => incarnation.map(HostedSubject::Member),
        }
    }
}
