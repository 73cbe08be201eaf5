//! The golden files of the journal.

use std::{fs, path::PathBuf};

use heronry_journal::Chunk;
use serde_json::Value;

/// One golden file of the journal: the bytes of a chunk, and what it shows.
#[derive(Clone, Debug)]
pub struct Golden {
    /// The name without an ending.
    pub name: String,
    /// The path of the JSON.
    pub path: PathBuf,
    /// The bytes of the chunk.
    pub bytes: Vec<u8>,
    /// The JSON of the chunk: `header`, `hash` and `records`; in later files `bytes` and `event` too.
    pub json: Value,
}

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
impl Golden {
    /// Returns all golden files, by name.
    ///
    /// # Panics
    /// Panics when a file cannot be read.
    pub fn all() -> Vec<Self> {
        let folder =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/heronry-journal/golden/v1");
        let files = fs::read_dir(folder).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
        let mut all: Vec<_> = paths.map(Self::read).collect();
        all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// Returns the golden files of one record: one for each version of each kind.
    ///
    /// # Panics
    /// Panics when a file cannot be read.
    pub fn records() -> Vec<Self> {
        let mut all = Self::all();
        all.retain(|golden| !golden.name.starts_with("journal-"));
        all
    }

    fn read(path: PathBuf) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let bytes = match json.get("bytes") {
            Some(hex) => from_hex(hex.as_str().unwrap()),
            None => fs::read(path.with_extension("bin")).unwrap(),
        };
        Self {
            name,
            path,
            bytes,
            json,
        }
    }

    /// Returns true for a later file, in which the bytes and the event stand beside the JSON.
    pub fn holds_bytes(&self) -> bool {
        self.json.get("bytes").is_some()
    }

    /// Returns the chunk.
    ///
    /// # Panics
    /// Panics when the chunk cannot be decoded.
    pub fn chunk(&self) -> Chunk {
        Chunk::decode(self.bytes.clone()).unwrap()
    }
}

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
fn from_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}
