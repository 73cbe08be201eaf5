//! What was probably meant by a misspelt name.

/// Returns the name nearest to `found`, when it is near enough to be a slip.
pub(super) fn nearest<'a>(
    found: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let found = plain(found.chars().take(64));
    names
        .into_iter()
        .map(|name| (distance(&found, &plain(name.chars())), name))
        .filter(|(steps, name)| *steps <= (name.len() / 3).clamp(1, 4))
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, name)| name)
}

/// Case and word separators do not count: `RunStarted`, `run-started` and `run_started` are alike.
fn plain(text: impl Iterator<Item = char>) -> Vec<char> {
    text.filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Levenshtein distance, one row at a time.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, a) in one.iter().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let mut next = vec![left];
        for (b, above) in other.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(a != b);
            left = replaced.min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
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
        check("payload", None);
        check("", None);
    }
}
