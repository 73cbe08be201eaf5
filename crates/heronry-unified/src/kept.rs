//! Members and modules as the runtime knows them.

use std::time::Duration;

use heronry_host::WokenBy;
use heronry_types::{
    Cursor, Digest, Generation, Labels, MemberStanding, ModuleStanding, RosterLayer, RunEnd, RunId,
    RunsUntil, TopicId,
};

use crate::{
    charge::ChargeSlot,
    declare::RosterMember,
    plan::{ActualMember, ActualModule, MembershipState, SupervisionRules},
    report::MemberStatus,
};

/// The time at which a standing came about: under the roster that was applied last, or before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum StandingAge {
    #[default]
    Earlier,
    Present,
}

/// A member as the runtime knows it.
#[derive(Debug, Default)]
pub(crate) struct KeptMember {
    pub(crate) slot: ChargeSlot,
    /// The digest of its recorded spec; `None`: it does not stand in the roster.
    pub(crate) specified: Option<Digest>,
    pub(crate) layer: Option<RosterLayer>,
    pub(crate) labels: Labels,
    pub(crate) topics: Vec<TopicId>,
    pub(crate) rules: Option<SupervisionRules>,
    pub(crate) membership: MembershipState,
    pub(crate) generation: Option<Generation>,
    pub(crate) standing: Option<MemberStanding>,
    pub(crate) why: Option<String>,
    pub(crate) settled: StandingAge,
    pub(crate) ended: Option<RunEnd>,
    /// True when messages waited for it as the runtime began.
    pub(crate) had_unread: bool,
    /// The cause that came last while it had a process.
    pub(crate) later_cause: Option<WokenBy>,
    /// The place of the cause for which it was started last.
    pub(crate) last_cause: Option<Cursor>,
    /// The time for which its last process was ready.
    pub(crate) ran: Duration,
    /// The end of its run, when it had ended before the runtime began.
    pub(crate) found_ended: Option<RunEnd>,
}

impl KeptMember {
    /// Returns the member as the plan needs it.
    pub(crate) fn actual(&self) -> ActualMember {
        ActualMember {
            specified: self.specified,
            layer: self.layer,
            labels: self.labels.clone(),
            topics: self.topics.clone(),
            rules: self.rules,
            membership: self.membership,
            standing: self.standing,
            is_settled: self.settled == StandingAge::Present,
            process: self.slot.state(),
        }
    }

    /// Returns true when it is not started again by itself.
    pub(crate) fn is_broken(&self) -> bool {
        self.standing == Some(MemberStanding::Broken)
    }

    /// Returns the member as others see it.
    pub(crate) fn status(&self, run: &RunId, declared: Option<&RosterMember>) -> MemberStatus {
        MemberStatus {
            run: run.clone(),
            agent: declared.map(|it| it.spec.agent.clone()),
            layer: self.layer,
            digest: self.specified,
            labels: self.labels.clone(),
            until: declared.map_or(RunsUntil::Stopped, runs_until),
            standing: self.standing,
            why: self.why.clone(),
            generation: self.generation,
            process_id: self.slot.live().and_then(|live| live.process_id),
            restarts: self.slot.restarts.total(),
            last_end: self.slot.last_end.clone(),
            ended: self.ended,
            ended_earlier: self.found_ended.is_some(),
        }
    }
}

/// Returns the time until which a member runs: one that sleeps until there is a cause is never done.
pub(crate) fn runs_until(member: &RosterMember) -> RunsUntil {
    if member.is_eager() {
        member.spec.until
    } else {
        RunsUntil::Stopped
    }
}

/// A module as the runtime knows it.
#[derive(Debug, Default)]
pub(crate) struct KeptModule {
    pub(crate) slot: ChargeSlot,
    pub(crate) standing: Option<ModuleStanding>,
    pub(crate) is_given_up: bool,
}

impl KeptModule {
    /// Returns the module as the plan needs it.
    pub(crate) fn actual(&self) -> ActualModule {
        ActualModule {
            process: self.slot.state(),
            is_given_up: self.is_given_up,
        }
    }
}
