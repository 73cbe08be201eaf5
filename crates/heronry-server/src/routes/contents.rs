//! Bodies that are stored by themselves, and fetching any body.

use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::MethodFilter,
};
use heronry_pool::Rejection;
use heronry_runtime::{BodyError, CallError, ContentScope};
use heronry_types::{Body, ContentRef, LimitName};
use heronry_wire::{ContentErased, ContentQuery, ContentStored, ProblemKind};

use super::{PoolRequest, Route};
use crate::{
    extract::{Json, Query, invalid, media_type, named_key, read_content},
    guards::BodyForm,
    openapi::routes::contents as described,
    problems::Refusal,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::PUT,
            "/v1/pools/{pool}/contents",
            "Store a body.",
            put,
        )
        .form(BodyForm::Raw)
        .contract(described::store_content),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/contents/{ref}",
            "Fetch a body that was sent or received.",
            fetch,
        )
        .contract(described::fetch_content),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}/contents/{ref}",
            "Erase a body: its first sender, who stored it, or an operator. A repeat says the same.",
            erase,
        )
        .contract(described::erase_content),
    ]
}

async fn put(
    request: PoolRequest,
    Query(query): Query<ContentQuery>,
    sent: Request,
) -> Result<(StatusCode, Json<ContentStored>), Refusal> {
    let media_type = stated_type(sent.headers())?;
    let key = named_key(sent.headers(), query.idempotency_key)?;
    // What repeats nothing is refused before any of it is read.
    if key.is_none() {
        request.identity.check_standing().await?;
    }
    let run = match (request.identity.own_run(), query.run) {
        (None, named) => named,
        (Some(_), named) => Some(request.identity.acting(named, "run")?),
    };
    let max = request.limit(LimitName::ContentBytesMax);
    let bytes = read_content(sent, max).await?;
    let size_bytes = bytes.len() as u64;
    let body = Body::new(media_type.as_str(), bytes);
    let stored = match key {
        None => request.pool.store_body(request.caller(), body).await?,
        Some(key) => {
            let scope = ContentScope { run, key };
            request
                .pool
                .store_body_once(request.caller(), scope, body)
                .await?
        }
    };
    let status = if stored.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let stored = ContentStored {
        content_ref: stored.content_ref,
        media_type,
        size_bytes,
        cursor: stored.cursor,
        durability: request.app.durability(),
        erased_at: stored.erased_at,
    };
    Ok((status, Json(stored)))
}

fn stated_type(headers: &HeaderMap) -> Result<String, Refusal> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(Body::BINARY.to_owned());
    };
    // What is not text is as little a media type as no text.
    let text = value.to_str().unwrap_or_default();
    media_type("content-type", text)?;
    Ok(text.to_owned())
}

async fn fetch(request: PoolRequest) -> Result<Response, Refusal> {
    let content_ref = named_ref(&request)?;
    let found = request.pool.body(request.caller(), content_ref).await;
    let missing = "no such content of a message that the caller sent or received";
    let body = found.map_err(|error| not_found(error, missing))?.body;
    let media_type = HeaderValue::from_str(&body.media_type)
        .unwrap_or_else(|_| HeaderValue::from_static(Body::BINARY));
    // A body is data of strangers: no browser may run it as a page of this server.
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, media_type),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("sandbox; default-src 'none'"),
        ),
    ];
    Ok((headers, Bytes::from_owner(body.bytes)).into_response())
}

async fn erase(request: PoolRequest) -> Result<Json<ContentErased>, Refusal> {
    let content_ref = named_ref(&request)?;
    let left = request.pool.erase_body(request.caller(), content_ref).await;
    let missing = "no such content that the caller sent or stored";
    let left = left.map_err(|error| not_found(error, missing))?;
    Ok(Json(ContentErased {
        content_ref,
        media_type: left.media_type.to_string(),
        size_bytes: left.bytes,
        digest: left.digest,
        erased_at: left.erased_at,
    }))
}

fn named_ref(request: &PoolRequest) -> Result<ContentRef, Refusal> {
    ContentRef::parse(request.params.text("ref"))
        .map_err(|error| invalid("ref", &error.to_string()))
}

/// Returns the refusal of a body that is named in the path: nothing conflicts when it is missing.
fn not_found(error: BodyError, missing: &str) -> Refusal {
    if let BodyError::Call(CallError::Rejected(Rejection::ContentMissing)) = error {
        Refusal::of(ProblemKind::ContentMissing, missing)
    } else {
        error.into()
    }
}
