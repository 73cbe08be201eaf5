//! Trims and snapshots, beside the appends: one at a time.

use heronry_journal::{Baseline, BaselinePoint};
use heronry_pool::{ENCODING_VERSION, TrimNote};
use heronry_store::{AppendError, Checkpoint, Head, Snapshot, StoreError};
use heronry_types::{Position, Timestamp};
use tokio::sync::{mpsc, oneshot};

use super::{
    Flow, PoolActor,
    asides::{AtStop, Consequence},
};
use crate::{
    CallError, SnapshotError, SnapshotTaken, StopReason, TrimError, TrimHold, TrimTo, Trimmed,
    keeping::{FoldEnd, Folds, HeldTrim, Holding, HoldsAt, JournalSizes, KeepRequest, TrimRequest},
};

/// The number of records since the last snapshot from which on a pool that stops takes another one.
const AT_STOP_RECORDS: u64 = 4_096;

/// The trims and snapshots of an actor.
pub(super) struct Keeping {
    pub(super) folds: Folds,
    pub(super) requests: mpsc::Receiver<KeepRequest>,
    /// The number of records after which a snapshot is taken.
    pub(super) every: u64,
    /// The point of the last snapshot that this process knows.
    pub(super) snapshot_at: Position,
    /// The facts that are remembered from one trim to the next.
    known: KnownOfTrims,
    is_busy: bool,
    /// The size of the state, compared with what the store takes.
    size: SnapshotSize,
    /// A trim that waits for the store to take keys.
    waits_for_keys: Option<TrimRequest>,
}

/// The size of a state, compared with what the store takes for a snapshot. One that is too large goes without,
/// until the pool is opened again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum SnapshotSize {
    Fits,
    TooLarge,
}

/// The facts that are remembered from one trim to the next.
#[derive(Clone, Default)]
struct KnownOfTrims {
    consumers: HoldsAt,
    sizes: JournalSizes,
}

/// A trim whose baseline is made.
struct PreparedTrim {
    request: TrimRequest,
    baseline: Baseline,
    /// The head of the engine when it was found what holds the trim.
    decided: Position,
    held_by: Option<TrimHold>,
}

/// The reply of somebody who wants a snapshot; nobody does when it is time for one.
type SnapshotReply = Option<oneshot::Sender<Result<SnapshotTaken, SnapshotError>>>;

impl Keeping {
    pub(super) fn new(folds: Folds, requests: mpsc::Receiver<KeepRequest>, every: u64) -> Self {
        Self {
            folds,
            requests,
            every,
            snapshot_at: Position::ZERO,
            known: KnownOfTrims::default(),
            is_busy: false,
            size: SnapshotSize::Fits,
            waits_for_keys: None,
        }
    }

    /// Waits for the next wish, when nothing is under way. May be dropped and asked again.
    pub(super) async fn next(&mut self) -> KeepRequest {
        if !self.is_busy
            && let Some(request) = self.requests.recv().await
        {
            return request;
        }
        std::future::pending().await
    }
}

impl PoolActor {
    /// Takes up a wish.
    pub(super) fn keep(&mut self, request: KeepRequest) -> Flow {
        match request {
            KeepRequest::Snapshot(reply) => self.take_snapshot(Some(reply)),
            KeepRequest::Trim(request) => {
                self.keeping.is_busy = true;
                self.hand_over_all_keys();
                if self.hands_keys_over {
                    self.keeping.waits_for_keys = Some(request);
                } else {
                    self.prepare_trim(request);
                }
            }
        }
        Flow::Go
    }

    /// Goes on with a trim that waited for the store to have keys.
    pub(super) fn keys_are_kept(&mut self) {
        if let Some(request) = self.keeping.waits_for_keys.take() {
            self.prepare_trim(request);
        }
    }

    /// Takes a snapshot when many records came since the last one.
    pub(super) fn snapshot_in_time(&mut self) {
        let since = self.durable.0.saturating_sub(self.keeping.snapshot_at.0);
        if since >= self.keeping.every
            && !self.keeping.is_busy
            && self.keeping.size == SnapshotSize::Fits
        {
            self.take_snapshot(None);
        }
    }

