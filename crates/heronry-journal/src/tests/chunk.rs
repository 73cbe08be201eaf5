//! Chunks: writing, reading back, splitting and refusing.

use std::sync::Arc;

use crate::{
    Body, CHUNK_BYTES_MAX, Chain, Chunk, ChunkError, ChunkHash, ChunkWriter, Entry, MemberChanged,
    MessageDelivered, RECORD_BYTES_MAX, Recipients, RunEnded, Skipped, encoded_len, fits,
};
use heronry_types::{
    Actor, Epoch, Generation, Lineage, MessageId, PoolId, Position, RunEnd, RunId, Timestamp,
    TopicId, Visibility,
};

const EPOCH: Epoch = Epoch([0x5a; 16]);

fn entry(body: Body) -> Entry {
    Entry {
        lineage: Lineage::of_pool(PoolId::parse("review").unwrap()),
        actor: Actor::Engine,
        visibility: Visibility::InScope,
        body,
    }
}

fn changed(topics: usize) -> Entry {
    let topics = (0..topics)
        .map(|i| TopicId::parse(format!("topic-{i}")).unwrap())
        .collect();
    entry(Body::MemberChanged(MemberChanged {
        topics,
        lease_ms: None,
    }))
}

/// A record whose encoding has exactly this many bytes.
fn sized(bytes: usize) -> Entry {
    let ended = |note: usize| {
        entry(Body::RunEnded(RunEnded {
            generation: Generation(Position(1)),
            end: RunEnd::Completed,
            note: Some("n".repeat(note)),
            members: 0,
        }))
    };
    let around = encoded_len(&ended(100_000)) - 100_000;
    let entry = ended(bytes - around);
    assert_eq!(encoded_len(&entry), bytes);
    entry
}

fn writer(head: u64, previous: ChunkHash) -> ChunkWriter {
    let at = Timestamp::from_millis(1_795_000_000_000);
    ChunkWriter::new(EPOCH, Position(head), previous, at)
}

fn write(head: u64, previous: ChunkHash, entries: &[Entry]) -> Vec<Chunk> {
    let mut writer = writer(head, previous);
    for (entry, position) in entries.iter().zip(head + 1..) {
        assert_eq!(writer.push(entry).unwrap(), Position(position));
    }
    let (len, bytes) = (writer.len(), writer.bytes());
    let chunks = writer.finish();
    assert_eq!(len, entries.len());
    assert_eq!(bytes, chunks.iter().map(|c| c.bytes().len()).sum::<usize>());
    chunks
}

#[test]
fn what_is_written_is_read_back_after_the_bytes_alone() {
    let entries: Vec<_> = (0..5).map(changed).collect();
    let chunks = write(7, ChunkHash([3; 32]), &entries);
    let [chunk] = chunks.as_slice() else {
        panic!("one chunk is enough");
    };
    let read = Chunk::decode(Arc::clone(chunk.bytes())).unwrap();
    assert_eq!(read.header(), chunk.header());
    assert_eq!(read.hash(), chunk.hash());
    assert_eq!((read.first(), read.last()), (Position(8), Position(12)));
    let records: Vec<_> = read.records().map(Result::unwrap).collect();
    assert_eq!(
        records.iter().map(|r| &r.entry).collect::<Vec<_>>(),
        entries.iter().collect::<Vec<_>>()
    );
    assert_eq!(records[4].position, Position(12));
    assert_eq!(records[4].recorded_at, read.header().recorded_at);
    assert_eq!(read.record(Position(10)).unwrap(), records[2]);
    read.verify().unwrap();
}

