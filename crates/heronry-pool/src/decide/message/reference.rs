//! Naming a body in a message to be sent: who may.

use heronry_types::{ContentRef, RunId};

use crate::{
    Caller, Minter, Rejection, State,
    command::{AboutWakes, Applied, Command, Cx, Decision, Profile},
    decide::FirstUse,
};

/// Asks whether the caller may name a body in a message, and where to look for it.
///
/// A member may name what was stored for it, what it has sent or received, and what an operator
/// stored for nobody; an operator names any. A member that has left is answered as one that is there:
/// an equal repeat of what it sent is answered, and anything else is refused when it is sent.
#[derive(Clone, Debug)]
pub struct ReferenceAccess {
    /// The authenticated caller.
    pub caller: Caller,
    /// The body.
    pub content_ref: ContentRef,
    /// The minter of the references: it knows for whom a body was stored.
    pub minter: Minter,
}

impl Command for ReferenceAccess {
    /// The first message that refers to it. Absent: none does.
    type Answer = Option<FirstUse>;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
    }

    fn decide(&self, _: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Option<FirstUse>, Rejection> {
        let of_content = state.messages.of_content(self.content_ref);
        let is_reader = |run: &RunId| {
            let mut messages = of_content.iter();
            messages
                .any(|it| it.message.sender() == Some(run) || it.message.index_of(run).is_some())
        };
        let may_name = match &self.caller {
            Caller::Operator => true,
            Caller::Member { run, .. } => self.is_stored_for(state, run) || is_reader(run),
        };
        let first = FirstUse::of(&of_content);
        may_name.then_some(first).ok_or(Rejection::ContentMissing)
    }
}

impl ReferenceAccess {
    /// Returns true when the body was stored for this run, or by an operator for nobody. The record says
    /// so; when a message has named it since, or an earlier build stored it, the reference does.
    fn is_stored_for(&self, state: &State, run: &RunId) -> bool {
        match state.unnamed.get(self.content_ref) {
            Some(unnamed) => unnamed.run.as_ref().is_none_or(|it| it == run),
            None => {
                self.minter.stores(Some(run), self.content_ref)
                    || self.minter.stores(None, self.content_ref)
            }
        }
    }
}
