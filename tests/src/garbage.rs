//! Valid input, spoilt: flipped, cut, doubled, spliced.

#![expect(
    clippy::indexing_slicing,
    reason = "a helper of a test fails by panicking"
)]

use proptest::{collection::vec, prelude::*, sample::Index};

/// One change of some bytes.
#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Double(Index, usize),
    Splice(Index, Vec<u8>),
    /// Something that means something somewhere.
    Word(Index, &'static str),
}

/// Words that decoders may trip over.
const WORDS: [&str; 24] = [
    "0",
    "-",
    "-1",
    "1e9",
    "18446744073709551616",
    "null",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\\",
    "\\u0000",
    "\u{0}",
    "\n",
    "é",
    "\u{202e}",
    "%",
    "..",
    "true",
    "@",
    "content:",
];

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        1 => at().prop_map(Edit::Cut),
        2 => (at(), 1..9_usize).prop_map(|(at, bytes)| Edit::Remove(at, bytes)),
        2 => (at(), 1..40_usize).prop_map(|(at, bytes)| Edit::Double(at, bytes)),
        2 => (at(), vec(any::<u8>(), 1..6)).prop_map(|(at, bytes)| Edit::Splice(at, bytes)),
        4 => (at(), prop::sample::select(WORDS.to_vec())).prop_map(|(at, word)| Edit::Word(at, word)),
    ]
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let place = |at: &Index| at.index(length + 1);
        match self {
            Self::Flip(..) if length == 0 => {}
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Self::Cut(at) => bytes.truncate(place(at)),
            Self::Remove(at, count) => {
                bytes.drain(place(at)..length.min(place(at) + count));
            }
            Self::Double(at, count) => {
                let end = length.min(place(at) + count);
                let part = bytes[place(at)..end].to_vec();
                bytes.splice(end..end, part);
            }
            Self::Splice(at, part) => {
                bytes.splice(place(at)..place(at), part.iter().copied());
            }
            Self::Word(at, word) => {
                bytes.splice(place(at)..place(at), word.bytes());
            }
        }
    }
}

/// Bytes that are one of these with a few changes, or none.
pub fn spoilt(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (prop::sample::select(valid), vec(edit(), 0..4)).prop_map(|(mut bytes, edits)| {
        for edit in &edits {
            edit.apply(&mut bytes);
        }
        bytes
    })
}

/// Text that is one of these with a few changes, or none.
pub fn spoilt_text<T: AsRef<str>>(valid: &[T]) -> impl Strategy<Value = String> + use<T> {
    let valid = valid.iter().map(|text| text.as_ref().as_bytes().to_vec());
    spoilt(valid.collect()).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Spoilt text, and sometimes text that never was anything.
pub fn garbage<T: AsRef<str>>(valid: &[T]) -> impl Strategy<Value = String> + use<T> {
    prop_oneof![5 => spoilt_text(valid), 1 => "\\PC{0,80}", 1 => "[ -~]{0,40}"]
}
