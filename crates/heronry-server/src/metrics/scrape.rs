//! The figures of a server at one moment, as a collector of Prometheus.

use std::{collections::BTreeMap, fmt};

use heronry_api::server::PoolSample;
use heronry_runtime::{
    ConsumerActivity, ConsumerView,
    figures::Distribution,
    layers::{StoreFigures, StoreOperation},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

/// The numbers of connections and streams that are open at the time of writing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenCounts {
    pub(crate) connections: u64,
    pub(crate) streams: u64,
}

/// The figures of a server at one moment.
#[derive(Debug)]
pub(crate) struct Scrape {
    /// The number of answers by HTTP status.
    pub(crate) answers: BTreeMap<u16, u64>,
    pub(crate) open: OpenCounts,
    /// The size of the store in bytes; `None` where it is not known.
    pub(crate) store_bytes: Option<u64>,
    pub(crate) pools: Vec<PoolSample>,
    pub(crate) store: StoreFigures,
}

/// The microseconds of a second.
const MICROSECONDS: f64 = 1e6;

/// A metric: its name without the suffix of its type, and its help.
#[derive(Clone, Copy)]
struct Described(&'static str, &'static str);

#[derive(Clone, Debug, EncodeLabelSet)]
struct StatusLabel {
    status: u32,
}

#[derive(Clone, Debug, EncodeLabelSet)]
struct PoolLabel {
    pool: String,
}

#[derive(Clone, Debug, EncodeLabelSet)]
struct ConsumerLabels {
    pool: String,
    consumer: String,
}

#[derive(Clone, Debug, EncodeLabelSet)]
struct OperationLabels {
    port: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet)]
struct OutcomeLabels {
    port: &'static str,
    operation: &'static str,
    outcome: &'static str,
}

impl PoolLabel {
    fn of(pool: &PoolSample) -> Self {
        Self {
            pool: pool.pool.to_string(),
        }
    }
}

impl ConsumerLabels {
    fn of(pool: &PoolSample, consumer: &ConsumerView) -> Self {
        Self {
            pool: pool.pool.to_string(),
            consumer: consumer.name.to_string(),
        }
    }
}

impl OperationLabels {
    fn of(operation: &StoreOperation) -> Self {
        Self {
            port: operation.port,
            operation: operation.name,
        }
    }
}

/// A family of gauges or counters, a value for each pool.
struct OfPools {
    metric: Described,
    value: fn(&PoolSample) -> u64,
}

/// The gauges of each pool.
const POOL_GAUGES: [OfPools; 7] = [
    OfPools {
        metric: Described("heronry_pool_head", "Last position of the journal."),
        value: |pool| pool.head.0,
    },
    OfPools {
        metric: Described(
            "heronry_pool_floor",
            "Position after which records are kept; 0 while nothing was trimmed.",
        ),
        value: |pool| pool.floor.0,
    },
    OfPools {
        metric: Described("heronry_pool_members", "Members."),
        value: |pool| pool.members,
    },
    OfPools {
        metric: Described(
            "heronry_pool_live_messages",
            "Messages that have not ended.",
        ),
        value: |pool| pool.live_messages,
    },
    OfPools {
        metric: Described("heronry_pool_live_wakes", "Wakes that wait."),
        value: |pool| pool.live_wakes,
    },
    OfPools {
        metric: Described(
            "heronry_pool_queued_commands",
            "Commands that wait to be decided.",
        ),
        value: |pool| pool.queued_commands,
    },
    OfPools {
        metric: Described("heronry_pool_streams_open", "Event streams that are open."),
        value: |pool| pool.streams,
    },
];

/// The counters of each pool.
const POOL_COUNTERS: [OfPools; 7] = [
    OfPools {
        metric: Described(
            "heronry_pool_wakes_triggered",
            "Wakes that were triggered since the pool was opened.",
        ),
        value: |pool| pool.counts.wakes_triggered,
    },
    OfPools {
        metric: Described(
            "heronry_pool_trims",
            "Trims that dropped records since the pool was opened.",
        ),
        value: |pool| pool.counts.trims.count,
    },
    OfPools {
        metric: Described(
            "heronry_pool_trimmed_records",
            "Records that trims dropped since the pool was opened.",
        ),
        value: |pool| pool.counts.trims.records,
    },
    OfPools {
        metric: Described(
            "heronry_pool_source_events_appended",
            "Events of foreign sources that were recorded since the pool was opened.",
        ),
        value: |pool| pool.counts.sources.appended,
    },
    OfPools {
        metric: Described(
            "heronry_pool_source_events_repeated",
            "Events that were reported again since the pool was opened, and had been taken before.",
        ),
        value: |pool| pool.counts.sources.repeated,
    },
    OfPools {
        metric: Described(
            "heronry_pool_source_events_refused",
            "Events of foreign sources that were refused for good since the pool was opened, as their bridges tell.",
        ),
        value: |pool| pool.counts.sources.refused,
    },
    OfPools {
        metric: Described(
            "heronry_pool_source_gaps",
            "Gaps of foreign sources that were recorded since the pool was opened.",
        ),
        value: |pool| pool.counts.sources.gaps,
    },
];

