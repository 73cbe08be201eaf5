//! Listings of made-up crates.

use super::list::list;
use super::source::Source;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(list(&Source::of("a", text)), expected);
}

#[test]
fn only_what_can_be_reached_is_listed() {
    check(
        "pub fn shown(x: u8) -> u8 { x }\n fn hidden() {}\n pub(crate) fn inner() {}\n\
         mod private { pub fn unreachable() {} }\n pub mod open { pub const N: usize = 3; }\n\
         #[cfg(test)] pub mod tests { pub fn f() {} }\n #[doc(hidden)] pub fn secret() {}",
        &[
            "pub mod a::open",
            "pub const a::open::N: usize",
            "pub fn a::shown(x: u8) -> u8",
        ],
    );
}

#[test]
fn item_is_listed_where_it_is_exported() {
    check(
        "mod m { mod n { pub struct S; pub struct T; }\n pub use n::{S, T as U}; pub fn m() {} }\n\
         pub use m::*; pub use m::m as same;",
        &[
            "pub struct a::S",
            "pub struct a::U",
            "pub fn a::m()",
            "pub fn a::same()",
        ],
    );
}

#[test]
fn other_crates_and_made_items_are_named() {
    check(
        "mod m { make! { A = 1 } }\n pub use m::A; #[cfg(feature = \"f\")] pub use other as module;",
        &[
            "pub use a::A = m::A",
            "call a::m::make! { A = 1 }",
            "#[cfg(feature = \"f\")] pub use a::module = other",
        ],
    );
}

#[test]
fn methods_follow_their_type_and_foreign_types_their_trait() {
    check(
        "mod m { use super::S;\n impl S { pub fn new() -> Self { S { x: 1, y: 2 } } fn no(&self) {} } }\n\
         #[derive(Clone, Debug)] #[non_exhaustive] pub struct S { pub x: u8, y: u8 }\n\
         impl From<S> for String { fn from(_: S) -> String { String::new() } }\n\
         struct Hidden; impl Hidden { pub fn f() {} } impl Drop for Hidden { fn drop(&mut self) {} }",
        &[
            "impl From<S> for String",
            "#[non_exhaustive] pub struct a::S (with private fields)",
            "derive(Clone, Debug) for a::S",
            "pub a::S::x: u8",
            "pub fn a::S::new() -> Self",
        ],
    );
}

#[test]
fn variants_and_provided_methods_are_listed() {
    check(
        "pub enum E { A, B { x: u8 }, C(String) }\n\
         pub trait T: Send { const N: u8; type O; fn must(&self) -> Self::O; fn may(&self) {} }",
        &[
            "pub a::E::A",
            "pub a::E::B { x: u8 }",
            "pub a::E::C(String)",
            "pub enum a::E",
            "pub const a::T::N: u8",
            "pub fn a::T::may(&self) { .. }",
            "pub fn a::T::must(&self) -> Self::O",
            "pub trait a::T: Send",
            "pub type a::T::O",
        ],
    );
}

#[test]
fn imports_in_a_circle_end() {
    check(
        "mod m { pub use super::*; pub struct S; } pub use m::*;",
        &["pub struct a::S"],
    );
}
