//! Answers to commands.

mod roster;

use heronry_journal::{Claim, WakeName};
use heronry_types::{
    AgentId, AliasName, AliasView, ContentRef, Correlation, Cursor, DeadReason, Durability, Edge,
    EdgeView, EffectFault, EffectView, Generation, Importance, Labels, Limits, MemberStanding,
    MessageId, MessageStatus, Millis, Policies, PoolConfig, Position, Receipt, RecipientStanding,
    ReplyStanding, Response, ResumeWith, RunId, RunState, SessionId, Settings, TimelineEntry,
    TimelineState, Timestamp, TopicId, Undeliverable, WakeId, WakeMatch, WakeStatus, WakeView,
    counted,
};

pub use roster::{
    DeclaredRoster, LayerView, ModulePage, ModuleView, ReconciledView, RosterPage, RosterRowView,
    RosterView, StandingView, StewardView, Stewardship,
};

use crate::{
    State,
    command::{Applied, How},
    state::{Effect, Message, Suspension, TimelineStep, Wake, WakeEnd},
};

/// The answer to a sender.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sent {
    /// The receipt of the message: its standing and that of its recipients.
    pub receipt: Receipt,
    /// True when an equal request was answered before.
    pub repeated: bool,
}

/// The answer to a process that joins as a run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Joined {
    /// The run.
    pub run: RunId,
    /// Its agent.
    pub agent: AgentId,
    /// The generation of this joining.
    pub generation: Generation,
    /// The record of the joining.
    pub cursor: Cursor,
    /// The number of copies that wait to be claimed.
    pub unread: u64,
    /// True when the same instance had joined before: then nothing was changed.
    pub repeated: bool,
    /// The generation that this one took over; absent: the run was no member. A repeat says the same.
    pub taken_over: Option<TakenOver>,
}

/// The generation that a joining took over, and fenced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TakenOver {
    /// The generation.
    pub generation: Generation,
    /// The time when it was last heard of; absent: not since the pool was opened.
    pub last_seen: Option<Timestamp>,
}

/// The answer to a command that changes something and has nothing else to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Done {
    /// The first record of the change, or the head when there was nothing to change.
    pub cursor: Cursor,
    /// The durability of the record.
    pub durability: Durability,
}

/// The answer to a member that holds claims for longer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Extended {
    /// The change.
    pub done: Done,
    /// Those of the claims that are held; the others were acknowledged before.
    pub held: Vec<Claim>,
}

/// The answer to a command that suspends a run, or lets it go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stood {
    /// The change.
    pub done: Done,
    /// The state of the run after the change.
    pub state: RunState,
}

/// The answer to a member that reported events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Appended {
    /// The first event of the batch; the head when none was appended.
    pub first: Cursor,
    /// The last event of the batch; the head when none was appended.
    pub last: Cursor,
    /// The number of events that were appended: they stand side by side.
    pub count: u64,
    /// The durability of the events.
    pub durability: Durability,
    /// True when an equal batch was answered before.
    pub repeated: bool,
    /// The number of further events of the request, which come from a foreign source and were taken from
    /// it before.
    pub already_taken: u64,
}

/// The answer to a bridge that was attached to a foreign source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AttachedSource {
    /// The attachment: a number that rises with each.
    pub generation: Generation,
    /// The number of the last event that was taken from the source; absent when nothing was, and of a
    /// source without order.
    pub last_number: Option<u64>,
    /// The record of the attachment.
    pub done: Done,
    /// True when this instance was attached before: then nothing was changed.
    pub repeated: bool,
}

/// The answer to who tells that events of a foreign source are missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GapRecorded {
    /// The record of the gap, or the head when nothing is missing that was not known.
    pub done: Done,
    /// True when it was known before: then nothing was recorded.
    pub repeated: bool,
}

/// One copy as its reader sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// The message.
    pub message_id: MessageId,
    /// The run that sent the message.
    pub from: RunId,
    /// Its acceptance.
    pub cursor: Cursor,
    /// The number of this attempt, from 1; the number of counted attempts when the copy is not claimed.
    pub attempt: u32,
    /// The claim, and the time when it lapses. `None` when the copy is only looked at.
    pub claim: Option<(Claim, Timestamp)>,
    /// Its body.
    pub content_ref: ContentRef,
    /// The media type of its body.
    pub media_type: String,
    /// The message it replies to.
    pub reply_to: Option<MessageId>,
    /// Its correlations.
    pub correlation: Correlation,
    /// The urgency of the message.
    pub importance: Importance,
    /// The standing of the message as a reply, to the contract of the message that it replies to.
    pub reply: Option<ReplyStanding>,
}

