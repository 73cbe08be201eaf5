//! Records to be appended.

use heronry_journal::{Body, Entry, SizeClass};
use heronry_store::NewContent;
use heronry_types::{Actor, Lineage, Position, RunId, Visibility};

use crate::{
    Caller, State,
    state::{Member, Message},
};

/// Records to be appended in one atomic append, and the bodies that ride with them.
#[derive(Debug, Default)]
pub struct Draft {
    /// The records, in order.
    pub entries: Vec<Entry>,
    /// The bodies.
    pub contents: Vec<NewContent>,
}

impl Draft {
    /// Checks that each record fits into a chunk.
    pub(crate) fn check_fits(&self) -> Result<(), heronry_journal::TooLarge> {
        let uncertain = self.entries.iter().filter(|entry| !is_surely_small(entry));
        uncertain.into_iter().try_for_each(heronry_journal::fits)
    }

    pub(crate) fn of(entries: Vec<Entry>) -> Self {
        Self {
            entries,
            contents: Vec::new(),
        }
    }
}

/// Returns true when a record fits its chunk for certain, without encoding it.
fn is_surely_small(entry: &Entry) -> bool {
    /// So many correlations (two ids of at most 512 bytes each) have at most 128 KiB.
    const FEW: usize = 128;
    let is_small = entry.body.size_class() == SizeClass::Small;
    is_small && entry.lineage.correlation.len() <= FEW
}

/// The author of records: the parts that their headers have in common.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub lineage: Lineage,
    actor: Actor,
    visibility: Visibility,
}

impl Author {
    /// A member acts, or an operator for it.
    pub(crate) fn member(state: &State, caller: &Caller, member: &Member) -> Self {
        Self {
            lineage: state.lineage_of(&member.run),
            actor: caller.actor(),
            visibility: visibility(state, &member.policies),
        }
    }

    /// Whoever sent a message acts on it, or an operator for that run.
    pub(crate) fn of_message(state: &State, caller: &Caller, message: &Message) -> Self {
        let sender = message.sender().and_then(|run| state.members.get(run));
        Self {
            lineage: message.lineage.clone(),
            actor: caller.actor(),
            visibility: sender.map_or(Visibility::InScope, |sender| {
                visibility(state, &sender.policies)
            }),
        }
    }

    /// A run acts, whether or not it is a member, or an operator for it.
    pub(crate) fn of_run(state: &State, caller: &Caller, run: &RunId) -> Self {
        let member = state.members.get(run);
        Self {
            lineage: state.lineage_of(run),
            actor: caller.actor(),
            visibility: member.map_or(Visibility::InScope, |member| {
                visibility(state, &member.policies)
            }),
        }
    }

    /// An operator acts on the pool.
    pub(crate) fn operator(state: &State) -> Self {
        Self {
            lineage: Lineage::of_pool(state.pool.clone()),
            actor: Actor::Operator,
            visibility: Visibility::InScope,
        }
    }

    /// The engine acts.
    pub(crate) fn engine(lineage: Lineage) -> Self {
        Self {
            lineage,
            actor: Actor::Engine,
            visibility: Visibility::InScope,
        }
    }

    pub(crate) fn with_visibility(mut self, visibility: Visibility) -> Self {
        self.visibility = visibility;
        self
    }

    pub(crate) fn caused_by(mut self, position: Position) -> Self {
        self.lineage.caused_by = Some(position);
        self
    }

    /// Returns a record, the author's last one.
    pub(crate) fn last_entry(self, body: Body) -> Entry {
        Entry {
            lineage: self.lineage,
            actor: self.actor,
            visibility: self.visibility,
            body,
        }
    }

    pub(crate) fn entry(&self, body: Body) -> Entry {
        Entry {
            lineage: self.lineage.clone(),
            actor: self.actor.clone(),
            visibility: self.visibility,
            body,
        }
    }
}

/// An author that holds every policy of the pool is in scope.
pub(crate) fn visibility(state: &State, held: &heronry_types::Policies) -> Visibility {
    if held.covers(&state.config.policies) {
        Visibility::InScope
    } else {
        Visibility::OutOfScope
    }
}
