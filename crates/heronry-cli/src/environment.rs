//! Variables of the environment. One that is set to nothing is not set, whoever reads it.

use std::{
    env,
    ffi::OsString,
    fmt::Display,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::failure::Failure;

/// Returns the value of a variable.
pub(crate) fn value(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns the path that a variable names.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    value(name).map(PathBuf::from)
}

/// Returns the value that the text of a variable stands for.
///
/// # Errors
/// A usage failure that names the variable, when it holds no such text.
pub(crate) fn parsed<T: FromStr<Err: Display>>(name: &str) -> Result<Option<T>, Failure> {
    let Some(value) = value(name) else {
        return Ok(None);
    };
    let text = value
        .into_string()
        .map_err(|_| Failure::usage(format_args!("{name} is not text in UTF-8")))?;
    let parsed = text.parse();
    parsed
        .map(Some)
        .map_err(|error| Failure::usage(format_args!("{name}: {error}")))
}

/// Returns the folder that is this user's own, when there is one.
pub(crate) fn home() -> Option<PathBuf> {
    path("HOME").filter(|home| home.is_absolute())
}

/// Returns the folder where programs of this user keep their state (XDG).
pub(crate) fn state_home() -> Option<PathBuf> {
    let named = path("XDG_STATE_HOME").filter(|path| path.is_absolute());
    named.or_else(|| home().map(|home| home.join(Path::new(".local/state"))))
}
