//! The names that were probably meant by a misspelt one.

/// The largest number of characters of a text that was found that are looked at, and shown.
const FOUND_MAX: usize = 64;
/// The largest number of names that are all listed.
const LISTED_MAX: usize = 8;
/// The number of names of a longer list that are shown.
const NEAREST_SHOWN: usize = 3;

/// Returns the name nearest to `found`, when it is near enough to be a slip. Case and the characters
/// between words do not count.
pub fn nearest<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = plain(found);
    names
        .into_iter()
        .map(|name| (strsim::osa_distance(&found, &plain(name)), name))
        .filter(|(steps, name)| *steps <= (name.len() / 3).clamp(1, 4))
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, name)| name)
}

/// Returns each name once, those nearest to `found` first.
pub fn by_nearness<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let found = plain(found);
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by_cached_key(|name| (strsim::osa_distance(&found, &plain(name)), *name));
    names.dedup();
    names
}

/// Returns the end of an error about an unknown name: every known name when there are few of them,
/// else the nearest three.
pub fn choices<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names = by_nearness(found, names);
    if names.len() <= LISTED_MAX {
        return format!("known: {}", names.join(", "));
    }
    let shown: Vec<&str> = names.into_iter().take(NEAREST_SHOWN).collect();
    format!("the nearest are {}", shown.join(", "))
}

/// Returns a text that was found, as an error shows it: in quotes, escaped and cut.
pub fn quoted(found: &str) -> String {
    let cut: String = found.chars().take(FOUND_MAX).collect();
    let dots = if cut.len() < found.len() { ".." } else { "" };
    format!("{cut:?}{dots}")
}

/// Case and word separators do not count: `RunStarted`, `run-started` and `run_started` are alike.
fn plain(text: &str) -> String {
    text.chars()
        .take(FOUND_MAX)
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: &str, expected: Option<&str>) {
        let names = ["recipients", "run", "run_message_delivered", "tags"];
        assert_eq!(nearest(found, names), expected, "{found}");
    }

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        check("reciepients", Some("recipients"));
        check("RunMessageDelivered", Some("run_message_delivered"));
        check("run_message_delivred", Some("run_message_delivered"));
        check("tag", Some("tags"));
        check("runn", Some("run"));
        check("rnu", Some("run"));
        check("payload", None);
        check("", None);
    }

    #[test]
    fn few_names_are_all_listed_and_of_many_the_nearest_three() {
        let few = ["agent", "run", "topic"];
        assert_eq!(choices("rum", few), "known: run, agent, topic");
        let many = ["a", "b", "c", "d", "e", "f", "g", "hh", "hi"];
        assert_eq!(choices("hj", many), "the nearest are hh, hi, a");
        assert_eq!(by_nearness("hi", ["hi", "hi", "x"]), ["hi", "x"]);
    }

    #[test]
    fn what_was_found_is_shown_in_quotes_and_cut() {
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
        assert_eq!(quoted(&"x".repeat(65)), format!("{:?}..", "x".repeat(64)));
    }
}
