//! Fields whose rule is not built yet: read, and refused by name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny};

/// A value of a field whose rule is not built yet. Whatever it is, it is read and dropped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Unsupported;

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl Serialize for Unsupported {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// A request names a field whose rule is not built yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{field} is not supported yet; leave it out")]
#[non_exhaustive]
pub struct NotSupported {
    /// The field.
    pub field: &'static str,
}

/// Refuses the first field that is present.
pub(crate) fn refuse<const N: usize>(
    fields: [(&'static str, bool); N],
) -> Result<(), NotSupported> {
    match fields.into_iter().find(|(_, present)| *present) {
        Some((field, _)) => Err(NotSupported { field }),
        None => Ok(()),
    }
}

/// Writes the name and the size of a value that `Debug` must not show.
pub(crate) fn hidden(f: &mut fmt::Formatter<'_>, name: &str, bytes: usize) -> fmt::Result {
    write!(f, "{name}({bytes} bytes)")
}
