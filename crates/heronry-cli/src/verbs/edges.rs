//! `heronry edges`.

use clap::{Args, Subcommand};
use heronry_client::{ClientError, PoolClient};
use heronry_types::{Edge, EdgeStanding, EdgeView, RunId};
use heronry_wire::{EdgeList, EdgesQuery};

use crate::{
    connect::{Context, refused},
    failure::{Exit, Failure, Outcome},
    lines::Lines,
    out::RowsPlace,
};

/// Look after edges: which two runs may talk to each other in a wired pool
#[derive(Debug, Subcommand)]
pub(crate) enum EdgesVerb {
    List(EdgeListArgs),
    Wire(WireArgs),
    Unwire(UnwireArgs),
}

/// List the edges of a pool, with who looks after each
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review edges list --field a,b,managed_by,standing"
)]
pub(crate) struct EdgeListArgs {}

/// Wire two runs, which need not be members
///
/// Operators look after an edge that is wired by hand: the steward of the pool leaves it alone.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review edges wire lead scanner-1")]
pub(crate) struct WireArgs {
    /// The run at one end
    a: RunId,
    /// The run at the other end
    b: RunId,
}

/// Unwire two runs
///
/// An edge that the steward of the pool looks after is wired again by it, unless it is no longer declared.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review edges unwire lead scanner-1")]
pub(crate) struct UnwireArgs {
    /// The run at one end
    a: RunId,
    /// The run at the other end
    b: RunId,
}

pub(crate) async fn run(cx: &Context, verb: EdgesVerb) -> Outcome {
    match verb {
        EdgesVerb::List(EdgeListArgs {}) => list(cx).await,
        EdgesVerb::Wire(WireArgs { a, b }) => wire(cx, &edge(&a, &b)?).await,
        EdgesVerb::Unwire(UnwireArgs { a, b }) => unwire(cx, &edge(&a, &b)?).await,
    }
}

fn edge(a: &RunId, b: &RunId) -> Result<Edge, Failure> {
    Edge::parse(a.as_str(), b.as_str()).map_err(Failure::usage)
}

async fn list(cx: &Context) -> Outcome {
    let list = all(&cx.pool()?).await.map_err(refused)?;
    cx.out.answer(&list, RowsPlace::Of("edges"), || {
        list.edges.iter().map(text_of).collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

/// Reads every page.
async fn all(pool: &PoolClient) -> Result<EdgeList, ClientError> {
    let mut query = EdgesQuery::default();
    let mut list = pool.edges(&query).await?;
    while let Some(after) = list.next.take() {
        query.after_a = Some(after.a().clone());
        query.after_b = Some(after.b().clone());
        let page = pool.edges(&query).await?;
        list.edges.extend(page.edges);
        (list.next, list.as_of) = (page.next, page.as_of);
    }
    Ok(list)
}

async fn wire(cx: &Context, edge: &Edge) -> Outcome {
    let changed = cx.pool()?.wire(edge).await.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        format!("{} and {} are wired", edge.a(), edge.b())
    })?;
    Ok(Exit::Ok)
}

async fn unwire(cx: &Context, edge: &Edge) -> Outcome {
    let changed = cx.pool()?.unwire(edge).await.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        format!("{} and {} are not wired", edge.a(), edge.b())
    })?;
    Ok(Exit::Ok)
}

fn text_of(it: &EdgeView) -> String {
    let removed = match it.standing {
        EdgeStanding::Wired => "",
        EdgeStanding::Removed => "  removed",
    };
    let (a, b) = (it.edge.a(), it.edge.b());
    format!("{a}  {b}  by {}{removed}", it.managed_by)
}
