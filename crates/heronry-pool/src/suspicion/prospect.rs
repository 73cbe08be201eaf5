//! The members that could bring about what a filter keeps, as far as that is certain: in doubt, any
//! member could.

use std::collections::BTreeSet;

use heronry_event::{
    Envelope, Identity,
    filter::{Case, Filter, Known, Outline},
};
use heronry_types::{AgentId, Condition, EventFamily, EventKind, RunId, TopicId};

use super::{
    outcome::{OUTCOMES, Outcomes, PossibleOutcome},
    walk::{is_there, of_nobody},
};
use crate::{
    State,
    decide::{WakeEvents, is_about_wakes},
    state::{Earlier, Member, Wake},
};

/// The highest number of times that one look asks if a member, or a message, could bring an event about.
const TESTS_MAX: usize = 20_000;

/// Events about copies that a member holds: it alone is their recipient.
const HANDLING: [EventKind; 6] = [
    EventKind::RunMessageFetched,
    EventKind::RunMessageAcked,
    EventKind::RunMessageReleased,
    EventKind::RunMessageExtended,
    EventKind::RunMessageDeadLettered,
    EventKind::RunMessageReplayed,
];

/// The need that any member has to meet to bring an event about, the least first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Need {
    /// To be there.
    Nothing,
    /// To hold the policies that every message carries.
    MaySend,
}

impl Need {
    /// Returns what a member has of that.
    pub(crate) fn of(state: &State, member: &Member) -> Self {
        if may_send(state, member) {
            Self::MaySend
        } else {
            Self::Nothing
        }
    }
}

/// The certainty that something comes whatever those do who are asked about.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum ByItself {
    /// Nobody knows that it comes.
    #[default]
    No,
    /// It may, or too much would have to be asked to know.
    Perhaps,
    /// It comes, has come often enough, or somebody who acts could bring it about.
    Yes,
}

/// The prospect of what a filter keeps: the members that could bring it about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prospect {
    /// The certainty that it comes without any of them.
    pub(super) by_itself: ByItself,
    /// Any member could that has what it needs.
    pub(super) anyone: Option<Need>,
    /// These members could, each by itself.
    pub(super) runs: BTreeSet<RunId>,
    /// The outcomes of messages that would do, with those who could bring them about.
    pub(super) outcomes: Vec<PossibleOutcome>,
}

/// The members that can act.
pub(super) struct Acting<'a> {
    pub(super) state: &'a State,
    pub(super) acts: &'a dyn Fn(&Member) -> bool,
    /// The most that one of them has of what may be needed; nothing when there is none.
    pub(super) most: Option<Need>,
}

impl<'a> Acting<'a> {
    /// Looks who can act.
    pub(super) fn of(state: &'a State, acts: &'a dyn Fn(&Member) -> bool) -> Self {
        let mut acting = state.members.iter().filter(|member| acts(member));
        let first = acting.next();
        let mut all = first.into_iter().chain(acting);
        let sends = all.any(|member| may_send(state, member));
        let most = if sends { Need::MaySend } else { Need::Nothing };
        Self {
            state,
            acts,
            most: first.map(|_| most),
        }
    }

    /// Nobody does.
    pub(super) fn nobody(state: &'a State) -> Self {
        Self {
            state,
            acts: &|_| false,
            most: None,
        }
    }

    pub(super) fn does(&self, run: &RunId) -> bool {
        self.state.members.get(run).is_some_and(self.acts)
    }

    fn has(&self, need: Need) -> bool {
        self.most.is_some_and(|most| need <= most)
    }
}

impl Prospect {
    /// Returns the prospect of something that has come already, or comes by itself.
    pub(super) fn sure() -> Self {
        Self {
            by_itself: ByItself::Yes,
            ..Self::default()
        }
    }

    /// The same, when what it is about may have come already.
    pub(super) fn or_earlier(mut self) -> Self {
        self.comes(ByItself::Yes);
        self
    }

