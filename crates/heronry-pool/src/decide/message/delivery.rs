//! Deliveries that are not the usual ones: full inboxes, and messages that are handed over in order.

use heronry_journal::{
    Body, Claim, CopyName, Entry, MessageDelivered, MessageRecord, MessageSettled, Noun, Record,
    Skipped,
};
use heronry_types::{
    Address, CopyStanding, CopyState, DeliveryOptions, LimitName, Millis, OnFull, Position, RunId,
    Undeliverable,
};

use crate::{
    Rejection, State,
    command::Author,
    decide::{
        SendRequest,
        message::resolve::{Parcel, Reached},
    },
    state::{Member, Message, MessageAt},
};

/// The longest delay with which an ordered copy can be given back: it holds up those behind it.
const ORDERED_DELAY_MAX: Millis = Millis::from_secs(60);

/// Returns the choice for a full inbox that holds when the sender made none; of an alias it is not known
/// before it leads somewhere.
fn usual_on_full(to: &Address) -> Option<OnFull> {
    match to {
        Address::Run { .. } => Some(OnFull::Refuse),
        Address::Agent { .. } | Address::Topic { .. } | Address::Pool { .. } => Some(OnFull::Skip),
        Address::Alias { .. } => None,
    }
}

/// Returns what is asked for, without what is usual anyway.
pub(super) fn asked(options: DeliveryOptions, to: &Address) -> DeliveryOptions {
    DeliveryOptions {
        deliver_after: options.deliver_after.filter(|delay| delay.0 > 0),
        on_full: options.on_full.filter(|it| Some(*it) != usual_on_full(to)),
        ..options
    }
}

/// Returns what a record says of it.
pub(super) fn recorded(options: DeliveryOptions) -> Option<Box<DeliveryOptions>> {
    (!options.is_usual()).then(|| Box::new(options))
}

/// Checks that the message does not have too many recipients and that they have room for it, and
/// returns those who are skipped because they have none.
pub(super) fn room(
    state: &State,
    parcel: Parcel<'_>,
    request: &SendRequest,
    reached: &Reached<'_>,
) -> Result<Option<Skipped>, Rejection> {
    let Parcel { sender, to, .. } = parcel;
    let limits = &state.settings.limits;
    // Those who get no copy are named as well, so that they count.
    let not_peered = reached.not_peered().map_or(&[][..], |runs| &*runs.0);
    let addressed = || reached.runs().0.iter().chain(not_peered);
    limits.check(LimitName::RecipientsPerMessageMax, addressed().count())?;
    let bytes = addressed().map(|run| run.as_str().len()).sum();
    limits.check(LimitName::RecipientIdsBytesMax, bytes)?;
    let depth = limits.get(LimitName::InboxDepthMax);
    let is_full = |member: &Member| member.inbox.is_full_for(sender, depth);
    let members = (0..).zip(reached.members(state));
    let mut full = members.filter(|(_, member)| is_full(member));
    match request.options.on_full.or_else(|| usual_on_full(to)) {
        Some(OnFull::Refuse) if full.next().is_some() => Err(Rejection::InboxFull { depth }),
        Some(OnFull::Refuse) => Ok(None),
        Some(OnFull::Skip) | None => {
            let skipped = full.map(|(index, _)| index).collect();
            // They rise, and there are not more than there are recipients.
            Ok(Skipped::of(skipped).ok().flatten())
        }
    }
}

/// Returns the record that a message is settled with its delivery, when nobody had room for it.
pub(super) fn settled(author: &Author, outcome: &Body) -> Option<Entry> {
    let Body::MessageDelivered(delivered) = outcome else {
        return None;
    };
    let count = delivered.recipients.0.len();
    if delivered.skipped.as_ref()?.count() < count {
        return None;
    }
    let end = CopyStanding {
        state: CopyState::Undeliverable,
        attempt: 0,
        why: Some(Undeliverable::InboxFull),
        outcome: None,
    };
    let body = MessageSettled {
        message: name_of(delivered),
        copies: vec![end; count],
    };
    let author = Author::engine(author.lineage.clone()).caused_by(delivered.accepted);
    Some(author.last_entry(Body::MessageSettled(body)))
}

