//! Variables of what runs. Their values are secret.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
    path::PathBuf,
};

/// The value of a variable. No `Debug` text shows it.
#[derive(Clone, Eq, PartialEq)]
pub struct EnvironmentValue(OsString);

impl EnvironmentValue {
    /// Returns the value, for what is started with it and for nobody else.
    pub fn reveal(&self) -> &OsStr {
        &self.0
    }
}

impl<T: Into<OsString>> From<T> for EnvironmentValue {
    fn from(value: T) -> Self {
        Self(value.into())
    }
}

impl fmt::Debug for EnvironmentValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentValue(..)")
    }
}

/// Variables that a spec names. Their names may be shown, their values never.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SpecEnvironment(BTreeMap<String, EnvironmentValue>);

/// The error for a variable that a spec cannot have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// The name is none that a variable can have.
    #[error("{name:?} cannot name a variable; use letters, digits and _, a letter or _ first")]
    Name {
        /// The name.
        name: String,
    },
    /// The name is one that the pool gives to what runs.
    #[error("variables that begin with HERONRY_ are given by the pool; rename {name:?}")]
    Reserved {
        /// The name.
        name: String,
    },
    /// The value has a zero byte, which ends a variable.
    #[error("the value of {name:?} has a zero byte; remove it")]
    ZeroByte {
        /// The name.
        name: String,
    },
}

/// The start of the names that the pool gives to what runs.
const RESERVED: &str = "HERONRY_";

impl SpecEnvironment {
    /// Returns no variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a variable, or replaces its value.
    ///
    /// # Errors
    /// [`EnvironmentError`] when the name or the value cannot be a variable's.
    pub fn set(
        &mut self,
        name: &str,
        value: impl Into<EnvironmentValue>,
    ) -> Result<(), EnvironmentError> {
        let value = value.into();
        let name = name.to_owned();
        let mut letters = name.bytes();
        let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        let is_name = letters.next().is_some_and(is_first)
            && letters.all(|byte| is_first(byte) || byte.is_ascii_digit());
        if !is_name {
            return Err(EnvironmentError::Name { name });
        }
        if name.starts_with(RESERVED) {
            return Err(EnvironmentError::Reserved { name });
        }
        if value.reveal().as_encoded_bytes().contains(&0) {
            return Err(EnvironmentError::ZeroByte { name });
        }
        self.0.insert(name, value);
        Ok(())
    }

    /// Walks the names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns the value of a variable.
    pub fn value(&self, name: &str) -> Option<&EnvironmentValue> {
        self.0.get(name)
    }
}

/// The finished environment of what is started: all that it gets, and nothing of its parent's that
/// begins with `HERONRY_`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HostEnvironment {
    /// The variables beside those that a host passes on of its own environment.
    pub variables: BTreeMap<OsString, EnvironmentValue>,
    /// The private folder of the member; `None` when it has none.
    pub state_dir: Option<PathBuf>,
}

impl HostEnvironment {
    /// Adds a variable, or replaces its value.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<EnvironmentValue>) {
        self.variables.insert(name.into(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, expected: Result<(), &str>) {
        let mut environment = SpecEnvironment::new();
        let set = environment.set(name, value);
        assert_eq!(
            set.map_err(|error| error.to_string()),
            expected.map_err(str::to_owned)
        );
    }

    #[test]
    fn variables_have_names_that_a_shell_takes_and_that_are_free() {
        check("_A1", "", Ok(()));
        let rule = "use letters, digits and _, a letter or _ first";
        for name in ["", "1A", "A-B", "A=B", "Ä"] {
            let expected = format!("{name:?} cannot name a variable; {rule}");
            check(name, "", Err(&expected));
        }
        let given =
            "variables that begin with HERONRY_ are given by the pool; rename \"HERONRY_TOKEN\"";
        check("HERONRY_TOKEN", "x", Err(given));
        check(
            "A",
            "a\0b",
            Err("the value of \"A\" has a zero byte; remove it"),
        );
    }

    #[test]
    fn r15a_no_debug_text_shows_a_value() {
        let mut environment = SpecEnvironment::new();
        environment.set("KEY", "canary-4711").unwrap();
        let shown = format!("{environment:?}");
        assert!(
            shown.contains("KEY") && !shown.contains("canary"),
            "{shown}"
        );
        let mut finished = HostEnvironment::default();
        finished.set("KEY", "canary-4711");
        let shown = format!("{finished:?}");
        assert!(
            shown.contains("KEY") && !shown.contains("canary"),
            "{shown}"
        );
    }
}
