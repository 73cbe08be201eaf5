//! The chain of chunks: order, timeline and hashes.

use heronry_types::{Epoch, Position};

use crate::{
    Body, Chain, ChainFault, Chunk, ChunkError, ChunkHash, ChunkWriter, EpochStarted,
    samples::{self, Sample as _},
};

/// Three chunks of two records each.
fn chunks(epoch: Epoch) -> Vec<Chunk> {
    let (mut head, mut previous) = (Position::ZERO, ChunkHash::START);
    let mut chunks = Vec::new();
    for pair in samples::every_kind()[3..].chunks(2).take(3) {
        let mut writer = ChunkWriter::new(epoch, head, previous, samples::recorded_at());
        for (_, entry) in pair {
            head = writer.push(entry).unwrap();
        }
        chunks.extend(writer.finish());
        previous = chunks.last().unwrap().hash();
    }
    chunks
}

/// The place of a break in a chain, and a test of its fault.
type Break = (u64, fn(&ChainFault) -> bool);

/// Pushes chunks in order, and returns the position and fault at which the chain breaks.
fn check(chunks: &[&Chunk], expected: Option<Break>) {
    let mut chain = Chain::start();
    let broken = chunks.iter().find_map(|chunk| chain.push(chunk).err());
    match (broken, expected) {
        (None, None) => {}
        (Some(error), Some((at, is))) => {
            assert_eq!(error.at, Position(at));
            assert!(is(&error.what), "{error}");
            assert_eq!(
                chain.position().next(),
                error.at,
                "the chain stays where it was"
            );
        }
        (broken, expected) => panic!("{broken:?}, expected at {:?}", expected.map(|(at, _)| at)),
    }
}

fn is_position(fault: &ChainFault) -> bool {
    matches!(fault, ChainFault::Position { .. })
}

fn is_epoch(fault: &ChainFault) -> bool {
    matches!(fault, ChainFault::Epoch { .. })
}

fn is_hash(fault: &ChainFault) -> bool {
    matches!(fault, ChainFault::Hash { .. })
}

#[test]
fn a_chain_breaks_where_a_chunk_does_not_follow() {
    let [a, b, c] = &chunks(samples::EPOCH)[..] else {
        panic!("three chunks");
    };
    let foreign = chunks(Epoch([9; 16]));
    check(&[a, b, c], None);
    check(&[b, a], Some((1, is_position)));
    check(&[a, c, b], Some((3, is_position)));
    check(&[a, b, b], Some((5, is_position)));
    check(&[a, &foreign[1]], Some((3, is_epoch)));
    let later = ChunkWriter::new(
        samples::EPOCH,
        Position(2),
        ChunkHash([1; 32]),
        samples::recorded_at(),
    );
    let stray = write_one(later);
    check(&[a, &stray], Some((3, is_hash)));
}

fn write_one(mut writer: ChunkWriter) -> Chunk {
    writer.push(&samples::every_kind()[0].1).unwrap();
    writer.finish().remove(0)
}

#[test]
fn a_chain_goes_on_after_a_chunk_that_is_known() {
    let chunks = chunks(samples::EPOCH);
    let first = &chunks[0];
    let mut chain = Chain::after(first.header().epoch, first.last(), first.hash());
    chain.push(&chunks[1]).unwrap();
    assert_eq!(
        (chain.position(), chain.hash()),
        (Position(4), chunks[1].hash())
    );
}

#[test]
fn a_chunk_whose_content_differs_breaks_the_chain_at_the_next_one() {
    let chunks = chunks(samples::EPOCH);
    let writer = ChunkWriter::new(
        samples::EPOCH,
        Position::ZERO,
        ChunkHash::START,
        samples::recorded_at(),
    );
    let mut writer = writer;
    for (_, entry) in samples::every_kind().iter().rev().take(2) {
        writer.push(entry).unwrap();
    }
    let other = writer.finish().remove(0);
    check(&[&other, &chunks[1]], Some((3, is_hash)));
}

/// Chunks of two timelines: two of the first, and then what `start` makes of the second.
fn two_timelines(start: EpochStarted) -> Vec<Chunk> {
    let mut chunks = chunks(start.previous);
    chunks.pop();
    let last = chunks.last().unwrap();
    let mut writer = ChunkWriter::new(
        start.previous,
        last.last(),
        last.hash(),
        samples::recorded_at(),
    );
    writer
        .push(&samples::full(Body::EpochStarted(start)))
        .unwrap();
    for (_, entry) in &samples::every_kind()[4..8] {
        writer.push(entry).unwrap();
    }
    chunks.extend(writer.finish());
    chunks
}

#[test]
fn a_timeline_starts_at_a_chunk_whose_first_record_says_so() {
    let start = EpochStarted::samples().remove(0);
    let chunks = two_timelines(start);
    let epochs: Vec<_> = chunks.iter().map(|chunk| chunk.header().epoch).collect();
    assert_eq!(epochs, [start.previous, start.previous, start.epoch]);
    let mut chain = Chain::start();
    for chunk in &chunks {
        chain.push(chunk).unwrap();
    }
    assert_eq!(chain.epoch(), Some(start.epoch));
    let foreign = two_timelines(EpochStarted {
        previous: Epoch([9; 16]),
        ..start
    });
    check(&[&chunks[0], &chunks[1], &foreign[2]], Some((5, is_epoch)));
}

#[test]
fn a_timeline_that_starts_in_the_middle_of_a_commit_begins_a_chunk() {
    let start = EpochStarted::samples().remove(0);
    let mut writer = ChunkWriter::new(
        start.previous,
        Position::ZERO,
        ChunkHash::START,
        samples::recorded_at(),
    );
    let (_, first) = &samples::every_kind()[0];
    writer.push(first).unwrap();
    writer
        .push(&samples::full(Body::EpochStarted(start)))
        .unwrap();
    writer.push(first).unwrap();
    let chunks = writer.finish();
    check(&chunks.iter().collect::<Vec<_>>(), None);
    let firsts: Vec<_> = chunks.iter().map(Chunk::first).collect();
    assert_eq!(firsts, [Position(1), Position(2)]);
}

#[test]
fn a_start_that_is_not_the_first_of_a_chunk_of_its_timeline_is_refused() {
    let start = samples::full(Body::EpochStarted(EpochStarted::samples().remove(0))).to_bytes();
    let other = samples::full(samples::every_kind()[1].1.body.clone()).to_bytes();
    let verify = |epoch, records: [&[u8]; 2]| {
        let (head, time) = (Position(7), samples::recorded_at());
        let mut writer = ChunkWriter::new(epoch, head, ChunkHash::START, time);
        for record in records {
            writer.push_bytes(record).unwrap();
        }
        writer.finish().remove(0).verify()
    };
    let misplaced = |at| {
        let position = Position(at);
        Err(ChunkError::MisplacedStart { position })
    };
    assert_eq!(verify(samples::EPOCH, [&start, &other]), Ok(()));
    assert_eq!(verify(samples::EPOCH, [&other, &start]), misplaced(9));
    assert_eq!(verify(Epoch([9; 16]), [&start, &other]), misplaced(8));
}
