//! The data directory: what a server keeps on this machine, and how the CLI finds it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{failure::Failure, text::add};

/// The environment variable that names another file for the operator token.
const OPERATOR_TOKEN_FILE: &str = "HERONRY_OPERATOR_TOKEN_FILE";

/// A data directory that may not exist yet.
#[derive(Clone, Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
}

/// What `server.json` says while a server runs.
#[derive(Debug, Deserialize, Serialize)]
struct ServerNote {
    url: String,
}

/// Removes `server.json` when the server is gone.
#[derive(Debug)]
pub(crate) struct Announced {
    path: PathBuf,
    text: String,
}

impl Drop for Announced {
    fn drop(&mut self) {
        // The file may name a server that started later on the same directory.
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            // A file that stays behind names a server that does not answer, and says so when used.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl DataDir {
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Creates the directory, readable by its owner alone, and makes its path absolute.
    pub(crate) fn create(&mut self) -> Result<(), Failure> {
        let failed = |error| Failure::file("create the data directory", &self.path, &error);
        make_private_dir(&self.path).map_err(failed)?;
        self.path = fs::canonicalize(&self.path).map_err(failed)?;
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("store.redb")
    }

    pub(crate) fn token_key(&self) -> PathBuf {
        self.path.join("token.key")
    }

    pub(crate) fn operator_token(&self) -> PathBuf {
        match std::env::var_os(OPERATOR_TOKEN_FILE) {
            Some(file) if !file.is_empty() => PathBuf::from(file),
            Some(_) | None => self.path.join("operator.token"),
        }
    }

    /// Returns the folder of cursor files, creating it when it is missing.
    pub(crate) fn cursors(&self) -> Result<PathBuf, Failure> {
        self.private_folder(&["cursors"])
    }

    /// Returns where cursor files are, whether or not that folder exists.
    pub(crate) fn cursors_place(&self) -> PathBuf {
        self.path.join("cursors")
    }

    /// Returns the folder of a pool's logs, creating it when it is missing.
    pub(crate) fn logs(&self, pool: &str) -> Result<PathBuf, Failure> {
        self.private_folder(&["logs", &file_name(pool)])
    }

    fn private_folder(&self, under: &[&str]) -> Result<PathBuf, Failure> {
        let mut folder = self.path.clone();
        folder.extend(under);
        make_private_dir(&folder).map_err(|error| Failure::file("create", &folder, &error))?;
        Ok(folder)
    }

    /// Says where the server is, until the answer is dropped.
    pub(crate) fn announce(&self, url: &str) -> Result<Announced, Failure> {
        let path = self.path.join("server.json");
        let note = ServerNote {
            url: url.to_owned(),
        };
        let text = serde_json::to_string(&note).map_err(Failure::failed)? + "\n";
        replace_file(&path, text.as_bytes())
            .map_err(|error| Failure::file("write", &path, &error))?;
        Ok(Announced { path, text })
    }

    /// Returns the URL of the server that runs on this directory, when one says so.
    pub(crate) fn announced_url(&self) -> Option<String> {
        let text = fs::read_to_string(self.path.join("server.json")).ok()?;
        // A file that is being replaced or was damaged names no server.
        let note: ServerNote = serde_json::from_str(&text).ok()?;
        Some(note.url)
    }
}

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

/// Writes a file so that it is there as a whole or not at all.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.new", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let mut file = private_file(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
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

fn make_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Returns true when others than the owner can read or write the file.
pub(crate) fn is_open_to_others(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
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

    #[test]
    fn the_directory_and_its_files_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let mut data = DataDir::at(folder.path().join("a/b"));
        data.create().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(data.path()), 0o700);
        let announced = data.announce("http://127.0.0.1:1").unwrap();
        assert_eq!(mode(&data.path().join("server.json")), 0o600);
        assert_eq!(data.announced_url().unwrap(), "http://127.0.0.1:1");
        drop(announced);
        assert_eq!(data.announced_url(), None);
    }
}
