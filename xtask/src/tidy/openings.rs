//! Openings of doc lines: a doc line names its noun, and does not open with *What* or *Who*.
//!
//! The numbers are kept for each crate, because a crate is rewritten as a whole.

use std::collections::{BTreeMap, BTreeSet};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Field, ImplItemConst, ImplItemFn, Item, ItemEnum, ItemStruct, ItemTrait,
    TraitItemConst, TraitItemFn, TraitItemType,
};

use super::Finding;
use super::ratchet::{self, EXCEPTIONS, Measured, Section};
use super::tree::Tree;
use crate::api::item::{head, is_public};

/// The words with which a clause stands in the place of a noun.
const CLAUSE_WORDS: [&str; 10] = [
    "How", "What", "When", "Where", "Whether", "Which", "Who", "Whom", "Whose", "Why",
];

/// The most places that a finding names.
const PLACES_MAX: usize = 5;

/// The doc lines of one crate that do not name their noun, as `path:line`.
#[derive(Debug, Default)]
struct OpeningCount {
    all: Vec<String>,
    public: Vec<String>,
}

/// The doc lines of all crates that do not name their noun.
#[derive(Debug)]
pub(crate) struct DocOpenings(BTreeMap<String, OpeningCount>);

impl DocOpenings {
    /// Reads every Rust file of the tree. Files that do not parse are left to the check of sizes.
    pub(crate) fn read(tree: &Tree) -> Self {
        let mut counts: BTreeMap<String, OpeningCount> = BTreeMap::new();
        for (path, text) in tree.with_ending("rs") {
            let lines = lines_without_noun(text);
            if lines.is_empty() {
                continue;
            }
            let public =
                syn::parse_file(text).map_or_else(|_| BTreeSet::new(), |file| public_docs(&file));
            let count = counts.entry(crate_of(path)).or_default();
            let at = |line: &usize| format!("{path}:{line}");
            count.all.extend(lines.iter().map(at));
            count.public.extend(lines.intersection(&public).map(at));
        }
        DocOpenings(counts)
    }

    /// Compares the numbers of each crate with the list of exceptions.
    pub(crate) fn check(&self, tree: &Tree) -> Vec<Finding> {
        let mut over = Vec::new();
        for (path, count) in &self.0 {
            over.extend(measured(path, Section::PublicDocs, &count.public));
            over.extend(measured(path, Section::Docs, &count.all));
        }
        let list = tree.text(EXCEPTIONS).unwrap_or_default();
        ratchet::compare(&over, &[Section::PublicDocs, Section::Docs], list)
    }

    /// Returns the numbers of the whole workspace in one line.
    pub(crate) fn summary(&self) -> String {
        let public: usize = self.0.values().map(|count| count.public.len()).sum();
        let all: usize = self.0.values().map(|count| count.all.len()).sum();
        format!(
            "doc lines that do not name their noun: {public} of public items, {all} of all items"
        )
    }
}

/// Returns the number of a crate, unless it is zero.
fn measured(path: &str, section: Section, places: &[String]) -> Option<Measured> {
    let shown = places.get(..PLACES_MAX).unwrap_or(places).join(", ");
    let advice = format!(
        "as What and Who do; begin with the noun, as CONTRIBUTING.md shows: {shown}{}",
        if places.len() > PLACES_MAX {
            " and more"
        } else {
            ""
        }
    );
    (!places.is_empty()).then(|| Measured {
        section,
        path: path.to_owned(),
        function: None,
        line: 1,
        lines: places.len(),
        advice,
    })
}

/// Returns the folder of the crate of a file: `crates/x`, or the first part of the path.
fn crate_of(path: &str) -> String {
    let parts = if path.starts_with("crates/") { 2 } else { 1 };
    let parts: Vec<&str> = path.split('/').take(parts).collect();
    parts.join("/")
}

