//! Looking at the roster and at the modules. Whoever sees the pool sees them.

use heronry_pool::{
    LayerView, ModuleView, RosterRowView,
    decide::{DescribeRoster, ListModules, ListRoster},
};
use heronry_types::LimitName;
use heronry_wire::{
    LayerEntry, ModuleEntry, ModuleList, ModulesQuery, ReconciledEntry, RosterEntry, RosterList,
    RosterQuery, StewardEntry,
};
use tracing::instrument;

use crate::{Access, Refusal};

/// Shows the roster: its state as a whole, and a page of its members.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn show(access: &Access, query: RosterQuery) -> Result<RosterList, Refusal> {
    let max = access.made(size(access, query.limit)).await?;
    let caller = access.caller();
    let view = access.call(DescribeRoster { caller }).await?;
    let list = ListRoster {
        caller: access.caller(),
        after: query.after,
        max,
    };
    let page = access.call(list).await?;
    Ok(RosterList {
        steward: view.steward.map(|it| StewardEntry {
            token: it.token,
            instance: it.instance,
        }),
        revision: view.revision,
        layers: view.layers.into_iter().map(layer).collect(),
        not_applied_since: view.not_applied_since,
        reconciled: view.reconciled.map(|it| ReconciledEntry {
            cursor: it.cursor,
            revision: it.revision,
            counts: it.counts,
        }),
        members: page.rows.into_iter().map(row).collect(),
        next: page.next,
        as_of: page.as_of,
    })
}

/// Lists the modules.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn modules(access: &Access, query: ModulesQuery) -> Result<ModuleList, Refusal> {
    let max = access.made(size(access, query.limit)).await?;
    let list = ListModules {
        caller: access.caller(),
        after: query.after,
        max,
    };
    let page = access.call(list).await?;
    Ok(ModuleList {
        modules: page.modules.into_iter().map(module).collect(),
        next: page.next,
        as_of: page.as_of,
    })
}

/// Returns the largest number of entries in a page.
fn size(access: &Access, limit: Option<u64>) -> Result<u64, Refusal> {
    match limit {
        Some(0) => Err(Refusal::invalid("limit", "a page has one entry at least")),
        Some(_) => access.page_size(limit),
        None => Ok(access.limit(LimitName::PageItemsMax)),
    }
}

fn layer(view: LayerView) -> LayerEntry {
    LayerEntry {
        layer: view.layer,
        revision: view.revision,
        digest: view.digest,
        members: view.members,
        content_ref: view.content,
        cursor: view.cursor,
    }
}

fn row(view: RosterRowView) -> RosterEntry {
    let stands = view.stands;
    RosterEntry {
        run_id: view.run,
        standing: stands.as_ref().map(|it| it.standing),
        since: stands.as_ref().map(|it| it.since),
        stands_in: stands.as_ref().and_then(|it| it.generation),
        why: stands.and_then(|it| it.why),
        generation: view.generation,
        layer: view.layer,
        digest: view.digest,
        labels: view.labels,
        specified_because: view.why,
        specified: view.specified,
    }
}

fn module(view: ModuleView) -> ModuleEntry {
    ModuleEntry {
        module: view.module,
        standing: view.standing,
        why: view.why,
        since: view.since,
    }
}
