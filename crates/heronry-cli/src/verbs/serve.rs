//! `heronry serve`.

mod config;

use std::path::PathBuf;

use clap::Args;
use heronry_server::WhenStoreCloses;
use serde::Serialize;

use self::config::Config;
use crate::{
    connect::Context,
    failure::{Exit, Failure, Outcome},
    host::{Host, ListenAddress, RollbackArgs, StoreChoice},
    lines::Lines,
    signals::Signals,
};

/// The address where the server listens by default.
const DEFAULT_LISTEN: &str = "127.0.0.1:7171";

/// Serve pools over HTTP until stopped
#[derive(Debug, Args)]
#[command(
    after_help = "Keys of the configuration file, with their defaults:\n  \
store = \"redb:PATH\"             as --store\n  \
listen = \"127.0.0.1:7171\"       as --listen\n  \
stay = false                    as --stay\n  \
strict = false                  as --strict\n  \
disk_free_bytes_min = 268435456 with fewer free bytes for the store the log and /readyz warn (256 MiB)\n  \
connections_max = 16384         the most connections at once; others are told 503\n  \
bodies_bytes_max = 268435456    the most bytes of the bodies of all requests at once; others are told 429\n  \
head_ms = 10000                 the longest time for the head of a request\n  \
body_ms = 60000                 the longest time for the body of a request\n  \
write_stall_ms = 30000          the longest time in which a peer reads nothing of an answer\n  \
idle_ms = 120000                the longest time between two requests of a connection\n  \
linger_ms = 10000               the longest time for which a body that was refused is still taken\n  \
drain_ms = 5000                 the longest time that a stopping server waits for its connections\n  \
[[exports]]                     an export that the server runs: pool, consumer, to, and as `heronry export` has them\n  \
\x20                               filter, format, privacy_max (content_refs_only), on_stale, sink_token_file\n\n\
Example:\n  heronry serve --store redb:/var/lib/heronry/store.redb --listen 127.0.0.1:7171"
)]
pub(crate) struct ServeArgs {
    /// The store of the journal: redb:PATH, sled:PATH or memory [default: store.redb in the data directory]
    #[arg(long, value_name = "STORE")]
    store: Option<StoreChoice>,
    /// The address where the server listens; only this machine can reach it [default: 127.0.0.1:7171]
    #[arg(long, value_name = "ADDR")]
    listen: Option<ListenAddress>,
    /// A TOML file with these and other settings (below); flags come first
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Stay when the store closes (a full disk, a device that fails), and answer 503, instead of ending with exit code 7
    #[arg(long)]
    stay: bool,
    #[command(flatten)]
    rollback: RollbackArgs,
}

/// The document that `--json` prints when the server is ready.
#[derive(Debug, Serialize)]
struct Ready<'a> {
    url: &'a str,
    token_file: String,
    store: &'a str,
}

/// The fields of that answer.
pub(crate) const READY_FIELDS: [&str; 3] = ["url", "token_file", "store"];

pub(crate) async fn run(mut cx: Context, args: ServeArgs) -> Outcome {
    let config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    let listen = args.listen.or(config.listen);
    let listen = listen.map_or_else(|| DEFAULT_LISTEN.parse().map_err(Failure::usage), Ok)?;
    let mut settings = config.settings;
    if args.stay {
        settings.when_closed = WhenStoreCloses::Stay;
    }
    settings.rollback = args.rollback.or(settings.rollback);
    let mut signals = Signals::listen()?;
    let store = args.store.or(config.store);
    let host = Host::start(&mut cx.data_dir, store, &listen, &settings).await?;
    for plan in &config.exports {
        plan.start(host.runtime()).await?;
    }
    tracing::info!(url = host.url(), store = host.store(), "serving");
    let ready = Ready {
        url: host.url(),
        token_file: cx.data_dir.operator_token().path().display().to_string(),
        store: host.store(),
    };
    cx.out.item(&ready, || {
        let mut lines = Lines::of(format_args!("heronry listens on {}", ready.url));
        lines.line(format_args!("token  {}", ready.token_file));
        lines.line(format_args!("store  {}", ready.store));
        lines
    })?;
    tokio::select! {
        _ = signals.next() => {}
        failure = host.failed() => return Err(failure),
    }
    tokio::select! {
        stopped = host.stop() => stopped.map(|()| Exit::Ok),
        number = signals.next() => Ok(Exit::Signal(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::check_names;

    #[test]
    fn the_answers_fields_are_all_known() {
        let ready = Ready {
            url: "",
            token_file: String::new(),
            store: "",
        };
        check_names(&ready, &READY_FIELDS);
    }
}
