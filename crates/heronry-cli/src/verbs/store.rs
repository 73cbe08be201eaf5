//! `heronry store`: whole stores, while no server has them open.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use heronry_runtime::marks::{Marks, rolled_back};
use heronry_store::{MoveRoute, Store};
use heronry_transfer as transfer;

use crate::{
    carry::{TargetStore, Way, carrier, pools_of, show},
    connect::Context,
    failure::{Exit, Failure, Outcome},
    host::{MarkFile, StoreChoice, open_to_move, open_to_read, rollback_refusal, store_failure},
};

/// Copy or move whole stores that no server has open
#[derive(Debug, Subcommand)]
pub(crate) enum StoreVerb {
    Copy(CopyArgs),
    Move(MoveArgs),
}

/// Copy pools with their bodies from one store to another; each copy starts a new epoch
#[derive(Debug, Args)]
#[command(
    after_help = "Member tokens of FROM are not valid in TO, and members join again; with --move they stay valid.\n\n\
Example:\n  heronry store copy redb:.heronry/store.redb sled:new.sled --move"
)]
pub(crate) struct CopyArgs {
    #[command(flatten)]
    ends: MoveStores,
    /// The same as `heronry store move FROM TO`
    #[arg(long = "move")]
    moves: bool,
}

/// Move every pool from one store to another: cursors, consumers, epochs, hashes and member tokens stay,
/// and FROM is sealed
#[derive(Debug, Args)]
#[command(
    after_help = "Nobody can use a pool in TO before the move is complete, and FROM is used as before until it is \
sealed, at the end. A move that broke off is finished with --resume, or taken back with --abandon. Where FROM is \
lost for good, --lost ends it in TO alone: with --resume the pools go on with what has arrived, with --abandon what \
has arrived is deleted.\n\n\
Example:\n  heronry store move redb:.heronry/store.redb sled:new.sled"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of the command line, of which one or two are taken"
)]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    ends: MoveStores,
    /// Finish a move that broke off
    #[arg(long, group = "end")]
    resume: bool,
    /// Take a move back that broke off: FROM is used as before, and pools that arrived in TO are
    /// deleted
    #[arg(long, group = "end")]
    abandon: bool,
    /// With --resume or --abandon: FROM is lost, and will never be used again
    #[arg(long, requires = "end")]
    lost: bool,
}

/// Two stores.
#[derive(Debug, Args)]
struct MoveStores {
    /// The store to read, as PATH, redb:PATH or sled:PATH
    #[arg(value_name = "FROM", value_parser = named)]
    from: StoreChoice,
    /// The store to write, as PATH, redb:PATH or sled:PATH; made when it is not there
    #[arg(value_name = "TO", value_parser = named)]
    to: StoreChoice,
}

/// The request about a move.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum MoveStep {
    /// To begin the move, or to go on with it.
    Begin,
    /// To go on with the move.
    Resume,
    /// To take the move back.
    Abandon,
}

impl MoveArgs {
    fn step(&self) -> MoveStep {
        match (self.resume, self.abandon) {
            (_, true) => MoveStep::Abandon,
            (true, false) => MoveStep::Resume,
            (false, false) => MoveStep::Begin,
        }
    }
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
        StoreVerb::Copy(CopyArgs { ends, moves: true }) => {
            move_all(cx, &ends, MoveStep::Begin).await
        }
        StoreVerb::Copy(CopyArgs { ends, moves: false }) => copy(cx, &ends).await,
        StoreVerb::Move(args) if args.lost => end_alone(cx, &args).await,
        StoreVerb::Move(args) => move_all(cx, &args.ends, args.step()).await,
    }
}

async fn copy(cx: &Context, ends: &MoveStores) -> Outcome {
    check_apart(ends)?;
    let from = open_to_read(&ends.from)?;
    let target = TargetStore::open(&ends.to)?;
    let ended = transfer::copy(&from, target.store(), &pools_of(cx), &carrier()).await;
    let copied = target.end(ended).await?;
    show(cx, Way::Copied, &copied)?;
    Ok(Exit::Ok)
}

