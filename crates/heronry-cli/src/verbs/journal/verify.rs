//! `heronry journal verify`: checks a store in a process of its own, because a damaged file can end
//! the process that reads it.

mod baseline;
mod bodies;

use std::{
    fmt,
    path::Path,
    process::{Command, Output},
};

use clap::Args;
use heronry_journal::Chunk;
use heronry_runtime::marks::{Marks, rolled_back};
use heronry_store::{ReadError, Reservation, StoreErrorKind};
use heronry_types::{PoolId, Position, counted};
use serde::{Deserialize, Serialize};

use self::bodies::Bodies;
use super::{OpenedStore, PAGE_BYTES_MAX, read_failure};
use crate::{
    connect::Context,
    failure::{Exit, Failure, Outcome, code_of},
    host::{MarkFile, StoreChoice, store_failure},
    lines::Lines,
    out::{RowsPlace, print},
};

/// Asks the process that does the work.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The store.
    store: StoreChoice,
}

/// The findings of a check.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Report {
    store: String,
    ok: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_bad: Option<Bad>,
    /// The store to which the pools were moved, when this one is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_to: Option<String>,
    /// The move that brings pools here, when it is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unfinished_move: Option<String>,
    pools: Vec<PoolReport>,
}

/// The first thing that is damaged.
#[derive(Debug, Deserialize, Serialize)]
struct Bad {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pool: Option<PoolId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
    what: String,
}

/// A pool's journal without fault.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoolReport {
    pub(crate) pool: PoolId,
    pub(crate) epoch: String,
    pub(crate) head: Position,
    pub(crate) chunks: u64,
    records: u64,
    pub(crate) contents: u64,
    /// The number of bodies that were left out of the export from which the pool was imported.
    contents_left_out: u64,
    hash: String,
}

/// The fields of that.
pub(crate) const POOL_FIELDS: [&str; 8] = [
    "pool",
    "epoch",
    "head",
    "chunks",
    "records",
    "contents",
    "contents_left_out",
    "hash",
];

/// Has a store checked, and reports the findings.
pub(super) async fn run(cx: &Context, store: &StoreChoice) -> Outcome {
    let path = store.path();
    let report = checked(store).await?;
    cx.out
        .answer(&report, RowsPlace::Of("pools"), || lines_of(path, &report))?;
    report.check_good(path)?;
    Ok(Exit::Ok)
}

/// Has a store checked, and returns its pools when all of it is good.
pub(crate) async fn good(store: &StoreChoice) -> Result<Vec<PoolReport>, Failure> {
    let report = checked(store).await?;
    report.check_good(store.path())?;
    Ok(report.pools)
}

/// Has a store checked by a process of its own.
async fn checked(store: &StoreChoice) -> Result<Report, Failure> {
    let program = std::env::current_exe().map_err(Failure::failed)?;
    let mut command = Command::new(program);
    command.arg("__verify").arg(store.to_string());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.map_err(Failure::failed)?;
    let output = output.map_err(|e| Failure::failed(format_args!("cannot start checking: {e}")))?;
    read_report(store.path(), &output)
}

impl Report {
    fn check_good(&self, path: &Path) -> Result<(), Failure> {
        match (&self.first_bad, &self.unfinished_move) {
            (None, None) => Ok(()),
            (None, Some(unfinished)) => Err(Failure::failed(format_args!(
                "{} is not damaged, and {unfinished}",
                path.display()
            ))),
            (Some(bad), _) => Err(Failure::new(
                Exit::Damaged,
                format_args!("{} is damaged: {bad}", path.display()),
            )),
        }
    }
}

fn read_report(path: &Path, output: &Output) -> Result<Report, Failure> {
    if let Ok(report) = serde_json::from_slice(&output.stdout) {
        return Ok(report);
    }
    let code = code_of(output.status);
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().strip_prefix("heronry: ").unwrap_or(said.trim());
    // Refused in good order: locked, missing, not a store, newer.
    if [Exit::Failed, Exit::Usage, Exit::Damaged]
        .map(Exit::code)
        .contains(&code)
        && !said.is_empty()
    {
        let exit = if code == Exit::Damaged.code() {
            Exit::Damaged
        } else {
            Exit::Failed
        };
        return Err(Failure::new(exit, said));
    }
    Err(Failure::new(
        Exit::Damaged,
        format_args!(
            "{} is damaged: checking it broke off (exit code {code}); restore a copy",
            path.display()
        ),
    ))
}

fn lines_of(path: &Path, report: &Report) -> Lines {
    let pools = report.pools.iter().map(|pool| {
        let records = counted(pool.records, "record");
        let chunks = counted(pool.chunks, "chunk");
        let bodies = counted(pool.contents, "body");
        let left_out = match pool.contents_left_out {
            0 => String::new(),
            count => format!(" ({count} left out of the export)"),
        };
        format!(
            "{}: ok, {records} in {chunks}, {bodies}{left_out}, head {}-{}",
            pool.pool, pool.epoch, pool.head
        )
    });
    let mut lines: Lines = pools.collect();
    if report.ok {
        let pools = counted(report.pools.len() as u64, "pool");
        lines.line(format_args!("{}: {pools} ok", path.display()));
    }
    if let Some(moved_to) = &report.moved_to {
        lines.line(format_args!(
            "sealed: its pools were moved to {moved_to}; verify that store, too"
        ));
    }
    lines
}