#[test]
fn records_after_a_position_begin_with_the_next_one() {
    let entries: Vec<_> = (0..5).map(changed).collect();
    let chunk = &write(7, ChunkHash::START, &entries)[0];
    let after = |position| {
        let records = chunk.records_after(Position(position));
        let length = records.len();
        let positions: Vec<u64> = records.map(|r| r.unwrap().position.0).collect();
        assert_eq!(positions.len(), length);
        positions
    };
    assert_eq!(after(0), [8, 9, 10, 11, 12]);
    assert_eq!(after(7), [8, 9, 10, 11, 12]);
    assert_eq!(after(10), [11, 12]);
    assert_eq!(after(12), [0; 0]);
    assert_eq!(after(u64::MAX), [0; 0]);
}

#[test]
fn positions_outside_the_chunk_are_refused() {
    let chunk = &write(7, ChunkHash::START, &[changed(1), changed(2)])[0];
    for position in [0, 7, 10, u64::MAX] {
        assert_eq!(
            chunk.record(Position(position)).unwrap_err(),
            ChunkError::NoSuchRecord {
                position: Position(position),
                first: Position(8),
                last: Position(9),
            }
        );
    }
}

#[test]
fn an_empty_writer_has_no_chunks() {
    let writer = writer(0, ChunkHash::START);
    assert!(writer.is_empty());
    assert_eq!(writer.bytes(), 0);
    assert!(writer.finish().is_empty());
}

#[test]
fn a_commit_is_split_into_full_chunks_that_follow_one_another() {
    let entries: Vec<_> = (0..40).map(|i| sized(100_000 + i)).collect();
    let chunks = write(0, ChunkHash::START, &entries);
    assert_eq!(chunks.len(), 6, "seven records fit into a chunk");
    let mut chain = Chain::start();
    for chunk in &chunks {
        assert!(chunk.bytes().len() <= CHUNK_BYTES_MAX);
        let read = Chunk::decode(Arc::clone(chunk.bytes())).unwrap();
        assert_eq!(read.hash(), chunk.hash());
        chain.push(&read).unwrap();
    }
    assert_eq!(chain.position(), Position(40));
    let read: Vec<_> = chunks
        .iter()
        .flat_map(|chunk| chunk.records().map(|r| r.unwrap().entry))
        .collect();
    assert_eq!(read, entries);
}

#[test]
fn a_record_up_to_the_limit_fills_a_chunk_and_a_larger_one_changes_nothing() {
    let largest = sized(RECORD_BYTES_MAX);
    fits(&largest).unwrap();
    let chunks = write(0, ChunkHash::START, &[changed(1), largest, changed(2)]);
    assert_eq!(chunks.len(), 3);
    assert_eq!(chunks[1].bytes().len(), CHUNK_BYTES_MAX);
    chunks[1].verify().unwrap();

    let larger = sized(RECORD_BYTES_MAX + 1);
    let error = fits(&larger).unwrap_err();
    assert_eq!(
        (error.actual, error.max),
        (RECORD_BYTES_MAX + 1, RECORD_BYTES_MAX)
    );
    let mut writer = writer(0, ChunkHash::START);
    writer.push(&changed(1)).unwrap();
    let bytes = writer.bytes();
    assert_eq!(writer.push(&larger).unwrap_err(), error);
    assert_eq!((writer.len(), writer.bytes()), (1, bytes));
    assert_eq!(writer.push(&changed(2)).unwrap(), Position(2));
    assert_eq!(
        writer.finish()[0].bytes(),
        write(0, ChunkHash::START, &[changed(1), changed(2)])[0].bytes()
    );
}

#[test]
fn the_largest_list_of_recipients_fits_into_one_record() {
    let runs = (0..1_024).map(|i| RunId::parse(format!("{i:0>512}")).unwrap());
    let delivered = entry(Body::MessageDelivered(MessageDelivered {
        accepted: Position(1),
        message_id: MessageId::parse("m").unwrap(),
        reply_to: None,
        topic: None,
        recipients: Recipients(runs.collect()),
        skipped: Skipped::of((0..1_024).collect()).unwrap(),
        not_peered: None,
    }));
    fits(&delivered).unwrap();
}