/// Ends a move at the other place alone, because its source is lost.
async fn end_alone(cx: &Context, args: &MoveArgs) -> Outcome {
    let ends = &args.ends;
    check_all(cx)?;
    check_apart(ends)?;
    check_lost(&ends.from)?;
    let target = TargetStore::open(&ends.to)?;
    let route = route(ends, &target);
    let (way, ended) = if args.abandon {
        let ended = transfer::abandon_without_source(target.store(), &route, &carrier()).await;
        (Way::Deleted, ended)
    } else {
        let ended = transfer::resume_without_source(target.store(), &route).await;
        (Way::Moved, ended)
    };
    let pools = target.end(ended).await?;
    show(cx, way, &pools)?;
    Ok(Exit::Ok)
}

/// Checks that a store cannot be opened any more: one that can is no lost one.
fn check_lost(choice: &StoreChoice) -> Result<(), Failure> {
    match open_to_move(choice) {
        Ok(_) => Err(Failure::failed(format_args!(
            "{} is there and can be read, so it is not lost; leave --lost out",
            choice.path().display()
        ))),
        Err(failure) if failure.exit() == Exit::Damaged || !choice.path().exists() => Ok(()),
        Err(failure) => Err(failure),
    }
}

fn check_all(cx: &Context) -> Result<(), Failure> {
    match cx.globals.pool {
        None => Ok(()),
        Some(_) => Err(Failure::usage(
            "a store is moved whole; leave --pool out, or copy that pool without --move",
        )),
    }
}

fn route(ends: &MoveStores, target: &TargetStore) -> MoveRoute {
    MoveRoute {
        from: ends.from.clone().absolute().to_string(),
        to: target.choice().to_string(),
    }
}

async fn move_all(cx: &Context, ends: &MoveStores, step: MoveStep) -> Outcome {
    check_all(cx)?;
    check_apart(ends)?;
    let from = open_to_move(&ends.from).map_err(|failure| match step {
        MoveStep::Begin => failure,
        MoveStep::Resume | MoveStep::Abandon => Failure::new(
            failure.exit(),
            format_args!(
                "{failure}; when it is lost for good, add --lost to end the move without it"
            ),
        ),
    })?;
    if step != MoveStep::Abandon {
        check_not_rolled_back(&from, &ends.from, "move it").await?;
    }
    let target = TargetStore::open(&ends.to)?;
    let route = route(ends, &target);
    let by = carrier();
    let (way, ended) = match step {
        MoveStep::Begin => (
            Way::Moved,
            transfer::move_all(&from, target.store(), &route, &by).await,
        ),
        MoveStep::Resume => (
            Way::Moved,
            transfer::resume_move(&from, target.store(), &route, &by).await,
        ),
        MoveStep::Abandon => (
            Way::TakenBack,
            transfer::abandon_move(&from, target.store(), &route, &by).await,
        ),
    };
    let moved = target.end(ended).await?;
    show(cx, way, &moved)?;
    Ok(Exit::Ok)
}

/// Checks that a store was not rolled back: its cursors would come to mean other records at the new place.
pub(super) async fn check_not_rolled_back(
    store: &Store,
    choice: &StoreChoice,
    what: &str,
) -> Result<(), Failure> {
    let marks = MarkFile::of(choice).map_or_else(Marks::default, |file| file.marks());
    let lost = rolled_back(store, &marks).await;
    let lost = lost.map_err(|error| store_failure(&error))?;
    match rollback_refusal(choice.path(), &lost) {
        None => Ok(()),
        Some(refused) => Err(Failure::new(
            refused.exit(),
            format_args!(
                "{refused}; serve it once, so that its pools go on in a new epoch, and {what} then"
            ),
        )),
    }
}

/// Checks that the two stores are not one.
fn check_apart(ends: &MoveStores) -> Result<(), Failure> {
    let place = |choice: &StoreChoice| -> Option<PathBuf> {
        // A place that cannot be found yet is no other's either.
        std::fs::canonicalize(choice.path()).ok()
    };
    match (place(&ends.from), place(&ends.to)) {
        (Some(from), Some(to)) if from == to => Err(Failure::failed(format_args!(
            "{} is copied onto itself; choose another place",
            from.display()
        ))),
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}
