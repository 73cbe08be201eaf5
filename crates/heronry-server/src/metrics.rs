//! Counters of this server, and how they are written for Prometheus.

mod scrape;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use axum::http::StatusCode;
use prometheus_client::{encoding::prometheus_text, registry::Registry};

pub(crate) use scrape::{OpenCounts, Scrape};

/// The media type of what [`Scrape::text`] returns.
pub(crate) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Counts of this server since it started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    answers: Mutex<BTreeMap<u16, u64>>,
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn count(&self, status: StatusCode) {
        // A count is whole at every point, so a panic elsewhere cannot have left it half done.
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry(status.as_u16()).or_default() += 1;
    }

    /// Returns the number of answers by HTTP status.
    pub(crate) fn answers(&self) -> BTreeMap<u16, u64> {
        let answers = self.answers.lock();
        answers.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Scrape {
    /// Returns all of it in the text format of Prometheus.
    pub(crate) fn text(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = prometheus_text::encode(&mut text, &registry);
        text
    }
}