fn name_of(delivered: &MessageDelivered) -> CopyName {
    CopyName {
        accepted: delivered.accepted,
        message_id: delivered.message_id.clone(),
    }
}

/// The senders that have an ordered copy under way at a member.
#[derive(Debug)]
pub(super) struct OrderedSenders<'a> {
    member: &'a Member,
    begun: Vec<&'a RunId>,
}

impl<'a> OrderedSenders<'a> {
    pub(super) fn of(member: &'a Member) -> Self {
        Self {
            member,
            begun: Vec::new(),
        }
    }

    /// Returns true when a copy may be handed over now; an ordered one is the only one of its sender
    /// from then on.
    pub(super) fn admit(&mut self, MessageAt { accepted, message }: MessageAt<'a>) -> bool {
        if !message.is_ordered() {
            return true;
        }
        let Some(sender) = message.sender() else {
            return true;
        };
        let begun = self.member.inbox.begun_of(sender);
        let is_free = begun.is_none_or(|begun| begun == accepted);
        let is_first = is_free && !self.begun.contains(&sender);
        if is_first {
            self.begun.push(sender);
        }
        is_first
    }
}

/// Checks that no ordered copy is given back for so long that those behind it wait without end.
pub(super) fn check_delay<'a>(
    state: &State,
    mut claims: impl Iterator<Item = &'a Claim>,
    delay: Option<Millis>,
) -> Result<(), Rejection> {
    let is_long = delay.is_some_and(|delay| delay > ORDERED_DELAY_MAX);
    let is_ordered = |claim: &Claim| {
        let message = state.messages.get(claim.accepted);
        message.is_some_and(Message::is_ordered)
    };
    if is_long && claims.any(is_ordered) {
        let max = ORDERED_DELAY_MAX;
        return Err(Rejection::OrderedDelay { max });
    }
    Ok(())
}

impl State {
    /// Returns in whose inboxes copies may have become claimable because an ordered one before them has
    /// ended with this record.
    pub fn unblocked_by(&self, record: &Record) -> Vec<RunId> {
        let ordered = |accepted: Position| {
            let message = self.messages.get(accepted);
            message.filter(|message| message.is_ordered())
        };
        let everybody = |accepted| {
            ordered(accepted).map_or_else(Vec::new, |message| message.recipients.0.to_vec())
        };
        let Noun::Message(body) = record.entry.body.noun() else {
            return Vec::new();
        };
        let is_own = match body {
            MessageRecord::MessageAcked(body) => {
                let mut claims = body.claims.iter();
                claims.any(|(claim, _)| ordered(claim.accepted).is_some())
            }
            MessageRecord::MessageDeadLettered(body) => {
                let mut copies = body.copies.iter();
                copies.any(|dead| ordered(dead.copy.accepted).is_some())
            }
            MessageRecord::MessageExpired(body) => return everybody(body.message.accepted),
            MessageRecord::MessageCancelled(body) => return everybody(body.message.accepted),
            MessageRecord::MessageAccepted(_)
            | MessageRecord::MessageDelivered(_)
            | MessageRecord::MessageFetched(_)
            | MessageRecord::MessageReleased(_)
            | MessageRecord::MessageExtended(_)
            | MessageRecord::MessageFailed(_)
            | MessageRecord::MessageSettled(_)
            | MessageRecord::MessageReplayed(_)
            | MessageRecord::MessageResponded(_)
            | MessageRecord::MessageTimedOut(_)
            | MessageRecord::MessageUnsatisfiable(_) => false,
        };
        let own = record.entry.lineage.run.iter().filter(|_| is_own);
        own.cloned().collect()
    }
}