/// The answer to a reader.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Received {
    /// The copies, in order.
    pub items: Vec<Item>,
    /// The number of further copies that wait to be claimed.
    pub unread: u64,
    /// The record that claimed them, or the head.
    pub cursor: Cursor,
    /// The durability of the record.
    pub durability: Durability,
}

/// A member as others see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberView {
    /// The run.
    pub run: RunId,
    /// Its agent.
    pub agent: AgentId,
    /// Its session.
    pub session: Option<SessionId>,
    /// The generation of its present joining.
    pub generation: Generation,
    /// The policies that it holds.
    pub policies: Policies,
    /// The topics that it lists.
    pub topics: Vec<TopicId>,
    /// The number of copies that wait to be claimed.
    pub unread: u64,
    /// The number of its wakes that wait.
    pub live_wakes: u64,
    /// The time that it may be silent before it is lost. `None`: forever.
    pub lease: Option<Millis>,
    /// The time when it was last heard of; absent: not since the pool was opened.
    pub last_seen: Option<Timestamp>,
    /// The time when it leaves unless it is heard of before. `None` while it is not lost.
    pub lost_until: Option<Timestamp>,
    /// The standing of the member in the roster. `None`: nobody said how this joining of the run stands.
    pub standing: Option<MemberStanding>,
    /// The suspension of the run: the wakes that it waits for. `None` while it is not suspended.
    pub suspended: Option<SuspendedView>,
}

/// The suspension of a run, as others see it: the wakes and the time that it waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SuspendedView {
    /// The record that suspended it.
    pub cursor: Cursor,
    /// Its wakes whose ends resume it, oldest first.
    pub wakes: Vec<WakeId>,
    /// The time when it goes on in any case: its own time, or the first timeout of these wakes. `None`:
    /// it may wait forever.
    pub until: Option<Timestamp>,
    /// The record that suspects it to wait only on runs that wait on it.
    pub suspected_deadlock: Option<Cursor>,
    /// Those of its wakes that were found to wait for something that no live member can do.
    pub orphaned: Vec<WakeId>,
}

/// Some of the members, in order of their run ids.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberPage {
    /// The members.
    pub members: Vec<MemberView>,
    /// The run after which the next page begins. `None` when there are no more members.
    pub next: Option<RunId>,
    /// The head at which they were read.
    pub as_of: Cursor,
}

/// A copy that is dead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeadLetterView {
    /// The recipient of the copy.
    pub run: RunId,
    /// The message.
    pub message_id: MessageId,
    /// The run that sent the message.
    pub from: RunId,
    /// Its acceptance.
    pub cursor: Cursor,
    /// The number of attempts that were counted.
    pub attempt: u32,
    /// The reason why it is dead.
    pub reason: DeadReason,
    /// The time since when it is dead.
    pub dead_at: Timestamp,
    /// The record that made it dead.
    pub dead_cursor: Cursor,
    /// The message's body.
    pub content_ref: ContentRef,
}

/// Some of the dead letters, by recipient and then by the acceptance of their message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeadLetterPage {
    /// The dead letters.
    pub letters: Vec<DeadLetterView>,
    /// The copy after which the next page begins: its recipient, and the acceptance of its message.
    /// `None` when there are no more dead letters.
    pub next: Option<(RunId, Cursor)>,
    /// The head at which they were read.
    pub as_of: Cursor,
}

/// A pool as a whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PoolView {
    /// The cursor of its last record.
    pub head: Cursor,
    /// The lowest valid cursor.
    pub floor: Cursor,
    /// The configuration that it was created with.
    pub config: PoolConfig,
    /// The settings, which can be changed.
    pub settings: Settings,
    /// The version of the settings.
    pub settings_version: u64,
    /// Every limit that holds, defaults included.
    pub limits: Limits,
    /// The number of its members.
    pub members: u64,
    /// The number of its members that are lost.
    pub lost_members: u64,
    /// The number of its members that are suspended.
    pub suspended_members: u64,
    /// The number of suspended members that are suspected to wait only on each other.
    pub deadlocked_members: u64,
    /// The number of wakes of suspended members that were found to wait for something that no live
    /// member can do.
    pub orphaned_wakes: u64,
    /// The number of dead copies that were not replayed: claimed too often, or expired after a replay.
    pub dead_letters: u64,
    /// The number of messages that have no terminal record.
    pub live_messages: u64,
    /// The number of wakes that wait.
    pub live_wakes: u64,
    /// The durability of the records in the store.
    pub durability: Durability,
}

