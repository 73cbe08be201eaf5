//! `heronry journal`: looks at a store that no server has open, and keeps the journals of a running one short.

mod export;
mod import;
mod keeping;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod verify;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use heronry_journal::Chunk;
use heronry_store::{Head, ReadError, Store};
use heronry_types::{Cursor, PoolId, Position};

use crate::{
    connect::Context,
    durations::TimeSpan,
    failure::{Exit, Failure, Outcome},
    host::{StoreChoice, open_to_read, store_failure},
};

/// The most bytes of a journal that are held at once.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Look at a store that no server has open: check it, count, show, export and import; trim and snapshot on a server
#[derive(Debug, Subcommand)]
pub(crate) enum JournalVerb {
    Verify(VerifyArgs),
    Stats(StatsArgs),
    Show(ShowArgs),
    Export(ExportArgs),
    Import(ImportArgs),
    Trim(TrimArgs),
    Snapshot(SnapshotArgs),
}

/// Check every chunk, record and body; name the first bad position
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry journal verify --data-dir ./.heronry")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    place: StoreArg,
}

/// Count what the journals hold
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry journal stats --json")]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    place: StoreArg,
}

/// Show the records of a pool, from the oldest that is kept
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review.1 journal show --after 100 --limit 20 --json"
)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    place: StoreArg,
    /// Only records after this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
    /// The maximum number of records
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Write pools as JSON lines that lose nothing: each chunk's header, its records, and the bodies
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review.1 journal export > review.jsonl")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    place: StoreArg,
    /// A new file for the lines [default: stdout]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Leave the bodies out
    #[arg(long)]
    no_bodies: bool,
}

/// Read pools back from an export, compare every hash, and start a new epoch in each
#[derive(Debug, Args)]
#[command(
    after_help = "Runs, keys and epochs of an export were chosen elsewhere. Member tokens of the source are not valid \
here: members join again. An export with an epoch that another pool of the store has is refused.\n\n\
Example:\n  heronry journal import review.jsonl --store redb:other.redb"
)]
pub(crate) struct ImportArgs {
    /// The file that `export` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The store, as PATH, redb:PATH or sled:PATH; made when it is not there [default: store.redb
    /// in the data directory]
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
}

/// Drop records at the start of a pool's journal, on the server
#[derive(Debug, Args)]
#[command(
    after_help = "The state before the new start is kept, so nothing that lives is lost: members, messages under way, \
wakes and how far they have counted. Keys of dropped records answer for 30 days more. Who reads from before the \
start gets a gap or a typed error. Whole chunks go, and the last one stays.\n\n\
Examples:\n  heronry --pool review journal trim --age 30d\n  heronry --pool review journal trim --before CURSOR --force",
    group = ArgGroup::new("until").required(true).args(["before", "age"])
)]
pub(crate) struct TrimArgs {
    /// The cursor up to which records go
    #[arg(long, value_name = "CURSOR")]
    before: Option<Cursor>,
    /// The age beyond which records go, as 30d or 12h
    #[arg(long, value_name = "SPAN")]
    age: Option<TimeSpan>,
    /// Drop records that a consumer or a wake still needs, too
    #[arg(long)]
    force: bool,
}

/// Take a snapshot of a pool on the server, so that it opens quickly
#[derive(Debug, Args)]
#[command(
    after_help = "The server takes snapshots by itself. A snapshot is no copy: the journal has everything that it has.\n\n\
Example:\n  heronry --pool review journal snapshot"
)]
pub(crate) struct SnapshotArgs {}

/// The choice of a store.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArg {
    /// The store, as PATH, redb:PATH or sled:PATH [default: store.redb in the data directory]
    #[arg(value_name = "STORE", conflicts_with = "store_option")]
    store: Option<String>,
    /// The same as an option
    #[arg(long = "store", id = "store_option", value_name = "STORE")]
    store_option: Option<String>,
}

