//! The rules of a journal about foreign sources of events.

use std::collections::{BTreeSet, VecDeque};

use heronry_journal::{
    Record, SourceAttached, SourceDetached, SourceGap, SourceRecord, SourceStep,
};
use heronry_types::{
    Actor, Generation, IdempotencyKey, RunId, SOURCE_WINDOW, SOURCES_MAX, SOURCES_PER_RUN_MAX,
    SourceId, SourceItemId, SourcePosition,
};

use super::Ledger;

/// A foreign source as the journal shows it.
#[derive(Debug, Default)]
pub(super) struct Spring {
    /// The run that named it first; absent: an operator.
    owner: Option<RunId>,
    last: Option<u64>,
    recent: VecDeque<SourceItemId>,
    attached: Option<(Generation, Actor)>,
    gaps: BTreeSet<IdempotencyKey>,
}

impl Ledger {
    pub(super) fn of_source(&mut self, record: &Record, body: SourceRecord<'_>) {
        match body {
            SourceRecord::ApplicationEvent(body) => self.reported(record, body),
            SourceRecord::SourceGap(body) => self.gap(record, body),
            SourceRecord::SourceAttached(body) => self.attached(record, body),
            SourceRecord::SourceDetached(body) => self.detached(record, body),
        }
    }

    /// Returns the number of the last event that was taken from a source.
    pub fn last_taken(&self, source: &SourceId) -> Option<u64> {
        self.springs.get(source)?.last
    }

    /// Checks that an event of a source was not taken before.
    pub(super) fn taken_from(&mut self, record: &Record, step: &SourceStep) {
        self.check_bridge(record, &step.source);
        let spring = self.spring(record, &step.source);
        spring.take(&step.position);
    }

    fn gap(&mut self, record: &Record, body: &SourceGap) {
        self.check_bridge(record, &body.source);
        let spring = self.spring(record, &body.source);
        let fresh = spring.gaps.insert(body.idempotency_key.clone());
        assert!(fresh, "a key has one outcome");
        if let Some(through) = &body.through {
            spring.take(through);
        }
    }

    fn attached(&mut self, record: &Record, body: &SourceAttached) {
        let held = self.holder(&body.source);
        assert_eq!(body.replaced, held, "it says whom it took the source from");
        let spring = self.spring(record, &body.source);
        let generation = Generation(record.position);
        spring.attached = Some((generation, record.entry.actor.clone()));
    }

    fn detached(&mut self, record: &Record, body: &SourceDetached) {
        let spring = self.spring(record, &body.source);
        let attached = spring.attached.take().map(|(generation, _)| generation);
        assert_eq!(attached, Some(body.generation), "who left was attached");
    }

    /// Returns the attachment that holds a source: that of a member ends with its joining.
    fn holder(&self, source: &SourceId) -> Option<Generation> {
        let (held, actor) = self.springs.get(source)?.attached.as_ref()?;
        let lives_on = match actor {
            Actor::Engine => panic!("the engine bridges nothing"),
            Actor::Operator => true,
            Actor::Member { run, generation } => self.generation(run) == Some(*generation),
        };
        lives_on.then_some(*held)
    }

    /// Checks that a source belongs to who speaks of it.
    fn check_bridge(&self, record: &Record, source: &SourceId) {
        let Some(spring) = self.springs.get(source) else {
            assert!(self.springs.len() < SOURCES_MAX, "there is room");
            if let Actor::Member { run, .. } = &record.entry.actor {
                let own = self.springs.values();
                let own = own.filter(|spring| spring.owner.as_ref() == Some(run));
                assert!(
                    own.count() < SOURCES_PER_RUN_MAX,
                    "there is room for the run"
                );
            }
            return;
        };
        match &record.entry.actor {
            Actor::Engine => panic!("the engine reports from nowhere"),
            Actor::Operator => {}
            Actor::Member { run, .. } => assert_eq!(spring.owner.as_ref(), Some(run)),
        }
    }

    fn spring(&mut self, record: &Record, source: &SourceId) -> &mut Spring {
        let owner = match &record.entry.actor {
            Actor::Member { run, .. } => Some(run.clone()),
            Actor::Engine | Actor::Operator => None,
        };
        self.springs
            .entry(source.clone())
            .or_insert_with(|| Spring {
                owner,
                ..Spring::default()
            })
    }
}

impl Spring {
    /// Takes an event, which is a later one than those before, or one of another id.
    fn take(&mut self, position: &SourcePosition) {
        match position {
            SourcePosition::Number(number) => {
                assert!(self.recent.is_empty(), "a source is of one kind");
                assert!(self.last.is_none_or(|last| last < *number), "taken once");
                self.last = Some(*number);
            }
            SourcePosition::Id(id) => {
                assert_eq!(self.last, None, "a source is of one kind");
                assert!(!self.recent.contains(id), "taken once");
                self.recent.push_back(id.clone());
                if self.recent.len() > SOURCE_WINDOW {
                    self.recent.pop_front();
                }
            }
        }
    }
}
