//! Processes that are killed: a test lives its first part in a process of its own, which gets no chance to
//! end well.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{StoreKind, World};

/// Says to a process in which folder it lives until it is killed.
const LIVES_IN: &str = "HERONRY_TEST_LIVES_IN";
/// The line that a process prints when it has come as far as it is meant to.
const READY: &str = "the process is ready to be killed";

/// A test with the same name on each store that outlives a process: what happens before a process is
/// killed, and what is found afterwards. The normal tier asks redb alone.
#[macro_export]
macro_rules! on_every_store_that_is_killed {
    ($($name:ident: $before:ident => $after:ident)*) => {
        mod redb {
            $(#[tokio::test] async fn $name() {
                let name = concat!(module_path!(), "::", stringify!($name));
                if let Some(folder) = $crate::killed::lives_in() {
                    super::$before($crate::World::within($crate::StoreKind::Redb, &folder)).await;
                }
                super::$after($crate::killed::killed($crate::StoreKind::Redb, name)).await;
            })*
        }
        mod sled {
            $(#[tokio::test] #[ignore = "asked on redb; on every store in `cargo xtask prove`"] async fn $name() {
                let name = concat!(module_path!(), "::", stringify!($name));
                if let Some(folder) = $crate::killed::lives_in() {
                    super::$before($crate::World::within($crate::StoreKind::Sled, &folder)).await;
                }
                super::$after($crate::killed::killed($crate::StoreKind::Sled, name)).await;
            })*
        }
    };
}

/// Returns the folder in which this process lives until it is killed; nothing when it is the one that
/// kills.
pub fn lives_in() -> Option<PathBuf> {
    std::env::var_os(LIVES_IN).map(PathBuf::from)
}

/// Waits to be killed.
///
/// # Panics
/// Panics when nobody listens.
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
pub async fn wait() -> std::convert::Infallible {
    // Not through `println`, which a test harness may keep to itself.
    let ready = format!("{READY}\n");
    std::io::stdout().write_all(ready.as_bytes()).unwrap();
    std::future::pending().await
}

/// Lives the first part of a test in another process, kills that, and returns the world that it has left.
///
/// # Panics
/// Panics when the process does not come as far as it is meant to.
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
pub fn killed(kind: StoreKind, name: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    // The path of a module begins with the crate, the name of a test does not.
    let name = name.split_once("::").map_or(name, |(_, name)| name);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--include-ignored"])
        .env(LIVES_IN, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        said.push(line.unwrap());
        if said.last().is_some_and(|line| line.contains(READY)) {
            break;
        }
    }
    child.kill().unwrap();
    let ended = child.wait().unwrap();
    assert_eq!(ended.signal(), Some(9), "it ended by itself: {said:#?}");
    World::left_behind(kind, folder)
}
