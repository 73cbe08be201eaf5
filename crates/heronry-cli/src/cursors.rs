//! Cursor files: the cursor of a loop over `wait` or `watch`, and that of the last message or event
//! that a run sent or saw.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use heronry_types::Cursor;
use serde::{Deserialize, Serialize};

use crate::{
    data_dir::DataDir,
    failure::Failure,
    files::{FileError, Folder, Others},
    secrets::hex,
};

/// The extension of the cursor files of the data directory.
const EXTENSION: &str = "cursor";

/// A file that holds one cursor.
#[derive(Clone, Debug)]
pub(crate) struct CursorFile {
    path: PathBuf,
    note: Option<Note>,
}

/// The purpose of a cursor file of the data directory: the line below its cursor.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Note {
    /// The meaning of the cursor.
    #[serde(rename = "of")]
    pub(crate) what: What,
    /// The pool.
    pub(crate) pool: String,
    /// The run; empty when none was named.
    pub(crate) run: String,
    /// The condition that is waited for, as text; absent for the cursor of what a run last sent or saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<String>,
}

/// The meaning of the cursor in a file of the data directory.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// The point where the last wait for the condition ended, or where the first one began.
    Wait,
    /// The point of the last message or event that the run sent or saw.
    Last,
}

impl Note {
    /// Returns the texts that stand for the note: the same note, the same texts.
    fn texts(&self) -> Vec<&str> {
        let what = match self.what {
            What::Wait => "wait",
            What::Last => "last",
        };
        let filter = self.filter.as_deref();
        [what, &self.pool, &self.run]
            .into_iter()
            .chain(filter)
            .collect()
    }
}

impl CursorFile {
    /// Returns the file that a person named.
    pub(crate) fn at(path: &Path) -> Self {
        let path = path.to_owned();
        Self { path, note: None }
    }

    /// Returns the file of the data directory that is for this: the same note, the same file.
    pub(crate) fn of(data_dir: &DataDir, note: Note) -> Result<Self, Failure> {
        let name = digest(&note.texts());
        Ok(Self {
            path: data_dir
                .cursors()?
                .path()
                .join(format!("{name}.{EXTENSION}")),
            note: Some(note),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the cursor in the file; nothing when there is no file.
    pub(crate) fn read(&self) -> Result<Option<Cursor>, Failure> {
        let read = self
            .folder()
            .and_then(|(folder, name, others)| folder.read(name, others));
        let text = match read {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let cursor = text.lines().next().unwrap_or_default();
        Cursor::parse(cursor.trim()).map(Some).map_err(|error| {
            Failure::usage(format_args!(
                "{}: {error}; remove the file to start anew",
                self.path.display()
            ))
        })
    }

    /// Replaces the cursor in the file.
    pub(crate) fn write(&self, cursor: Cursor) -> Result<(), Failure> {
        let mut text = format!("{cursor}\n");
        if let Some(note) = &self.note {
            text += &serde_json::to_string(note).map_err(Failure::failed)?;
            text.push('\n');
        }
        let (folder, name, _) = self.folder()?;
        Ok(folder.replace(name, text.as_bytes())?)
    }

    /// Returns the folder of the file, its name there, and what others may do with it: one that a
    /// person named may be read by them, as where it is may be anybody's.
    fn folder(&self) -> Result<(Folder, &OsStr, Others), FileError> {
        let (mut folder, name) = Folder::of(&self.path)?;
        if self.note.is_none() {
            return Ok((folder, name, Others::Read));
        }
        folder = Folder::private(folder.path())?;
        Ok((folder, name, Others::DoNothing))
    }
}

/// A cursor file of the data directory, as it was found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct ListedCursor {
    /// The file.
    pub(crate) file: PathBuf,
    /// The text of its cursor.
    pub(crate) cursor: String,
    /// The purpose of the file; absent in the file of an older version.
    #[serde(flatten)]
    pub(crate) note: Option<Note>,
}

/// Returns the cursor files of the data directory, in the order of their names.
pub(crate) fn kept(data_dir: &DataDir) -> Result<Vec<ListedCursor>, Failure> {
    let Some(folder) = data_dir.cursors_kept()? else {
        return Ok(Vec::new());
    };
    let unreadable = |error| Failure::file("read", folder.path(), &error);
    let entries = fs::read_dir(folder.path()).map_err(unreadable)?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let file = entry.path();
        if file.extension().is_none_or(|it| it != EXTENSION) {
            continue;
        }
        let Some(text) = folder.read(entry.file_name(), Others::DoNothing)? else {
            continue;
        };
        let mut lines = text.lines();
        let cursor = lines.next().unwrap_or_default().trim().to_owned();
        // A file of an older version has no second line, and a newer one may say more there.
        let note = lines
            .next()
            .and_then(|line| serde_json::from_str(line).ok());
        found.push(ListedCursor { file, cursor, note });
    }
    found.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(found)
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
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_digest_depends_on_where_texts_end() {
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }

    fn cursor() -> Cursor {
        Cursor::parse(&format!("{}-7", "0a".repeat(16))).unwrap()
    }

    #[test]
    fn a_cursor_is_read_back_and_a_damaged_file_is_refused() {
        let folder = crate::files::private_temp();
        let file = CursorFile::at(&folder.path().join("c"));
        assert_eq!(file.read().unwrap(), None);
        file.write(cursor()).unwrap();
        assert_eq!(file.read().unwrap(), Some(cursor()));
        assert_eq!(
            fs::read_to_string(file.path()).unwrap(),
            format!("{}\n", cursor())
        );
        fs::write(file.path(), "7\n").unwrap();
        assert!(file.read().is_err());
    }

    #[test]
    fn a_file_of_the_data_directory_says_what_it_is_for() {
        let folder = crate::files::private_temp();
        let data = DataDir::at(folder.path());
        assert_eq!(kept(&data).unwrap(), []);
        assert!(
            !folder.path().join("cursors").exists(),
            "looking makes nothing"
        );
        let note = |what, filter: Option<&str>| Note {
            what,
            pool: "p".to_owned(),
            run: "a".to_owned(),
            filter: filter.map(str::to_owned),
        };
        let wait = note(What::Wait, Some("terminal"));
        let file = CursorFile::of(&data, wait.clone()).unwrap();
        file.write(cursor()).unwrap();
        assert_eq!(file.read().unwrap(), Some(cursor()));
        // As a version wrote it that knew no notes.
        let older = data.cursors().unwrap().path().join("older.cursor");
        fs::write(&older, format!("{}\n", cursor())).unwrap();
        fs::set_permissions(&older, fs::Permissions::from_mode(0o600)).unwrap();
        let mut notes: Vec<_> = kept(&data).unwrap().into_iter().map(|it| it.note).collect();
        notes.sort_by_key(Option::is_none);
        assert_eq!(notes, [Some(wait), None]);
        let last = CursorFile::of(&data, note(What::Last, None)).unwrap();
        assert_ne!(last.path(), file.path());
    }
}
