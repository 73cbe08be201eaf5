//! Schemas of the engine's own answers: receipts, wakes, events and the items of a stream.
//!
//! Their JSON is written by crates that know no `OpenAPI`; a test holds these against real answers.

mod explanations;

use heronry_event::{CloseReason, GapReason};
use heronry_types::{
    AckOutcome, ContentCapture, CopyState, DestinationKind, Durability, EntityKind, EventFamily,
    EventKind, EventSemantics, MessageFailure, MessageStatus, PolicyKind, PrivacyClass,
    RetentionClass, RunState, SourceKind, TimelineState, TrustClass, Undeliverable, Vocabulary,
    WakeFailure, WakeReason, WakeStatus,
};
use utoipa::openapi::{
    AllOfBuilder, ArrayBuilder, KnownFormat, OneOfBuilder, Ref, RefOr, Schema, SchemaFormat,
    schema::{AdditionalProperties, ObjectBuilder, Type},
};

type Named = (&'static str, RefOr<Schema>);

/// Returns every schema of the engine by its name.
pub(super) fn schemas() -> Vec<Named> {
    let mut all = messages();
    all.extend(wakes());
    all.extend(explanations::schemas());
    all.extend(references());
    all.extend(events());
    all
}

fn messages() -> Vec<Named> {
    let recipient = Fields::of("Where one recipient's copy stands.")
        .must("run_id", text("The recipient."))
        .must("state", names::<CopyState>())
        .may("why", names::<Undeliverable>())
        .must("attempt", count("How many claims of it were counted."))
        .may("outcome", names::<AckOutcome>());
    let step = Fields::of("One step in the life of a message.")
        .must("at", time())
        .must("cursor", cursor("The record."))
        .must("state", names::<TimelineState>())
        .may("run_id", text("Whose copy it happened to."));
    let contract = Fields::of("The replies that a message asks for.")
        .must(
            "expected_responses",
            count("How many recipients have to reply; at least 1."),
        )
        .may("timeout_ms", count("How long it waits for them."))
        .may("from", texts("Whose replies count; absent: everybody's."));
    let response = Fields::of("A reply that counts.")
        .must("run_id", text("Who replied."))
        .must("message_id", text("The reply."))
        .must("cursor", cursor("Its acceptance."))
        .must("content_ref", text("Its body."));
    let receipt = Fields::of("What became of a message, read at `as_of`.")
        .must("message_id", text("The message."))
        .must("from", text("Who sent it."))
        .must("status", names::<MessageStatus>())
        .may("reason", names::<MessageFailure>())
        .must("content_ref", text("Its body."))
        .must(
            "cursor",
            cursor("Its acceptance, in every answer about it."),
        )
        .must("as_of", cursor("The head at which it was read."))
        .must("durability", names::<Durability>())
        .may("response_contract", reference("ResponseContract"))
        .may("deadline", time())
        .may("responses", list("Response"))
        .must("recipients", list("RecipientStanding"))
        .must("timeline", list("TimelineEntry"));
    vec![
        ("Address", address()),
        ("RecipientStanding", recipient.schema()),
        ("TimelineEntry", step.schema()),
        ("ResponseContract", contract.schema()),
        ("Response", response.schema()),
        ("Receipt", receipt.schema()),
    ]
}

/// The address of a message: one of four forms, which `type` tells apart.
fn address() -> RefOr<Schema> {
    let forms = [
        ("run", "run_id", "The member that is this run."),
        (
            "agent",
            "agent_id",
            "Every member that is a run of this agent.",
        ),
        ("topic", "topic_id", "Every member that lists this topic."),
        ("pool", "pool_id", "Every member of the pool: its own id."),
    ];
    let any = OneOfBuilder::new().description(Some("Where a message is sent."));
    let any = forms.iter().fold(any, |any, (kind, id, description)| {
        let form = Fields(
            ObjectBuilder::new()
                .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false))),
        )
        .must("type", one_of(&[kind]))
        .must(id, text(description));
        any.item(form.schema())
    });
    Schema::from(any.build()).into()
}

