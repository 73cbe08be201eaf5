//! The rules of a journal about effects.

use heronry_journal::{
    EffectAttempted, EffectCompleted, EffectIntended, EffectRecord, EffectResultRefused, Record,
};
use heronry_types::{Actor, EffectFault, Generation, Position, RunId};

use super::{Ledger, run_of};

/// An effect as the journal shows it.
#[derive(Debug)]
pub struct Deed {
    /// The run whose effect it is.
    pub run: RunId,
    /// True when doing it again does no harm.
    pub is_keyed: bool,
    /// The joining of the run to which it belongs.
    pub generation: Generation,
    /// The number of attempts.
    pub attempts: u32,
    /// The record that has its result.
    pub done: Option<Position>,
}

#[expect(clippy::unwrap_used, reason = "a test stops at a record of nothing")]
impl Ledger {
    pub(super) fn of_effect(&mut self, record: &Record, body: EffectRecord<'_>) {
        match body {
            EffectRecord::EffectIntended(body) => self.intended(record, body),
            EffectRecord::EffectAttempted(body) => self.attempted(record, body),
            EffectRecord::EffectCompleted(body) => self.completed(record, body),
        }
    }

    /// Returns an effect by its intent.
    pub fn deed(&self, intended: Position) -> Option<&Deed> {
        self.deeds.get(&intended)
    }

    /// Returns how many effects have no result.
    pub fn pending_deeds(&self) -> usize {
        self.deeds
            .values()
            .filter(|deed| deed.done.is_none())
            .count()
    }

    pub(super) fn intended(&mut self, record: &Record, body: &EffectIntended) {
        let run = run_of(record);
        assert_eq!(self.generation(&run), Some(body.generation));
        if let Some(key) = &body.key {
            let fresh = self.keys.insert((run.clone(), key.idempotency_key.clone()));
            assert!(fresh, "a key has one outcome");
        }
        let deed = Deed {
            run,
            is_keyed: body.key.is_some(),
            generation: body.generation,
            attempts: 0,
            done: None,
        };
        self.deeds.insert(record.position, deed);
    }

    pub(super) fn attempted(&mut self, record: &Record, body: &EffectAttempted) {
        let deed = self.deeds.get_mut(&body.intended).unwrap();
        assert!(deed.done.is_none(), "what has a result is not done again");
        assert_eq!(deed.run, run_of(record));
        deed.attempts += 1;
        assert_eq!(deed.attempts, body.attempt, "attempts are counted");
        assert!(deed.attempts == 1 || deed.is_keyed, "it could do harm");
        let acting = match &record.entry.actor {
            Actor::Member { generation, .. } => *generation,
            Actor::Operator => deed.generation,
            Actor::Engine => panic!("the engine does nothing outside"),
        };
        assert_eq!(body.generation, acting);
        deed.generation = acting;
    }

    pub(super) fn completed(&mut self, record: &Record, body: &EffectCompleted) {
        let fault = self.fault_of(record, (body.intended, body.attempt));
        assert_eq!(fault, None, "a result of nothing that is pending");
        self.deeds.get_mut(&body.intended).unwrap().done = Some(record.position);
    }

    pub(super) fn result_refused(&self, record: &Record, body: &EffectResultRefused) {
        let fault = self.fault_of(record, (body.intended, body.attempt));
        assert_eq!(fault, Some(body.fault));
    }

    fn fault_of(
        &self,
        record: &Record,
        (intended, attempt): (Position, Option<u32>),
    ) -> Option<EffectFault> {
        let run = record.entry.lineage.run.as_ref();
        let deed = self.deeds.get(&intended);
        let Some(deed) = deed.filter(|deed| Some(&deed.run) == run) else {
            return Some(EffectFault::Unknown);
        };
        let is_present = match &record.entry.actor {
            Actor::Member { generation, .. } => {
                *generation == deed.generation && self.generation(&deed.run) == Some(*generation)
            }
            Actor::Operator => true,
            Actor::Engine => panic!("the engine does nothing outside"),
        };
        if deed.done.is_some() {
            Some(EffectFault::Finished)
        } else if is_present && attempt.is_none_or(|attempt| attempt == deed.attempts) {
            None
        } else {
            Some(EffectFault::Stale)
        }
    }
}
