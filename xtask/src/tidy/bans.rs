//! Banned code: suppressed lints, sleeping tests, ignored tests without a reason, files of the command
//! line that are not made through its one door.
//!
//! It reads tokens, not text: a comment or a string never trips it, and code inside a macro call
//! is seen.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

use super::Finding;
use super::tree::Tree;

/// Checks every Rust file. Files that are not Rust tokens are left to the check of sizes.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.with_ending("rs")
        .filter_map(|(path, text)| Some((path, text.parse::<TokenStream>().ok()?)))
        .flat_map(|(path, tokens)| {
            let place = if is_test_file(path) {
                TokenPlace::Test
            } else {
                TokenPlace::Code
            };
            let mut scan = FileScan {
                path,
                findings: Vec::new(),
            };
            scan.stream(tokens, place);
            scan.findings
        })
        .collect()
}

/// The sources of the command line, where files are made through one door.
const WITH_A_DOOR: &str = "crates/heronry-cli/src/";

/// The door itself, and the benchmarks, which measure the disk below a folder of their own.
const DOORS: [&str; 3] = ["files.rs", "files/", "bench/"];

/// The ways past the door.
const PAST_THE_DOOR: [(&str, &str); 5] = [
    ("File", "create"),
    ("File", "create_new"),
    ("File", "options"),
    ("OpenOptions", "new"),
    ("fs", "write"),
];

/// The place of the tokens at hand: code, or a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenPlace {
    Code,
    Test,
}

pub(super) fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name == "tests.rs" || name.ends_with("_tests.rs") || path.split('/').any(|part| part == "tests")
}

struct FileScan<'a> {
    path: &'a str,
    findings: Vec<Finding>,
}

impl FileScan<'_> {
    fn stream(&mut self, tokens: TokenStream, place: TokenPlace) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        // A `#[cfg(test)]` or `#[test]` turns the next braces into test code.
        let mut next_braces = place;
        for (index, token) in tokens.iter().enumerate() {
            let rest = tokens.get(index..).unwrap_or_default();
            let attribute = attribute_at(rest);
            attribute.inspect(|attribute| self.attribute(attribute));
            if attribute.is_some_and(is_test_mark) {
                next_braces = TokenPlace::Test;
            }
            match place {
                TokenPlace::Test => self.sleep(rest),
                TokenPlace::Code => self.past_the_door(rest),
            }
            next_braces = self.descend(token, place, next_braces);
        }
    }

    /// Looks inside a group; answers what the next braces are, which the end of an item resets.
    fn descend(
        &mut self,
        token: &TokenTree,
        place: TokenPlace,
        next_braces: TokenPlace,
    ) -> TokenPlace {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                self.stream(group.stream(), next_braces);
                place
            }
            TokenTree::Group(group) => {
                self.stream(group.stream(), place);
                next_braces
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => place,
            TokenTree::Punct(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => next_braces,
        }
    }

    fn attribute(&mut self, attribute: &Group) {
        let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
        let line = attribute.span_open().start().line;
        if mentions_allow(attribute.stream()) {
            let text = "a lint is allowed; mend the code, or use expect with a reason";
            self.findings.push(Finding::new(self.path, line, text));
        }
        if let [TokenTree::Ident(name)] = tokens.as_slice()
            && name == "ignore"
        {
            let text = "a test is ignored without a reason; say why, and where it does run";
            self.findings.push(Finding::new(self.path, line, text));
        }
    }

    /// A file that the command line makes or opens by itself.
    fn past_the_door(&mut self, tokens: &[TokenTree]) {
        let Some(inner) = self.path.strip_prefix(WITH_A_DOOR) else {
            return;
        };
        let [
            TokenTree::Ident(module),
            TokenTree::Punct(_),
            TokenTree::Punct(_),
            TokenTree::Ident(name),
            ..,
        ] = tokens
        else {
            return;
        };
        let is_past = PAST_THE_DOOR
            .iter()
            .any(|(from, way)| module == from && name == way);
        if is_past && !DOORS.iter().any(|door| inner.starts_with(door)) {
            let line = module.span().start().line;
            let text = format!(
                "{module}::{name} follows links and checks no owner; use crate::files instead"
            );
            self.findings.push(Finding::new(self.path, line, text));
        }
    }

    /// `thread::sleep`, `time::sleep` and `time::sleep_until`, called or imported.
    fn sleep(&mut self, tokens: &[TokenTree]) {
        let [
            TokenTree::Ident(module),
            TokenTree::Punct(first),
            TokenTree::Punct(second),
            last,
            ..,
        ] = tokens
        else {
            return;
        };
        let is_path =
            first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':';
        if is_path && (module == "thread" || module == "time") && names_sleep(last) {
            let line = module.span().start().line;
            let text = "a test sleeps; move the clock, or wait for what happens";
            self.findings.push(Finding::new(self.path, line, text));
        }
    }
}

/// The brackets of the attribute that starts here: `#[..]` or `#![..]`.
fn attribute_at(tokens: &[TokenTree]) -> Option<&Group> {
    let (TokenTree::Punct(hash), rest) = tokens.split_first()? else {
        return None;
    };
    if hash.as_char() != '#' {
        return None;
    }
    let group = match rest {
        [TokenTree::Punct(bang), TokenTree::Group(group), ..] if bang.as_char() == '!' => group,
        [TokenTree::Group(group), ..] => group,
        _ => return None,
    };
    (group.delimiter() == Delimiter::Bracket).then_some(group)
}

