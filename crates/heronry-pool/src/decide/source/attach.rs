//! Attaching a bridge to a source, and leaving it: one bridge at a time reports from a source.

use heronry_journal::{Body, SourceAttached, SourceDetached};
use heronry_types::{Generation, InstanceId, OnAttached, RunId, SourceId};

use crate::{
    AttachedSource, Caller, Done, Rejection, State,
    command::{AboutWakes, Applied, Command, Cx, Decision, Draft, How, Profile, Speaker},
    decide::{
        guard,
        source::{admit, author, holder, known},
    },
};

/// Attaches a bridge to a source: from then on nobody else reports from it.
#[derive(Clone, Debug)]
pub struct AttachSource {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run on whose behalf the bridge reports; an operator may name none, and then the bridge says
    /// with each event whose it is.
    pub run: Option<RunId>,
    /// The source.
    pub source: SourceId,
    /// The instance of the bridge. The instance that is attached already gets the same answer again.
    pub instance: InstanceId,
    /// The choice what happens when another bridge is attached.
    pub on_attached: OnAttached,
}

impl AttachSource {
    /// Returns the attachment of this very instance.
    fn own(&self, state: &State) -> Option<Generation> {
        let source = state.sources.get(&self.source)?;
        let attached = source.attached.as_ref()?;
        let is_own = attached.instance == self.instance && attached.actor == self.caller.actor();
        is_own.then_some(attached.generation)
    }
}

impl Command for AttachSource {
    type Answer = AttachedSource;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        if let Some(run) = &self.run {
            guard::identity(&self.caller, run)?;
        }
        guard::present(state, &self.caller)?;
        let source = admit(state, &self.caller, &self.source)?;
        if let Some(generation) = self.own(state) {
            return Ok(Decision::Repeat(generation.0));
        }
        let held = source.and_then(|source| holder(state, source));
        match (held, self.on_attached) {
            (Some(generation), OnAttached::Refuse) => {
                return Err(Rejection::SourceTaken { generation });
            }
            (Some(_), OnAttached::TakeOver) | (None, OnAttached::Refuse | OnAttached::TakeOver) => {
            }
        }
        let body = SourceAttached {
            source: self.source.clone(),
            instance: self.instance.clone(),
            replaced: held,
        };
        let author = author(state, &self.caller, self.run.as_ref());
        let entry = author.last_entry(Body::SourceAttached(body));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<AttachedSource, Rejection> {
        let source = state.sources.get(&self.source);
        Ok(AttachedSource {
            generation: Generation(applied.first),
            last_number: source.and_then(crate::state::ForeignSource::last_number),
            done: Done::at(state, applied),
            repeated: applied.how == How::Repeated,
        })
    }
}

/// Leaves a source: the next bridge of it need not take it over. Leaving an attachment that has ended
/// changes nothing.
#[derive(Clone, Debug)]
pub struct DetachSource {
    /// The authenticated caller.
    pub caller: Caller,
    /// The source.
    pub source: SourceId,
    /// The attachment.
    pub generation: Generation,
}

impl Command for DetachSource {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
            .reserved_for(self.caller.own_run())
            .spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        let source = known(state, &self.caller, &self.source)?;
        let attached = source.and_then(|source| source.attached.as_ref());
        if attached.is_none_or(|attached| attached.generation != self.generation) {
            return Ok(Decision::Nothing);
        }
        let body = SourceDetached {
            source: self.source.clone(),
            generation: self.generation,
        };
        let author = author(state, &self.caller, None);
        let entry = author.last_entry(Body::SourceDetached(body));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
