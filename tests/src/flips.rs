//! A store on disk with known records, and bits of it that are flipped.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a helper of a test fails by panicking"
)]

use crate::StoreKind;
use futures::executor::block_on;
use heronry_journal::Chunk;
use heronry_store::Guard;
use heronry_testkit::sample;
use heronry_types::Position;

use crate::store_folder::{Image, StoreFolder};

/// The number of commits; each has two records with their bodies.
pub const COMMITS: u64 = 6;

/// A closed store: its files, and the chunks in it.
pub fn stored(kind: StoreKind) -> (Image, Vec<Chunk>) {
    let place = StoreFolder::new(kind);
    let store = place.open().unwrap();
    let pool = sample::pool(1);
    let token = block_on(store.leases.acquire(
        &pool,
        "a test",
        sample::time(0),
        heronry_store::LEASE_TERM,
    ))
    .unwrap();
    let (mut head, mut chunks) = (None, Vec::new());
    for number in 0..COMMITS {
        let mut commit = sample::commit(head, 2);
        commit.contents = [1, 2].map(|it| sample::content(number * 2 + it)).to_vec();
        chunks.extend(commit.chunks.iter().cloned());
        let expected_head = Position(number * 2);
        let guard = Guard {
            expected_head,
            token,
        };
        head = Some(block_on(store.journal.append(&pool, commit, guard)).unwrap());
    }
    drop(store);
    (place.image(), chunks)
}

/// Returns the places of a part: the file, and the offset in it.
fn find(image: &Image, part: &[u8]) -> Vec<(std::path::PathBuf, usize)> {
    let files = image.0.iter();
    let files = files.filter_map(|(name, bytes)| Some((name, bytes.as_ref()?)));
    let mut found = Vec::new();
    for (name, bytes) in files {
        let starts = memchr(bytes, part[0]);
        let copies = starts.filter(|at| bytes[*at..].starts_with(part));
        found.extend(copies.map(|at| (name.clone(), at)));
    }
    found
}

fn memchr(bytes: &[u8], first: u8) -> impl Iterator<Item = usize> {
    let places = bytes.iter().enumerate();
    places.filter_map(move |(at, byte)| (*byte == first).then_some(at))
}

/// Flips one bit of every copy of a part that the files have; stores keep older ones too.
pub fn flipped(image: &Image, part: &[u8], bit: usize) -> Image {
    let copies = find(image, part);
    assert!(!copies.is_empty(), "the part is in no file");
    let mut image = image.clone();
    for (name, at) in copies {
        let file = image.0.get_mut(&name).unwrap().as_mut().unwrap();
        file[at + bit / 8] ^= 1 << (bit % 8);
    }
    image
}

/// Returns the offset in a chunk at which its records begin.
pub fn records_at(chunk: &Chunk) -> usize {
    80 + 4 * chunk.header().count as usize
}

/// Says whether an error names a position of a chunk.
pub fn names(error: &str, chunk: &Chunk) -> bool {
    let positions = chunk.first().0..=chunk.last().0;
    positions.into_iter().any(|at| {
        error.contains(&format!("position {at}")) || error.contains(&format!("record {at}"))
    })
}