/// Does the work: prints a report as JSON.
pub(crate) async fn run_child(args: &VerifyArgs) -> Outcome {
    let mut report = Report {
        store: args.store.to_string(),
        ..Report::default()
    };
    let opened = match OpenedStore::open(&args.store) {
        Ok(opened) => opened,
        Err(failure) if failure.exit() == Exit::Damaged => {
            report.first_bad = Some(Bad {
                pool: None,
                position: None,
                what: failure.to_string(),
            });
            return finish(&report);
        }
        Err(failure) => return Err(failure),
    };
    for pool in opened
        .store
        .journal
        .pools()
        .await
        .map_err(|e| store_failure(&e))?
    {
        match check(&opened, &pool).await {
            Ok(good) => report.pools.push(good),
            Err(PoolFault::Other(failure)) => return Err(failure),
            Err(PoolFault::Bad(bad)) => {
                report.first_bad = Some(bad);
                break;
            }
        }
    }
    if report.first_bad.is_none() {
        report.first_bad = first_lost(&opened, &args.store).await?;
    }
    let sealed = opened.store.custody.sealed().await;
    report.moved_to = sealed.map_err(|error| store_failure(&error))?;
    report.unfinished_move = unfinished_move(&opened).await?;
    report.ok = report.first_bad.is_none() && report.unfinished_move.is_none();
    finish(&report)
}

/// Says which move brings pools to a store and is not complete.
async fn unfinished_move(opened: &OpenedStore) -> Result<Option<String>, Failure> {
    let reserved = opened.store.custody.reserved().await;
    let reserved = reserved.map_err(|error| store_failure(&error))?;
    Ok(reserved.map(|Reservation { route, .. }| {
        format!(
            "a move from {} to here is not complete: {route}",
            route.from
        )
    }))
}

/// Compares the store with the mark beside it.
async fn first_lost(opened: &OpenedStore, choice: &StoreChoice) -> Result<Option<Bad>, Failure> {
    let marks = MarkFile::of(choice).map_or_else(Marks::default, |file| file.marks());
    let lost = rolled_back(&opened.store, &marks).await;
    let lost = lost.map_err(|error| store_failure(&error))?;
    Ok(lost.first().map(|first| Bad {
        pool: Some(first.pool.clone()),
        position: None,
        what: first.to_string(),
    }))
}

fn finish(report: &Report) -> Outcome {
    print(&serde_json::to_string(report).map_err(Failure::failed)?)?;
    Ok(Exit::Ok)
}

/// The reason why a pool is not reported as good.
enum PoolFault {
    Bad(Bad),
    Other(Failure),
}

impl From<Failure> for PoolFault {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

fn bad<T>(pool: &PoolId, at: Position, what: &dyn fmt::Display) -> Result<T, PoolFault> {
    Err(PoolFault::Bad(Bad {
        pool: Some(pool.clone()),
        position: Some(at),
        what: what.to_string(),
    }))
}

async fn check(opened: &OpenedStore, pool: &PoolId) -> Result<PoolReport, PoolFault> {
    let head = opened.head(pool).await?;
    let mut report = PoolReport {
        pool: pool.clone(),
        epoch: head.epoch.to_string(),
        head: head.head,
        chunks: 0,
        records: 0,
        contents: 0,
        contents_left_out: 0,
        hash: head.last_hash.to_string(),
    };
    let mut bodies = Bodies::of(opened, pool);
    let mut chain = baseline::check(opened, pool, head).await?;
    let mut after = head.floor.previous();
    loop {
        let chunks = read(opened, pool, after).await?;
        for chunk in &chunks {
            if let Err(error) = chain.push(chunk) {
                return bad(pool, error.at, &error);
            }
            report.records += check_records(pool, chunk, &mut bodies).await?;
            report.chunks += 1;
        }
        match chunks.last() {
            Some(last) => after = last.last(),
            None => break,
        }
    }
    if chain.position() != head.head || chain.hash() != head.last_hash {
        return bad(pool, after.next(), &"the journal ends before its head");
    }
    report.contents_left_out = bodies.check_missing(head.floor.previous()).await?;
    report.contents = bodies.check_rows().await?;
    Ok(report)
}

/// Reads chunks; when one cannot be read, finds out which.
async fn read(
    opened: &OpenedStore,
    pool: &PoolId,
    after: Position,
) -> Result<Vec<Chunk>, PoolFault> {
    if let Ok(page) = opened.store.journal.read(pool, after, PAGE_BYTES_MAX).await {
        return Ok(page.chunks);
    }
    match opened.store.journal.read(pool, after, 1).await {
        Ok(page) => Ok(page.chunks),
        Err(ReadError::Store(error)) if error.kind() == StoreErrorKind::Corrupt => {
            bad(pool, after.next(), &error)
        }
        Err(error) => Err(PoolFault::Other(read_failure(&error))),
    }
}

/// Checks every record of a chunk, and the bodies that they name, and returns how many records it has.
async fn check_records(
    pool: &PoolId,
    chunk: &Chunk,
    bodies: &mut Bodies<'_>,
) -> Result<u64, PoolFault> {
    let mut position = chunk.first();
    let mut records = 0;
    for record in chunk.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) if error.is_newer() => return Err(super::damaged(pool, &error).into()),
            Err(error) => return bad(pool, position, &error),
        };
        records += 1;
        position = record.position.next();
        bodies.check(&record).await?;
    }
    Ok(records)
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(pool) = &self.pool {
            write!(f, "pool {pool}, ")?;
        }
        if let Some(position) = self.position {
            write!(f, "first bad position {position}: ")?;
        }
        f.write_str(&self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::check_names;

    #[test]
    fn the_fields_of_a_pool_are_all_known() {
        let pool = PoolReport {
            pool: PoolId::parse("p").unwrap(),
            epoch: String::new(),
            head: Position(1),
            chunks: 1,
            records: 1,
            contents: 1,
            contents_left_out: 1,
            hash: String::new(),
        };
        check_names(&pool, &POOL_FIELDS);
    }
}
