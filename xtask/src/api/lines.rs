//! One item as lines.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the syntax of Rust has more forms than concern a listing, and may get more"
)]

use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, ItemMacro, TraitItem};

use super::item::{head, is_hidden, is_public};
use super::tokens::{line, text};

/// A macro's definition or call, in full, because what it makes is not seen here.
pub(crate) fn of_macro(item: &ItemMacro, path: &str) -> String {
    let name = text(&item.mac.path);
    let body = line(item.mac.tokens.clone());
    match &item.ident {
        Some(defined) => format!("macro {path}::{defined}! {{ {body} }}"),
        None => format!("call {path}::{name}! {{ {body} }}"),
    }
}

/// `#[cfg(..)] ` where an item has one.
pub(crate) fn cfg(attributes: &[Attribute]) -> String {
    let mut found = attributes.iter().filter(|one| one.path().is_ident("cfg"));
    found
        .next()
        .map_or_else(String::new, |one| format!("{} ", text(one)))
}

/// The attributes that callers notice, in front of an item.
fn marks(attributes: &[Attribute]) -> String {
    let noticed = ["cfg", "deprecated", "must_use", "non_exhaustive"];
    let noticed = attributes
        .iter()
        .filter(|one| noticed.iter().any(|name| one.path().is_ident(name)));
    noticed.map(|one| text(one) + " ").collect()
}

pub(crate) fn of_item(item: &Item, path: &str) -> Vec<String> {
    let attributes = head(item).map_or(&[][..], |head| head.attributes);
    let marks = marks(attributes);
    let mut lines = Vec::new();
    match item {
        Item::Const(item) => lines.push(format!("{marks}pub const {path}: {}", text(&item.ty))),
        Item::Static(item) => lines.push(format!("{marks}pub static {path}: {}", text(&item.ty))),
        Item::Fn(item) => lines.push(format!("{marks}pub {}", signature(&item.sig, path))),
        Item::Type(item) => {
            let generics = text(&item.generics);
            lines.push(format!(
                "{marks}pub type {path}{generics} = {}",
                text(&item.ty)
            ));
        }
        Item::Struct(item) => {
            let generics = text(&item.generics);
            lines.push(format!(
                "{marks}pub struct {path}{generics}{}",
                rest_of(&item.fields)
            ));
            lines.extend(fields(&item.fields, path));
        }
        Item::Enum(item) => {
            lines.push(format!("{marks}pub enum {path}{}", text(&item.generics)));
            lines.extend(item.variants.iter().map(|variant| {
                let marks = self::marks(&variant.attrs);
                let fields = text(&variant.fields);
                let name = &variant.ident;
                format!("{marks}pub {path}::{name} {fields}")
                    .replace(" (", "(")
                    .trim_end()
                    .to_owned()
            }));
        }
        Item::Trait(item) => {
            let supertraits = text(&item.supertraits);
            let generics = text(&item.generics);
            let head = format!("{marks}pub trait {path}{generics}: {supertraits}");
            lines.push(head.trim_end_matches([':', ' ']).to_owned());
            lines.extend(item.items.iter().map(|inner| trait_item(inner, path)));
        }
        Item::Union(item) => lines.push(format!("{marks}pub union {path}{}", text(&item.generics))),
        _ => {}
    }
    lines.extend(derives(attributes, path));
    lines
}

/// Says whether others can build or match a struct whole.
fn rest_of(fields: &Fields) -> &'static str {
    let is_whole = fields.iter().all(|field| is_public(&field.vis));
    if is_whole {
        ""
    } else {
        " (with private fields)"
    }
}

fn fields(fields: &Fields, path: &str) -> Vec<String> {
    let named = fields.iter().enumerate();
    let public = named.filter(|(_, field)| is_public(&field.vis));
    let shown = public.map(|(index, field)| {
        let name = field
            .ident
            .as_ref()
            .map_or_else(|| index.to_string(), ToString::to_string);
        format!(
            "{}pub {path}::{name}: {}",
            marks(&field.attrs),
            text(&field.ty)
        )
    });
    shown.collect()
}

fn trait_item(item: &TraitItem, path: &str) -> String {
    match item {
        TraitItem::Fn(item) => {
            let provided = if item.default.is_some() {
                " { .. }"
            } else {
                ""
            };
            format!(
                "pub {}{provided}",
                signature(&item.sig, &format!("{path}::{}", item.sig.ident))
            )
        }
        TraitItem::Const(item) => format!("pub const {path}::{}: {}", item.ident, text(&item.ty)),
        TraitItem::Type(item) => {
            let bounds = text(&item.bounds);
            format!("pub type {path}::{}: {bounds}", item.ident)
                .trim_end_matches([':', ' '])
                .to_owned()
        }
        other => format!("pub {path}: {}", text(other)),
    }
}

/// A signature under the full path of its function.
fn signature(of: &syn::Signature, path: &str) -> String {
    let plain = format!("fn {}", of.ident);
    text(of).replacen(&plain, &format!("fn {path}"), 1)
}

fn derives(attributes: &[Attribute], path: &str) -> Option<String> {
    let mut names = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|one| one.path().is_ident("derive"))
    {
        // A derive that does not parse does not compile either.
        let _ = attribute.parse_nested_meta(|meta| {
            names.push(text(&meta.path));
            Ok(())
        });
    }
    names.sort();
    (!names.is_empty()).then(|| format!("derive({}) for {path}", names.join(", ")))
}

pub(crate) fn of_impl(item: &ItemImpl, path: &str) -> Vec<String> {
    let cfg = cfg(&item.attrs);
    if let Some((name, _)) = &item.trait_ {
        let generics = text(&item.generics);
        return vec![format!("{cfg}impl{generics} {} for {path}", text(name))];
    }
    let shown = item.items.iter().filter_map(|inner| match inner {
        ImplItem::Fn(inner) if is_public(&inner.vis) && !is_hidden(&inner.attrs) => {
            let path = format!("{path}::{}", inner.sig.ident);
            Some(format!(
                "{}pub {}",
                marks(&inner.attrs),
                signature(&inner.sig, &path)
            ))
        }
        ImplItem::Const(inner) if is_public(&inner.vis) => {
            let (name, of) = (&inner.ident, text(&inner.ty));
            Some(format!(
                "{}pub const {path}::{name}: {of}",
                marks(&inner.attrs)
            ))
        }
        _ => None,
    });
    shown.map(|line| format!("{cfg}{line}")).collect()
}
