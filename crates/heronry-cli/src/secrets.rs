//! The two secrets of a data directory: drawn once, kept in files that only their owner can read.

use std::{io, path::PathBuf};

use crate::{
    failure::Failure,
    files::{self, FileError, Folder, Others},
    text::add,
};

/// The bytes of a secret.
const SECRET_BYTES: usize = 32;
/// The shortest operator token that is taken.
const TOKEN_CHARS_MIN: usize = 16;

/// The place of a secret.
#[derive(Clone, Debug)]
pub(crate) enum SecretPlace {
    /// A file of this name in a folder that is this user's alone.
    Kept(PathBuf, &'static str),
    /// A file that a person named, in a folder that may be anybody's.
    Named(PathBuf),
}

impl SecretPlace {
    /// Returns the path of the file.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Kept(folder, name) => folder.join(name),
            Self::Named(path) => path.clone(),
        }
    }

    /// Reads the file, which has to be this user's alone; nothing when there is none.
    pub(crate) fn read(&self) -> Result<Option<String>, FileError> {
        let read = match self {
            Self::Named(path) => {
                return Ok(files::read_secret(path)?.map(|(text, _)| text));
            }
            Self::Kept(folder, name) => {
                Folder::private(folder).and_then(|it| it.read(name, Others::DoNothing))
            }
        };
        match read {
            Err(error) if error.is_missing() => Ok(None),
            read => read,
        }
    }

    /// Returns the folder of the file and its name there.
    fn open(&self) -> Result<(Folder, &std::ffi::OsStr), FileError> {
        match self {
            Self::Kept(folder, name) => Ok((Folder::private(folder)?, name.as_ref())),
            Self::Named(path) => Folder::of(path),
        }
    }

    /// Reads the file, and draws a secret into it before that when there is none.
    fn read_or_draw(&self) -> Result<String, Failure> {
        if let Some(text) = self.read()? {
            return Ok(text);
        }
        let (folder, name) = self.open()?;
        // Of two processes that draw at once, both go on with what the first one drew.
        folder.create(name, &drawn()?)?;
        folder.sync()?;
        let read = self.read()?;
        read.ok_or_else(|| Failure::failed(format_args!("{} is gone again", shown(self))))
    }
}

fn shown(place: &SecretPlace) -> String {
    place.path().display().to_string()
}

/// Returns the 256 bits that a file holds as 64 hex digits, drawing them when there is no file.
pub(crate) fn read_or_draw(place: &SecretPlace) -> Result<[u8; SECRET_BYTES], Failure> {
    let text = place.read_or_draw()?;
    parse(text.trim()).ok_or_else(|| {
        Failure::failed(format_args!(
            "{} does not hold 64 hex digits; restore it, or remove it to draw a new one",
            shown(place)
        ))
    })
}

/// Returns the text that a file holds, drawing 64 hex digits when there is no file.
///
/// A token that a person or a platform wrote may have any form.
pub(crate) fn read_or_draw_token(place: &SecretPlace) -> Result<String, Failure> {
    let text = place.read_or_draw()?;
    if matches!(place, SecretPlace::Kept(..)) && is_cut(&text) {
        return Err(Failure::failed(format_args!(
            "{} was cut off: it holds {} of 64 hex digits; restore it, or remove it to draw a new one",
            shown(place),
            text.len()
        )));
    }
    let text = text.trim();
    if text.len() < TOKEN_CHARS_MIN {
        return Err(Failure::failed(format_args!(
            "{} holds no token of at least {TOKEN_CHARS_MIN} characters; remove it to draw a new one",
            shown(place)
        )));
    }
    Ok(text.to_owned())
}

/// Returns true for the front of what was drawn, without the end of its line: a full disk or a crash left
/// it, and it is easier to guess than the whole.
fn is_cut(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() < SECRET_BYTES * 2 && text.bytes().all(is_digit)
}

/// Draws another secret into a file that is there; the earlier content is gone.
pub(crate) fn draw_anew(place: &SecretPlace) -> Result<(), Failure> {
    if place.read()?.is_none() {
        return Err(Failure::failed(format_args!(
            "{} is not there; a server draws it when it starts",
            shown(place)
        )));
    }
    let (folder, name) = place.open()?;
    folder.replace(name, &drawn()?)?;
    Ok(folder.sync()?)
}

/// Returns bits that nobody can guess.
pub(crate) fn random_bits() -> io::Result<[u8; 8]> {
    let mut bits = [0; 8];
    getrandom::fill(&mut bits).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bits)
}

