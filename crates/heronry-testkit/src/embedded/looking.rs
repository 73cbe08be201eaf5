//! Looking at a store leaves it as it is.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{EmbeddedAdapter, EmbeddedPlace};
use crate::{
    conformance::{Failure, same},
    recovery::{RecoveryWriter, read_back},
};

/// Writes to a store that was opened to be looked at are gone once it is closed.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn what_is_written_to_a_store_that_is_looked_at_does_not_last<A: EmbeddedAdapter>()
-> Result<(), Failure> {
    let place = EmbeddedPlace::<A>::new()?;
    let mut writer = place.writer()?;
    for _ in 0..20 {
        writer.write(2)?;
    }
    drop(writer);
    let before = place.image()?;
    let mut writer = RecoveryWriter::of(A::open_to_read(&place.store())?)?;
    writer.write(2)?;
    drop(writer);
    let is_kept = place.image()? == before;
    same("the store is left as it is", &is_kept, &true)
}

/// The number of commits of a store that is looked at.
const COMMITS: u64 = 20;

/// A store is looked at, whether it was closed or its process killed, when neither it nor the folder that it
/// stands in may be written. Nothing in that folder is another afterwards, times included.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn a_store_that_may_only_be_read_is_looked_at_and_nothing_is_written<A: EmbeddedAdapter>()
-> Result<(), Failure> {
    let place = EmbeddedPlace::<A>::new()?;
    let mut writer = place.writer()?;
    for _ in 0..COMMITS {
        writer.write(2)?;
    }
    let killed = place.image()?;
    drop(writer);
    let closed = place.image()?;
    for image in [killed, closed] {
        let place = EmbeddedPlace::<A>::put(&image)?;
        let paths = every_path(place.path())?;
        set_readonly(&paths, WriteMode::Refused)?;
        let before = times(&paths)?;
        let looked = look_twice::<A>(&place.store());
        let is_as_before = times(&every_path(place.path())?)? == before;
        // So that the directory can be removed.
        set_readonly(&paths, WriteMode::Allowed)?;
        looked?;
        same("nothing is made, removed or written", &is_as_before, &true)?;
        same(
            "the store is left as it is",
            &(place.image()? == image),
            &true,
        )?;
    }
    Ok(())
}

/// Looks at a store, and once more while it is closed again.
fn look_twice<A: EmbeddedAdapter>(store: &Path) -> Result<(), Failure> {
    for _ in 0..2 {
        match read_back(A::open_to_read(store), COMMITS)? {
            None => {}
            Some(error) => return Err(Failure::new(format!("it cannot be looked at: {error}"))),
        }
    }
    Ok(())
}

/// The permission to write to files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum WriteMode {
    Allowed,
    Refused,
}

/// Returns a folder and everything in it, what is in a folder after the folder.
fn every_path(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = vec![folder.to_owned()];
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            paths.extend(every_path(&entry.path())?);
        } else {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

fn set_readonly(paths: &[PathBuf], writing: WriteMode) -> io::Result<()> {
    for path in paths {
        let mut permissions = fs::metadata(path)?.permissions();
        match writing {
            WriteMode::Refused => permissions.set_readonly(true),
            #[cfg(unix)]
            WriteMode::Allowed => {
                use std::os::unix::fs::PermissionsExt;
                permissions.set_mode(permissions.mode() | 0o200);
            }
            #[cfg(not(unix))]
            WriteMode::Allowed => permissions.set_readonly(false),
        }
        fs::set_permissions(path, permissions)?;
    }
    Ok(())
}

/// Returns when each of these was written last.
fn times(paths: &[PathBuf]) -> io::Result<BTreeMap<PathBuf, SystemTime>> {
    let times = paths.iter().map(|path| {
        let modified = fs::metadata(path)?.modified()?;
        Ok((path.clone(), modified))
    });
    times.collect()
}
