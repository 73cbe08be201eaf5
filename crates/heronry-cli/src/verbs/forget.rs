//! `heronry forget`: cursor files of the data directory, listed and removed.

use std::{fs, io};

use clap::Args;
use serde::Serialize;

use crate::{
    connect::Context,
    cursors::{ListedCursor, What, kept},
    failure::{Exit, Failure, Outcome},
    lines::Lines,
    out::RowsPlace,
    text::add,
};

/// Forget where waits ended, and what a run last sent or saw: remove cursor files
///
/// Removed are the cursor files of the named pool and run; without a run, those of every run of the
/// pool. The next wait begins as a first one does. No server is asked; a wake that waits goes on.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review --run lead forget --list\n  \
heronry --pool review --run lead forget 'kind == \"run_completed\"'"
)]
pub(crate) struct ForgetArgs {
    /// Only that of the wait for this filter, as --list shows it
    filter: Option<String>,
    #[command(flatten)]
    list: ListFlag,
    #[command(flatten)]
    all: AllFlag,
}

#[derive(Debug, Args)]
struct ListFlag {
    /// List them and remove nothing
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Args)]
struct AllFlag {
    /// The cursor files of every pool and run, and those that name neither
    #[arg(long, conflicts_with = "filter")]
    all: bool,
}

/// The cursor files that were listed or removed.
#[derive(Debug, Serialize)]
struct ForgetAnswer {
    files: Vec<ListedCursor>,
}

/// The fields of a cursor file, as it is listed.
pub(super) const FILE_FIELDS: [&str; 6] = ["file", "cursor", "of", "pool", "run", "filter"];

pub(crate) fn run(cx: &Context, args: &ForgetArgs) -> Outcome {
    let mut files = kept(&cx.data_dir)?;
    if !args.all.all {
        let pool = cx.globals.pool.as_ref().ok_or_else(|| {
            Failure::usage("no pool is named; give --pool or set HERONRY_POOL, or say --all")
        })?;
        files.retain(|file| is_meant(cx, (file, pool.as_str()), args.filter.as_deref()));
    }
    if !args.list.list {
        files.iter().try_for_each(remove)?;
    }
    let answer = ForgetAnswer { files };
    cx.out.answer(&answer, RowsPlace::Of("files"), || {
        answer.files.iter().map(text_of).collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

fn is_meant(cx: &Context, (file, pool): (&ListedCursor, &str), filter: Option<&str>) -> bool {
    let run = cx.globals.run.as_ref();
    file.note.as_ref().is_some_and(|note| {
        note.pool == pool
            && run.is_none_or(|run| note.run == run.as_str())
            && filter.is_none_or(|filter| note.filter.as_deref() == Some(filter))
    })
}

fn remove(file: &ListedCursor) -> Result<(), Failure> {
    match fs::remove_file(&file.file) {
        Ok(()) => Ok(()),
        // Somebody else forgot it at the same time.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::file("remove", &file.file, &error)),
    }
}

fn text_of(kept: &ListedCursor) -> String {
    let Some(note) = &kept.note else {
        return format!("{}  {}", kept.file.display(), kept.cursor);
    };
    let what = match note.what {
        What::Wait => "wait",
        What::Last => "last",
    };
    let mut text = format!("{}  {}  {what}  {}", note.pool, note.run, kept.cursor);
    if let Some(filter) = &note.filter {
        add(&mut text, format_args!("  {filter}"));
    }
    text
}
