//! Exports that a server runs by itself, as its configuration names them.

use std::path::PathBuf;

use heronry_event::filter::Filter;
use heronry_runtime::{
    ConsumerClaim, ConsumerSpec, EXPORT_PRIVACY_MAX, ExportOptions, OnHeld, OpenError, Runtime,
    StoppedExport,
};
use heronry_types::{ConsumerId, ConsumerRecovery, PoolId, PrivacyClass};
use serde::{Deserialize, de::IntoDeserializer};
use toml::Value;

use super::{ExportPlace, FormatName, privacy_of, sink_to};
use crate::failure::Failure;

/// An export that a server runs by itself.
#[derive(Clone, Debug)]
pub(crate) struct ExportPlan {
    pool: PoolId,
    consumer: ConsumerId,
    filter: Filter,
    to: ExportPlace,
    format: FormatName,
    privacy_max: PrivacyClass,
    on_stale: ConsumerRecovery,
    sink_token_file: Option<PathBuf>,
}

/// An export as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    pool: PoolId,
    consumer: ConsumerId,
    to: String,
    filter: Option<String>,
    format: Option<String>,
    privacy_max: Option<String>,
    on_stale: Option<ConsumerRecovery>,
    sink_token_file: Option<PathBuf>,
}

impl ExportPlan {
    /// Reads a table of the configuration.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let written = Written::deserialize(value.clone().into_deserializer());
        let written = written.map_err(|error| error.to_string())?;
        let filter = match &written.filter {
            Some(text) => Filter::compile(text).map_err(|error| format!("filter: {error}"))?,
            None => Filter::all(),
        };
        let format = match written.format.as_deref() {
            None | Some("jsonl") => FormatName::Jsonl,
            Some("cloudevents") => FormatName::Cloudevents,
            Some(other) => return Err(format!("format {other:?}: write jsonl or cloudevents")),
        };
        let privacy_max = match written.privacy_max.as_deref() {
            None => EXPORT_PRIVACY_MAX,
            Some(class) => privacy_of(class).map_err(|error| format!("privacy_max: {error}"))?,
        };
        Ok(Self {
            to: written.to.parse().map_err(|error| format!("to: {error}"))?,
            pool: written.pool,
            consumer: written.consumer,
            filter,
            format,
            privacy_max,
            on_stale: written.on_stale.unwrap_or_default(),
            sink_token_file: written.sink_token_file,
        })
    }

    /// Begins the export. It takes the consumer over from whoever had it.
    pub(crate) async fn start(&self, runtime: &Runtime) -> Result<(), Failure> {
        let Self { pool, consumer, .. } = self;
        let failed = |why: &dyn std::fmt::Display| {
            Failure::failed(format_args!("export {consumer} of pool {pool}: {why}"))
        };
        let opened = match runtime.find(pool).await {
            Err(OpenError::NotFound) => {
                return Err(failed(
                    &"there is no such pool; open it before its export is configured",
                ));
            }
            opened => opened.map_err(|error| failed(&error))?,
        };
        let spec = ConsumerSpec::new(consumer.clone(), self.filter.clone());
        let spec = ConsumerSpec {
            claim: ConsumerClaim {
                on_held: OnHeld::TakeOver,
                on_stale: self.on_stale,
                ..spec.claim
            },
            ..spec
        };
        let options = ExportOptions {
            privacy_max: self.privacy_max,
            ..ExportOptions::default()
        };
        let sink = sink_to(&self.to, self.format, self.sink_token_file.as_deref())?;
        let begun = opened.export_to(spec, sink, options).await;
        begun.map(drop).map_err(|error| failed(&error))
    }
}

/// Writes to the log how an export ended with its server.
pub(crate) fn log_end(pool: &PoolId, export: &StoppedExport) {
    let StoppedExport { consumer, figures } = export;
    tracing::info!(
        %pool,
        %consumer,
        exported = figures.exported,
        left_out = figures.left_out,
        failed = figures.failed,
        waiting = figures.waiting,
        "an export has ended with the server"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ExportPlan, String> {
        ExportPlan::read(&Value::Table(toml::from_str(text).unwrap()))
    }

    #[test]
    fn a_plan_has_a_pool_a_consumer_and_a_place() {
        let plan = read("pool = 'p'\nconsumer = 'audit'\nto = 'file:a.jsonl'").unwrap();
        assert_eq!(plan.privacy_max, PrivacyClass::ContentRefsOnly);
        assert_eq!(plan.format, FormatName::Jsonl);
        let all = "pool = 'p'\nconsumer = 'audit'\nto = 'http://127.0.0.1:1/'\nfilter = 'true'\n\
                   format = 'cloudevents'\nprivacy_max = 'public'\non_stale = 'head'\n\
                   sink_token_file = 'token'";
        let plan = read(all).unwrap();
        assert_eq!(plan.privacy_max, PrivacyClass::Public);
        assert_eq!(plan.on_stale, ConsumerRecovery::Head);
        for (text, why) in [
            ("pool = 'p'\nto = 'file:a'", "consumer"),
            (
                "pool = 'p'\nconsumer = 'c'\nto = 'ftp://a/'",
                "http alone is spoken",
            ),
            (
                "pool = 'p'\nconsumer = 'c'\nto = 'file:a'\nfilter = 'no'",
                "filter",
            ),
            (
                "pool = 'p'\nconsumer = 'c'\nto = 'file:a'\nformat = 'xml'",
                "jsonl or cloudevents",
            ),
            (
                "pool = 'p'\nconsumer = 'c'\nto = 'file:a'\nprivacy_max = 'private'",
                "public < internal < content_refs_only < sensitive < secret",
            ),
            (
                "pool = 'p'\nconsumer = 'c'\nto = 'file:a'\ncolour = 1",
                "colour",
            ),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.contains(why), "{text}: {found}");
        }
    }
}
