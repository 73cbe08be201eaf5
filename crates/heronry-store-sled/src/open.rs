//! Creating and opening the directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
};

use heronry_store::{StoreError, StoreErrorKind};
use heronry_store_embedded::{
    Purpose, WriterPools,
    files::{FileAccess, failed_io},
    guarded,
};

use crate::{
    closing_mark::{ClosingMark, ClosingMarkFile},
    copy::{self, StoreCopy},
    disk::{Disk, DiskOp, Hook, see},
    failure::{failed, kind_of},
    files::{Sled, SledFiles},
    format,
    log::recovery::Unrecovered,
    place::SledDirectory,
    rows::Trees,
    settle::{self, Settling},
};

const CREATE: &str = "create the store";
const OPEN: &str = "open the store";

/// Creates an empty store. A crash anywhere leaves no store, or this one.
pub(crate) fn create(place: &SledDirectory, hook: &Hook) -> Result<(), StoreError> {
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
fn fill(place: &SledDirectory, hook: &Hook) -> Result<(), StoreError> {
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
    let db = OpenOptions::new().read(true).write(true).open(place.db());
    let disk = db
        .and_then(|db| Disk::open(place, hook, db))
        .map_err(failed_io)?;
    disk.wait_unlocked();
    disk.note_written()
        .and_then(|end| {
            let (end, summary) = (Some(end), WriterPools::default().summary());
            disk.mark_closed(&ClosingMark::Closed { end, summary })
        })
        .and_then(|()| std::fs::read(place.conf()))
        .and_then(|conf| place.write_record(&format::encode(&conf)))
        .and_then(|()| place.restrict())
        .map_err(failed_io)
}

/// Opens a store that is there. Until its format is known, and its log is found whole, nothing is
/// written; to be looked at, a copy of it is opened.
pub(crate) fn open(
    place: &SledDirectory,
    hook: &Hook,
    purpose: Purpose,
) -> Result<(SledFiles, WriterPools), StoreError> {
    let failed_io = |error| place.failed(OPEN, error);
    let access = FileAccess::for_purpose(purpose);
    match access {
        FileAccess::Read => {}
        FileAccess::ReadWrite => place.remove_leftover().map_err(failed_io)?,
    }
    let lock = place.enter(OPEN, access)?;
    let copy = match access {
        FileAccess::ReadWrite => {
            copy::remove_leftover(place).map_err(failed_io)?;
            None
        }
        FileAccess::Read => {
            let _db = open_log(place, place, access)?;
            Some(StoreCopy::of(place).map_err(|error| uncopied(place, error))?)
        }
    };
    let opening = Opening {
        named: place,
        place: copy.as_ref().map_or(place, StoreCopy::place),
        hook,
        purpose,
    };
    let (sled, disk, pools) = opening.open()?;
    Ok((SledFiles::new(sled, disk, (copy, lock)), pools))
}

/// Opens the log for the adapter, and keeps other programs out of it.
fn open_log(
    named: &SledDirectory,
    place: &SledDirectory,
    access: FileAccess,
) -> Result<File, StoreError> {
    let db = access.options().open(place.db());
    let db = db.map_err(|error| named.failed(OPEN, error))?;
    match db.try_lock() {
        Ok(()) => Ok(db),
        Err(TryLockError::WouldBlock) => Err(named.locked(OPEN)),
        Err(TryLockError::Error(error)) => Err(named.failed(OPEN, error)),
    }
}

/// An opening of a store whose lock is held.
struct Opening<'a> {
    /// The store that errors name.
    named: &'a SledDirectory,
    /// The store that is opened: this one, or its copy.
    place: &'a SledDirectory,
    hook: &'a Hook,
    purpose: Purpose,
}