pub(crate) async fn run(cx: &Context, verb: JournalVerb) -> Outcome {
    match verb {
        JournalVerb::Verify(args) => verify::run(cx, &args.place.choice(cx)?).await,
        JournalVerb::Stats(args) => stats::run(cx, &OpenedStore::at(cx, &args.place)?).await,
        JournalVerb::Show(args) => {
            let opened = OpenedStore::at(cx, &args.place)?;
            show::run(cx, &opened, (Position(args.after), args.limit)).await
        }
        JournalVerb::Export(args) => {
            let opened = OpenedStore::at(cx, &args.place)?;
            export::run(cx, &opened.store, &args).await
        }
        JournalVerb::Import(args) => {
            let place = StoreArg::named(args.store);
            import::run(cx, &place.choice(cx)?, &args.file).await
        }
        JournalVerb::Trim(args) => keeping::trim(cx, &args).await,
        JournalVerb::Snapshot(SnapshotArgs {}) => keeping::snapshot(cx).await,
    }
}

impl StoreArg {
    fn named(store: Option<String>) -> Self {
        Self {
            store,
            store_option: None,
        }
    }

    fn choice(&self, cx: &Context) -> Result<StoreChoice, Failure> {
        let Some(text) = self.store.as_ref().or(self.store_option.as_ref()) else {
            cx.data_dir.check_store()?;
            return Ok(StoreChoice::Redb(cx.data_dir.store()));
        };
        StoreChoice::named(text).map_err(Failure::usage)
    }
}

/// A store that is open here and nowhere else.
#[derive(Debug)]
struct OpenedStore {
    store: Store,
}

impl OpenedStore {
    fn at(cx: &Context, place: &StoreArg) -> Result<Self, Failure> {
        Self::open(&place.choice(cx)?)
    }

    fn open(choice: &StoreChoice) -> Result<Self, Failure> {
        Ok(Self {
            store: open_to_read(choice)?,
        })
    }

    /// Returns the pool that was named, or all.
    async fn pools(&self, cx: &Context) -> Result<Vec<PoolId>, Failure> {
        let pools = self
            .store
            .journal
            .pools()
            .await
            .map_err(|e| store_failure(&e))?;
        match &cx.globals.pool {
            None => Ok(pools),
            Some(pool) if pools.contains(pool) => Ok(vec![pool.clone()]),
            Some(pool) => Err(Failure::failed(format_args!(
                "the store has no pool {pool}"
            ))),
        }
    }

    /// Returns the pool that was named, or the only one.
    async fn one_pool(&self, cx: &Context) -> Result<PoolId, Failure> {
        let pools = self.pools(cx).await?;
        match pools.as_slice() {
            [pool] => Ok(pool.clone()),
            [] => Err(Failure::failed("the store has no pool")),
            [_, ..] => Err(Failure::usage(
                "the store has more than one pool; name one with --pool",
            )),
        }
    }

    async fn head(&self, pool: &PoolId) -> Result<Head, Failure> {
        let head = self
            .store
            .journal
            .head(pool)
            .await
            .map_err(|e| store_failure(&e))?;
        head.ok_or_else(|| Failure::failed(format_args!("the store has no pool {pool}")))
    }

    /// Returns the chunks that follow a position; nothing at the end.
    async fn chunks(&self, pool: &PoolId, after: Position) -> Result<Vec<Chunk>, Failure> {
        let page = self.store.journal.read(pool, after, PAGE_BYTES_MAX).await;
        let page = page.map_err(|error| read_failure(&error))?;
        Ok(page.chunks)
    }
}

fn read_failure(error: &ReadError) -> Failure {
    match error {
        ReadError::Store(error) => store_failure(error),
        ReadError::NoPool | ReadError::Trimmed { .. } => Failure::failed(error),
    }
}

/// Says that a record cannot be read.
fn damaged(pool: &PoolId, error: &heronry_journal::ChunkError) -> Failure {
    let exit = if error.is_newer() {
        Exit::Failed
    } else {
        Exit::Damaged
    };
    Failure::new(exit, format_args!("pool {pool}: {error}"))
}
