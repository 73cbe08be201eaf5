//! The one door to the file system, for the files that this program keeps and those that it is told
//! to write.
//!
//! The file system is not trusted, because others may have laid traps there: a folder that the
//! program calls its own belongs to its user and to nobody else, and so does every file in it that
//! is read. Names are looked up under the descriptor of the folder that was checked, no symbolic
//! link is followed from there, and a new file is one that was not there before.

mod error;
mod folder;
mod named;
mod trust;

pub(crate) use heronry_host_process::file_name;

pub(crate) use self::{
    error::FileError,
    folder::{FileAge, Folder, Freshness},
    named::{Pipe, check_store, create_new, read_secret, replace_shared},
    trust::{Others, is_own_folder},
};

/// Makes a temporary folder of this user alone.
#[cfg(test)]
pub(crate) fn private_temp() -> tempfile::TempDir {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};
    let closed = Permissions::from_mode(0o700);
    tempfile::Builder::new()
        .permissions(closed)
        .tempdir()
        .unwrap()
}
