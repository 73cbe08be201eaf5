//! Some of a message's recipients, in as few bytes as a list of recipients leaves room for.

use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Serialize};

/// Recipients of a message by their number from 0: at least one, rising. In bytes it is a string of
/// bits, one for each recipient up to the last that is named.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Vec<u32>", into = "Vec<u32>")]
pub struct Skipped(Vec<u32>);

/// Numbers that name no recipients.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not the numbers of recipients; name at least one, each once and in rising order")]
#[non_exhaustive]
pub struct SkippedError;

impl Skipped {
    /// Returns the recipients of these rising numbers; nothing when there are none.
    ///
    /// # Errors
    /// [`SkippedError`] when the numbers do not rise, or lie past every list of recipients.
    pub fn of(numbers: Vec<u32>) -> Result<Option<Self>, SkippedError> {
        /// No list is longer: each recipient takes two bytes of its record at the least.
        const RECIPIENTS_MAX: u32 = 512 * 1024;
        let rises = numbers.windows(2).all(|pair| pair.first() < pair.last());
        let is_near = numbers.last().is_none_or(|last| *last < RECIPIENTS_MAX);
        if rises && is_near {
            Ok((!numbers.is_empty()).then_some(Self(numbers)))
        } else {
            Err(SkippedError)
        }
    }

    /// Returns the number of recipients that were skipped.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns true when the recipient of this number is one of them.
    pub fn contains(&self, number: usize) -> bool {
        u32::try_from(number).is_ok_and(|number| self.0.binary_search(&number).is_ok())
    }

    /// Walks their numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }
}

impl TryFrom<Vec<u32>> for Skipped {
    type Error = SkippedError;
    fn try_from(numbers: Vec<u32>) -> Result<Self, SkippedError> {
        Self::of(numbers)?.ok_or(SkippedError)
    }
}

impl From<Skipped> for Vec<u32> {
    fn from(skipped: Skipped) -> Self {
        skipped.0
    }
}

impl<C> Encode<C> for Skipped {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let mut bits: Vec<u8> = Vec::new();
        for number in self.iter() {
            let (byte, bit) = (number as usize / 8, number % 8);
            if bits.len() <= byte {
                bits.resize(byte + 1, 0);
            }
            if let Some(byte) = bits.last_mut() {
                *byte |= 1 << bit;
            }
        }
        encoder.bytes(&bits)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Skipped {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bits = decoder.bytes()?;
        let no_more = || minicbor::decode::Error::message("a string of bits ends with none");
        if bits.last().is_none_or(|last| *last == 0) {
            return Err(no_more());
        }
        let set = (0_u32..).zip(bits).flat_map(|(byte, bits)| {
            let set = (0..8).filter(move |bit| bits & (1 << bit) != 0);
            set.map(move |bit| byte * 8 + bit)
        });
        Self::try_from(set.collect::<Vec<_>>()).map_err(|_| no_more())
    }
}
