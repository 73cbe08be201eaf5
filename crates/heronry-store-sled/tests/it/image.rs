//! The remains that a power cut leaves of a store, from images at two moments.

use heronry_testkit::embedded::Image;

/// The unit in which a file system writes, in bytes.
pub(crate) const BLOCK: usize = 4096;

/// An image of a store, whose log can be looked into.
pub(crate) trait LogImage {
    /// Returns the bytes of a file.
    fn file(&mut self, name: &str) -> &mut Vec<u8>;

    /// Returns how many segments of sled's log another one has taken the place of in a later image.
    fn segments_begun_anew(&self, later: &Self) -> usize;

    /// Returns how many blocks of sled's log differ in a later image.
    fn blocks_changed(&self, later: &Self) -> usize;

    /// Returns what a power cut leaves when this is what lasts, and of the blocks of the log that
    /// differ in a later image these were written too.
    fn torn(&self, later: &Self, is_written: impl FnMut(usize) -> bool) -> Self;
}

impl LogImage for Image {
    fn file(&mut self, name: &str) -> &mut Vec<u8> {
        self.files.get_mut(name).unwrap().as_mut().unwrap()
    }

    fn segments_begun_anew(&self, later: &Self) -> usize {
        let header =
            |image: &Self, at: usize| image.files["db"].as_ref().unwrap()[at..at + 12].to_vec();
        let length = self.files["db"].as_ref().unwrap().len();
        let segments = (0..length).step_by(2 * 1024 * 1024);
        segments
            .filter(|at| header(self, *at) != header(later, *at))
            .count()
    }

    fn blocks_changed(&self, later: &Self) -> usize {
        let log = |image: &Self| image.files["db"].clone().unwrap();
        let (before, after) = (log(self), log(later));
        let blocks = (0..after.len()).step_by(BLOCK);
        blocks
            .filter(|at| block(&before, *at) != block(&after, *at))
            .count()
    }

    fn torn(&self, later: &Self, mut is_written: impl FnMut(usize) -> bool) -> Self {
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