/// Some of the wakes that wait, oldest first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WakePage {
    /// The wakes.
    pub wakes: Vec<WakeView>,
    /// The registration after which the next page begins. `None` when there are no more wakes.
    pub next: Option<Cursor>,
    /// The head at which they were read.
    pub as_of: Cursor,
}

/// An effect that is about to be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EffectStarted {
    /// The standing of the effect.
    pub effect: EffectView,
    /// True when the effect was intended before: its first attempt is not the caller's.
    pub repeated: bool,
}

/// The answer to a reported result of an effect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EffectReport {
    /// The result is the effect's, and is recorded.
    Completed(EffectView, Done),
    /// The result is not the effect's, and that is recorded.
    Refused(EffectFault, Done),
}

/// Some of the effects that have no result, oldest first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EffectPage {
    /// The effects.
    pub effects: Vec<EffectView>,
    /// The effect after which the next page begins. `None` when there are no more effects.
    pub next: Option<Cursor>,
    /// The head at which they were read.
    pub as_of: Cursor,
}

/// The answer to who changes edges, aliases or labels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WiringChanged {
    /// The first record of the change, or the head when there was nothing to change.
    pub done: Done,
    /// True when everything was as asked for before: then nothing was changed.
    pub unchanged: bool,
}

impl WiringChanged {
    pub(crate) fn at(state: &State, applied: Applied<'_>) -> Self {
        Self {
            done: Done::at(state, applied),
            unchanged: applied.how != How::Written,
        }
    }
}

/// Some of the edges, in order of their ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EdgePage {
    /// The edges.
    pub edges: Vec<EdgeView>,
    /// The edge after which the next page begins. `None` when there are no more edges.
    pub next: Option<Edge>,
    /// The head at which they were read.
    pub as_of: Cursor,
}

/// Some of the aliases, in order of their names: those of any recipient first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AliasPage {
    /// The aliases.
    pub aliases: Vec<AliasView>,
    /// The alias after which the next page begins. `None` when there are no more aliases.
    pub next: Option<AliasName>,
    /// The head at which they were read.
    pub as_of: Cursor,
}

/// The labels of a run or of the pool.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LabelsView {
    /// The labels.
    pub labels: Labels,
    /// The head at which they were read.
    pub as_of: Cursor,
}

/// A registered wake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registered {
    /// The standing of the wake.
    pub wake: WakeView,
    /// True when an equal request was answered before.
    pub repeated: bool,
}

pub(crate) fn receipt(
    state: &State,
    accepted: Position,
    durability: Durability,
) -> Option<Receipt> {
    let message = state.messages.get(accepted)?;
    let contract = message.contract();
    Some(Receipt {
        message_id: message.accepted.message_id.clone(),
        from: message.sender()?.clone(),
        status: message.status.unwrap_or(MessageStatus::Delivered),
        reason: message.reason,
        content_ref: message.accepted.content_ref,
        cursor: state.cursor(accepted),
        as_of: state.head_cursor(),
        durability,
        response_contract: contract.map(|contract| contract.asked.clone()),
        deadline: contract.and_then(|contract| contract.deadline),
        responses: responses(state, message),
        recipients: recipients(state, message),
        not_peered: not_peered(message),
        timeline: timeline(state, message),
    })
}

/// The replies that count, oldest first.
fn responses(state: &State, message: &Message) -> Vec<Response> {
    if message.contract().is_none() {
        return Vec::new();
    }
    let is_reply = |step: &&TimelineStep| step.state == TimelineState::Replied;
    let response = |step: &TimelineStep| {
        let index = step.recipient? as usize;
        let reply = message.replies.as_ref()?.get(&step.position)?;
        Some(Response {
            run_id: message.recipients.0.get(index)?.clone(),
            message_id: reply.message_id.clone(),
            cursor: state.cursor(step.position),
            content_ref: reply.content_ref,
        })
    };
    let replies = message.timeline.iter().filter(is_reply);
    replies.filter_map(response).collect()
}

fn not_peered(message: &Message) -> Vec<RunId> {
    let not_peered = message.not_peered.as_ref();
    not_peered.map_or_else(Vec::new, |runs| runs.0.to_vec())
}

fn recipients(state: &State, message: &Message) -> Vec<RecipientStanding> {
    let standing = |(run, copy): (&RunId, &crate::state::MessageCopy)| {
        let standing = copy.standing();
        let lost = !copy.slot.is_ended() && state.members.is_lost(run);
        RecipientStanding {
            run_id: run.clone(),
            state: standing.state,
            why: standing.why.or(lost.then_some(Undeliverable::Lost)),
            attempt: standing.attempt,
            outcome: standing.outcome,
        }
    };
    message
        .recipients
        .0
        .iter()
        .zip(&message.copies)
        .map(standing)
        .collect()
}