    fn take_snapshot(&mut self, reply: SnapshotReply) {
        let head = self.shown;
        if head.head == Position::ZERO {
            if let Some(reply) = reply {
                // Who asked may have gone.
                let _ = reply.send(Err(SnapshotError::Empty));
            }
            return;
        }
        self.keeping.is_busy = true;
        let (folds, token) = (self.keeping.folds.clone(), self.token);
        self.asides.begin(AtStop::Await, async move {
            let image = folds.fold(head, head.head, |folded| folded.replay.image());
            let end = match image.await {
                Ok(FoldEnd::Done(image)) => {
                    let bytes = image.len() as u64;
                    let snapshot = snapshot_of(head, image);
                    let put = folds.store.snapshots.put(&folds.pool, snapshot, token);
                    put.await.map(|()| bytes).map_err(SnapshotError::from)
                }
                Ok(FoldEnd::Stopped) => Err(SnapshotError::Stopped(stopping())),
                Err(error) => Err(error.into()),
            };
            let take_in = move |actor: &mut Self| actor.snapshot_taken(head, end, reply);
            Box::new(take_in) as Consequence
        });
    }

    fn snapshot_taken(
        &mut self,
        head: Head,
        taken: Result<u64, SnapshotError>,
        reply: SnapshotReply,
    ) -> Flow {
        self.keeping.is_busy = false;
        match &taken {
            Ok(bytes) => {
                self.keeping.snapshot_at = head.head;
                tracing::debug!(pool = %self.pool, at = %head.head, bytes, "snapshot taken");
            }
            Err(SnapshotError::Stopped(_)) => {}
            Err(error) => {
                // The journal has everything: the pool goes on, and tries again after as many records.
                self.keeping.snapshot_at = head.head;
                if is_too_large(error) {
                    self.keeping.size = SnapshotSize::TooLarge;
                }
                tracing::warn!(pool = %self.pool, %error, "no snapshot can be taken");
            }
        }
        if let Some(reply) = reply {
            let at = self.engine.state().cursor(head.head);
            // Who asked may have gone.
            let _ = reply.send(taken.map(|bytes| SnapshotTaken { at, bytes }));
        }
        Flow::Go
    }

    /// Takes a snapshot of a pool that has stopped, when it was worth the while.
    pub(super) async fn snapshot_at_stop(&mut self, why: StopReason) {
        let since = self.durable.0.saturating_sub(self.keeping.snapshot_at.0);
        let is_clean = why == StopReason::Shutdown && self.engine.state().head() == self.durable;
        if since < AT_STOP_RECORDS.min(self.keeping.every)
            || !is_clean
            || self.keeping.size == SnapshotSize::TooLarge
        {
            return;
        }
        let Some(image) = self.engine.image() else {
            return;
        };
        let snapshot = snapshot_of(self.shown, image);
        let put = self.store.snapshots.put(&self.pool, snapshot, self.token);
        if let Err(error) = put.await {
            tracing::warn!(pool = %self.pool, %error, "no snapshot can be taken");
        }
    }

    /// Finds what holds a trim, and has its baseline made.
    fn prepare_trim(&mut self, request: TrimRequest) {
        let (folds, now) = (self.keeping.folds.clone(), self.engine.state().time());
        let now = self.time.now().0.max(now);
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
            Ok(Prepared::Baseline(baseline, held_by)) => self.commit_trim(PreparedTrim {
                request,
                baseline,
                decided,
                held_by,
            }),
            Err(error) => self.end_trim(request, Err(error)),
        }
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

