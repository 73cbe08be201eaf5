//! Delivering: one append or gap, tried until its outcome is known.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures::future::BoxFuture;
use heronry_pool::decide::SourceClaim;
use heronry_types::{
    IdempotencyKey, Millis, NewEvent, NewSourceGap, RunId, SourceGapReason, SourcePosition,
};

use serde::Serialize;

use super::{
    AttachRequest, BridgeInto, BridgeOptions, IntakeBatch, IntakeError, IntakeGap, SourceHold,
    TakenIn,
};

/// The longest text of a refusal in the note of a gap, in bytes.
const NOTE_BYTES: usize = 512;

/// A bridge on its way to its attachment.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) into: BridgeInto,
    pub(super) options: BridgeOptions,
}

impl Delivery {
    pub(super) fn new(into: BridgeInto, options: BridgeOptions) -> Self {
        Self { into, options }
    }

    /// Attaches the bridge, as often as it takes.
    pub(super) async fn attach(&self, request: &AttachRequest) -> Result<SourceHold, IntakeError> {
        let attempt = || self.into.intake.attach(request);
        self.insist(attempt).await
    }

    pub(super) fn of(self, claim: SourceClaim) -> Arc<AttachedBridge> {
        Arc::new(AttachedBridge {
            delivery: self,
            claim,
            keys: AtomicU64::new(0),
        })
    }

