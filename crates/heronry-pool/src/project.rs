//! Projecting: the only place where a record becomes an event. Pure, and one to one.

mod consumers;
mod events;
mod sources;
mod wiring;

use heronry_event::{Envelope, Event, Identity, Recipients, Stamp};
use heronry_journal::{Recipients as Reached, Record, Skipped, Subject, Touch};
use heronry_types::{
    Actor, Address, ContentCapture, ContentRef, Correlation, CorrelationKey, CorrelationValue,
    Cursor, DestinationId, DestinationRef, EntityId, EntityKind, EntityRef, Id, IdKind, Payload,
    Position, RunId, SourceKind, SourceRef, Timelines,
};

/// Returns the event of a record. Everything that it shows comes from the record alone; the
/// timelines of its journal say of which epoch the positions are that it names.
pub fn project(timelines: &Timelines, record: &Record) -> Event {
    let cursor = |position| timelines.cursor(position);
    let stamp = Stamp::new(cursor(record.position), record.recorded_at);
    let (subject, source) = (subject(timelines, record), source(record));
    let mut envelope = Envelope::new(stamp, record.kind(), identity(record), subject, source);
    let lineage = &record.entry.lineage;
    envelope.about.correlation = lineage.correlation.clone();
    if let Some(labels) = lineage.labels.as_deref() {
        envelope.about.labels = labels.clone();
    }
    envelope.causes.trace = lineage.trace;
    envelope.causes.caused_by = lineage.caused_by.map(cursor);
    // A note is a summary: members see it where the pool's wake policy lets them.
    let body = &record.entry.body;
    let mut payload = body
        .note()
        .map_or(Payload::EnvelopeOnly, |note| Payload::Summary {
            summary: note.to_owned(),
            refs: Vec::new(),
        });
    body.touches(|touch| {
        if let Touch::Reported(body) = touch {
            payload = body.payload.clone();
        }
        fill(&mut envelope, record, touch, cursor);
    });
    Event::new(envelope, payload)
}

/// Fills in one thing that a record is about.
fn fill(
    envelope: &mut Envelope,
    record: &Record,
    touch: Touch<'_>,
    cursor: impl Fn(Position) -> Cursor,
) {
    let exchange = &mut envelope.exchange;
    match touch {
        Touch::Message(id) => exchange.message = Some(id.clone()),
        Touch::Copy { message_id, .. } | Touch::Claimed(message_id) => {
            let related = entity(EntityKind::Message, message_id);
            envelope.about.related.push(related);
        }
        Touch::OwnInbox { .. } => exchange.recipients = acting(record),
        Touch::Recipients(recipients, skipped) => {
            exchange.recipients = reached(recipients, skipped);
        }
        Touch::SentTo(to) => envelope.route.destination = Some(destination(to)),
        Touch::SentToAlias(alias) => wiring::fill_sent(&mut envelope.about.correlation, alias),
        Touch::Topic(topic) => exchange.topic = Some(topic.clone()),
        Touch::ReplyTo(message) => exchange.reply_to = Some(message.clone()),
        Touch::Policies(policies) => envelope.governance.policies = policies.clone(),
        Touch::Reference(_) => envelope.governance.content_capture = ContentCapture::Reference,
        Touch::Cause(position) => envelope.causes.causal.push(cursor(position)),
        Touch::Run(run) => envelope.about.related.push(entity(EntityKind::Run, run)),
        Touch::Wake(wake) => {
            let related = entity(EntityKind::WakeCondition, &wake.wake_id);
            envelope.about.related.push(related);
        }
        Touch::Source(source) => envelope.route.source = sources::named(source),
        Touch::Gap(gap) => envelope.route.source = sources::of_gap(gap),
        Touch::Reset(reset) => consumers::fill(&mut envelope.about.correlation, reset),
        Touch::Says(name, value) => put(&mut envelope.about.correlation, name, &value),
        Touch::Managed(by) => put(&mut envelope.about.correlation, "managed_by", &by),
        Touch::Labels(labels) => envelope.about.labels = labels.clone(),
        Touch::Alias(alias) => wiring::fill(&mut envelope.about.correlation, alias),
        Touch::Reported(body) => events::fill(envelope, body, cursor),
        Touch::Receipt(_) | Touch::WakeEnds(_) | Touch::Resumes | Touch::Departs => {}
    }
}

/// Adds what an event says of a source or a consumer: an id, a cursor, a number or a word, which are correlations
/// all.
fn put(said: &mut Correlation, name: &str, value: &impl ToString) {
    let value = CorrelationValue::parse(value.to_string());
    if let (Ok(name), Ok(value)) = (CorrelationKey::parse(name), value) {
        said.insert(name, value);
    }
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

/// Returns the recipients that get a copy: those whose inbox was full do not.
fn reached(recipients: &Reached, skipped: Option<&Skipped>) -> Recipients {
    let Some(skipped) = skipped else {
        return Recipients::from(recipients.0.clone());
    };
    let all = recipients.0.iter().enumerate();
    let reached = all.filter(|(index, _)| !skipped.contains(*index));
    let reached: Vec<RunId> = reached.map(|(_, run)| run.clone()).collect();
    Recipients::from(reached)
}

/// The member that claims, acknowledges or gives back is the one recipient of its own event.
fn acting(record: &Record) -> Recipients {
    let run: Option<RunId> = record.entry.lineage.run.clone();
    Recipients::from(run.into_iter().collect::<Vec<_>>())
}

fn subject(timelines: &Timelines, record: &Record) -> EntityRef {
    let lineage = &record.entry.lineage;
    let pool = || entity(EntityKind::AgentPool, &lineage.pool);
    let effect = |intended| {
        let id = EntityId::parse(timelines.cursor(intended).to_string());
        id.map_or_else(|_| pool(), |id| EntityRef::new(EntityKind::Effect, id))
    };
    match record.entry.body.subject() {
        Subject::Pool => pool(),
        Subject::Run => {
            let run = lineage.run.as_ref();
            run.map_or_else(pool, |run| entity(EntityKind::Run, run))
        }
        Subject::Message(id) => entity(EntityKind::Message, id),
        Subject::Wake(id) => entity(EntityKind::WakeCondition, id),
        Subject::IntendedEffect => effect(record.position),
        Subject::Effect(intended) => effect(intended),
        Subject::Content(content_ref) => content(content_ref),
        Subject::Entity(named) => named.clone(),
    }
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
        Address::Alias { recipient, .. } => recipient.retype(),
    };
    DestinationRef::new(to.destination_kind(), id)
}

#[expect(clippy::expect_used, reason = "the text of a reference is an id")]
fn content(content_ref: ContentRef) -> EntityRef {
    let id = EntityId::parse(content_ref.to_string());
    EntityRef::new(EntityKind::Content, id.expect("a reference is an id"))
}

fn entity<K: IdKind>(kind: EntityKind, id: &Id<K>) -> EntityRef {
    EntityRef::new(kind, id.retype())
}
