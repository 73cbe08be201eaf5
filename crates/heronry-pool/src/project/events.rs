//! Projecting what members report.

use heronry_event::Envelope;
use heronry_journal::ApplicationEvent;
use heronry_types::{Cursor, Position};

/// Fills what an event that a member reported says of itself.
pub(super) fn fill(
    envelope: &mut Envelope,
    body: &ApplicationEvent,
    cursor: impl Fn(Position) -> Cursor,
) {
    if let Some(at) = body.occurred_at {
        envelope.stamp.occurred_at = at;
    }
    envelope.identity.attempt.clone_from(&body.attempt);
    envelope.exchange.message.clone_from(&body.message);
    envelope.exchange.reply_to.clone_from(&body.reply_to);
    envelope.exchange.topic.clone_from(&body.topic);
    envelope.causes.causal = body.causal.iter().copied().map(cursor).collect();
    envelope.about.related.clone_from(&body.related);
    envelope.about.tags.clone_from(&body.tags);
    envelope.route.destination.clone_from(&body.destination);
    envelope.governance.policies = body.policies.clone();
    envelope.governance.privacy = body.privacy;
    envelope.governance.content_capture = body.content_capture;
    envelope.governance.redaction.clone_from(&body.redaction);
    if let Some(step) = &body.from {
        envelope.route.source = super::sources::of_step(step);
    }
}
