//! Records as lines of text: position, what happened, who did it and why.
//!
//! A record by the run that it is about names nobody; `(engine)`, `(operator)` and `(scout)` are by somebody else.
//! `<- 5` says that the record 5 led to it, and `hidden` that members do not see it.

use heronry_journal::{
    Body, Claim, CopyName, FetchedCopy, MemberJoined, MemberTakenOver, MessageAccepted,
    MessageDelivered, MessageFetched, Record, RunSuspended, WakeRegistered, WakeTriggeredBy,
};
use heronry_types::{
    Actor, Address, CopyStanding, DeliveryOptions, Limits, Millis, Policies, PoolConfig,
    ReplyStanding, Timestamp, TopicId, Visibility,
};

/// Returns the line of a record.
pub(super) fn line(record: &Record) -> String {
    let entry = &record.entry;
    let run = entry.lineage.run.as_ref();
    let run_text = run.map_or("pool", |run| run.as_str());
    let mut line = format!("{} {}", record.position, what(run_text, &entry.body));
    if let Some(agent) = entry
        .lineage
        .agent
        .as_ref()
        .filter(|it| it.as_str() != run_text)
    {
        line.push_str(&format!(", agent {agent}"));
    }
    if let Some(session) = &entry.lineage.session {
        line.push_str(&format!(", session {session}"));
    }
    match &entry.actor {
        Actor::Engine => line.push_str(" (engine)"),
        Actor::Operator => line.push_str(" (operator)"),
        Actor::Member { run: by, .. } if Some(by) == run => {}
        Actor::Member { run: by, .. } => line.push_str(&format!(" ({by})")),
    }
    if let Some(cause) = entry.lineage.caused_by {
        line.push_str(&format!(" <- {cause}"));
    }
    if entry.visibility == Visibility::OutOfScope {
        line.push_str(" hidden");
    }
    line
}

