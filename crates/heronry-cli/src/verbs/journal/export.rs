//! `heronry journal export`.

use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::Path,
};

use heronry_store::Store;
use heronry_transfer::{self as transfer, Bodies, Carried, Pools};

use super::ExportArgs;
use crate::{
    carry::{Way, pools_of, show, transfer_failure},
    connect::Context,
    failure::{Exit, Failure, Outcome},
    files::create_new,
};

/// Writes lines to stdout, or to a new file.
pub(super) async fn run(cx: &Context, store: &Store, args: &ExportArgs) -> Outcome {
    let pools = pools_of(cx);
    let bodies = if args.no_bodies {
        Bodies::LeftOut
    } else {
        Bodies::Included
    };
    let Some(path) = &args.file else {
        let out = BufWriter::new(io::stdout());
        let ended = transfer::export(store, &pools, bodies, out).await;
        ended.map_err(|error| transfer_failure(&error))?;
        return Ok(Exit::Ok);
    };
    let file = create_new(path)?;
    let ended = write(store, (&pools, bodies), &file).await;
    let exported = match ended.and_then(|exported| kept(path, &file).map(|()| exported)) {
        Ok(exported) => exported,
        Err(failure) => {
            // What failed matters more than what is left of it.
            let _ = fs::remove_file(path);
            return Err(failure);
        }
    };
    show(cx, Way::Exported, &exported)?;
    Ok(Exit::Ok)
}

async fn write(
    store: &Store,
    (pools, bodies): (&Pools, Bodies),
    file: &File,
) -> Result<Vec<Carried>, Failure> {
    let ended = transfer::export(store, pools, bodies, BufWriter::new(file)).await;
    ended.map_err(|error| transfer_failure(&error))
}

fn kept(path: &Path, file: &File) -> Result<(), Failure> {
    let kept = file.sync_all();
    kept.map_err(|error| Failure::file("write", path, &error))
}
