//! What claims cost when there are many: to keep, to look up, in memory and on the disk.
//!
//! `cargo bench -p heronry-bench --bench claims` prints the tables up to 10 M finished messages;
//! `-- memory` or `-- redb` one store; `-- 1000000` up to so many messages.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark stops at the first surprise and prints rounded figures"
)]

#[path = "claims/kept.rs"]
mod kept;
#[path = "claims/memory.rs"]
mod memory;
#[path = "claims/names.rs"]
mod names;

use kept::Kind;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let says = |word: &str| words.iter().any(|given| given == word);
    let all = !says("memory") && !says("redb") && !says("sled");
    let most = words.iter().find_map(|word| word.parse().ok());
    let most = most.unwrap_or(10_000_000);
    for (kind, name) in [
        (Kind::Memory, "memory"),
        (Kind::Redb, "redb"),
        (Kind::Sled, "sled"),
    ] {
        if all && kind != Kind::Sled || says(name) {
            kept::run((kind, name), most);
        }
    }
}
