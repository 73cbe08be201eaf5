//! Aliases: names of a recipient and its channel that lead to an address.

use std::collections::BTreeMap;

use heronry_journal::{AliasRemoved, AliasSet, Body};
use heronry_types::{ALIASES_MAX, Address, AliasName, AliasView, LimitName, ManagedBy};

use crate::{
    AliasPage, Caller, Rejection, State, WiringChanged, WiringLimit,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Profile, Speaker},
    decide::{
        guard,
        wiring::{WiredBy, check_changes, check_room, written},
    },
    state::{FoundAlias, KnownAlias},
};

/// An alias as it is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewAlias {
    /// The recipient and the channel that it stands for.
    pub alias: AliasName,
    /// The address that it leads to.
    pub to: Address,
}

/// Sets aliases: from then on they lead where they are asked to.
///
/// The steward changes none that an operator looks after. What an operator sets, operators look after.
#[derive(Clone, Debug)]
pub struct SetAliases {
    /// The party that sets them.
    pub by: WiredBy,
    /// The aliases; of one that stands twice, the last counts.
    pub aliases: Vec<NewAlias>,
}

/// Removes aliases. One that is not there is left as it is, and so is one that an operator looks after when
/// the steward removes it.
#[derive(Clone, Debug)]
pub struct RemoveAliases {
    /// The party that removes them.
    pub by: WiredBy,
    /// The aliases.
    pub aliases: Vec<AliasName>,
}

/// Returns true when setting an alias changes something.
fn is_to_set(known: Option<&KnownAlias>, by: ManagedBy, to: &Address) -> bool {
    let Some(known) = known else {
        return true;
    };
    match (known.manager, by) {
        (ManagedBy::Operator, ManagedBy::Steward) => false,
        (ManagedBy::Steward, ManagedBy::Operator) => true,
        (ManagedBy::Operator, ManagedBy::Operator) | (ManagedBy::Steward, ManagedBy::Steward) => {
            known.to != *to
        }
    }
}

/// Returns true when removing an alias changes something.
fn is_to_remove(known: Option<&KnownAlias>, by: ManagedBy) -> bool {
    known.is_some_and(|known| match by {
        ManagedBy::Operator => true,
        ManagedBy::Steward => known.manager == ManagedBy::Steward,
    })
}

impl Command for SetAliases {
    type Answer = WiringChanged;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).with_burden(self.aliases.len().max(1))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let manager = self.by.admit(state)?;
        check_changes(self.aliases.len())?;
        let is_alias = |it: &NewAlias| matches!(it.to, Address::Alias { .. });
        if self.aliases.iter().any(is_alias) {
            return Err(Rejection::AliasOfAlias);
        }
        let asked = self.aliases.iter().map(|it| (&it.alias, &it.to));
        let asked: BTreeMap<&AliasName, &Address> = asked.collect();
        let known = |alias| state.wiring.alias(alias);
        let fresh = asked.keys().filter(|alias| known(alias).is_none());
        let needed = state.wiring.alias_count() + fresh.count();
        check_room(WiringLimit::Aliases, needed, ALIASES_MAX)?;
        let changed = asked.into_iter();
        let changed = changed.filter(|(alias, to)| is_to_set(known(alias), manager, to));
        let set = changed.map(|(alias, to)| {
            let (alias, to) = (alias.clone(), to.clone());
            Body::AliasSet(AliasSet { alias, to, manager })
        });
        Ok(written(&Author::operator(state), set))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<WiringChanged, Rejection> {
        Ok(WiringChanged::at(state, applied))
    }
}

impl Command for RemoveAliases {
    type Answer = WiringChanged;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).with_burden(self.aliases.len().max(1))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let manager = self.by.admit(state)?;
        check_changes(self.aliases.len())?;
        let asked: std::collections::BTreeSet<&AliasName> = self.aliases.iter().collect();
        let known = |alias| state.wiring.alias(alias);
        let removed = asked.into_iter();
        let removed = removed.filter(|alias| is_to_remove(known(alias), manager));
        let removed = removed.map(|alias| {
            let alias = alias.clone();
            Body::AliasRemoved(AliasRemoved { alias, manager })
        });
        Ok(written(&Author::operator(state), removed))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<WiringChanged, Rejection> {
        Ok(WiringChanged::at(state, applied))
    }
}

/// Asks which aliases there are: one page of them.
#[derive(Clone, Debug)]
pub struct ListAliases {
    /// The authenticated caller.
    pub caller: Caller,
    /// Only aliases that come after this one; there need not be such an alias.
    pub after: Option<AliasName>,
    /// The highest number of aliases in the answer.
    pub max: u64,
}

impl Command for ListAliases {
    /// The aliases in order of their names.
    type Answer = AliasPage;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        guard::limit(state, LimitName::PageItemsMax, self.max)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<AliasPage, Rejection> {
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let mut following = state.wiring.aliases_after(self.after.as_ref());
        let page = following.by_ref().take(max);
        let aliases: Vec<AliasView> = page.map(|(alias, it)| it.view(state, alias)).collect();
        let last = aliases.last().map(|last| last.alias.clone());
        Ok(AliasPage {
            next: following.next().and(last),
            aliases,
            as_of: state.head_cursor(),
        })
    }
}

/// The way to look for an alias.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AliasLookup {
    /// The alias of exactly this name.
    Exact,
    /// The alias that a message to this name goes by: of both, else of the recipient and any channel, else of
    /// any recipient and the channel, else of any.
    ByPrecedence,
}

/// Asks where an alias leads.
#[derive(Clone, Debug)]
pub struct FindAlias {
    /// The authenticated caller.
    pub caller: Caller,
    /// The recipient and the channel.
    pub alias: AliasName,
    /// The way to look for it.
    pub lookup: AliasLookup,
}

impl Command for FindAlias {
    type Answer = AliasView;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<AliasView, Rejection> {
        let AliasName { recipient, channel } = &self.alias;
        let found = match (self.lookup, recipient) {
            (AliasLookup::ByPrecedence, Some(recipient)) => {
                state.wiring.resolve(recipient, channel.as_ref())
            }
            (AliasLookup::Exact, _) | (AliasLookup::ByPrecedence, None) => {
                let found = state.wiring.alias(&self.alias);
                let alias = &self.alias;
                found.map(|known| FoundAlias { alias, known })
            }
        };
        let FoundAlias { alias, known } = found.ok_or(Rejection::AliasNotFound)?;
        Ok(known.view(state, alias))
    }
}
