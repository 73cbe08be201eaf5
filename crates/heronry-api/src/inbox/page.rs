//! Pages of an inbox, with the bodies that were asked for.

use heronry_pool::{Item as CopyFound, Received, Rejection};
use heronry_runtime::{BodyError, CallError};
use heronry_types::{Body, LimitName, ReplyStanding};
use heronry_wire::{BodyBytes, BodyText, InboxPage, Item};

use super::name_of;
use crate::{Access, Refusal};

/// The number of bytes of bodies that take as long to write as an item without a body.
const BYTES_OF_AN_ITEM: usize = 1_024;

/// The copies that were found in an inbox, and the bodies that were asked for with them.
#[derive(Debug)]
pub struct InboxAnswer {
    received: Received,
    bodies: Vec<FoundBody>,
}

/// The body that was asked for, as it was found.
#[derive(Debug)]
enum FoundBody {
    Body(Body),
    /// The body is gone.
    Nothing,
    /// The body cannot be read, for this cause.
    Unreadable(String),
}

impl InboxAnswer {
    pub(super) async fn of(access: &Access, received: Received, bodies: Option<bool>) -> Self {
        let bodies = if bodies == Some(true) {
            bodies_of(access, &received.items).await
        } else {
            Vec::new()
        };
        Self { received, bodies }
    }

    /// Returns how long the page takes to write, as a number of items without a body; see
    /// [`Access::write`].
    pub fn size(&self) -> usize {
        let bytes: usize = self.bodies.iter().map(FoundBody::bytes).sum();
        self.received.items.len() + bytes / BYTES_OF_AN_ITEM
    }

    /// Returns the page as the contract writes it. It may take a while: see [`size`](Self::size).
    pub fn into_page(self) -> InboxPage {
        let Self { received, bodies } = self;
        let mut items: Vec<Item> = received.items.iter().map(shown).collect();
        for (item, found) in items.iter_mut().zip(bodies) {
            match found {
                FoundBody::Body(body) => put(item, &body),
                FoundBody::Nothing => {}
                FoundBody::Unreadable(cause) => item.body_error = Some(cause),
            }
        }
        InboxPage {
            items,
            unread: received.unread,
            cursor: received.cursor,
            durability: received.durability,
        }
    }
}

/// Returns the bodies of items, in order, while there is room: about as much as one content may have.
/// Items beyond carry their reference alone.
///
/// The claims stand, and count as attempts. So nothing that is wrong with one body keeps the others
/// from being handed over.
async fn bodies_of(access: &Access, items: &[CopyFound]) -> Vec<FoundBody> {
    let mut room = access.limit(LimitName::ContentBytesMax);
    let mut found = Vec::new();
    for item in items {
        let body = match access.pool().body(access.caller(), item.content_ref).await {
            Ok(stored) => FoundBody::Body(stored.body),
            Err(BodyError::Call(CallError::Rejected(
                Rejection::ContentMissing | Rejection::ContentErased { .. },
            ))) => FoundBody::Nothing,
            Err(error) => {
                let refusal = Refusal::from(error);
                let problem = refusal.problem();
                let cause = problem.text("cause").unwrap_or_else(|| problem.slug());
                FoundBody::Unreadable(cause.to_owned())
            }
        };
        room = room.saturating_sub(body.bytes() as u64);
        found.push(body);
        if room == 0 {
            break;
        }
    }
    found
}

impl FoundBody {
    fn bytes(&self) -> usize {
        match self {
            Self::Body(body) => body.bytes.len(),
            Self::Nothing | Self::Unreadable(_) => 0,
        }
    }
}

/// Puts a body in: as text when it says that it is text and is, else as base64.
fn put(item: &mut Item, body: &Body) {
    let says_text = ["text/", "application/json"]
        .iter()
        .any(|lead| body.media_type.starts_with(lead));
    match std::str::from_utf8(&body.bytes) {
        Ok(text) if says_text => item.body = Some(BodyText(text.to_owned())),
        Ok(_) | Err(_) => item.body_base64 = Some(BodyBytes(body.bytes.to_vec())),
    }
}

fn shown(item: &CopyFound) -> Item {
    let claim = item.claim.as_ref();
    Item {
        message_id: item.message_id.clone(),
        from: item.from.clone(),
        cursor: item.cursor,
        attempt: item.attempt,
        claim: claim.map(|(claim, _)| name_of(claim)),
        claim_expires_at: claim.map(|(_, until)| *until),
        content_ref: item.content_ref,
        media_type: item.media_type.clone(),
        body: None,
        body_base64: None,
        body_error: None,
        reply_to: item.reply_to.clone(),
        correlation: item.correlation.clone(),
        importance: item.importance,
        late: (item.reply == Some(ReplyStanding::Late)).then_some(true),
    }
}
