//! `cargo xtask bench`: the criterion benchmarks, and how they compare with an earlier run.
//!
//! It is for one machine and two runs on it. CI does not run it, because its machines are noisy.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use cargo_metadata::TargetKind;
use serde_json::Value;

use crate::out;
use crate::packages::Packages;
use crate::process::{self, cargo};

/// The folder where criterion writes the figures of this run.
const RUN: &str = "target/xtask-bench/run";

/// The file that keeps the figures to compare with.
const BASELINE: &str = "target/xtask-bench/baseline.json";

/// The slow-down against the baseline from which on a figure is reported, in percent.
const SLOWER_MAX_PERCENT: f64 = 20.0;

/// The use of the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figures {
    Print,
    Save,
    Compare,
}

impl Figures {
    /// Reads the arguments of the command; nothing when they are wrong.
    pub(crate) fn of(arguments: &[String]) -> Option<Self> {
        match arguments {
            [] => Some(Figures::Print),
            [word] if word == "--save" => Some(Figures::Save),
            [word] if word == "--compare" => Some(Figures::Compare),
            _ => None,
        }
    }
}

/// Nanoseconds by the name of the benchmark.
type Nanoseconds = BTreeMap<String, f64>;

/// Runs the benchmarks; with `Compare` one that became slower makes the command fail.
pub(crate) fn run(figures: Figures) -> Result<ExitCode> {
    let baseline = match figures {
        Figures::Compare => Some(read_baseline()?),
        Figures::Print | Figures::Save => None,
    };
    let found = measure()?;
    for (name, nanoseconds) in &found {
        let before = baseline.as_ref().and_then(|baseline| baseline.get(name));
        out::line(&line(name, *nanoseconds, before.copied()));
    }
    if figures == Figures::Save {
        let text = serde_json::to_string_pretty(&found).context("cannot write the figures")?;
        fs::write(BASELINE, text).with_context(|| format!("cannot write {BASELINE}"))?;
        out::line(&format!(
            "bench: {} figures saved in {BASELINE}",
            found.len()
        ));
    }
    let slower = baseline.map_or_else(Vec::new, |baseline| slower(&baseline, &found));
    if slower.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    out::line(&format!(
        "bench: more than {SLOWER_MAX_PERCENT} % slower: {}",
        slower.join(", ")
    ));
    Ok(ExitCode::FAILURE)
}

/// Runs every criterion benchmark and reads what it wrote.
fn measure() -> Result<Nanoseconds> {
    if Path::new(RUN).exists() {
        fs::remove_dir_all(RUN).with_context(|| format!("cannot remove {RUN}"))?;
    }
    fs::create_dir_all(RUN).with_context(|| format!("cannot make {RUN}"))?;
    let folder = fs::canonicalize(RUN).with_context(|| format!("cannot find {RUN}"))?;
    let benches = Packages::read()?.targets_with(&TargetKind::Bench, "criterion_")?;
    for (package, targets) in benches {
        let mut command = cargo(["bench", "--package", &package]);
        for target in targets {
            command.args(["--bench", &target]);
        }
        command.env("CRITERION_HOME", &folder);
        process::run(command)?;
    }
    let mut found = Nanoseconds::new();
    collect(&folder, &folder, &mut found)?;
    if found.is_empty() {
        bail!("the benchmarks left no figures in {RUN}");
    }
    Ok(found)
}

/// Reads `<group>/<name>/new/estimates.json` wherever it stands.
fn collect(root: &Path, folder: &Path, found: &mut Nanoseconds) -> Result<()> {
    let shown = folder.display();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {shown}"))? {
        let path = entry
            .with_context(|| format!("cannot list {shown}"))?
            .path();
        let estimates = path.join("estimates.json");
        if path.ends_with("new") && estimates.is_file() {
            let name = folder.strip_prefix(root).unwrap_or(folder);
            let name = name.to_string_lossy().replace('\\', "/");
            found.insert(name, mean(&estimates)?);
        } else if path.is_dir() {
            collect(root, &path, found)?;
        }
    }
    Ok(())
}

fn mean(estimates: &Path) -> Result<f64> {
    let shown = estimates.display();
    let text = fs::read_to_string(estimates).with_context(|| format!("cannot read {shown}"))?;
    let value: Value =
        serde_json::from_str(&text).with_context(|| format!("{shown} is no JSON"))?;
    let mean = value
        .pointer("/mean/point_estimate")
        .and_then(Value::as_f64);
    mean.with_context(|| format!("{shown} holds no mean"))
}

fn read_baseline() -> Result<Nanoseconds> {
    let path = PathBuf::from(BASELINE);
    let text = fs::read_to_string(path)
        .with_context(|| format!("{BASELINE} is missing; run `cargo xtask bench --save` first"))?;
    serde_json::from_str(&text).with_context(|| format!("{BASELINE} holds no figures"))
}

fn line(name: &str, nanoseconds: f64, before: Option<f64>) -> String {
    let compared = before.map_or_else(String::new, |before| {
        format!("  {:+6.1} %", change_percent(before, nanoseconds))
    });
    format!("{name:<48} {:>12.3} us{compared}", nanoseconds / 1_000.0)
}

fn change_percent(before: f64, now: f64) -> f64 {
    (now / before - 1.0) * 100.0
}

/// The benchmarks that became slower than is allowed, and those that are gone.
fn slower(baseline: &Nanoseconds, found: &Nanoseconds) -> Vec<String> {
    let is_slower = |(name, before): &(&String, &f64)| {
        let now = found.get(*name).copied().unwrap_or(f64::INFINITY);
        change_percent(**before, now) > SLOWER_MAX_PERCENT
    };
    let slower = baseline.iter().filter(is_slower);
    slower.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(of: &[(&str, f64)]) -> Nanoseconds {
        of.iter()
            .map(|(name, ns)| ((*name).to_owned(), *ns))
            .collect()
    }

    #[test]
    fn slower_and_missing_benchmarks_are_named() {
        let before = figures(&[("a", 100.0), ("b", 100.0), ("c", 100.0), ("d", 100.0)]);
        let now = figures(&[("a", 119.0), ("b", 121.0), ("c", 20.0), ("e", 1.0)]);
        assert_eq!(slower(&before, &now), ["b", "d"]);
    }

    #[test]
    fn figures_are_read_from_what_criterion_writes() {
        let folder = tempfile::tempdir().unwrap();
        for (part, ns) in [("new", 7.5), ("base", 9.0)] {
            let inner = folder.path().join("chunk/decode").join(part);
            fs::create_dir_all(&inner).unwrap();
            let text = format!("{{\"mean\":{{\"point_estimate\":{ns}}}}}");
            fs::write(inner.join("estimates.json"), text).unwrap();
        }
        let mut found = Nanoseconds::new();
        collect(folder.path(), folder.path(), &mut found).unwrap();
        assert_eq!(found, figures(&[("chunk/decode", 7.5)]));
    }

    #[test]
    fn other_words_are_a_usage_error() {
        let of = |word: &str| Figures::of(&[word.to_owned()]);
        assert_eq!(Figures::of(&[]), Some(Figures::Print));
        assert_eq!(of("--save"), Some(Figures::Save));
        assert_eq!(of("--compare"), Some(Figures::Compare));
        assert_eq!(of("--other"), None);
    }
}
