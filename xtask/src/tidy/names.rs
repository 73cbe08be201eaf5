//! Names of types: each stands for one thing in the whole workspace, and none hides one of std's.

use std::collections::BTreeMap;

use serde::Deserialize;
use syn::visit::{self, Visit};
use syn::{File, Ident, ItemEnum, ItemStruct, ItemTrait, ItemType, ItemUnion, UseRename};

use super::Finding;
use super::tree::Tree;

/// The list of names that stand for more things, and of how many; the numbers may only fall.
const LIST: &str = "xtask/tidy-names.toml";

/// The most types of one name in the workspace.
const SAME_NAME_MAX: usize = 2;

/// Names that every module has from std's prelude, and names that most readers take for std's.
const OF_STD: [&str; 46] = [
    "Arc",
    "AsMut",
    "AsRef",
    "Box",
    "BufRead",
    "Clone",
    "Copy",
    "Default",
    "Drop",
    "Duration",
    "Eq",
    "Extend",
    "File",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Future",
    "Hash",
    "Instant",
    "Into",
    "IntoFuture",
    "IntoIterator",
    "Iterator",
    "Mutex",
    "Option",
    "Ord",
    "Ordering",
    "PartialEq",
    "PartialOrd",
    "Path",
    "PathBuf",
    "Range",
    "Rc",
    "Read",
    "Result",
    "Seek",
    "Send",
    "Sized",
    "String",
    "Sync",
    "TryFrom",
    "TryInto",
    "Vec",
    "Write",
];

/// Compares how often each name is given to a type with the list. Files that are not Rust are left to the
/// check of sizes.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let text = tree.text(LIST).unwrap_or_default();
    let list: NameList = match toml::from_str(text) {
        Ok(list) => list,
        Err(error) => {
            let text = format!("is not a list of names: {}", error.message());
            return vec![Finding::new(LIST, 1, text)];
        }
    };
    let mut types: BTreeMap<String, Vec<TypePlace>> = BTreeMap::new();
    let mut findings = Vec::new();
    for (path, text) in tree.with_ending("rs") {
        let Ok(file) = syn::parse_file(text) else {
            continue;
        };
        for named in names_in(path, &file) {
            if OF_STD.contains(&named.name.as_str()) {
                findings.push(named.hides_std());
            }
            if named.origin == NameOrigin::Type {
                types.entry(named.name).or_default().push(named.place);
            }
        }
    }
    findings.extend(list.compare(&types));
    findings
}

/// The place where a type is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TypePlace {
    path: String,
    line: usize,
}

/// The origin of a name: a type that is declared with it, or an import that gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NameOrigin {
    Type,
    Alias,
}

/// A name in the scope of a file.
#[derive(Debug)]
struct TypeName {
    name: String,
    origin: NameOrigin,
    place: TypePlace,
}

impl TypeName {
    fn hides_std(&self) -> Finding {
        let text = format!(
            "{} is a name of std; put the noun that it is one of before it",
            self.name
        );
        Finding::new(&self.place.path, self.place.line, text)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameList {
    #[serde(default)]
    names: Vec<NameCount>,
}

/// The number of types of one name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameCount {
    name: String,
    types: usize,
}

impl NameList {
    fn compare(&self, found: &BTreeMap<String, Vec<TypePlace>>) -> Vec<Finding> {
        let over = found
            .iter()
            .flat_map(|(name, places)| self.judge(name, places));
        let stale = self.names.iter().filter_map(|count| count.stale(found));
        over.chain(stale).collect()
    }

