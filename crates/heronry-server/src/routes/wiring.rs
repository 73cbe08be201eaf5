//! Edges, aliases and labels.

use axum::routing::MethodFilter;
use heronry_api::wiring;
use heronry_types::{AliasName, AliasView, RunId};
use heronry_wire::{
    AliasList, AliasesQuery, Changed, EdgeList, EdgesQuery, LabelsShown, PutAlias, PutLabels,
};

use super::{PoolRequest, Route};
use crate::{
    extract::{Json, Query},
    identity::OpenTo,
    openapi::routes::wiring as described,
    problems::ProblemAnswer,
};

const EDGES: &str = "/v1/pools/{pool}/edges";
const EDGE: &str = "/v1/pools/{pool}/edges/{a}/{b}";
const ALIASES: &str = "/v1/pools/{pool}/aliases";
const ALIAS: &str = "/v1/pools/{pool}/aliases/{recipient}/{channel}";
const POOL_LABELS: &str = "/v1/pools/{pool}/labels";
const RUN_LABELS: &str = "/v1/pools/{pool}/members/{run}/labels";

pub(super) fn rows() -> Vec<Route> {
    let mut rows = edge_rows();
    rows.extend(alias_rows());
    rows.extend(label_rows());
    rows
}

fn edge_rows() -> Vec<Route> {
    vec![
        Route::new(MethodFilter::GET, EDGES, "List the edges.", list_edges)
            .contract(described::list_edges),
        Route::new(MethodFilter::PUT, EDGE, "Wire two runs.", wire)
            .open_to(OpenTo::Operators)
            .contract(described::wire_edge),
        Route::new(MethodFilter::DELETE, EDGE, "Unwire two runs.", unwire)
            .open_to(OpenTo::Operators)
            .contract(described::unwire_edge),
    ]
}

fn alias_rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::GET,
            ALIASES,
            "List the aliases.",
            list_aliases,
        )
        .contract(described::list_aliases),
        Route::new(
            MethodFilter::GET,
            ALIAS,
            "Show where an alias leads; `*` stands for any recipient or channel.",
            show_alias,
        )
        .contract(described::show_alias),
        Route::new(
            MethodFilter::PUT,
            ALIAS,
            "Let an alias lead to an address.",
            set_alias,
        )
        .open_to(OpenTo::Operators)
        .contract(described::set_alias),
        Route::new(
            MethodFilter::DELETE,
            ALIAS,
            "Remove an alias.",
            remove_alias,
        )
        .open_to(OpenTo::Operators)
        .contract(described::remove_alias),
    ]
}

fn label_rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::GET,
            POOL_LABELS,
            "Show the labels of the pool.",
            pool_labels,
        )
        .contract(described::pool_labels),
        Route::new(
            MethodFilter::PUT,
            POOL_LABELS,
            "Replace the labels of the pool.",
            set_pool_labels,
        )
        .open_to(OpenTo::Operators)
        .contract(described::set_pool_labels),
        Route::new(
            MethodFilter::GET,
            RUN_LABELS,
            "Show the labels of a run.",
            run_labels,
        )
        .contract(described::run_labels),
        Route::new(
            MethodFilter::PUT,
            RUN_LABELS,
            "Replace the labels of a run, which need not be a member.",
            set_run_labels,
        )
        .open_to(OpenTo::Operators)
        .contract(described::set_run_labels),
    ]
}

async fn list_edges(
    request: PoolRequest,
    Query(query): Query<EdgesQuery>,
) -> Result<Json<EdgeList>, ProblemAnswer> {
    Ok(Json(wiring::edges(&request.access, query).await?))
}

async fn wire(request: PoolRequest) -> Result<Json<Changed>, ProblemAnswer> {
    let (a, b) = (end(&request, "a")?, end(&request, "b")?);
    Ok(Json(wiring::wire(&request.access, &a, &b).await?))
}

async fn unwire(request: PoolRequest) -> Result<Json<Changed>, ProblemAnswer> {
    let (a, b) = (end(&request, "a")?, end(&request, "b")?);
    Ok(Json(wiring::unwire(&request.access, &a, &b).await?))
}

fn end(request: &PoolRequest, name: &'static str) -> Result<RunId, ProblemAnswer> {
    request.params.id(name)
}

async fn list_aliases(
    request: PoolRequest,
    Query(query): Query<AliasesQuery>,
) -> Result<Json<AliasList>, ProblemAnswer> {
    Ok(Json(wiring::aliases(&request.access, query).await?))
}

async fn show_alias(request: PoolRequest) -> Result<Json<AliasView>, ProblemAnswer> {
    let alias = alias(&request)?;
    Ok(Json(wiring::alias(&request.access, alias).await?))
}

async fn set_alias(
    request: PoolRequest,
    Json(body): Json<PutAlias>,
) -> Result<Json<Changed>, ProblemAnswer> {
    let alias = alias(&request)?;
    Ok(Json(wiring::set_alias(&request.access, alias, body).await?))
}

async fn remove_alias(request: PoolRequest) -> Result<Json<Changed>, ProblemAnswer> {
    let alias = alias(&request)?;
    Ok(Json(wiring::remove_alias(&request.access, alias).await?))
}

/// Returns the alias that the path names.
fn alias(request: &PoolRequest) -> Result<AliasName, ProblemAnswer> {
    let recipient: RunId = request.params.id("recipient")?;
    let channel: heronry_types::ChannelId = request.params.id("channel")?;
    Ok(wiring::alias_name(recipient.as_str(), channel.as_str())?)
}

async fn pool_labels(request: PoolRequest) -> Result<Json<LabelsShown>, ProblemAnswer> {
    Ok(Json(wiring::labels(&request.access, None).await?))
}

async fn set_pool_labels(
    request: PoolRequest,
    Json(body): Json<PutLabels>,
) -> Result<Json<Changed>, ProblemAnswer> {
    Ok(Json(wiring::set_labels(&request.access, None, body).await?))
}

async fn run_labels(request: PoolRequest) -> Result<Json<LabelsShown>, ProblemAnswer> {
    let run = request.run()?;
    Ok(Json(wiring::labels(&request.access, Some(run)).await?))
}

async fn set_run_labels(
    request: PoolRequest,
    Json(body): Json<PutLabels>,
) -> Result<Json<Changed>, ProblemAnswer> {
    let run = Some(request.run()?);
    Ok(Json(wiring::set_labels(&request.access, run, body).await?))
}
