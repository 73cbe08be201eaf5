//! Bodies that are stored by themselves, and fetching any body.

use axum::{
    Json as Answer,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::MethodFilter,
};
use heronry_pool::Rejection;
use heronry_runtime::{BodyError, CallError, ContentScope};
use heronry_types::{Body, ContentRef, LimitName};
use heronry_wire::{ContentQuery, ContentStored, ProblemKind};

use super::{At, Route};
use crate::{
    extract::{Query, invalid, media_type, named_key, read_content},
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
        .contract(|c| {
            c.keyed()
                .queries::<ContentQuery>()
                .answers::<ContentStored>(201)
                .answers::<ContentStored>(200)
        }),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/contents/{ref}",
            "Fetch a body that was sent or received.",
            fetch,
        ),
    ]
}

async fn put(
    at: At,
    Query(query): Query<ContentQuery>,
    request: Request,
) -> Result<(StatusCode, Answer<ContentStored>), Refusal> {
    at.identity.check_standing().await?;
    let media_type = stated_type(request.headers())?;
    let key = named_key(request.headers(), query.idempotency_key)?;
    let run = match (at.identity.own_run(), query.run) {
        (None, named) => named,
        (Some(_), named) => Some(at.identity.acting(named, "run")?),
    };
    let max = at.limit(LimitName::ContentBytesMax).await?;
    let bytes = read_content(request, max).await?;
    let size_bytes = bytes.len() as u64;
    let body = Body::new(media_type.as_str(), bytes.to_vec());
    let (status, content_ref) = match key {
        None => (
            StatusCode::CREATED,
            at.pool.store_body(at.caller(), body).await?,
        ),
        Some(key) => {
            let scope = ContentScope { run, key };
            let stored = at.pool.store_body_once(at.caller(), scope, body).await?;
            let status = if stored.repeated {
                StatusCode::OK
            } else {
                StatusCode::CREATED
            };
            (status, stored.content_ref)
        }
    };
    let stored = ContentStored {
        content_ref,
        media_type,
        size_bytes,
        cursor: at.pool.head(),
        durability: at.app.durability(),
    };
    Ok((status, Answer(stored)))
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

async fn fetch(at: At) -> Result<Response, Refusal> {
    let content_ref = ContentRef::parse(at.params.text("ref"))
        .map_err(|error| invalid("ref", &error.to_string()))?;
    let body = match at.pool.body(at.caller(), content_ref).await {
        Ok(stored) => stored.body,
        Err(BodyError::Call(CallError::Rejected(Rejection::ContentMissing))) => {
            let detail = "no such content of a message that the caller sent or received";
            return Err(Refusal::of(ProblemKind::ContentMissing, detail));
        }
        Err(error) => return Err(error.into()),
    };
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
    Ok((headers, body.bytes.to_vec()).into_response())
}
