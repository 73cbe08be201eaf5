//! The rules of a journal about events that members report.

use heronry_journal::{ApplicationEvent, Body, ConsumerReset, Record, ToldRecord};
use heronry_types::{Actor, ConsumerRecovery, EntityKind, EventFamily};

use super::{Ledger, run_of};

impl Ledger {
    pub(super) fn of_nothing(&mut self, record: &Record, body: ToldRecord<'_>) {
        match body {
            ToldRecord::EffectResultRefused(body) => self.result_refused(record, body),
            ToldRecord::ConsumerReset(body) => Self::reset(record, body),
        }
    }

    /// Checks that a consumer that goes on is said to go on somewhere, and no other one.
    fn reset(record: &Record, body: &ConsumerReset) {
        assert_eq!(record.entry.actor, Actor::Engine);
        let goes_on = body.recovery != ConsumerRecovery::Fail;
        assert_eq!(body.to.is_some(), goes_on, "{body:?}");
        if let Some(to) = body.to {
            assert!(to.position < record.position, "{body:?}");
        }
    }

    /// Checks that a batch that has begun goes on.
    pub(super) fn check_batch(&self, record: &Record) {
        if self.batch.is_some() {
            let goes_on =
                matches!(&record.entry.body, Body::ApplicationEvent(body) if body.batch.is_none());
            assert!(goes_on, "the events of a batch stand side by side");
        }
    }

    pub(super) fn reported(&mut self, record: &Record, body: &ApplicationEvent) {
        let run = run_of(record);
        assert!(self.is_member(&run), "only members report");
        let family = body.kind.family();
        assert_ne!(family, EventFamily::AgentPool, "the pool speaks for itself");
        if family == EventFamily::Run {
            let (kind, id) = (body.subject.kind, body.subject.id.as_str());
            assert_eq!((kind, id), (EntityKind::Run, run.as_str()));
        }
        let left = if let Some(batch) = &body.batch {
            let fresh = self
                .keys
                .insert((run.clone(), batch.idempotency_key.clone()));
            assert!(fresh, "a key has one outcome");
            batch.count
        } else {
            let begun = self.batch.take();
            assert!(
                begun.as_ref().is_some_and(|(of, _)| *of == run),
                "a batch has a first event"
            );
            begun.map_or(0, |(_, left)| left)
        };
        assert!(left > 0, "a batch has as many events as it says");
        self.batch = (left > 1).then(|| (run, left - 1));
        if let Some(step) = &body.from {
            self.taken_from(record, step);
        }
    }
}
