//! Numbers with their nouns.

/// Returns a number with its noun, in the plural unless it is one.
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 {
        return format!("1 {noun}");
    }
    let stem = noun.strip_suffix('y');
    match stem.filter(|it| !it.ends_with(['a', 'e', 'o', 'u'])) {
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!(counted(1, "pool"), "1 pool");
        assert_eq!(counted(0, "event"), "0 events");
        assert_eq!(counted(2, "body"), "2 bodies");
        assert_eq!(counted(1, "body"), "1 body");
        assert_eq!(counted(2, "key"), "2 keys");
    }
}
