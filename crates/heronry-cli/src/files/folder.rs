//! An open folder: its names are looked up below its descriptor.

use std::{
    ffi::{OsStr, OsString},
    fs::{DirBuilder, File},
    io::{self, ErrorKind, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::{ffi::OsStringExt, fs::DirBuilderExt},
    },
    path::{Path, PathBuf},
};

use heronry_store_embedded::files::directory_of;
use rustix::{
    fs::{
        AtFlags, FileType, Mode, OFlags, RenameFlags, Stat, fchmod, fstat, fsync, mkdirat, openat,
        readlinkat, renameat, renameat_with, statat, unlinkat,
    },
    io::Errno,
};

use super::{
    FileError, Others,
    trust::{check_file, check_folder, check_owner, file_type},
};
use crate::secrets::random_bits;

/// The most bytes that are read of a file which this program keeps.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The flags of every open: no symbolic link is followed, and a pipe without another end is not
/// waited for.
const PLAIN: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

/// The promise of a write about the device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Freshness {
    /// The write waits for the device.
    Synced,
    /// The write does not wait: a power cut may take it back, or a part of it.
    MayBeLost,
}

/// The age of a file that was opened or made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileAge {
    /// The file was there already.
    Before,
    /// The file was made now.
    Made,
}

impl Folder {
    /// Opens a folder that has to be this user's alone.
    pub(crate) fn private(path: &Path) -> Result<Self, FileError> {
        Self::checked(path, Others::DoNothing)
    }

    /// Opens a folder that has to be this user's, with the rights that others may have in it.
    pub(crate) fn checked(path: &Path, others: Others) -> Result<Self, FileError> {
        let folder = Self::shared(path)?;
        check_folder(&folder.stat()?, path, others)?;
        Ok(folder)
    }

