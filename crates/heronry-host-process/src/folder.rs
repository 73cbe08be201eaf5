//! Folders of this user alone, and the files in them.

use std::{
    fmt::Write,
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

/// The longest name that is kept as it is, in bytes. File systems take 255.
const NAME_BYTES_MAX: usize = 200;
/// The bytes that a longer name keeps of its start, before a digest of all of it.
const START_BYTES: usize = 150;

/// Returns text as a file name: letters, digits, `-`, `_` and inner dots stay, the rest is `%xx`.
pub fn file_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for (index, byte) in text.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if is_plain || (byte == b'.' && index > 0) {
            name.push(char::from(byte));
        } else {
            // A string takes every text.
            let _ = write!(name, "%{byte:02x}");
        }
    }
    if name.len() > NAME_BYTES_MAX {
        let digest = blake3::hash(text.as_bytes()).to_hex();
        name.truncate(START_BYTES);
        name.push('~');
        name.push_str(digest.as_str().get(..32).unwrap_or_default());
    }
    name
}

/// Makes a folder below one that is there or is made, each for this user alone, and follows no link to
/// it.
pub(crate) fn make_inner(folder: &Path, names: &[&str]) -> io::Result<PathBuf> {
    let mut path = folder.to_owned();
    make(&path)?;
    for name in names {
        path.push(name);
        make(&path)?;
    }
    Ok(path)
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = std::fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    check_owner(found.uid(), path)
}

/// Opens a file of this user, and makes it for this user alone when it is missing. No link is followed.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = options.mode(0o600).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("not a file"));
    }
    check_owner(found.uid(), path)?;
    Ok(file)
}

fn check_owner(owner: u32, path: &Path) -> io::Result<()> {
    let me = rustix::process::geteuid().as_raw();
    if owner == me {
        return Ok(());
    }
    let path = path.display();
    Err(io::Error::other(format!(
        "{path} is of user {owner}, not of user {me}; remove it"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_never_leave_their_folder() {
        assert_eq!(file_name("review.1"), "review.1");
        assert_eq!(file_name("../a/b c"), "%2e.%2fa%2fb%20c");
        assert_eq!(file_name(".."), "%2e.");
        let long = file_name(&"ä".repeat(256));
        assert!(long.len() <= NAME_BYTES_MAX, "{}", long.len());
    }

    #[test]
    fn no_link_is_followed_to_a_folder_or_a_file() {
        let place = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), place.path().join("logs")).unwrap();
        let made = make_inner(place.path(), &["logs"]);
        assert_eq!(made.unwrap_err().kind(), io::ErrorKind::NotADirectory);
        let file = place.path().join("a.log");
        std::os::unix::fs::symlink(elsewhere.path().join("x"), &file).unwrap();
        assert!(open(&file, OpenOptions::new().append(true).create(true)).is_err());
        assert!(!elsewhere.path().join("x").exists());
    }
}
