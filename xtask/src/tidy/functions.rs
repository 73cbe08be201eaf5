//! The functions of the tree: where each stands, and its name.

use super::tree::Tree;

/// The words before `fn` in the line of a function.
const QUALIFIERS: [&str; 6] = [
    "pub ",
    "pub(crate) ",
    "pub(super) ",
    "const ",
    "async ",
    "unsafe ",
];

/// A function, as its line says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Function<'a> {
    pub(super) path: &'a str,
    pub(super) line: usize,
    pub(super) name: &'a str,
}

/// Returns the functions of all Rust files, those inside macros included.
pub(super) fn of(tree: &Tree) -> impl Iterator<Item = Function<'_>> {
    tree.with_ending("rs").flat_map(|(path, text)| {
        let lines = (1..).zip(text.lines());
        lines.filter_map(move |(line, text)| {
            let name = name_in(text)?;
            Some(Function { path, line, name })
        })
    })
}

/// The name of the function that begins in this line.
fn name_in(line: &str) -> Option<&str> {
    let mut rest = without_attributes(line.trim_start());
    while let Some(shorter) = QUALIFIERS.iter().find_map(|it| rest.strip_prefix(it)) {
        rest = shorter;
    }
    let name = rest.strip_prefix("fn ")?;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    name.get(..end.unwrap_or(name.len()))
        .filter(|name| !name.is_empty())
}

/// The line behind attributes like `#[test]`.
fn without_attributes(mut line: &str) -> &str {
    while let Some((_, rest)) = line
        .strip_prefix("#[")
        .and_then(|inner| inner.split_once(']'))
    {
        line = rest.trim_start();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_with_their_lines() {
        let text = "#[test]\nfn one() {}\nmod m {\n    #[tokio::test] pub(crate) async fn two(w: W) {}\n}\n";
        let tree = Tree::of(&[("tests/a.rs", text), ("docs/a.md", "fn three() {}\n")]);
        let found: Vec<_> = of(&tree).map(|it| (it.path, it.line, it.name)).collect();
        assert_eq!(found, [("tests/a.rs", 2, "one"), ("tests/a.rs", 4, "two")]);
    }

    #[test]
    fn comments_calls_and_parts_of_macros_are_none() {
        let text = "// fn a() {}\n/// fn b()\nlet f: fn(u8) = g;\nc(fn_d);\nfn $name() {}\n";
        assert_eq!(of(&Tree::of(&[("a.rs", text)])).count(), 0);
    }
}