fn what(run: &str, body: &Body) -> String {
    match body {
        Body::PoolCreated(it) => format!(
            "created{}{}",
            config(&it.config),
            limits(&it.settings.limits)
        ),
        Body::PoolConfigured(it) => {
            format!("configured {}{}", it.version, limits(&it.settings.limits))
        }
        Body::PoolResumed(it) => format!("resumed {} since {}", it.cause, time(it.since)),
        Body::MemberJoined(it) => joined(run, it),
        Body::MemberTakenOver(it) => taken_over(run, it),
        Body::MemberChanged(it) => {
            format!("{run} changed{}{}", topics(&it.topics), lease(it.lease_ms))
        }
        Body::MemberLeft(it) => format!(
            "{run}/{} left: {}, {} there",
            it.generation, it.reason, it.members
        ),
        Body::RunEnded(it) => format!(
            "{run}/{} ended: {}{}, {} there",
            it.generation,
            it.end,
            note(it.note.as_ref()),
            it.members
        ),
        Body::RunLost(it) => format!(
            "{run}/{} lost, kept until {}",
            it.generation,
            time(it.kept_until)
        ),
        Body::RunResumed(it) => {
            let by = it.by.map_or("heard of".to_owned(), |by| by.to_string());
            format!("{run}/{} is back: {by}", it.generation)
        }
        Body::RunSuspended(it) => suspended(run, it),
        Body::MessageAccepted(it) => accepted(run, it),
        Body::MessageDelivered(it) => delivered(it),
        Body::MessageFetched(it) => fetched(run, it),
        Body::MessageAcked(it) => {
            let claims = it.claims.iter().map(|(claim, id)| held(*claim, id));
            format!(
                "{run} acked {} {}{}",
                list(claims),
                it.outcome,
                note(it.note.as_ref())
            )
        }
        Body::MessageReleased(it) => {
            let claims = it.claims.iter().map(|(claim, id)| held(*claim, id));
            let visible = it
                .visible_at
                .map_or(String::new(), |at| format!(", visible at {}", time(at)));
            format!("{run} released {} {}{visible}", list(claims), it.reason)
        }
        Body::MessageExtended(it) => {
            let claims = it.claims.iter();
            let claims = claims
                .map(|(claim, id, until)| format!("{} until {}", held(*claim, id), time(*until)));
            format!("{run} extended {}", list(claims))
        }
        Body::MessageFailed(it) => format!("{} failed: {}", named(&it.message), it.reason),
        Body::MessageExpired(it) => {
            format!("{} expired: {}", named(&it.message), copies(&it.copies))
        }
        Body::MessageCancelled(it) => {
            format!("{} cancelled: {}", named(&it.message), copies(&it.copies))
        }
        Body::MessageSettled(it) => {
            format!("{} settled: {}", named(&it.message), copies(&it.copies))
        }
        Body::MessageDeadLettered(it) => {
            format!(
                "{run} dead {}: {}",
                list(it.copies.iter().map(copy)),
                it.reason
            )
        }
        Body::MessageReplayed(it) => format!("{run} replayed {}", named(&it.copy)),
        Body::MessageResponded(it) => {
            format!(
                "{} responded by {}: {}",
                named(&it.message),
                it.by,
                copies(&it.copies)
            )
        }
        Body::MessageTimedOut(it) => {
            format!("{} timed out: {}", named(&it.message), copies(&it.copies))
        }
        Body::MessageUnsatisfiable(it) => {
            format!(
                "{} unsatisfiable: {}",
                named(&it.message),
                copies(&it.copies)
            )
        }
        Body::WakeRegistered(it) => registered(run, it),
        Body::ConditionRegistered(it) => {
            let counted = it
                .counted
                .iter()
                .map(|event| format!("{}@{}", event.clause, event.by.position));
            let counted = list(counted);
            let counted = if counted.is_empty() {
                counted
            } else {
                format!(", counts {counted}")
            };
            format!("{}{counted}", registered(run, &it.wake))
        }
        Body::WakeScanned(it) => {
            let counted = it
                .counted
                .iter()
                .map(|event| format!("{}@{}", event.clause, event.by.position));
            let counted = or_nothing(list(counted));
            format!("{}@{} looked back: {counted}", it.wake_id, it.registered)
        }
        Body::WakeFailed(it) => format!("{}@{} failed: {}", it.wake_id, it.registered, it.why),
        Body::WakeTriggered(it) => {
            let more = if it.more_follow { ", more follow" } else { "" };
            format!(
                "{}@{} triggered by {}{more}",
                it.wake_id,
                it.registered,
                list(it.matches.iter().map(by))
            )
        }
        Body::WakeTimedOut(it) => format!("{}@{} timed out", it.wake_id, it.registered),
        Body::WakeCancelled(it) => {
            format!("{}@{} cancelled: {}", it.wake_id, it.registered, it.reason)
        }
        Body::DeadlockSuspected(it) => {
            let wakes = it.wakes.iter().map(|wake| wake.wake_id.to_string());
            format!(
                "deadlock of {} in {}",
                list(it.runs.iter().map(ToString::to_string)),
                list(wakes)
            )
        }
        Body::WakeOrphaned(it) => format!("{}@{} orphaned", it.wake_id, it.registered),
        Body::ApplicationEvent(it) => {
            let batch = it.batch.as_ref();
            let batch = batch.map_or(String::new(), |it| {
                format!(", {} under {}", it.count, it.idempotency_key)
            });
            format!(
                "{run} reported {} of {} {}{batch}",
                it.kind, it.subject.kind, it.subject.id
            )
        }
        Body::EffectIntended(it) => {
            let key = it.key.as_ref();
            let key = key.map_or(String::new(), |it| format!(" under {}", it.idempotency_key));
            format!("{run}/{} intends {}{key}", it.generation, it.what)
        }
        Body::EffectAttempted(it) => {
            format!(
                "{run}/{} attempts {} #{}",
                it.generation, it.intended, it.attempt
            )
        }
        Body::EffectCompleted(it) => {
            let result = format!("{}{}", it.result.outcome, note(it.result.note.as_ref()));
            format!("effect {}{} {result}", it.intended, attempt(it.attempt))
        }
        Body::EffectResultRefused(it) => {
            let result = format!("{}{}", it.result.outcome, note(it.result.note.as_ref()));
            format!(
                "effect {}{} {result} refused: {}",
                it.intended,
                attempt(it.attempt),
                it.fault
            )
        }
        Body::ContentErased(it) => {
            let of = it
                .message
                .as_ref()
                .map_or(String::new(), |it| format!(" of {}", named(it)));
            let with = it
                .stored_with
                .map_or(String::new(), |it| format!(" stored with {it}"));
            format!("{run} content erased{of}{with}, {} bytes", it.body_bytes)
        }
        Body::ContentStored(it) => {
            format!(
                "{run} content stored, {} bytes until {}",
                it.body_bytes,
                time(it.expires_at)
            )
        }
        // A kind that no scenario has shown so far: all that it says.
        body => format!("{body:?}"),
    }
}

