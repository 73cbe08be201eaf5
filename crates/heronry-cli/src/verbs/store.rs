//! `heronry store`: whole stores, while no server has them open.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use heronry_runtime::{
    marks::{Marks, rolled_back},
    transfer,
};
use heronry_store::Store;

use crate::{
    carry::{Target, Way, carrier, pools_of, show},
    connect::Context,
    failure::{Exit, Failure, Outcome},
    host::{MarkFile, StoreChoice, open_to_move, open_to_read, rollback_refusal, store_failure},
};

/// Copy or move whole stores that no server has open
#[derive(Debug, Subcommand)]
pub(crate) enum StoreVerb {
    Copy(CopyArgs),
}

/// Copy pools with their bodies from one store to another; each copy starts a new epoch
#[derive(Debug, Args)]
#[command(
    after_help = "Member tokens of FROM are not valid in TO, and members join again; with --move they stay valid.\n\n\
Example:\n  heronry store copy redb:.heronry/store.redb sled:new.sled --move"
)]
pub(crate) struct CopyArgs {
    /// The store to read, as PATH, redb:PATH or sled:PATH
    #[arg(value_name = "FROM", value_parser = named)]
    from: StoreChoice,
    /// The store to write, as PATH, redb:PATH or sled:PATH; made when it is not there
    #[arg(value_name = "TO", value_parser = named)]
    to: StoreChoice,
    /// Keep cursors, consumers, epochs and hashes, and seal FROM: its pools live on in TO
    #[arg(long = "move")]
    moves: bool,
}

fn named(text: &str) -> Result<StoreChoice, String> {
    StoreChoice::named(text)
        .map_err(|error| error.to_string())
        .and_then(|choice| match choice {
            StoreChoice::Redb(_) | StoreChoice::Sled(_) => Ok(choice),
            StoreChoice::Memory => Err("a store in memory keeps no journal".to_owned()),
        })
}

pub(crate) async fn run(cx: &Context, verb: StoreVerb) -> Outcome {
    match verb {
        StoreVerb::Copy(args) if args.moves => move_all(cx, &args).await,
        StoreVerb::Copy(args) => copy(cx, &args).await,
    }
}

async fn copy(cx: &Context, args: &CopyArgs) -> Outcome {
    check_apart(args)?;
    let from = open_to_read(&args.from)?;
    let target = Target::open(&args.to)?;
    let ended = transfer::copy(&from, target.store(), &pools_of(cx), &carrier()).await;
    let copied = target.end(ended).await?;
    show(cx, Way::Copied, &copied)?;
    Ok(Exit::Ok)
}

async fn move_all(cx: &Context, args: &CopyArgs) -> Outcome {
    if cx.globals.pool.is_some() {
        return Err(Failure::usage(
            "a store is moved whole; leave --pool out, or copy that pool without --move",
        ));
    }
    check_apart(args)?;
    let from = open_to_move(&args.from)?;
    check_whole(&from, &args.from).await?;
    let target = Target::open(&args.to)?;
    let moved_to = target.choice().to_string();
    let ended = transfer::move_all(&from, target.store(), &moved_to, &carrier()).await;
    let moved = target.end(ended).await?;
    show(cx, Way::Moved, &moved)?;
    Ok(Exit::Ok)
}

/// Checks that a store was not rolled back: its cursors would come to mean other records at the new place.
async fn check_whole(store: &Store, choice: &StoreChoice) -> Result<(), Failure> {
    let marks = MarkFile::of(choice).map_or_else(Marks::default, |file| file.marks());
    let lost = rolled_back(store, &marks).await;
    let lost = lost.map_err(|error| store_failure(&error))?;
    match rollback_refusal(choice.path(), &lost) {
        None => Ok(()),
        Some(refused) => Err(Failure::new(
            refused.exit(),
            format_args!(
                "{refused}; serve it once, so that its pools go on in a new epoch, and move it then"
            ),
        )),
    }
}

/// Checks that the two stores are not one.
fn check_apart(args: &CopyArgs) -> Result<(), Failure> {
    let place = |choice: &StoreChoice| -> Option<PathBuf> {
        // A place that cannot be found yet is no other's either.
        std::fs::canonicalize(choice.path()).ok()
    };
    match (place(&args.from), place(&args.to)) {
        (Some(from), Some(to)) if from == to => Err(Failure::failed(format_args!(
            "{} is copied onto itself; choose another place",
            from.display()
        ))),
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}