    /// Tries until the outcome is known, or as often as the bridge tries.
    async fn insist<'a, T>(
        &'a self,
        mut attempt: impl FnMut() -> BoxFuture<'a, Result<T, IntakeError>>,
    ) -> Result<T, IntakeError> {
        let options = &self.options;
        let mut pause = options.backoff_min;
        let mut attempts = 1;
        loop {
            match attempt().await {
                Err(IntakeError::Transient { text, retry_after })
                    if attempts < options.attempts_max =>
                {
                    tracing::debug!(source = ?self.into.source, attempts, text, "a bridge tries again");
                    let pause_now = pause.max(retry_after.unwrap_or(Millis(0)));
                    self.pause(pause_now.min(options.backoff_max)).await;
                    pause = Millis(pause.0.saturating_mul(2)).min(options.backoff_max);
                    attempts += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn pause(&self, pause: Millis) {
        let clock = &self.into.clock;
        let until = clock.now().monotonic.0.saturating_add(pause.0);
        clock.alarm(Millis(until)).await;
    }
}

/// A bridge that has its source.
#[derive(Debug)]
pub(super) struct AttachedBridge {
    pub(super) delivery: Delivery,
    claim: SourceClaim,
    /// The number of keys that were given out.
    keys: AtomicU64,
}

/// The outcome of what a bridge delivered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Delivered {
    /// The outcome of the events.
    pub(super) events: TakenIn,
    /// The number of events that were refused.
    pub(super) refused: u64,
    /// The number of gaps that were recorded.
    pub(super) gaps: u64,
}

impl Delivered {
    /// Counts a gap: it was recorded now, or known before.
    pub(super) fn add_gap(&mut self, told: TakenIn) {
        self.gaps += told.appended;
        self.events.repeated += told.repeated;
    }

    /// Returns the outcome of a gap alone.
    pub(super) fn of_gap(told: TakenIn) -> Self {
        let mut delivered = Self::default();
        delivered.add_gap(told);
        delivered
    }
}

/// The key under which a gap is recorded once.
#[derive(Debug)]
pub(super) enum GapKey {
    /// The key that who found the gap says.
    Said(IdempotencyKey),
    /// The key of a place in the source: a later bridge that finds the same gap there records nothing.
    At(GapPlace),
    /// A key of this bridge: the source says no event.
    OfBridge,
}

/// A place in a source where something is missing.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) enum GapPlace {
    /// The place of an event.
    Of(SourcePosition),
    /// The place behind an event that the source said, and behind so many gaps there.
    Behind(SourcePosition, u64),
    /// The place before the first event that the source says, and behind so many gaps there.
    Before(SourcePosition, u64),
}

impl AttachedBridge {
    /// Appends events of one run, in order; one that is refused by itself becomes a gap.
    pub(super) async fn append(
        &self,
        run: Option<&RunId>,
        events: Vec<NewEvent>,
    ) -> Result<Delivered, IntakeError> {
        let mut delivered = Delivered::default();
        let mut parts = vec![events];
        while let Some(mut events) = parts.pop() {
            let batch = IntakeBatch {
                claim: self.claim.clone(),
                run: run.cloned(),
                events: events.clone(),
                key: self.key()?,
            };
            let intake = &self.delivery.into.intake;
            let appended = self.delivery.insist(|| intake.append(&batch)).await;
            match (appended, events.as_slice()) {
                (Ok(taken), _) => {
                    delivered.events.appended += taken.appended;
                    delivered.events.repeated += taken.repeated;
                }
                (Err(IntakeError::Refused { text }), [event]) => {
                    delivered.refused += 1;
                    delivered.add_gap(self.refuse(run, event, &text).await?);
                }
                (Err(IntakeError::Refused { .. }), [_, _, ..]) => {
                    let later = events.split_off(events.len() / 2);
                    parts.extend([later, events]);
                }
                (Err(error), _) => return Err(error),
            }
        }
        Ok(delivered)
    }

    /// Records that an event is refused for good, and says so in the log.
    async fn refuse(
        &self,
        run: Option<&RunId>,
        event: &NewEvent,
        text: &str,
    ) -> Result<TakenIn, IntakeError> {
        let source = &self.claim.source;
        tracing::warn!(?source, position = ?event.source_position, text, "an event of a source is refused");
        let gap = NewSourceGap {
            through: event.source_position.clone(),
            missed: Some(1),
            note: Some(text.to_owned()),
            ..NewSourceGap::new(SourceGapReason::RefusedPermanently)
        };
        let place = event.source_position.clone().map(GapPlace::Of);
        let key = place.map_or(GapKey::OfBridge, GapKey::At);
        self.gap(run, gap, key).await
    }

    /// Records that an event came too late.
    pub(super) async fn late(
        &self,
        run: Option<&RunId>,
        position: &SourcePosition,
    ) -> Result<TakenIn, IntakeError> {
        let source = &self.claim.source;
        tracing::warn!(?source, %position, "an event of a source came after a later one");
        let gap = NewSourceGap {
            missed: Some(1),
            note: Some(format!("position {position} came after a later one")),
            ..NewSourceGap::new(SourceGapReason::OutOfOrder)
        };
        let key = GapKey::At(GapPlace::Of(position.clone()));
        self.gap(run, gap, key).await
    }

    /// Records a gap. One that is refused is in the log alone.
    pub(super) async fn gap(
        &self,
        run: Option<&RunId>,
        gap: NewSourceGap,
        key: GapKey,
    ) -> Result<TakenIn, IntakeError> {
        let note = gap.note.as_deref().map(shortened);
        let run = run.or(self.delivery.options.run.as_ref()).cloned();
        let gap = NewSourceGap { note, ..gap };
        let key = match key {
            GapKey::Said(key) => key,
            GapKey::At(place) => key_at(&place, run.as_ref(), &gap)?,
            GapKey::OfBridge => self.key()?,
        };
        let gap = IntakeGap {
            claim: self.claim.clone(),
            run,
            gap,
            key,
        };
        let intake = &self.delivery.into.intake;
        match self.delivery.insist(|| intake.tell_gap(&gap)).await {
            Ok(told) => Ok(told),
            Err(IntakeError::Refused { text }) => {
                let (source, missed) = (&self.claim.source, gap.gap.missed);
                tracing::error!(?source, ?missed, reason = %gap.gap.reason, text, "a gap of a source is refused");
                Ok(TakenIn::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Leaves the source. The next bridge can take it over where this fails.
    pub(super) async fn detach(&self) {
        let intake = &self.delivery.into.intake;
        let left = self.delivery.insist(|| intake.detach(&self.claim)).await;
        if let Err(error) = left {
            tracing::warn!(source = ?self.claim.source, %error, "a bridge could not leave its source");
        }
    }

    /// Returns a key that no other bridge gives out: an attachment is named by a position of the pool.
    fn key(&self) -> Result<IdempotencyKey, IntakeError> {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        let generation = self.claim.generation;
        let generation = generation.map_or_else(String::new, |it| it.to_string());
        let key = IdempotencyKey::parse(format!("bridge/{generation}/{number}"));
        key.map_err(|error| IntakeError::refused(&error))
    }
}

/// Returns the key of a gap at a place. Another gap at the same place has another key.
fn key_at(
    place: &GapPlace,
    run: Option<&RunId>,
    gap: &NewSourceGap,
) -> Result<IdempotencyKey, IntakeError> {
    let told = serde_json::to_vec(&(place, run, gap));
    let told = told.map_err(|error| IntakeError::refused(&error))?;
    let key = format!("gap/{}", blake3::hash(&told).to_hex());
    IdempotencyKey::parse(key).map_err(|error| IntakeError::refused(&error))
}

/// Returns the beginning of a text, as long as a note may be.
fn shortened(text: &str) -> String {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.take_while(|end| *end <= NOTE_BYTES).last();
    text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}