fn config(config: &PoolConfig) -> String {
    let mut text = policies(&config.policies);
    let required = &config.message_policy.required_policies;
    if !required.is_empty() {
        text.push_str(&format!(" requires{}", policies(required)));
    }
    text
}

fn limits(limits: &Limits) -> String {
    limits
        .iter()
        .map(|(limit, value)| format!(" {limit}={value}"))
        .collect()
}

/// Returns the policies that somebody holds or something carries.
pub(super) fn policies(policies: &Policies) -> String {
    policies
        .as_slice()
        .iter()
        .map(|policy| format!(" +{}", policy.id))
        .collect()
}

fn topics(topics: &[TopicId]) -> String {
    topics.iter().map(|topic| format!(" #{topic}")).collect()
}

fn lease(lease: Option<Millis>) -> String {
    lease.map_or(String::new(), |lease| format!(" lease {}", span(lease)))
}

fn note(note: Option<&String>) -> String {
    note.map_or(String::new(), |note| format!(" ({note})"))
}

fn attempt(attempt: Option<u32>) -> String {
    attempt.map_or(String::new(), |attempt| format!(" #{attempt}"))
}

/// Returns a time as what has passed since the pool was created.
pub(super) fn time(at: Timestamp) -> String {
    if at == Timestamp::LAST {
        return "the end".to_owned();
    }
    span(Millis(u64::try_from(at.as_millis()).unwrap()))
}

/// Returns a span in seconds, or in milliseconds where it has no whole ones.
pub(super) fn span(span: Millis) -> String {
    match span.0 % 1_000 {
        0 => format!("{}s", span.0 / 1_000),
        _ => format!("{}ms", span.0),
    }
}

/// Returns some texts with commas between.
pub(super) fn list(texts: impl IntoIterator<Item = String>) -> String {
    texts.into_iter().collect::<Vec<_>>().join(", ")
}

/// Returns a list, or the word for none.
pub(super) fn or_nothing(list: String) -> String {
    if list.is_empty() {
        "nothing".to_owned()
    } else {
        list
    }
}

fn joined(run: &str, body: &MemberJoined) -> String {
    format!(
        "{run} joined as {}{}{}{}, {} there",
        body.instance,
        topics(&body.topics),
        policies(&body.policies),
        lease(body.lease_ms),
        body.members
    )
}

fn taken_over(run: &str, body: &MemberTakenOver) -> String {
    format!(
        "{run}/{} taken over by {}{}{}{}, {} there",
        body.predecessor,
        body.instance,
        topics(&body.topics),
        policies(&body.policies),
        lease(body.lease_ms),
        body.members
    )
}

fn suspended(run: &str, body: &RunSuspended) -> String {
    let wakes = list(
        body.wakes
            .iter()
            .map(|it| format!("{}@{}", it.wake_id, it.registered)),
    );
    let until = body
        .until
        .map_or(String::new(), |it| format!(" until {}", time(it)));
    let wakes = if wakes.is_empty() {
        wakes
    } else {
        format!(" for {wakes}")
    };
    format!("{run}/{} suspended{wakes}{until}", body.generation)
}

fn accepted(run: &str, body: &MessageAccepted) -> String {
    let mut text = format!(
        "{run} sent {} to {}{}",
        body.message_id,
        address(&body.to),
        policies(&body.policies)
    );
    if let Some(at) = body.expires_at {
        text.push_str(&format!(", expires at {}", time(at)));
    }
    if let Some(reply_to) = &body.reply_to {
        text.push_str(&format!(", replies to {reply_to}"));
    }
    let thread = body.thread.as_deref();
    if let Some(answering) = thread.and_then(|it| it.answering.as_ref()) {
        text.push_str(&format!("@{}: {}", answering.accepted, answering.standing));
    }
    if let Some(contract) = thread.and_then(|it| it.contract.as_ref()) {
        text.push_str(&format!(", asks {}", contract.asked.expected_responses));
        let from = contract.asked.from.iter().flatten();
        let from = list(from.map(ToString::to_string));
        if !from.is_empty() {
            text.push_str(&format!(" of {from}"));
        }
        if let Some(at) = contract.deadline {
            text.push_str(&format!(" by {}", time(at)));
        }
    }
    if let Some(asked) = body.options.as_deref() {
        text.push_str(&options(*asked));
    }
    text
}

