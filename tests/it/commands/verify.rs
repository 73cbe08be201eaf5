//! A46: `heronry journal verify` names the position of a damaged record.

use heronry_tests::StoreKind;

use heronry_tests::flips::{flipped, names, records_at, stored};
use heronry_tests::process::{Said, said};
use heronry_tests::store_folder::StoreFolder;
use heronry_tests::tries::{Draw, scaled};

/// Runs `heronry journal verify` on a damaged store.
fn verify(place: &StoreFolder) -> Said {
    let kind = match place.kind {
        StoreKind::Sled => "sled",
        StoreKind::Redb | StoreKind::Memory => "redb",
    };
    let store = format!("{kind}:{}", place.path().display());
    let mut command = std::process::Command::new(heronry_tests::process::binary());
    said(command.args(["journal", "verify", "--quiet", &store]))
}

fn check_verify(kind: StoreKind) {
    let (good, chunks) = stored(kind);
    let said = verify(&StoreFolder::of(kind, &good));
    assert_eq!(said.code, Some(0), "{said:?}");
    let mut draw = Draw(47);
    for _ in 0..scaled(4) {
        let chunk = &chunks[draw.below(chunks.len())];
        let from = records_at(chunk) * 8;
        let bit = from + draw.below(chunk.bytes().len() * 8 - from);
        let said = verify(&StoreFolder::of(kind, &flipped(&good, chunk.bytes(), bit)));
        assert_eq!(said.code, Some(6), "{said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
        assert!(
            names(&said.err, chunk),
            "bit {bit} of the chunk at {}: {said:?}",
            chunk.first()
        );
    }
}

#[test]
fn a46_verify_names_the_position_of_a_flipped_record_in_redb() {
    check_verify(StoreKind::Redb);
}

#[test]
fn a46_verify_names_the_position_of_a_flipped_record_in_sled() {
    check_verify(StoreKind::Sled);
}
