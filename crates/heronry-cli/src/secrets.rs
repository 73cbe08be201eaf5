//! The two secrets of a data directory: drawn once, kept in files that only their owner can read.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use heronry_store::embedded::files::{directory_of, sync_directory};

use crate::{
    failure::Failure,
    files::{create_file, is_open_to_others, replace_file},
    text::add,
};

/// The bytes of a secret.
const SECRET_BYTES: usize = 32;
/// The shortest operator token that is taken.
const TOKEN_CHARS_MIN: usize = 16;

/// Returns the 256 bits that a file holds as 64 hex digits, drawing them when there is no file.
pub(crate) fn read_or_draw(path: &Path) -> Result<[u8; SECRET_BYTES], Failure> {
    if !path.exists() {
        draw(path)?;
    }
    read(path)
}

/// Returns the text that a file holds, drawing 64 hex digits when there is no file.
///
/// A token that a person or a platform wrote may have any form, and any mode they chose for it.
pub(crate) fn read_or_draw_token(path: &Path) -> Result<String, Failure> {
    if !path.exists() {
        draw(path)?;
    }
    let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    let text = text.trim();
    if text.len() < TOKEN_CHARS_MIN {
        return Err(Failure::failed(format_args!(
            "{} holds no token of at least {TOKEN_CHARS_MIN} characters; remove it to draw a new one",
            path.display()
        )));
    }
    Ok(text.to_owned())
}

/// Draws another secret into a file that is there; what it held before is gone.
pub(crate) fn draw_anew(path: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file("replace", path, &error);
    if !path.exists() {
        return Err(Failure::failed(format_args!(
            "{} is not there; a server draws it when it starts",
            path.display()
        )));
    }
    replace_file(path, &drawn()?).map_err(failed)?;
    sync_directory(directory_of(path)).map_err(failed)
}

/// Returns random bits as hex digits, for keys and names that nobody chose.
pub(crate) fn random_name() -> Result<String, Failure> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)
        .map_err(|error| Failure::failed(format_args!("cannot draw random bits: {error}")))?;
    Ok(hex(&bits))
}

fn read(path: &Path) -> Result<[u8; SECRET_BYTES], Failure> {
    let failed = |error: io::Error| Failure::file("read", path, &error);
    let mut file = File::open(path).map_err(failed)?;
    if is_open_to_others(&file).map_err(failed)? {
        return Err(Failure::failed(format_args!(
            "{} can be read by others; run: chmod 600 {}",
            path.display(),
            path.display()
        )));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    parse(text.trim()).ok_or_else(|| {
        Failure::failed(format_args!(
            "{} does not hold 64 hex digits; restore it, or remove it to draw a new one",
            path.display()
        ))
    })
}

/// Draws a secret into a file that appears whole, also when two processes do so at once.
fn draw(path: &Path) -> Result<(), Failure> {
    match create_file(path, &drawn()?) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(|error| Failure::file("create", path, &error)),
    }
}

/// Returns what stands in the file of a secret that was just drawn.
fn drawn() -> Result<Vec<u8>, Failure> {
    let mut bits = [0; SECRET_BYTES];
    getrandom::fill(&mut bits)
        .map_err(|error| Failure::failed(format_args!("cannot draw random bits: {error}")))?;
    Ok(format!("{}\n", hex(&bits)).into_bytes())
}

fn parse(text: &str) -> Option<[u8; SECRET_BYTES]> {
    let mut bits = [0; SECRET_BYTES];
    if text.len() != SECRET_BYTES * 2 || !text.is_ascii() {
        return None;
    }
    for (index, bit) in bits.iter_mut().enumerate() {
        let digits = text.get(index * 2..index * 2 + 2)?;
        *bit = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bits)
}

/// Writes bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        add(&mut text, format_args!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_drawn_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.key");
        let drawn = read_or_draw(&path).unwrap();
        assert_eq!(read_or_draw(&path).unwrap(), drawn);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let other = read_or_draw(&folder.path().join("other")).unwrap();
        assert_ne!(other, drawn);
    }

    #[test]
    fn a_secret_is_drawn_anew_where_there_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.key");
        let error = draw_anew(&path).unwrap_err().to_string();
        assert!(error.contains("is not there"), "{error}");
        let before = read_or_draw(&path).unwrap();
        draw_anew(&path).unwrap();
        assert_ne!(read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_that_others_can_read_or_that_is_cut_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.key");
        read_or_draw(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_or_draw(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "abc\n").unwrap();
        let error = read_or_draw(&path).unwrap_err().to_string();
        assert!(error.contains("64 hex digits"), "{error}");
    }
}
