//! Baselines: their frames are read back, and nothing but whole ones is.

use heronry_types::{Epoch, Position, Timelines, Timestamp};

use crate::{
    Baseline, BaselineError, BaselinePoint, CHUNK_BYTES_MAX, Chunk, ChunkError, ChunkHash,
    ChunkKind, RECORD_BYTES_MAX,
};

fn baseline(state: Vec<u8>) -> Baseline {
    let mut timelines = Timelines::of(Epoch([0x0a; 16]));
    timelines.start(Position(20), Epoch([0x0b; 16]));
    let point = BaselinePoint {
        floor: Position(42),
        timelines,
        hash: ChunkHash([7; 32]),
        recorded_at: Timestamp::from_millis(1_785_000_000_000),
    };
    Baseline::new(point, 3, state)
}

fn read(frames: &[Vec<u8>]) -> Result<Baseline, BaselineError> {
    Baseline::from_frames(frames.iter().map(Vec::as_slice))
}

#[test]
fn a_baseline_of_any_size_is_read_back_from_frames_of_bounded_size() {
    for (bytes, expected) in [
        (0, 1),
        (1, 1),
        (RECORD_BYTES_MAX, 2),
        (2 * RECORD_BYTES_MAX + 5, 3),
    ] {
        let baseline = baseline((0..=250).cycle().take(bytes).collect());
        let frames = baseline.frames();
        assert_eq!(frames.len(), expected, "{bytes}");
        assert!(frames.iter().all(|frame| frame.len() <= CHUNK_BYTES_MAX));
        assert_eq!(read(&frames), Ok(baseline));
    }
}

#[test]
fn a_flipped_bit_of_a_baseline_is_an_error() {
    let frames = baseline(b"a state".to_vec()).frames();
    let [frame] = frames.as_slice() else {
        panic!("one frame");
    };
    for bit in 0..frame.len() * 8 {
        let mut flipped = frame.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&[flipped]).is_err(), "bit {bit}");
    }
    for cut in 0..frame.len() {
        assert!(read(&[frame[..cut].to_vec()]).is_err(), "cut at {cut}");
    }
}

#[test]
fn frames_that_are_missing_doubled_or_out_of_order_are_an_error() {
    let frames = baseline(vec![5; 2 * RECORD_BYTES_MAX + 5]).frames();
    let of = |numbers: &[usize]| {
        let picked: Vec<_> = numbers.iter().map(|it| frames[*it].clone()).collect();
        read(&picked).unwrap_err()
    };
    assert!(matches!(of(&[]), BaselineError::Incomplete { .. }));
    assert!(matches!(of(&[0, 1]), BaselineError::Incomplete { .. }));
    assert_eq!(of(&[0, 2]), BaselineError::Broken { number: 1 });
    assert_eq!(of(&[0, 1, 1]), BaselineError::Broken { number: 2 });
    assert!(read(&frames[1..]).is_err());
}

#[test]
fn a_frame_of_a_baseline_is_no_chunk_of_records() {
    let frame = baseline(b"a state".to_vec()).frames().remove(0);
    let error = Chunk::decode(frame).unwrap_err();
    let expected = ChunkError::WrongKind {
        expected: ChunkKind::Records,
        found: ChunkKind::Baseline,
    };
    assert_eq!(error, expected);
    assert!(!error.is_newer());
}

/// The bytes of a baseline in version 1 of its layout. Never edited: a later layout adds another one.
const GOLDEN: &str = concat!(
    "48524e43010002000b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b2a00000000000000007a4a9a9f010000",
    "07070707070707070707070707070707070707070707070707070707070707070100000036000000",
    "65d36a0c3a986cbc84010307828201500a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a8214500b0b0b0b0b",
    "0b0b0b0b0b0b0b0b0b0b0b61207374617465",
);

#[test]
fn a45_a_baseline_of_the_first_layout_is_read_for_ever() {
    let bytes = GOLDEN.as_bytes().chunks(2).map(|two| {
        let two = std::str::from_utf8(two).unwrap();
        u8::from_str_radix(two, 16).unwrap()
    });
    let bytes: Vec<u8> = bytes.collect();
    let expected = baseline(b"a state".to_vec());
    assert_eq!(expected.frames(), std::slice::from_ref(&bytes));
    assert_eq!(read(&[bytes]), Ok(expected));
}
