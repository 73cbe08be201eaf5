//! Bodies that are stored by themselves, and fetching any body.

use heronry_pool::Rejection;
use heronry_runtime::{BodyError, CallError, ContentScope};
use heronry_types::{Body, ContentRef, IdempotencyKey, LimitName, RunId};
use heronry_wire::{ContentErased, ContentStored, ProblemKind};
use tracing::instrument;

use crate::{Access, Recorded, Refusal, check_media_type};

/// The request to store a body, without the body: it is judged before a byte of that is read.
#[derive(Clone, Debug, Default)]
pub struct UploadRequest {
    /// The media type; absent: any bytes.
    pub media_type: Option<String>,
    /// The idempotency key; absent: every repeat stores the body anew.
    pub key: Option<IdempotencyKey>,
    /// The run for which the body is stored; absent: the caller's own.
    pub run: Option<RunId>,
}

/// A body that may be stored.
#[derive(Debug)]
pub struct Upload<'a> {
    access: &'a Access,
    media_type: String,
    scope: Option<ContentScope>,
}

impl UploadRequest {
    /// Judges the request. What repeats nothing is refused before any of the body is read.
    ///
    /// # Errors
    /// [`Refusal`]; nothing was stored then.
    #[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
    pub async fn admit(self, access: &Access) -> Result<Upload<'_>, Refusal> {
        let Self {
            media_type,
            key,
            run,
        } = self;
        if let Some(named) = &media_type {
            check_media_type("content-type", named)?;
        }
        if key.is_none() {
            access.identity().check_standing().await?;
        }
        let run = access.identity().whose(run)?;
        Ok(Upload {
            access,
            media_type: media_type.unwrap_or_else(|| Body::BINARY.to_owned()),
            scope: key.map(|key| ContentScope { run, key }),
        })
    }
}

impl Upload<'_> {
    /// Returns how many bytes the body may have.
    pub fn bytes_max(&self) -> u64 {
        self.access.limit(LimitName::ContentBytesMax)
    }

    /// Stores the body.
    ///
    /// # Errors
    /// [`Refusal`]; nothing was stored then.
    pub async fn store(self, bytes: Vec<u8>) -> Result<Recorded<ContentStored>, Refusal> {
        let Self {
            access,
            media_type,
            scope,
        } = self;
        let (pool, caller) = (access.pool(), access.caller());
        let size_bytes = bytes.len() as u64;
        let body = Body::new(media_type.as_str(), bytes);
        let stored = match scope {
            None => pool.store_body(caller, body).await?,
            Some(scope) => pool.store_body_once(caller, scope, body).await?,
        };
        let answer = ContentStored {
            content_ref: stored.content_ref,
            media_type,
            size_bytes,
            cursor: stored.cursor,
            durability: access.api().durability(),
            erased_at: stored.erased_at,
        };
        Ok(if stored.repeated {
            Recorded::before(answer)
        } else {
            Recorded::now(answer)
        })
    }
}

/// Returns a body that the caller sent or received; an operator gets any.
///
/// # Errors
/// [`Refusal`], `content-missing` when it is not there or not for this caller.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn fetch(access: &Access, content_ref: ContentRef) -> Result<Body, Refusal> {
    let found = access.pool().body(access.caller(), content_ref).await;
    let missing = "no such content of a message that the caller sent or received";
    Ok(found.map_err(|error| not_found(error, missing))?.body)
}

/// Erases a body. A repeat says the same.
///
/// # Errors
/// [`Refusal`], `content-missing` when it is not there or not the caller's to erase.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn erase(access: &Access, content_ref: ContentRef) -> Result<ContentErased, Refusal> {
    let left = access.pool().erase_body(access.caller(), content_ref).await;
    let missing = "no such content that the caller sent or stored";
    let left = left.map_err(|error| not_found(error, missing))?;
    Ok(ContentErased {
        content_ref,
        media_type: left.media_type.to_string(),
        size_bytes: left.bytes,
        digest: left.digest,
        erased_at: left.erased_at,
    })
}

/// Returns the refusal of a body that is named by the request itself: nothing conflicts when it is
/// missing.
fn not_found(error: BodyError, missing: &str) -> Refusal {
    if let BodyError::Call(CallError::Rejected(Rejection::ContentMissing)) = error {
        Refusal::of(ProblemKind::ContentMissing, missing)
    } else {
        error.into()
    }
}
