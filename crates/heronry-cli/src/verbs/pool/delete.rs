//! `heronry pool delete`.

use clap::Args;
use heronry_types::PoolId;

use super::named;
use crate::{
    connect::{Context, refused},
    failure::{Exit, Failure, Outcome},
    out::RowsPlace,
};

/// Delete a pool that has no members, with everything in it; nothing brings it back
#[derive(Debug, Args)]
#[command(
    after_help = "A pool with members is refused: let them leave, or say how they ended. `heronry pool archive` \
keeps the pool in a file first. A pool that is opened under the name later is another one.\n\n\
Example:\n  heronry pool delete review.3 --yes"
)]
pub(crate) struct DeleteArgs {
    /// The pool; instead of --pool
    name: Option<PoolId>,
    /// Delete it: without this nothing is deleted
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(cx: &Context, args: DeleteArgs) -> Outcome {
    let pool = named(cx, args.name)?;
    if !args.yes {
        let view = pool.view().await.map_err(refused)?;
        return Err(Failure::usage(format_args!(
            "pool {} with all its records up to {} would be deleted, and nothing was; say --yes to \
             delete it, or keep it in a file with `heronry pool archive`",
            view.pool, view.head
        )));
    }
    let deleted = pool.delete(None).await.map_err(refused)?;
    cx.out.answer(&deleted, RowsPlace::Whole, || {
        format!(
            "pool {} is deleted; its head was {}",
            deleted.pool, deleted.head
        )
    })?;
    Ok(Exit::Ok)
}