/// `allow(..)` at any depth, so that `cfg_attr` does not hide it.
fn mentions_allow(tokens: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let here = tokens.windows(2).any(|pair| {
        matches!(pair, [TokenTree::Ident(name), TokenTree::Group(group)]
            if name == "allow" && group.delimiter() == Delimiter::Parenthesis)
    });
    here || tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions_allow(group.stream()),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// `#[test]`, `#[tokio::test]` and `#[cfg(test)]`, but not `#[cfg(not(test))]`.
fn is_test_mark(attribute: &Group) -> bool {
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    let name = text.split('(').next().unwrap_or_default();
    text == "cfg(test)" || name == "test" || name.ends_with("::test")
}

fn names_sleep(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(name) => name == "sleep" || name == "sleep_until",
        TokenTree::Group(group) => group.stream().into_iter().any(|token| names_sleep(&token)),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_file(path: &str, text: &str, expected: &[&str]) {
        let found: Vec<String> = check(&Tree::of(&[(path, text)]))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, start) in found.iter().zip(expected) {
            assert!(
                line.starts_with(start),
                "{line} does not start with {start}"
            );
        }
    }

    /// Puts an attribute before a function, so that this file holds no banned text itself.
    fn marked(attribute: &str) -> String {
        format!("\n#[{attribute}]\nfn a() {{}}\n")
    }

    const SLEEP: &str = "fn a() { std::thread::sleep(d); }\n";
    const IMPORT: &str = "use tokio::time::{self, sleep};\n";
    const SELECT: &str = "async fn a() { select! { _ = time::sleep(d) => {} } }\n";

    #[test]
    fn allowed_lint_is_an_error_wherever_it_hides() {
        check_file(
            "src/a.rs",
            &marked("allow(dead_code)"),
            &["src/a.rs:2: a lint is allowed"],
        );
        check_file(
            "src/a.rs",
            &marked("cfg_attr(x, allow(y))"),
            &["src/a.rs:2: a lint"],
        );
        let whole_file = marked("allow(unused)").replace('#', "#!");
        check_file("src/a.rs", &whole_file, &["src/a.rs:2: a lint is allowed"]);
    }

    #[test]
    fn expected_lint_with_a_reason_passes() {
        check_file(
            "src/a.rs",
            &marked("expect(dead_code, reason = \"read by name\")"),
            &[],
        );
        check_file("src/a.rs", "fn a() { allow(1); }\n", &[]);
    }

    #[test]
    fn sleep_in_a_file_of_tests_is_an_error() {
        check_file("tests/it/a.rs", SLEEP, &["tests/it/a.rs:1: a test sleeps"]);
        check_file(
            "crates/a/tests/b.rs",
            SELECT,
            &["crates/a/tests/b.rs:1: a test sleeps"],
        );
        check_file(
            "crates/a/src/pool/tests.rs",
            IMPORT,
            &["crates/a/src/pool/tests.rs:1: a test"],
        );
    }

    #[test]
    fn sleep_in_a_test_among_code_is_an_error() {
        let module = format!("#[cfg(test)]\nmod t {{\n{IMPORT}}}\n");
        check_file("src/a.rs", &module, &["src/a.rs:3: a test sleeps"]);
        check_file(
            "src/a.rs",
            &format!("#[tokio::test]\n{SELECT}"),
            &["src/a.rs:2: a test sleeps"],
        );
    }

    #[test]
    fn sleep_outside_tests_is_left_to_clippy() {
        check_file("src/a.rs", SLEEP, &[]);
        check_file(
            "src/a.rs",
            &format!("#[cfg(test)]\nuse a::b;\n{SLEEP}"),
            &[],
        );
        check_file(
            "src/a.rs",
            &format!("#[cfg(not(test))]\nmod m {{ {SLEEP} }}\n"),
            &[],
        );
    }

    #[test]
    fn ignored_test_needs_a_reason() {
        check_file(
            "src/a.rs",
            &marked("ignore"),
            &["src/a.rs:2: a test is ignored"],
        );
        check_file(
            "src/a.rs",
            &marked("ignore = \"needs root; the power tier runs it\""),
            &[],
        );
    }

    #[test]
    fn comments_and_strings_trip_nothing() {
        let quoted = format!("/* {0} */ const A: &str = {0:?};\n", marked("ignore"));
        check_file("tests/a.rs", &quoted, &[]);
        check_file("tests/a.rs", &format!("const A: &str = {SLEEP:?};\n"), &[]);
    }
    #[test]
    fn files_of_the_command_line_are_made_through_its_door() {
        let text = "fn f() { std::fs::write(p, b); OpenOptions::new(); File::open(p); }\n\
                    #[cfg(test)]\nmod tests { fn g() { fs::write(p, b); } }\n";
        let expected = [
            "crates/heronry-cli/src/a.rs:1: fs::write follows links",
            "crates/heronry-cli/src/a.rs:1: OpenOptions::new follows links",
        ];
        check_file("crates/heronry-cli/src/a.rs", text, &expected);
        for path in [
            "crates/heronry-cli/src/files/folder.rs",
            "crates/heronry-cli/src/bench/machine.rs",
            "crates/heronry-store/src/a.rs",
        ] {
            check_file(path, text, &[]);
        }
    }
}
