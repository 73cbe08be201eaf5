//! Golden files: the bytes of every kind of record, and of a short journal, never change.

use std::{collections::BTreeSet, fmt::Write as _, fs, io::Write as _, path::PathBuf};

use heronry_types::Position;
use serde_json::{Value, json};

use crate::{Body, Chain, Chunk, ChunkHash, ChunkWriter, Entry, samples};

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

/// The name of every golden file, and the chunk that it holds.
fn expected() -> Vec<(String, Chunk)> {
    let single = samples::every_version().into_iter().map(|(name, entry)| {
        let chunk = encode(Position(304), ChunkHash([7; 32]), &[entry]);
        (name, chunk)
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

/// A golden file: the bytes of a chunk, and what it shows as JSON.
struct Golden {
    bytes: Vec<u8>,
    json: Value,
}

/// Reads a golden file. The bytes of earlier ones stand beside their JSON, those of later ones in it.
fn read(name: &str) -> Golden {
    let path = folder().join(format!("{name}.json"));
    let text = fs::read(&path).unwrap_or_else(|error| {
        let path = path.display();
        panic!("{path}: {error}; write it with HERONRY_GOLDEN=add, and commit it")
    });
    let mut json: Value = serde_json::from_slice(&text).unwrap();
    let members = json.as_object_mut().unwrap();
    // The event is for whoever makes it of the record.
    members.remove("event");
    let bytes = match members.remove("bytes") {
        Some(hex) => from_hex(hex.as_str().unwrap()),
        None => fs::read(folder().join(format!("{name}.bin"))).unwrap(),
    };
    Golden { bytes, json }
}

/// Reads a golden file; writes it when it is missing and that was asked for, and never over one.
fn read_or_add(name: &str, expected: &Chunk) -> Golden {
    let add = std::env::var("HERONRY_GOLDEN").is_ok_and(|word| word == "add");
    let path = folder().join(format!("{name}.json"));
    if add && !path.exists() {
        let mut json = dump(expected);
        json["bytes"] = Value::from(to_hex(expected.bytes()));
        let mut text = serde_json::to_vec_pretty(&json).unwrap();
        text.push(b'\n');
        fs::File::create_new(&path)
            .unwrap()
            .write_all(&text)
            .unwrap();
    }
    read(name)
}

fn to_hex(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in bytes {
        write!(digits, "{byte:02x}").unwrap();
    }
    digits
}

fn from_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

#[test]
fn a45_every_golden_file_opens_with_the_expected_records() {
    for (name, expected) in expected() {
        let golden = Chunk::decode(read_or_add(&name, &expected).bytes)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(golden.header(), expected.header(), "{name}");
        let records = |chunk: &Chunk| chunk.records().collect::<Result<Vec<_>, _>>();
        assert_eq!(records(&golden), records(&expected), "{name}");
    }
}

#[test]
fn golden_files_are_encoded_again_to_the_same_bytes() {
    for (name, expected) in expected() {
        let golden = Chunk::decode(read_or_add(&name, &expected).bytes).unwrap();
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
        let golden = read_or_add(&name, &expected).json;
        assert_eq!(dump(&expected), golden, "{name}");
    }
}

#[test]
fn the_golden_journal_is_one_chain() {
    let mut chain = Chain::start();
    for (name, _) in expected() {
        if name.starts_with("journal-") {
            chain
                .push(&Chunk::decode(read(&name).bytes).unwrap())
                .unwrap();
        }
    }
    assert_eq!(chain.position(), Position(5));
}

/// The names of all golden files.
fn names() -> BTreeSet<String> {
    let files = fs::read_dir(folder()).unwrap();
    let names = files.filter_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        Some(name.strip_suffix(".json")?.to_owned())
    });
    names.collect()
}

#[test]
fn a45_every_version_of_every_kind_has_a_golden_file() {
    let versions: BTreeSet<String> = names()
        .iter()
        .filter_map(|name| Some(name.split_once('-')?.0.to_owned()))
        .collect();
    for (number, newest) in Body::KINDS {
        for version in 1..=*newest {
            let name = format!("{number}.{version}");
            assert!(versions.contains(&name), "no golden file {name}-*.json");
        }
    }
}

#[test]
fn a45_every_file_in_the_golden_folder_opens() {
    let names = names();
    for name in &names {
        let chunk = Chunk::decode(read(name).bytes).unwrap();
        chunk.verify().unwrap();
    }
    assert!(names.len() >= Body::KINDS.len());
}
