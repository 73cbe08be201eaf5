//! Replies: what a message replies to, what it asks for, and when that is answered, or cannot be.

use heronry_journal::{
    Answering, Body, Contract, CopyName, Entry, MessageAccepted, MessageResponded, MessageTimedOut,
    MessageUnsatisfiable, Skipped, Thread,
};
use heronry_store::{KeyHash, KeyName};
use heronry_types::{
    CopyStanding, CopyState, LimitName, MessageId, Millis, Position, ReplyStanding,
    ResponseContract, RunId, Timestamp, Undeliverable,
};

use crate::{
    Rejection, State,
    command::{Author, Cx, KnownKeys},
    decide::{
        SendRequest, guard,
        message::{
            resolve::{self, Parcel},
            settle::{self, CopyEnd},
        },
    },
    state::{Among, Message, MessageAt},
};

/// Checks the size of a contract, and that its timeout ends within the calendar.
pub(super) fn check_limits(
    state: &State,
    now: Timestamp,
    contract: &ResponseContract,
) -> Result<(), Rejection> {
    let limits = &state.settings.limits;
    let from = contract.from.iter().flatten();
    let (count, bytes) = from.fold((0, 0), |(count, bytes), run| {
        (count + 1, bytes + run.as_str().len())
    });
    limits.check(LimitName::RecipientsPerMessageMax, count)?;
    limits.check(LimitName::RecipientIdsBytesMax, bytes)?;
    guard::span(now, "response_contract.timeout_ms", contract.timeout_ms)
}

/// Returns the names under which the message may stand that a reply names by its id: it is one that
/// a recipient of the reply has sent.
pub(super) fn asks(
    state: &State,
    replier: &RunId,
    request: &SendRequest,
    id: &MessageId,
) -> Vec<KeyHash> {
    let Ok(to) = resolve::address(state, &request.to) else {
        return Vec::new();
    };
    let parcel = Parcel {
        sender: replier,
        to,
        policies: &request.policies,
    };
    // Who has no edge with the replier may be the requester, which the reply reaches in any case.
    let Ok(reached) = resolve::recipients(state, parcel, Among::All) else {
        return Vec::new();
    };
    let (recipients, limits) = (&reached.runs().0, &state.settings.limits);
    let fits = limits.check(LimitName::RecipientsPerMessageMax, recipients.len());
    let names = recipients.iter().map(|run| sent_by(run, id));
    // A reply to too many is refused, whatever it replies to.
    fits.map_or_else(|_| Vec::new(), |()| names.collect())
}

fn sent_by(run: &RunId, id: &MessageId) -> KeyHash {
    KeyHash::new(run, &KeyName::Message(id.clone()))
}

/// The way that a message will go when it is accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlook<'a> {
    /// True when it expires at once.
    pub(super) is_past: bool,
    /// Its recipients; absent when it cannot be delivered.
    pub(super) recipients: Option<&'a [RunId]>,
    /// Those of them that have no room for it.
    pub(super) skipped: Option<&'a Skipped>,
}

/// Ties a message to others: to the one that it replies to, when it is delivered at all, and to the
/// replies that it asks for.
pub(super) fn thread(
    state: &State,
    cx: &Cx<'_>,
    sender: &RunId,
    request: &SendRequest,
    outlook: Outlook<'_>,
) -> Result<Option<Box<Thread>>, Rejection> {
    let asked = request.contract.as_ref();
    if let Some(asked) = asked {
        outlook.check_eligible(asked, sender)?;
    }
    let contract = asked.map(|asked| Contract {
        asked: asked.clone(),
        deadline: asked.timeout_ms.map(|timeout| cx.now.after(timeout)),
    });
    let reached = outlook.recipients.filter(|_| !outlook.is_past);
    let answering = reached
        .zip(request.reply_to.as_ref())
        .and_then(|(recipients, id)| answering(state, cx.earlier, sender, id, recipients));
    let is_tied = answering.is_some() || contract.is_some();
    Ok(is_tied.then(|| {
        Box::new(Thread {
            answering,
            contract,
        })
    }))
}

impl Outlook<'_> {
    /// Checks that enough recipients can reply, when there are any at all.
    fn check_eligible(&self, asked: &ResponseContract, sender: &RunId) -> Result<(), Rejection> {
        let Some(recipients) = self.recipients else {
            return Ok(());
        };
        let is_skipped = |index| self.skipped.is_some_and(|skipped| skipped.contains(index));
        let may_reply = |(index, run): &(usize, &RunId)| {
            *run != sender && asked.asks(run) && !is_skipped(*index)
        };
        let eligible = recipients.iter().enumerate().filter(may_reply).count();
        let expected = asked.expected_responses.get();
        if eligible < count(expected) {
            Err(Rejection::ContractUnsatisfiable { expected, eligible })
        } else {
            Ok(())
        }
    }
}

/// A number of replies as the size of a set; what is larger than any set is as good as its largest.
fn count(expected: u32) -> usize {
    usize::try_from(expected).unwrap_or(usize::MAX)
}

/// Finds the latest message of this id that a recipient has sent and the replier has received.
fn answering(
    state: &State,
    sent: KnownKeys<'_>,
    replier: &RunId,
    id: &MessageId,
    recipients: &[RunId],
) -> Option<Answering> {
    let sent = |run: &RunId| {
        let accepted = sent.get(&sent_by(run, id))?.first;
        let message = state.messages.get(accepted)?;
        message.index_of(replier).map(|_| (accepted, message))
    };
    let found = recipients.iter().filter_map(sent);
    let (accepted, message) = found.max_by_key(|(accepted, _)| *accepted)?;
    let standing = message.standing_of_reply(replier);
    Some(Answering { accepted, standing })
}

