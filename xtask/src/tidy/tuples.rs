//! Tuples in signatures: a concept that has no name yet.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use syn::visit::{self, Visit};
use syn::{
    Attribute, File, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemTrait, Signature, TraitItemFn,
    TypeTuple, Visibility,
};

use super::Finding;
use super::bans::is_test_file;
use super::tree::Tree;

/// The list of how many there are, by crate; the numbers may only fall.
const LIST: &str = "xtask/tidy-tuples.toml";

/// Counts the tuples in the signatures of every crate and compares them with the list. Files that are not
/// Rust are left to the check of sizes.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let text = tree.text(LIST).unwrap_or_default();
    let list: List = match toml::from_str(text) {
        Ok(list) => list,
        Err(error) => {
            let text = format!("is not a list of counts: {}", error.message());
            return vec![Finding::new(LIST, 1, text)];
        }
    };
    let mut found: BTreeMap<Whose, Vec<Finding>> = BTreeMap::new();
    for (path, text) in tree.with_ending("rs") {
        let Some(name) = crate_of(path).filter(|_| !is_test_file(path)) else {
            continue;
        };
        let Ok(file) = syn::parse_file(text) else {
            continue;
        };
        for (reach, finding) in signatures(path, &file) {
            let whose = Whose {
                name: name.to_owned(),
                reach,
            };
            found.entry(whose).or_default().push(finding);
        }
    }
    list.compare(&found)
}

/// The reach of a function's callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reach {
    Public,
    Private,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Private => "private",
        })
    }
}

/// Functions that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Whose {
    name: String,
    reach: Reach,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    tuples: Vec<TupleCount>,
}

/// The number of a crate's signatures with a tuple.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TupleCount {
    #[serde(rename = "crate")]
    name: String,
    reach: Reach,
    functions: usize,
}

impl List {
    fn compare(&self, found: &BTreeMap<Whose, Vec<Finding>>) -> Vec<Finding> {
        let over = found
            .iter()
            .flat_map(|(whose, there)| self.judge(whose, there));
        let stale = self.tuples.iter().filter_map(|count| count.stale(found));
        over.chain(stale).collect()
    }

    /// The functions of one reach, when there are more than listed.
    fn judge(&self, whose: &Whose, there: &[Finding]) -> Vec<Finding> {
        let listed = self.tuples.iter().find(|count| count.whose() == *whose);
        let most = listed.map_or(0, |count| count.functions);
        if there.len() <= most {
            return Vec::new();
        }
        let Whose { name, reach } = whose;
        let said = format!(
            "{reach} functions of {name} with one: {}, the most is {most}",
            there.len()
        );
        let named = there.iter().cloned().map(|finding| Finding {
            text: format!("{}; {said}", finding.text),
            ..finding
        });
        named.collect()
    }
}

impl TupleCount {
    fn whose(&self) -> Whose {
        Whose {
            name: self.name.clone(),
            reach: self.reach,
        }
    }

    /// An entry that excuses more than there is.
    fn stale(&self, found: &BTreeMap<Whose, Vec<Finding>>) -> Option<Finding> {
        let there = found.get(&self.whose());
        let there = there.map_or(0, Vec::len);
        (there < self.functions).then(|| {
            let text = format!(
                "{} has {there} {} functions with a tuple, not {}; write that, or remove the entry at 0",
                self.name, self.reach, self.functions
            );
            Finding::new(LIST, 1, text)
        })
    }
}

/// The crate that a source file belongs to; none for tests and benchmarks.
fn crate_of(path: &str) -> Option<&str> {
    let (folder, inner) = match path.strip_prefix("crates/") {
        Some(rest) => rest.split_once('/')?,
        None => path.split_once('/').filter(|(top, _)| *top == "xtask")?,
    };
    inner.starts_with("src/").then_some(folder)
}

/// The functions of a file whose signature has a tuple.
fn signatures(path: &str, file: &File) -> Vec<(Reach, Finding)> {
    let mut walk = Walk {
        path,
        found: Vec::new(),
    };
    walk.visit_file(file);
    walk.found
}

struct Walk<'a> {
    path: &'a str,
    found: Vec<(Reach, Finding)>,
}

