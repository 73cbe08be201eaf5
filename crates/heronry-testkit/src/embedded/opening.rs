//! Paths that are opened, and those that are refused and left as they are.

use std::{env, fs, io, path::Path, process::Command};

use heronry_store::StoreErrorKind;

use super::{EmbeddedAdapter, EmbeddedPlace, Image, check_refused};
use crate::conformance::{Failure, check_kind, same};

/// Returns what others may have left at the path of a store.
pub(super) fn strangers() -> Vec<Image> {
    let noise: Vec<u8> = (0..100_000_u32)
        .map(|n| (n * 7 % 251).to_le_bytes()[0])
        .collect();
    let files = [&b""[..], b"x", b"somebody's letters", &noise].map(Image::of_file);
    let directories = [
        ("heronry", &b""[..]),
        ("heronry", b"x"),
        ("letters", b"dear"),
    ];
    let directories = directories.map(|(name, bytes)| Image::of_directory_with(name, bytes));
    files.into_iter().chain(directories).collect()
}

/// Files and directories that are no store are refused, and not a byte of them changes.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn what_is_not_a_store_is_refused_and_left_as_it_is<A: EmbeddedAdapter>() -> Result<(), Failure>
{
    for stranger in strangers() {
        let place = EmbeddedPlace::<A>::put(&stranger)?;
        check_refused::<A>(&place.store(), StoreErrorKind::NotAStore)?;
    }
    Ok(())
}

/// Opening says that there is no store, whether or not the directory above it is there.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn a_place_without_a_store_is_said<A: EmbeddedAdapter>() -> Result<(), Failure> {
    let place = EmbeddedPlace::<A>::new()?;
    check_kind("no store", place.open(), StoreErrorKind::NotFound)?;
    let store = place.path().join("nonexistent/place").join(A::NAME);
    check_kind("no directory", A::open(&store), StoreErrorKind::NotFound)
}

/// A store is refused when a part of it may not be written to.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn a_store_that_may_not_be_written_is_said<A: EmbeddedAdapter>() -> Result<(), Failure> {
    let place = EmbeddedPlace::<A>::new()?;
    place.writer()?.write(2)?;
    let store = place.store();
    for path in A::written_paths(&store) {
        let writable = fs::metadata(&path)?.permissions();
        let mut permissions = writable.clone();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions)?;
        let refused = check_refused::<A>(&store, StoreErrorKind::ReadOnly);
        // So that the directory can be removed.
        fs::set_permissions(&path, writable)?;
        refused?;
    }
    Ok(())
}

/// The variables that tell the second process the path of the store, and the result that it must
/// find.
const STORE: &str = "HERONRY_TEST_STORE";
const EXPECTED: &str = "HERONRY_TEST_EXPECTED";

/// The name of the case, which the second process runs.
const SECOND_PROCESS: &str = "opening::a_second_process_is_refused";

/// A second process is refused, by a text that names the store, until the first has closed it.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn a_second_process_is_refused<A: EmbeddedAdapter>() -> Result<(), Failure> {
    if let (Some(store), Ok(expected)) = (env::var_os(STORE), env::var(EXPECTED)) {
        return be_second_process::<A>(Path::new(&store), &expected);
    }
    let place = EmbeddedPlace::<A>::new()?;
    let store = place.store();
    let mut writer = place.writer()?;
    check_second_process(&store, "locked")?;
    writer.write(1)?;
    check_second_process(&store, "locked")?;
    drop(writer);
    check_second_process(&store, "opened")
}

fn be_second_process<A: EmbeddedAdapter>(store: &Path, expected: &str) -> Result<(), Failure> {
    let found = match A::open(store) {
        Ok(_) => "opened".to_owned(),
        Err(error) if !error.to_string().contains(&*store.to_string_lossy()) => {
            format!("refused without its name: {error}")
        }
        Err(error) if error.kind() == StoreErrorKind::Locked => "locked".to_owned(),
        Err(error) => error.to_string(),
    };
    same("the second process", &found.as_str(), &expected)
}

fn check_second_process(store: &Path, expected: &str) -> Result<(), Failure> {
    let program = env::current_exe()?;
    let second = || {
        let mut command = Command::new(&program);
        command.env(STORE, store).env(EXPECTED, expected);
        command
    };
    // Its full name is known to the program alone.
    let listed = second().args(["--list", SECOND_PROCESS]).output()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let name = listed.lines().find_map(|line| line.strip_suffix(": test"));
    let name = name.ok_or_else(|| Failure::from(io::Error::other("the case has no test")))?;
    let output = second().args(["--exact", name]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("1 passed") {
        return Ok(());
    }
    Err(Failure::new(format!("expected {expected}: {text}")))
}
