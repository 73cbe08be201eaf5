//! The composition root: a store, a runtime over it, and a server in front.

mod choices;
mod descriptors;
mod settings;

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use futures::FutureExt;
use heronry_runtime::{Runtime, SystemClock, SystemIds};
use heronry_server::{Auth, Listener, OperatorToken, ServeError, ServerConfig, TokenKey, serve};
use heronry_store::{Clock, Store, StoreError, StoreErrorKind};
use heronry_store_memory::MemoryStore;
use heronry_store_redb::RedbStore;
use heronry_store_sled::SledStore;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::{Mutex, oneshot},
    task::JoinHandle,
};

pub(crate) use choices::{ListenAddress, StoreChoice};
pub(crate) use settings::ServerSettings;

use crate::{
    data_dir::{Announced, DataDir},
    failure::{Exit, Failure},
    secrets,
};

/// How many connections wait to be accepted at the most.
const BACKLOG: u32 = 1_024;

/// A server that runs in this process.
#[derive(Debug)]
pub(crate) struct Host {
    url: String,
    store: String,
    operator_token: String,
    clock: Arc<dyn Clock>,
    runtime: Runtime,
    shutdown: oneshot::Sender<()>,
    server: Mutex<JoinHandle<Result<(), ServeError>>>,
    _announced: Announced,
}

impl Host {
    /// Opens a store and serves it. The data directory is made only when nothing stands against that.
    pub(crate) fn start(
        data_dir: &mut DataDir,
        store: Option<StoreChoice>,
        listen: &ListenAddress,
        settings: &ServerSettings,
    ) -> Result<Self, Failure> {
        let socket = bind(listen)?;
        let choice = store.unwrap_or_else(|| StoreChoice::Redb(data_dir.store()));
        let opened = open_store(&choice)?;
        data_dir.create()?;
        let operator_token = secrets::read_or_draw_token(&data_dir.operator_token())?;
        let key = secrets::read_or_draw(&data_dir.token_key())?;
        let address = socket.local_addr().map_err(Failure::failed)?;
        let url = format!("http://{address}");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let ids = Arc::new(SystemIds);
        let owner = format!("heronry process {}", std::process::id());
        let runtime = Runtime::new(opened, Arc::clone(&clock), ids, key, owner);
        let choice = choice.absolute();
        let config = ServerConfig {
            listeners: vec![Listener::Tcp(listen_on(socket)?)],
            runtime: runtime.clone(),
            auth: Auth::new(
                OperatorToken::new(&operator_token),
                TokenKey::from_bytes(key),
            ),
            limits: descriptors::make_room(settings.connections),
            store: settings.watch(&choice),
        };
        let (shutdown, asked) = oneshot::channel();
        let server = tokio::spawn(serve(config, async move {
            // A host that is dropped without being stopped wants its server to end as well.
            let _ = asked.await;
        }));
        Ok(Self {
            _announced: data_dir.announce(&url)?,
            url,
            store: choice.to_string(),
            operator_token,
            clock,
            runtime,
            shutdown,
            server: Mutex::new(server),
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn store(&self) -> &str {
        &self.store
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
        match ended {
            Ok(Ok(())) => Failure::failed("the server ended by itself"),
            Ok(Err(error)) => server_failure(&error),
            Err(error) => Failure::failed(format_args!("the server broke off: {error}")),
        }
    }

    /// Returns why the store has closed, if it has: whatever fails then fails because of it.
    pub(crate) fn store_closed(&self) -> Option<Failure> {
        let closed = self.runtime.store_closed().now_or_never()?;
        Some(server_failure(&ServeError::StoreClosed(closed)))
    }

    /// Finishes what was accepted, and ends.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        // A server that broke off listens to nobody; its own error is reported below.
        let _ = self.shutdown.send(());
        let server = self.server.into_inner();
        let ended = if server.is_finished() {
            Ok(Ok(()))
        } else {
            server.await
        };
        self.runtime.shutdown().await;
        match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(server_failure(&error)),
            Err(error) => Err(Failure::failed(format_args!(
                "the server broke off: {error}"
            ))),
        }
    }
}

/// Takes an address, so that nobody else can have it. Who connects is refused until it listens.
fn bind(listen: &ListenAddress) -> Result<TcpSocket, Failure> {
    let address = listen.address();
    let bound = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    bound().map_err(|error| not_bound(address, &error))
}

/// Begins to take connections: from here on whoever connects is answered.
fn listen_on(socket: TcpSocket) -> Result<TcpListener, Failure> {
    let address = socket.local_addr().map_err(Failure::failed)?;
    let listening = socket.listen(BACKLOG);
    listening.map_err(|error| not_bound(address, &error))
}

fn not_bound(address: SocketAddr, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::AddrInUse {
        return Failure::failed(format_args!(
            "another program listens on {address}; stop it, or choose another address with --listen"
        ));
    }
    Failure::failed(format_args!("cannot listen on {address}: {error}"))
}

pub(crate) fn open_store(choice: &StoreChoice) -> Result<Store, Failure> {
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
    Failure::new(
        exit,
        format_args!("cannot open the store {place}: {detail}"),
    )
}

/// Opens a store that is there to look at it, whether its pools were moved elsewhere or not.
pub(crate) fn open_to_read(choice: &StoreChoice) -> Result<Store, Failure> {
    let store =
        match choice {
            StoreChoice::Redb(path) => without_panics(|| RedbStore::open_to_read(path))
                .map(|store| Store::of(Arc::new(store))),
            StoreChoice::Sled(path) => without_panics(|| SledStore::open_to_read(path))
                .map(|store| Store::of(Arc::new(store))),
            StoreChoice::Memory => {
                return Err(Failure::usage("a store in memory keeps no journal"));
            }
        };
    let path = choice.path();
    store.map_err(|error| {
        if path.exists() {
            return not_opened(path, &error);
        }
        let place = path.display();
        Failure::failed(format_args!(
            "there is no store at {place}; name one, or make one with `heronry serve`"
        ))
    })
}

/// Says what a failure of the store means to the caller of the command.
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
        // The last arm is for errors that are younger than this match.
        ServeError::NoListener | ServeError::NotLoopback { .. } | ServeError::Unbound(_) | _ => {
            Exit::Failed
        }
    };
    let cause = std::error::Error::source(error);
    match cause {
        Some(cause) => Failure::new(exit, format_args!("{error}: {cause}")),
        None => Failure::new(exit, error),
    }
}
