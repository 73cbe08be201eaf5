//! One I/O error, at every call with which a store changes its files, the database's own included: the
//! process is traced, and the system answers one call with an error.
//!
//! Needs `strace`. `HERONRY_IO_ERRORS` says how many calls fail of each kind; 3, spread over all, is the
//! default.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use heronry_testkit::recovery::{RecoveryWriter, check_whole, large};
use heronry_tests::{
    StoreKind, as_many_as_asked,
    store_folder::{Image, StoreFolder},
};
use heronry_types::Position;

/// The variable that names the folder of the traced process.
const PLACE: &str = "HERONRY_TEST_PLACE";
/// The commits of the store before a life.
const BEFORE: u64 = 4;
/// The commits of a life.
const COMMITS: u64 = 4;
/// The bytes of the body of each commit: so many that sled begins segments of its log.
const BODY_BYTES: usize = 400_000;
/// The exit code of a life that acknowledged nothing; each commit adds one.
const NONE_DONE: i32 = 40;
/// The seconds after which a process that does not end is one that hangs.
const SECONDS_MAX: &str = "120";
/// The calls with which a file is read, changed, or made to last, and the errors that they end with.
const CALLS: [(&str, &str); 10] = [
    ("pread64", "EIO"),
    ("pwrite64", "EIO"),
    ("pwrite64", "ENOSPC"),
    ("write", "ENOSPC"),
    ("fdatasync", "EIO"),
    ("fsync", "EIO"),
    ("sync_file_range", "EIO"),
    ("ftruncate", "ENOSPC"),
    ("rename", "EIO"),
    ("unlink", "EIO"),
];

/// Opens a store, commits a few times, closes it, and ends with the number of commits that were
/// acknowledged.
fn live(kind: StoreKind, folder: &Path) -> ! {
    let mut done = NONE_DONE;
    if let Ok(store) = kind.open_in(folder)
        && let Ok(mut writer) = RecoveryWriter::of(store)
    {
        for _ in 0..COMMITS {
            done += i32::from(writer.write_large(2, BODY_BYTES).is_ok());
        }
    }
    std::process::exit(done)
}

/// The state of the store at the beginning of a life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum LifeStart {
    Closed,
    Killed,
}

/// A folder with a store, which is put back before every life.
struct Ground {
    /// The name of the test that lives in it.
    name: &'static str,
    place: StoreFolder,
    before: Image,
}

impl Ground {
    fn new(kind: StoreKind, left: LifeStart, name: &'static str) -> Self {
        let place = StoreFolder::new(kind);
        let mut writer = RecoveryWriter::of(place.open().unwrap()).unwrap();
        for _ in 0..BEFORE {
            writer.write_large(2, BODY_BYTES).unwrap();
        }
        let killed = place.image();
        drop(writer);
        let before = match left {
            LifeStart::Closed => place.image(),
            LifeStart::Killed => killed,
        };
        Self {
            name,
            place,
            before,
        }
    }

    fn folder(&self) -> PathBuf {
        self.place.path().parent().unwrap().to_owned()
    }

    /// Lives once with these options of the tracer, and returns how many commits were acknowledged, with
    /// what was traced.
    fn trace(&self, options: &[String]) -> (u64, String) {
        self.place.put_back(&self.before);
        let log = tempfile::NamedTempFile::new().unwrap();
        let ended = Command::new("timeout")
            .args(["-k", "5", SECONDS_MAX, "strace", "-f", "-qq", "-y", "-o"])
            .arg(log.path())
            .args(options)
            .arg(env::current_exe().unwrap())
            .args(["--exact", self.name])
            .env(PLACE, self.folder())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let done = ended.code().unwrap_or(-1) - NONE_DONE;
        let traced = fs::read_to_string(log.path()).unwrap();
        let done = u64::try_from(done).ok().filter(|done| *done <= COMMITS);
        let done = done.unwrap_or_else(|| panic!("{options:?}: it ended by {ended}"));
        (done, traced)
    }

