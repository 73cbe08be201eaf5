//! Bridges: events of a foreign runtime, taken from its stream into a pool.
//!
//! A bridge is attached to its source, so that nobody else reports from it, and appends what the stream gives, in
//! order and in batches. Each event has its place in the source, so a bridge that begins again, with whatever
//! batches, repeats nothing. What is missing is recorded as a gap, and later events go on.

mod deliver;
mod handle;
mod intake;
mod item;
mod order;
mod tally;
mod task;

use std::sync::Arc;

use futures::Stream;
use heronry_pool::{Caller, decide::SourceClaim};
use heronry_store::Clock;
use heronry_types::{InstanceId, Millis, OnAttached, RunId, SourceId};
use tokio::sync::{oneshot, watch};

use crate::Pool;
use deliver::Delivery;
use tally::BridgeTally;
use task::{BridgeTask, Wish};

pub use handle::{BridgeControl, BridgeEnd, BridgeHandle};
pub use intake::{
    AttachRequest, EventIntake, IntakeBatch, IntakeError, IntakeGap, PoolIntake, SourceHold,
    TakenIn,
};
pub use item::{MissingItem, SourceEvent, SourceItem};
pub use tally::BridgeCounts;

/// The settings of a bridge.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BridgeOptions {
    /// The run on whose behalf the bridge reports. `None`: the caller's own, or what each event says.
    pub run: Option<RunId>,
    /// The instance of the bridge, by which a repeat of its attachment is known. `None`: a fresh one.
    pub instance: Option<InstanceId>,
    /// The choice what happens when another bridge has the source.
    pub on_attached: OnAttached,
    /// The most events of one append.
    pub batch_max: usize,
    /// The time that a batch which is not full waits for more events. Zero: it does not wait.
    pub linger: Millis,
    /// The most items that are held; when they are reached, the source waits.
    pub buffer_max: usize,
    /// The number of attempts at one append, the first one included.
    pub attempts_max: u32,
    /// The pause after the first attempt; it doubles with each further one.
    pub backoff_min: Millis,
    /// The longest pause between two attempts.
    pub backoff_max: Millis,
}

impl Default for BridgeOptions {
    fn default() -> Self {
        Self {
            run: None,
            instance: None,
            on_attached: OnAttached::TakeOver,
            batch_max: 128,
            linger: Millis(0),
            buffer_max: 1_024,
            attempts_max: 12,
            backoff_min: Millis(100),
            backoff_max: Millis::from_secs(10),
        }
    }
}

/// Takes the events of a foreign runtime into a pool.
#[derive(Debug)]
pub struct EventBridge;

impl EventBridge {
    /// Attaches a bridge to a source, and begins to take in what its stream gives.
    ///
    /// When this returns, the stream was asked for its first item, so a stream that subscribes when it is first
    /// polled has subscribed. Dropping the handle aborts the bridge.
    ///
    /// # Errors
    /// [`IntakeError`] when the bridge cannot be attached: another one has the source and is not to be replaced, or
    /// the pool refuses. Nothing was taken from the stream then.
    pub async fn spawn<S>(
        pool: &Pool,
        caller: Caller,
        source: SourceId,
        stream: S,
        options: BridgeOptions,
    ) -> Result<BridgeHandle, IntakeError>
    where
        S: Stream<Item = SourceItem> + Send + 'static,
    {
        let environment = &pool.shared().environment;
        let (clock, instance) = (Arc::clone(&environment.clock), environment.ids.draw());
        let fresh = format!("bridge-{:032x}", u128::from_be_bytes(instance));
        let fresh = InstanceId::parse(fresh).map_err(|error| IntakeError::refused(&error))?;
        let instance = options.instance.clone().unwrap_or(fresh);
        let intake = PoolIntake::new(pool.clone(), caller);
        let into = BridgeInto {
            intake: Arc::new(intake),
            clock,
            source,
            instance,
        };
        Self::spawn_into(into, stream, options).await
    }

    /// Attaches a bridge that puts its events elsewhere than into a pool of this process.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    pub async fn spawn_into<S>(
        into: BridgeInto,
        stream: S,
        options: BridgeOptions,
    ) -> Result<BridgeHandle, IntakeError>
    where
        S: Stream<Item = SourceItem> + Send + 'static,
    {
        let request = AttachRequest {
            source: into.source.clone(),
            run: options.run.clone(),
            instance: into.instance.clone(),
            on_attached: options.on_attached,
        };
        let delivery = Delivery::new(into, options);
        let attached = delivery.attach(&request).await?;
        let claim = SourceClaim {
            source: request.source,
            generation: Some(attached.generation),
        };
        let tally = Arc::new(BridgeTally::default());
        let (wish, wished) = watch::channel(Wish::GoOn);
        let (polled, was_polled) = oneshot::channel();
        let task = BridgeTask::new(delivery.of(claim), attached, Arc::clone(&tally));
        let stream = Box::pin(stream);
        let task = tokio::spawn(task.run(stream, wished, polled));
        // A stream that panics at once has no answer; the handle tells of that.
        let _is_over = was_polled.await.is_err();
        Ok(BridgeHandle::new(task, wish, tally))
    }
}

/// The place that a bridge puts its events into.
#[derive(Clone, Debug)]
pub struct BridgeInto {
    /// The intake.
    pub intake: Arc<dyn EventIntake>,
    /// The clock, for every pause.
    pub clock: Arc<dyn Clock>,
    /// The source.
    pub source: SourceId,
    /// The instance of the bridge.
    pub instance: InstanceId,
}
