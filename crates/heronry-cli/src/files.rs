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

use crate::text::add;

pub(crate) use self::{
    error::FileError,
    folder::{FileAge, Folder, Freshness},
    named::{Pipe, check_store, create_new, read_secret, replace_shared},
    trust::{Others, is_own_folder},
};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_never_leave_their_folder() {
        assert_eq!(file_name("review.1"), "review.1");
        assert_eq!(file_name("../a/b c"), "%2e.%2fa%2fb%20c");
        assert_eq!(file_name(".."), "%2e.");
        let long = file_name(&"ä".repeat(256));
        assert!(long.len() <= 200, "{}", long.len());
    }
}
