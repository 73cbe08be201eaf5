//! Trims of the journal, made beside the appends.

use heronry_journal::Baseline;
use heronry_pool::TrimNote;
use heronry_store::{AppendError, Head};
use heronry_types::{Position, Timestamp};

use super::plan::{AskedTrim, LastLook, Prepared, heeded, prepare};
use crate::{
    TrimError, TrimHold, Trimmed,
    actor::{
        Flow, PoolActor,
        asides::{AtStop, Consequence},
    },
    keeping::{HeldTrim, Holding, TrimRequest},
};

/// A trim that waits for the store to have keys.
pub(super) struct KeylessTrim {
    pub(super) request: TrimRequest,
    /// The store is to have the keys of records up to here.
    pub(super) upto: Position,
}

/// A trim whose baseline is made.
struct PreparedTrim {
    request: TrimRequest,
    baseline: Baseline,
    /// The head of the engine when it was found what holds the trim.
    decided: Position,
    held_by: Option<TrimHold>,
}

impl PoolActor {
    /// Prepares a trim once the store has the keys of every record that was durable when it was asked for.
    pub(super) fn trim_when_keys_are_kept(&mut self, trim: KeylessTrim) {
        if self.keys_upto >= trim.upto {
            self.prepare_trim(trim.request);
            return;
        }
        // A run that is on its way may have been begun before.
        self.hand_over_all_keys();
        self.keeping.waits_for_keys = Some(trim);
    }

    /// Goes on with a trim that waited for the store to have keys.
    pub(in crate::actor) fn keys_are_kept(&mut self) {
        if let Some(trim) = self.keeping.waits_for_keys.take() {
            self.trim_when_keys_are_kept(trim);
        }
    }

    /// Finds what holds a trim, and has its baseline made.
    pub(super) fn prepare_trim(&mut self, request: TrimRequest) {
        let (folds, now) = (self.keeping.folds.clone(), self.now_of_trim());
        let decided = self.engine.decide_trim();
        let holds = self.engine_holds();
        let mut known = std::mem::take(&mut self.keeping.known);
        self.asides.begin(AtStop::Await, async move {
            let asked = AskedTrim::of(&request, now, decided);
            let prepared = prepare(&folds, asked, holds, &mut known).await;
            let take_in = move |actor: &mut Self| {
                actor.keeping.known = known;
                actor.trim_prepared(request, prepared, decided)
            };
            Box::new(take_in) as Consequence
        });
    }

    fn trim_prepared(
        &mut self,
        request: TrimRequest,
        prepared: Result<Prepared, TrimError>,
        decided: Position,
    ) -> Flow {
        match prepared {
            Ok(Prepared::Nothing(head, held_by)) => self.trim_committed(request, Ok(head), held_by),
            Ok(Prepared::Baseline(baseline, held_by)) => self.look_before_trim(PreparedTrim {
                request,
                baseline,
                decided,
                held_by,
            }),
            Err(error) => self.end_trim(request, Err(error)),
        }
    }

    /// Returns the time at which it is asked what holds a trim.
    fn now_of_trim(&mut self) -> Timestamp {
        self.time.now().0.max(self.engine.state().time())
    }

    /// Returns what the engine still reads.
    fn engine_holds(&self) -> Vec<TrimHold> {
        let cursor = |from: Position| self.engine.state().cursor(from.previous());
        let after = self.engine.looks_from();
        let until = self.engine.matches_from();
        let after = after.map(|from| TrimHold::LookBack {
            after: cursor(from),
        });
        let until = until.map(|from| TrimHold::Matching {
            until: cursor(from),
        });
        after.into_iter().chain(until).collect()
    }

    /// Has a last look at what needs the records before a trim is committed.
    fn look_before_trim(&mut self, prepared: PreparedTrim) -> Flow {
        // What was decided then may have been a trigger of a trimmed event: it has to be durable before.
        if self.durable < prepared.decided {
            let mut head = self.head.subscribe();
            self.asides.begin(AtStop::Abort, async move {
                // The actor that waits has the other end.
                let reached = head.wait_for(|head| *head >= prepared.decided).await;
                drop(reached);
                let take_in = move |actor: &mut Self| actor.look_before_trim(prepared);
                Box::new(take_in) as Consequence
            });
            return Flow::Go;
        }
        let (folds, now) = (self.keeping.folds.clone(), self.now_of_trim());
        let standstill = self.keeping.standstill.clone();
        let mut known = std::mem::take(&mut self.keeping.known);
        self.asides.begin(AtStop::Await, async move {
            let look = LastLook::take(&folds, &standstill, now, &mut known).await;
            let take_in = move |actor: &mut Self| {
                actor.keeping.known = known;
                match look {
                    Ok(look) => actor.commit_trim(prepared, look),
                    Err(error) => actor.end_trim(prepared.request, Err(error)),
                }
            };
            Box::new(take_in) as Consequence
        });
        Flow::Go
    }

    /// Commits a trim, unless something came to need the records meanwhile.
    fn commit_trim(&mut self, prepared: PreparedTrim, look: LastLook) -> Flow {
        let PreparedTrim {
            request,
            baseline,
            decided,
            held_by,
        } = prepared;
        let mut holds = self.engine_holds();
        holds.extend(look.holds.iter().cloned());
        let held = HeldTrim::of(heeded(holds, request.holding), baseline.floor().previous());
        if let Some(HeldTrim { by }) = held {
            return match request.holding {
                Holding::Heeded | Holding::Overridden => {
                    let floor = by.cursor();
                    self.end_trim(request, Err(TrimError::Held { by, floor }))
                }
                Holding::Yielding => {
                    drop(look);
                    self.prepare_trim(request);
                    Flow::Go
                }
            };
        }
        self.engine.trimmed(TrimNote {
            floor: baseline.floor(),
            at: baseline.point().recorded_at,
            decided,
        });
        let (folds, token) = (self.keeping.folds.clone(), self.token);
        self.asides.begin(AtStop::Await, async move {
            let journal = &folds.store.journal;
            let trimmed = journal.trim(&folds.pool, baseline, token).await;
            drop(look);
            let take_in = move |actor: &mut Self| actor.trim_committed(request, trimmed, held_by);
            Box::new(take_in) as Consequence
        });
        Flow::Go
    }

    fn trim_committed(
        &mut self,
        request: TrimRequest,
        trimmed: Result<Head, AppendError>,
        held_by: Option<TrimHold>,
    ) -> Flow {
        match trimmed {
            Ok(head) => {
                let dropped = head.floor.0.saturating_sub(self.shown.floor.0);
                self.published.note_trim(dropped);
                // Its head may be one that is not shown yet.
                self.shown.floor = self.shown.floor.max(head.floor);
                let state = self.engine.state();
                if dropped > 0 {
                    tracing::info!(pool = %self.pool, floor = %head.floor, dropped, "journal trimmed");
                }
                let trimmed = Trimmed {
                    floor: state.cursor(head.floor.previous()),
                    head: state.cursor(head.head),
                    held_by,
                };
                self.end_trim(request, Ok(trimmed))
            }
            Err(error) => {
                let failed = self.logged(&error);
                let (Flow::Go | Flow::Stop(_)) =
                    self.end_trim(request, Err(TrimError::Store(error)));
                // The engine goes by a floor that the store may not have.
                Flow::Stop(failed.why)
            }
        }
    }

    fn end_trim(&mut self, request: TrimRequest, end: Result<Trimmed, TrimError>) -> Flow {
        self.keeping.is_busy = false;
        self.engine.trim_given_up();
        // Who asked may have gone.
        let _ = request.reply.send(end);
        Flow::Go
    }
}
