//! Counters of this server, and how they are written for Prometheus.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    sync::{Mutex, PoisonError},
};

use axum::http::StatusCode;
use heronry_api::server::PoolSample;
use heronry_runtime::layers::StoreFigures;

/// Counts of this server since it started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    answers: Mutex<BTreeMap<u16, u64>>,
}

/// The numbers of connections and streams that are open at the time of writing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenCounts {
    pub(crate) connections: u64,
    pub(crate) streams: u64,
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn count(&self, status: StatusCode) {
        // A count is whole at every point, so a panic elsewhere cannot have left it half done.
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry(status.as_u16()).or_default() += 1;
    }

    /// Writes everything in the text format of Prometheus.
    pub(crate) fn render(
        &self,
        pools: &[PoolSample],
        open: OpenCounts,
        store: &StoreFigures,
    ) -> String {
        let mut text = MetricsText::default();
        text.family(
            "heronry_http_responses_total",
            "counter",
            "Answers by HTTP status.",
        );
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        for (status, count) in answers.iter() {
            text.sample(
                "heronry_http_responses_total",
                &[("status", &status.to_string())],
                *count,
            );
        }
        drop(answers);
        text.family(
            "heronry_streams_open",
            "gauge",
            "Event streams that are open.",
        );
        text.bare("heronry_streams_open", open.streams);
        text.family(
            "heronry_connections_open",
            "gauge",
            "Connections that are open.",
        );
        text.bare("heronry_connections_open", open.connections);
        text.family("heronry_pools", "gauge", "Pools in the store.");
        text.bare("heronry_pools", pools.len() as u64);
        text.per_pool(
            pools,
            ("heronry_pool_head", "Last position of the journal."),
            |pool| pool.head.0,
        );
        text.per_pool(pools, ("heronry_pool_members", "Members."), |pool| {
            pool.members
        });
        let live = (
            "heronry_pool_live_messages",
            "Messages that have not ended.",
        );
        text.per_pool(pools, live, |pool| pool.live_messages);
        let waiting = ("heronry_pool_live_wakes", "Wakes that wait.");
        text.per_pool(pools, waiting, |pool| pool.live_wakes);
        text.store(store);
        text.0
    }
}

/// Prometheus text in the making. Writing to a `String` cannot fail.
#[derive(Default)]
struct MetricsText(String);

impl MetricsText {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn bare(&mut self, name: &str, value: u64) {
        self.line(format_args!("{name} {value}"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels = labels.iter().map(|(key, text)| {
            let text = text
                .replace('\\', r"\\")
                .replace('"', "\\\"")
                .replace('\n', r"\n");
            format!("{key}=\"{text}\"")
        });
        let labels = labels.collect::<Vec<_>>().join(",");
        self.line(format_args!("{name}{{{labels}}} {value}"));
    }

    /// Writes the calls of the store: how many ended how, and the time that they took.
    fn store(&mut self, store: &StoreFigures) {
        let (total, seconds, max) = (
            "heronry_store_operations_total",
            "heronry_store_operation_seconds",
            "heronry_store_operation_seconds_max",
        );
        self.family(total, "counter", "Calls of the store, by how they ended.");
        for (operation, figures) in &store.operations {
            for (outcome, count) in [
                ("ok", figures.ok),
                ("refused", figures.refused),
                ("failed", figures.failed),
            ] {
                let labels = [
                    ("port", operation.port),
                    ("operation", operation.name),
                    ("outcome", outcome),
                ];
                self.sample(total, &labels, count);
            }
        }
        self.family(seconds, "summary", "Time that calls of the store took.");
        for (operation, figures) in &store.operations {
            let labels = [("port", operation.port), ("operation", operation.name)];
            let sum = figures.total.as_secs_f64();
            self.sample(&format!("{seconds}_sum"), &labels, sum);
            self.sample(&format!("{seconds}_count"), &labels, figures.calls());
        }
        self.family(max, "gauge", "Time of the longest call since the start.");
        for (operation, figures) in &store.operations {
            let labels = [("port", operation.port), ("operation", operation.name)];
            self.sample(max, &labels, figures.max.as_secs_f64());
        }
    }

    fn per_pool(
        &mut self,
        pools: &[PoolSample],
        family: (&str, &str),
        value: impl Fn(&PoolSample) -> u64,
    ) {
        let (name, help) = family;
        self.family(name, "gauge", help);
        for pool in pools {
            self.sample(name, &[("pool", pool.pool.as_str())], value(pool));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use heronry_runtime::layers::{OperationFigures, StoreOperation};
    use heronry_types::Position;

    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.count(StatusCode::OK);
        metrics.count(StatusCode::OK);
        metrics.count(StatusCode::CONFLICT);
        let pool = PoolSample {
            pool: "a\"b".parse().unwrap(),
            head: Position(7),
            members: 1,
            live_messages: 2,
            live_wakes: 3,
        };
        let open = OpenCounts {
            connections: 4,
            streams: 0,
        };
        let append = StoreOperation {
            port: "journal",
            name: "append",
        };
        let figures = OperationFigures {
            ok: 5,
            refused: 1,
            failed: 0,
            total: Duration::from_millis(1250),
            max: Duration::from_micros(30),
        };
        let store = StoreFigures {
            operations: BTreeMap::from([(append, figures)]),
        };
        let text = metrics.render(&[pool], open, &store);
        for line in [
            "heronry_http_responses_total{status=\"200\"} 2",
            "heronry_http_responses_total{status=\"409\"} 1",
            "heronry_streams_open 0",
            "heronry_connections_open 4",
            "heronry_pools 1",
            "heronry_pool_head{pool=\"a\\\"b\"} 7",
            "heronry_pool_members{pool=\"a\\\"b\"} 1",
            "heronry_pool_live_messages{pool=\"a\\\"b\"} 2",
            "heronry_pool_live_wakes{pool=\"a\\\"b\"} 3",
            "heronry_store_operations_total{port=\"journal\",operation=\"append\",outcome=\"ok\"} 5",
            "heronry_store_operations_total{port=\"journal\",operation=\"append\",outcome=\"refused\"} 1",
            "heronry_store_operations_total{port=\"journal\",operation=\"append\",outcome=\"failed\"} 0",
            "heronry_store_operation_seconds_sum{port=\"journal\",operation=\"append\"} 1.25",
            "heronry_store_operation_seconds_count{port=\"journal\",operation=\"append\"} 6",
            "heronry_store_operation_seconds_max{port=\"journal\",operation=\"append\"} 0.00003",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
