//! `heronry journal import`.

use std::{fs::File, io::BufReader, path::Path};

use heronry_transfer as transfer;

use crate::{
    carry::{TargetStore, Way, carrier, show},
    connect::Context,
    failure::{Exit, Failure, Outcome},
    host::StoreChoice,
};

/// Brings the pools of a file into a store, which is made when it is not there.
pub(super) async fn run(cx: &Context, choice: &StoreChoice, file: &Path) -> Outcome {
    let found = std::fs::metadata(file).map_err(|error| Failure::file("read", file, &error))?;
    if !found.is_file() {
        return Err(Failure::failed(format_args!(
            "{} is not a file, and an export is read twice; write it to a file first",
            file.display()
        )));
    }
    let target = TargetStore::open(choice)?;
    let open = || File::open(file).map(BufReader::new);
    let ended = transfer::import(target.store(), open, &carrier()).await;
    let imported = target.end(ended).await?;
    show(cx, Way::Imported, &imported)?;
    Ok(Exit::Ok)
}
