//! Bodies that are stored by themselves, and fetching any body.

use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::MethodFilter,
};
use heronry_api::content::{self, UploadRequest};
use heronry_types::Body;
use heronry_wire::{ContentErased, ContentQuery, ContentStored};

use super::{PoolRequest, Route, recorded};
use crate::{
    extract::{Json, Query, key, read_content},
    guards::BodyForm,
    openapi::routes::contents as described,
    problems::ProblemAnswer,
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
) -> Result<(StatusCode, Json<ContentStored>), ProblemAnswer> {
    let headers = sent.headers();
    let store = UploadRequest {
        media_type: stated_type(headers),
        key: key(headers)?.named(query.idempotency_key)?,
        run: query.run,
    };
    let upload = store.admit(&request.access).await?;
    let bytes = read_content(sent, upload.bytes_max()).await?;
    Ok(recorded(upload.store(bytes).await?))
}

fn stated_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?;
    // What is not text is as little a media type as no text.
    Some(value.to_str().unwrap_or_default().to_owned())
}

async fn fetch(request: PoolRequest) -> Result<Response, ProblemAnswer> {
    let content_ref = request.params.content_ref("ref")?;
    let body = content::fetch(&request.access, content_ref).await?;
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

async fn erase(request: PoolRequest) -> Result<Json<ContentErased>, ProblemAnswer> {
    let content_ref = request.params.content_ref("ref")?;
    Ok(Json(content::erase(&request.access, content_ref).await?))
}
