//! The identity of a directory, checked before anything in it is believed; and the configuration of
//! sled.
//!
//! The file `heronry` says that the directory is a store. It holds magic, checksum (4 bytes),
//! format of the store (4), format of its chunks (2), and a copy of sled's file `conf`. Numbers are
//! big-endian. It is written once, at creation; a newer build raises the format of chunks before it
//! writes a newer one.

use heronry_store::StoreErrorKind;
use heronry_store_embedded::{CHECKSUM_BYTES, seal, unseal};

/// The format that this build writes.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// The format of chunks that this build writes.
const CHUNK_VERSION: u16 = heronry_journal::FORMAT_VERSION;

const MAGIC: &[u8] = b"heronry sled\n";

/// The size of sled's log segments in bytes. It stands in every store and cannot be changed.
///
/// sled keeps what is larger than a quarter of it apart, in files that it does not sync.
pub(crate) const SEGMENT_BYTES: usize = 2 * 1024 * 1024;

/// The largest value that sled is given, in bytes.
///
/// sled writes whole nodes. One has up to 17 values, and a few more while neighbours are merged
/// into it. With 40 of this size it still stays below a quarter of a segment.
pub(crate) const FRAGMENT_BYTES: usize = 12 * 1024;

/// The most bytes of the store that sled holds in memory.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// Returns how sled is set up: it flushes when it is told to, and never by itself.
pub(crate) fn config() -> sled::Config {
    sled::Config::new()
        .segment_size(SEGMENT_BYTES)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(None)
}

/// The reason why a directory is not opened: the kind tells the remedy, the text tells the finding.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Unreadable {
    pub(crate) kind: StoreErrorKind,
    pub(crate) what: String,
}

impl Unreadable {
    pub(crate) fn new(kind: StoreErrorKind, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { kind, what }
    }
}

/// Returns the record of a store with this `conf` file.
pub(crate) fn encode(conf: &[u8]) -> Vec<u8> {
    encode_versions(FORMAT_VERSION, CHUNK_VERSION, conf)
}

fn encode_versions(format: u32, chunks: u16, conf: &[u8]) -> Vec<u8> {
    let mut row = vec![0; CHECKSUM_BYTES];
    row.extend_from_slice(&format.to_be_bytes());
    row.extend_from_slice(&chunks.to_be_bytes());
    row.extend_from_slice(conf);
    [MAGIC, &seal(MAGIC, row)].concat()
}

/// Checks a record, and that `conf` is the file that it was made for.
pub(crate) fn check(record: &[u8], conf: &[u8]) -> Result<(), Unreadable> {
    let row = record.strip_prefix(MAGIC).ok_or_else(not_a_store)?;
    let damaged = || Unreadable::new(StoreErrorKind::Corrupt, "the format record is damaged");
    let row = unseal(MAGIC, row).ok_or_else(damaged)?;
    let (format, row) = row.split_first_chunk().ok_or_else(damaged)?;
    let format = u32::from_be_bytes(*format);
    if format > FORMAT_VERSION {
        return Err(newer("format", format, FORMAT_VERSION));
    }
    if format < FORMAT_VERSION {
        let what = format!("there is no format {format}");
        return Err(Unreadable::new(StoreErrorKind::Corrupt, what));
    }
    let (chunks, expected) = row.split_first_chunk().ok_or_else(damaged)?;
    let chunks = u16::from_be_bytes(*chunks);
    if chunks > CHUNK_VERSION {
        return Err(newer(
            "chunks of format",
            chunks.into(),
            CHUNK_VERSION.into(),
        ));
    }
    if conf != expected {
        let what = "the file conf is not the one that it was created with";
        return Err(Unreadable::new(StoreErrorKind::Corrupt, what));
    }
    Ok(())
}

/// Returns the refusal of what some other program wrote.
pub(crate) fn not_a_store() -> Unreadable {
    Unreadable::new(StoreErrorKind::NotAStore, "this is not a Heronry store")
}

fn newer(what: &str, found: u32, known: u32) -> Unreadable {
    let what =
        format!("it has {what} {found}, and this build reads up to {known}; use a newer build");
    Unreadable::new(StoreErrorKind::NewerSchema, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_kind(record: &[u8], conf: &[u8], expected: Option<StoreErrorKind>) {
        let kind = check(record, conf).err().map(|error| error.kind);
        assert_eq!(kind, expected);
    }

    #[test]
    fn a_record_says_what_the_directory_is() {
        let record = encode(b"conf");
        check_kind(&record, b"conf", None);
        check_kind(&record, b"other", Some(StoreErrorKind::Corrupt));
        check_kind(b"", b"conf", Some(StoreErrorKind::NotAStore));
        check_kind(b"somebody's letters", b"", Some(StoreErrorKind::NotAStore));
        for (format, chunks, kind) in [
            (
                FORMAT_VERSION + 1,
                CHUNK_VERSION,
                StoreErrorKind::NewerSchema,
            ),
            (
                FORMAT_VERSION,
                CHUNK_VERSION + 1,
                StoreErrorKind::NewerSchema,
            ),
            (0, CHUNK_VERSION, StoreErrorKind::Corrupt),
        ] {
            check_kind(
                &encode_versions(format, chunks, b"conf"),
                b"conf",
                Some(kind),
            );
        }
    }

    #[test]
    fn every_flip_and_every_cut_of_a_record_is_seen() {
        let record = encode(b"conf");
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(check(&flipped, b"conf").is_err(), "bit {bit}");
        }
        for cut in 0..record.len() {
            assert!(check(&record[..cut], b"conf").is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_crowded_node_stays_in_the_log() {
        // A quarter of a segment without its header, and without the header of a message.
        let largest = SEGMENT_BYTES / sled::MINIMUM_ITEMS_PER_SEGMENT
            - sled::SEG_HEADER_LEN
            - sled::MAX_MSG_HEADER_LEN;
        let key_and_lengths = 64;
        assert!(40 * (FRAGMENT_BYTES + key_and_lengths) < largest);
    }
}
