//! Reading the manifest again while its job runs: on `SIGHUP`, and with `--watch` when it changes.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
};

use heronry_types::PoolId;
use heronry_unified::{ReconcileError, ReconcileReport, UnifiedRuntime};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use super::{
    check::{prepare, read},
    manifest::Manifest,
    screen::Screen,
};
use crate::{data_dir::DataDir, failure::Failure};

use super::Binary;

/// The manifest of a job that runs, and the signs that it is to be read again.
pub(crate) struct Rereads {
    hangups: Signal,
    changes: Option<FileChanges>,
    path: PathBuf,
    pool: PoolId,
    data_dir: DataDir,
    binary: Binary,
    manifest: Manifest,
    /// The refusal that was shown last.
    refused: Option<String>,
}

/// Changes of a file, as the system tells them.
struct FileChanges {
    told: mpsc::Receiver<()>,
    // It tells as long as it lives.
    _watcher: RecommendedWatcher,
}

/// The choice to watch the folder of a manifest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Watching {
    /// Its manifest is read again when it changes.
    On,
    /// It is read again on a signal alone.
    Off,
}

impl Rereads {
    /// Begins to listen for the signs.
    pub(crate) fn listen(
        path: &Path,
        manifest: &Manifest,
        watching: Watching,
        places: RereadPlaces<'_>,
    ) -> Result<Self, Failure> {
        let hangups = signal(SignalKind::hangup());
        let changes = match watching {
            Watching::On => {
                let watched = FileChanges::of(path);
                Some(watched.map_err(|error| {
                    let path = path.display();
                    Failure::failed(format_args!("cannot watch {path}: {error}"))
                })?)
            }
            Watching::Off => None,
        };
        Ok(Self {
            hangups: hangups
                .map_err(|e| Failure::failed(format_args!("cannot listen for signals: {e}")))?,
            changes,
            path: path.to_owned(),
            pool: places.pool.clone(),
            data_dir: places.data_dir.clone(),
            binary: places.binary.clone(),
            manifest: manifest.clone(),
            refused: None,
        })
    }

    /// Reads the manifest at each sign, and declares what it says.
    pub(crate) async fn follow(&mut self, kept: &UnifiedRuntime, screen: &Screen) -> Infallible {
        loop {
            self.next().await;
            let refused = self.declare(kept, screen).await.err();
            let refused = refused.map(|failure| failure.to_string());
            if let Some(why) = refused.as_ref().filter(|_| self.refused != refused) {
                let line = "the manifest is refused, and what was declared before stays";
                screen.progress(&format!("{line}: {why}"));
            }
            self.refused = refused;
        }
    }

    /// Waits for a sign.
    async fn next(&mut self) {
        tokio::select! {
            Some(()) = self.hangups.recv() => {}
            () = changed(self.changes.as_mut()) => {}
        }
    }

    async fn declare(&mut self, kept: &UnifiedRuntime, screen: &Screen) -> Result<(), Failure> {
        let manifest = read(&self.path, &self.data_dir, &self.binary)?;
        self.check_pool(&manifest)?;
        prepare(&self.data_dir, &self.pool, &manifest)?;
        let declared = manifest.declared().map_err(Failure::usage)?;
        self.manifest = manifest;
        match kept.refresh_topology(declared).await {
            Ok(report) => screen.progress(&said(&report)),
            Err(ReconcileError::PartialFailure(report)) => {
                screen.progress(&said(&report));
                for failure in &report.failures {
                    screen.progress(&format!("not done: {}", failure.message));
                }
            }
            Err(error) => return Err(Failure::failed(error)),
        }
        Ok(())
    }

    /// Refuses a manifest that is about another pool.
    fn check_pool(&self, manifest: &Manifest) -> Result<(), Failure> {
        let changed = if manifest.pool != self.manifest.pool {
            "pool"
        } else if manifest.config != self.manifest.config {
            "the limits, retention, message_policy and grants of the pool"
        } else {
            return Ok(());
        };
        let path = self.path.display();
        Err(Failure::usage(format_args!(
            "{path}: {changed} cannot change while the job runs; put it back, or stop `up` first"
        )))
    }
}

/// Waits for a change, when a file is watched.
async fn changed(changes: Option<&mut FileChanges>) {
    if let Some(changes) = changes
        && changes.told.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// The places that a manifest is read again for.
#[derive(Clone, Copy)]
pub(crate) struct RereadPlaces<'a> {
    pub(crate) pool: &'a PoolId,
    pub(crate) data_dir: &'a DataDir,
    pub(crate) binary: &'a Binary,
}

/// Returns what a reconcile did, in words.
fn said(report: &ReconcileReport) -> String {
    let mut parts = Vec::new();
    for (word, runs) in [
        ("started", &report.started),
        ("restarted", &report.restarted),
        ("retired", &report.retired),
        ("changed", &report.changed),
    ] {
        if !runs.is_empty() {
            let mut runs: Vec<&str> = runs.iter().map(heronry_types::Id::as_str).collect();
            runs.sort_unstable();
            parts.push(format!("{word} {}", runs.join(", ")));
        }
    }
    for (word, modules) in [
        ("started module", &report.modules_started),
        ("stopped module", &report.modules_stopped),
    ] {
        for module in modules {
            parts.push(format!("{word} {module}"));
        }
    }
    if parts.is_empty() {
        return "the manifest was read again: nothing to do".to_owned();
    }
    format!("the manifest was read again: {}", parts.join("; "))
}

impl FileChanges {
    /// Watches the folder of a file, because editors put another file in its place.
    fn of(path: &Path) -> notify::Result<Self> {
        let path = std::fs::canonicalize(path)?;
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let (tell, told) = mpsc::channel(1);
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let is_news = event.map_or(true, |event| {
                    !event.kind.is_access()
                        && event
                            .paths
                            .iter()
                            .any(|it| it.file_name() == path.file_name())
                });
                if is_news {
                    // A sign that waits already stands for this one, too.
                    let _ = tell.try_send(());
                }
            })?;
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        Ok(Self {
            told,
            _watcher: watcher,
        })
    }
}
