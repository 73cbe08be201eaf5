//! `heronry labels`.

use clap::{Args, Subcommand};
use heronry_types::{Labels, RunId};

use crate::{
    connect::{Context, refused},
    failure::{Exit, Failure, Outcome},
    lines::Lines,
    out::RowsPlace,
};

/// Look after labels: what is noted about the pool, or about a run
#[derive(Debug, Subcommand)]
pub(crate) enum LabelsVerb {
    Show(ShowLabelsArgs),
    Set(SetLabelsArgs),
    Clear(ClearLabelsArgs),
}

/// Show the labels of the pool, or of a run
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review labels show --of scanner-1")]
pub(crate) struct ShowLabelsArgs {
    /// The run, which need not be a member [default: the pool]
    #[arg(long, value_name = "RUN")]
    of: Option<RunId>,
}

/// Replace all labels of the pool, or of a run
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review labels set --of scanner-1 team=red tier=1"
)]
pub(crate) struct SetLabelsArgs {
    /// The run, which need not be a member [default: the pool]
    #[arg(long, value_name = "RUN")]
    of: Option<RunId>,
    /// All labels from then on
    #[arg(required = true, value_name = "NAME=VALUE")]
    labels: Vec<String>,
}

/// Clear all labels of the pool, or of a run
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review labels clear --of scanner-1")]
pub(crate) struct ClearLabelsArgs {
    /// The run, which need not be a member [default: the pool]
    #[arg(long, value_name = "RUN")]
    of: Option<RunId>,
}

pub(crate) async fn run(cx: &Context, verb: LabelsVerb) -> Outcome {
    match verb {
        LabelsVerb::Show(args) => show(cx, args.of.as_ref()).await,
        LabelsVerb::Set(args) => {
            let labels = parse(&args.labels)?;
            set(cx, args.of.as_ref(), labels).await
        }
        LabelsVerb::Clear(args) => set(cx, args.of.as_ref(), Labels::new()).await,
    }
}

fn parse(texts: &[String]) -> Result<Labels, Failure> {
    let mut labels = Labels::new();
    for text in texts {
        let shape = || Failure::usage(format_args!("{text:?} is no label; write NAME=VALUE"));
        let (name, value) = text.split_once('=').ok_or_else(shape)?;
        labels.add(name, value).map_err(Failure::usage)?;
    }
    Ok(labels)
}

async fn show(cx: &Context, of: Option<&RunId>) -> Outcome {
    let shown = cx.pool()?.labels(of).await.map_err(refused)?;
    cx.out.answer(&shown, RowsPlace::Whole, || {
        let value = |name| shown.labels.value(name).unwrap_or_default();
        let names = shown.labels.names();
        names
            .map(|name| format!("{name}={}", value(name)))
            .collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

async fn set(cx: &Context, of: Option<&RunId>, labels: Labels) -> Outcome {
    let count = heronry_types::counted(labels.len() as u64, "label");
    let changed = cx.pool()?.set_labels(of, labels).await.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        let what = of.map_or("the pool", |run| run.as_str());
        format!("{what} has {count}")
    })?;
    Ok(Exit::Ok)
}
