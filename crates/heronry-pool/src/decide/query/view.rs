//! The viewers of events, and the cursors from which they may look.

use heronry_event::filter::Filter;
use heronry_types::{Cursor, Generation, LimitName, Limits, Position, RunId, WakePayload};

use crate::{
    Caller, Rejection, State,
    command::{AboutWakes, Applied, Command, Cx, Decision, Profile, Speaker},
    decide::guard,
};

/// The view of events: an operator's, a member's, or that of an operator as a member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Viewer {
    /// An operator's: everything.
    Operator,
    /// A member's: what its scope shows, until it leaves.
    Member {
        /// The run.
        run: RunId,
        /// The generation of the joining.
        generation: Generation,
    },
    /// An operator's, with a member's eyes: what its scope shows, until the run leaves. Whether the run
    /// may look is judged when the operator begins to; a takeover of the run changes nothing of it.
    AsMember {
        /// The run.
        run: RunId,
        /// The generation of the run when the operator began to look.
        since: Generation,
    },
}

/// Asks whether the caller may look at events, as itself or as a member.
#[derive(Clone, Debug)]
pub struct Viewing {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run whose view it is. `None`: the caller's own.
    pub run: Option<RunId>,
}

impl Viewer {
    /// Returns the caller that looks with these eyes.
    pub fn caller(&self) -> Caller {
        match self {
            Self::Operator | Self::AsMember { .. } => Caller::Operator,
            Self::Member { run, generation } => Caller::Member {
                run: run.clone(),
                generation: *generation,
            },
        }
    }
}

impl Command for Viewing {
    type Answer = Viewer;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Viewer, Rejection> {
        let Some(run) = self.caller.run_or_own(self.run.as_ref()) else {
            return Ok(Viewer::Operator);
        };
        let member = guard::standing(state, &self.caller, run)?;
        guard::viewer(state, member)?;
        let (run, generation) = (run.clone(), member.generation);
        Ok(match self.caller {
            Caller::Operator => Viewer::AsMember {
                run,
                since: generation,
            },
            Caller::Member { .. } => Viewer::Member { run, generation },
        })
    }
}

/// Asks whether a viewer may look, from this cursor and with this filter, and whether a page may have so
/// many events. Of a member everything is judged here; of an operator with a member's eyes, [`Viewing`] has
/// judged before whether the run may look.
#[derive(Clone, Debug)]
pub struct AdmitReader {
    /// The caller that looks: [`Viewer::caller`].
    pub caller: Caller,
    /// The viewer whose view it is.
    pub viewer: Viewer,
    /// The cursor from which events are read. `None`: no cursor is named, which is always allowed.
    pub from: Option<Cursor>,
    /// The number of events on a page. `None` for a stream.
    pub page: Option<u64>,
    /// The filter of the events that are asked for.
    pub filter: Filter,
}

impl AdmitReader {
    /// Checks what needs no more of the pool than its limits: for an operator that is everything but
    /// the cursor.
    ///
    /// # Errors
    /// [`Rejection`] with the limit that the page or the filter is over.
    pub fn check_limits(&self, limits: &Limits) -> Result<(), Rejection> {
        guard::within(limits, LimitName::PageItemsMax, self.page.unwrap_or(0))?;
        guard::filter(limits, &self.filter)
    }
}

impl Command for AdmitReader {
    /// The most that the viewer sees of an event's payload.
    type Answer = WakePayload;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        match &self.viewer {
            Viewer::Operator => {}
            Viewer::Member { run, .. } => {
                let member = guard::standing(state, &self.caller, run)?;
                guard::viewer(state, member)?;
            }
            Viewer::AsMember { run, .. } => {
                guard::standing(state, &Caller::Operator, run)?;
            }
        }
        if let Some(from) = self.from {
            state.locate(from)?;
        }
        self.check_limits(&state.settings.limits)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<WakePayload, Rejection> {
        Ok(match self.viewer {
            Viewer::Operator => WakePayload::Refs,
            Viewer::Member { .. } | Viewer::AsMember { .. } => state.config.wake_payload,
        })
    }
}

/// Asks whether the caller may still act: an operator always, a member while its joining is the present
/// one.
#[derive(Clone, Debug)]
pub struct CheckStanding {
    /// The authenticated caller.
    pub caller: Caller,
}

impl Command for CheckStanding {
    type Answer = ();

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, _: &State, _: Applied<'_>) -> Result<(), Rejection> {
        Ok(())
    }
}

/// Asks whether a cursor is of this journal and not ahead of it. Who reads from it meets what was
/// trimmed by itself, and says what to do then.
#[derive(Clone, Copy, Debug)]
pub struct CheckCursor {
    /// The cursor.
    pub cursor: Cursor,
}

impl Command for CheckCursor {
    type Answer = Position;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        state.locate(self.cursor).map(Decision::Repeat)
    }

    fn answer(&self, _: &State, applied: Applied<'_>) -> Result<Position, Rejection> {
        Ok(applied.first)
    }
}
