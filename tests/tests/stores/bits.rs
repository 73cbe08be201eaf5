//! A46: a flip of any bit of a stored record is named; nothing wrong is ever read.

use futures::executor::block_on;
use heronry_journal::Chunk;
use heronry_store::{
    ContentPlace, Guard, JournalExt, ReadError, StoreError, StoreErrorKind, StoredContent,
};
use heronry_testkit::sample;
use heronry_tests::StoreKind;
use heronry_types::Position;

use crate::{
    depth::{Draw, scaled},
    place::{Image, Place},
    support::{Said, said},
};

/// How many commits there are; each has two records and a body.
const COMMITS: u64 = 6;

/// A closed store: its files, and the chunks in it.
pub(crate) fn stored(kind: StoreKind) -> (Image, Vec<Chunk>) {
    let place = Place::new(kind);
    let store = place.open().unwrap();
    let pool = sample::pool(1);
    let token = block_on(store.leases.acquire(&pool, "a test", sample::time(0))).unwrap();
    let (mut head, mut chunks) = (None, Vec::new());
    for number in 0..COMMITS {
        let mut commit = sample::commit(head, 2);
        commit.contents = vec![sample::content(number)];
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

/// Reads everything that was written, in pages of this size, and checks each value.
pub(crate) fn read_all(place: &Place, bytes_max: usize) -> Result<(), StoreError> {
    let store = place.open()?;
    let pool = sample::pool(1);
    let mut after = Position::ZERO;
    loop {
        let page = block_on(store.journal.records(&pool, after, bytes_max));
        let Some(page) = page.map_err(unread)? else {
            break;
        };
        for record in &page.records {
            assert_eq!(record.entry, sample::entry(record.position.0));
        }
        after = page.last;
    }
    let missing = |what: &str| StoreError::new(StoreErrorKind::Corrupt, "test", what);
    assert_eq!(after, Position(COMMITS * 2), "records are gone unsaid");
    for number in 0..COMMITS {
        let at = ContentPlace::With(Position(number * 2 + 1));
        let name = sample::content_ref(number);
        let found = block_on(store.contents.get(&pool, name, at))?;
        let found = found.ok_or_else(|| missing("the journal says that a body is there"))?;
        let expected = StoredContent::of(sample::body(number));
        assert_eq!((found.body, found.digest), (expected.body, expected.digest));
    }
    Ok(())
}

fn unread(error: ReadError) -> StoreError {
    let ReadError::Store(error) = error else {
        panic!("damage was taken for {error:?}");
    };
    error
}

/// Where a part stands: the file, and how far into it.
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
fn flipped(image: &Image, part: &[u8], bit: usize) -> Image {
    let copies = find(image, part);
    assert!(!copies.is_empty(), "the part is in no file");
    let mut image = image.clone();
    for (name, at) in copies {
        let file = image.0.get_mut(&name).unwrap().as_mut().unwrap();
        file[at + bit / 8] ^= 1 << (bit % 8);
    }
    image
}

/// Where the records of a chunk begin.
fn records_at(chunk: &Chunk) -> usize {
    80 + 4 * chunk.header().count as usize
}

/// Says whether an error names a position of a chunk.
fn names(error: &str, chunk: &Chunk) -> bool {
    let positions = chunk.first().0..=chunk.last().0;
    positions.into_iter().any(|at| {
        error.contains(&format!("position {at}")) || error.contains(&format!("record {at}"))
    })
}

fn check_records(kind: StoreKind) {
    let (good, chunks) = stored(kind);
    read_all(&Place::of(kind, &good), 1).unwrap();
    let mut draw = Draw(46);
    for _ in 0..scaled(48) {
        let chunk = &chunks[draw.below(chunks.len())];
        let from = records_at(chunk) * 8;
        let bit = from + draw.below(chunk.bytes().len() * 8 - from);
        let damaged = Place::of(kind, &flipped(&good, chunk.bytes(), bit));
        let error = read_all(&damaged, usize::MAX).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "bit {bit}: {error}");
        // Chunk by chunk, the error says which it is, as `journal verify` does.
        let error = read_all(&damaged, 1).unwrap_err();
        let (kind, text) = (error.kind(), error.to_string());
        assert_eq!(kind, StoreErrorKind::Corrupt, "bit {bit}: {text}");
        assert!(
            names(&text, chunk),
            "bit {bit} of the chunk at {}: {text}",
            chunk.first()
        );
    }
}

fn check_bodies(kind: StoreKind) {
    let (good, _) = stored(kind);
    let mut draw = Draw(64);
    for _ in 0..scaled(12) {
        let body = sample::body(draw.below(6) as u64).bytes;
        let bit = draw.below(body.len() * 8);
        let damaged = Place::of(kind, &flipped(&good, &body, bit));
        let error = read_all(&damaged, usize::MAX).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "bit {bit}: {error}");
    }
}

/// Runs `heronry journal verify` on a damaged store.
fn verify(place: &Place) -> Said {
    let kind = match place.kind {
        StoreKind::Sled => "sled",
        StoreKind::Redb | StoreKind::Memory => "redb",
    };
    let store = format!("{kind}:{}", place.path().display());
    let mut command = std::process::Command::new(crate::support::binary());
    said(command.args(["journal", "verify", "--quiet", &store]))
}

fn check_verify(kind: StoreKind) {
    let (good, chunks) = stored(kind);
    let said = verify(&Place::of(kind, &good));
    assert_eq!(said.code, Some(0), "{said:?}");
    let mut draw = Draw(47);
    for _ in 0..scaled(4) {
        let chunk = &chunks[draw.below(chunks.len())];
        let from = records_at(chunk) * 8;
        let bit = from + draw.below(chunk.bytes().len() * 8 - from);
        let said = verify(&Place::of(kind, &flipped(&good, chunk.bytes(), bit)));
        assert_eq!(said.code, Some(6), "{said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
        assert!(
            names(&said.err, chunk),
            "bit {bit} of the chunk at {}: {said:?}",
            chunk.first()
        );
    }
}

mod redb {
    use super::StoreKind::Redb;

    #[test]
    fn a46_a_flip_of_any_bit_of_a_record_names_its_position_and_gives_no_wrong_value() {
        super::check_records(Redb);
    }

    #[test]
    fn a46_a_flip_of_any_bit_of_a_body_is_damage() {
        super::check_bodies(Redb);
    }

    #[test]
    fn a46_verify_names_the_position_of_a_flipped_record() {
        super::check_verify(Redb);
    }
}

mod sled {
    use super::StoreKind::Sled;

    #[test]
    fn a46_a_flip_of_any_bit_of_a_record_names_its_position_and_gives_no_wrong_value() {
        super::check_records(Sled);
    }

    #[test]
    fn a46_a_flip_of_any_bit_of_a_body_is_damage() {
        super::check_bodies(Sled);
    }

    #[test]
    fn a46_verify_names_the_position_of_a_flipped_record() {
        super::check_verify(Sled);
    }
}
