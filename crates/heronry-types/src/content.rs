//! References to bodies, and bodies that never show themselves.

use std::{fmt, str::FromStr, sync::Arc};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::cursor::parse_hex;

/// An opaque, unguessable reference to a body. Text and JSON: `content:<32 hex>`.
#[derive(Clone, Copy, Decode, Encode, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cbor(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^content:[0-9a-f]{32}$")))]
pub struct ContentRef(
    #[n(0)]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    #[cbor(with = "minicbor::bytes")]
    [u8; 16],
);

/// A text that is not a content reference.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a content reference; write content:<32 hex digits>, as an item or receipt gave it")]
#[non_exhaustive]
pub struct ContentRefError;

impl ContentRef {
    /// Returns the reference with these bits, as an id source or a keyed hash drew them.
    pub fn from_bits(bits: [u8; 16]) -> Self {
        Self(bits)
    }

    /// Returns the bits, for keys of a store.
    pub fn bits(self) -> [u8; 16] {
        self.0
    }

    /// Reads a reference from text.
    ///
    /// # Errors
    /// [`ContentRefError`] when the text is not of the form that `Display` writes.
    pub fn parse(text: &str) -> Result<Self, ContentRefError> {
        text.strip_prefix("content:")
            .and_then(parse_hex)
            .map(Self)
            .ok_or(ContentRefError)
    }
}

impl fmt::Display for ContentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("content:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = *blind(self.0).as_slice() else {
            return Err(fmt::Error);
        };
        write!(f, "ContentRef(#{a:02x}{b:02x})")
    }
}

/// Folds the bits so that what `Debug` shows is not part of the reference itself.
fn blind(bits: [u8; 16]) -> [u8; 2] {
    let folded = bits.iter().fold(0x9dc5_u16, |hash, byte| {
        (hash ^ u16::from(*byte)).wrapping_mul(0x0193)
    });
    folded.to_be_bytes()
}

impl FromStr for ContentRef {
    type Err = ContentRefError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for ContentRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// The media type of a body. Cheap to clone. Text and JSON: the type itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MediaType(pub Arc<str>);

impl MediaType {
    /// Returns the type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for MediaType {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<C> Encode<C> for MediaType {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for MediaType {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        decoder.str().map(Self::from)
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Ok(Self::from(&*text))
    }
}

/// The BLAKE3 digest of a body. Text and JSON: 64 hex digits.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, Hash, PartialEq)]
#[cbor(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
pub struct Digest(
    #[n(0)]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 32],
);

/// A text that is not a digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a digest; write 64 lower-case hex digits")]
#[non_exhaustive]
pub struct DigestError;

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Digest {
    type Err = DigestError;
    fn from_str(text: &str) -> Result<Self, DigestError> {
        parse_hex(text).map(Self).ok_or(DigestError)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A body with its media type. `Debug` shows only its size; cheap to clone.
#[derive(Clone, Eq, PartialEq)]
pub struct Body {
    /// The media type, as `text/plain; charset=utf-8`.
    pub media_type: Arc<str>,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

impl Body {
    /// The media type of text bodies.
    pub const TEXT: &'static str = "text/plain; charset=utf-8";
    /// The media type of bodies of unknown form.
    pub const BINARY: &'static str = "application/octet-stream";

    /// Returns a body of this media type.
    pub fn new(media_type: impl Into<Arc<str>>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self {
            media_type: media_type.into(),
            bytes: bytes.into(),
        }
    }

    /// Returns a body of plain text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::new(Self::TEXT, text.as_ref().as_bytes())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.bytes.len())
    }
}
