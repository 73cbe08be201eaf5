//! Opening, showing and changing pools.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::MethodFilter,
};
use futures::stream;
use heronry_api::pool;
use heronry_transfer::TransferError;
use heronry_wire::{
    DeletePoolQuery, EXPORT_MEDIA_TYPE, ExportQuery, PatchSettings, PoolBody, PoolDeleted,
    PoolList, PoolOpened, PoolView, SettingsChanged,
};

use super::{PoolRequest, Route, recorded};
use crate::{
    app::SharedApp,
    extract::{Json, Params, Query},
    identity::{Authenticated, OpenTo},
    openapi::routes::pools as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::PUT,
            "/v1/pools/{pool}",
            "Open a pool, or create it.",
            put,
        )
        .open_to(OpenTo::Operators)
        .contract(described::open_pool),
        Route::new(
            MethodFilter::GET,
            "/v1/pools",
            "List the pools; a member sees its own.",
            list,
        )
        .contract(described::list_pools),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}",
            "Show a pool as it stands.",
            show,
        )
        .contract(described::get_pool),
        Route::new(
            MethodFilter::PATCH,
            "/v1/pools/{pool}/settings",
            "Change settings.",
            configure,
        )
        .open_to(OpenTo::Operators)
        .contract(described::change_settings),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}",
            "Delete a pool that has no members, with everything in it.",
            delete,
        )
        .open_to(OpenTo::Operators)
        .contract(described::delete_pool),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/export",
            "Export a pool with its bodies.",
            export,
        )
        .open_to(OpenTo::Operators)
        .contract(described::export_pool),
    ]
}

async fn put(
    State(app): State<SharedApp>,
    params: Params,
    Authenticated(identity): Authenticated,
    Json(body): Json<PoolBody>,
) -> Result<(StatusCode, Json<PoolOpened>), ProblemAnswer> {
    let id = params.chosen_id("pool")?;
    let opened = pool::open(&app.api, &identity, id, body).await?;
    Ok(recorded(opened))
}

async fn list(
    State(app): State<SharedApp>,
    Authenticated(identity): Authenticated,
) -> Result<Json<PoolList>, ProblemAnswer> {
    Ok(Json(pool::list(&app.api, &identity).await?))
}

async fn show(request: PoolRequest) -> Result<Json<PoolView>, ProblemAnswer> {
    Ok(Json(pool::show(&request.access).await?))
}

async fn delete(
    State(app): State<SharedApp>,
    params: Params,
    Authenticated(identity): Authenticated,
    Query(query): Query<DeletePoolQuery>,
) -> Result<Json<PoolDeleted>, ProblemAnswer> {
    let id = params.id("pool")?;
    let deleted = pool::delete(&app.api, &identity, id, query).await?;
    Ok(Json(deleted))
}

/// A fault that is found on the way breaks the answer off, so that it lacks its last line.
async fn export(
    State(app): State<SharedApp>,
    params: Params,
    Authenticated(identity): Authenticated,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ProblemAnswer> {
    let id = params.id("pool")?;
    let export = pool::export(&app.api, &identity, &id, query).await?;
    let lines = stream::try_unfold(export, |mut export| async move {
        let lines = export.next().await.inspect_err(|error| {
            tracing::error!(%error, "an export broke off");
        })?;
        Ok::<_, TransferError>(lines.map(|lines| (lines, export)))
    });
    let media_type = HeaderValue::from_static(EXPORT_MEDIA_TYPE);
    Ok((
        [(header::CONTENT_TYPE, media_type)],
        Body::from_stream(lines),
    )
        .into_response())
}

async fn configure(
    request: PoolRequest,
    Json(body): Json<PatchSettings>,
) -> Result<Json<SettingsChanged>, ProblemAnswer> {
    Ok(Json(pool::configure(&request.access, body).await?))
}
