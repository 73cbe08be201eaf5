//! Images of a directory at one moment, and the remains that a power cut leaves of two such
//! moments.

use std::{collections::BTreeMap, fs, path::Path};

/// The unit in which a file system writes, in bytes.
pub(crate) const BLOCK: usize = 4096;

/// Files by their path in the directory; nothing for a directory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Image {
    pub(crate) files: BTreeMap<String, Option<Vec<u8>>>,
}

impl Image {
    /// Takes an image of a directory; of nothing when there is none.
    pub(crate) fn take(directory: &Path) -> Self {
        let mut image = Self::default();
        if directory.is_dir() {
            image.add(directory, "");
        }
        image
    }

    fn add(&mut self, directory: &Path, above: &str) {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{above}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                self.add(&entry.path(), &format!("{name}/"));
                self.files.insert(name, None);
            } else {
                let bytes = fs::read(entry.path()).unwrap();
                self.files.insert(name, Some(bytes));
            }
        }
    }

    /// Makes the directory what the image says.
    pub(crate) fn put(&self, directory: &Path) {
        fs::create_dir_all(directory).unwrap();
        for (name, bytes) in &self.files {
            let path = directory.join(name);
            match bytes {
                None => fs::create_dir_all(path).unwrap(),
                Some(bytes) => {
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, bytes).unwrap();
                }
            }
        }
    }

    pub(crate) fn file(&mut self, name: &str) -> &mut Vec<u8> {
        self.files.get_mut(name).unwrap().as_mut().unwrap()
    }

    /// Returns how many segments of sled's log another one has taken the place of in a later image.
    pub(crate) fn segments_begun_anew(&self, later: &Self) -> usize {
        let header =
            |image: &Self, at: usize| image.files["db"].as_ref().unwrap()[at..at + 12].to_vec();
        let length = self.files["db"].as_ref().unwrap().len();
        let segments = (0..length).step_by(2 * 1024 * 1024);
        segments
            .filter(|at| header(self, *at) != header(later, *at))
            .count()
    }

    /// Returns how many blocks of sled's log differ in a later image.
    pub(crate) fn blocks_changed(&self, later: &Self) -> usize {
        let log = |image: &Self| image.files["db"].clone().unwrap();
        let (before, after) = (log(self), log(later));
        let blocks = (0..after.len()).step_by(BLOCK);
        blocks
            .filter(|at| block(&before, *at) != block(&after, *at))
            .count()
    }

    /// Returns what a power cut leaves when this is what lasts, and of the blocks of the log that
    /// differ in a later image these were written too.
    pub(crate) fn torn(&self, later: &Self, mut is_written: impl FnMut(usize) -> bool) -> Self {
        let mut image = later.clone();
        let after = later.files["db"].clone().unwrap();
        let before = self.files["db"].clone().unwrap();
        let log = image.file("db");
        let mut changed = 0;
        for at in (0..after.len()).step_by(BLOCK) {
            if block(&before, at) == block(&after, at) {
                continue;
            }
            if !is_written(changed) {
                let end = (at + BLOCK).min(after.len());
                let mut lasting = block(&before, at).to_vec();
                lasting.resize(end - at, 0);
                log[at..end].copy_from_slice(&lasting);
            }
            changed += 1;
        }
        image
    }
}

fn block(bytes: &[u8], at: usize) -> &[u8] {
    let end = (at + BLOCK).min(bytes.len());
    bytes.get(at..end).unwrap_or_default()
}
