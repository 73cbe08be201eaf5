//! Folding one finished message again, from its own records.

use heronry_journal::{Body, Claim, Record};
use heronry_types::{Position, TimelineState, Undeliverable};

use crate::{
    State,
    apply::{
        change,
        message::{self, inbox, reply},
    },
    state::{ClaimOf, CopyOf, CopySlot, Message},
};

/// Folds a message from the records of everything that happened to it, in a state that knows nothing
/// else: neither its recipients as members nor other messages that the records name.
pub(crate) fn refold(
    scratch: &mut State,
    accepted: Position,
    records: &[Record],
) -> Option<Message> {
    for record in records {
        refold_one(scratch, accepted, record);
    }
    scratch.messages.take(accepted)
}

fn refold_one(scratch: &mut State, accepted: Position, record: &Record) {
    let run = record.entry.lineage.run.as_ref();
    if let Body::MessageAccepted(body) = &record.entry.body
        && record.position != accepted
    {
        // Of another message that replies to it, only that counts.
        reply::replied(scratch, record, body);
    } else if let (Body::MemberLeft(body), Some(run)) = (&record.entry.body, run) {
        gone(scratch, record, CopyOf { accepted, run }, body.reason);
    } else if let (Body::RunEnded(_), Some(run)) = (&record.entry.body, run) {
        gone(
            scratch,
            record,
            CopyOf { accepted, run },
            Undeliverable::RunEnded,
        );
    } else if let (Body::MemberTakenOver(_), Some(run)) = (&record.entry.body, run) {
        given_back(scratch, record, CopyOf { accepted, run });
    } else {
        change(scratch, record);
    }
}

/// The recipient was not a member any more from here on.
fn gone(scratch: &mut State, record: &Record, copy: CopyOf<'_>, why: Undeliverable) {
    let end = CopySlot::Undeliverable { why };
    let timeline = TimelineState::Undeliverable;
    message::end_copy(scratch, record, copy, end, timeline);
}

/// Another instance took the recipient's run over: the claim was given back.
fn given_back(scratch: &mut State, record: &Record, CopyOf { accepted, run }: CopyOf<'_>) {
    let message = scratch.messages.get(accepted);
    let copy = message.and_then(|message| message.copy_of(run));
    let Some(CopySlot::Claimed { fetched, .. }) = copy.map(|copy| copy.slot) else {
        return;
    };
    let claim = Claim { accepted, fetched };
    let attempt = inbox::Attempt::Uncounted;
    inbox::give_back(scratch, record, ClaimOf { run, claim }, attempt, None);
}