    /// Commits a trim, unless something came to need the records meanwhile.
    fn commit_trim(&mut self, prepared: PreparedTrim) -> Flow {
        // What was decided then may have been a trigger of a trimmed event: it has to be durable before.
        if self.durable < prepared.decided {
            let mut head = self.head.subscribe();
            self.asides.begin(AtStop::Abort, async move {
                // The actor that waits has the other end.
                let reached = head.wait_for(|head| *head >= prepared.decided).await;
                drop(reached);
                let take_in = move |actor: &mut Self| actor.commit_trim(prepared);
                Box::new(take_in) as Consequence
            });
            return Flow::Go;
        }
        let PreparedTrim {
            request,
            baseline,
            decided,
            held_by,
        } = prepared;
        let holds = self.engine_holds();
        let held = HeldTrim::of(heeded(holds, request.holding), baseline.floor().previous());
        if let Some(HeldTrim { by }) = held {
            let floor = by.cursor();
            return self.end_trim(request, Err(TrimError::Held { by, floor }));
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

/// A trim that somebody asks for at a time.
#[derive(Clone, Copy)]
struct AskedTrim {
    to: TrimTo,
    holding: Holding,
    now: Timestamp,
    /// The head of the engine when it was decided.
    decided: Position,
}

impl AskedTrim {
    fn of(request: &TrimRequest, now: Timestamp, decided: Position) -> Self {
        let TrimRequest { to, holding, .. } = request;
        Self {
            to: *to,
            holding: *holding,
            now,
            decided,
        }
    }
}

/// A trim that was looked into.
enum Prepared {
    /// There is nothing to drop: the journal has this head.
    Nothing(Head, Option<TrimHold>),
    /// Its baseline is made.
    Baseline(Baseline, Option<TrimHold>),
}

/// Finds where the floor goes, and makes the baseline.
async fn prepare(
    folds: &Folds,
    asked: AskedTrim,
    mut holds: Vec<TrimHold>,
    known: &mut KnownOfTrims,
) -> Result<Prepared, TrimError> {
    let AskedTrim {
        to,
        holding,
        now,
        decided,
    } = asked;
    let asked = folds.asked(to, now, &mut known.sizes).await?;
    let consumers = folds.store.cursors.list(&folds.pool).await?;
    holds.extend(known.consumers.held(consumers, now));
    let mut point = folds.point(asked, now).await?;
    let checkpoint = folds.store.keys.checkpoint(&folds.pool).await?;
    let kept = checkpoint.map_or(Position::ZERO, |it| it.position);
    let until = point.timelines.cursor(kept);
    holds.push(TrimHold::Keys { until });
    let holds = heeded(holds, holding);
    let most = HeldTrim::of(holds, point.floor.previous());
    let held_by = most.map(|most| most.by);
    if let Some(by) = &held_by {
        let floor = by.cursor();
        match holding {
            Holding::Heeded | Holding::Overridden => {
                let by = by.clone();
                return Err(TrimError::Held { by, floor });
            }
            Holding::Yielding => point = folds.point(floor.position.next(), now).await?,
        }
    }
    let head = folds.head().await?;
    if point.floor <= head.floor {
        return Ok(Prepared::Nothing(head, held_by));
    }
    let baseline = made(folds, point, decided).await?;
    Ok(Prepared::Baseline(baseline, held_by))
}

fn heeded(holds: Vec<TrimHold>, holding: Holding) -> Vec<TrimHold> {
    let mut holds = holds;
    match holding {
        Holding::Heeded | Holding::Yielding => {}
        Holding::Overridden => holds.retain(|hold| !hold.may_be_overridden()),
    }
    holds
}

async fn made(
    folds: &Folds,
    point: BaselinePoint,
    decided: Position,
) -> Result<Baseline, TrimError> {
    match folds.baseline(point, decided).await? {
        FoldEnd::Done(baseline) => Ok(baseline),
        FoldEnd::Stopped => Err(TrimError::Stopped(stopping())),
    }
}

fn snapshot_of(head: Head, image: Vec<u8>) -> Snapshot {
    Snapshot {
        version: ENCODING_VERSION,
        at: Checkpoint {
            epoch: head.epoch,
            position: head.head,
            hash: head.last_hash,
        },
        bytes: image,
    }
}

fn stopping() -> CallError {
    CallError::Stopped {
        outcome: heronry_store::CommitOutcome::None,
        why: StopReason::Shutdown,
    }
}

fn is_too_large(error: &SnapshotError) -> bool {
    let of_store = match error {
        SnapshotError::Store(error) => Some(error),
        SnapshotError::Empty | SnapshotError::Fold(_) | SnapshotError::Stopped(_) => None,
    };
    of_store.map(StoreError::kind) == Some(heronry_store::StoreErrorKind::TooLarge)
}
