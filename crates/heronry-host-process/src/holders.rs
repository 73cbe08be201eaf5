//! The processes that hold the lock of an incarnation's file, as far as the system tells.

use std::{
    fs::{self, DirEntry, Metadata},
    os::unix::fs::MetadataExt,
};

use rustix::process::{Pid, Signal, getpgid, getpid, kill_process, kill_process_group};

/// Signals every process that holds the lock of this file, and the group of this number when one of them
/// is in it. Where the system does not tell who holds a lock, the group alone.
pub(crate) fn signal_holders(file: &Metadata, group: Option<Pid>, signal: Signal) {
    let Some(holders) = holders(file) else {
        if let Some(group) = group {
            let _ = kill_process_group(group, signal);
        }
        return;
    };
    let is_inside = |holder: &&Pid| getpgid(Some(**holder)).ok() == group && group.is_some();
    let (inside, outside): (Vec<&Pid>, Vec<&Pid>) = holders.iter().partition(is_inside);
    if let (Some(group), false) = (group, inside.is_empty()) {
        // One that has ended meanwhile needs no signal; that holds for the others, too.
        let _ = kill_process_group(group, signal);
    }
    for holder in outside {
        let _ = kill_process(*holder, signal);
    }
}

/// Returns the other processes that hold the lock of a file; `None` where the system does not tell.
fn holders(file: &Metadata) -> Option<Vec<Pid>> {
    let processes = fs::read_dir("/proc/self/fd").and_then(|_| fs::read_dir("/proc"));
    let holds = |process: &Pid| {
        let open = fs::read_dir(format!("/proc/{process}/fd"));
        // The files of other users' processes cannot be seen; none of them was started here.
        open.is_ok_and(|open| {
            open.flatten()
                .any(|entry| holds_lock(&entry, *process, file))
        })
    };
    let numbers = processes.ok()?.flatten().filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        Pid::from_raw(number)
    });
    let others = numbers.filter(|process| *process != getpid());
    Some(others.filter(holds).collect())
}

/// Returns true when a process has the file open there, and shares its lock. One that only reads the file
/// does not.
fn holds_lock(entry: &DirEntry, process: Pid, file: &Metadata) -> bool {
    let is_same = |open: Metadata| (open.dev(), open.ino()) == (file.dev(), file.ino());
    if !fs::metadata(entry.path()).is_ok_and(is_same) {
        return false;
    }
    let number = entry.file_name();
    let told = fs::read_to_string(format!("/proc/{process}/fdinfo/{}", number.display()));
    told.is_ok_and(|told| told.lines().any(|line| line.starts_with("lock:")))
}
