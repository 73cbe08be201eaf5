//! `heronry contents`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use heronry_client::Content;
use heronry_types::{Body, ContentRef, IdempotencyKey, counted};

use super::messages::read_body;
use crate::{
    connect::{Context, refused},
    failure::{Exit, Failure, Outcome},
    out::RowsPlace,
    secrets::random_name,
};

/// Store, fetch and erase bodies
#[derive(Debug, Subcommand)]
pub(crate) enum ContentsVerb {
    Put(PutArgs),
    Get(GetArgs),
    Erase(EraseArgs),
}

/// Store a body by itself, and print its reference
///
/// A message can refer to it; who stored it may erase it before and after.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("content").args(["body", "file", "stdin"]).required(true),
    after_help = "Example:\n  heronry --pool review --run lead contents put --file report.pdf --media-type application/pdf --field content_ref"
)]
pub(crate) struct PutArgs {
    /// The body
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
    /// A file with the body
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// `-`: the body comes from stdin
    #[arg(value_name = "-", value_parser = ["-"])]
    stdin: Option<String>,
    /// The media type of the body [default: plain text, or bytes that are no text]
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// The idempotency key: a body under the same key is stored once [default: a fresh one]
    #[arg(long, value_name = "KEY")]
    key: Option<IdempotencyKey>,
}

/// Print a body that was sent or received
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review contents get content:0123456789abcdef0123456789abcdef > report.pdf"
)]
pub(crate) struct GetArgs {
    /// The reference that an inbox, a receipt or `contents put` shows
    content_ref: ContentRef,
}

/// Erase a body, all but its digest, its size and its media type
///
/// Its first sender may do so, who stored it, and an operator. The messages that refer to it stay as
/// they are, and who fetches it is told that it was erased.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review --run lead contents erase content:0123456789abcdef0123456789abcdef"
)]
pub(crate) struct EraseArgs {
    /// The reference that an inbox, a receipt or `contents put` shows
    content_ref: ContentRef,
}

pub(crate) async fn run(cx: &Context, verb: ContentsVerb) -> Outcome {
    match verb {
        ContentsVerb::Put(args) => put(cx, args).await,
        ContentsVerb::Get(args) => get(cx, args.content_ref).await,
        ContentsVerb::Erase(args) => erase(cx, &args).await,
    }
}

async fn put(cx: &Context, args: PutArgs) -> Outcome {
    let key = match args.key {
        Some(key) => key,
        None => IdempotencyKey::parse(random_name()?).map_err(Failure::failed)?,
    };
    let bytes = read_body(args.body, args.file, args.stdin.as_deref())?.unwrap_or_default();
    let media_type = args.media_type.as_deref();
    let content = content_of(bytes, media_type);
    let run = cx.globals.run.as_ref();
    let stored = cx.pool()?.put_content(content, Some(&key), run).await;
    let stored = stored.map_err(refused)?;
    cx.out.answer(&stored, RowsPlace::Whole, || {
        let gone = stored
            .erased_at
            .map_or_else(String::new, |at| format!(", erased at {at}"));
        let size = counted(stored.size_bytes, "byte");
        let (reference, kind) = (stored.content_ref, &stored.media_type);
        format!("{reference} {size} of {kind}{gone}")
    })?;
    Ok(Exit::Ok)
}

/// Returns a body with the media type that was named, or the usual one.
pub(super) fn content_of(bytes: Vec<u8>, media_type: Option<&str>) -> Content {
    let usual = match std::str::from_utf8(&bytes) {
        Ok(_) => Body::TEXT,
        Err(_) => Body::BINARY,
    };
    Content {
        media_type: media_type.unwrap_or(usual).to_owned(),
        bytes,
    }
}

pub(super) async fn get(cx: &Context, content_ref: ContentRef) -> Outcome {
    let content = cx.pool()?.content(content_ref).await;
    cx.out.body(&content.map_err(refused)?.bytes)?;
    Ok(Exit::Ok)
}

async fn erase(cx: &Context, args: &EraseArgs) -> Outcome {
    let erased = cx.pool()?.erase_content(args.content_ref).await;
    let erased = erased.map_err(refused)?;
    cx.out.answer(&erased, RowsPlace::Whole, || {
        format!("{} erased at {}", erased.content_ref, erased.erased_at)
    })?;
    Ok(Exit::Ok)
}