    /// Returns true when those who act could bring it about.
    pub(super) fn is_possible(&self, acting: &Acting<'_>) -> bool {
        self.comes_by_itself()
            || self.anyone.is_some_and(|need| acting.has(need))
            || self.runs.iter().any(|run| acting.does(run))
            || self.outcomes.iter().any(|it| it.is_possible(acting))
    }

    /// Returns true when it may come by itself, and nobody knows whether it does.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.by_itself == ByItself::Perhaps
    }

    /// Returns true when it comes, or may come, whatever members do.
    pub(crate) fn comes_by_itself(&self) -> bool {
        self.by_itself > ByItself::No
    }

    /// Walks the members that are named.
    pub(super) fn named(&self) -> impl Iterator<Item = &RunId> {
        let outcomes = self.outcomes.iter();
        self.runs
            .iter()
            .chain(outcomes.flat_map(PossibleOutcome::by))
    }

    /// Returns true when a member that has this is among those who could bring it about.
    pub(crate) fn is_by(&self, run: &RunId, has: Need) -> bool {
        self.anyone.is_some_and(|need| need <= has) || self.named().any(|named| named == run)
    }

    /// Says that it may come without any of them, or does.
    pub(super) fn comes(&mut self, by_itself: ByItself) {
        self.by_itself = self.by_itself.max(by_itself);
    }

    fn is_settled(&self) -> bool {
        self.by_itself == ByItself::Yes
    }

    fn add_anyone(&mut self, need: Need, acting: &Acting<'_>) {
        if acting.has(need) {
            self.comes(ByItself::Yes);
        }
        let least = self.anyone.map_or(need, |known| known.min(need));
        self.anyone = Some(least);
    }
}

/// By which events an alternative of a filter could be met.
#[derive(Clone, Copy, Debug)]
struct Ways {
    /// By one that any member can author that has this: by a message, or what becomes of a new one, or
    /// else by any other.
    anyone: Option<Need>,
    /// By one about copies, of a run that the alternative names as recipient.
    handling: bool,
}

/// Returns who could bring about what each filter of a wake's condition keeps, in the order of its clauses.
pub(crate) fn prospects_of(
    state: &State,
    wake: &Wake,
    condition: &Condition<Filter>,
) -> Vec<Prospect> {
    let mut prospects = Prospects::new(state, of_nobody(state, state.time));
    let (wake_events, nobody) = (WakeEvents::of(&wake.registered), Acting::nobody(state));
    let clauses = condition.clauses().into_iter();
    let each = clauses.map(|it| {
        let prospect = prospects.of(it.filter, wake_events, &nobody);
        match wake.earlier {
            Earlier::Seen => prospect,
            Earlier::Pending(_) => prospect.or_earlier(),
        }
    });
    each.collect()
}

/// Finds out who could bring about what filters keep.
pub(super) struct Prospects<'a> {
    state: &'a State,
    /// Events that come without any member.
    nobodys: Vec<Envelope>,
    outcomes: Outcomes<'a>,
    tests: usize,
}

impl<'a> Prospects<'a> {
    pub(super) fn new(state: &'a State, nobodys: Vec<Envelope>) -> Self {
        Self {
            state,
            nobodys,
            outcomes: Outcomes::new(state),
            tests: TESTS_MAX,
        }
    }

    /// Returns who could bring about what a filter keeps. It looks no further when it meets somebody
    /// who acts.
    pub(super) fn of(
        &mut self,
        filter: &Filter,
        wake_events: WakeEvents,
        acting: &Acting<'_>,
    ) -> Prospect {
        let mut prospect = Prospect::default();
        for case in filter.cases() {
            let kinds = case.kinds();
            let asked =
                |kind: &EventKind| wake_events == WakeEvents::Include || !is_about_wakes(*kind);
            let kinds: Vec<EventKind> = kinds.filter(asked).collect();
            self.of_case(case, &kinds, acting, &mut prospect);
        }
        if self.nobodys.iter().any(|it| filter.matches(it)) {
            prospect.comes(ByItself::Yes);
        }
        prospect
    }

