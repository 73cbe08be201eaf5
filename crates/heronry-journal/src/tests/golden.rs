//! Golden files: the bytes of every kind of record, and of a short journal, never change.

use std::{collections::BTreeSet, fs, io::Write, path::PathBuf};

use heronry_types::Position;
use serde_json::{Value, json};

use super::samples;
use crate::{Body, Chain, Chunk, ChunkHash, ChunkWriter, Entry};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/v1")
}

fn encode(head: Position, previous: ChunkHash, entries: &[Entry]) -> Chunk {
    let mut writer = ChunkWriter::new(samples::EPOCH, head, previous, samples::recorded_at());
    for entry in entries {
        writer.push(entry).unwrap();
    }
    let mut chunks = writer.finish();
    assert_eq!(chunks.len(), 1, "a sample is one chunk");
    chunks.remove(0)
}

/// The name of every golden file, and what it holds.
fn expected() -> Vec<(String, Chunk)> {
    let records = samples::earlier_versions()
        .into_iter()
        .chain(samples::every_kind());
    let single = records.map(|(name, entry)| {
        let chunk = encode(Position(304), ChunkHash([7; 32]), &[entry]);
        (name.to_owned(), chunk)
    });
    let mut files: Vec<_> = single.collect();
    let (mut head, mut previous) = (Position::ZERO, ChunkHash::START);
    for (entries, number) in samples::journal().iter().zip(1..) {
        let chunk = encode(head, previous, entries);
        (head, previous) = (chunk.last(), chunk.hash());
        files.push((format!("journal-{number}"), chunk));
    }
    files
}

fn dump(chunk: &Chunk) -> Value {
    let records: Vec<_> = chunk.records().map(Result::unwrap).collect();
    json!({ "header": chunk.header(), "hash": chunk.hash(), "records": records })
}

/// Reads a golden file; writes it when it is missing and that was asked for, and never over one.
fn read(name: &str, missing: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let path = folder().join(name);
    let add = std::env::var("HERONRY_GOLDEN").is_ok_and(|word| word == "add");
    if add && !path.exists() {
        let mut file = fs::File::create_new(&path).unwrap();
        file.write_all(&missing()).unwrap();
    }
    fs::read(&path).unwrap_or_else(|error| {
        let path = path.display();
        panic!("{path}: {error}; write it with HERONRY_GOLDEN=add, and commit it")
    })
}

#[test]
fn a45_every_golden_file_opens_with_the_expected_records() {
    for (name, expected) in expected() {
        let bytes = read(&format!("{name}.bin"), || expected.bytes().to_vec());
        let golden = Chunk::decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(golden.header(), expected.header(), "{name}");
        let records = |chunk: &Chunk| chunk.records().collect::<Result<Vec<_>, _>>();
        assert_eq!(records(&golden), records(&expected), "{name}");
    }
}

#[test]
fn golden_files_are_encoded_again_to_the_same_bytes() {
    for (name, expected) in expected() {
        let bytes = read(&format!("{name}.bin"), || expected.bytes().to_vec());
        let golden = Chunk::decode(bytes).unwrap();
        let entries: Vec<_> = golden.records().map(|r| r.unwrap().entry).collect();
        let again = encode(
            golden.first().previous(),
            golden.header().previous,
            &entries,
        );
        assert_eq!(again.bytes(), golden.bytes(), "{name}");
        assert_eq!(again.hash(), golden.hash(), "{name}");
        assert_eq!(golden.bytes(), expected.bytes(), "{name}");
    }
}

#[test]
fn golden_files_have_the_expected_json() {
    for (name, expected) in expected() {
        let text = read(&format!("{name}.json"), || {
            let mut text = serde_json::to_vec_pretty(&dump(&expected)).unwrap();
            text.push(b'\n');
            text
        });
        let golden: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(dump(&expected), golden, "{name}");
    }
}

#[test]
fn the_golden_journal_is_one_chain() {
    let mut chain = Chain::start();
    for (name, _) in expected() {
        if name.starts_with("journal-") {
            let bytes = fs::read(folder().join(format!("{name}.bin"))).unwrap();
            chain.push(&Chunk::decode(bytes).unwrap()).unwrap();
        }
    }
    assert_eq!(chain.position(), Position(5));
}

#[test]
fn a45_every_version_of_every_kind_has_a_golden_file() {
    let versions: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| {
            let (version, _) = name.strip_suffix(".bin")?.split_once('-')?;
            Some(version.to_owned())
        })
        .collect();
    for (number, newest) in Body::KINDS {
        for version in 1..=*newest {
            let name = format!("{number}.{version}");
            assert!(versions.contains(&name), "no golden file {name}-*.bin");
        }
    }
}

#[test]
fn a45_every_file_in_the_golden_folder_opens() {
    let mut opened = 0;
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "bin") {
            let chunk = Chunk::decode(fs::read(&path).unwrap()).unwrap();
            chunk.verify().unwrap();
            opened += 1;
        }
    }
    assert!(opened >= Body::KINDS.len());
}
