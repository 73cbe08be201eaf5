//! Looking at a store that nobody may write: in files and folders that are read-only, on a file system that
//! is, and in a copy of a store that is in use. Nothing is written.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use heronry_tests::process::{Folder, Said, binary, said, set_mode};

/// The stores that keep files.
const STORES: [&str; 2] = ["redb:shelf/store.redb", "sled:shelf/store.sled"];

/// Everything about a file or folder that a write would change.
#[derive(Debug, Eq, PartialEq)]
struct Standing {
    inode: u64,
    mode: u32,
    modified: (i64, i64),
    bytes: Option<Vec<u8>>,
}

/// Returns everything in a folder, and the folder.
fn standings(folder: &Path) -> BTreeMap<PathBuf, Standing> {
    let mut all = BTreeMap::new();
    take(folder, &mut all);
    all
}

fn take(path: &Path, all: &mut BTreeMap<PathBuf, Standing>) {
    let found = fs::metadata(path).unwrap();
    let bytes = found.is_file().then(|| fs::read(path).unwrap());
    let standing = Standing {
        inode: found.ino(),
        mode: found.mode(),
        modified: (found.mtime(), found.mtime_nsec()),
        bytes,
    };
    all.insert(path.to_owned(), standing);
    if found.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            take(&entry.unwrap().path(), all);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

/// The moment at which the files of a store are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FilesTaken {
    /// After its server was stopped.
    Stopped,
    /// While its server has it open.
    InUse,
}

/// Every store, taken at both moments.
fn every_store() -> impl Iterator<Item = (&'static str, FilesTaken)> {
    let moments = [FilesTaken::Stopped, FilesTaken::InUse];
    let stores = STORES.into_iter();
    stores.flat_map(move |store| moments.map(|taken| (store, taken)))
}

/// Fills a store on the shelf, and returns a place with what is left: the closed one, or a copy of what was
/// there while it was in use.
fn shelf(store: &str, taken: FilesTaken) -> Folder {
    let place = Folder::new();
    place.private("shelf");
    let server = place.serve(&["--store", store]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b"] {
        place.run_as("p", run, &["join"]).ok();
    }
    for number in 0..20 {
        let body = format!("body {number}");
        place
            .run_as("p", "a", &["send", "--to", "run:b", "--body", &body])
            .ok();
    }
    if taken == FilesTaken::InUse {
        copy(&place.at("shelf"), &place.at("taken"));
        server.kill();
        fs::remove_dir_all(place.at("shelf")).unwrap();
        fs::rename(place.at("taken"), place.at("shelf")).unwrap();
        set_mode(&place.at("shelf"), 0o700);
    } else {
        server.signal("TERM");
        assert_eq!(server.end().code, Some(0));
    }
    place
}

/// The permission to write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum WriteMode {
    Allowed,
    Refused,
}

/// Lets nobody write to anything in a folder, or lets its owner do it again.
fn set_writing(folder: &Path, writing: WriteMode) {
    for (path, standing) in standings(folder) {
        let mode = if writing == WriteMode::Allowed {
            standing.mode | 0o200
        } else {
            standing.mode & !0o222
        };
        set_mode(&path, mode & 0o777);
    }
}

/// Runs every verb that looks at a store, and checks that each sees all of it.
fn check_looks(place: &Folder, store: &str, run: &dyn Fn(&[&str]) -> Said) {
    let verified = run(&["journal", "verify", store, "--json"]).json();
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(verified["pools"][0]["contents"], 20, "{verified}");
    let stats = run(&["journal", "stats", store, "--json"]).json();
    let head = verified["pools"][0]["head"].as_u64().unwrap();
    assert_eq!(stats["pools"][0]["records"], head, "{stats}");
    let shown = run(&["--pool", "p", "journal", "show", store]).ok();
    assert_eq!(shown.lines().count() as u64, head, "{shown}");
    let exported = run(&["journal", "export", store]).ok();
    assert!(exported.ends_with("}}\n") && exported.contains("\"end\""));
    let copied = run(&["store", "copy", store, "redb:copied.redb", "--json"]).json();
    assert_eq!(copied["pools"][0]["contents"], 20, "{copied}");
    fs::remove_file(place.at("copied.redb")).unwrap();
    fs::remove_file(place.at("copied.redb.mark")).unwrap();
}

#[test]
fn o24_verify_stats_show_export_and_copy_write_nothing_to_what_may_only_be_read() {
    for (store, taken) in every_store() {
        let place = shelf(store, taken);
        set_writing(&place.at("shelf"), WriteMode::Refused);
        let before = standings(&place.at("shelf"));
        check_looks(&place, store, &|arguments| place.run(arguments));
        let after = standings(&place.at("shelf"));
        set_writing(&place.at("shelf"), WriteMode::Allowed);
        assert!(after == before, "{store}: something is another");
    }
}

/// The ways into a place where file systems may be mounted: root's, and that of a user whose system has user
/// namespaces.
const WAYS_IN: [&str; 2] = ["-m", "-rm"];

/// Returns a command that runs where the shelf is on a read-only file system.
fn on_read_only_shelf(place: &Folder, way_in: &str, arguments: &[&str]) -> Command {
    let command = place.command::<&str>(&[]);
    let script = "mount --bind shelf shelf && mount -o remount,bind,ro shelf && exec \"$@\"";
    let mut unshared = Command::new("unshare");
    unshared
        .args([way_in, "sh", "-ec", script, "sh"])
        .arg(binary());
    unshared.args(arguments).current_dir(place.path());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => unshared.env(name, value),
            None => unshared.env_remove(name),
        };
    }
    unshared.stdin(std::process::Stdio::null());
    unshared
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn o24_a_store_on_a_read_only_file_system_is_looked_at() {
    let place = Folder::new();
    place.private("shelf");
    let works = |way_in: &&str| {
        let mut probe = on_read_only_shelf(&place, way_in, &["--version"]);
        probe.output().is_ok_and(|ended| ended.status.success())
    };
    let Some(way_in) = WAYS_IN.into_iter().find(works) else {
        eprintln!(
            "SKIPPED: no file system can be mounted read-only here (unshare -m as root, unshare -rm with user namespaces)"
        );
        return;
    };
    for (store, taken) in every_store() {
        let place = shelf(store, taken);
        let before = standings(&place.at("shelf"));
        check_looks(&place, store, &|arguments| {
            said(&mut on_read_only_shelf(&place, way_in, arguments))
        });
        assert!(standings(&place.at("shelf")) == before, "{store}");
        let serve = ["serve", "--listen", "127.0.0.1:0", "--store", store];
        let refused = said(&mut on_read_only_shelf(&place, way_in, &serve));
        assert_eq!(refused.code, Some(1), "{refused:?}");
    }
}
