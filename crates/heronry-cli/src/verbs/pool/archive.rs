//! `heronry pool archive`: a pool goes into a file, and out of the server.

use std::{
    fs::{self, File},
    io::{BufReader, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use heronry_client::{ClientError, PoolClient};
use heronry_transfer::{self as transfer, Carried};
use heronry_types::{PoolId, counted};
use heronry_wire::{PoolDeleted, Problem, ProblemKind};
use serde::Serialize;

use super::named;
use crate::{
    carry::transfer_failure,
    connect::{Context, refused},
    failure::{Exit, Failure, Outcome},
    files::create_new,
    out::RowsPlace,
};

/// Export a pool that has no members to a file, verify the file, and delete the pool
#[derive(Debug, Args)]
#[command(
    after_help = "The file is an export with all bodies, which `heronry journal import` brings into a store. The \
pool is deleted only when the file is whole, was read back with every hash, and nothing was added \
meanwhile; what is refused leaves the pool as it was, and no file.\n\n\
Example:\n  heronry pool archive review.3 --to review.3.jsonl"
)]
pub(crate) struct ArchiveArgs {
    /// The pool; instead of --pool
    name: Option<PoolId>,
    /// The file to write, which must not be there yet
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// A pool that is in a file now.
#[derive(Debug, Serialize)]
struct Archived<'a> {
    #[serde(flatten)]
    carried: &'a Carried,
    file: &'a Path,
}

/// The fields of that answer.
pub(crate) const ARCHIVED_FIELDS: [&str; 5] = ["pool", "head", "chunks", "contents", "file"];

pub(super) async fn run(cx: &Context, args: ArchiveArgs) -> Outcome {
    let pool = named(cx, args.name)?;
    let path = &args.to;
    let mut file = create_new(path)?;
    let written = write(&pool, path, &mut file).await;
    let carried = match written {
        Ok(carried) => carried,
        Err(failure) => {
            // What failed matters more than what is left of it.
            let _ = fs::remove_file(path);
            return Err(failure);
        }
    };
    match pool.delete(Some(carried.head)).await {
        Ok(PoolDeleted { .. }) => {}
        Err(error) => return Err(undeleted(path, error)),
    }
    let chunks = counted(carried.chunks, "chunk");
    let bodies = counted(carried.contents, "body");
    let archived = Archived {
        carried: &carried,
        file: path,
    };
    cx.out.answer(&archived, RowsPlace::Whole, || {
        format!(
            "pool {} is in {}: {chunks}, {bodies}, head {}; it is deleted here",
            carried.pool,
            path.display(),
            carried.head
        )
    })?;
    Ok(Exit::Ok)
}

/// Writes the pool into the file, makes it last, and reads it back.
async fn write(pool: &PoolClient, path: &Path, file: &mut File) -> Result<Carried, Failure> {
    let view = pool.view().await.map_err(refused)?;
    if view.members > 0 {
        return Err(Failure::new(
            Exit::Refused,
            format_args!(
                "the pool has {}; let them leave or end, and archive it then (pool-has-members)",
                counted(view.members, "member")
            ),
        ));
    }
    let failed = |error| Failure::file("write", path, &error);
    let mut export = pool.export().await.map_err(refused)?;
    while let Some(bytes) = export.next().await.map_err(refused)? {
        file.write_all(&bytes).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    sync_folder(path).map_err(failed)?;
    let read = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    let whole = transfer::verify(BufReader::new(read)).map_err(|error| transfer_failure(&error))?;
    match <[Carried; 1]>::try_from(whole) {
        Ok([carried]) if carried.pool == view.pool => Ok(carried),
        Ok(_) | Err(_) => Err(Failure::failed(format_args!(
            "{} does not hold pool {} alone; nothing was deleted",
            path.display(),
            view.pool
        ))),
    }
}

/// Makes the name of the file last.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The pool is in the file, and still on the server, or nobody knows.
fn undeleted(path: &Path, error: ClientError) -> Failure {
    let kind = error.problem().and_then(Problem::kind);
    let stays = matches!(
        kind,
        Some(ProblemKind::PoolHasMembers | ProblemKind::PoolChanged)
    );
    let failure = refused(error);
    if stays {
        // All of it is on the server, so the file is of no use; the next try writes it anew.
        let _ = fs::remove_file(path);
        return failure;
    }
    Failure::new(
        failure.exit(),
        format_args!(
            "{failure}; {} is whole, and whether the pool is deleted is not known: see `heronry pool show`",
            path.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use heronry_types::{Cursor, Epoch, Position};

    use super::*;
    use crate::fields::check_names;

    #[test]
    fn its_fields_are_those_of_its_answer() {
        let carried = Carried {
            pool: PoolId::parse("p").unwrap(),
            head: Cursor::new(Epoch([0; 16]), Position(1)),
            chunks: 1,
            contents: 0,
        };
        let archived = Archived {
            carried: &carried,
            file: Path::new("p.jsonl"),
        };
        check_names(&archived, &ARCHIVED_FIELDS);
    }
}
