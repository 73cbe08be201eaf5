//! Medians, and how they are printed and kept.

use std::{collections::BTreeMap, fs, io::Write, path::PathBuf, process::ExitCode};

use serde_json::{Map, Value, json};

use crate::args::Shows;

/// Figures of every round, by name.
#[derive(Default)]
pub(crate) struct Samples(BTreeMap<&'static str, Vec<f64>>);

impl Samples {
    pub(crate) fn add(&mut self, name: &'static str, figure: f64) {
        self.0.entry(name).or_default().push(figure);
    }

    pub(crate) fn median(&self, name: &str) -> f64 {
        let figures = self.0.get(name).cloned();
        percentile(&mut figures.unwrap_or_default(), 50)
    }
}

/// Returns the figure below which this share of the others lies.
pub(crate) fn percentile(figures: &mut [f64], percent: usize) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    let at = figures.len() * percent / 100;
    figures.get(at).copied().unwrap_or(f64::NAN)
}

/// One result.
pub(crate) struct Line {
    name: String,
    text: String,
    figures: Map<String, Value>,
    times: Vec<(String, f64)>,
}

impl Line {
    pub(crate) fn new(name: String, text: String, samples: &Samples) -> Self {
        let medians = samples.0.keys().map(|name| {
            let rounded = (samples.median(name) * 1e4).round() / 1e4;
            ((*name).to_owned(), json!(rounded))
        });
        Self {
            name,
            text,
            figures: medians.collect(),
            times: Vec::new(),
        }
    }

    /// Adds a time that a later run is compared with.
    pub(crate) fn timed(mut self, what: &str, nanoseconds: f64) -> Self {
        self.times
            .push((format!("{}{what}", self.name), nanoseconds));
        self
    }
}

/// The destination of results.
pub(crate) struct Report {
    shows: Shows,
    /// The folder where benchmarks with a `criterion_main!` keep their times, when somebody wants
    /// to have them.
    home: Option<PathBuf>,
}

impl Report {
    pub(crate) fn new(shows: Shows) -> Self {
        let home = std::env::var_os("CRITERION_HOME").map(PathBuf::from);
        Self { shows, home }
    }

    pub(crate) fn line(&self, line: &Line) {
        print(&match self.shows {
            Shows::Text => format!("{:<18} {}", line.name, line.text),
            Shows::Json => {
                let mut object = line.figures.clone();
                object.insert("name".to_owned(), json!(line.name));
                Value::Object(object).to_string()
            }
        });
        for (name, nanoseconds) in &line.times {
            self.keep(name, *nanoseconds);
        }
    }

    /// Keeps a time as criterion does, for `cargo xtask bench --save` and `--compare`.
    fn keep(&self, name: &str, nanoseconds: f64) {
        let Some(home) = &self.home else {
            return;
        };
        let folder = home.join("stores").join(name).join("new");
        fs::create_dir_all(&folder).unwrap();
        let estimates = json!({ "mean": { "point_estimate": nanoseconds } });
        fs::write(folder.join("estimates.json"), estimates.to_string()).unwrap();
    }
}

/// Says whether a ratio reaches its bar; nothing where there is none.
pub(crate) fn bar_of(bar: Option<f64>, ratio: f64) -> String {
    bar.map_or_else(String::new, |bar| {
        let met = if ratio >= bar { "met" } else { "MISSED" };
        format!(" (bar {bar:.2} {met})")
    })
}

/// Says which words there are.
pub(crate) fn refuse(word: &str) -> ExitCode {
    print(&format!(
        "'{word}' means nothing here; words: send append scan reopen disk, memory redb sled, \
         a number of callers, --quick, --json"
    ));
    ExitCode::from(2)
}

fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
}