fn options(options: DeliveryOptions) -> String {
    let mut text = String::new();
    if options.importance != heronry_types::Importance::Queue {
        text.push_str(&format!(", {}", options.importance));
    }
    if let Some(delay) = options.deliver_after {
        text.push_str(&format!(", after {}", span(delay)));
    }
    if options.ordered {
        text.push_str(", ordered");
    }
    if let Some(on_full) = options.on_full {
        text.push_str(&format!(", {on_full} when full"));
    }
    text
}

/// Returns an address as scenarios write it.
pub(super) fn address(to: &Address) -> String {
    match to {
        Address::Run { run_id } => run_id.to_string(),
        Address::Agent { agent_id } => format!("agent:{agent_id}"),
        Address::Topic { topic_id } => format!("topic:{topic_id}"),
        Address::Pool { pool_id } => format!("pool:{pool_id}"),
    }
}

fn delivered(body: &MessageDelivered) -> String {
    let runs = body.recipients.0.iter().enumerate();
    let runs = runs.map(|(index, run)| {
        let skipped = body.is_skipped(index);
        if skipped {
            format!("{run} (full)")
        } else {
            run.to_string()
        }
    });
    let topic = body
        .topic
        .as_ref()
        .map_or(String::new(), |topic| format!(" #{topic}"));
    format!(
        "{}@{} delivered to {}{topic}",
        body.message_id,
        body.accepted,
        list(runs)
    )
}

fn fetched(run: &str, body: &MessageFetched) -> String {
    let mut text = format!(
        "{run} claimed {} by {}",
        list(body.copies.iter().map(copy)),
        body.receive_id
    );
    if body.chosen_by.is_some() {
        text.push_str(" by name");
    }
    text.push_str(&format!(" until {}", time(body.claimed_until)));
    let gone = body
        .undeliverable
        .iter()
        .map(|it| format!("{} {}", named(&it.copy), it.why));
    let gone = list(gone);
    if !gone.is_empty() {
        text.push_str(&format!(", undeliverable {gone}"));
    }
    text
}

fn copy(copy: &FetchedCopy) -> String {
    format!("{}#{}", named(&copy.copy), copy.attempt)
}

fn named(copy: &CopyName) -> String {
    format!("{}@{}", copy.message_id, copy.accepted)
}

fn held(claim: Claim, id: &heronry_types::MessageId) -> String {
    format!("{id} {claim}")
}

fn copies(copies: &[CopyStanding]) -> String {
    or_nothing(list(copies.iter().map(|copy| standing(*copy))))
}

/// Returns how a copy stands.
pub(super) fn standing(copy: CopyStanding) -> String {
    let mut text = format!("{}#{}", copy.state, copy.attempt);
    if let Some(why) = copy.why {
        text.push_str(&format!(" {why}"));
    }
    if let Some(outcome) = copy.outcome {
        text.push_str(&format!(" {outcome}"));
    }
    text
}

/// Returns what a reply is to the contract of its request, as one word.
pub(super) fn reply(standing: Option<ReplyStanding>) -> String {
    standing.map_or(String::new(), |it| format!(" {it}"))
}

fn registered(run: &str, body: &WakeRegistered) -> String {
    let mut text = format!(
        "{run} waits {} for {} since {}",
        body.wake_id, body.filter, body.since
    );
    text.push_str(&policies(
        &body.policies.as_deref().cloned().unwrap_or_default(),
    ));
    if let Some(at) = body.deadline {
        text.push_str(&format!(", until {}", time(at)));
    }
    if body.include_wakes {
        text.push_str(", wakes too");
    }
    if let Some(to) = body.scan_to {
        text.push_str(&format!(", looks back to {to}"));
    }
    if let Some(lasts) = body.suspends {
        text.push_str(&format!(", suspends for {lasts}"));
    }
    text
}

fn by(event: &WakeTriggeredBy) -> String {
    event.position.to_string()
}
