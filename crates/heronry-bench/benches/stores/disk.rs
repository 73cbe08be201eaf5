//! The size of a folder on the disk.

use std::{
    fs::{self, File},
    path::Path,
};

/// Returns the bytes of every file in a folder that the file system has given room to.
pub(crate) fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                bytes(&entry.path())
            } else {
                room(&entry.metadata().unwrap())
            }
        })
        .sum()
}

#[cfg(unix)]
fn room(file: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(file) * 512
}

#[cfg(not(unix))]
fn room(file: &fs::Metadata) -> u64 {
    file.len()
}

/// Copies a folder as it stands, which is what a process that is killed leaves behind.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
            // Else whoever opens it pays for it.
            File::open(&to).unwrap().sync_all().unwrap();
        }
    }
}
