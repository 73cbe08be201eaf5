//! Declaring a layer of the roster.

use heronry_journal::{Body, RosterDeclared};
use heronry_types::{ContentRef, Digest, RosterLayer};

use super::Authority;
use crate::{
    DeclaredRoster, Done, Rejection, RosterFault, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Profile},
};

/// The declaration of a layer of the roster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RosterDeclaration {
    /// The layer.
    pub layer: RosterLayer,
    /// The digest of what is declared.
    pub digest: Digest,
    /// The number of members of the layer.
    pub members: u64,
    /// The body with what is declared. `None`: it is not stored.
    pub content: Option<ContentRef>,
}

/// Declares a layer of the roster. What is declared already is not recorded again, unless the pool came from
/// another place since: then declaring it says that it holds here too.
#[derive(Clone, Debug)]
pub struct DeclareRoster {
    /// The authority.
    pub by: Authority,
    /// The revision that the caller saw. `None`: whatever the revision is.
    pub expected: Option<u64>,
    /// The declaration.
    pub declared: RosterDeclaration,
}

impl DeclareRoster {
    fn is_declared(&self, state: &State) -> bool {
        let roster = &state.roster;
        let layer = roster.layers.get(&self.declared.layer);
        roster.held_since.is_none()
            && layer.is_some_and(|layer| layer.digest == self.declared.digest)
    }

    /// Checks that the body is stored, and was not erased.
    fn check_content(&self, state: &State) -> Result<(), Rejection> {
        let Some(content) = self.declared.content else {
            return Ok(());
        };
        let mut layers = state.roster.layers.values();
        let is_known = state.unnamed.get(content).is_some()
            || !state.messages.of_content(content).is_empty()
            || layers.any(|layer| layer.content == Some(content));
        if is_known {
            Ok(())
        } else {
            Err(Rejection::ContentMissing)
        }
    }
}

impl Command for DeclareRoster {
    type Answer = DeclaredRoster;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        self.by.check(state)?;
        let current = state.roster.revision;
        if let Some(expected) = self.expected.filter(|expected| *expected != current) {
            return Err(RosterFault::Moved { expected, current }.into());
        }
        if self.is_declared(state) {
            return Ok(Decision::Nothing);
        }
        self.check_content(state)?;
        let RosterDeclaration {
            layer,
            digest,
            members,
            content,
        } = self.declared;
        let body = RosterDeclared {
            revision: current.saturating_add(1),
            digest,
            layer,
            members,
            content,
            steward: self.by.steward(),
        };
        let entry = Author::operator(state).last_entry(Body::RosterDeclared(body));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<DeclaredRoster, Rejection> {
        Ok(DeclaredRoster {
            revision: state.roster.revision,
            done: Done::at(state, applied),
            repeated: applied.how == How::Unchanged,
        })
    }
}
