//! Creating a pool, and changing its settings.

use heronry_journal::{Body, PoolConfigured, PoolCreated};
use heronry_types::{Limits, Peering, PoolSpec, Position, Retention};

use crate::{
    Caller, Done, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Profile},
    decide::guard,
};

/// Creates the pool, or checks that it is as the caller names it.
#[derive(Clone, Debug)]
pub struct CreatePool {
    /// The specification that the caller names.
    pub spec: PoolSpec,
}

impl Command for CreatePool {
    type Answer = How;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        if let Some(limits) = &self.spec.limits {
            limits.check_settable()?;
        }
        if state.head > Position::ZERO {
            let fields = self.spec.conflicts(&state.config, &state.settings);
            return if fields.is_empty() {
                Ok(Decision::Nothing)
            } else {
                Err(Rejection::ConfigConflict { fields })
            };
        }
        let body = Body::PoolCreated(PoolCreated {
            config: self.spec.config(),
            settings: self.spec.settings(),
        });
        let entry = Author::operator(state).entry(body);
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, _: &State, applied: Applied<'_>) -> Result<How, Rejection> {
        Ok(applied.how)
    }
}

/// Changes settings, valid for later records.
#[derive(Clone, Debug)]
pub struct ConfigurePool {
    /// The authenticated caller.
    pub caller: Caller,
    /// The version that the caller has read.
    pub expected_version: u64,
    /// The limits to change.
    pub limits: Limits,
    /// The part of its journal that the pool keeps from here on. `None` leaves it as it is; one that keeps
    /// everything takes the setting away.
    pub retention: Option<Retention>,
    /// The rule who may send to whom from here on. `None` leaves it as it is.
    pub peering: Option<Peering>,
}

impl Command for ConfigurePool {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::operator(&self.caller)?;
        self.limits.check_settable()?;
        if self.expected_version != state.settings_version {
            return Err(Rejection::StaleVersion {
                expected: self.expected_version,
                current: state.settings_version,
            });
        }
        let mut settings = state.settings.clone();
        settings.limits.merge(&self.limits);
        if let Some(retention) = self.retention {
            settings.retention = retention.normalised();
        }
        if let Some(peering) = self.peering {
            settings.peering = peering.normalised();
        }
        if settings == state.settings {
            return Ok(Decision::Nothing);
        }
        let body = Body::PoolConfigured(PoolConfigured {
            version: state.settings_version + 1,
            settings,
        });
        Ok(Decision::Write(Draft::of(vec![
            Author::operator(state).entry(body),
        ])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}

impl Done {
    pub(crate) fn at(state: &State, applied: Applied<'_>) -> Self {
        Self {
            cursor: state.cursor(applied.first),
            durability: applied.durability,
        }
    }
}

impl From<heronry_journal::TooLarge> for Rejection {
    fn from(error: heronry_journal::TooLarge) -> Self {
        Self::TooLarge {
            actual: error.actual,
            max: error.max,
        }
    }
}
