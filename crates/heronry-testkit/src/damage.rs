//! Damage to the bytes that a store has written.

use std::{
    fmt, fs,
    io::{self, Seek, SeekFrom, Write},
    path::Path,
};

use heronry_store::{StoreError, StoreErrorKind};

use crate::conformance::Failure;

/// The number of times that a test damages its store, unless `HERONRY_FLIPS` sets it.
const FLIPS: usize = 100;

/// A harm to the bytes of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Harm {
    /// One bit is flipped, counted from the first.
    Flip(usize),
    /// The file ends after so many bytes.
    Cut(usize),
}

/// A harm to one of several files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HarmedFile {
    /// The number of the file, counted from 0.
    pub file: usize,
    /// The harm to its bytes.
    pub harm: Harm,
}

impl Harm {
    /// Returns the harms that a test does to files of these lengths: spread over all of them and their
    /// regions, the same in every run. Every eighth is a cut; every fourth is to the first bytes of a
    /// file or of a region, where databases keep what they begin with.
    pub fn to_files(lengths: &[usize], region: usize) -> Vec<HarmedFile> {
        let asked = std::env::var("HERONRY_FLIPS").ok();
        let count = asked.and_then(|count| count.parse().ok()).unwrap_or(FLIPS);
        let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
        let total = lengths.iter().sum::<usize>().max(1);
        (0..count)
            .map(|number| {
                let mut at = draw.below(total);
                // Small files are harmed as well.
                if number % 16 == 5 {
                    at = 0;
                    let file = draw.below(lengths.len());
                    at += lengths.iter().take(file).sum::<usize>();
                }
                let (file, at) = place_of(lengths, at);
                let length = lengths.get(file).copied().unwrap_or(0);
                let at = match number % 8 {
                    3 | 6 => (at - at % region + draw.below(400)).min(length.saturating_sub(1)),
                    5 => draw.below(length),
                    _ => at,
                };
                let harm = if number % 8 == 7 {
                    Self::Cut(at)
                } else {
                    Self::Flip(at * 8 + draw.below(8))
                };
                HarmedFile { file, harm }
            })
            .collect()
    }

    /// Does it.
    pub fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Flip(bit) => {
                if let Some(byte) = bytes.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Self::Cut(length) => bytes.truncate(length),
        }
    }
}

/// Returns the file that has a byte, and where there.
fn place_of(lengths: &[usize], mut at: usize) -> (usize, usize) {
    for (file, length) in lengths.iter().enumerate() {
        if at < *length {
            return (file, at);
        }
        at -= length;
    }
    (0, 0)
}

/// Numbers that look random and are the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 8).unwrap_or(0) % end.max(1)
    }
}

/// The numbers of outcomes of harm to a store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Outcomes {
    /// The number of times that the store named the damage.
    pub refused: usize,
    /// The number of times that everything was read rightly.
    pub without_effect: usize,
}

impl Outcomes {
    /// Counts the outcome of reading a harmed store, and returns true when the read was refused.
    ///
    /// # Errors
    /// [`Failure`], when the error does not say that the store is damaged.
    pub fn note(
        &mut self,
        harm: impl fmt::Debug,
        read: Option<&StoreError>,
    ) -> Result<bool, Failure> {
        let Some(error) = read else {
            self.without_effect += 1;
            return Ok(false);
        };
        let is_typed = matches!(
            error.kind(),
            StoreErrorKind::Corrupt | StoreErrorKind::NotAStore
        );
        if !is_typed {
            let what = format!("{harm:?} is {:?}: {error}", error.kind());
            return Err(Failure::new(what));
        }
        self.refused += 1;
        Ok(true)
    }
}

/// Flips a bit in the middle of every copy of some bytes that a file holds, and returns the number
/// of copies. No copy: the file stays as it is.
///
/// Databases keep older copies of a row beside the last; whoever reads must not be able to choose.
///
/// # Errors
/// The error of the file system.
pub fn flip_copies(file: &Path, stored: &[u8]) -> io::Result<usize> {
    let bytes = fs::read(file)?;
    // Each byte in its place: whoever is still writing elsewhere in the file loses nothing.
    let mut file = fs::OpenOptions::new().write(true).open(file)?;
    let mut copies = 0;
    let mut begin = 0;
    while let Some(found) = find(bytes.get(begin..).unwrap_or_default(), stored) {
        let middle = begin + found + stored.len() / 2;
        if let Some(byte) = bytes.get(middle) {
            file.seek(SeekFrom::Start(middle as u64))?;
            file.write_all(&[byte ^ 0x10])?;
        }
        copies += 1;
        begin = middle + 1;
    }
    Ok(copies)
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return None;
    }
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_copy_is_damaged_and_nothing_else() {
        let file = std::env::temp_dir().join(format!("heronry-damage-{}", std::process::id()));
        fs::write(&file, b"abcd-abcd-abc").unwrap();
        assert_eq!(flip_copies(&file, b"abcd").unwrap(), 2);
        assert_eq!(fs::read(&file).unwrap(), b"absd-absd-abc");
        assert_eq!(flip_copies(&file, b"abcd").unwrap(), 0);
        assert_eq!(flip_copies(&file, b"").unwrap(), 0);
        fs::remove_file(&file).unwrap();
    }
}
