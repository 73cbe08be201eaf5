//! Garbage for the readers of chunks and records.

use heronry_journal::{Chunk, ChunkHash, ChunkWriter, Entry};
use heronry_testkit::sample;
use heronry_types::Position;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use crate::newer::golden;
use heronry_tests::garbage::spoilt;
use heronry_tests::tries::cases;

/// Reads every record of some bytes.
fn read(bytes: Vec<u8>) -> Option<Vec<Entry>> {
    let chunk = Chunk::decode(bytes).ok()?;
    chunk.verify().ok()?;
    chunk
        .records()
        .map(|record| Some(record.ok()?.entry))
        .collect()
}

fn framed(record: &[u8]) -> Chunk {
    let mut writer = ChunkWriter::new(
        sample::EPOCH,
        Position(41),
        ChunkHash::START,
        sample::time(1),
    );
    writer.push_bytes(record).unwrap();
    writer.finish().remove(0)
}

/// Checks that a record is written, and read back as it is.
pub(super) fn check_entry(entry: &Entry) {
    let bytes = entry.to_bytes();
    let chunk = framed(&bytes);
    // What starts a timeline belongs into a chunk of that timeline; it is read by other tests.
    if let Ok(record) = chunk.record(chunk.first()) {
        assert_eq!(record.entry.to_bytes(), bytes);
        assert_eq!(&record.entry, entry);
    }
}

#[test]
fn a_spoilt_chunk_is_an_error_unless_nothing_was_changed() {
    let good: Vec<Vec<u8>> = sample::chunks(None, &[1, 3, 2])
        .chunks
        .iter()
        .map(|chunk| chunk.bytes().to_vec())
        .collect();
    let known = good.clone();
    let read = TestRunner::new(cases(300)).run(&spoilt(good), |bytes| {
        if read(bytes.clone()).is_some() {
            assert!(known.contains(&bytes), "another chunk was believed");
        }
        Ok(())
    });
    read.unwrap();
}

#[test]
fn a_spoilt_record_under_a_right_checksum_is_an_error_or_is_written_as_it_is_read() {
    let records = golden().into_iter().map(|(_, record, _)| record).collect();
    let read = TestRunner::new(cases(800)).run(&spoilt(records), |record| {
        if record.is_empty() {
            return Ok(());
        }
        for record in framed(&record).records().flatten() {
            check_entry(&record.entry);
            serde_json::to_string(&record).unwrap();
        }
        Ok(())
    });
    read.unwrap();
}

#[test]
fn a_flip_of_any_bits_of_a_chunk_is_an_error() {
    let flips = (vec(1..9_u64, 1..4), vec(any::<prop::sample::Index>(), 1..4));
    let read = TestRunner::new(cases(200)).run(&flips, |(sizes, flips)| {
        for chunk in sample::chunks(None, &sizes).chunks {
            let good = chunk.bytes().to_vec();
            assert!(read(good.clone()).is_some());
            let mut bytes = good.clone();
            for flip in &flips {
                let bit = flip.index(good.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            assert!(bytes == good || read(bytes).is_none(), "{flips:?}");
        }
        Ok(())
    });
    read.unwrap();
}
