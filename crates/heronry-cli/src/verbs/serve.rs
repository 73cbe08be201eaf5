//! `heronry serve`.

use std::path::{Path, PathBuf};

use clap::Args;
use heronry_types::nearest;
use serde::Serialize;

use crate::{
    connect::Context,
    failure::{Exit, Failure, Outcome},
    host::{Host, ListenAddress, StoreChoice},
    lines::Lines,
    signals::Signals,
};

/// Where the server listens when nobody says.
const DEFAULT_LISTEN: &str = "127.0.0.1:7171";

/// Serve pools over HTTP until stopped
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry serve --store redb:/var/lib/heronry/store.redb --listen 127.0.0.1:7171"
)]
pub(crate) struct ServeArgs {
    /// Where the journal is kept: redb:PATH, sled:PATH or memory [default: store.redb in the data directory]
    #[arg(long, value_name = "STORE")]
    store: Option<StoreChoice>,
    /// Where to listen; only this machine can reach it [default: 127.0.0.1:7171]
    #[arg(long, value_name = "ADDR")]
    listen: Option<ListenAddress>,
    /// A TOML file with `store` and `listen`; flags come first
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What `--json` prints when the server is ready.
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
    let mut signals = Signals::listen()?;
    let host = Host::start(&mut cx.data_dir, args.store.or(config.store), &listen)?;
    let ready = Ready {
        url: host.url(),
        token_file: cx.data_dir.operator_token().display().to_string(),
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

/// What a configuration file says.
#[derive(Debug, Default)]
struct Config {
    store: Option<StoreChoice>,
    listen: Option<ListenAddress>,
}

const KEYS: [&str; 2] = ["store", "listen"];

impl Config {
    fn read(path: &Path) -> Result<Self, Failure> {
        let refuse =
            |why: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format_args!("cannot read {}: {error}", path.display()))
        })?;
        let table: toml::Table = toml::from_str(&text).map_err(|error| refuse(&error.message()))?;
        let mut config = Self::default();
        for (key, value) in &table {
            let Some(value) = value.as_str().filter(|_| KEYS.contains(&key.as_str())) else {
                return Err(refuse(&bad_key(key)));
            };
            match key.as_str() {
                "store" => config.store = Some(value.parse().map_err(|e| refuse(&e))?),
                _ => config.listen = Some(value.parse().map_err(|e| refuse(&e))?),
            }
        }
        Ok(config)
    }
}

fn bad_key(key: &str) -> String {
    if KEYS.contains(&key) {
        return format!("{key} is not a text; write it in quotes");
    }
    let meant = nearest(key, KEYS);
    let meant = meant.map_or_else(String::new, |name| format!("; did you mean {name:?}?"));
    format!("unknown key {key:?}{meant}")
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
