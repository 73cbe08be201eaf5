//! Projecting effects: each is named by the cursor of its intent.

use heronry_journal::{Body, Record};
use heronry_types::{EntityId, EntityKind, EntityRef, Position, Timelines};

/// The effect that a record is about.
pub(super) fn subject(timelines: &Timelines, record: &Record) -> Option<EntityRef> {
    let intended = intent(record)?;
    let id = EntityId::parse(timelines.cursor(intended).to_string()).ok()?;
    Some(EntityRef::new(EntityKind::Effect, id))
}

fn intent(record: &Record) -> Option<Position> {
    if let Body::EffectIntended(_) = &record.entry.body {
        Some(record.position)
    } else if let Body::EffectAttempted(body) = &record.entry.body {
        Some(body.intended)
    } else if let Body::EffectCompleted(body) = &record.entry.body {
        Some(body.intended)
    } else if let Body::EffectResultRefused(body) = &record.entry.body {
        Some(body.intended)
    } else {
        None
    }
}

/// What a record about an effect says in words.
pub(super) fn note(body: &Body) -> Option<&String> {
    if let Body::EffectIntended(body) = body {
        Some(&body.what)
    } else if let Body::EffectCompleted(body) = body {
        body.result.note.as_ref()
    } else if let Body::EffectResultRefused(body) = body {
        body.result.note.as_ref()
    } else {
        None
    }
}
