//! The resident memory of the process.

/// Returns the resident bytes of this process, where the system tells.
pub(crate) fn bytes() -> Option<f64> {
    bytes_of("/proc/self")
}

/// Returns the resident bytes of the process of this folder, where the system tells.
pub(crate) fn bytes_of(process: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("{process}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0)
}
