//! Projecting: the only place where a record becomes an event. Pure, and one to one.

mod effects;
mod events;

use heronry_event::{Envelope, Event, Identity, Recipients, Stamp};
use heronry_journal::{
    Body, ContentErased, CopyName, DeadlockSuspected, MessageAccepted, MessageDelivered, Record,
    WakeName,
};
use heronry_types::{
    Actor, Address, DestinationId, DestinationRef, EntityId, EntityKind, EntityRef, Id, IdKind,
    MessageId, Payload, RunId, SourceKind, SourceRef, Timelines,
};

/// Returns the event of a record. Everything that it shows comes from the record alone; the
/// timelines of its journal say of which epoch the positions are that it names.
pub fn project(timelines: &Timelines, record: &Record) -> Event {
    let cursor = timelines.cursor(record.position);
    let stamp = Stamp::new(cursor, record.recorded_at);
    let subject = effects::subject(timelines, record).unwrap_or_else(|| subject(record));
    let source = source(record);
    let mut envelope = Envelope::new(stamp, record.kind(), identity(record), subject, source);
    let lineage = &record.entry.lineage;
    envelope.about.correlation = lineage.correlation.clone();
    envelope.causes.trace = lineage.trace;
    envelope.causes.caused_by = lineage.caused_by.map(|position| timelines.cursor(position));
    exchange(&mut envelope, record);
    let carried = record.entry.body.registration();
    if let Some(policies) = carried.and_then(|it| it.policies.as_deref()) {
        envelope.governance.policies = policies.clone();
    }
    if let Body::MessageResponded(body) = &record.entry.body {
        envelope.causes.causal = vec![timelines.cursor(body.by)];
    }
    if let Body::ApplicationEvent(body) = &record.entry.body {
        events::fill(&mut envelope, body, |position| timelines.cursor(position));
    }
    Event::new(envelope, payload(record))
}

/// A note is a summary: members see it where the pool's wake policy lets them.
fn payload(record: &Record) -> Payload {
    if let Body::ApplicationEvent(body) = &record.entry.body {
        return body.payload.clone();
    }
    let note = if let Body::RunEnded(body) = &record.entry.body {
        body.note.as_ref()
    } else if let Body::MessageAcked(body) = &record.entry.body {
        body.note.as_ref()
    } else {
        effects::note(&record.entry.body)
    };
    note.map_or(Payload::EnvelopeOnly, |note| Payload::Summary {
        summary: note.clone(),
        refs: Vec::new(),
    })
}

fn identity(record: &Record) -> Identity {
    let lineage = &record.entry.lineage;
    let mut identity = Identity::new(lineage.pool.clone());
    identity.run.clone_from(&lineage.run);
    identity.agent.clone_from(&lineage.agent);
    identity.session.clone_from(&lineage.session);
    identity.turn.clone_from(&lineage.turn);
    identity
}

/// Fills what messages and inboxes say of themselves.
fn exchange(envelope: &mut Envelope, record: &Record) {
    let exchange = &mut envelope.exchange;
    match &record.entry.body {
        Body::MessageAccepted(body) => accepted(envelope, body),
        Body::MessageDelivered(body) => {
            exchange.message = Some(body.message_id.clone());
            exchange.reply_to.clone_from(&body.reply_to);
            exchange.topic.clone_from(&body.topic);
            exchange.recipients = reached(body);
        }
        Body::MessageFailed(_)
        | Body::MessageExpired(_)
        | Body::MessageCancelled(_)
        | Body::MessageSettled(_)
        | Body::MessageResponded(_)
        | Body::MessageTimedOut(_)
        | Body::MessageUnsatisfiable(_) => {
            exchange.message = ended(&record.entry.body).map(|ended| ended.message_id.clone());
        }
        Body::MessageReplayed(body) => {
            exchange.message = Some(body.copy.message_id.clone());
            exchange.recipients = acting(record);
        }
        Body::ContentErased(body) => exchange.message = carrying(body),
        Body::MessageDeadLettered(_)
        | Body::MessageFetched(_)
        | Body::MessageAcked(_)
        | Body::MessageReleased(_)
        | Body::MessageExtended(_) => {
            exchange.recipients = acting(record);
            envelope.about.related = copies_named(&record.entry.body);
        }
        Body::RunSuspended(body) => envelope.about.related = waited_for(&body.wakes),
        Body::DeadlockSuspected(body) => envelope.about.related = deadlocked(body),
        Body::PoolCreated(_)
        | Body::PoolConfigured(_)
        | Body::EpochStarted(_)
        | Body::PoolResumed(_)
        | Body::RunLost(_)
        | Body::RunResumed(_)
        | Body::MemberJoined(_)
        | Body::MemberTakenOver(_)
        | Body::MemberChanged(_)
        | Body::MemberLeft(_)
        | Body::RunEnded(_)
        | Body::WakeRegistered(_)
        | Body::ConditionRegistered(_)
        | Body::WakeScanned(_)
        | Body::WakeFailed(_)
        | Body::WakeTriggered(_)
        | Body::WakeTimedOut(_)
        | Body::WakeCancelled(_)
        | Body::EffectIntended(_)
        | Body::EffectAttempted(_)
        | Body::EffectCompleted(_)
        | Body::EffectResultRefused(_)
        | Body::WakeOrphaned(_)
        | Body::ContentStored(_)
        | Body::ApplicationEvent(_) => {}
    }
}

