//! Opening, showing and changing pools.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::MethodFilter,
};
use futures::stream;
use heronry_pool::{
    PoolView,
    decide::{ConfigurePool, DescribePool, How, RetirePool},
};
use heronry_runtime::OpenedPool;
use heronry_transfer::{Bodies, TransferError};
use heronry_types::PoolId;
use heronry_wire::{
    DeletePoolQuery, EXPORT_MEDIA_TYPE, PatchSettings, PoliciesSource, PoolBody, PoolDeleted,
    PoolEntry, PoolList, PoolOpened, PoolView as PoolShown, SettingsChanged,
};

use super::{PoolRequest, Route};
use crate::{
    app::SharedApp,
    extract::{Json, Params, Query},
    identity::{Access, Identity},
    openapi::routes::pools as described,
    problems::Refusal,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::PUT,
            "/v1/pools/{pool}",
            "Open a pool, or create it.",
            put,
        )
        .access(Access::Operator)
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
        .access(Access::Operator)
        .contract(described::change_settings),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}",
            "Delete a pool that has no members, with everything in it.",
            delete,
        )
        .access(Access::Operator)
        .contract(described::delete_pool),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/export",
            "Export a pool with its bodies.",
            export,
        )
        .access(Access::Operator)
        .contract(described::export_pool),
    ]
}

async fn put(
    State(app): State<SharedApp>,
    params: Params,
    identity: Identity,
    Json(body): Json<PoolBody>,
) -> Result<(StatusCode, Json<PoolOpened>), Refusal> {
    let id: PoolId = params.chosen_id("pool")?;
    let OpenedPool { pool, how } = app.open(&id, body.into_spec()?).await?;
    let caller = identity.caller();
    let view = shown(&app, id, pool.call(DescribePool { caller }).await?);
    let status = match how {
        How::Written => StatusCode::CREATED,
        How::Repeated | How::Unchanged => StatusCode::OK,
    };
    let cursor = view.head;
    Ok((status, Json(PoolOpened { view, cursor })))
}

async fn list(State(app): State<SharedApp>, identity: Identity) -> Result<Json<PoolList>, Refusal> {
    let pools = match &identity {
        Identity::Operator => app.runtime.pools().await?,
        Identity::Member { pool, .. } => {
            identity.check_standing().await?;
            vec![pool.id().clone()]
        }
    };
    let pools = pools.into_iter().map(|pool| PoolEntry { pool }).collect();
    Ok(Json(PoolList { pools }))
}

async fn show(request: PoolRequest) -> Result<Json<PoolShown>, Refusal> {
    let view = request
        .call(DescribePool {
            caller: request.caller(),
        })
        .await?;
    Ok(Json(shown(&request.app, request.id.clone(), view)))
}

fn shown(app: &SharedApp, pool: PoolId, view: PoolView) -> PoolShown {
    PoolShown {
        subscriptions: app.streams.of(&pool),
        pool,
        epoch: view.head.epoch.to_string(),
        head: view.head,
        floor: view.floor,
        policies: match view.config.grants {
            Some(_) => PoliciesSource::Granted,
            None => PoliciesSource::SelfAsserted,
        },
        config: PoolBody::from(&view.config),
        limits: view
            .limits
            .effective()
            .map(|(limit, value)| (limit.to_string(), value))
            .collect(),
        settings: view.settings,
        settings_version: view.settings_version,
        members: view.members,
        lost_members: view.lost_members,
        suspended_members: view.suspended_members,
        deadlocked_members: view.deadlocked_members,
        orphaned_wakes: view.orphaned_wakes,
        live_messages: view.live_messages,
        live_wakes: view.live_wakes,
        durability: view.durability,
    }
}

async fn delete(
    State(app): State<SharedApp>,
    params: Params,
    identity: Identity,
    Query(query): Query<DeletePoolQuery>,
) -> Result<Json<PoolDeleted>, Refusal> {
    let pool: PoolId = params.id("pool")?;
    let retire = RetirePool {
        caller: identity.caller(),
        expected: query.expected_head,
    };
    let head = app.runtime.delete(&pool, retire).await?;
    Ok(Json(PoolDeleted { pool, head }))
}

/// A fault that is found on the way breaks the answer off, so that it lacks its last line.
async fn export(State(app): State<SharedApp>, params: Params) -> Result<Response, Refusal> {
    let pool: PoolId = params.id("pool")?;
    let export = app.runtime.export(&pool, Bodies::Included).await?;
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
) -> Result<Json<SettingsChanged>, Refusal> {
    body.supported()?;
    let done = request
        .call(ConfigurePool {
            caller: request.caller(),
            expected_version: body.expected_version,
            limits: body.limits.unwrap_or_default(),
        })
        .await?;
    let view = request
        .call(DescribePool {
            caller: request.caller(),
        })
        .await?;
    Ok(Json(SettingsChanged {
        settings: view.settings,
        settings_version: view.settings_version,
        cursor: done.cursor,
        durability: done.durability,
    }))
}