    /// Opens a folder, whatever rights others have in it.
    pub(crate) fn shared(path: &Path) -> Result<Self, FileError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        let descriptor = opened.map_err(FileError::at("open", path))?;
        let path = path.to_owned();
        Ok(Self { descriptor, path })
    }

    /// Opens the folder of a file that a person named, and returns the name under which it is there.
    pub(crate) fn of(file: &Path) -> Result<(Self, &OsStr), FileError> {
        let Some(name) = file.file_name() else {
            let place = file.to_owned();
            let expected = "file";
            return Err(FileError::Other { place, expected });
        };
        let folder = Self {
            // As it was named.
            path: file.parent().unwrap_or(Path::new("")).to_owned(),
            ..Self::shared(directory_of(file))?
        };
        Ok((folder, name))
    }

    /// Opens a folder that is this user's alone, and makes it, and those above it, when it is missing.
    pub(crate) fn make(path: &Path) -> Result<Self, FileError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(FileError::at("create", path))?;
        Self::private(path)
    }

    /// Opens a folder to keep things in. One that nothing is in yet is closed to others first: nobody
    /// has laid anything there.
    pub(crate) fn take(path: &Path) -> Result<Self, FileError> {
        let folder = Self::shared(path)?;
        check_owner(&folder.stat()?, path)?;
        if folder.is_empty()? {
            let closed = fchmod(&folder.descriptor, Mode::RWXU);
            closed.map_err(FileError::at("close to others", path))?;
            // Whoever was quicker could have laid something.
            if !folder.is_empty()? {
                let place = path.to_owned();
                let expected = "folder that stayed empty while it was closed to others";
                return Err(FileError::Other { place, expected });
            }
        }
        check_folder(&folder.stat()?, path, Others::DoNothing)?;
        Ok(folder)
    }

    /// Opens a folder of this user alone that lies in this one, and makes it when it is missing.
    pub(crate) fn inner(&self, name: &str) -> Result<Self, FileError> {
        let path = self.path.join(name);
        match mkdirat(&self.descriptor, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(FileError::at("create", &path)(error)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | PLAIN;
        let opened = openat(&self.descriptor, name, flags, Mode::empty());
        let descriptor = opened.map_err(|error| self.not_opened(OsStr::new(name), error))?;
        let inner = Self { descriptor, path };
        check_folder(&inner.stat()?, &inner.path, Others::DoNothing)?;
        Ok(inner)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a small text; nothing when there is no such file.
    pub(crate) fn read(
        &self,
        name: impl AsRef<OsStr>,
        others: Others,
    ) -> Result<Option<String>, FileError> {
        let (name, place) = self.named(&name);
        match self.open_to_read((name, &place), others)? {
            Some(file) => read_text(file, &place).map(Some),
            None => Ok(None),
        }
    }

    /// Reads a file of at most this many bytes; `None` when there is no such file.
    pub(crate) fn read_bytes(
        &self,
        name: impl AsRef<OsStr>,
        (others, bytes_max): (Others, u64),
    ) -> Result<Option<Vec<u8>>, FileError> {
        let (name, place) = self.named(&name);
        let Some(file) = self.open_to_read((name, &place), others)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let read = file
            .take(bytes_max.saturating_add(1))
            .read_to_end(&mut bytes);
        read.map_err(FileError::at("read", &place))?;
        if bytes.len() as u64 > bytes_max {
            return Err(FileError::at("read", &place)(ErrorKind::FileTooLarge));
        }
        Ok(Some(bytes))
    }

    /// Opens a file that nobody else decides about; nothing when there is none.
    fn open_to_read(
        &self,
        (name, place): (&OsStr, &Path),
        others: Others,
    ) -> Result<Option<File>, FileError> {
        let flags = OFlags::RDONLY | PLAIN;
        let file = match openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(opened) => File::from(opened),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.not_opened(name, error)),
        };
        check_file(&stat_of(&file, place)?, place, others)?;
        Ok(Some(file))
    }

    /// Checks a file that another part opens by its path, when it is there.
    pub(crate) fn check(&self, name: &str, others: Others) -> Result<(), FileError> {
        match self.look(OsStr::new(name))? {
            Some(found) => check_file(&found, &self.path.join(name), others),
            None => Ok(()),
        }
    }

    /// Writes a file so that it is there as a whole or not at all. What was there is replaced, when it
    /// is a file of this user.
    pub(crate) fn replace(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> Result<(), FileError> {
        self.replace_fresh(name, (bytes, Freshness::Synced))
    }

    /// Replaces a file as [`replace`](Self::replace) does, and waits for the device or not.
    pub(crate) fn replace_fresh(
        &self,
        name: impl AsRef<OsStr>,
        (bytes, freshness): (&[u8], Freshness),
    ) -> Result<(), FileError> {
        self.put(name.as_ref(), (bytes, Mode::RUSR | Mode::WUSR), freshness)
    }

    /// Replaces a file as [`replace`](Self::replace) does, by one of another mode.
    pub(super) fn replace_with(
        &self,
        name: impl AsRef<OsStr>,
        (bytes, mode): (&[u8], Mode),
    ) -> Result<(), FileError> {
        self.put(name.as_ref(), (bytes, mode), Freshness::Synced)
    }

    fn put(
        &self,
        name: &OsStr,
        (bytes, mode): (&[u8], Mode),
        freshness: Freshness,
    ) -> Result<(), FileError> {
        let (name, place) = self.named(&name);
        if let Some(found) = self.look(name)? {
            check_owner(&found, &place)?;
            if file_type(&found) != FileType::RegularFile {
                let expected = "file";
                return Err(FileError::Other { place, expected });
            }
        }
        let temporary = self.write_beside(name, (bytes, mode), freshness)?;
        let here = &self.descriptor;
        let replaced = renameat(here, &temporary, here, name);
        self.settled(&temporary, replaced.map_err(FileError::at("write", place)))
    }

    /// Writes a file that is not there yet so that it is there as a whole or not at all. Of two
    /// processes that do so at once, one finds what the other made; hard links are not needed.
    pub(crate) fn create(
        &self,
        name: impl AsRef<OsStr>,
        bytes: &[u8],
    ) -> Result<FileAge, FileError> {
        let (name, place) = self.named(&name);
        // On a full disk what is there needs no room.
        if self.look(name)?.is_some() {
            return Ok(FileAge::Before);
        }
        let temporary =
            self.write_beside(name, (bytes, Mode::RUSR | Mode::WUSR), Freshness::Synced)?;
        let created = match self.rename_to_free(&temporary, name) {
            Ok(()) => return Ok(FileAge::Made),
            Err(Errno::EXIST) => Ok(FileAge::Before),
            Err(error) => Err(FileError::at("create", place)(error)),
        };
        // What failed matters more than what is left of it.
        let _ = self.remove(&temporary);
        created
    }

    /// Opens a file of this user alone to add to its end, and makes it when it is missing.
    pub(crate) fn add_to(&self, name: impl AsRef<OsStr>) -> Result<File, FileError> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE;
        self.open_kept(name, flags)
    }

    /// Opens a file of this user alone to read and write it, and makes it when it is missing.
    pub(crate) fn open(&self, name: impl AsRef<OsStr>) -> Result<File, FileError> {
        self.open_kept(name, OFlags::RDWR | OFlags::CREATE)
    }

    /// Makes a file that was not there, and opens it.
    pub(crate) fn create_new(
        &self,
        name: impl AsRef<OsStr>,
        mode: Mode,
    ) -> Result<File, FileError> {
        let (name, place) = self.named(&name);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | PLAIN;
        let opened = openat(&self.descriptor, name, flags, mode);
        Ok(File::from(opened.map_err(FileError::at("create", place))?))
    }

    /// Gives a folder in this one another name, at which nothing is, or an empty folder.
    pub(crate) fn rename_folder(
        &self,
        from: impl AsRef<OsStr>,
        to: impl AsRef<OsStr>,
    ) -> Result<(), FileError> {
        let ((from, _), (to, place)) = (self.named(&from), self.named(&to));
        let here = &self.descriptor;
        renameat(here, from, here, to).map_err(FileError::at("write", place))
    }

    /// Removes a file, or the link under its name.
    pub(crate) fn remove(&self, name: impl AsRef<OsStr>) -> Result<(), FileError> {
        let (name, place) = self.named(&name);
        let removed = unlinkat(&self.descriptor, name, AtFlags::empty());
        removed.map_err(FileError::at("remove", place))
    }

    /// Syncs the folder, so that the names entered into it last.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        fsync(&self.descriptor).map_err(FileError::at("sync", &self.path))
    }

    fn open_kept(&self, name: impl AsRef<OsStr>, flags: OFlags) -> Result<File, FileError> {
        let (name, place) = self.named(&name);
        let mode = Mode::RUSR | Mode::WUSR;
        let opened = openat(&self.descriptor, name, flags | PLAIN, mode);
        let opened = opened.map_err(|error| self.not_opened(name, error))?;
        let file = File::from(opened);
        check_file(&stat_of(&file, &place)?, &place, Others::DoNothing)?;
        Ok(file)
    }

    /// Writes a new file of a name that nobody uses.
    fn write_beside(
        &self,
        name: &OsStr,
        (bytes, mode): (&[u8], Mode),
        freshness: Freshness,
    ) -> Result<OsString, FileError> {
        let mut temporary = name.to_owned();
        let bits = random_bits().map_err(FileError::at("write", self.path.join(name)))?;
        temporary.push(format!(".{:016x}.new", u64::from_ne_bytes(bits)));
        let mut file = self.create_new(&temporary, mode)?;
        let written = file.write_all(bytes).and_then(|()| match freshness {
            Freshness::Synced => file.sync_all(),
            Freshness::MayBeLost => Ok(()),
        });
        let written = written.map_err(FileError::at("write", self.path.join(name)));
        self.settled(&temporary, written)?;
        Ok(temporary)
    }

    /// Removes a temporary file after the operation that needed it failed.
    fn settled<T>(&self, temporary: &OsStr, done: Result<T, FileError>) -> Result<T, FileError> {
        if done.is_err() {
            // What failed matters more than what is left of it.
            let _ = self.remove(temporary);
        }
        done
    }

    fn rename_to_free(&self, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        let here = &self.descriptor;
        match renameat_with(here, from, here, to, RenameFlags::NOREPLACE) {
            // A file system without the flag: the folder has one owner, so nobody comes in between.
            Err(error) if lacks_the_flag(error) => {
                match statat(here, to, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(_) => Err(Errno::EXIST),
                    Err(_) => renameat(here, from, here, to),
                }
            }
            renamed => renamed,
        }
    }

    /// Looks at the entry under a name; a link is looked at itself, not its target.
    fn look(&self, name: &OsStr) -> Result<Option<Stat>, FileError> {
        match statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if file_type(&found) == FileType::Symlink => Err(self.link(name)),
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(FileError::at("look at", self.path.join(name))(error)),
        }
    }

    /// Says why something was not opened: where a link is, that it is one.
    fn not_opened(&self, name: &OsStr, error: Errno) -> FileError {
        match self.look(name) {
            Err(link @ FileError::Link { .. }) => link,
            Ok(_) | Err(_) => FileError::at("open", self.path.join(name))(error),
        }
    }

    fn link(&self, name: &OsStr) -> FileError {
        // Where it leads is only said; a link that is gone by now leads nowhere.
        let target = readlinkat(&self.descriptor, name, Vec::new()).unwrap_or_default();
        FileError::Link {
            place: self.path.join(name),
            target: PathBuf::from(OsString::from_vec(target.into_bytes())),
        }
    }

    fn is_empty(&self) -> Result<bool, FileError> {
        let failed = || FileError::at("list", &self.path);
        let entries = rustix::fs::Dir::read_from(self.descriptor.as_fd()).map_err(failed())?;
        for entry in entries {
            let entry = entry.map_err(failed())?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn stat(&self) -> Result<Stat, FileError> {
        fstat(&self.descriptor).map_err(FileError::at("look at", &self.path))
    }

    /// Returns a name of this folder, and its path.
    fn named<'a>(&self, name: &'a impl AsRef<OsStr>) -> (&'a OsStr, PathBuf) {
        let name = name.as_ref();
        debug_assert!(
            Path::new(name).components().count() == 1,
            "a name of a folder leads nowhere else"
        );
        (name, self.path.join(name))
    }
}