impl Collector for Scrape {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        self.server(&mut to)?;
        for family in &POOL_GAUGES {
            self.of_pools(&mut to, family, ConstGauge::new)?;
        }
        for family in &POOL_COUNTERS {
            self.of_pools(&mut to, family, ConstCounter::new)?;
        }
        self.consumers(&mut to)?;
        self.appends(&mut to)?;
        operations(&mut to, &self.store)
    }
}

impl Scrape {
    fn server(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let answers = Described("heronry_http_responses", "Answers by HTTP status.");
        let mut family = describe(to, answers, MetricType::Counter)?;
        for (status, count) in &self.answers {
            let labels = StatusLabel {
                status: u32::from(*status),
            };
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
        let streams = Described("heronry_streams_open", "Event streams that are open.");
        gauge(to, streams, self.open.streams)?;
        let connections = Described("heronry_connections_open", "Connections that are open.");
        gauge(to, connections, self.open.connections)?;
        if let Some(bytes) = self.store_bytes {
            let size = Described("heronry_store_bytes", "Size of the store on its disk.");
            gauge(to, size, bytes)?;
        }
        let pools = Described("heronry_pools", "Pools in the store.");
        gauge(to, pools, self.pools.len() as u64)
    }

    fn of_pools<M: EncodeMetric>(
        &self,
        to: &mut DescriptorEncoder<'_>,
        family: &OfPools,
        metric: fn(u64) -> M,
    ) -> fmt::Result {
        let mut encoder = describe(to, family.metric, metric(0).metric_type())?;
        for pool in &self.pools {
            let value = metric((family.value)(pool));
            value.encode(encoder.encode_family(&PoolLabel::of(pool))?)?;
        }
        Ok(())
    }

    fn consumers(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let each = || {
            let pools = self.pools.iter();
            pools.flat_map(|pool| {
                pool.consumers
                    .iter()
                    .map(|it| (ConsumerLabels::of(pool, it), it))
            })
        };
        let lag = Described(
            "heronry_consumer_lag_records",
            "Records after the cursor of a named consumer.",
        );
        let mut family = describe(to, lag, MetricType::Gauge)?;
        for (labels, consumer) in each() {
            // A cursor that is not of this journal is behind by nothing that can be counted.
            if let Some(lag) = consumer.lag {
                ConstGauge::new(lag).encode(family.encode_family(&labels)?)?;
            }
        }
        let committed = Described(
            "heronry_consumer_committed_seconds",
            "Time of the last commit of a named consumer, in seconds since 1970.",
        );
        let mut family = describe(to, committed, MetricType::Gauge)?;
        for (labels, consumer) in each() {
            if let Some(committed_at) = consumer.committed_at {
                let seconds = committed_at.as_millis().div_euclid(1_000);
                ConstGauge::new(seconds).encode(family.encode_family(&labels)?)?;
            }
        }
        let held = Described(
            "heronry_consumer_held",
            "1 while the server holds a named consumer, 0 when nobody there does or its export is parked.",
        );
        let mut family = describe(to, held, MetricType::Gauge)?;
        for (labels, consumer) in each() {
            let is_held = u64::from(consumer.activity == ConsumerActivity::Held);
            ConstGauge::new(is_held).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn appends(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let records = Described(
            "heronry_pool_append_records",
            "Appends since the pool was opened, by their number of records.",
        );
        let mut family = describe(to, records, MetricType::Histogram)?;
        for pool in &self.pools {
            let labels = PoolLabel::of(pool);
            histogram(family.encode_family(&labels)?, &pool.counts.appends, 1.0)?;
        }
        Ok(())
    }
}

/// Writes the calls of the store: how many ended how, and the time that they took.
fn operations(to: &mut DescriptorEncoder<'_>, store: &StoreFigures) -> fmt::Result {
    let total = Described(
        "heronry_store_operations",
        "Calls of the store, by how they ended.",
    );
    let mut family = describe(to, total, MetricType::Counter)?;
    for (operation, figures) in &store.operations {
        for (outcome, count) in [
            ("ok", figures.ok),
            ("refused", figures.refused),
            ("failed", figures.failed),
        ] {
            let labels = OutcomeLabels {
                port: operation.port,
                operation: operation.name,
                outcome,
            };
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    let seconds = Described(
        "heronry_store_operation_seconds",
        "Time that calls of the store took.",
    );
    let mut family = describe(to, seconds, MetricType::Histogram)?;
    for (operation, figures) in &store.operations {
        let labels = OperationLabels::of(operation);
        histogram(family.encode_family(&labels)?, &figures.times, MICROSECONDS)?;
    }
    let max = Described(
        "heronry_store_operation_seconds_max",
        "Time of the longest call since the start.",
    );
    let mut family = describe(to, max, MetricType::Gauge)?;
    for (operation, figures) in &store.operations {
        let (labels, max) = (OperationLabels::of(operation), figures.max.as_secs_f64());
        ConstGauge::new(max).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn describe<'a>(
    to: &'a mut DescriptorEncoder<'_>,
    Described(name, help): Described,
    metric_type: MetricType,
) -> Result<MetricEncoder<'a>, fmt::Error> {
    to.encode_descriptor(name, help, None, metric_type)
}

fn gauge(to: &mut DescriptorEncoder<'_>, metric: Described, value: u64) -> fmt::Result {
    let encoder = describe(to, metric, MetricType::Gauge)?;
    ConstGauge::new(value).encode(encoder)
}

/// Writes a distribution. The unit of the metric has this many units of the values.
fn histogram(mut to: MetricEncoder<'_>, values: &Distribution, per_unit: f64) -> fmt::Result {
    let in_unit = |value: u64| {
        #[expect(
            clippy::cast_precision_loss,
            reason = "figures of people, of which 53 bits are enough"
        )]
        let value = value as f64;
        value / per_unit
    };
    let buckets: Vec<_> = values
        .buckets()
        .map(|bucket| (in_unit(bucket.bound), bucket.count))
        .collect();
    to.encode_histogram::<NoLabelSet>(in_unit(values.sum()), values.count(), &buckets, None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use heronry_runtime::{figures::PoolCounts, layers::OperationFigures};
    use heronry_types::Position;

    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let pool = PoolSample {
            pool: "a\"b".parse().unwrap(),
            head: Position(7),
            floor: Position(2),
            members: 1,
            live_messages: 2,
            live_wakes: 3,
            queued_commands: 8,
            streams: 9,
            counts: PoolCounts::default(),
            consumers: Vec::new(),
        };
        let append = StoreOperation {
            port: "journal",
            name: "append",
        };
        let figures = OperationFigures {
            ok: 5,
            refused: 1,
            max: Duration::from_micros(30),
            ..OperationFigures::default()
        };
        let scrape = Scrape {
            answers: BTreeMap::from([(200, 2), (409, 1)]),
            open: OpenCounts {
                connections: 4,
                streams: 0,
            },
            store_bytes: Some(4096),
            pools: vec![pool],
            store: StoreFigures {
                operations: BTreeMap::from([(append, figures)]),
            },
        };
        let text = scrape.text();
        for line in [
            "# TYPE heronry_http_responses_total counter",
            "heronry_http_responses_total{status=\"200\"} 2",
            "heronry_http_responses_total{status=\"409\"} 1",
            "heronry_streams_open 0",
            "heronry_connections_open 4",
            "heronry_store_bytes 4096",
            "heronry_pools 1",
            "heronry_pool_head{pool=\"a\\\"b\"} 7",
            "heronry_pool_floor{pool=\"a\\\"b\"} 2",
            "heronry_pool_members{pool=\"a\\\"b\"} 1",
            "heronry_pool_live_messages{pool=\"a\\\"b\"} 2",
            "heronry_pool_live_wakes{pool=\"a\\\"b\"} 3",
            "heronry_pool_queued_commands{pool=\"a\\\"b\"} 8",
            "heronry_pool_streams_open{pool=\"a\\\"b\"} 9",
            "heronry_pool_wakes_triggered_total{pool=\"a\\\"b\"} 0",
            "heronry_pool_append_records_bucket{pool=\"a\\\"b\",le=\"+Inf\"} 0",
            "heronry_store_operation_seconds_bucket{port=\"journal\",operation=\"append\",le=\"0.0001\"} 0",
            "heronry_store_operations_total{port=\"journal\",operation=\"append\",outcome=\"ok\"} 5",
            "heronry_store_operations_total{port=\"journal\",operation=\"append\",outcome=\"refused\"} 1",
            "heronry_store_operations_total{port=\"journal\",operation=\"append\",outcome=\"failed\"} 0",
            "heronry_store_operation_seconds_max{port=\"journal\",operation=\"append\"} 0.00003",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
