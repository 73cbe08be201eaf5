//! `heronry filter`.

use clap::{Args, Subcommand};
use heronry_event::filter::{CompileError, CompileErrors, Filter};
use heronry_types::counted;
use heronry_wire::CompiledFilter;
use serde_json::json;

use crate::{
    connect::Context,
    failure::{Exit, Outcome},
    lines::Lines,
    out::{Format, RowsPlace, diagnose},
    text::one_line,
};

/// Work with filters
#[derive(Debug, Subcommand)]
pub(crate) enum FilterVerb {
    Check(CheckArgs),
}

/// Check a filter: print its normal form, or every error with its place
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry filter check 'kind == \"run_completed\" && run == \"reporter\"'"
)]
pub(crate) struct CheckArgs {
    /// The filter
    filter: String,
}

/// Needs no server: the language is the same everywhere.
pub(crate) fn run(cx: &Context, verb: &FilterVerb) -> Outcome {
    let FilterVerb::Check(args) = verb;
    match Filter::compile(&args.filter) {
        Ok(filter) => {
            let compiled = CompiledFilter {
                fingerprint: *filter.fingerprint(),
                normal_form: filter.normal_form().to_owned(),
                cost: filter.cost(),
            };
            let lines = || {
                let mut lines = Lines::of(format_args!("{}", compiled.normal_form));
                lines.line(format_args!("{}", compiled.fingerprint));
                let values = counted(compiled.cost.per_event as u64, "value");
                lines.line(format_args!("compares an event with up to {values}"));
                lines
            };
            cx.out.answer(&compiled, RowsPlace::Whole, lines)?;
            Ok(Exit::Ok)
        }
        Err(errors) => refuse(cx, &args.filter, &errors),
    }
}

fn refuse(cx: &Context, filter: &str, errors: &CompileErrors) -> Outcome {
    if *cx.out.format() == Format::Json {
        cx.out
            .answer(&json!({"errors": errors}), RowsPlace::Whole, Lines::default)?;
    }
    for error in errors {
        diagnose(&format!("heronry: {error}"));
        if let Some(marked) = mark(filter, error) {
            for line in &marked {
                diagnose(line);
            }
        }
    }
    Ok(Exit::Usage)
}

/// Shows the line of the filter with the place of an error under it.
fn mark(filter: &str, error: &CompileError) -> Option<[String; 2]> {
    let before = filter.get(..error.span.start)?;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = filter.get(start..)?.lines().next().unwrap_or_default();
    // What is marked is what is shown.
    let width = |text: &str| one_line(text).chars().count();
    let indent = width(before.get(start..)?);
    let marked = filter.get(error.span.clone()).unwrap_or_default();
    let marked = width(marked.lines().next().unwrap_or_default()).max(1);
    let mark = format!("  {}{}", " ".repeat(indent), "^".repeat(marked));
    Some([format!("  {line}"), mark])
}
