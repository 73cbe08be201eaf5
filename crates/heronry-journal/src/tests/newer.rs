//! The bytes of newer builds are named as such, and nothing else of them is believed.

use std::collections::BTreeSet;

use heronry_types::{
    AckOutcome, ChosenBy, CopyState, DeadReason, DistinctBy, EffectFault, EffectOutcome, EventKind,
    Importance, LimitName, MemberStanding, MessageFailure, ModuleStanding, OnFull, PolicyKind,
    Position, ReconcileStage, ReleaseReason, ReplyStanding, ResumeCause, ResumeWith, ResumedBy,
    RosterLayer, RunEnd, RuntimeErrorCategory, SuspendFor, Undeliverable, Vocabulary, WakeFailure,
    WakePayload, WakeReason,
};

use super::damage::frame;
use crate::{Body, Chunk, ChunkError, FORMAT_VERSION, samples};

/// A record of a schema from the future: only number and version can be read.
fn from_the_future(number: u16, version: u16) -> Vec<u8> {
    let mut encoder = minicbor::Encoder::new(Vec::new());
    encoder.array(9).unwrap();
    encoder.u16(number).unwrap().u16(version).unwrap();
    encoder.str("what follows is unknown").unwrap();
    frame(&encoder.into_writer())
}

fn check(number: u16, version: u16) {
    let chunk = Chunk::decode(from_the_future(number, version)).unwrap();
    let error = chunk.verify().unwrap_err();
    assert!(error.is_newer());
    assert_eq!(
        error,
        ChunkError::NewerSchema {
            position: Position(42),
            number,
            version
        }
    );
}

#[test]
fn a45_a_newer_version_of_every_kind_is_named() {
    for (number, version) in Body::KINDS {
        check(*number, version + 1);
        check(*number, u16::MAX);
    }
}

#[test]
fn a45_a_kind_of_record_that_is_unknown_is_named() {
    check(4, 1);
    check(39, 1);
    check(u16::MAX, u16::MAX);
}

#[test]
fn a45_a_newer_format_is_named_before_anything_else_is_believed() {
    let mut bytes = b"HRNC".to_vec();
    bytes.extend_from_slice(&(FORMAT_VERSION + 1).to_le_bytes());
    let error = Chunk::decode(bytes.clone()).unwrap_err();
    let expected = ChunkError::NewerFormat {
        found: FORMAT_VERSION + 1,
        known: FORMAT_VERSION,
    };
    assert_eq!(error, expected);
    assert!(error.is_newer());
    bytes.resize(2_000_000, 0xab);
    assert_eq!(Chunk::decode(bytes).unwrap_err(), expected);
}

#[test]
fn a45_a_newer_kind_of_chunk_is_named() {
    let mut bytes = from_the_future(1, 1);
    bytes[6] = 3;
    let checksum = crc32c::crc32c(&bytes[..80]).to_le_bytes();
    bytes[80..84].copy_from_slice(&checksum);
    let error = Chunk::decode(bytes).unwrap_err();
    assert_eq!(error, ChunkError::NewerKind { found: 3 });
    assert!(error.is_newer());
}

#[test]
fn a_version_that_never_existed_is_malformed() {
    let chunk = Chunk::decode(from_the_future(1, 0)).unwrap();
    let error = chunk.verify().unwrap_err();
    assert!(matches!(error, ChunkError::Malformed { .. }), "{error}");
    assert!(!error.is_newer());
}

#[test]
fn parts_that_a_newer_build_adds_to_a_record_are_skipped() {
    for (name, entry) in samples::every_kind() {
        let mut record = Vec::new();
        crate::codec::encode(&entry, &mut record);
        record[0] += 2;
        record.extend_from_slice(&[0x82, 0x01, 0x61, b'x', 0xf6]);
        let chunk = Chunk::decode(frame(&record)).unwrap();
        assert_eq!(chunk.record(Position(42)).unwrap().entry, entry, "{name}");
    }
}

/// Returns the index of the byte at which the body of an encoded record begins.
fn body_of(record: &[u8]) -> usize {
    let mut decoder = minicbor::Decoder::new(record);
    assert_eq!(decoder.array().unwrap(), Some(6));
    for _before_the_body in 0..5 {
        decoder.skip().unwrap();
    }
    decoder.position()
}

#[test]
fn fields_that_a_newer_build_adds_to_a_body_are_skipped() {
    for (name, entry) in samples::every_kind() {
        let mut record = Vec::new();
        crate::codec::encode(&entry, &mut record);
        let body = body_of(&record);
        assert_eq!(record[body] & 0xe0, 0x80, "{name}: a body is an array");
        record[body] += 1;
        record.extend_from_slice(&[0xa1, 0x01, 0x82, 0x02, 0x03]);
        let chunk = Chunk::decode(frame(&record)).unwrap();
        assert_eq!(chunk.record(Position(42)).unwrap().entry, entry, "{name}");
    }
}

/// The vocabularies whose words stand in records.
const IN_RECORDS: [&str; 29] = [
    AckOutcome::NAME,
    ChosenBy::NAME,
    CopyState::NAME,
    DeadReason::NAME,
    DistinctBy::NAME,
    EffectFault::NAME,
    EffectOutcome::NAME,
    EventKind::NAME,
    Importance::NAME,
    LimitName::NAME,
    MessageFailure::NAME,
    OnFull::NAME,
    MemberStanding::NAME,
    ModuleStanding::NAME,
    PolicyKind::NAME,
    ReconcileStage::NAME,
    ReleaseReason::NAME,
    ReplyStanding::NAME,
    ResumeCause::NAME,
    ResumeWith::NAME,
    ResumedBy::NAME,
    RosterLayer::NAME,
    RunEnd::NAME,
    RuntimeErrorCategory::NAME,
    SuspendFor::NAME,
    Undeliverable::NAME,
    WakeFailure::NAME,
    WakePayload::NAME,
    WakeReason::NAME,
];

#[test]
fn a45_a_word_that_is_unknown_is_named_with_its_vocabulary() {
    const FROM_THE_FUTURE: u16 = 0xfff0;
    let mut named = BTreeSet::new();
    for (_, entry) in samples::every_kind() {
        let mut record = Vec::new();
        crate::codec::encode(&entry, &mut record);
        for at in 0..record.len() {
            let mut record = record.clone();
            let word = [0x19, 0xff, 0xf0];
            record.splice(at..=at, word);
            let chunk = Chunk::decode(frame(&record)).unwrap();
            let Err(error) = chunk.record(Position(42)) else {
                continue;
            };
            // A number that came out of other bytes is of no interest.
            if let ChunkError::NewerWord {
                position,
                vocabulary,
                number: FROM_THE_FUTURE,
            } = error
            {
                assert!(error.is_newer());
                assert_eq!(position, Position(42));
                named.insert(vocabulary);
            }
        }
    }
    let missing: Vec<_> = IN_RECORDS
        .into_iter()
        .filter(|it| !named.contains(it))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}