    /// Returns a finding at every place of a name, when it has more of them than it may; each names another.
    fn judge(&self, name: &str, places: &[TypePlace]) -> Vec<Finding> {
        let listed = self.names.iter().find(|count| count.name == name);
        let most = listed.map_or(SAME_NAME_MAX, |count| count.types);
        if places.len() <= most {
            return Vec::new();
        }
        let others = places.iter().cycle().skip(1);
        let named = places.iter().zip(others).map(|(place, other)| {
            let text = format!(
                "{name} is the name of {} types, the most is {most}; another one is at {}:{}; say in the name \
                 of each what it is, as in ReadPlace and ShelfPlace",
                places.len(),
                other.path,
                other.line
            );
            Finding::new(&place.path, place.line, text)
        });
        named.collect()
    }
}

impl NameCount {
    /// Returns the finding of an entry that excuses more than there is, or nothing at all.
    fn stale(&self, found: &BTreeMap<String, Vec<TypePlace>>) -> Option<Finding> {
        let there = found.get(&self.name).map_or(0, Vec::len);
        let text = if there <= SAME_NAME_MAX {
            format!(
                "{} is the name of {there} types; remove the entry",
                self.name
            )
        } else if there < self.types {
            format!(
                "{} is the name of {there} types, not {}; write that",
                self.name, self.types
            )
        } else {
            return None;
        };
        Some(Finding::new(LIST, 1, text))
    }
}

/// The names that a file gives to types: to its own, and to what it imports.
fn names_in(path: &str, file: &File) -> Vec<TypeName> {
    let mut walk = NameWalk {
        path,
        found: Vec::new(),
    };
    walk.visit_file(file);
    walk.found
}

struct NameWalk<'a> {
    path: &'a str,
    found: Vec<TypeName>,
}

impl NameWalk<'_> {
    fn note(&mut self, name: &Ident, origin: NameOrigin) {
        let place = TypePlace {
            path: self.path.to_owned(),
            line: name.span().start().line,
        };
        self.found.push(TypeName {
            name: name.to_string(),
            origin,
            place,
        });
    }
}

/// Associated types are none of these: their trait names them.
impl<'ast> Visit<'ast> for NameWalk<'_> {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.note(&item.ident, NameOrigin::Type);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.note(&item.ident, NameOrigin::Type);
    }

    fn visit_item_union(&mut self, item: &'ast ItemUnion) {
        self.note(&item.ident, NameOrigin::Type);
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.note(&item.ident, NameOrigin::Type);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.note(&item.ident, NameOrigin::Type);
        visit::visit_item_trait(self, item);
    }

    fn visit_use_rename(&mut self, rename: &'ast UseRename) {
        self.note(&rename.rename, NameOrigin::Alias);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], list: &str, expected: &[&str]) {
        let files: Vec<_> = files.iter().copied().chain([(LIST, list)]).collect();
        let found: Vec<String> = super::check(&Tree::of(&files))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, part) in found.iter().zip(expected) {
            assert!(line.contains(part), "{line} does not contain {part}");
        }
    }

    const THREE: [(&str, &str); 3] = [
        ("crates/a/src/lib.rs", "mod inner { struct Place; }"),
        ("crates/b/src/lib.rs", "pub enum Place {}"),
        ("tests/it/c/main.rs", "\nfn f() { type Place = u8; }"),
    ];

    #[test]
    fn a_third_type_of_a_name_is_a_finding_at_each_of_them() {
        check(&THREE[..2], "", &[]);
        check(
            &THREE,
            "",
            &[
                "crates/a/src/lib.rs:1: Place is the name of 3 types, the most is 2; another one is at \
                 crates/b/src/lib.rs:1",
                "crates/b/src/lib.rs:1: ",
                "tests/it/c/main.rs:2: ",
            ],
        );
    }

    #[test]
    fn associated_types_imports_and_uses_are_no_further_types() {
        let uses = "use a::Place; use b::X as Place; trait T { type Place; } impl T for Place { type Place = u8; }";
        check(&[("crates/a/src/lib.rs", uses)], "", &[]);
    }

    #[test]
    fn a_number_of_types_may_only_fall() {
        let listed = |types: usize| format!("[[names]]\nname = \"Place\"\ntypes = {types}\n");
        check(&THREE, &listed(3), &[]);
        check(&THREE, &listed(4), &["Place is the name of 3 types, not 4"]);
        check(
            &THREE[..2],
            &listed(3),
            &["Place is the name of 2 types; remove the entry"],
        );
        check(&[], "[[names]]\nname = 3\n", &["is not a list of names"]);
    }

    #[test]
    fn a_name_of_std_is_a_finding_whoever_gives_it() {
        let file = "crates/a/src/lib.rs";
        let why = "Ordering is a name of std; put the noun that it is one of before it";
        check(&[(file, "pub enum Ordering {}")], "", &[why]);
        check(&[(file, "use b::Order as Ordering;")], "", &[why]);
        check(&[(file, "use std::cmp::Ordering;")], "", &[]);
        check(&[(file, "mod m { trait Read {} }")], "", &["Read is"]);
    }
}
