//! A server with a pool that has a history, a bystander that sends, and a member that means it no good.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicUsize},
};

use heronry_pool::{Caller, decide::AppendEvents};
use heronry_runtime::{Joining, Pool, Runtime, RuntimeOptions};
use heronry_server::{
    Auth, ConnectionLimits, Keepers, Listener, OperatorToken, ServeError, ServerConfig, StoreWatch,
    serve,
};
use heronry_store::Store;
use heronry_store_redb::RedbStore;
use heronry_types::{EventKind, NewEvent, PoolSpec, RunId};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{
    super::ground::{OrStop, id, join},
    readers,
    wire::Asker,
};
use crate::failure::Failure;

/// The number of events in one append of the history.
const APPENDED: usize = 200;

/// A server with a pool that has a history.
pub(super) struct FairScene {
    pub(super) bystander: Asker,
    pub(super) hostile: Asker,
    pub(super) pool: Pool,
    /// The number of reports that the hostile member began.
    pub(super) reported: AtomicUsize,
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
    file: PathBuf,
}

impl FairScene {
    /// Starts a server on loopback over a new file, with this many events in its one pool.
    pub(super) async fn start(folder: &Path, events: usize) -> Result<Self, Failure> {
        let file = folder.join("fair.redb");
        let store = RedbStore::create(&file).or_stop()?;
        let store = Store::of(Arc::new(store));
        let runtime = Runtime::new(store, RuntimeOptions::new([7; 32], "bench"));
        let opened = runtime.open(&id("pool", 1)?, PoolSpec::default()).await;
        let pool = opened.or_stop()?.pool;
        let listener = TcpListener::bind("127.0.0.1:0").await.or_stop()?;
        let server = listener.local_addr().or_stop()?;
        let auth = Auth::new(OperatorToken::new("bench"));
        for reader in readers()? {
            join(&pool, reader, &[]).await?;
        }
        let bystander = asker(&pool, &runtime, (server, id("sender", 1)?)).await?;
        let hostile = asker(&pool, &runtime, (server, id("hostile", 1)?)).await?;
        remember(&pool, events).await?;
        let config = ServerConfig {
            keepers: Keepers::default(),
            listeners: vec![Listener::Tcp(listener)],
            runtime: runtime.clone(),
            auth,
            limits: ConnectionLimits::default(),
            store: StoreWatch::default(),
        };
        let (stop, stopped) = oneshot::channel();
        let serving = serve(config, async {
            // A scene that is dropped wants its server to end as well.
            let _ = stopped.await;
        });
        Ok(Self {
            bystander,
            hostile,
            pool,
            reported: AtomicUsize::new(0),
            runtime,
            stop,
            server: tokio::spawn(serving),
            file,
        })
    }

    pub(super) async fn stop(self) -> Result<(), Failure> {
        // A server that broke off says so below.
        let _ = self.stop.send(());
        self.server.await.or_stop()?.or_stop()?;
        self.runtime.shutdown().await;
        std::fs::remove_file(&self.file).or_stop()
    }
}

/// Joins a run, and returns an asker with its token.
async fn asker(
    pool: &Pool,
    runtime: &Runtime,
    (server, run): (SocketAddr, RunId),
) -> Result<Asker, Failure> {
    let Caller::Member { run, generation } = join(pool, run, &[]).await? else {
        return Err(Failure::failed("the measurement stopped: no member joined"));
    };
    let joining = Joining {
        pool: pool.id().clone(),
        run,
        generation,
    };
    let token = runtime.mint_token(&joining).await.or_stop()?;
    Ok(Asker::member(server, &token))
}

/// Reports this many events.
async fn remember(pool: &Pool, events: usize) -> Result<(), Failure> {
    let run: RunId = id("chronicler", 1)?;
    let chronicler = join(pool, run.clone(), &[]).await?;
    for number in 0..events.div_ceil(APPENDED) {
        let batch = vec![NewEvent::new(EventKind::ToolCompleted); APPENDED];
        let key = id("history", number)?;
        let append = AppendEvents::new(chronicler.clone(), run.clone(), batch, key);
        pool.call(append).await.or_stop()?;
    }
    Ok(())
}
