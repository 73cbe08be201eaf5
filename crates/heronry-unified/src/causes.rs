//! Finding the causes for which sleeping members are started: a durable consumer of the pool's events.

use std::sync::Arc;

use heronry_event::{Event, filter::Filter};
use heronry_host::WokenBy;
use heronry_runtime::{ConsumeError, ConsumerSpec, ConsumerStart, NamedConsumer, OnHeld};
use heronry_types::{ConsumerId, ConsumerRecovery, Cursor, EventKind, Millis, RunId, WakeId};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{notice::Notice, order::Order, parts::RuntimeParts};

/// The name of the consumer.
const CONSUMER: &str = "unified.causes";
/// The events that are causes.
const CAUSES: &str =
    r#"kind in ["run_message_delivered", "wake_condition_triggered", "wake_condition_timed_out"]"#;
/// The most events that are looked at at once.
const BATCH: usize = 256;
/// The longest wait for events; then it is waited again.
const WAIT: Millis = Millis::from_secs(3_600);
/// The pause before the consumer is claimed again after a failure.
const AGAIN_IN: Millis = Millis::from_secs(1);

/// A cause to start somebody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Cause {
    pub(crate) run: RunId,
    pub(crate) woken_by: WokenBy,
}

/// Returns the place of a cause in the journal.
pub(crate) fn cursor_of(woken_by: &WokenBy) -> Cursor {
    match woken_by {
        WokenBy::Message { cursor, .. } | WokenBy::Wake { cursor, .. } => *cursor,
    }
}

/// The task that finds causes. It ends when the loop is gone, or when this is dropped.
#[derive(Debug)]
pub(crate) struct CauseFinder {
    /// The number of questions whether everything up to the head was looked at.
    asked: watch::Sender<u64>,
    task: tokio::task::AbortHandle,
}

impl Drop for CauseFinder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl CauseFinder {
    /// Begins to look for causes: from where an earlier runtime had acted on all of them, or from a cursor.
    pub(crate) fn begin(
        parts: Arc<RuntimeParts>,
        from: Cursor,
        orders: mpsc::WeakSender<Order>,
    ) -> Self {
        let (asked, questions) = watch::channel(0);
        let finding = Finding {
            parts,
            from,
            orders,
            questions,
        };
        let task = tokio::spawn(finding.find()).abort_handle();
        Self { asked, task }
    }

    /// Asks whether everything up to the head was looked at. The answer is an order with this number.
    pub(crate) fn ask(&self) -> u64 {
        self.asked.send_modify(|asked| *asked += 1);
        *self.asked.borrow()
    }
}

struct Finding {
    parts: Arc<RuntimeParts>,
    from: Cursor,
    orders: mpsc::WeakSender<Order>,
    questions: watch::Receiver<u64>,
}

/// The reason why causes are not looked for any more.
enum Ceased {
    /// The loop is gone.
    Gone,
    /// The consumer failed.
    Failed(ConsumeError),
}

impl From<ConsumeError> for Ceased {
    fn from(error: ConsumeError) -> Self {
        Self::Failed(error)
    }
}

impl Finding {
    async fn find(mut self) {
        loop {
            match self.follow().await {
                Ceased::Gone => return,
                Ceased::Failed(error) => {
                    let what = format!("causes of sleeping members are not found: {error}");
                    self.parts.notices.tell(&Notice::Trouble { what });
                }
            }
            let now = self.parts.clock.now().monotonic;
            let again = Millis(now.0.saturating_add(AGAIN_IN.0));
            self.parts.clock.alarm(again).await;
        }
    }

    async fn follow(&mut self) -> Ceased {
        let mut consumer = match self.claim().await {
            Ok(consumer) => consumer,
            Err(error) => return Ceased::Failed(error),
        };
        let mut answered = None;
        loop {
            if let Err(ceased) = self.look(&mut consumer, &mut answered).await {
                return ceased;
            }
        }
    }

    /// Looks at the next events. What was asked, and the first look at all, go up to the head.
    async fn look(
        &mut self,
        consumer: &mut NamedConsumer,
        answered: &mut Option<u64>,
    ) -> Result<(), Ceased> {
        let question = *self.questions.borrow_and_update();
        let is_open = *answered != Some(question);
        let wait = if is_open { Millis(0) } else { WAIT };
        let batch = tokio::select! {
            batch = consumer.next_batch(BATCH, wait) => batch?,
            Ok(()) = self.questions.changed() => return Ok(()),
        };
        let is_at_head = batch.scanned_to.position >= batch.head.position;
        let causes: Vec<Cause> = batch.events.iter().flat_map(causes_of).collect();
        if self.hand_over(causes).await? {
            consumer.commit(batch.scanned_to).await?;
        }
        if is_at_head && is_open {
            *answered = Some(question);
            self.answer(question).await?;
        }
        Ok(())
    }

    /// Says that everything up to the head was looked at.
    async fn answer(&self, question: u64) -> Result<(), Ceased> {
        let orders = self.orders.upgrade().ok_or(Ceased::Gone)?;
        let sent = orders.send(Order::LookedUpTo { question }).await;
        sent.map_err(|_| Ceased::Gone)
    }

    async fn claim(&self) -> Result<NamedConsumer, ConsumeError> {
        let Ok(name) = ConsumerId::parse(CONSUMER) else {
            unreachable!("two words are an id");
        };
        let Ok(filter) = Filter::compile(CAUSES) else {
            unreachable!("three kinds are a filter");
        };
        let mut spec = ConsumerSpec::new(name, filter);
        spec.claim.start = ConsumerStart::Cursor(self.from);
        spec.claim.on_stale = ConsumerRecovery::RestartAtFloor;
        spec.claim.on_held = OnHeld::TakeOver;
        self.parts.pool.consumer(spec).await
    }

    /// Hands causes to the loop. Returns true when one of them was a sleeper's: then the intent to start it is
    /// durable.
    async fn hand_over(&self, causes: Vec<Cause>) -> Result<bool, Ceased> {
        if causes.is_empty() {
            return Ok(false);
        }
        let (reply, answer) = oneshot::channel();
        let orders = self.orders.upgrade().ok_or(Ceased::Gone)?;
        let sent = orders.send(Order::Causes { causes, reply }).await;
        sent.map_err(|_| Ceased::Gone)?;
        drop(orders);
        answer.await.map_err(|_| Ceased::Gone)
    }
}

/// Returns whom an event is a cause for.
fn causes_of(event: &Event) -> Vec<Cause> {
    let envelope = &event.envelope;
    let cursor = envelope.id();
    let is_message = envelope.kind == EventKind::RunMessageDelivered;
    if let (true, Some(message)) = (is_message, &envelope.exchange.message) {
        let recipients = envelope.exchange.recipients.iter();
        let cause = |run: &RunId| Cause {
            run: run.clone(),
            woken_by: WokenBy::Message {
                cursor,
                message: message.clone(),
            },
        };
        return recipients.map(cause).collect();
    }
    let wake = WakeId::parse(envelope.about.subject.id.as_str()).ok();
    let waiter = envelope.identity.run.clone();
    let cause = waiter.zip(wake).map(|(run, wake)| Cause {
        run,
        woken_by: WokenBy::Wake { cursor, wake },
    });
    cause.into_iter().collect()
}
