//! A crash anywhere in creation leaves no store, or an empty one.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use heronry_store::StoreErrorKind;

use super::{
    DeviceRecorder, EmbeddedAdapter, EmbeddedPlace, Image,
    opening::strangers,
    place::{check_empty_store_can_be_had, check_nothing_is_left},
};
use crate::{
    conformance::{Failure, check_kind, refused, same},
    recovery::Countdown,
};

/// The number of operations that a creation has at least.
const OPERATIONS_MIN: usize = 5;

/// Each operation of a creation is failed once; what is left is no store, or an empty one.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn a_failure_of_any_operation_leaves_no_store_or_an_empty_one<A: EmbeddedAdapter>()
-> Result<(), Failure> {
    let mut number = 0;
    loop {
        let place = EmbeddedPlace::<A>::new()?;
        let countdown = Countdown::to(number);
        let created = place.open_watched(Arc::new(countdown.clone()));
        if !countdown.has_failed() {
            drop(created?);
            break;
        }
        drop(created);
        if place.store().exists() {
            // The failure came after the creation, when the new store was opened.
            drop(place.open()?);
        } else {
            check_kind("no store", place.open(), StoreErrorKind::NotFound)?;
        }
        check_empty_store_can_be_had(&place)?;
        number += 1;
    }
    check_count("operations were failed", number)
}

fn check_count(what: &str, count: usize) -> Result<(), Failure> {
    if count >= OPERATIONS_MIN {
        return Ok(());
    }
    Err(Failure::new(format!("only {count} {what}")))
}

/// Returns everything that a creation leaves at its temporary path, before each operation.
fn leftovers<A: EmbeddedAdapter>() -> Result<Vec<Image>, Failure> {
    let place = EmbeddedPlace::<A>::new()?;
    let recorder = DeviceRecorder::of(place.creating());
    drop(place.open_watched(recorder.clone())?);
    let images = recorder.moments().into_iter().map(|moment| moment.image);
    let mut leftovers: Vec<_> = images.filter(|image| !image.files.is_empty()).collect();
    let partial = leftovers.last().map(A::partial_leftovers);
    leftovers.extend(partial.into_iter().flatten());
    check_count("leftovers were found", leftovers.len())?;
    Ok(leftovers)
}

/// The remains of a killed creation are removed by the next opening, and by the next creation.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn a_kill_at_any_moment_leaves_a_leftover_that_is_removed<A: EmbeddedAdapter>()
-> Result<(), Failure> {
    for leftover in leftovers::<A>()? {
        let place = EmbeddedPlace::<A>::new()?;
        leftover.put(&place.creating())?;
        check_kind("no store", place.open(), StoreErrorKind::NotFound)?;
        check_nothing_is_left(&place)?;
        leftover.put(&place.creating())?;
        check_empty_store_can_be_had(&place)?;
    }
    Ok(())
}

/// The remains of a killed creation beside a store are removed when the store is opened.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn a_leftover_beside_a_store_is_removed_at_opening<A: EmbeddedAdapter>() -> Result<(), Failure>
{
    let place = EmbeddedPlace::<A>::new()?;
    drop(place.open_or_create()?);
    for leftover in leftovers::<A>()? {
        leftover.put(&place.creating())?;
        drop(place.open()?);
        check_nothing_is_left(&place)?;
    }
    Ok(())
}

/// A creation changes nothing of what is there, be it a store or not, and says that it is there.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn what_is_there_already_is_left_as_it_is<A: EmbeddedAdapter>() -> Result<(), Failure> {
    let made = EmbeddedPlace::<A>::new()?;
    drop(made.open_or_create()?);
    for there in strangers().into_iter().chain([made.image()?]) {
        let place = EmbeddedPlace::<A>::put(&there)?;
        let error = refused("a creation", A::create(&place.store()))?;
        if !error.to_string().contains("already") {
            return Err(Failure::new(format!("it is there already: {error}")));
        }
        let is_kept = place.image()? == there;
        same("what is there is left as it is", &is_kept, &true)?;
        check_nothing_is_left(&place)?;
    }
    Ok(())
}

/// A creation that another process has under way is left alone, and done by the next once it ended.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn a_creation_that_is_under_way_elsewhere_is_left_alone<A: EmbeddedAdapter>()
-> Result<(), Failure> {
    let place = EmbeddedPlace::<A>::new()?;
    let lock = A::creation_lock(&place.creating());
    Image::of_file(b"half a store").put(&lock)?;
    let before = Image::take(&place.creating())?;
    let other = fs::File::open(&lock)?;
    other.lock()?;
    let created = A::create(&place.store());
    check_kind("a creation", created, StoreErrorKind::Locked)?;
    check_kind("no store", place.open(), StoreErrorKind::NotFound)?;
    let is_kept = Image::take(&place.creating())? == before;
    same("the other creation is left alone", &is_kept, &true)?;
    drop(other);
    check_empty_store_can_be_had(&place)
}

/// Every file and directory that a creation and an opening make is its owner's alone, where files have
/// modes.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn files_and_directories_are_for_their_owner_alone<A: EmbeddedAdapter>() -> Result<(), Failure>
{
    let place = EmbeddedPlace::<A>::new()?;
    let store = place.path().join("a/b").join(A::NAME);
    drop(A::create(&store)?);
    drop(A::open(&store)?);
    let made = Image::take(&place.path().join("a"))?;
    check_modes(&place.path().join("a"), &made)
}

#[cfg(unix)]
fn check_modes(path: &Path, made: &Image) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    for (name, bytes) in &made.files {
        let path: PathBuf = path.join(name);
        let expected = if bytes.is_some() { 0o600 } else { 0o700 };
        let found = fs::metadata(&path)?.permissions().mode() & 0o777;
        let what = format!("the mode of {}", path.display());
        same(&what, &format!("{found:o}"), &format!("{expected:o}"))?;
    }
    let files = made.files.values().filter(|bytes| bytes.is_some()).count();
    same("files were made", &(files > 0), &true)
}

/// Elsewhere a file has no mode.
#[cfg(not(unix))]
fn check_modes(_: &Path, _: &Image) -> Result<(), Failure> {
    Ok(())
}
