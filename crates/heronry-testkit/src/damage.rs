//! Damaging what a store has written.

use std::{fs, io, path::Path};

/// Flips a bit in the middle of every copy of some bytes that a file holds, and returns the number
/// of copies. No copy: the file stays as it is.
///
/// Databases keep older copies of a row beside the last; whoever reads must not be able to choose.
///
/// # Errors
/// The error of the file system.
pub fn flip_copies(file: &Path, stored: &[u8]) -> io::Result<usize> {
    let mut bytes = fs::read(file)?;
    let mut copies = 0;
    let mut begin = 0;
    while let Some(found) = find(bytes.get(begin..).unwrap_or_default(), stored) {
        let middle = begin + found + stored.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 0x10;
        }
        copies += 1;
        begin = middle + 1;
    }
    if copies > 0 {
        fs::write(file, bytes)?;
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
