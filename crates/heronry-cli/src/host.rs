//! The composition root: a store, a runtime over it, and a server in front.

mod choices;
mod descriptors;
mod doors;
mod mark;
mod owned;
mod rollback;
mod settings;

use std::{path::Path, sync::Arc};

use futures::FutureExt;
use heronry_runtime::{
    Runtime, RuntimeOptions, SystemClock,
    layers::{Meter, Metered, traced},
    marks::MarkKeeper,
};
use heronry_server::{Auth, Keepers, OperatorToken, ServeError, ServerConfig, serve};
use heronry_store::{Clock, Store, StoreError, StoreErrorKind};
use heronry_store_embedded::files::directory_of;
use heronry_store_memory::MemoryStore;
use heronry_store_redb::RedbStore;
use heronry_store_sled::SledStore;
use tokio::{
    sync::{Mutex, oneshot},
    task::JoinHandle,
};

pub(crate) use choices::{ListenAddress, StoreChoice};
pub(crate) use mark::MarkFile;
pub(crate) use rollback::refusal as rollback_refusal;
pub(crate) use settings::{Rollback, RollbackArgs, ServerSettings};

use self::{
    doors::{Doors, OpenDoors, SocketFile},
    owned::Owned,
};

use crate::{
    data_dir::{DataDir, ServerNote, holder_of},
    failure::{Exit, Failure},
    files, secrets,
    verbs::export::plan::log_end,
};

/// A server that runs in this process.
#[derive(Debug)]
pub(crate) struct Host {
    url: String,
    store: String,
    operator_token: String,
    clock: Arc<dyn Clock>,
    runtime: Runtime,
    keepers: Keepers,
    shutdown: oneshot::Sender<()>,
    server: Mutex<JoinHandle<Result<(), ServeError>>>,
    mark: Option<MarkKeeper>,
    _files: Vec<SocketFile>,
    _owned: Owned,
}

