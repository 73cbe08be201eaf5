//! The plan of a trim: where the floor goes, what holds it, and the baseline before it.

use heronry_journal::{Baseline, BaselinePoint};
use heronry_store::Head;
use heronry_types::{Position, Timestamp};

use super::stopping;
use crate::{
    TrimError, TrimHold, TrimTo,
    consumer::{Standstill, StoodStill},
    keeping::{FoldEnd, Folds, HeldTrim, Holding, HoldsAt, JournalSizes, TrimRequest},
};

/// The facts that are remembered from one trim to the next.
#[derive(Clone, Default)]
pub(super) struct KnownOfTrims {
    consumers: HoldsAt,
    sizes: JournalSizes,
}

/// A trim that somebody asks for at a time.
#[derive(Clone, Copy)]
pub(super) struct AskedTrim {
    to: TrimTo,
    holding: Holding,
    now: Timestamp,
    /// The head of the engine when it was decided.
    decided: Position,
}

impl AskedTrim {
    pub(super) fn of(request: &TrimRequest, now: Timestamp, decided: Position) -> Self {
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
pub(super) enum Prepared {
    /// There is nothing to drop: the journal has this head.
    Nothing(Head, Option<TrimHold>),
    /// Its baseline is made.
    Baseline(Baseline, Option<TrimHold>),
}

/// The last look at consumers before a trim is committed. They stand still until this is dropped.
pub(super) struct LastLook {
    /// The consumers that hold a trim.
    pub(super) holds: Vec<TrimHold>,
    _still: StoodStill,
}

impl LastLook {
    /// Has consumers stand still, and looks at them.
    pub(super) async fn take(
        folds: &Folds,
        standstill: &Standstill,
        now: Timestamp,
        known: &mut KnownOfTrims,
    ) -> Result<Self, TrimError> {
        // A consumer that moves may wait for the actor, which waits for this when it stops.
        let still = tokio::select! {
            biased;
            () = folds.stopping() => return Err(TrimError::Stopped(stopping())),
            still = standstill.stood_still() => still,
        };
        let holds = folds.held_by_consumers(now, &mut known.consumers).await?;
        Ok(Self {
            holds,
            _still: still,
        })
    }
}

/// Finds where the floor goes, and makes the baseline.
pub(super) async fn prepare(
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
    holds.extend(folds.held_by_consumers(now, &mut known.consumers).await?);
    let checkpoint = folds.store.keys.checkpoint(&folds.pool).await?;
    let kept = checkpoint.map_or(Position::ZERO, |it| it.position);
    // What came since it was decided may be under way.
    let asked = asked.min(decided.next());
    let asked = match to {
        TrimTo::Upto(_) => asked,
        // What came since is as young as can be.
        TrimTo::Older(_) | TrimTo::Kept(_) => asked.min(kept.next()),
    };
    let mut point = folds.point(asked, now).await?;
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

pub(super) fn heeded(holds: Vec<TrimHold>, holding: Holding) -> Vec<TrimHold> {
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
