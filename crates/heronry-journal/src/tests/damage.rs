//! Damage of every kind ends in a typed error: never in a wrong value or a panic.

use heronry_types::Position;
use proptest::prelude::*;

use crate::{
    Chunk, ChunkError, ChunkHash, ChunkHeader, ChunkWriter, Entry, HeaderField,
    chunk::{CHUNK_BYTES_MAX, layout},
    samples,
};

fn chunk() -> Chunk {
    let at = samples::recorded_at();
    let mut writer = ChunkWriter::new(samples::EPOCH, Position(41), ChunkHash([7; 32]), at);
    for (_, entry) in samples::every_kind() {
        writer.push(&entry).unwrap();
    }
    writer.finish().remove(0)
}

fn read_all(bytes: Vec<u8>) -> Result<Vec<Entry>, ChunkError> {
    let chunk = Chunk::decode(bytes)?;
    chunk.verify()?;
    chunk.records().map(|record| Ok(record?.entry)).collect()
}

/// Chunks of one record of every kind, and of several records.
fn chunks() -> Vec<Chunk> {
    let write = |entries: &[Entry]| {
        let at = samples::recorded_at();
        let mut writer = ChunkWriter::new(samples::EPOCH, Position(41), ChunkHash([7; 32]), at);
        for entry in entries {
            writer.push(entry).unwrap();
        }
        writer.finish().remove(0)
    };
    let kinds = samples::every_kind().into_iter();
    let mut chunks: Vec<_> = kinds.map(|(_, entry)| write(&[entry])).collect();
    chunks.extend(samples::journal().iter().map(|entries| write(entries)));
    chunks
}

#[test]
fn a46_a_flip_of_any_bit_is_an_error() {
    for chunk in chunks() {
        let header = layout::chunk_len(chunk.header().count as usize, 0);
        for index in 0..chunk.bytes().len() {
            for bit in 0..8 {
                let mut bytes = chunk.bytes().to_vec();
                bytes[index] ^= 1 << bit;
                let error = read_all(bytes).unwrap_err();
                // No newer build reads it either.
                assert!(!error.is_newer(), "{index}.{bit}: {error}");
                let in_record = index >= header;
                assert_eq!(
                    error.position().is_some(),
                    in_record,
                    "{index}.{bit}: {error}"
                );
            }
        }
    }
}

#[test]
fn a46_a_flip_inside_a_record_names_its_position_and_leaves_the_others() {
    let whole = chunk();
    let mut bytes = whole.bytes().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 0x10;
    let damaged = Chunk::decode(bytes).unwrap();
    let position = whole.last();
    assert_eq!(
        damaged.verify(),
        Err(ChunkError::RecordChecksum { position })
    );
    assert_ne!(damaged.hash(), whole.hash());
    let good = damaged.records().flatten().count();
    assert_eq!(good, whole.records().len() - 1);
}

#[test]
fn a_chunk_cut_at_any_length_is_an_error() {
    let chunk = chunk();
    for length in 0..chunk.bytes().len() {
        let error = Chunk::decode(&chunk.bytes()[..length]).unwrap_err();
        let expected = match length {
            0..4 => matches!(error, ChunkError::NotAChunk),
            4.. => {
                matches!(error, ChunkError::Truncated { found, needed } if found == length as u64 && needed > found)
            }
        };
        assert!(expected, "{length}: {error}");
    }
}

#[test]
fn bytes_after_a_chunk_are_an_error() {
    let mut bytes = chunk().bytes().to_vec();
    let expected = bytes.len() as u64;
    bytes.push(0);
    let found = expected + 1;
    let error = Chunk::decode(bytes).unwrap_err();
    assert_eq!(error, ChunkError::TrailingBytes { expected, found });
}

#[test]
fn more_bytes_than_a_chunk_may_have_are_an_error() {
    let mut bytes = chunk().bytes().to_vec();
    bytes.resize(CHUNK_BYTES_MAX + 1, 0);
    let found = bytes.len() as u64;
    assert_eq!(
        Chunk::decode(bytes).unwrap_err(),
        ChunkError::Oversized { found }
    );
}

#[test]
fn records_that_changed_places_are_an_error() {
    let entry = &samples::every_kind()[0].1;
    let one = |head| {
        let at = samples::recorded_at();
        let mut writer = ChunkWriter::new(samples::EPOCH, Position(head), ChunkHash::START, at);
        writer.push(entry).unwrap();
        writer.finish().remove(0)
    };
    let (here, elsewhere) = (one(1), one(2));
    let header = layout::chunk_len(1, 0);
    let mut bytes = here.bytes()[..header].to_vec();
    bytes.extend_from_slice(&elsewhere.bytes()[header..]);
    let position = Position(2);
    assert_eq!(
        read_all(bytes).unwrap_err(),
        ChunkError::RecordChecksum { position }
    );
}

