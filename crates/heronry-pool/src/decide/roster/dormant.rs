//! Falling dormant: a member that has no process any more gives its claims back.

use heronry_journal::{Body, Entry, MessageReleased};
use heronry_types::{MessageId, ReleaseReason, Timestamp};

use crate::{
    State,
    command::Author,
    decide::message::dead::{self, Dying},
    state::{Member, MessageAt},
};

/// The most claims that one record gives back.
const CLAIMS_OF_RECORD: usize = 1_000;

/// The claims that members give back because they fall dormant, as attempts that count.
#[derive(Debug, Default)]
pub(super) struct GivenBack {
    entries: Vec<Entry>,
    dying: Dying,
}

impl GivenBack {
    /// Adds the claims of a member. Those of a suspended one are held by its suspension, and stay.
    pub(super) fn add(&mut self, state: &State, member: &Member, author: &Author, now: Timestamp) {
        if member.suspension.is_some() {
            return;
        }
        let mut claims: Vec<_> = Vec::new();
        for claim in member.inbox.held() {
            let Some(message) = state.messages.get(claim.accepted) else {
                continue;
            };
            let why = ReleaseReason::Dormant;
            if let Some(reason) = dead::dies(state, message, &member.run, now, why) {
                let accepted = claim.accepted;
                let dead = MessageAt { accepted, message };
                self.dying.add(dead, &member.run, reason);
            } else {
                let id: MessageId = message.accepted.message_id.clone();
                claims.push((claim, id));
            }
        }
        claims.sort_unstable_by_key(|(claim, _)| *claim);
        let parts = claims.chunks(CLAIMS_OF_RECORD).map(|claims| {
            author.entry(Body::MessageReleased(MessageReleased {
                claims: claims.to_vec(),
                reason: ReleaseReason::Dormant,
                visible_at: None,
            }))
        });
        self.entries.extend(parts);
    }

    /// Returns the records; what ends whole messages comes last.
    pub(super) fn entries(self, state: &State) -> Vec<Entry> {
        let mut entries = self.entries;
        entries.extend(self.dying.entries(state));
        entries
    }
}
