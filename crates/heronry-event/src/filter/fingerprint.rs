//! Fingerprints, which identify the meaning of a filter.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

const PREFIX: &str = "sha256:";

/// The SHA-256 of a filter's normal form. Text and JSON: `sha256:<64 hex>`.
///
/// Filters with equal fingerprints keep the same events.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^sha256:[0-9a-f]{64}$")))]
pub struct Fingerprint(#[cfg_attr(feature = "schema", schemars(with = "String"))] [u8; 32]);

/// A text that is not a fingerprint.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "not a fingerprint; write sha256:<64 lower-case hex digits>, as a compiled filter shows it"
)]
#[non_exhaustive]
pub struct FingerprintError;

impl Fingerprint {
    /// Returns the fingerprint of a canonical text.
    pub fn of(normal_form: &str) -> Self {
        Self(Sha256::digest(normal_form.as_bytes()).into())
    }

    /// Returns the fingerprint with these bytes, as a record kept them.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads a fingerprint from text.
    ///
    /// # Errors
    /// [`FingerprintError`] when the text is not of the form that `Display` writes.
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        let hex = text.strip_prefix(PREFIX).ok_or(FingerprintError)?;
        let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return Err(FingerprintError);
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

fn digit(byte: u8) -> Result<u8, FingerprintError> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(FingerprintError),
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        Self::parse(text)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_text_round_trips_and_refuses_what_is_none() {
        let text = Fingerprint::of("true").to_string();
        // printf true | sha256sum
        let expected = "sha256:b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b";
        assert_eq!(text, expected);
        assert_eq!(text.parse(), Ok(Fingerprint::of("true")));
        for bad in ["", "sha256:", &text[1..], &text[..70], &text.to_uppercase()] {
            assert_eq!(Fingerprint::parse(bad), Err(FingerprintError), "{bad}");
        }
        let json = serde_json::to_string(&Fingerprint::of("true")).unwrap();
        assert_eq!(json, format!("\"{expected}\""));
        let read: Fingerprint = serde_json::from_str(&json).unwrap();
        assert_eq!(read, Fingerprint::of("true"));
    }
}
