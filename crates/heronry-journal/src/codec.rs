//! The bytes of one record: `[number, version, lineage, actor, visibility, body]` in CBOR.

use std::{convert::Infallible, error::Error};

use heronry_types::{Position, UnknownNumber};
use minicbor::{
    Decode, Decoder, Encode, Encoder, decode::Error as DecodeError, encode::Error as EncodeError,
    encode::Write,
};

use crate::{Body, ChunkError, Entry};

/// The number of parts of a record. A newer build may write more; they are skipped.
const PARTS: u64 = 6;

/// Appends the bytes of a record.
pub(crate) fn encode(entry: &Entry, out: &mut Vec<u8>) {
    write(entry, &mut Encoder::new(Appender(out)));
}

/// Returns the length of a record in bytes.
pub(crate) fn len(entry: &Entry) -> usize {
    let mut counter = Counter(0);
    write(entry, &mut Encoder::new(&mut counter));
    counter.0
}

#[expect(
    clippy::expect_used,
    reason = "the writers cannot fail, and no type of a record refuses to be encoded"
)]
fn write<W: Write<Error = Infallible>>(entry: &Entry, encoder: &mut Encoder<W>) {
    try_write(entry, encoder).expect("encoding a record cannot fail");
}

fn try_write<W: Write>(
    entry: &Entry,
    encoder: &mut Encoder<W>,
) -> Result<(), EncodeError<W::Error>> {
    let context = &mut ();
    encoder.array(PARTS)?;
    encoder
        .u16(entry.body.number())?
        .u16(entry.body.version())?;
    entry.lineage.encode(encoder, context)?;
    entry.actor.encode(encoder, context)?;
    entry.visibility.encode(encoder, context)?;
    entry.body.encode_fields(encoder)
}

/// Appends bytes; most writes are the one byte of a number or of a length.
struct Appender<'a>(&'a mut Vec<u8>);

impl Write for Appender<'_> {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        match bytes {
            [byte] => self.0.push(*byte),
            more => self.0.extend_from_slice(more),
        }
        Ok(())
    }
}

/// Counts bytes instead of keeping them.
struct Counter(usize);

impl Write for Counter {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len();
        Ok(())
    }
}

/// The fault of bytes that are not a record, before their position is known.
#[derive(Debug)]
pub(crate) enum RecordFault {
    /// A newer build wrote the bytes.
    Newer { number: u16, version: u16 },
    /// A newer build wrote a word in them.
    NewerWord(UnknownNumber),
    /// The bytes are not what the schema says.
    Malformed { offset: usize, reason: String },
}

impl RecordFault {
    /// Returns the error for the record at this position.
    pub(crate) fn at(self, position: Position) -> ChunkError {
        match self {
            Self::Newer { number, version } => ChunkError::NewerSchema {
                position,
                number,
                version,
            },
            Self::NewerWord(UnknownNumber {
                vocabulary, number, ..
            }) => ChunkError::NewerWord {
                position,
                vocabulary,
                number,
            },
            Self::Malformed { offset, reason } => ChunkError::Malformed {
                position,
                offset,
                reason,
            },
        }
    }
}

/// Reads the bytes of a record.
pub(crate) fn decode(bytes: &[u8]) -> Result<Entry, RecordFault> {
    let mut decoder = Decoder::new(bytes);
    let decoder = &mut decoder;
    read(decoder).unwrap_or_else(|error| {
        let source = error.source();
        let word = source.and_then(|source| source.downcast_ref::<UnknownNumber>());
        Err(match word {
            Some(word) => RecordFault::NewerWord(*word),
            None => RecordFault::Malformed {
                offset: error.position().unwrap_or(decoder.position()),
                reason: reason(&error),
            },
        })
    })
}

fn reason(error: &DecodeError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Number and version stand first and are judged before anything that they govern is read.
fn read(decoder: &mut Decoder<'_>) -> Result<Result<Entry, RecordFault>, DecodeError> {
    let context = &mut ();
    let parts = match decoder.array()? {
        Some(parts) if parts >= PARTS => parts,
        Some(_) | None => return Err(DecodeError::message("a record has six parts")),
    };
    let (number, version) = (decoder.u16()?, decoder.u16()?);
    if version == 0 {
        return Err(DecodeError::message("a schema has a version from 1"));
    }
    if !Body::reads(number, version) {
        return Ok(Err(RecordFault::Newer { number, version }));
    }
    let entry = Entry {
        lineage: Decode::decode(decoder, context)?,
        actor: Decode::decode(decoder, context)?,
        visibility: Decode::decode(decoder, context)?,
        body: Body::decode_fields(number, decoder)?,
    };
    for _ in PARTS..parts {
        decoder.skip()?;
    }
    if decoder.position() == decoder.input().len() {
        Ok(Ok(entry))
    } else {
        Err(DecodeError::message("bytes follow the record"))
    }
}
