//! Images of a path at one moment.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{Device, DeviceOp};

/// Everything at a path at one moment: a file, a directory with all in it, or nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Image {
    /// Files by their path below the image's, which is empty for a file at the path itself; nothing
    /// for a directory.
    pub files: BTreeMap<String, Option<Vec<u8>>>,
}

impl Image {
    /// Returns an image of one file.
    pub fn of_file(bytes: &[u8]) -> Self {
        let files = [(String::new(), Some(bytes.to_vec()))];
        Self {
            files: files.into(),
        }
    }

    /// Returns an image of a directory with one file.
    pub fn of_directory_with(name: &str, bytes: &[u8]) -> Self {
        let mut image = Self::of_empty_directory();
        image.files.insert(name.to_owned(), Some(bytes.to_vec()));
        image
    }

    /// Returns an image of an empty directory.
    pub fn of_empty_directory() -> Self {
        Self {
            files: [(String::new(), None)].into(),
        }
    }

    /// Takes an image of a path.
    ///
    /// # Errors
    /// The error of the file system.
    pub fn take(path: &Path) -> io::Result<Self> {
        let mut image = Self::default();
        if path.is_file() {
            return Ok(Self::of_file(&fs::read(path)?));
        }
        if path.is_dir() {
            image.files.insert(String::new(), None);
            image.add(path, "")?;
        }
        Ok(image)
    }

    fn add(&mut self, directory: &Path, above: &str) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = format!("{above}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.add(&entry.path(), &format!("{name}/"))?;
                self.files.insert(name, None);
            } else {
                let bytes = fs::read(entry.path())?;
                self.files.insert(name, Some(bytes));
            }
        }
        Ok(())
    }

    /// Makes the path, at which nothing is, what the image says.
    ///
    /// # Errors
    /// The error of the file system.
    pub fn put(&self, path: &Path) -> io::Result<()> {
        for (name, bytes) in &self.files {
            let path = if name.is_empty() {
                path.to_owned()
            } else {
                path.join(name)
            };
            match bytes {
                None => fs::create_dir_all(path)?,
                Some(bytes) => {
                    path.parent().map_or(Ok(()), fs::create_dir_all)?;
                    fs::write(path, bytes)?;
                }
            }
        }
        Ok(())
    }
}

/// An operation of a device, and the image before it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceMoment {
    /// The operation.
    pub op: DeviceOp,
    /// The image of the recorded path.
    pub image: Image,
}

/// A device that takes an image of a path before each operation.
#[derive(Debug)]
pub struct DeviceRecorder {
    path: PathBuf,
    moments: Mutex<Vec<DeviceMoment>>,
}

impl DeviceRecorder {
    /// Returns a recorder of a path.
    pub fn of(path: PathBuf) -> Arc<Self> {
        let moments = Mutex::default();
        Arc::new(Self { path, moments })
    }

    /// Returns the moments before each operation so far.
    pub fn moments(&self) -> Vec<DeviceMoment> {
        let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        moments.clone()
    }

    /// Returns the number of operations so far.
    pub fn count(&self) -> usize {
        let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        moments.len()
    }
}

impl Device for DeviceRecorder {
    fn before(&self, op: DeviceOp) -> io::Result<()> {
        let image = Image::take(&self.path)?;
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        moments.push(DeviceMoment { op, image });
        Ok(())
    }
}