/// Returns the numbers of the doc lines that open with a word of [`CLAUSE_WORDS`], code blocks aside.
fn lines_without_noun(text: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        let Some(doc) = doc_of(line) else {
            in_code = false;
            continue;
        };
        if doc.starts_with("```") {
            in_code = !in_code;
        } else if !in_code && opens_with_clause(doc) {
            found.insert(index + 1);
        }
    }
    found
}

/// Returns the text of a doc line; `None` for other lines.
fn doc_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let doc = line
        .strip_prefix("///")
        .or_else(|| line.strip_prefix("//!"))?;
    (!doc.starts_with('/')).then(|| doc.trim_start())
}

/// Returns true when a doc line opens with a clause in the place of a noun. A clause of time or place
/// before a sentence is none: "When the pool is full, sends are refused."
fn opens_with_clause(doc: &str) -> bool {
    let doc = doc.trim_start_matches("- ").trim_start_matches('*');
    let Some(word) = doc.split(|one: char| !one.is_alphabetic()).next() else {
        return false;
    };
    let is_before_a_sentence = matches!(word, "When" | "Where")
        && doc
            .split_once(", ")
            .is_some_and(|(_, rest)| !rest.starts_with("and "));
    CLAUSE_WORDS.contains(&word) && !is_before_a_sentence
}

/// Returns the numbers of the lines that document public items of a file: items, fields, variants and
/// methods that are written `pub`, or are parts of such an enum or trait.
fn public_docs(file: &syn::File) -> BTreeSet<usize> {
    let mut docs = PublicDocs(BTreeSet::new());
    docs.visit_file(file);
    docs.0
}

/// A walk over a file that notes the doc lines of public items.
struct PublicDocs(BTreeSet<usize>);

impl PublicDocs {
    fn note(&mut self, attributes: &[Attribute]) {
        let docs = attributes.iter().filter(|one| one.path().is_ident("doc"));
        self.0.extend(docs.map(|one| one.span().start().line));
    }

    fn note_field(&mut self, field: &Field) {
        if is_public(&field.vis) {
            self.note(&field.attrs);
        }
    }
}