fn wakes() -> Vec<Named> {
    let found = Fields::of("An event that triggered a wake.")
        .must("cursor", cursor("Where the event stands."))
        .must("id", cursor("The event's id."))
        .must("kind", names::<EventKind>());
    let cancelled = WakeReason::ALL.iter().map(|it| it.wire_name());
    let failed = WakeFailure::ALL.iter().map(|it| it.wire_name());
    let reasons: Vec<&'static str> = cancelled.chain(failed).collect();
    let view = Fields::of("Where a wake stands.")
        .must("wake_id", text("The wake."))
        .must("run_id", text("Who waits."))
        .must(
            "since",
            cursor("Where it begins: events after this one count."),
        )
        .must("status", names::<WakeStatus>())
        .may("reason", one_of(&reasons))
        .must("matches", list("WakeMatch"))
        .may(
            "summary",
            text("A line about the matches, and one for what each of the first 16 says of itself."),
        )
        .must(
            "cursor",
            cursor("Its registration, and its end afterwards."),
        )
        .may("deadline", time())
        .may("policies", list("PolicyRef"))
        .may("run_state", names::<RunState>());
    let changed =
        Fields::of("How safely the store keeps it.").must("durability", names::<Durability>());
    let changed = AllOfBuilder::new()
        .description(Some("A wake was registered or cancelled."))
        .item(Ref::from_schema_name("WakeView"))
        .item(changed.schema());
    let listed = Fields::of("The wakes that wait, oldest first; a member sees its own.")
        .must("wakes", list("WakeView"))
        .may("next", cursor("Where the next page goes on."))
        .must("as_of", cursor("The head at which they were read."));
    vec![
        ("WakeMatch", found.schema()),
        ("WakeView", view.schema()),
        ("WakeChanged", Schema::from(changed.build()).into()),
        ("WakeList", listed.schema()),
    ]
}

fn references() -> Vec<Named> {
    let entity = Fields::of("A thing of the domain.")
        .must("kind", names::<EntityKind>())
        .must("id", text("Its id."))
        .must("privacy", names::<PrivacyClass>())
        .may("summary", text("A description that may be shown."));
    let source = Fields::of("Where something came from.")
        .must("kind", names::<SourceKind>())
        .must("id", text("Its id."))
        .must("trust", names::<TrustClass>())
        .must("privacy", names::<PrivacyClass>())
        .may("correlation", correlation())
        .may("summary", text("A description that may be shown."));
    let destination = Fields::of("Where something goes.")
        .must("kind", names::<DestinationKind>())
        .must("id", text("Its id."))
        .must("privacy", names::<PrivacyClass>())
        .must("retention", names::<RetentionClass>())
        .may("correlation", correlation())
        .may("summary", text("A description that may be shown."));
    let policy = Fields::of("A policy; held means that all three are equal.")
        .must("kind", names::<PolicyKind>())
        .must("id", text("Its id."))
        .may("version", text("Its version."));
    let payload = Fields::of("What an event carries beside its envelope: never a body.")
        .must("type", one_of(&["envelope_only", "summary", "refs"]))
        .may("summary", text("A text that may be shown."))
        .may("refs", list("EntityRef"));
    vec![
        ("EntityRef", entity.schema()),
        ("SourceRef", source.schema()),
        ("DestinationRef", destination.schema()),
        ("PolicyRef", policy.schema()),
        ("Payload", payload.schema()),
    ]
}

fn events() -> Vec<Named> {
    let page = Fields::of("Events in order, and how far the journal was looked through.")
        .must("events", list("Event"))
        .must("scanned_to", cursor("Go on from here."))
        .must("head", cursor("The last record."))
        .must("floor", cursor("The lowest cursor that can be read from."));
    let caught_up =
        Fields::of("`caught_up`: what follows is new.").must("head", cursor("The head."));
    let gap = Fields::of("`gap`: facts that cannot be sent.")
        .must("from", cursor("The last position before it."))
        .must("to", cursor("The last position in it."))
        .must("reason", names::<GapReason>());
    let closed = Fields::of("`closed`: the stream ends.").must("reason", names::<CloseReason>());
    let item = OneOfBuilder::new()
        .description(Some(
            "The `data` of one server-sent event; its `event` is the kind of the event, or the name \
             that stands at the others.",
        ))
        .item(Ref::from_schema_name("Event"))
        .item(caught_up.schema())
        .item(gap.schema())
        .item(closed.schema());
    let batch = Fields::of("A batch of events that a member reports: all of them, or none.")
        .may("run_id", text("Who reports; absent: the token's run."))
        .must("events", list("NewEvent"))
        .may(
            "idempotency_key",
            text("The same key with the same events has the same outcome."),
        );
    vec![
        ("NewEvent", new_event().schema()),
        ("AppendEvents", batch.schema()),
        ("Event", event().schema()),
        ("EventPage", page.schema()),
        ("StreamItem", Schema::from(item.build()).into()),
    ]
}

