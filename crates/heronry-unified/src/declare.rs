//! The state of a pool as it was declared: who is to run, who may talk to whom, what runs beside them.

mod check;
mod digest;
mod layers;

use heronry_host::{MemberSpec, ModuleSpec};
use heronry_types::{Address, AliasName, Edge, Peering};

use crate::parts::Hosts;

pub use check::{
    ALIASES_MAX, CONTEXT_BYTES_MAX, DeclaredFault, DeclaredFaults, EDGES_MAX, INSTRUCTIONS_MAX,
    LAUNCH_BYTES_MAX, MEMBERS_MAX, MODULES_MAX,
};
pub use digest::DigestKey;
pub use layers::{EffectiveRoster, Layers, Overlay, RosterMember, RosterModule};

/// An alias as it is declared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeclaredAlias {
    /// The recipient and the channel that it stands for.
    pub alias: AliasName,
    /// The address that it leads to.
    pub to: Address,
}

/// The parts of a declaration, before they are checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeclaredParts {
    /// The members.
    pub members: Vec<MemberSpec>,
    /// The edges between members. One that stands twice counts once.
    pub edges: Vec<Edge>,
    /// The aliases, beside those that every member has.
    pub aliases: Vec<DeclaredAlias>,
    /// The modules.
    pub modules: Vec<ModuleSpec>,
    /// The rule who may send to whom; `None`: the rule that the pool has.
    pub peering: Option<Peering>,
}

/// A declaration that is whole: each entry is possible by itself, and no two have one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    parts: DeclaredParts,
}

impl Declared {
    /// Checks the parts of a declaration.
    ///
    /// # Errors
    /// [`DeclaredFaults`] with every fault, in the order of the parts.
    pub fn check(parts: DeclaredParts) -> Result<Self, DeclaredFaults> {
        check::all(&parts)?;
        Ok(Self { parts })
    }

    /// Checks that every entry has a host, which could start it.
    pub(crate) fn check_hosts(&self, hosts: &Hosts) -> Result<(), DeclaredFaults> {
        check::hosts(self.members(), self.modules(), hosts)
    }

    /// Returns the members.
    pub fn members(&self) -> &[MemberSpec] {
        &self.parts.members
    }

    /// Returns the edges.
    pub fn edges(&self) -> &[Edge] {
        &self.parts.edges
    }

    /// Returns the aliases that are declared by themselves.
    pub fn aliases(&self) -> &[DeclaredAlias] {
        &self.parts.aliases
    }

    /// Returns the modules.
    pub fn modules(&self) -> &[ModuleSpec] {
        &self.parts.modules
    }

    /// Returns the rule who may send to whom; `None`: the rule that the pool has.
    pub fn peering(&self) -> Option<Peering> {
        self.parts.peering
    }
}