impl<'ast> Visit<'ast> for PublicDocs {
    fn visit_item(&mut self, item: &'ast Item) {
        if let Some(head) = head(item)
            && head.is_shown()
        {
            self.note(head.attributes);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        if is_public(&item.vis) {
            item.fields.iter().for_each(|field| self.note_field(field));
        }
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        if !is_public(&item.vis) {
            return;
        }
        for variant in &item.variants {
            self.note(&variant.attrs);
            variant
                .fields
                .iter()
                .for_each(|field| self.note(&field.attrs));
        }
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        if is_public(&item.vis) {
            visit::visit_item_trait(self, item);
        }
    }

    fn visit_trait_item_const(&mut self, item: &'ast TraitItemConst) {
        self.note(&item.attrs);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.note(&item.attrs);
    }

    fn visit_trait_item_type(&mut self, item: &'ast TraitItemType) {
        self.note(&item.attrs);
    }

    fn visit_impl_item_const(&mut self, item: &'ast ImplItemConst) {
        if is_public(&item.vis) {
            self.note(&item.attrs);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if is_public(&item.vis) {
            self.note(&item.attrs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the numbers of a file's doc lines without a noun: of public items, and of all.
    #[track_caller]
    fn check_counts(text: &str, public: usize, all: usize) {
        let openings = DocOpenings::read(&Tree::of(&[("crates/a/src/b.rs", text)]));
        let expected = format!(
            "doc lines that do not name their noun: {public} of public items, {all} of all items"
        );
        assert_eq!(openings.summary(), expected, "{text}");
    }

    #[track_caller]
    fn check_list(text: &str, list: &str, expected: &[&str]) {
        let tree = Tree::of(&[("crates/a/src/b.rs", text), (EXCEPTIONS, list)]);
        let found = DocOpenings::read(&tree).check(&tree);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, part) in found.iter().zip(expected) {
            assert!(line.contains(part), "{line} does not contain {part}");
        }
    }

    #[test]
    fn lines_that_open_with_a_clause_are_counted() {
        for word in CLAUSE_WORDS {
            check_counts(&format!("/// {word} it is.\nstruct A;\n"), 0, 1);
            check_counts(&format!("//! {word} it is.\n"), 0, 1);
        }
        check_counts("/// **What** it is.\nstruct A;\n", 0, 1);
        check_counts("/// # Errors\n/// - What failed.\nfn a() {}\n", 0, 1);
    }

    #[test]
    fn lines_that_open_with_a_noun_pass() {
        for line in [
            "The wall time of the last observed clock jump.",
            "Returns what is left.",
            "Whatever is left, as bytes.",
            "",
        ] {
            check_counts(&format!("/// {line}\nstruct A;\n"), 0, 0);
        }
        check_counts("// What it is.\nstruct A;\n", 0, 0);
        check_counts("//// What it is.\nstruct A;\n", 0, 0);
    }

    #[test]
    fn a_clause_of_time_or_place_before_a_sentence_passes() {
        check_counts(
            "/// When the pool is full, sends are refused.\nfn a() {}\n",
            0,
            0,
        );
        check_counts("/// When it ended, and how.\nfn a() {}\n", 0, 1);
        check_counts("/// Where it stands.\nfn a() {}\n", 0, 1);
    }

    #[test]
    fn code_in_documentation_is_not_read() {
        let text = "/// ```text\n/// What it is.\n/// ```\n/// What it is.\nfn a() {}\n";
        check_counts(text, 0, 1);
    }

    #[test]
    fn public_items_are_those_written_so_and_their_parts() {
        let doc = "/// What it is.\n";
        check_counts(
            &format!("{doc}pub struct A {{\n{doc}pub a: u8,\n{doc}b: u8\n}}\n"),
            2,
            3,
        );
        check_counts(
            &format!("{doc}pub(crate) struct A {{\n{doc}pub a: u8\n}}\n"),
            0,
            2,
        );
        check_counts(
            &format!("pub enum A {{\n{doc}B {{\n{doc}b: u8\n}}\n}}\n"),
            2,
            2,
        );
        check_counts(&format!("enum A {{\n{doc}B\n}}\n"), 0, 1);
        check_counts(
            &format!("pub trait A {{\n{doc}fn a();\n{doc}type B;\n}}\n"),
            2,
            2,
        );
        check_counts(&format!("trait A {{\n{doc}fn a();\n}}\n"), 0, 1);
        check_counts(
            &format!("impl A {{\n{doc}pub fn a() {{}}\n{doc}fn b() {{}}\n}}\n"),
            1,
            2,
        );
        check_counts(&format!("mod m {{\n{doc}pub fn a() {{}}\n}}\n"), 1, 1);
    }

    #[test]
    fn numbers_of_a_crate_may_only_fall() {
        let text = "/// What it is.\npub struct A;\n/// Who it is.\nstruct B;\n";
        let list = |public: usize, all: usize| {
            let docs = |section: &str, lines: usize| {
                format!("[[{section}]]\npath = \"crates/a\"\nlines = {lines}\n")
            };
            docs("public_docs", public) + &docs("docs", all)
        };
        check_list(text, &list(1, 2), &[]);
        let new = [
            "crates/a:1: the documentation of public items has 1 lines",
            "crates/a/src/b.rs:1, crates/a/src/b.rs:3",
        ];
        check_list(text, "", &new);
        check_list(
            text,
            &list(1, 1),
            &["the documentation of all items has grown from 1 to 2"],
        );
        check_list(text, &list(2, 2), &["write 1 in [[public_docs]]"]);
        check_list(
            "",
            &list(1, 2),
            &[
                "remove the entry of [[public_docs]]",
                "remove the entry of [[docs]]",
            ],
        );
    }
}
