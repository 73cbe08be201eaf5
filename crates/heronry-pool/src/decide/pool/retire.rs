//! The check whether a pool may be deleted.

use heronry_types::Cursor;

use crate::{
    Caller, Rejection, State,
    command::{AboutWakes, Applied, Command, Cx, Decision, Profile},
    decide::guard,
};

/// Asks whether a pool may be deleted: nobody is a member of it. Nothing is recorded.
///
/// The host that deletes it checks again once the pool takes no more commands ([`RetirePool::check`]).
#[derive(Clone, Debug)]
pub struct RetirePool {
    /// The caller.
    pub caller: Caller,
    /// The head that the caller saw; absent: whatever the head is.
    pub expected: Option<Cursor>,
}

impl RetirePool {
    /// Checks that nobody is a member, and that the head is the expected one.
    ///
    /// # Errors
    /// [`Rejection::OperatorOnly`], [`Rejection::HasMembers`] and [`Rejection::HeadMoved`].
    pub fn check(&self, state: &State) -> Result<Cursor, Rejection> {
        guard::operator(&self.caller)?;
        let members = state.members.len();
        if members > 0 {
            return Err(Rejection::HasMembers { members });
        }
        let head = state.head_cursor();
        match self.expected {
            Some(expected) if expected != head => Err(Rejection::HeadMoved { expected, head }),
            Some(_) | None => Ok(head),
        }
    }
}

impl Command for RetirePool {
    /// The head.
    type Answer = Cursor;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        self.check(state).map(|_| Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Cursor, Rejection> {
        Ok(state.head_cursor())
    }
}