impl Opening<'_> {
    fn open(&self) -> Result<(Sled, Disk, WriterPools), StoreError> {
        let failed_io = |error| self.named.failed(OPEN, error);
        settle::remove_unfinished(self.place).map_err(failed_io)?;
        let db = open_log(self.named, self.place, FileAccess::ReadWrite)?;
        let mark = ClosingMarkFile::read(&self.place.mark()).map_err(failed_io)?;
        let lasting = mark.as_ref().and_then(ClosingMark::lasting);
        let recovery = match self.settling(&db).read(lasting) {
            Ok(recovery) => recovery,
            Err(Unrecovered::Damaged(what)) => {
                drop(db);
                let lost = self.find_lost(mark.as_ref());
                let what = lost.map_or(what.clone(), |lost| format!("{what}, and {lost}"));
                return Err(self.unrecovered(Unrecovered::Damaged(what)));
            }
            Err(error) => return Err(self.unrecovered(error)),
        };
        let disk = Disk::open(self.place, self.hook, db).map_err(failed_io)?;
        disk.make_certain(mark.as_ref()).map_err(failed_io)?;
        let settling = self.settling(disk.db());
        let settled = settling.settle(&recovery);
        let settled = settled.map_err(|error| self.unrecovered(error))?;
        disk.start_at(settled.tip);
        disk.unlock().map_err(failed_io)?;
        let opened = guarded(OPEN, || open_sled(self.named, self.place));
        // sled takes what it could not read for the end of its log, whether it says so or not.
        if !matches!(settling.is_kept(&settled), Ok(true)) {
            drop(opened);
            disk.wait_unlocked();
            return Err(failed_io(settling.put_back(&settled)));
        }
        let ended = opened.and_then(|sled| self.admit(sled, &disk, mark));
        if ended.is_err() {
            // So that a second try meets the damage again, and not a lock that is on its way out.
            disk.wait_unlocked();
        }
        ended.map(|(sled, pools)| (sled, disk, pools))
    }

    fn settling<'a>(&'a self, db: &'a File) -> Settling<'a> {
        Settling {
            place: self.place,
            db,
            hook: self.hook,
        }
    }

    /// Reads what opening reads, and writes down that the store is in use.
    ///
    /// Some damage makes sled panic, and closing it then may make it panic again. So what reads is
    /// caught by itself, and the database is closed while nothing unwinds.
    fn admit(
        &self,
        sled: Sled,
        disk: &Disk,
        mark: Option<ClosingMark>,
    ) -> Result<(Sled, WriterPools), StoreError> {
        guarded(OPEN, || {
            let pools = guarded(OPEN, || sled.load(OPEN, self.purpose))?;
            if let Some(ClosingMark::Closed { summary, .. }) = mark {
                pools.check_summary(OPEN, &summary)?;
            }
            self.place
                .restrict()
                .and_then(|()| disk.mark_open())
                .map_err(|error| self.named.failed(OPEN, error))?;
            Ok((sled, pools))
        })
    }

    /// Finds out what a damaged log has lost, by letting sled cut off what it cannot read in a copy.
    /// Nothing is returned when that does not say it, or cannot be done.
    fn find_lost(&self, mark: Option<&ClosingMark>) -> Option<String> {
        let copy = match self.purpose {
            Purpose::Use | Purpose::Move => Some(StoreCopy::of(self.place).ok()?),
            // This is one.
            Purpose::Read => None,
        };
        let place = copy.as_ref().map_or(self.place, StoreCopy::place);
        let looked = guarded(OPEN, || {
            let sled = open_sled(self.named, place)?;
            let pools = guarded(OPEN, || sled.load(OPEN, Purpose::Read))?;
            match mark {
                Some(ClosingMark::Closed { summary, .. }) => pools.check_summary(OPEN, summary),
                Some(ClosingMark::Open(_)) | None => Ok(()),
            }
        });
        let said = looked.err()?.to_string();
        let lost = said.strip_prefix("store cannot open the store: ")?;
        lost.starts_with("pool ").then(|| lost.to_owned())
    }

    fn unrecovered(&self, error: Unrecovered) -> StoreError {
        match error {
            Unrecovered::Io(error) => self.named.failed(OPEN, error),
            Unrecovered::Damaged(what) => {
                let what = format!("sled's log is damaged: {what}; restore a copy");
                damaged(self.named, &what)
            }
        }
    }
}

fn open_sled(named: &SledDirectory, place: &SledDirectory) -> Result<Sled, StoreError> {
    let db = format::config().path(place.path()).open();
    let db = db.map_err(|error| unopened(named, error))?;
    let trees = guarded(OPEN, || {
        let trees = Trees::open(&db).map_err(|error| failed(OPEN, error))?;
        trees.ok_or_else(|| damaged(named, "a table is missing"))
    })?;
    Ok(Sled { trees, db })
}

fn uncopied(place: &SledDirectory, error: io::Error) -> StoreError {
    let what = format!(
        "{}: it is looked at in a copy, which cannot be made",
        place.path().display()
    );
    failed_io(OPEN, what, error)
}

fn unopened(place: &SledDirectory, error: sled::Error) -> StoreError {
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

fn damaged(place: &SledDirectory, what: &str) -> StoreError {
    let detail = format!("{}: {what}", place.path().display());
    StoreError::new(StoreErrorKind::Corrupt, OPEN, detail)
}