    /// Lives once without an error; returns the files that were changed, and how many calls of each kind
    /// a thread made.
    fn count(&self) -> (BTreeSet<String>, BTreeMap<String, usize>) {
        let calls: Vec<_> = CALLS.iter().map(|(call, _)| *call).collect();
        let (done, traced) = self.trace(&[format!("-etrace={}", calls.join(","))]);
        assert_eq!(done, COMMITS, "{traced}");
        let folder = self.folder().canonicalize().unwrap();
        let folder = folder.to_str().unwrap();
        let (mut files, mut by_thread) = (BTreeSet::new(), BTreeMap::new());
        for line in traced.lines().filter(|line| line.contains(folder)) {
            let (thread, rest) = line.split_once(' ').unwrap();
            let Some((call, _)) = rest.trim_start().split_once('(') else {
                continue;
            };
            let called: &mut usize = by_thread
                .entry((call.to_owned(), thread.to_owned()))
                .or_default();
            *called += 1;
            let parts = rest.split(['<', '>', '"']);
            files.extend(
                parts
                    .filter(|part| part.starts_with(folder))
                    .map(str::to_owned),
            );
        }
        let mut most = BTreeMap::new();
        for ((call, _), called) in by_thread {
            let known = most.entry(call).or_insert(0);
            *known = called.max(*known);
        }
        (files, most)
    }

    /// Lives with one error in each life.
    fn fail_each(&self, what: &str) {
        let (files, most) = self.count();
        let asked = as_many_as_asked("HERONRY_IO_ERRORS", 3);
        let (mut tried, mut hit, mut felt) = (0, 0, 0);
        let numbered = CALLS.iter().flat_map(|(call, error)| {
            let most = most.get(*call).copied().unwrap_or(0);
            spread(most, asked)
                .into_iter()
                .map(move |number| (call, error, number))
        });
        for (call, error, number) in numbered {
            let inject = format!("-einject={call}:error={error}:when={number}");
            let mut options = vec![inject, format!("-etrace={call}")];
            options.extend(files.iter().map(|file| format!("-P{file}")));
            let (done, traced) = self.trace(&options);
            tried += 1;
            hit += usize::from(traced.contains("(INJECTED)"));
            felt += usize::from(done < COMMITS);
            self.check(
                done,
                &format!("{what}, {call} number {number} is {error}, {done} done"),
            );
        }
        report(&format!(
            "{what}: {tried} lives, an I/O error in {hit}, a commit was refused in {felt}; all opened again"
        ));
        assert!(hit * 2 > tried, "{hit} of {tried} were hit");
        assert_ne!(felt, 0);
    }

    /// Checks that the store opens again with everything that was acknowledged.
    fn check(&self, done: u64, what: &str) {
        let store = self.place.open();
        let store = store.unwrap_or_else(|error| panic!("{what}: not opened again: {error}"));
        let heads = (BEFORE + done) * 2..=(BEFORE + COMMITS) * 2;
        let body = |number| large(BODY_BYTES, Position(number));
        let found = check_whole(&store, heads, body);
        found.unwrap_or_else(|error| panic!("{what}: {error}"));
        let mut writer = RecoveryWriter::of(store).unwrap();
        writer.write_large(2, BODY_BYTES).unwrap();
    }
}

/// Returns some numbers of `1..=most`, spread over all, the first and the last among them.
fn spread(most: usize, count: usize) -> BTreeSet<usize> {
    if most == 0 {
        return BTreeSet::new();
    }
    let last = count.clamp(2, most.max(2)) - 1;
    (0..=last).map(|at| 1 + at * (most - 1) / last).collect()
}

#[expect(clippy::print_stdout, reason = "a test reports its figures")]
fn report(line: &str) {
    println!("{line}");
}

fn has_strace() -> bool {
    let mut asked = Command::new("strace");
    let asked = asked.arg("-V").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

fn check(kind: StoreKind, name: &'static str) {
    if let Some(folder) = env::var_os(PLACE) {
        live(kind, Path::new(&folder));
    }
    if !has_strace() {
        report("SKIPPED: strace is not installed");
        return;
    }
    for left in [LifeStart::Closed, LifeStart::Killed] {
        let ground = Ground::new(kind, left, name);
        let what = format!("{kind:?}, {left:?}");
        ground.fail_each(&what);
    }
}

mod redb {
    #[test]
    fn one_io_error_at_every_call_loses_nothing_that_was_acknowledged() {
        let name =
            "io_errors::redb::one_io_error_at_every_call_loses_nothing_that_was_acknowledged";
        super::check(super::StoreKind::Redb, name);
    }
}

mod sled {
    #[test]
    fn one_io_error_at_every_call_loses_nothing_that_was_acknowledged() {
        let name =
            "io_errors::sled::one_io_error_at_every_call_loses_nothing_that_was_acknowledged";
        super::check(super::StoreKind::Sled, name);
    }
}
