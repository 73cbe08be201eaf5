//! Files that are there whole or not at all, and that only their owner can read.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::text::add;

/// The largest number of symbolic links that are followed from a path.
const LINKS_MAX: usize = 40;

/// Returns text as a file name: letters, digits, `-`, `_` and inner dots stay, the rest is `%xx`.
pub(crate) fn file_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for (index, byte) in text.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if is_plain || (byte == b'.' && index > 0) {
            name.push(char::from(byte));
        } else {
            add(&mut name, format_args!("%{byte:02x}"));
        }
    }
    // File systems take 255 bytes; a long id keeps its start and a digest of all of it.
    if name.len() > 200 {
        let digest = blake3::hash(text.as_bytes()).to_hex();
        name.truncate(150);
        name.push('~');
        name.push_str(digest.as_str().get(..32).unwrap_or_default());
    }
    name
}

/// Writes a file so that it is there as a whole or not at all. What was there is replaced; a symbolic
/// link stays, and what it leads to is replaced.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let place = followed(path)?;
    let temporary = write_beside(&place, bytes)?;
    let replaced = fs::rename(&temporary, &place);
    if replaced.is_err() {
        // A leftover is overwritten by the next process of the same number.
        let _ = fs::remove_file(&temporary);
    }
    replaced
}

/// Writes a file that is not there yet so that it is there as a whole or not at all. Of two processes
/// that do so at once, one is refused; hard links are not needed.
pub(crate) fn create_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let place = followed(path)?;
    // On a full disk what is there needs no room.
    if fs::symlink_metadata(&place).is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let temporary = write_beside(&place, bytes)?;
    let created = rename_to_free(&temporary, &place);
    if created.is_err() {
        // A leftover is overwritten by the next process of the same number.
        let _ = fs::remove_file(&temporary);
    }
    created
}

fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    let renamed = renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE);
    let Err(error) = renamed else {
        return Ok(());
    };
    let error = io::Error::from(error);
    let is_unknown = matches!(
        error.kind(),
        ErrorKind::InvalidInput | ErrorKind::Unsupported
    );
    if !is_unknown {
        return Err(error);
    }
    // A file system without the flag: the data directory has one owner, so nobody comes in between.
    if fs::symlink_metadata(to).is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}

fn write_beside(place: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut temporary = place.as_os_str().to_owned();
    temporary.push(format!(".{}.new", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let mut file = private_file(&temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // What failed matters more than what is left of it.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    Ok(temporary)
}

/// Returns where a path leads to by symbolic links, also when nothing is there yet.
pub(crate) fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&place) else {
            return Ok(place);
        };
        let folder = place.parent().unwrap_or(Path::new(""));
        place = folder.join(target);
    }
    let what = format!("more than {LINKS_MAX} symbolic links");
    Err(io::Error::new(ErrorKind::InvalidInput, what))
}

/// Creates or empties a file that only its owner can read.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// Creates a folder that only its owner can enter, and the folders above it.
pub(crate) fn make_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The bits of a mode that let others than the owner do anything.
const OTHERS: u32 = 0o077;

/// Returns true when a mode lets others than the owner do anything.
pub(crate) fn has_mode_for_others(found: &fs::Metadata) -> bool {
    found.permissions().mode() & OTHERS != 0
}

/// Returns true when others than the owner can read or write the file.
pub(crate) fn is_open_to_others(file: &File) -> io::Result<bool> {
    Ok(has_mode_for_others(&file.metadata()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn file_names_never_leave_their_folder() {
        assert_eq!(file_name("review.1"), "review.1");
        assert_eq!(file_name("../a/b c"), "%2e.%2fa%2fb%20c");
        assert_eq!(file_name(".."), "%2e.");
        let long = file_name(&"ä".repeat(256));
        assert!(long.len() <= 200, "{}", long.len());
    }

    #[test]
    fn a_file_is_created_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        create_file(&path, b"one").unwrap();
        let again = create_file(&path, b"two").unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_symbolic_link_is_followed_and_stays_whether_it_leads_to_something_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let [link, place] = ["link", "place"].map(|name| folder.path().join(name));
        symlink("place", &link).unwrap();
        create_file(&link, b"one").unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"one");
        replace_file(&link, b"two").unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let round = folder.path().join("round");
        symlink("round", &round).unwrap();
        assert!(replace_file(&round, b"x").is_err());
    }
}
