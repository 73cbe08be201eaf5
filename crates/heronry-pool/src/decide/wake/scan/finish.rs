//! The findings among the events before a wake was registered.

use heronry_journal::{Body, CountedEvent, WakeFailed, WakeScanned};
use heronry_types::{Position, WakeFailure};

use crate::{
    Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile},
    decide::sees,
    state::{Earlier, Wake},
};

/// The result of a look through earlier events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scanned {
    /// These events count, up to the one at which the condition holds.
    Found(Vec<CountedEvent>),
    /// Some of the events are not kept any more.
    Trimmed,
}

/// Says what was found among the events before a wake was registered. A wake that ended meanwhile
/// does not need it.
#[derive(Clone, Debug)]
pub struct FinishScan {
    /// The registration.
    pub registered: Position,
    /// The result of the look.
    pub scanned: Scanned,
}

impl FinishScan {
    fn body(&self, state: &State, wake: &Wake) -> Body {
        let (registered, wake_id) = (self.registered, wake.registered.wake_id.clone());
        match &self.scanned {
            Scanned::Found(counted) => Body::WakeScanned(WakeScanned {
                registered,
                wake_id,
                counted: if sees(state, &wake.run) {
                    counted.clone()
                } else {
                    Vec::new()
                },
            }),
            Scanned::Trimmed => Body::WakeFailed(WakeFailed {
                registered,
                wake_id,
                why: WakeFailure::Trimmed,
            }),
        }
    }
}

impl Command for FinishScan {
    type Answer = ();

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).owed()
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let wake = state.wakes.get(self.registered);
        let Some(wake) = wake.filter(|it| it.end.is_none() && it.earlier != Earlier::Seen) else {
            return Ok(Decision::Nothing);
        };
        let author = Author::engine(state.lineage_of(&wake.run)).caused_by(self.registered);
        let entry = author.last_entry(self.body(state, wake));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, _: &State, _: Applied<'_>) -> Result<(), Rejection> {
        Ok(())
    }
}