    fn of_case(
        &mut self,
        case: Case<'_>,
        kinds: &[EventKind],
        acting: &Acting<'_>,
        prospect: &mut Prospect,
    ) {
        // The time ends wakes and suspensions; and who stored a body that another sent may erase it.
        let erased = case.asks_for_kinds() && kinds.contains(&EventKind::ContentErased);
        if kinds.iter().any(|kind| is_about_wakes(*kind)) || erased {
            prospect.comes(ByItself::Perhaps);
        }
        let ways = self.ways(case, kinds);
        let whose = case.asks_whose();
        if let (Some(need), false) = (ways.anyone, whose) {
            prospect.add_anyone(need, acting);
        }
        if whose || ways.handling {
            self.authors(case, ways, acting, prospect);
        }
        if !prospect.is_settled() && kinds.iter().any(|kind| OUTCOMES.contains(kind)) {
            self.outcomes
                .of_case(case, kinds, &mut self.tests, prospect);
        }
        let dies =
            kinds.contains(&EventKind::RunMessageDeadLettered) && self.outcomes.may_die(case);
        let leaves = kinds.contains(&EventKind::AgentPoolRunLeft) && self.is_about_lost(case);
        let expires = kinds.contains(&EventKind::ContentErased) && self.is_about_unnamed(case);
        if dies || leaves || expires {
            prospect.comes(ByItself::Perhaps);
        }
    }

    fn ways(&self, case: Case<'_>, kinds: &[EventKind]) -> Ways {
        let any = |wanted: &dyn Fn(EventKind) -> bool| kinds.iter().any(|kind| wanted(*kind));
        let reports = |kind: EventKind| kind.family() != EventFamily::AgentPool;
        let is_other = |kind: EventKind| {
            let of_messages = OUTCOMES.contains(&kind) || HANDLING.contains(&kind);
            !reports(kind) && !of_messages && !is_sent(kind)
        };
        let could = |topic, reply_to, recipients| {
            case.could_be(&Outline {
                topic,
                reply_to,
                recipients,
                ..Outline::default()
            })
        };
        let (all, none) = (Known::Anything, Known::Nothing);
        let handles = any(&|kind| HANDLING.contains(&kind)) && could(none, none, all);
        let names_one = case.recipients().is_some();
        let reaches = |text: &str| self.reaches(text);
        let addresses = |text: &str| text.is_empty() || self.addresses(text);
        let delivered = || could(Known::Among(&addresses), all, Known::Among(&reaches));
        let always = (any(&reports) && could(all, all, none))
            || (any(&is_other) && could(none, none, none))
            || (handles && !names_one);
        let sending = (kinds.contains(&EventKind::RunMessageAccepted) && could(all, all, none))
            || (kinds.contains(&EventKind::RunMessageDelivered) && delivered())
            || (any(&|kind| OUTCOMES.contains(&kind)) && could(none, none, none));
        Ways {
            anyone: if always {
                Some(Need::Nothing)
            } else {
                sending.then_some(Need::MaySend)
            },
            handling: handles && names_one,
        }
    }

    /// Returns true when a message that carries no more than it has to can be delivered to this run.
    fn reaches(&self, run: &str) -> bool {
        let member = member(self.state, run);
        member.is_some_and(|member| may_send(self.state, member))
    }

    /// Returns true when such a message can be delivered to this topic.
    fn addresses(&self, topic: &str) -> bool {
        let topic = TopicId::parse(topic).ok();
        let mut listing = topic
            .iter()
            .flat_map(|topic| self.state.members.of_topic(topic));
        listing.any(|member| may_send(self.state, member))
    }