/// Frames one record at position 42 with right checksums, whatever its bytes are.
pub(super) fn frame(record: &[u8]) -> Vec<u8> {
    let header = ChunkHeader {
        epoch: samples::EPOCH,
        first: Position(42),
        count: 1,
        recorded_at: samples::recorded_at(),
        previous: ChunkHash::START,
    };
    let checksum = layout::record_checksum(header.epoch, header.first, record);
    let mut records = checksum.to_le_bytes().to_vec();
    records.extend_from_slice(record);
    let end = u32::try_from(records.len()).unwrap();
    layout::write(crate::ChunkKind::Records, &header, &[end], &records)
}

#[test]
fn headers_that_no_build_writes_are_refused_although_the_checksum_holds() {
    let patched = |offset: usize, field: &[u8]| {
        let mut bytes = frame(&[0]);
        bytes[offset..offset + field.len()].copy_from_slice(field);
        let checksum = crc32c::crc32c(&bytes[..80]).to_le_bytes();
        bytes[80..84].copy_from_slice(&checksum);
        Chunk::decode(bytes).unwrap_err()
    };
    let field = |field| ChunkError::Header { field };
    assert_eq!(patched(7, &[1]), field(HeaderField::Reserved));
    assert_eq!(patched(24, &[0; 8]), field(HeaderField::First));
    assert_eq!(patched(24, &[0xff; 8]), field(HeaderField::First));
    assert_eq!(
        patched(32, &i64::MAX.to_le_bytes()),
        field(HeaderField::RecordedAt)
    );
    let position = Position(42);
    for end in [0_u32, 4, u32::MAX] {
        let error = patched(76, &end.to_le_bytes());
        assert_eq!(error, ChunkError::RecordBounds { position }, "{end}");
    }
}

#[test]
fn a_chunk_without_records_is_refused() {
    let header = *chunk().header();
    let bytes = layout::write(
        crate::ChunkKind::Records,
        &ChunkHeader { count: 0, ..header },
        &[],
        &[],
    );
    let field = HeaderField::Count;
    assert_eq!(
        Chunk::decode(bytes).unwrap_err(),
        ChunkError::Header { field }
    );
}

#[test]
fn a_declared_length_reserves_nothing() {
    let entry = &samples::every_kind()[4].1;
    let mut record = Vec::new();
    crate::codec::encode(entry, &mut record);
    let topics = record.iter().rposition(|byte| *byte == 0x82).unwrap();
    record.truncate(topics);
    record.extend_from_slice(&[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let error = read_all(frame(&record)).unwrap_err();
    assert!(matches!(error, ChunkError::Malformed { .. }), "{error}");
}

#[test]
fn a_malformed_record_says_where_and_what() {
    let mut record = Vec::new();
    crate::codec::encode(&samples::every_kind()[0].1, &mut record);
    record.push(0);
    let error = read_all(frame(&record)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("record 42 is malformed"), "{text}");
    assert!(text.contains("bytes follow the record"), "{text}");
}

/// Reads a record that has its checksum: what is read can be shown and written again.
fn read_framed(record: &[u8]) {
    match read_all(frame(record)) {
        Ok(entries) => {
            let [entry] = entries.as_slice() else {
                panic!("one record");
            };
            serde_json::to_string(entry).unwrap();
            let mut again = Vec::new();
            crate::codec::encode(entry, &mut again);
            assert_eq!(&crate::codec::decode(&again).unwrap(), entry);
        }
        Err(error) => assert!(
            matches!(
                error,
                ChunkError::Malformed { .. }
                    | ChunkError::NewerSchema { .. }
                    | ChunkError::NewerWord { .. }
                    | ChunkError::MisplacedStart { .. }
            ),
            "{error}"
        ),
    }
}

#[test]
fn any_byte_of_a_record_may_be_wrong_under_a_right_checksum() {
    for (_, entry) in samples::every_kind() {
        let mut record = Vec::new();
        crate::codec::encode(&entry, &mut record);
        for index in 0..record.len() {
            for value in [
                0x00, 0x17, 0x1b, 0x3b, 0x7f, 0x80, 0x9b, 0x9f, 0xbf, 0xf6, 0xff,
            ] {
                let mut record = record.clone();
                record[index] = value;
                read_framed(&record);
            }
        }
    }
}

proptest! {
    #[test]
    fn garbage_is_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read_all(bytes).is_err());
    }

    #[test]
    fn garbage_after_the_magic_is_an_error(rest in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = b"HRNC\x01\x00\x01\x00".to_vec();
        bytes.extend_from_slice(&rest);
        prop_assert!(read_all(bytes).is_err());
    }

    #[test]
    fn garbage_under_a_right_checksum_never_panics(
        record in proptest::collection::vec(any::<u8>(), 1..400),
    ) {
        read_framed(&record);
    }

    #[test]
    fn garbage_inside_a_record_under_a_right_checksum_never_panics(
        kind in 0..crate::Body::KINDS.len(),
        at in any::<proptest::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 1..12),
    ) {
        let mut record = Vec::new();
        crate::codec::encode(&samples::every_kind()[kind].1, &mut record);
        let at = at.index(record.len());
        let end = record.len().min(at + bytes.len());
        record.splice(at..end, bytes);
        read_framed(&record);
    }
}
