//! A46: a flip of any bit of a stored record is named; nothing wrong is ever read.

use futures::executor::block_on;
use heronry_store::{ContentPlace, JournalExt, ReadError, StoreError, StoreErrorKind};
use heronry_testkit::sample;
use heronry_tests::StoreKind;
use heronry_types::Position;

use heronry_tests::flips::{COMMITS, flipped, names, records_at, stored};
use heronry_tests::store_folder::StoreFolder;
use heronry_tests::tries::{Draw, scaled};

/// Reads everything that was written, in pages of this size, and checks each value.
pub(crate) fn read_all(place: &StoreFolder, bytes_max: usize) -> Result<(), StoreError> {
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
    for number in 1..=COMMITS * 2 {
        let at = ContentPlace::With(Position(number));
        let name = sample::content_ref(number);
        let found = block_on(store.contents.get(&pool, name, at))?;
        let found = found.ok_or_else(|| missing("the journal says that a body is there"))?;
        assert_eq!(found, sample::content(number).stored);
    }
    Ok(())
}

fn unread(error: ReadError) -> StoreError {
    let ReadError::Store(error) = error else {
        panic!("damage was taken for {error:?}");
    };
    error
}

fn check_records(kind: StoreKind) {
    let (good, chunks) = stored(kind);
    read_all(&StoreFolder::of(kind, &good), 1).unwrap();
    let mut draw = Draw(46);
    for _ in 0..scaled(48) {
        let chunk = &chunks[draw.below(chunks.len())];
        let from = records_at(chunk) * 8;
        let bit = from + draw.below(chunk.bytes().len() * 8 - from);
        let damaged = StoreFolder::of(kind, &flipped(&good, chunk.bytes(), bit));
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
        let body = sample::body(1 + draw.below(12)).bytes;
        let bit = draw.below(body.len() * 8);
        let damaged = StoreFolder::of(kind, &flipped(&good, &body, bit));
        let error = read_all(&damaged, usize::MAX).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "bit {bit}: {error}");
    }
}

/// Reads every body where one is damaged: each is whole, or said to be damaged; returns how many are whole.
fn check_neighbours(kind: StoreKind, damaged: u64) -> Result<usize, StoreError> {
    let (good, _) = stored(kind);
    let body = sample::body(damaged).bytes;
    let place = StoreFolder::of(kind, &flipped(&good, &body, body.len() * 4));
    let (store, pool, mut whole) = (place.open()?, sample::pool(1), 0);
    for number in 1..=COMMITS * 2 {
        let at = ContentPlace::With(Position(number));
        match block_on(store.contents.get(&pool, sample::content_ref(number), at)) {
            Ok(found) => {
                assert_ne!(number, damaged);
                assert_eq!(found.unwrap(), sample::content(number).stored);
                whole += 1;
            }
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{number}: {error}"),
        }
    }
    Ok(whole)
}

mod redb {
    use super::{COMMITS, StoreKind::Redb};

    #[test]
    fn bodies_beside_a_damaged_one_are_read() {
        for damaged in 1..=COMMITS * 2 {
            let whole = super::check_neighbours(Redb, damaged).unwrap();
            // Bodies of one append are kept together.
            assert!(whole as u64 >= COMMITS * 2 - 2, "{damaged}: {whole}");
        }
    }

    #[test]
    fn a46_a_flip_of_any_bit_of_a_record_names_its_position_and_gives_no_wrong_value() {
        super::check_records(Redb);
    }

    #[test]
    fn a46_a_flip_of_any_bit_of_a_body_is_damage() {
        super::check_bodies(Redb);
    }
}

mod sled {
    use super::{COMMITS, StoreErrorKind, StoreKind::Sled};

    /// sled tells damage of what it reads when it is opened.
    #[test]
    fn bodies_beside_a_damaged_one_are_read_or_the_opening_is_refused() {
        for damaged in 1..=COMMITS * 2 {
            if let Err(error) = super::check_neighbours(Sled, damaged) {
                assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{damaged}: {error}");
            }
        }
    }

    #[test]
    fn a46_a_flip_of_any_bit_of_a_record_names_its_position_and_gives_no_wrong_value() {
        super::check_records(Sled);
    }

    #[test]
    fn a46_a_flip_of_any_bit_of_a_body_is_damage() {
        super::check_bodies(Sled);
    }
}
