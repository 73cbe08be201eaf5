//! Records of messages and bodies.

use heronry_journal::{
    Claim, ContentErased, ContentStored, CopyName, FetchedCopy, MessageAccepted, MessageAcked,
    MessageCancelled, MessageDeadLettered, MessageDelivered, MessageExpired, MessageExtended,
    MessageFailed, MessageFetched, MessageReleased, MessageReplayed, MessageResponded,
    MessageSettled, MessageTimedOut, MessageUnsatisfiable,
};

use heronry_types::{Address, CopyStanding, DeliveryOptions};

use super::{Tell, list, note, or_nothing, policies, span, time, wiring};

impl Tell for MessageAccepted {
    fn tell(&self, run: &str) -> String {
        let it = self;
        accepted(run, it)
    }
}

impl Tell for MessageDelivered {
    fn tell(&self, _: &str) -> String {
        let it = self;
        delivered(it)
    }
}

impl Tell for MessageFetched {
    fn tell(&self, run: &str) -> String {
        let it = self;
        fetched(run, it)
    }
}

impl Tell for MessageAcked {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let claims = it.claims.iter().map(|(claim, id)| held(*claim, id));
        format!(
            "{run} acked {} {}{}",
            list(claims),
            it.outcome,
            note(it.note.as_ref())
        )
    }
}

impl Tell for MessageReleased {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let claims = it.claims.iter().map(|(claim, id)| held(*claim, id));
        let visible = it
            .visible_at
            .map_or(String::new(), |at| format!(", visible at {}", time(at)));
        format!("{run} released {} {}{visible}", list(claims), it.reason)
    }
}

impl Tell for MessageExtended {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let claims = it.claims.iter();
        let claims =
            claims.map(|(claim, id, until)| format!("{} until {}", held(*claim, id), time(*until)));
        format!("{run} extended {}", list(claims))
    }
}

impl Tell for MessageFailed {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!("{} failed: {}", named(&it.message), it.reason)
    }
}

impl Tell for MessageExpired {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!("{} expired: {}", named(&it.message), copies(&it.copies))
    }
}

impl Tell for MessageCancelled {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!("{} cancelled: {}", named(&it.message), copies(&it.copies))
    }
}

impl Tell for MessageSettled {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!("{} settled: {}", named(&it.message), copies(&it.copies))
    }
}

impl Tell for MessageDeadLettered {
    fn tell(&self, run: &str) -> String {
        let it = self;
        format!(
            "{run} dead {}: {}",
            list(it.copies.iter().map(copy)),
            it.reason
        )
    }
}

impl Tell for MessageReplayed {
    fn tell(&self, run: &str) -> String {
        let it = self;
        format!("{run} replayed {}", named(&it.copy))
    }
}

impl Tell for MessageResponded {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!(
            "{} responded by {}: {}",
            named(&it.message),
            it.by,
            copies(&it.copies)
        )
    }
}

impl Tell for MessageTimedOut {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!("{} timed out: {}", named(&it.message), copies(&it.copies))
    }
}

impl Tell for MessageUnsatisfiable {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!(
            "{} unsatisfiable: {}",
            named(&it.message),
            copies(&it.copies)
        )
    }
}

impl Tell for ContentErased {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let of = it
            .message
            .as_ref()
            .map_or(String::new(), |it| format!(" of {}", named(it)));
        let with = it
            .stored_with
            .map_or(String::new(), |it| format!(" stored with {it}"));
        format!("{run} content erased{of}{with}, {} bytes", it.body_bytes)
    }
}

impl Tell for ContentStored {
    fn tell(&self, run: &str) -> String {
        let it = self;
        format!(
            "{run} content stored, {} bytes until {}",
            it.body_bytes,
            time(it.expires_at)
        )
    }
}

fn accepted(run: &str, body: &MessageAccepted) -> String {
    let mut text = format!(
        "{run} sent {} to {}{}",
        body.message_id,
        address(&body.to),
        policies(&body.policies)
    );
    if let Some(at) = body.expires_at {
        text.extend([format!(", expires at {}", time(at))]);
    }
    if let Some(reply_to) = &body.reply_to {
        text.extend([format!(", replies to {reply_to}")]);
    }
    let thread = body.thread.as_deref();
    if let Some(answering) = thread.and_then(|it| it.answering.as_ref()) {
        text.extend([format!("@{}: {}", answering.accepted, answering.standing)]);
    }
    if let Some(contract) = thread.and_then(|it| it.contract.as_ref()) {
        text.extend([format!(", asks {}", contract.asked.expected_responses)]);
        let from = contract.asked.from.iter().flatten();
        let from = list(from.map(ToString::to_string));
        if !from.is_empty() {
            text.extend([format!(" of {from}")]);
        }
        if let Some(at) = contract.deadline {
            text.extend([format!(" by {}", time(at))]);
        }
    }
    if let Some(alias) = body.alias.as_deref() {
        text.extend([format!(", by alias {}", wiring::alias(alias))]);
    }
    if let Some(asked) = body.options.as_deref() {
        text.push_str(&options(*asked));
    }
    text
}

fn options(options: DeliveryOptions) -> String {
    let mut text = String::new();
    if options.importance != heronry_types::Importance::Queue {
        text.extend([format!(", {}", options.importance)]);
    }
    if let Some(delay) = options.deliver_after {
        text.extend([format!(", after {}", span(delay))]);
    }
    if options.ordered {
        text.push_str(", ordered");
    }
    if let Some(on_full) = options.on_full {
        text.extend([format!(", {on_full} when full")]);
    }
    text
}

/// Returns an address as scenarios write it.
pub(in crate::scenario) fn address(to: &Address) -> String {
    match to {
        Address::Run { run_id } => run_id.to_string(),
        Address::Agent { agent_id } => format!("agent:{agent_id}"),
        Address::Topic { topic_id } => format!("topic:{topic_id}"),
        Address::Pool { pool_id } => format!("pool:{pool_id}"),
        Address::Alias { recipient, channel } => {
            let channel = channel.as_ref().map_or("", |channel| channel.as_str());
            format!("alias:{recipient}/{channel}")
        }
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
    let not_peered = body.not_peered.iter().flat_map(|runs| runs.0.iter());
    let not_peered = list(not_peered.map(ToString::to_string));
    let not_peered = match not_peered.as_str() {
        "" => String::new(),
        runs => format!(", not to {runs}"),
    };
    format!(
        "{}@{} delivered to {}{topic}{not_peered}",
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
    text.extend([format!(" until {}", time(body.claimed_until))]);
    let gone = body
        .undeliverable
        .iter()
        .map(|it| format!("{} {}", named(&it.copy), it.why));
    let gone = list(gone);
    if !gone.is_empty() {
        text.extend([format!(", undeliverable {gone}")]);
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
fn standing(copy: CopyStanding) -> String {
    let mut text = format!("{}#{}", copy.state, copy.attempt);
    if let Some(why) = copy.why {
        text.extend([format!(" {why}")]);
    }
    if let Some(outcome) = copy.outcome {
        text.extend([format!(" {outcome}")]);
    }
    text
}