fn event() -> Fields {
    Fields::of("What observers see, made from one record.")
        .must("id", cursor("The event's id."))
        .must("cursor", cursor("Where it stands."))
        .must("position", count("The number of its record."))
        .must("family", names::<EventFamily>())
        .must("kind", names::<EventKind>())
        .must("occurred_at", time())
        .must("recorded_at", time())
        .must("pool", text("The pool."))
        .may("run", text("The run that it is about."))
        .may("agent", text("The run's agent."))
        .may("session", text("The run's session."))
        .may("turn", text("The turn."))
        .may("attempt", text("The attempt."))
        .may("message", text("The message."))
        .may("reply_to", text("The message that it replies to."))
        .may("topic", text("The topic."))
        .may("recipients", texts("The first 100 recipients."))
        .may("recipient_count", count("How many recipients there are."))
        .may("trace", text("A W3C traceparent."))
        .may("caused_by", cursor("The record that led to it."))
        .may("causal", texts("Cursors of what it depends on."))
        .must("subject", reference("EntityRef"))
        .may("related", list("EntityRef"))
        .may("correlation", correlation())
        .may("tags", texts("Labels."))
        .must("source", reference("SourceRef"))
        .may("destination", reference("DestinationRef"))
        .may("policies", list("PolicyRef"))
        .must("semantics", names::<EventSemantics>())
        .must("privacy", names::<PrivacyClass>())
        .must("content_capture", names::<ContentCapture>())
        .may("redaction", reference("PolicyRef"))
        .must("payload_schema", text("What the payload is."))
        .may("payload", reference("Payload"))
}

fn new_event() -> Fields {
    Fields::of("An event as a member reports it; run, agent, session and source are the caller's.")
        .must("kind", names::<EventKind>())
        .may("occurred_at", time())
        .may("turn", text("The turn."))
        .may("attempt", text("The attempt."))
        .may("message", text("The message."))
        .may("reply_to", text("The message that it replies to."))
        .may("topic", text("The topic."))
        .may("caused_by", cursor("The event that led to it."))
        .may("causal", texts("Cursors of further events that led to it."))
        .may("subject", reference("EntityRef"))
        .may("related", list("EntityRef"))
        .may("correlation", correlation())
        .may("tags", texts("Labels."))
        .may("destination", reference("DestinationRef"))
        .may("policies", list("PolicyRef"))
        .may("privacy", names::<PrivacyClass>())
        .may("content_capture", names::<ContentCapture>())
        .may("redaction", reference("PolicyRef"))
        .may("payload", reference("Payload"))
}

/// The fields of an object, as they are added.
struct Fields(ObjectBuilder);

impl Fields {
    fn of(description: &'static str) -> Self {
        Self(ObjectBuilder::new().description(Some(description)))
    }

    /// Adds a field that is always there.
    fn must(self, name: &'static str, schema: RefOr<Schema>) -> Self {
        Self(self.0.property(name, schema).required(name))
    }

    /// Adds a field that may be left out.
    fn may(self, name: &'static str, schema: RefOr<Schema>) -> Self {
        Self(self.0.property(name, schema))
    }

    fn schema(self) -> RefOr<Schema> {
        self.0.into()
    }
}

fn text(description: &'static str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .into()
}

fn cursor(description: &'static str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[0-9a-f]{32}-[0-9]+$"))
        .description(Some(description))
        .into()
}

fn truth(description: &'static str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .description(Some(description))
        .into()
}

fn time() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .into()
}

fn count(description: &'static str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .description(Some(description))
        .into()
}

fn correlation() -> RefOr<Schema> {
    let value = AdditionalProperties::RefOr(text("A value."));
    ObjectBuilder::new()
        .additional_properties(Some(value))
        .into()
}

/// Every wire name of a vocabulary.
fn names<V: Vocabulary>() -> RefOr<Schema> {
    let names: Vec<&'static str> = V::ALL.iter().map(|it| it.wire_name()).collect();
    one_of(&names)
}

fn one_of(names: &[&'static str]) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names.iter().copied()))
        .into()
}

fn reference(name: &'static str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

fn list(of: &'static str) -> RefOr<Schema> {
    ArrayBuilder::new().items(reference(of)).into()
}

fn texts(description: &'static str) -> RefOr<Schema> {
    ArrayBuilder::new()
        .items(ObjectBuilder::new().schema_type(Type::String))
        .description(Some(description))
        .into()
}