fn lacks_the_flag(error: Errno) -> bool {
    matches!(
        io::Error::from(error).kind(),
        ErrorKind::InvalidInput | ErrorKind::Unsupported
    )
}

pub(super) fn stat_of(file: &File, place: &Path) -> Result<Stat, FileError> {
    fstat(file).map_err(FileError::at("look at", place))
}

/// Reads a small text.
pub(super) fn read_text(file: File, place: &Path) -> Result<String, FileError> {
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(FileError::at("read", place))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(FileError::at("read", place)(ErrorKind::FileTooLarge));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;
    use crate::files::private_temp;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_created_once() {
        let place = private_temp();
        let folder = Folder::private(place.path()).unwrap();
        assert_eq!(folder.create("f", b"one").unwrap(), FileAge::Made);
        assert_eq!(folder.create("f", b"two").unwrap(), FileAge::Before);
        let path = place.path().join("f");
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        folder.replace("f", b"two").unwrap();
        let read = folder.read("f", Others::DoNothing).unwrap();
        assert_eq!(read.as_deref(), Some("two"));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    /// Goes every way to the entry under a name.
    fn every_way(folder: &Folder, name: &str) -> [Result<(), FileError>; 7] {
        [
            folder.read(name, Others::Read).map(drop),
            folder.check(name, Others::Read),
            folder.replace(name, b"x"),
            folder.create(name, b"x").map(drop),
            folder.add_to(name).map(drop),
            folder.open(name).map(drop),
            folder.inner(name).map(drop),
        ]
    }

    #[test]
    fn no_way_to_a_file_follows_a_link_whether_it_leads_to_something_or_not() {
        let place = private_temp();
        let folder = Folder::private(place.path()).unwrap();
        let victim = place.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        fs::create_dir(place.path().join("inner")).unwrap();
        for (name, target) in [
            ("held", "victim"),
            ("dangling", "nowhere"),
            ("dir", "inner"),
        ] {
            symlink(target, place.path().join(name)).unwrap();
            for (way, refused) in every_way(&folder, name).into_iter().enumerate() {
                let is_link = matches!(
                    &refused,
                    Err(FileError::Link { target: said, .. }) if said == Path::new(target)
                );
                assert!(is_link, "{name}, way {way}: {refused:?}");
            }
            let made = folder.create_new(name, Mode::RUSR);
            assert!(made.is_err(), "{name}");
        }
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        assert!(!place.path().join("nowhere").exists());
        folder.remove("held").unwrap();
        assert!(
            victim.exists(),
            "the link is removed, and not what it leads to"
        );
    }

    #[test]
    fn a_pipe_or_a_folder_in_the_place_of_a_file_is_refused_and_not_waited_for() {
        let place = private_temp();
        let folder = Folder::private(place.path()).unwrap();
        fs::create_dir(place.path().join("dir")).unwrap();
        let pipe = place.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for name in ["dir", "pipe"] {
            assert!(folder.read(name, Others::Read).is_err(), "{name}");
            assert!(folder.replace(name, b"x").is_err(), "{name}");
            assert!(folder.add_to(name).is_err(), "{name}");
        }
        let text = folder.replace("pipe", b"x").unwrap_err().to_string();
        assert!(text.contains("is not a file"), "{text}");
    }

    #[test]
    fn an_empty_folder_is_closed_to_others_and_one_with_something_in_it_is_refused() {
        let place = private_temp();
        let path = place.path().join("d");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        let error = Folder::private(&path).unwrap_err().to_string();
        assert!(
            error.contains("(mode 0777)") && error.contains("chmod 700"),
            "{error}"
        );
        Folder::take(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        fs::write(path.join("laid"), "x").unwrap();
        Folder::take(&path).unwrap();
        for open in [0o755, 0o710, 0o701, 0o720, 0o1777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
            assert!(Folder::take(&path).is_err(), "{open:o}");
            let readable = Folder::checked(&path, Others::Read);
            assert_eq!(readable.is_ok(), open & 0o022 == 0, "{open:o}");
        }
    }

    #[test]
    fn a_file_that_is_too_large_to_be_one_of_these_is_not_read() {
        let place = private_temp();
        let folder = Folder::private(place.path()).unwrap();
        let largest = usize::try_from(FILE_BYTES_MAX).unwrap();
        folder.replace("f", &vec![b'x'; largest]).unwrap();
        assert!(folder.read("f", Others::DoNothing).is_ok());
        folder.replace("f", &vec![b'x'; largest + 1]).unwrap();
        assert!(folder.read("f", Others::DoNothing).is_err());
    }
}
