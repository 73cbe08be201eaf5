//! `heronry backup`: copies a store into a folder, also while its server runs.

pub(super) mod manifest;
mod place;

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use heronry_client::Client;
use heronry_store::Store;
use heronry_transfer as transfer;
use heronry_wire::ProblemKind;
use rustix::process::{Pid, test_kill_process};
use serde::Serialize;

pub(super) use self::place::{beside, temporary_name};

use self::{
    manifest::{KEY_FILE, MANIFEST_FILE, Manifest},
    place::BackupPlace,
};
use super::{journal::verify, store::check_not_rolled_back};
use crate::{
    carry::{carrier, transfer_failure},
    connect::{Context, refused},
    environment,
    failure::{Exit, Failure, Outcome},
    host::{StoreChoice, open_store, open_to_read},
    lines::Lines,
    out::RowsPlace,
};

/// The name of the file of lines that a server sends, while the backup is made.
const LINES_FILE: &str = "lines.jsonl";

/// Copy every pool with its bodies and consumers into a new folder, also while the server runs
#[derive(Debug, Args)]
#[command(
    after_help = "Each pool is copied up to the head that it had when its turn came, and the copy is verified. The folder \
appears when all of it is there. It never holds operator.token. Every pool goes along, whichever one is named. Without a server, the store of the data directory is \
copied, or the one that --store names.\n\n\
Example:\n  heronry backup backups/monday"
)]
pub(crate) struct BackupArgs {
    /// The folder to make; an empty one that is there is taken
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// A store that no server has open, as PATH, redb:PATH or sled:PATH
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Put token.key of the data directory into the backup, so that member tokens stay good after a restore.
    /// Whoever has it can make tokens
    #[arg(long)]
    with_keys: bool,
}

/// The origin of a backup.
enum BackupSource {
    /// A server that has the store open.
    Server(Client),
    /// A store that no server has open.
    Store(Store),
}

/// The answer of the verb.
#[derive(Debug, Serialize)]
struct BackedUp<'a> {
    dir: &'a Path,
    #[serde(flatten)]
    manifest: &'a Manifest,
}

pub(crate) async fn run(cx: &Context, args: &BackupArgs) -> Outcome {
    let key = key(cx, args)?;
    let source = source(cx, args).await?;
    let place = BackupPlace::begin(&args.dir)?;
    fill(&source, &place).await?;
    // Every record and body is read back.
    let mut manifest = Manifest::of(verify::good(&place.store()).await?);
    if let Some(key) = key {
        place.folder().create(KEY_FILE, key.as_bytes())?;
        manifest.names_key(key.as_bytes());
    }
    place.folder().create(MANIFEST_FILE, &manifest.encode()?)?;
    place.finish()?;
    let answer = BackedUp {
        dir: &args.dir,
        manifest: &manifest,
    };
    cx.out.answer(&answer, RowsPlace::Of("pools"), || {
        let mut lines: Lines = manifest.lines().collect();
        lines.line(format_args!("the backup is in {}", args.dir.display()));
        lines
    })?;
    Ok(Exit::Ok)
}

/// Returns the key of member tokens, when it is asked for.
fn key(cx: &Context, args: &BackupArgs) -> Result<Option<String>, Failure> {
    if !args.with_keys {
        return Ok(None);
    }
    let place = cx.data_dir.token_key();
    match place.read()? {
        Some(key) => Ok(Some(key)),
        None => Err(Failure::failed(format_args!(
            "there is no {}; name the server's --data-dir, or leave --with-keys out",
            place.path().display()
        ))),
    }
}

/// Returns the store that is named, else the server that is named or runs on the data directory, else the
/// store in there.
async fn source(cx: &Context, args: &BackupArgs) -> Result<BackupSource, Failure> {
    let choice = match &args.store {
        Some(named) => StoreChoice::named(named).map_err(Failure::usage)?,
        None if is_served(cx)? => return Ok(BackupSource::Server(cx.client()?)),
        None => {
            cx.data_dir.check_store()?;
            StoreChoice::Redb(cx.data_dir.store())
        }
    };
    let store = open_to_read(&choice)?;
    check_not_rolled_back(&store, &choice, "back it up").await?;
    Ok(BackupSource::Store(store))
}

/// Returns true when a server is named, or one that is alive says that it runs on the data directory.
fn is_served(cx: &Context) -> Result<bool, Failure> {
    if cx.globals.url.is_some() || environment::value("HERONRY_URL").is_some() {
        return Ok(true);
    }
    let Some(note) = cx.data_dir.announced()? else {
        return Ok(false);
    };
    let process = i32::try_from(note.pid).ok().and_then(Pid::from_raw);
    Ok(process.is_some_and(|process| test_kill_process(process).is_ok()))
}

/// Brings every pool of the source into the store of the backup.
async fn fill(source: &BackupSource, place: &BackupPlace) -> Result<(), Failure> {
    let carried = match source {
        BackupSource::Store(from) => {
            let to = open_store(&place.store())?;
            transfer::back_up(from, &to, &carrier()).await
        }
        BackupSource::Server(client) => {
            let lines = write_lines(client, place).await?;
            let to = open_store(&place.store())?;
            let open = || File::open(&lines).map(BufReader::new);
            let received = transfer::receive(&to, open, &carrier()).await;
            place.folder().remove(LINES_FILE)?;
            received
        }
    };
    carried.map_err(|error| transfer_failure(&error))?;
    Ok(())
}

/// Writes what the server exports of its pools into one file. A pool that is deleted before its turn is in
/// no backup.
async fn write_lines(client: &Client, place: &BackupPlace) -> Result<PathBuf, Failure> {
    let path = place.folder().path().join(LINES_FILE);
    let failed = |error| Failure::file("write", &path, &error);
    let mut file = BufWriter::new(place.create_new(LINES_FILE)?);
    let listed = client.pools().await.map_err(refused)?;
    for entry in listed.pools {
        let mut export = match client.pool(&entry.pool).export_whole().await {
            Ok(export) => export,
            Err(error) if error.is(ProblemKind::PoolNotFound) => continue,
            Err(error) => return Err(refused(error)),
        };
        while let Some(bytes) = export.next().await.map_err(refused)? {
            file.write_all(&bytes).map_err(failed)?;
        }
    }
    file.flush().map_err(failed)?;
    Ok(path)
}
