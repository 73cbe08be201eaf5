//! Every kind of record is read back as it was written.

use std::sync::Arc;

use heronry_types::{Actor, Epoch, Lineage, Position, Timestamp, Visibility};
use proptest::{collection::vec, prelude::*};

use crate::{Body, Chain, Chunk, ChunkHash, ChunkWriter, Entry, encoded_len, samples};

#[test]
fn samples_cover_every_version_of_every_kind_once() {
    let samples = samples::every_version();
    let versions = samples.iter();
    let versions = versions.map(|(_, entry)| (entry.body.number(), entry.body.version()));
    let all = Body::KINDS.iter();
    let all = all.flat_map(|(number, newest)| (1..=*newest).map(|version| (*number, version)));
    assert_eq!(versions.collect::<Vec<_>>(), all.collect::<Vec<_>>());
}

/// The JSON of an entry, with the body left open until its number is known.
#[derive(serde::Deserialize)]
struct Parts {
    number: u16,
    lineage: Lineage,
    actor: Actor,
    visibility: Visibility,
    body: serde_json::Value,
}

/// Makes each timeline start from the one before it.
fn in_one_journal(mut epoch: Epoch, mut entries: Vec<Entry>) -> Vec<Entry> {
    for entry in &mut entries {
        if let Body::EpochStarted(started) = &mut entry.body {
            started.previous = std::mem::replace(&mut epoch, started.epoch);
        }
    }
    entries
}

proptest! {
    #[test]
    fn arbitrary_commits_round_trip(
        entries in vec(samples::arbitrary::entry(), 1..12),
        epoch in any::<[u8; 16]>(),
        head in 0..u64::MAX / 2,
        time in any::<i64>(),
    ) {
        let (epoch, head) = (Epoch(epoch), Position(head));
        let entries = in_one_journal(epoch, entries);
        let hash = ChunkHash([5; 32]);
        let recorded_at = Timestamp::from_millis(time);
        let mut writer = ChunkWriter::new(epoch, head, hash, recorded_at);
        for (entry, index) in entries.iter().zip(1..) {
            prop_assert_eq!(writer.push(entry).unwrap(), head.plus(index));
        }
        let mut chain = Chain::after(epoch, head, hash);
        let mut read = Vec::new();
        for chunk in writer.finish() {
            let chunk = Chunk::decode(Arc::clone(chunk.bytes())).unwrap();
            chain.push(&chunk).unwrap();
            for record in chunk.records() {
                let record = record.unwrap();
                prop_assert_eq!(record.position, head.plus(read.len() as u64 + 1));
                prop_assert_eq!(record.recorded_at, recorded_at);
                read.push(record.entry);
            }
        }
        prop_assert_eq!(read, entries);
    }

    #[test]
    fn the_length_of_a_record_is_known_before_it_is_written(entry in samples::arbitrary::entry()) {
        let mut bytes = Vec::new();
        crate::codec::encode(&entry, &mut bytes);
        prop_assert_eq!(encoded_len(&entry), bytes.len());
        prop_assert_eq!(&entry.to_bytes(), &bytes);
        prop_assert_eq!(crate::codec::decode(&bytes).unwrap(), entry);
    }

    #[test]
    fn json_holds_every_part_of_a_record(entry in samples::arbitrary::entry()) {
        let json = serde_json::to_string(&entry).unwrap();
        let mut parts: Parts = serde_json::from_str(&json).unwrap();
        let body = Body::deserialize_as(parts.number, parts.body.take()).unwrap();
        let read = Entry {
            lineage: parts.lineage,
            actor: parts.actor,
            visibility: parts.visibility,
            body,
        };
        prop_assert_eq!(read.to_bytes(), entry.to_bytes());
    }
}