impl Walk<'_> {
    fn note(&mut self, visibility: &Visibility, signature: &Signature) {
        let mut tuples = Tuples(0);
        tuples.visit_signature(signature);
        if tuples.0 == 0 {
            return;
        }
        let reach = match visibility {
            Visibility::Public(_) => Reach::Public,
            Visibility::Restricted(_) | Visibility::Inherited => Reach::Private,
        };
        let name = &signature.ident;
        let text = format!("the signature of {name} has a tuple; name what it is, or part it");
        let finding = Finding::new(self.path, name.span().start().line, text);
        self.found.push((reach, finding));
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_for_tests(&item.attrs) {
            self.note(&item.vis, &item.sig);
            visit::visit_item_fn(self, item);
        }
    }

    /// The signatures of a trait are counted where it is defined.
    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if item.trait_.is_none() && !is_for_tests(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            self.note(&item.vis, &item.sig);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        for inner in &item.items {
            if let syn::TraitItem::Fn(TraitItemFn { sig, .. }) = inner {
                self.note(&item.vis, sig);
            }
        }
    }
}

/// Counts the tuples of a signature, `()` aside.
struct Tuples(usize);

impl<'ast> Visit<'ast> for Tuples {
    fn visit_type_tuple(&mut self, tuple: &'ast TypeTuple) {
        self.0 += usize::from(!tuple.elems.is_empty());
        visit::visit_type_tuple(self, tuple);
    }
}

/// `#[cfg(test)]` and `#[test]`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_test = |path: &syn::Path| path.is_ident("test");
        let configured = attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|it| is_test(&it));
        configured || is_test(attribute.path())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "crates/heronry-pool/src/decide/message/send.rs";

    #[track_caller]
    fn check(text: &str, list: &str, expected: &[&str]) {
        let tree = Tree::of(&[(FILE, text), (LIST, list)]);
        let found: Vec<String> = super::check(&tree)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, part) in found.iter().zip(expected) {
            assert!(line.contains(part), "{line} does not contain {part}");
        }
    }

    fn listed(reach: &str, functions: usize) -> String {
        format!(
            "[[tuples]]\ncrate = \"heronry-pool\"\nreach = \"{reach}\"\nfunctions = {functions}\n"
        )
    }

    #[test]
    fn tuple_in_a_signature_is_a_finding() {
        for signature in [
            "pub fn f((a, b): (u8, u8)) {}",
            "pub fn f() -> (u8, u8) { (1, 2) }",
            "pub fn f() -> impl Iterator<Item = (u8, u8)> { [].into_iter() }",
            "impl It { pub fn f(it: &[(u8, u8)]) {} }",
            "pub trait It { fn f(&self) -> Option<(u8, u8)>; }",
        ] {
            check(signature, "", &["the signature of f has a tuple"]);
        }
    }

    #[test]
    fn unit_locals_tests_and_foreign_signatures_are_none() {
        for text in [
            "pub fn f() -> Result<(), u8> { Ok(()) }",
            "pub fn f() { let it: (u8, u8) = (1, 2); drop(it); }",
            "#[cfg(test)] mod tests { fn f() -> (u8, u8) { (1, 2) } }",
            "impl Iterator for It { fn size_hint(&self) -> (usize, Option<usize>) { (0, None) } }",
        ] {
            check(text, "", &[]);
        }
    }

    #[test]
    fn count_may_only_fall() {
        let one = "fn f() -> (u8, u8) { (1, 2) }";
        check(one, &listed("private", 1), &[]);
        check(
            one,
            &listed("private", 2),
            &["has 1 private functions with a tuple, not 2"],
        );
        check("", &listed("private", 1), &["has 0 private functions"]);
        let two = "fn f() -> (u8, u8) { (1, 2) }\nfn g(it: (u8, u8)) {}";
        let most = "private functions of heronry-pool with one: 2, the most is 1";
        check(two, &listed("private", 1), &[most, most]);
        check(
            "pub fn f(it: (u8, u8)) {}",
            &listed("private", 1),
            &["public functions", "has 0"],
        );
    }

    #[test]
    fn malformed_list_is_a_finding() {
        check("", "[[tuples]]\ncrate = 3\n", &["is not a list of counts"]);
    }
}
