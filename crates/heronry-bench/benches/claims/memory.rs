//! The memory of the process.

/// Returns the bytes of the process that are in memory and are no file's, and its stacks.
pub(crate) fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let words = line.unwrap().split_whitespace().nth(1).unwrap();
    words.parse::<f64>().unwrap() * 1024.0
}
