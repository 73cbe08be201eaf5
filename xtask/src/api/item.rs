//! The parts that every named item has.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the syntax of Rust has more forms than concern a listing, and may get more"
)]

use syn::{Attribute, Ident, Item, Visibility};

/// Name, visibility and attributes of an item.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) visibility: &'a Visibility,
    pub(crate) attributes: &'a [Attribute],
}

impl Head<'_> {
    /// Returns true when the item is public and documented.
    pub(crate) fn is_shown(self) -> bool {
        is_public(self.visibility) && !is_hidden(self.attributes)
    }
}

/// The head of an item that can be named; modules and imports are looked at elsewhere.
pub(crate) fn head(item: &Item) -> Option<Head<'_>> {
    macro_rules! head {
        ($item:ident, $name:expr) => {
            Some(Head {
                name: $name,
                visibility: &$item.vis,
                attributes: &$item.attrs,
            })
        };
    }
    match item {
        Item::Const(item) => head!(item, &item.ident),
        Item::Enum(item) => head!(item, &item.ident),
        Item::Fn(item) => head!(item, &item.sig.ident),
        Item::Static(item) => head!(item, &item.ident),
        Item::Struct(item) => head!(item, &item.ident),
        Item::Trait(item) => head!(item, &item.ident),
        Item::Type(item) => head!(item, &item.ident),
        Item::Union(item) => head!(item, &item.ident),
        _ => None,
    }
}

/// Returns true for plain `pub`.
pub(crate) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Returns true when rustdoc is told to leave the item out.
pub(crate) fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|one| one.path().is_ident("doc"))
        .any(|one| super::tokens::text(&one.meta) == "doc(hidden)")
}

/// Returns true when the item is compiled for tests only.
pub(crate) fn is_for_tests(item: &Item) -> bool {
    let attributes = match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        item => head(item).map_or(&[][..], |head| head.attributes),
    };
    let mut conditions = attributes.iter().filter(|one| one.path().is_ident("cfg"));
    conditions.any(|one| super::tokens::text(one).contains("(test)"))
}
