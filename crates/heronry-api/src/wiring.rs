//! Edges, aliases and labels: members look at them, and operators change them.

use heronry_pool::decide::{
    AliasLookup, FindAlias, LabelsOf, ListAliases, ListEdges, NewAlias, NewLabels, RemoveAliases,
    SetAliases, SetLabels, UnwireEdges, WireEdges, WiredBy,
};
use heronry_types::{AliasName, AliasView, Edge, Id, IdKind, LimitName, RunId};
use heronry_wire::{
    ANY, AliasList, AliasesQuery, Changed, EdgeList, EdgesQuery, LabelsShown, PutAlias, PutLabels,
};
use tracing::instrument;

use crate::{Access, Refusal, changed};

/// Lists the edges of a pool: one page of them.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn edges(access: &Access, query: EdgesQuery) -> Result<EdgeList, Refusal> {
    let list = access.made(asked_edges(access, &query)).await?;
    let page = access.call(list).await?;
    Ok(EdgeList {
        edges: page.edges,
        next: page.next,
        as_of: page.as_of,
    })
}

fn asked_edges(access: &Access, query: &EdgesQuery) -> Result<ListEdges, Refusal> {
    let after = match (&query.after_a, &query.after_b) {
        (Some(a), Some(b)) => Some(edge(a, b)?),
        (None, None) => None,
        (Some(_), None) => return Err(Refusal::invalid("after_b", "name it beside after_a")),
        (None, Some(_)) => return Err(Refusal::invalid("after_a", "name it beside after_b")),
    };
    Ok(ListEdges {
        caller: access.caller(),
        after,
        max: page(access, query.limit)?,
    })
}

fn page(access: &Access, limit: Option<u64>) -> Result<u64, Refusal> {
    match limit {
        Some(0) => Err(Refusal::invalid("limit", "a page has one item at least")),
        Some(_) => access.page_size(limit),
        None => Ok(access.limit(LimitName::PageItemsMax)),
    }
}

/// Returns the edge between two runs that a request names.
fn edge(a: &RunId, b: &RunId) -> Result<Edge, Refusal> {
    let edge = Edge::parse(a.as_str(), b.as_str());
    edge.map_err(|error| Refusal::invalid("b", &error.to_string()))
}

/// Wires two runs, for an operator. Wiring them again changes nothing.
///
/// # Errors
/// [`Refusal`]; nothing is changed then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn wire(access: &Access, a: &RunId, b: &RunId) -> Result<Changed, Refusal> {
    access.identity().check_operator()?;
    let (by, edges) = (by_hand(access), vec![edge(a, b)?]);
    let wired = access.call(WireEdges { by, edges }).await?;
    Ok(changed(wired.done))
}

/// Unwires two runs, for an operator. Unwiring them again changes nothing.
///
/// # Errors
/// [`Refusal`]; nothing is changed then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn unwire(access: &Access, a: &RunId, b: &RunId) -> Result<Changed, Refusal> {
    access.identity().check_operator()?;
    let (by, edges) = (by_hand(access), vec![edge(a, b)?]);
    let unwired = access.call(UnwireEdges { by, edges }).await?;
    Ok(changed(unwired.done))
}

fn by_hand(access: &Access) -> WiredBy {
    WiredBy::Hand(access.caller())
}

/// Reads the name of an alias: `*` stands for any recipient, or any channel.
///
/// # Errors
/// [`Refusal`] naming the part that is no id.
pub fn alias_name(recipient: &str, channel: &str) -> Result<AliasName, Refusal> {
    Ok(AliasName {
        recipient: id_or_any("recipient", recipient)?,
        channel: id_or_any("channel", channel)?,
    })
}

fn id_or_any<K: IdKind>(field: &'static str, text: &str) -> Result<Option<Id<K>>, Refusal> {
    if text == ANY {
        return Ok(None);
    }
    let id = Id::parse(text).map(Some);
    id.map_err(|error| Refusal::invalid(field, &error.to_string()))
}

/// Lists the aliases of a pool: one page of them.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn aliases(access: &Access, query: AliasesQuery) -> Result<AliasList, Refusal> {
    let list = access.made(asked_aliases(access, &query)).await?;
    let page = access.call(list).await?;
    Ok(AliasList {
        aliases: page.aliases,
        next: page.next,
        as_of: page.as_of,
    })
}

fn asked_aliases(access: &Access, query: &AliasesQuery) -> Result<ListAliases, Refusal> {
    let after = match (&query.after_recipient, &query.after_channel) {
        (Some(recipient), Some(channel)) => Some(alias_name(recipient, channel)?),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            let why = "name after_recipient and after_channel, or neither";
            return Err(Refusal::invalid("after_recipient", why));
        }
    };
    Ok(ListAliases {
        caller: access.caller(),
        after,
        max: page(access, query.limit)?,
    })
}

/// Returns the alias of exactly this name.
///
/// # Errors
/// [`Refusal`], `alias-not-found` when there is none.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn alias(access: &Access, alias: AliasName) -> Result<AliasView, Refusal> {
    let find = FindAlias {
        caller: access.caller(),
        alias,
        lookup: AliasLookup::Exact,
    };
    access.call(find).await
}

/// Lets an alias lead to an address, for an operator.
///
/// # Errors
/// [`Refusal`]; nothing is changed then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn set_alias(
    access: &Access,
    alias: AliasName,
    body: PutAlias,
) -> Result<Changed, Refusal> {
    access.identity().check_operator()?;
    let set = SetAliases {
        by: by_hand(access),
        aliases: vec![NewAlias { alias, to: body.to }],
    };
    Ok(changed(access.call(set).await?.done))
}

/// Removes an alias, for an operator. Removing it again changes nothing.
///
/// # Errors
/// [`Refusal`]; nothing is changed then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn remove_alias(access: &Access, alias: AliasName) -> Result<Changed, Refusal> {
    access.identity().check_operator()?;
    let remove = RemoveAliases {
        by: by_hand(access),
        aliases: vec![alias],
    };
    Ok(changed(access.call(remove).await?.done))
}

/// Returns the labels of a run, which need not be a member; without one, those of the pool.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn labels(access: &Access, of: Option<RunId>) -> Result<LabelsShown, Refusal> {
    let caller = access.caller();
    let view = access.call(LabelsOf { caller, of }).await?;
    Ok(LabelsShown {
        labels: view.labels,
        as_of: view.as_of,
    })
}

/// Replaces the labels of a run, for an operator; without one, those of the pool.
///
/// # Errors
/// [`Refusal`]; nothing is changed then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn set_labels(
    access: &Access,
    of: Option<RunId>,
    body: PutLabels,
) -> Result<Changed, Refusal> {
    access.identity().check_operator()?;
    let labels = body.labels;
    let set = SetLabels {
        by: by_hand(access),
        changes: vec![NewLabels { of, labels }],
    };
    Ok(changed(access.call(set).await?.done))
}
