//! `heronry restore`: puts the pools of a backup where nothing is yet.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use heronry_runtime::marks::MarkedStore;
use heronry_store_embedded::files::directory_of;
use heronry_transfer::{self as transfer, Carried, RestoredTimeline};

use super::{
    backup::{
        beside,
        manifest::{Manifest, store_of},
        temporary_name,
    },
    journal::verify,
};
use crate::{
    carry::{Way, carrier, show, transfer_failure},
    connect::Context,
    data_dir::{DataDirOwnership, Made, OwnerNote},
    failure::{Exit, Failure, Outcome},
    files::{FileAge, Folder, Others},
    host::{MarkFile, StoreChoice, open_store, store_failure},
};

/// Put the pools of a backup into a data directory that has no store, and start a new epoch in each
#[derive(Debug, Args)]
#[command(
    after_help = "Everything is verified before anything is written. With a new epoch no cursor of what was recorded after \
the backup can come to mean another record: its readers are told. --move goes on in the same epoch, and is right only when \
the store that was backed up recorded nothing afterwards and is never used again.\n\n\
Example:\n  heronry restore backups/monday --data-dir .heronry"
)]
pub(crate) struct RestoreArgs {
    /// The folder that `heronry backup` made
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The store to make, as PATH, redb:PATH or sled:PATH [default: store.redb in the data directory]
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Go on in the same epoch: the store that was backed up is never used again
    #[arg(long = "move")]
    moves: bool,
}

/// The place of a restored store, which this process has while it restores.
struct RestorePlace {
    choice: StoreChoice,
    /// The data directory that the store is for, when it is its usual one.
    data_dir: Option<OwnedDataDir>,
}

/// A data directory that no server can take meanwhile.
struct OwnedDataDir {
    folder: Folder,
    _ownership: DataDirOwnership,
}

pub(crate) async fn run(mut cx: Context, args: &RestoreArgs) -> Outcome {
    let backup = Folder::checked(&args.dir, Others::Read)?;
    let manifest = Manifest::read(&backup)?;
    let key = manifest.key(&backup)?;
    let from = store_of(&args.dir)?;
    manifest.compare(&verify::good(&from).await?, &args.dir)?;
    let timeline = if args.moves {
        RestoredTimeline::AsBefore
    } else {
        RestoredTimeline::New
    };
    let mut made = Made::Before;
    let restored = match RestorePlace::take(&mut cx, args, &mut made) {
        Ok(place) => place.fill(&cx, &from, timeline, key).await,
        Err(failure) => Err(failure),
    };
    if restored.is_err() && made == Made::Now {
        cx.data_dir.unmake();
    }
    show(&cx, Way::Restored, &restored?)?;
    if args.moves {
        cx.out.note(
            "the pools go on in the same epoch: what the store of the backup recorded after it, and what is recorded \
             here, have the same cursors; never use that store again",
        );
    }
    Ok(Exit::Ok)
}

impl RestorePlace {
    /// Takes the place of the store, where nothing may be.
    fn take(cx: &mut Context, args: &RestoreArgs, made: &mut Made) -> Result<Self, Failure> {
        if let Some(named) = &args.store {
            let choice = StoreChoice::named(named).map_err(Failure::usage)?;
            if choice == StoreChoice::Memory {
                return Err(Failure::usage("a store in memory keeps no journal"));
            }
            check_free(choice.path())?;
            let data_dir = None;
            return Ok(Self { choice, data_dir });
        }
        *made = cx.data_dir.create()?;
        let choice = StoreChoice::Redb(cx.data_dir.store());
        check_free(choice.path())?;
        let note = OwnerNote {
            pid: std::process::id(),
            url: None,
            store: choice.to_string(),
            started: carrier().clock.now().wall,
        };
        let data_dir = OwnedDataDir {
            folder: Folder::private(cx.data_dir.path())?,
            _ownership: DataDirOwnership::take(cx.data_dir.path(), &note)?,
        };
        Ok(Self {
            choice,
            data_dir: Some(data_dir),
        })
    }

    /// Brings the pools there. The store gets its name when all of them are in it.
    async fn fill(
        &self,
        cx: &Context,
        from: &StoreChoice,
        timeline: RestoredTimeline,
        key: Option<String>,
    ) -> Result<Vec<Carried>, Failure> {
        match (&self.data_dir, key) {
            (Some(data_dir), Some(key)) => put_key(&data_dir.folder, &key)?,
            (None, Some(_)) => cx.out.note(
                "the backup has token.key, which belongs into the data directory; it is left where it is",
            ),
            (Some(_) | None, None) => {}
        }
        let path = self.choice.path();
        let name = temporary_name(path.file_name().unwrap_or_default())?;
        let new = beside(path, &name);
        let restored = self.bring(from, &new, timeline).await;
        if restored.is_err() {
            // What failed matters more than what is left of it.
            let _ = remove(&new);
        }
        let restored = restored?;
        self.take_mark_over(timeline).await?;
        Ok(restored)
    }

    async fn bring(
        &self,
        from: &StoreChoice,
        new: &Path,
        timeline: RestoredTimeline,
    ) -> Result<Vec<Carried>, Failure> {
        let temporary = match &self.choice {
            StoreChoice::Sled(_) => StoreChoice::Sled(new.to_owned()),
            StoreChoice::Redb(_) | StoreChoice::Memory => StoreChoice::Redb(new.to_owned()),
        };
        let from = crate::host::open_to_read(from)?;
        let to = open_store(&temporary)?;
        let restored = transfer::restore(&from, &to, &carrier(), timeline).await;
        drop(to);
        let restored = restored.map_err(|error| transfer_failure(&error))?;
        let path = self.choice.path();
        check_free(path)?;
        fs::rename(new, path).map_err(|error| Failure::file("write", path, &error))?;
        Folder::shared(directory_of(path))?.sync()?;
        Ok(restored)
    }

    /// Lets the mark that may be there say what the store holds. Where the same epoch goes on it stays: when it
    /// names a later head, then the store of before recorded more, and the next server says so.
    async fn take_mark_over(&self, timeline: RestoredTimeline) -> Result<(), Failure> {
        let file = match timeline {
            RestoredTimeline::New => MarkFile::of(&self.choice),
            RestoredTimeline::AsBefore => None,
        };
        let Some(file) = file else {
            return Ok(());
        };
        let MarkedStore { store, keeper } = file.keep(open_store(&self.choice)?);
        let taken = keeper.take_over(&store, &BTreeSet::new()).await;
        taken.map_err(|error| store_failure(&error))?;
        keeper.settle().await;
        Ok(())
    }
}

/// Puts the key of member tokens into a data directory that has none, or the same.
fn put_key(folder: &Folder, key: &str) -> Result<(), Failure> {
    match folder.create(super::backup::manifest::KEY_FILE, key.as_bytes())? {
        FileAge::Made => Ok(folder.sync()?),
        FileAge::Before => {
            let there = folder.read(super::backup::manifest::KEY_FILE, Others::DoNothing)?;
            if there.as_deref() == Some(key) {
                return Ok(());
            }
            Err(Failure::failed(format_args!(
                "{} has another token.key than the backup; remove one of the two",
                folder.path().display()
            )))
        }
    }
}

fn check_free(path: &Path) -> Result<(), Failure> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    Err(Failure::failed(format_args!(
        "{} is there already; move it away, or name another place with --data-dir or --store",
        path.display()
    )))
}

fn remove(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return fs::remove_dir_all(path);
    }
    fs::remove_file(path)
}
