//! The part of its journal that a pool keeps, as flags change it and as text says it.

use clap::Args;
use heronry_types::Retention;

use crate::{durations::TimeSpan, failure::Failure};

/// The flags that change how much of its journal a pool keeps.
#[derive(Debug, Args)]
pub(super) struct KeepArgs {
    /// The age up to which records are kept, as 30d or 12h
    #[arg(long = "keep-age", value_name = "SPAN")]
    age: Option<TimeSpan>,
    /// The bytes of records that are kept, bodies not counted
    #[arg(long = "keep-bytes", value_name = "BYTES")]
    bytes: Option<u64>,
    /// The number of the latest records that are kept in any case
    #[arg(long = "keep-min", value_name = "N")]
    min: Option<u64>,
    /// Keep the whole journal
    #[arg(long = "keep-all", conflicts_with_all = ["age", "bytes", "min"])]
    all: bool,
}

impl KeepArgs {
    /// Returns true when a flag was named.
    pub(super) fn names_any(&self) -> bool {
        self.all || self.age.is_some() || self.bytes.is_some() || self.min.is_some()
    }

    /// Returns what the pool keeps from here on: the part that is not named stays as it is.
    pub(super) fn changed(&self, present: Option<Retention>) -> Result<Retention, Failure> {
        if self.all {
            return Ok(Retention::default());
        }
        let present = present.unwrap_or_default();
        let kept = Retention {
            age_ms: self.age.map(|age| age.0).or(present.age_ms),
            bytes: self.bytes.or(present.bytes),
            keep_min: self.min.or(present.keep_min),
        };
        if kept.keeps_everything() {
            return Err(Failure::usage(
                "the pool keeps its whole journal, so --keep-min changes nothing; name --keep-age or --keep-bytes with it",
            ));
        }
        Ok(kept)
    }
}

/// Says how much of its journal a pool keeps.
pub(super) fn kept_text(kept: Option<Retention>) -> String {
    let kept = kept.filter(|it| !it.keeps_everything());
    let Some(Retention {
        age_ms,
        bytes,
        keep_min,
    }) = kept
    else {
        return "all".to_owned();
    };
    let age = age_ms.map(|age| format!("{} s", age.0 / 1_000));
    let bytes = bytes.map(|bytes| format!("{bytes} bytes"));
    let least = keep_min.map(|least| format!("at least {least} records"));
    let parts: Vec<String> = [age, bytes, least].into_iter().flatten().collect();
    parts.join(", ")
}
