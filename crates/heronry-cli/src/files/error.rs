//! The reasons why a file or folder is not used.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use rustix::fs::RawMode;

use crate::failure::Failure;

/// The reason why a file or folder is not used. Each text names the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The file system refused the operation.
    #[error("cannot {doing} {}: {error}", .place.display())]
    Failed {
        doing: &'static str,
        place: PathBuf,
        error: io::Error,
    },
    /// The place is another user's, who could have chosen its content.
    #[error(
        "{place} belongs to user {owner} and this process is user {me}, so it is not used; \
         go on as its owner, or run: chown {me} {place}",
        place = .place.display()
    )]
    Foreign { place: PathBuf, owner: u32, me: u32 },
    /// Others than its owner may read or change the place.
    #[error(
        "{place} can be read or changed by others (mode {mode:04o}), so it is not used; \
         run: chmod {fit:o} {place}",
        place = .place.display()
    )]
    Open {
        place: PathBuf,
        mode: RawMode,
        fit: RawMode,
    },
    /// The place is a symbolic link, and none is followed there.
    #[error(
        "{} is a symbolic link to {}, which is not followed; remove the link, or name that place",
        .place.display(),
        .target.display()
    )]
    Link { place: PathBuf, target: PathBuf },
    /// The place holds something else than the expected kind.
    #[error("{} is not a {expected}; move it away, or name another place", .place.display())]
    Other {
        place: PathBuf,
        expected: &'static str,
    },
}

impl FileError {
    /// Returns a function that turns an error of the file system into one that names the operation
    /// and the place.
    pub(super) fn at<E: Into<io::Error>>(
        doing: &'static str,
        place: impl AsRef<Path>,
    ) -> impl FnOnce(E) -> Self {
        move |error| Self::Failed {
            doing,
            place: place.as_ref().to_owned(),
            error: error.into(),
        }
    }

    /// Returns true when nothing is there.
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Failed { error, .. } => error.kind() == ErrorKind::NotFound,
            Self::Foreign { .. } | Self::Open { .. } | Self::Link { .. } | Self::Other { .. } => {
                false
            }
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::failed(error)
    }
}