fn accepted(envelope: &mut Envelope, body: &MessageAccepted) {
    let exchange = &mut envelope.exchange;
    exchange.message = Some(body.message_id.clone());
    exchange.reply_to.clone_from(&body.reply_to);
    exchange.topic = body.to.topic().cloned();
    envelope.route.destination = Some(destination(&body.to));
    envelope.governance.policies = body.policies.clone();
    envelope.governance.content_capture = heronry_types::ContentCapture::Reference;
}

/// Who gets a copy: those whose inbox was full do not.
fn reached(body: &MessageDelivered) -> Recipients {
    if body.skipped.is_none() {
        return Recipients::from(body.recipients.0.clone());
    }
    let all = body.recipients.0.iter().enumerate();
    let reached = all.filter(|(index, _)| !body.is_skipped(*index));
    let reached: Vec<RunId> = reached.map(|(_, run)| run.clone()).collect();
    Recipients::from(reached)
}

/// The message that a record says is over.
fn ended(body: &Body) -> Option<&CopyName> {
    if let Body::MessageFailed(body) = body {
        Some(&body.message)
    } else if let Body::MessageExpired(body) = body {
        Some(&body.message)
    } else if let Body::MessageCancelled(body) = body {
        Some(&body.message)
    } else if let Body::MessageSettled(body) = body {
        Some(&body.message)
    } else if let Body::MessageResponded(body) = body {
        Some(&body.message)
    } else if let Body::MessageTimedOut(body) = body {
        Some(&body.message)
    } else if let Body::MessageUnsatisfiable(body) = body {
        Some(&body.message)
    } else {
        None
    }
}

/// The first message that carries a body which was erased.
fn carrying(body: &ContentErased) -> Option<MessageId> {
    body.message.as_ref().map(|it| it.message_id.clone())
}

/// The messages whose copies a call names.
fn copies_named(body: &Body) -> Vec<EntityRef> {
    if let Body::MessageDeadLettered(body) = body {
        body.copies.iter().map(|dead| related(&dead.copy)).collect()
    } else if let Body::MessageFetched(body) = body {
        let gone = body.undeliverable.iter().map(|gone| &gone.copy);
        let copies = body.copies.iter().map(|copy| &copy.copy);
        copies.chain(gone).map(related).collect()
    } else if let Body::MessageAcked(body) = body {
        body.claims.iter().map(|(_, id)| message(id)).collect()
    } else if let Body::MessageReleased(body) = body {
        body.claims.iter().map(|(_, id)| message(id)).collect()
    } else if let Body::MessageExtended(body) = body {
        body.claims.iter().map(|(_, id, _)| message(id)).collect()
    } else {
        Vec::new()
    }
}

/// The wakes whose ends resume a run.
fn waited_for(wakes: &[WakeName]) -> Vec<EntityRef> {
    let wake = |wake: &WakeName| entity(EntityKind::WakeCondition, &wake.wake_id);
    wakes.iter().map(wake).collect()
}

/// The runs that wait only on each other, and then the wakes that suspend them.
fn deadlocked(body: &DeadlockSuspected) -> Vec<EntityRef> {
    let runs = body.runs.iter().map(|run| entity(EntityKind::Run, run));
    runs.chain(waited_for(&body.wakes)).collect()
}

/// The member that claims, acknowledges or gives back is the one recipient of its own event.
fn acting(record: &Record) -> Recipients {
    let run: Option<RunId> = record.entry.lineage.run.clone();
    Recipients::from(run.into_iter().collect::<Vec<_>>())
}

