//! The outcomes that messages could still have, and those who could bring them about. The events of a
//! message are its sender's, whoever acts.

use std::{cell::OnceCell, collections::BTreeMap};

use heronry_event::{
    Identity,
    filter::{Case, Known, Outline},
};
use heronry_types::{EventKind, ReplyStanding, RunId};

use super::prospect::{Acting, ByItself, Prospect, may_send};
use crate::{State, state::Message};

/// The highest number of messages that one look knows of; among more, anything could become of any.
const MESSAGES_MAX: usize = 16_384;

/// The events that end a message.
pub(super) const OUTCOMES: [EventKind; 6] = [
    EventKind::RunMessageResponded,
    EventKind::RunMessageFailed,
    EventKind::RunMessageTimedOut,
    EventKind::RunMessageExpired,
    EventKind::RunMessageCancelled,
    EventKind::RunMessageSettled,
];

/// Something that could become of a message.
#[derive(Clone, Debug)]
pub(super) struct PossibleOutcome {
    /// Those who could bring it about.
    by: Vec<RunId>,
    /// The number of them that have to act.
    needed: usize,
}

impl PossibleOutcome {
    /// Returns true when those who act could bring it about.
    pub(super) fn is_possible(&self, acting: &Acting<'_>) -> bool {
        self.by.iter().filter(|run| acting.does(run)).count() >= self.needed
    }

    /// Walks those who could bring it about.
    pub(super) fn by(&self) -> impl Iterator<Item = &RunId> {
        self.by.iter()
    }
}

/// Those who hold copies of a message that have not ended.
struct Holders {
    /// The members that are there.
    there: Vec<RunId>,
    /// The number of those that are lost.
    lost: usize,
}

/// The messages that are not over.
#[derive(Default)]
struct OpenMessages<'a> {
    by_sender: BTreeMap<&'a str, Vec<&'a Message>>,
    /// Those with copies that the time may end.
    expiring: Vec<&'a Message>,
}

/// The outcomes that the messages of a pool could have.
pub(super) struct Outcomes<'a> {
    state: &'a State,
    /// Found when somebody asks; nothing when there are too many.
    open: OnceCell<Option<OpenMessages<'a>>>,
}

