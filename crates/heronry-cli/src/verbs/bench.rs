//! `heronry bench`.

use std::{path::PathBuf, process::Stdio};

use clap::{Args, ValueEnum};
use comfy_table::CellAlignment;
use serde::{Deserialize, Serialize};

use crate::{
    bench::{self, FigureRow, FigureVerdict, Group, Scale},
    connect::Context,
    failure::{Exit, Failure, Outcome},
    lines::Lines,
    out::{RowsPlace, diagnose},
    tables,
};

/// Measure this machine, and Heronry on it, beside the bars
#[derive(Debug, Args)]
#[command(
    after_help = "Build with --release. Everything takes some minutes; figures of a busy machine say little.\n\n\
Example:\n  heronry bench durable waits\n  heronry --json bench > figures.json"
)]
pub(crate) struct BenchArgs {
    /// The groups to measure [default: all]
    #[arg(value_enum, value_name = "GROUP")]
    groups: Vec<Group>,
    /// Measure a five-hundredth of everything: shows that it runs, no more
    #[arg(long)]
    quick: bool,
    /// The folder where durable stores are written, and removed again
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
}

#[derive(Deserialize, Serialize)]
struct FigureTable {
    rows: Vec<FigureRow>,
}

pub(crate) async fn run(cx: &Context, args: BenchArgs) -> Outcome {
    // Once, not by each process that measures a group.
    if cfg!(debug_assertions) && args.groups.len() != 1 {
        diagnose("heronry: this is a debug build; its figures say nothing about a release");
    }
    let rows = if let [group] = args.groups.as_slice() {
        measure(*group, &args).await?
    } else {
        let all = Group::value_variants();
        let groups = if args.groups.is_empty() {
            all
        } else {
            &args.groups
        };
        let mut rows = Vec::new();
        for group in groups {
            rows.extend(measure_apart(*group, &args).await?);
        }
        rows
    };
    let figures = FigureTable { rows };
    cx.out
        .answer(&figures, RowsPlace::Of("rows"), || table(&figures.rows))?;
    Ok(Exit::Ok)
}

async fn measure(group: Group, args: &BenchArgs) -> Result<Vec<FigureRow>, Failure> {
    let scale = if args.quick {
        Scale::Quick
    } else {
        Scale::Full
    };
    let name = format!("heronry-bench-{}", std::process::id());
    let folder = args.dir.join(name);
    std::fs::create_dir(&folder).map_err(|error| Failure::file("create", &folder, &error))?;
    let measured = bench::measure(group, scale, &folder).await;
    let removed = std::fs::remove_dir_all(&folder);
    let rows = measured?;
    removed.map_err(|error| Failure::file("remove", &folder, &error))?;
    Ok(rows)
}

/// Measures a group in a process of its own, so that nothing that others leave in memory counts.
async fn measure_apart(group: Group, args: &BenchArgs) -> Result<Vec<FigureRow>, Failure> {
    let name = group.to_possible_value();
    let name = name
        .as_ref()
        .map_or("", clap::builder::PossibleValue::get_name);
    diagnose(&format!("heronry: measuring {name}"));
    let program = std::env::current_exe().map_err(Failure::failed)?;
    let mut command = tokio::process::Command::new(program);
    command.args(["--json", "bench", name, "--dir"]);
    command.arg(&args.dir).args(args.quick.then_some("--quick"));
    command.kill_on_drop(true).stderr(Stdio::inherit());
    let ran = command.output().await.map_err(Failure::failed)?;
    if !ran.status.success() {
        return Err(Failure::failed(format_args!(
            "cannot measure {name}: it ended with {}",
            ran.status
        )));
    }
    let figures: FigureTable = serde_json::from_slice(&ran.stdout).map_err(Failure::failed)?;
    Ok(figures.rows)
}

fn table(rows: &[FigureRow]) -> Lines {
    let rows = rows.iter().map(|row| {
        [
            row.what.clone(),
            row.seen.map(number).unwrap_or_default(),
            row.unit.to_string(),
            bar(row),
            verdict(row.verdict).to_owned(),
            row.note.clone(),
        ]
    });
    let mut table = tables::table(["what", "seen", "", "bar", "", "made of"], rows);
    for column in [1, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    tables::lines_of(table)
}

fn bar(row: &FigureRow) -> String {
    match (row.at_least, row.at_most) {
        (Some(least), _) => format!("≥ {}", number(least)),
        (None, Some(most)) => format!("≤ {}", number(most)),
        (None, None) => String::new(),
    }
}

fn verdict(verdict: FigureVerdict) -> &'static str {
    match verdict {
        FigureVerdict::None => "",
        FigureVerdict::Met => "met",
        FigureVerdict::Missed => "MISSED",
        FigureVerdict::Skipped => "SKIPPED",
    }
}

/// Three digits that say something.
fn number(figure: f64) -> String {
    if figure.abs() >= 100.0 {
        format!("{figure:.0}")
    } else if figure.abs() >= 10.0 {
        format!("{figure:.1}")
    } else {
        format!("{figure:.2}")
    }
}