fn subject(record: &Record) -> EntityRef {
    let lineage = &record.entry.lineage;
    let of_run = || lineage.run.as_ref().map(|run| entity(EntityKind::Run, run));
    let found = match &record.entry.body {
        Body::PoolCreated(_)
        | Body::PoolConfigured(_)
        | Body::EpochStarted(_)
        | Body::PoolResumed(_)
        | Body::EffectIntended(_)
        | Body::EffectAttempted(_)
        | Body::EffectCompleted(_)
        | Body::EffectResultRefused(_)
        | Body::DeadlockSuspected(_) => None,
        Body::MemberJoined(_)
        | Body::MemberTakenOver(_)
        | Body::MemberChanged(_)
        | Body::MemberLeft(_)
        | Body::RunEnded(_)
        | Body::RunLost(_)
        | Body::RunResumed(_)
        | Body::RunSuspended(_)
        // Whoever knows the reference of such a body can send it: the event does not tell it.
        | Body::ContentStored(_)
        | Body::MessageFetched(_)
        | Body::MessageAcked(_)
        | Body::MessageReleased(_)
        | Body::MessageExtended(_)
        | Body::MessageDeadLettered(_) => of_run(),
        Body::MessageAccepted(body) => Some(message(&body.message_id)),
        Body::MessageDelivered(body) => Some(message(&body.message_id)),
        Body::MessageFailed(_)
        | Body::MessageExpired(_)
        | Body::MessageCancelled(_)
        | Body::MessageSettled(_)
        | Body::MessageResponded(_)
        | Body::MessageTimedOut(_)
        | Body::MessageUnsatisfiable(_) => ended(&record.entry.body).map(related),
        Body::MessageReplayed(body) => Some(related(&body.copy)),
        Body::WakeRegistered(body) => Some(entity(EntityKind::WakeCondition, &body.wake_id)),
        Body::ConditionRegistered(body) => {
            Some(entity(EntityKind::WakeCondition, &body.wake.wake_id))
        }
        Body::WakeScanned(body) => Some(entity(EntityKind::WakeCondition, &body.wake_id)),
        Body::WakeFailed(body) => Some(entity(EntityKind::WakeCondition, &body.wake_id)),
        Body::WakeTriggered(body) => Some(entity(EntityKind::WakeCondition, &body.wake_id)),
        Body::WakeTimedOut(body) => Some(entity(EntityKind::WakeCondition, &body.wake_id)),
        Body::WakeCancelled(body) => Some(entity(EntityKind::WakeCondition, &body.wake_id)),
        Body::WakeOrphaned(body) => Some(entity(EntityKind::WakeCondition, &body.wake_id)),
        Body::ContentErased(body) => Some(content(body)),
        Body::ApplicationEvent(body) => Some(body.subject.clone()),
    };
    found.unwrap_or_else(|| entity(EntityKind::AgentPool, &lineage.pool))
}

fn source(record: &Record) -> SourceRef {
    let pool = &record.entry.lineage.pool;
    match &record.entry.actor {
        Actor::Engine => SourceRef::new(SourceKind::Sdk, pool.retype()),
        Actor::Operator => SourceRef::new(SourceKind::Host, pool.retype()),
        Actor::Member { run, .. } => SourceRef::new(SourceKind::ExternalRuntime, run.retype()),
    }
}

fn destination(to: &Address) -> DestinationRef {
    let id: DestinationId = match to {
        Address::Run { run_id } => run_id.retype(),
        Address::Agent { agent_id } => agent_id.retype(),
        Address::Topic { topic_id } => topic_id.retype(),
        Address::Pool { pool_id } => pool_id.retype(),
    };
    DestinationRef::new(to.destination_kind(), id)
}

fn related(name: &CopyName) -> EntityRef {
    message(&name.message_id)
}

#[expect(clippy::expect_used, reason = "the text of a reference is an id")]
fn content(body: &ContentErased) -> EntityRef {
    let id = EntityId::parse(body.content_ref.to_string());
    EntityRef::new(EntityKind::Content, id.expect("a reference is an id"))
}

fn message(id: &MessageId) -> EntityRef {
    entity(EntityKind::Message, id)
}

fn entity<K: IdKind>(kind: EntityKind, id: &Id<K>) -> EntityRef {
    EntityRef::new(kind, id.retype())
}
