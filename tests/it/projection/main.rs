//! Golden files of the events that records become: one for every kind of record.
//!
//! The records are the golden files of the journal. `cargo insta` is not needed: a new kind of record
//! adds its file with `INSTA_UPDATE=always`, and an existing file never changes.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{collections::BTreeSet, fs, path::Path};

use heronry_event::Event;
use heronry_journal::{Body, Chunk};
use heronry_pool::project;
use heronry_types::Timelines;

fn golden_chunks() -> Vec<(String, Chunk)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/heronry-journal/golden/v1");
    let mut chunks: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, Chunk::decode(fs::read(&path).unwrap()).unwrap())
        })
        .collect();
    chunks.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    chunks
}

#[test]
fn every_kind_of_record_becomes_its_golden_event() {
    let mut numbers = BTreeSet::new();
    for (name, chunk) in golden_chunks()
        .iter()
        .filter(|(name, _)| !name.starts_with("journal-"))
    {
        let record = chunk.record(chunk.first()).unwrap();
        let event = project(&Timelines::of(chunk.header().epoch), &record);
        assert_eq!(event.envelope.kind, record.kind());
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(
            serde_json::from_value::<Event>(json.clone()).unwrap(),
            event,
            "{name}"
        );
        insta::assert_json_snapshot!(name.as_str(), json);
        numbers.insert(record.entry.body.number());
    }
    let known: BTreeSet<u16> = Body::KINDS.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, known, "every kind of record has its golden file");
}

#[test]
fn o20_every_record_has_exactly_one_event() {
    for (_, chunk) in golden_chunks() {
        for record in chunk.records() {
            let record = record.unwrap();
            let event = project(&Timelines::of(chunk.header().epoch), &record);
            assert_eq!(event.envelope.id().position, record.position);
        }
    }
}
