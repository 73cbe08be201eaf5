//! Every store beside itself bare: sends, appends, scans, reopening, bytes on disk.
//!
//! Each pair runs in turn, round by round, so that a ratio holds while the machine drifts.
//! `cargo bench -p heronry-bench --bench stores` runs all of it. Words choose a part (`send`,
//! `append`, `scan`, `reopen`, `disk`), a store (`memory`, `redb`, `sled`) or a number of callers;
//! `--quick` makes everything small; `--json` prints one object for each line.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, stops at the first surprise and prints rounded figures"
)]

mod args;
mod bare;
mod disk;
mod history;
mod journal;
mod kind;
#[path = "../send/message.rs"]
mod message;
mod report;
mod senders;
mod sends;

use std::process::ExitCode;

use args::{Args, Part};
use kind::Kind;
use report::Report;

fn main() -> ExitCode {
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(word) => return report::refuse(&word),
    };
    let report = Report::new(args.shows);
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio.block_on(run(&args, &report));
    ExitCode::SUCCESS
}

async fn run(args: &Args, report: &Report) {
    for kind in Kind::ALL.into_iter().filter(|kind| args.wants_store(*kind)) {
        for callers in args.callers() {
            report.line(&sends::measure(kind, callers, args.size).await);
        }
    }
    if !Part::OF_HISTORY.into_iter().any(|part| args.wants(part)) {
        return;
    }
    let journal = journal::make(args.size);
    for kind in Kind::ALL.into_iter().filter(|kind| args.wants_store(*kind)) {
        for line in history::measure(kind, &journal, args).await {
            report.line(&line);
        }
    }
}
