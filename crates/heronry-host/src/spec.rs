//! Specs: what is to run, and how it is looked after.

use std::time::Duration;

use heronry_types::{
    AgentId, HostId, Labels, Millis, ModuleId, Policies, RunId, RunsUntil, SessionId, StartWhen,
    TopicId,
};

use crate::{ReadyRule, RestartRule, STOP_GRACE, SpecEnvironment};

/// The part of a spec that only its host understands, as JSON. Secrets do not belong here: it is stored,
/// shown and digested.
pub type HostValue = serde_json::Value;

/// A member as it is declared: one run that is to be kept.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemberSpec {
    /// The run.
    pub run: RunId,
    /// The agent that it is a run of.
    pub agent: AgentId,
    /// The topics that it lists.
    pub topics: Vec<TopicId>,
    /// The policies that it holds; `None`: those that its agent is granted.
    pub policies: Option<Policies>,
    /// Its labels.
    pub labels: Labels,
    /// The host that starts it.
    pub host: HostId,
    /// The part that only the host understands.
    pub launch: HostValue,
    /// Its variables, whose values are secret.
    pub environment: SpecEnvironment,
    /// The moment at which it gets a process.
    pub start: StartWhen,
    /// The time until which it runs.
    pub until: RunsUntil,
    /// The rule by which it is started again.
    pub restart: RestartRule,
    /// The sign by which it counts as ready.
    pub ready: ReadyRule,
    /// The time that it has to end after it was asked to.
    pub stop_grace: Duration,
    /// The time that it may be silent before it is lost; `None`: forever.
    pub lease: Option<Millis>,
    /// The longest life of one incarnation; `None`: no longest.
    pub timeout: Option<Duration>,
    /// The time without activity after which it is retired, or falls asleep; `None`: never.
    pub idle_after: Option<Duration>,
    /// The text that it works in, which it and operators may read.
    pub context: Option<String>,
    /// The texts that tell it what to do, which it and operators may read.
    pub instructions: Vec<String>,
    /// Its session.
    pub session: Option<SessionId>,
}

impl MemberSpec {
    /// Returns a member that is started at once, with the defaults for all else.
    pub fn new(run: RunId, agent: AgentId, host: HostId, launch: HostValue) -> Self {
        Self {
            run,
            agent,
            topics: Vec::new(),
            policies: None,
            labels: Labels::default(),
            host,
            launch,
            environment: SpecEnvironment::new(),
            start: StartWhen::Eager,
            until: RunsUntil::Exited,
            restart: RestartRule::default(),
            ready: ReadyRule::default(),
            stop_grace: STOP_GRACE,
            lease: None,
            timeout: None,
            idle_after: None,
            context: None,
            instructions: Vec::new(),
            session: None,
        }
    }
}

/// A module as it is declared: a helper that runs beside the members.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModuleSpec {
    /// The module.
    pub id: ModuleId,
    /// The host that starts it.
    pub host: HostId,
    /// The part that only the host understands.
    pub launch: HostValue,
    /// Its variables, whose values are secret.
    pub environment: SpecEnvironment,
    /// The rule by which it is started again.
    pub restart: RestartRule,
    /// The sign by which it counts as ready.
    pub ready: ReadyRule,
    /// The time that it has to end after it was asked to.
    pub stop_grace: Duration,
    /// The run that it acts as, whose token it gets; `None`: it gets no token.
    pub run: Option<RunId>,
}

impl ModuleSpec {
    /// Returns a module that acts as no run, with the defaults for all else.
    pub fn new(id: ModuleId, host: HostId, launch: HostValue) -> Self {
        Self {
            id,
            host,
            launch,
            environment: SpecEnvironment::new(),
            restart: RestartRule::default(),
            ready: ReadyRule::default(),
            stop_grace: STOP_GRACE,
            run: None,
        }
    }
}