impl<'a> Outcomes<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        Self {
            state,
            open: OnceCell::new(),
        }
    }

    fn open(&self) -> Option<&OpenMessages<'a>> {
        let find = || {
            let messages = &self.state.messages;
            if messages.len() > MESSAGES_MAX {
                return None;
            }
            let mut found = OpenMessages::default();
            let is_live = |it: &&Message| it.copies.iter().any(|copy| !copy.slot.is_ended());
            let expires = |it: &&Message| it.accepted.expires_at.is_some();
            let expiring = messages.in_memory().filter(expires).filter(is_live);
            found.expiring.extend(expiring);
            for message in messages.in_memory().filter(|it| it.is_open()) {
                let sender = message.sender().map_or("", |run| run.as_str());
                found.by_sender.entry(sender).or_default().push(message);
            }
            Some(found)
        };
        self.open.get_or_init(find).as_ref()
    }

    /// Returns true when the time may end a copy of a run that an alternative of a filter names, or of
    /// any.
    pub(super) fn may_die(&self, case: Case<'_>) -> bool {
        let Some(open) = self.open() else {
            return true;
        };
        let Some(runs) = case.runs() else {
            return !open.expiring.is_empty();
        };
        let mut runs = runs.filter_map(|run| RunId::parse(run).ok());
        runs.any(|run| open.expiring.iter().any(|it| it.index_of(&run).is_some()))
    }

    /// Adds what could become of messages that an alternative of a filter keeps.
    pub(super) fn of_case(
        &self,
        case: Case<'_>,
        kinds: &[EventKind],
        tests: &mut usize,
        prospect: &mut Prospect,
    ) {
        let Some(OpenMessages { by_sender, .. }) = self.open() else {
            prospect.comes(ByItself::Perhaps);
            return;
        };
        let messages: Box<dyn Iterator<Item = &&Message>> = match case.runs() {
            Some(runs) => Box::new(runs.filter_map(|run| by_sender.get(run)).flatten()),
            None => Box::new(by_sender.values().flatten()),
        };
        for message in messages {
            let is_kept = keeps(case, message);
            // Of one that is kept every copy is looked at.
            let cost = if is_kept { 1 + message.copies.len() } else { 1 };
            let Some(left) = tests.checked_sub(cost) else {
                prospect.comes(ByItself::Perhaps);
                return;
            };
            *tests = left;
            if is_kept {
                self.of_message(message, kinds, prospect);
            }
        }
    }

    fn of_message(&self, message: &Message, kinds: &[EventKind], prospect: &mut Prospect) {
        let has = |kind| kinds.contains(&kind);
        let contract = message.contract();
        let times_out = contract.is_some_and(|contract| contract.deadline.is_some());
        let expires = [
            EventKind::RunMessageExpired,
            EventKind::RunMessageSettled,
            EventKind::RunMessageFailed,
        ];
        let expires = message.accepted.expires_at.is_some() && expires.into_iter().any(has);
        if (has(EventKind::RunMessageTimedOut) && times_out) || expires {
            prospect.comes(ByItself::Yes);
        }
        if has(EventKind::RunMessageCancelled) {
            let by = message.sender().filter(|run| self.is_there(run));
            prospect.add(by.into_iter().cloned().collect(), 1);
        }
        if has(EventKind::RunMessageResponded)
            && let Some(contract) = contract
        {
            let expected = usize::try_from(contract.asked.expected_responses.get());
            let left = expected
                .unwrap_or(usize::MAX)
                .saturating_sub(message.responses());
            prospect.add(self.repliers(message), left);
        }
        // Who is lost leaves in time, and needs nobody for that.
        let Holders { there, lost } = self.holders(message);
        match contract {
            // The first of them may leave too few.
            Some(_) if has(EventKind::RunMessageFailed) => prospect.add(there, 1 - lost.min(1)),
            None if has(EventKind::RunMessageSettled) => {
                let needed = there.len();
                prospect.add(there, needed);
            }
            Some(_) | None => {}
        }
    }

    /// Those whose replies would count, if they came.
    fn repliers(&self, message: &Message) -> Vec<RunId> {
        let asks = message.sender().and_then(|run| self.state.members.get(run));
        if !asks.is_some_and(|member| may_send(self.state, member)) {
            return Vec::new();
        }
        let may_reply = |run: &&RunId| {
            let member = self.state.members.get(run);
            message.standing_of_reply(run) == ReplyStanding::Counted
                && member.is_some_and(|it| it.lost_until.is_none() && may_send(self.state, it))
        };
        let recipients = message.recipients.0.iter();
        recipients.filter(may_reply).cloned().collect()
    }

    fn holders(&self, message: &Message) -> Holders {
        let copies = message.recipients.0.iter().zip(&message.copies);
        let live = copies.filter(|(_, copy)| !copy.slot.is_ended());
        let (there, lost): (Vec<&RunId>, Vec<&RunId>) =
            live.map(|(run, _)| run).partition(|run| self.is_there(run));
        Holders {
            there: there.into_iter().cloned().collect(),
            lost: lost.len(),
        }
    }

    fn is_there(&self, run: &RunId) -> bool {
        let member = self.state.members.get(run);
        member.is_some_and(|member| member.lost_until.is_none())
    }
}

impl Prospect {
    fn add(&mut self, by: Vec<RunId>, needed: usize) {
        if by.len() >= needed {
            self.outcomes.push(PossibleOutcome { by, needed });
        }
    }
}

/// Returns true when an alternative could keep an outcome of a message.
fn keeps(case: Case<'_>, message: &Message) -> bool {
    let lineage = &message.lineage;
    let mut identity = Identity::new(lineage.pool.clone());
    identity.run.clone_from(&lineage.run);
    identity.agent.clone_from(&lineage.agent);
    identity.session.clone_from(&lineage.session);
    case.could_be(&Outline {
        identity: Some(&identity),
        message: Known::Only(message.accepted.message_id.as_str()),
        reply_to: Known::Nothing,
        topic: Known::Nothing,
        recipients: Known::Nothing,
    })
}
