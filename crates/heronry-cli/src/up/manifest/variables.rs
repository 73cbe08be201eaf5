//! The variables of an entry: written in the manifest, in a file, or taken from the environment of
//! this program. No error shows a value.

use std::{collections::BTreeMap, path::Path};

use heronry_host::SpecEnvironment;

use super::{fault::ManifestFault, values::SecretText};
use crate::{environment, files::read_secret};

/// The variables of an entry, as it names them.
pub(super) struct NamedVariables<'a> {
    pub(super) env: &'a BTreeMap<String, SecretText>,
    pub(super) env_file: Option<&'a str>,
    pub(super) env_from: &'a [String],
    /// The folder of the manifest, in which the file is looked for.
    pub(super) folder: &'a Path,
}

impl NamedVariables<'_> {
    /// Reads the variables. Those of `env` come before those of `env_from`, and these before the file's.
    pub(super) fn read(&self) -> Result<SpecEnvironment, Vec<ManifestFault>> {
        let mut variables = SpecEnvironment::new();
        let mut faults = Vec::new();
        if let Some(file) = self.env_file {
            self.read_file(file, &mut variables, &mut faults);
        }
        for name in self.env_from {
            match environment::value(name) {
                Some(value) => faults.extend(variables.set(name, value).err().map(Into::into)),
                None => faults.push(ManifestFault::NotSet { name: name.clone() }),
            }
        }
        for (name, value) in self.env {
            let set = variables.set(name, value.0.as_str());
            faults.extend(set.err().map(Into::into));
        }
        if faults.is_empty() {
            Ok(variables)
        } else {
            Err(faults)
        }
    }

    fn read_file(
        &self,
        file: &str,
        variables: &mut SpecEnvironment,
        faults: &mut Vec<ManifestFault>,
    ) {
        let unreadable = |why: String| ManifestFault::EnvFile {
            file: file.to_owned(),
            why,
        };
        let text = match read_secret(&self.folder.join(file)) {
            Ok(Some((text, _))) => text,
            Ok(None) => return faults.push(unreadable("there is no such file".to_owned())),
            Err(error) => return faults.push(unreadable(error.to_string())),
        };
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim_start();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            match text.split_once('=') {
                Some((name, value)) => {
                    faults.extend(variables.set(name, value).err().map(Into::into));
                }
                None => faults.push(ManifestFault::EnvFileLine {
                    file: file.to_owned(),
                    line,
                }),
            }
        }
    }
}