impl Host {
    /// Takes the data directory, opens a store and serves it. What stands against that leaves nothing
    /// behind.
    pub(crate) async fn start(
        data_dir: &mut DataDir,
        store: Option<StoreChoice>,
        listen: &ListenAddress,
        settings: &ServerSettings,
    ) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let mut doors = Doors::take(listen)?;
        let mut owned = Owned::take(data_dir, store.as_ref(), &*clock)?;
        let choice = if let Some(named) = store {
            named
        } else {
            data_dir.check_store()?;
            StoreChoice::Redb(data_dir.store())
        };
        let Metered { store, meter } = watched(open_store(&choice)?, &clock);
        let choice = choice.absolute();
        let (store, mark) = rollback::take(store, &choice, (settings.rollback, &clock)).await?;
        // The note is for people: a store is open without it, too.
        let _ = owned.name_beside(&choice);
        let socket = doors.add_socket(data_dir);
        let operator_token = secrets::read_or_draw_token(&data_dir.operator_token())?;
        let key = secrets::read_or_draw(&data_dir.token_key())?;
        let url = doors.url().to_owned();
        let who = format!("heronry process {}", std::process::id());
        let options = RuntimeOptions::new(key, who).with_clock(Arc::clone(&clock));
        let runtime = Runtime::new(store, options);
        let keepers = Keepers::default();
        let OpenDoors { listeners, files } = doors.open()?;
        let config = ServerConfig {
            keepers: keepers.clone(),
            listeners,
            runtime: runtime.clone(),
            auth: Auth::new(OperatorToken::new(&operator_token)),
            limits: descriptors::make_room(settings.connections),
            store: settings.watch(&choice, Some(meter)),
        };
        let (shutdown, asked) = oneshot::channel();
        let server = tokio::spawn(serve(config, async move {
            // A host that is dropped without being stopped wants its server to end as well.
            let _ = asked.await;
        }));
        owned.announce(&ServerNote {
            url: url.clone(),
            socket,
            pid: std::process::id(),
        })?;
        Ok(Self {
            url,
            store: choice.to_string(),
            operator_token,
            clock,
            runtime,
            keepers,
            shutdown,
            server: Mutex::new(server),
            mark,
            _files: files,
            _owned: owned,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn store(&self) -> &str {
        &self.store
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Returns the runtimes of this process that keep pools, which its server knows.
    pub(crate) fn keepers(&self) -> &Keepers {
        &self.keepers
    }

    pub(crate) fn operator_token(&self) -> &str {
        &self.operator_token
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Waits until the server breaks off by itself.
    pub(crate) async fn failed(&self) -> Failure {
        let mut server = self.server.lock().await;
        let ended = (&mut *server).await;
        // The mark may lie elsewhere than what failed, and is exact in any case while the system runs.
        if let Some(mark) = &self.mark {
            mark.settle().await;
        }
        match ended {
            Ok(Ok(())) => Failure::failed("the server ended by itself"),
            Ok(Err(error)) => server_failure(&error),
            Err(error) => Failure::failed(format_args!("the server broke off: {error}")),
        }
    }

    /// Returns the reason why the store has closed, if it has: every later failure follows from it.
    pub(crate) fn store_closed(&self) -> Option<Failure> {
        let closed = self.runtime.store_closed().now_or_never()?;
        Some(server_failure(&ServeError::StoreClosed(closed)))
    }

    /// Finishes the accepted requests, and ends.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        // A server that broke off listens to nobody; its own error is reported below.
        let _ = self.shutdown.send(());
        let server = self.server.into_inner();
        let ended = if server.is_finished() {
            Ok(Ok(()))
        } else {
            server.await
        };
        for ended in self.runtime.shutdown().await {
            for export in &ended.exports {
                log_end(&ended.pool, export);
            }
        }
        if let Some(mark) = self.mark {
            mark.settle().await;
        }
        match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(server_failure(&error)),
            Err(error) => Err(Failure::failed(format_args!(
                "the server broke off: {error}"
            ))),
        }
    }
}

/// Returns a store whose calls are counted, and shown in the log.
fn watched(store: Store, clock: &Arc<dyn Clock>) -> Metered {
    Meter::over(traced(store), Arc::clone(clock))
}

/// Opens a store, or makes it. The folder that it lies in is there: a missing one may be a file system
/// that is not mounted, and what was written under its name would be lost from sight.
pub(crate) fn open_store(choice: &StoreChoice) -> Result<Store, Failure> {
    check_place(choice)?;
    match choice {
        StoreChoice::Memory => Ok(Store::of(Arc::new(MemoryStore::new()))),
        StoreChoice::Redb(path) => {
            let opened = without_panics(|| RedbStore::open_or_create(path));
            let store = opened.map_err(|error| not_opened(path, &error))?;
            Ok(Store::of(Arc::new(store)))
        }
        StoreChoice::Sled(path) => {
            let opened = without_panics(|| SledStore::open_or_create(path));
            let store = opened.map_err(|error| not_opened(path, &error))?;
            Ok(Store::of(Arc::new(store)))
        }
    }
}

/// Checks that the folder of a store is there, and that nobody else could have laid the store.
fn check_place(choice: &StoreChoice) -> Result<(), Failure> {
    let (StoreChoice::Redb(path) | StoreChoice::Sled(path)) = choice else {
        return Ok(());
    };
    let folder = directory_of(path);
    if folder.is_dir() {
        return Ok(files::check_store(path)?);
    }
    let place = folder.display();
    Err(Failure::failed(format_args!(
        "the folder {place} of the store is not there; mount it, or make it with: mkdir -p {place}"
    )))
}

/// Opens a store, where a damaged file may end the library's work by a panic. The adapters turn it
/// into an error; here it is kept from printing what nobody can act on.
fn without_panics<T>(open: impl FnOnce() -> T) -> T {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let opened = open();
    std::panic::set_hook(usual);
    opened
}

/// Says which store cannot be opened, when the store does not say so itself.
fn not_opened(path: &Path, error: &StoreError) -> Failure {
    let place = path.display();
    let exit = store_failure(error).exit();
    let line = error.to_string();
    let detail = line
        .strip_prefix("store cannot open the store: ")
        .unwrap_or(&line);
    let detail = detail.strip_prefix(&format!("{place}: ")).unwrap_or(detail);
    let is_locked = error.kind() == StoreErrorKind::Locked;
    let holder = is_locked.then(|| holder_of(path)).flatten();
    let holder = holder.map_or_else(String::new, |holder| format!(" ({holder})"));
    Failure::new(
        exit,
        format_args!("cannot open the store {place}: {detail}{holder}"),
    )
}

/// Opens a store that is there to look at it, whether its pools were moved elsewhere or not. It is left
/// byte for byte as it is.
pub(crate) fn open_to_read(choice: &StoreChoice) -> Result<Store, Failure> {
    let opened = open_there(
        choice,
        |path| RedbStore::open_to_read(path),
        |path| SledStore::open_to_read(path),
    );
    opened.map_err(|error| match error {
        NotThere::Locked(failure) => Failure::new(
            failure.exit(),
            format_args!("{failure}; while a server has it open, `heronry backup DIR` copies it"),
        ),
        NotThere::Other(failure) => failure,
    })
}

/// Opens a store that is there to move its pools elsewhere, or to go on with that.
pub(crate) fn open_to_move(choice: &StoreChoice) -> Result<Store, Failure> {
    let opened = open_there(
        choice,
        |path| RedbStore::open_to_move(path),
        |path| SledStore::open_to_move(path),
    );
    opened.map_err(|error| match error {
        NotThere::Locked(failure) | NotThere::Other(failure) => failure,
    })
}

/// The reason why a store that is there cannot be opened.
enum NotThere {
    /// Another process has it open.
    Locked(Failure),
    /// Anything else.
    Other(Failure),
}

impl From<Failure> for NotThere {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

fn open_there(
    choice: &StoreChoice,
    redb: impl FnOnce(&Path) -> Result<RedbStore, StoreError>,
    sled: impl FnOnce(&Path) -> Result<SledStore, StoreError>,
) -> Result<Store, NotThere> {
    if choice.path().exists() {
        check_place(choice)?;
    }
    let store = match choice {
        StoreChoice::Redb(path) => {
            without_panics(|| redb(path)).map(|store| Store::of(Arc::new(store)))
        }
        StoreChoice::Sled(path) => {
            without_panics(|| sled(path)).map(|store| Store::of(Arc::new(store)))
        }
        StoreChoice::Memory => {
            return Err(Failure::usage("a store in memory keeps no journal").into());
        }
    };
    let path = choice.path();
    store.map_err(|error| {
        if path.exists() {
            let failure = not_opened(path, &error);
            if error.kind() == StoreErrorKind::Locked {
                return NotThere::Locked(failure);
            }
            return failure.into();
        }
        let place = path.display();
        let line = format_args!(
            "there is no store at {place}; name one, or make one with `heronry serve`"
        );
        Failure::failed(line).into()
    })
}

/// Returns the failure that tells the caller of the command of a failure of the store.
pub(crate) fn store_failure(error: &StoreError) -> Failure {
    let is_damage = matches!(
        error.kind(),
        StoreErrorKind::Corrupt | StoreErrorKind::NotAStore
    );
    let exit = if is_damage {
        Exit::Damaged
    } else {
        Exit::Failed
    };
    Failure::new(exit, error)
}

/// Says why a server ended by itself.
fn server_failure(error: &ServeError) -> Failure {
    let exit = match error {
        ServeError::StoreClosed(_) => Exit::StoreClosed,
        ServeError::NoListener | ServeError::NotLoopback { .. } | ServeError::Unbound(_) => {
            Exit::Failed
        }
    };
    let cause = std::error::Error::source(error);
    match cause {
        Some(cause) => Failure::new(exit, format_args!("{error}: {cause}")),
        None => Failure::new(exit, error),
    }
}