/// Returns random bits as hex digits, for keys and names that nobody chose.
pub(crate) fn random_name() -> Result<String, Failure> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)
        .map_err(|error| Failure::failed(format_args!("cannot draw random bits: {error}")))?;
    Ok(hex(&bits))
}

/// Returns the content of the file of a secret that was just drawn.
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
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
        path::Path,
    };

    use super::*;

    fn key_in(folder: &Path) -> SecretPlace {
        SecretPlace::Kept(folder.to_owned(), "token.key")
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_secret_is_drawn_once_and_kept() {
        let folder = crate::files::private_temp();
        let place = key_in(folder.path());
        let drawn = read_or_draw(&place).unwrap();
        assert_eq!(read_or_draw(&place).unwrap(), drawn);
        let mode = fs::metadata(place.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let other = SecretPlace::Named(folder.path().join("other"));
        assert_ne!(read_or_draw(&other).unwrap(), drawn);
    }

    #[test]
    fn a_secret_is_drawn_anew_where_there_is_one() {
        let folder = crate::files::private_temp();
        let place = key_in(folder.path());
        let error = draw_anew(&place).unwrap_err().to_string();
        assert!(error.contains("is not there"), "{error}");
        let before = read_or_draw(&place).unwrap();
        draw_anew(&place).unwrap();
        assert_ne!(read_or_draw(&place).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_that_others_can_read_or_change_or_that_is_cut_is_refused() {
        let folder = crate::files::private_temp();
        let place = key_in(folder.path());
        read_or_draw(&place).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o602, 0o666] {
            set_mode(&place.path(), mode);
            let error = read_or_draw(&place).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
            assert!(draw_anew(&place).is_err(), "{mode:o}");
            let named = SecretPlace::Named(place.path());
            assert!(read_or_draw(&named).is_err(), "{mode:o}");
        }
        set_mode(&place.path(), 0o400);
        read_or_draw(&place).unwrap();
        set_mode(&place.path(), 0o600);
        fs::write(place.path(), "abc\n").unwrap();
        let error = read_or_draw(&place).unwrap_err().to_string();
        assert!(error.contains("64 hex digits"), "{error}");
    }

    #[test]
    fn a_secret_that_was_cut_off_is_refused_and_one_that_a_person_wrote_is_not() {
        let folder = crate::files::private_temp();
        let token = SecretPlace::Kept(folder.path().to_owned(), "operator.token");
        let drawn = read_or_draw_token(&token).unwrap();
        for length in [0, 1, 16, 32, 63] {
            fs::write(token.path(), &drawn[..length]).unwrap();
            let error = read_or_draw_token(&token).unwrap_err().to_string();
            assert!(error.contains("cut off"), "{length}: {error}");
            assert!(error.contains("operator.token"), "{length}: {error}");
            let key = SecretPlace::Kept(folder.path().to_owned(), "operator.token");
            read_or_draw(&key).unwrap_err();
        }
        for written in [
            &drawn[..],
            "a token of a person's\n",
            "0123456789abcdef0123456789abcdef\n",
        ] {
            fs::write(token.path(), written).unwrap();
            assert_eq!(read_or_draw_token(&token).unwrap(), written.trim());
        }
    }

    #[test]
    fn a_secret_in_a_folder_that_others_can_enter_is_refused() {
        let folder = crate::files::private_temp();
        let place = key_in(folder.path());
        read_or_draw(&place).unwrap();
        set_mode(folder.path(), 0o750);
        let error = read_or_draw(&place).unwrap_err().to_string();
        assert!(error.contains("chmod 700"), "{error}");
        read_or_draw(&SecretPlace::Named(place.path())).unwrap();
    }

    #[test]
    fn a_link_is_followed_where_a_person_named_it_and_nowhere_else() {
        let folder = crate::files::private_temp();
        let held = SecretPlace::Named(folder.path().join("held"));
        let drawn = read_or_draw(&held).unwrap();
        symlink("held", folder.path().join("token.key")).unwrap();
        let place = key_in(folder.path());
        let error = read_or_draw(&place).unwrap_err().to_string();
        assert!(error.contains("symbolic link to held"), "{error}");
        assert!(draw_anew(&place).is_err());
        let named = SecretPlace::Named(place.path());
        assert_eq!(read_or_draw(&named).unwrap(), drawn);
    }
}
