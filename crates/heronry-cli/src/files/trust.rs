//! Ownership and permissions: the owner of a file or folder, and the rights of others.

use std::path::Path;

use rustix::fs::{FileType, RawMode, Stat};

use super::FileError;

/// The bits of a mode that permissions are.
const PERMISSIONS: RawMode = 0o7777;

/// The most that other users may do with a file or folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Others {
    /// Nothing: it is a secret, or holds some.
    DoNothing,
    /// Read it: nobody else decides its content.
    Read,
}

impl Others {
    /// Returns the bits of a mode that let them do more.
    fn refused(self) -> RawMode {
        match self {
            Self::DoNothing => 0o077,
            Self::Read => 0o022,
        }
    }
}

/// Checks that something is a file of this user alone.
pub(super) fn check_file(found: &Stat, place: &Path, others: Others) -> Result<(), FileError> {
    if file_type(found) != FileType::RegularFile {
        let place = place.to_owned();
        let expected = "file";
        return Err(FileError::Other { place, expected });
    }
    check_owner(found, place)?;
    check_mode(found, place, (others.refused(), 0o600))
}

/// Checks that something is a folder of this user alone.
pub(super) fn check_folder(found: &Stat, place: &Path, others: Others) -> Result<(), FileError> {
    if file_type(found) != FileType::Directory {
        let place = place.to_owned();
        let expected = "folder";
        return Err(FileError::Other { place, expected });
    }
    check_owner(found, place)?;
    check_mode(found, place, (others.refused(), 0o700))
}

/// Checks a secret that a person named: a file of this user alone, or one of the superuser's that a
/// group may read, as a platform mounts them. A pipe or a terminal is the caller's own business.
pub(super) fn check_named_secret(found: &Stat, place: &Path) -> Result<(), FileError> {
    if is_handed_over(found) {
        return Ok(());
    }
    let is_of_root = found.st_uid == 0 && rustix::process::geteuid().as_raw() != 0;
    if is_of_root && file_type(found) == FileType::RegularFile {
        return check_mode(found, place, (0o027, 0o640));
    }
    check_file(found, place, Others::DoNothing)
}

/// Returns true for a pipe, a socket or a terminal: it can be read once.
pub(super) fn is_handed_over(found: &Stat) -> bool {
    matches!(
        file_type(found),
        FileType::Fifo | FileType::Socket | FileType::CharacterDevice
    )
}

/// Returns true when a path leads to a folder of this user, and nobody else laid the link that leads
/// there, if one does.
pub(crate) fn is_own_folder(path: &Path) -> bool {
    let is_own = |found: &Stat| check_owner(found, path).is_ok();
    let named = rustix::fs::lstat(path).is_ok_and(|found| is_own(&found));
    let led_to = rustix::fs::stat(path);
    named && led_to.is_ok_and(|it| file_type(&it) == FileType::Directory && is_own(&it))
}

/// Checks a folder that a person named a store in: nobody but this user and the superuser changes what
/// is in it.
pub(super) fn check_folder_of_store(found: &Stat, place: &Path) -> Result<(), FileError> {
    if found.st_uid != 0 {
        check_owner(found, place)?;
    }
    let refused = Others::Read.refused();
    check_mode(
        found,
        place,
        (refused, found.st_mode & PERMISSIONS & !refused),
    )
}

/// Checks that something is this user's. The superuser is no exception: what another user laid would
/// decide what the superuser does.
pub(super) fn check_owner(found: &Stat, place: &Path) -> Result<(), FileError> {
    let me = rustix::process::geteuid().as_raw();
    if found.st_uid == me {
        return Ok(());
    }
    Err(FileError::Foreign {
        place: place.to_owned(),
        owner: found.st_uid,
        me,
    })
}

fn check_mode(
    found: &Stat,
    place: &Path,
    (refused, fit): (RawMode, RawMode),
) -> Result<(), FileError> {
    let mode = found.st_mode & PERMISSIONS;
    if mode & refused == 0 {
        return Ok(());
    }
    let place = place.to_owned();
    Err(FileError::Open { place, mode, fit })
}

pub(super) fn file_type(found: &Stat) -> FileType {
    FileType::from_raw_mode(found.st_mode)
}