/// Returns the run that asked what a message replies to, when there is such a request among what the
/// recipients of the reply have sent.
pub(super) fn requester(
    state: &State,
    cx: &Cx<'_>,
    parcel: Parcel<'_>,
    reply_to: &MessageId,
) -> Option<RunId> {
    let addressed = resolve::recipients(state, parcel, Among::All).ok()?;
    let recipients = &addressed.runs().0;
    let answering = answering(state, cx.earlier, parcel.sender, reply_to, recipients)?;
    state.messages.get(answering.accepted)?.sender().cloned()
}

/// Returns what follows from a message in its own append: the one that it replies to may have its
/// replies with it, and its own time for replies may be over at once.
pub(super) fn follows(
    state: &State,
    run: &RunId,
    accepted: &MessageAccepted,
    outcome: &Body,
) -> Vec<Entry> {
    let Some(thread) = &accepted.thread else {
        return Vec::new();
    };
    let answering = thread.answering.as_ref();
    let responded = answering.and_then(|answering| responded(state, answering));
    let contract = thread.contract.as_ref();
    let timed_out = contract.and_then(|contract| timed_out_at_once(state, contract, outcome));
    let timed_out = timed_out.map(|body| {
        let lineage = state.lineage_of(run);
        let author = Author::engine(lineage).caused_by(state.head.next());
        author.last_entry(Body::MessageTimedOut(body))
    });
    responded.into_iter().chain(timed_out).collect()
}

/// The record that a message has the replies that it asked for, when the next record is the last of them.
fn responded(state: &State, answering: &Answering) -> Option<Entry> {
    if answering.standing != ReplyStanding::Counted {
        return None;
    }
    let request = state.messages.get(answering.accepted)?;
    let expected = request.contract()?.asked.expected_responses.get();
    if request.responses() + 1 < count(expected) {
        return None;
    }
    let body = MessageResponded {
        message: name_of(answering.accepted, request),
        by: state.head.next(),
        copies: settle::standings_with(request, &[]),
    };
    let accepted = answering.accepted;
    Some(ended(accepted, request, Body::MessageResponded(body)))
}

fn timed_out_at_once(
    state: &State,
    contract: &Contract,
    outcome: &Body,
) -> Option<MessageTimedOut> {
    let Body::MessageDelivered(delivered) = outcome else {
        return None;
    };
    let standing = |index: usize| {
        let (state, why) = if delivered.is_skipped(index) {
            (CopyState::Undeliverable, Some(Undeliverable::InboxFull))
        } else {
            (CopyState::Queued, None)
        };
        CopyStanding {
            state,
            attempt: 0,
            why,
            outcome: None,
        }
    };
    let message = CopyName {
        accepted: state.head.next(),
        message_id: delivered.message_id.clone(),
    };
    (contract.asked.timeout_ms == Some(Millis(0))).then(|| MessageTimedOut {
        message,
        copies: (0..delivered.recipients.0.len()).map(standing).collect(),
    })
}

/// Returns true when the deadline for replies has passed and lies before the expiry of an open message:
/// then the deadline ends it.
pub(in crate::decide) fn waits_shorter(message: &Message, now: Timestamp) -> bool {
    let deadline = message.contract().and_then(|contract| contract.deadline);
    let expires = message.accepted.expires_at;
    let shorter = |at: Timestamp| at <= now && expires.is_some_and(|expires| at < expires);
    message.is_open() && deadline.is_some_and(shorter)
}

/// The record that a message has waited long enough, unless its expiry ends it at the same time.
pub(in crate::decide) fn timed_out(
    state: &State,
    accepted: Position,
    now: Timestamp,
) -> Option<Entry> {
    let message = state.messages.get(accepted)?;
    let expires = message.is_past_expiry(now) && message.queued() > 0;
    if expires && !waits_shorter(message, now) {
        return None;
    }
    let body = MessageTimedOut {
        message: name_of(accepted, message),
        copies: settle::standings_with(message, &[]),
    };
    Some(ended(accepted, message, Body::MessageTimedOut(body)))
}

/// The record that a message cannot get the replies that it asks for, when these ends, each of
/// another recipient's copy, leave too few.
pub(super) fn unsatisfiable_with(
    MessageAt { accepted, message }: MessageAt<'_>,
    contract: &Contract,
    ends: &[CopyEnd],
) -> Option<Entry> {
    let copies = settle::standings_with(message, ends);
    let possible = message.responses_possible(contract, &copies);
    if possible >= count(contract.asked.expected_responses.get()) {
        return None;
    }
    let body = MessageUnsatisfiable {
        message: name_of(accepted, message),
        copies,
    };
    Some(ended(accepted, message, Body::MessageUnsatisfiable(body)))
}

fn name_of(accepted: Position, message: &Message) -> CopyName {
    let message_id = message.accepted.message_id.clone();
    CopyName {
        accepted,
        message_id,
    }
}

fn ended(accepted: Position, message: &Message, body: Body) -> Entry {
    let author = Author::engine(message.lineage.clone()).caused_by(accepted);
    author.last_entry(body)
}