fn timeline(state: &State, message: &Message) -> Vec<TimelineEntry> {
    let run_id = |index: u32| message.recipients.0.get(index as usize).cloned();
    message
        .timeline
        .iter()
        .map(|step| TimelineEntry {
            at: step.at,
            cursor: state.cursor(step.position),
            state: step.state,
            run_id: step.recipient.and_then(run_id),
        })
        .collect()
}

/// Returns a copy as it is shown to its recipient, without a claim.
pub(crate) fn item(state: &State, run: &RunId, accepted: Position) -> Option<Item> {
    let message = state.messages.get(accepted)?;
    Some(Item {
        message_id: message.accepted.message_id.clone(),
        from: message.sender()?.clone(),
        cursor: state.cursor(accepted),
        attempt: message.copy_of(run)?.attempts,
        claim: None,
        content_ref: message.accepted.content_ref,
        media_type: message.accepted.media_type.to_string(),
        reply_to: message.accepted.reply_to.clone(),
        correlation: message.lineage.correlation.clone(),
        importance: message.importance(),
        reply: message.reply_standing(),
    })
}

pub(crate) fn effect_view(state: &State, intended: Position, effect: &Effect) -> EffectView {
    let key = effect.intended.key.as_ref();
    EffectView {
        effect: state.cursor(intended),
        run_id: effect.run.clone(),
        what: effect.intended.what.clone(),
        key: key.map(|key| key.idempotency_key.clone()),
        standing: effect.standing(&state.members),
        attempts: effect.attempts,
        result: effect.end.as_ref().map(|end| end.result.clone()),
    }
}

pub(crate) fn wake_view(state: &State, position: Position, wake: &Wake) -> WakeView {
    let (at, status, reason, events) = match &wake.end {
        None => (position, WakeStatus::Registered, None, &[][..]),
        Some((at, WakeEnd::Triggered { matches })) => {
            (*at, WakeStatus::Triggered, None, &**matches)
        }
        Some((at, WakeEnd::TimedOut)) => (*at, WakeStatus::TimedOut, None, &[][..]),
        Some((at, WakeEnd::Cancelled { reason })) => {
            (*at, WakeStatus::Cancelled, Some((*reason).into()), &[][..])
        }
        Some((at, WakeEnd::Failed { why })) => {
            (*at, WakeStatus::Failed, Some((*why).into()), &[][..])
        }
    };
    let body = &wake.registered;
    let refs = events.iter().map(|by| {
        let cursor = state.cursor(by.position);
        WakeMatch {
            cursor,
            id: cursor,
            kind: by.kind,
        }
    });
    let matches = match body.resume_with {
        ResumeWith::MatchingEventRefs => refs.collect(),
        ResumeWith::Summary | ResumeWith::None => Vec::new(),
    };
    let first = events.first();
    let first = first.filter(|_| body.resume_with == ResumeWith::Summary);
    let summary = first.map(|first| {
        let cursor = state.cursor(first.position);
        let events = counted(events.len() as u64, "event");
        format!("{events}, first {} at {cursor}", first.kind)
    });
    WakeView {
        wake_id: body.wake_id.clone(),
        run_id: wake.run.clone(),
        since: state.cursor(body.since),
        status,
        reason,
        matches,
        summary,
        cursor: state.cursor(at),
        deadline: body.deadline,
        policies: body.policies.as_deref().cloned().unwrap_or_default(),
        run_state: body.suspends.map(|_| run_state(state, position, wake)),
    }
}

/// Returns the state of the run of a wake that suspends it.
fn run_state(state: &State, registered: Position, wake: &Wake) -> RunState {
    let suspension = state.members.suspension(&wake.run);
    if suspension.is_some_and(|it| it.waits_for(registered)) {
        RunState::Suspended
    } else {
        RunState::Active
    }
}

pub(crate) fn suspended_view(state: &State, suspension: &Suspension) -> SuspendedView {
    let wakes = suspension.wakes.iter();
    let deadline = |wake: &WakeName| state.wakes.get(wake.registered)?.registered.deadline;
    SuspendedView {
        cursor: state.cursor(suspension.position),
        until: wakes
            .clone()
            .filter_map(deadline)
            .chain(suspension.until)
            .min(),
        suspected_deadlock: suspension.suspected.map(|at| state.cursor(at)),
        orphaned: wakes
            .clone()
            .filter(|wake| suspension.orphaned.contains(&wake.registered))
            .map(|wake| wake.wake_id.clone())
            .collect(),
        wakes: wakes.map(|wake| wake.wake_id.clone()).collect(),
    }
}