    /// Adds the members that an alternative names, or else those that pass what it asks.
    fn authors(
        &mut self,
        case: Case<'_>,
        ways: Ways,
        acting: &Acting<'_>,
        prospect: &mut Prospect,
    ) {
        let state = self.state;
        if prospect.is_settled() || (ways.anyone.is_none() && !ways.handling) {
            return;
        }
        for member in candidates(state, case).filter(|member| is_there(member)) {
            let Some(left) = self.tests.checked_sub(1) else {
                prospect.comes(ByItself::Perhaps);
                return;
            };
            self.tests = left;
            let could = could_author(state, case, ways, member);
            if could && (acting.acts)(member) {
                prospect.comes(ByItself::Yes);
                return;
            }
            prospect.runs.extend(could.then(|| member.run.clone()));
        }
    }

    /// Returns true when it could be about a member that is lost and leaves because of that.
    fn is_about_lost(&mut self, case: Case<'_>) -> bool {
        if self.state.members.lost() == 0 {
            return false;
        }
        let (state, none) = (self.state, Known::Nothing);
        let lost = state.members.iter().filter(|it| it.lost_until.is_some());
        let mut lost = lost.take(TESTS_MAX);
        lost.any(|member| {
            case.could_be(&Outline {
                identity: Some(&identity(state, member)),
                message: none,
                reply_to: none,
                topic: none,
                recipients: none,
            })
        })
    }

    /// Returns true when it could be about a body that no message names, and that expires because of
    /// that.
    fn is_about_unnamed(&self, case: Case<'_>) -> bool {
        let state = self.state;
        let nobodys = !state.unnamed.all().is_empty();
        let nobodys = nobodys.then(|| Identity::new(state.pool.clone()));
        let of_runs = state.unnamed.runs().take(TESTS_MAX).map(|run| {
            let mut identity = Identity::new(state.pool.clone());
            identity.run = Some(run.clone());
            match state.members.get(run) {
                Some(member) => self::identity(state, member),
                None => identity,
            }
        });
        let none = Known::Nothing;
        let mut all = nobodys.into_iter().chain(of_runs);
        all.any(|identity| {
            case.could_be(&Outline {
                identity: Some(&identity),
                message: none,
                reply_to: none,
                topic: none,
                recipients: none,
            })
        })
    }
}

fn is_sent(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::RunMessageAccepted | EventKind::RunMessageDelivered
    )
}

/// The members that an alternative of a filter names; all when it asks whose the event is in another
/// way, and none when it does not ask.
fn candidates<'s>(state: &'s State, case: Case<'s>) -> Box<dyn Iterator<Item = &'s Member> + 's> {
    let members = &state.members;
    if let Some(runs) = case.runs() {
        Box::new(runs.filter_map(|run| member(state, run)))
    } else if let Some(agents) = case.agents() {
        let agents = agents.filter_map(|agent| AgentId::parse(agent).ok());
        let of_agent = |agent: AgentId| members.of_agent(&agent).collect::<Vec<_>>();
        Box::new(agents.flat_map(of_agent))
    } else if case.asks_whose() {
        Box::new(members.iter())
    } else {
        let runs = case.recipients().into_iter().flatten();
        Box::new(runs.filter_map(|run| member(state, run)))
    }
}

fn could_author(state: &State, case: Case<'_>, ways: Ways, member: &Member) -> bool {
    let identity = identity(state, member);
    let could = |recipients| {
        case.could_be(&Outline {
            identity: Some(&identity),
            recipients,
            ..Outline::default()
        })
    };
    let any = ways
        .anyone
        .is_some_and(|need| need <= Need::of(state, member));
    (any && could(Known::Anything)) || (ways.handling && could(Known::Only(member.run.as_str())))
}

fn member<'a>(state: &'a State, run: &str) -> Option<&'a Member> {
    state.members.get(&RunId::parse(run).ok()?)
}

/// Returns whether a member may send anything at all, and can be sent what carries no more than it has to.
pub(super) fn may_send(state: &State, member: &Member) -> bool {
    let required = &state.config.message_policy.required_policies;
    member.policies.covers(required)
}

fn identity(state: &State, member: &Member) -> Identity {
    let mut identity = Identity::new(state.pool.clone());
    identity.run = Some(member.run.clone());
    identity.agent = Some(member.agent.clone());
    identity.session.clone_from(&member.session);
    identity
}
