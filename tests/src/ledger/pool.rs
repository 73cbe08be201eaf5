//! The rules of a journal about records of the pool as a whole.

use heronry_journal::{EpochStarted, PoolCreated, PoolRecord, Record};
use heronry_types::{EpochReason, Position, Settings};

use super::Ledger;

impl Ledger {
    pub(super) fn of_pool(&mut self, record: &Record, body: PoolRecord<'_>) {
        match body {
            PoolRecord::PoolCreated(body) => self.created(record, body),
            PoolRecord::PoolConfigured(body) => self.settings(&body.settings),
            PoolRecord::EpochStarted(body) => self.started(record, body),
            PoolRecord::PoolResumed(body) => self.resumed(record, body),
        }
    }

    fn created(&mut self, record: &Record, body: &PoolCreated) {
        self.settings(&body.settings);
        assert_eq!(record.position, Position(1), "a pool is created once");
        self.config = body.config.clone();
    }

    fn settings(&mut self, settings: &Settings) {
        self.limits = settings.limits.clone();
        self.peering = settings.peering();
    }

    fn started(&mut self, record: &Record, body: &EpochStarted) {
        assert_eq!(body.previous, self.timelines.newest());
        assert!(!self.timelines.knows(body.epoch), "a timeline starts once");
        self.timelines.start(record.position, body.epoch);
        match body.reason {
            EpochReason::Fork | EpochReason::Import | EpochReason::Copy | EpochReason::Restore => {
                self.roster_begins_elsewhere(record);
            }
            EpochReason::TailLost => {}
        }
    }
}
