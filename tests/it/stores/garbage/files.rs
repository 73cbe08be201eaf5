//! Garbage for the files of a store: what is read is right, or the error says what is wrong.

use heronry_store::StoreErrorKind;
use heronry_tests::StoreKind;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use crate::bits::read_all;
use heronry_tests::garbage::spoilt;
use heronry_tests::{flips::stored, store_folder::StoreFolder, tries::cases};

/// Replaces each file of a closed store by garbage.
fn check(kind: StoreKind, few: u32) {
    let (good, _) = stored(kind);
    let files = good.0.iter();
    let files = files.filter_map(|(name, bytes)| Some((name.clone(), bytes.clone()?)));
    for (name, bytes) in files.collect::<Vec<_>>() {
        let garbage = prop_oneof![
            4 => spoilt(vec![bytes.clone()]),
            1 => vec(any::<u8>(), 0..200),
        ];
        let read = TestRunner::new(cases(few)).run(&garbage, |garbage| {
            let mut image = good.clone();
            image.0.insert(name.clone(), Some(garbage));
            let Err(error) = read_all(&StoreFolder::of(kind, &image), 1) else {
                return Ok(());
            };
            let is_typed = matches!(
                error.kind(),
                StoreErrorKind::Corrupt
                    | StoreErrorKind::NotAStore
                    | StoreErrorKind::NewerSchema
                    | StoreErrorKind::Io
            );
            assert!(is_typed, "{}: {:?}: {error}", name.display(), error.kind());
            assert!(!error.to_string().contains('\n'), "{error}");
            Ok(())
        });
        read.unwrap();
    }
}

#[test]
fn garbage_in_the_file_of_a_redb_store() {
    check(StoreKind::Redb, 24);
}

#[test]
fn garbage_in_any_file_of_a_sled_store() {
    check(StoreKind::Sled, 8);
}
