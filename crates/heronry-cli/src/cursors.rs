//! Cursor files: where a loop over `wait` or `watch` stands.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use heronry_types::Cursor;

use crate::{data_dir::DataDir, failure::Failure, files::replace_file, secrets::hex};

/// A file that holds one cursor.
#[derive(Clone, Debug)]
pub(crate) struct CursorFile {
    path: PathBuf,
}

impl CursorFile {
    /// Returns the file that a person named.
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Returns the file that stands for these texts: the same texts, the same file.
    pub(crate) fn of(data_dir: &DataDir, texts: &[&str]) -> Result<Self, Failure> {
        let name = digest(texts);
        Ok(Self {
            path: data_dir.cursors()?.join(format!("{name}.cursor")),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the cursor in the file; nothing when there is no file.
    pub(crate) fn read(&self) -> Result<Option<Cursor>, Failure> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file("read", &self.path, &error)),
        };
        Cursor::parse(text.trim()).map(Some).map_err(|error| {
            Failure::usage(format_args!(
                "{}: {error}; remove the file to start anew",
                self.path.display()
            ))
        })
    }

    /// Replaces the cursor in the file.
    pub(crate) fn write(&self, cursor: Cursor) -> Result<(), Failure> {
        replace_file(&self.path, format!("{cursor}\n").as_bytes())
            .map_err(|error| Failure::file("write", &self.path, &error))
    }
}

/// Returns 32 hex digits that stand for these texts, and for no other list of texts.
pub(crate) fn digest(texts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    let hash = hasher.finalize();
    hex(hash.as_bytes().get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_where_texts_end() {
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }

    #[test]
    fn a_cursor_is_read_back_and_a_damaged_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = CursorFile::at(&folder.path().join("c"));
        assert_eq!(file.read().unwrap(), None);
        let cursor = Cursor::parse(&format!("{}-7", "0a".repeat(16))).unwrap();
        file.write(cursor).unwrap();
        assert_eq!(file.read().unwrap(), Some(cursor));
        fs::write(file.path(), "7\n").unwrap();
        assert!(file.read().is_err());
    }
}
