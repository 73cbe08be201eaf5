//! Creating and opening the directory.

use std::io::ErrorKind;

use heronry_store::{
    StoreError, StoreErrorKind,
    embedded::{Purpose, WriterPools, guarded},
};

use crate::{
    disk::{Disk, DiskOp, Hook, see},
    failure::{failed, kind_of},
    files::{Sled, SledFiles},
    format,
    mark::Mark,
    place::Place,
    rows::Trees,
};

const CREATE: &str = "create the store";
const OPEN: &str = "open the store";

/// Creates an empty store. A crash anywhere leaves no store, or this one.
pub(crate) fn create(place: &Place, hook: &Hook) -> Result<(), StoreError> {
    let record = place.begin_creation(CREATE)?;
    let end = fill(&place.creating(), hook).and_then(|()| {
        see(hook, DiskOp::Sync)
            .and_then(|()| place.finish_creation())
            .map_err(|error| place.failed(CREATE, error))
    });
    if end.is_err() {
        // The error that is reported matters more than one about what it left behind.
        let _ = std::fs::remove_dir_all(place.creating().path());
    }
    drop(record);
    end
}

/// Makes an empty database and what stands beside it, and closes it.
fn fill(place: &Place, hook: &Hook) -> Result<(), StoreError> {
    let failed_io = |error| place.failed(CREATE, error);
    see(hook, DiskOp::Write).map_err(failed_io)?;
    let sled = guarded(CREATE, || {
        let db = format::config().path(place.path()).open();
        let db = db.map_err(|error| failed(CREATE, error))?;
        let trees = Trees::make(&db).map_err(|error| failed(CREATE, error))?;
        db.flush().map_err(|error| failed(CREATE, error))?;
        Ok::<_, StoreError>(Sled { trees, db })
    })?;
    guarded(CREATE, || {
        drop(sled);
        Ok::<_, StoreError>(())
    })?;
    let disk = Disk::open(place, hook).map_err(failed_io)?;
    disk.wait_unlocked();
    disk.mark_closed(&Mark::Closed(WriterPools::default().summary()))
        .and_then(|()| std::fs::read(place.conf()))
        .and_then(|conf| place.write_record(&format::encode(&conf)))
        .and_then(|()| place.restrict())
        .map_err(failed_io)
}

/// Opens a store that is there. Until its format is known nothing is written; sled itself then
/// writes when it opens, before its tables can be looked at.
pub(crate) fn open(
    place: &Place,
    hook: &Hook,
    purpose: Purpose,
) -> Result<(SledFiles, WriterPools), StoreError> {
    let failed_io = |error| place.failed(OPEN, error);
    place.remove_leftover().map_err(failed_io)?;
    let lock = place.enter(OPEN)?;
    let disk = Disk::open(place, hook).map_err(failed_io)?;
    let mark = disk.make_certain().map_err(|error| {
        if error.kind() == ErrorKind::ResourceBusy {
            return place.locked(OPEN);
        }
        place.failed(OPEN, error)
    })?;
    // Some damage makes sled panic, and closing it then may make it panic again. So what reads is
    // caught by itself, and the database is closed while nothing unwinds.
    let opened = guarded(OPEN, || {
        let sled = open_sled(place)?;
        let pools = guarded(OPEN, || sled.load(OPEN, purpose))?;
        if let Some(Mark::Closed(summary)) = mark {
            pools.check_summary(OPEN, &summary)?;
        }
        place
            .restrict()
            .and_then(|()| disk.mark_open())
            .map_err(failed_io)?;
        Ok((sled, pools))
    });
    match opened {
        Ok((sled, pools)) => Ok((SledFiles::new(sled, disk, lock), pools)),
        Err(error) => {
            // So that a second try meets the damage again, and not a lock that is on its way out.
            disk.wait_unlocked();
            Err(error)
        }
    }
}

fn open_sled(place: &Place) -> Result<Sled, StoreError> {
    let db = format::config().path(place.path()).open();
    let db = db.map_err(|error| unopened(place, error))?;
    let trees = guarded(OPEN, || {
        let trees = Trees::open(&db).map_err(|error| failed(OPEN, error))?;
        trees.ok_or_else(|| damaged(place, "a table is missing"))
    })?;
    Ok(Sled { trees, db })
}

fn unopened(place: &Place, error: sled::Error) -> StoreError {
    // sled says so in no other way, and the adapter keeps out everyone but strangers.
    if error.to_string().contains("could not acquire lock") {
        return place.locked(OPEN);
    }
    let (kind, at) = (kind_of(&error), place.path().display());
    let detail = if kind == StoreErrorKind::Corrupt {
        format!("{at}: sled's log is damaged ({error}); restore a copy")
    } else {
        format!("{at}: {error}")
    };
    StoreError::new(kind, OPEN, detail).with_source(error)
}

fn damaged(place: &Place, what: &str) -> StoreError {
    let detail = format!("{}: {what}", place.path().display());
    StoreError::new(StoreErrorKind::Corrupt, OPEN, detail)
}
