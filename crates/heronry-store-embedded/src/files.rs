//! Files and directories of a store: made for their owner alone, and made to last.

use std::{
    fmt::Display,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind},
    path::Path,
};

use heronry_store::{StoreError, StoreErrorKind};

use crate::Purpose;

/// The use that is made of the files of a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileAccess {
    /// The files are read, and nothing is written to them.
    Read,
    /// The files are read and written.
    ReadWrite,
}

impl FileAccess {
    /// Returns the access that a purpose needs.
    pub fn for_purpose(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Read => Self::Read,
            Purpose::Use | Purpose::Move => Self::ReadWrite,
        }
    }

    /// Returns the options that open a file that is there.
    pub fn options(self) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(self == Self::ReadWrite);
        options
    }
}

/// Turns a fault of the file system into the error of an operation.
pub fn failed_io(op: &'static str, what: impl Display, error: io::Error) -> StoreError {
    StoreError::new(kind_of_io(&error), op, format!("{what}: {error}")).with_source(error)
}

/// Returns what a caller can do about a fault of the file system.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum is the standard library's, and every other kind means the same here"
)]
pub fn kind_of_io(error: &io::Error) -> StoreErrorKind {
    match error.kind() {
        ErrorKind::NotFound => StoreErrorKind::NotFound,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreErrorKind::ReadOnly,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreErrorKind::Full,
        ErrorKind::IsADirectory => StoreErrorKind::NotAStore,
        ErrorKind::UnexpectedEof => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Io,
    }
}

/// Returns the directory that a path stands in.
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// Makes a directory and those above it, each for its owner alone, and syncs where it was entered.
///
/// # Errors
/// The error of the file system.
pub fn make_directories(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let above = directory_of(directory);
    make_directories(above)?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(directory) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_directory(above),
    }
}

/// Refuses a symbolic link that leads to nothing: a creation under its name would replace it.
///
/// # Errors
/// [`ErrorKind::NotFound`] that names where the link leads.
pub fn refuse_dangling(path: &Path) -> io::Result<()> {
    let Ok(target) = fs::read_link(path) else {
        return Ok(());
    };
    if fs::exists(path)? {
        return Ok(());
    }
    let what = format!(
        "this is a symbolic link to {}, where nothing is; remove the link, or name that place",
        target.display()
    );
    Err(io::Error::new(ErrorKind::NotFound, what))
}

/// Syncs a directory, so that the names entered into it last.
///
/// # Errors
/// The error of the file system.
#[cfg(unix)]
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Does nothing: elsewhere a directory cannot be opened as a file, and a rename is as durable as
/// the system makes it.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes a new file one for its owner alone, and opens no symbolic link in its place.
#[cfg(unix)]
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits();
    options.mode(0o600).custom_flags(nofollow.cast_signed())
}

/// Does nothing: elsewhere a file has no mode, and links are rare.
#[cfg(not(unix))]
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Returns true when a path still leads to an open file.
///
/// # Errors
/// The error of the file system.
#[cfg(unix)]
pub fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns true when something is there: elsewhere an open file cannot be renamed away.
///
/// # Errors
/// The error of the file system.
#[cfg(not(unix))]
pub fn leads_to(path: &Path, _: &File) -> io::Result<bool> {
    fs::exists(path)
}
