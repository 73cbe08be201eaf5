//! The cost of claims when there are many: to keep them, and to look them up, in memory and on the
//! disk.
//!
//! `cargo bench -p heronry-bench --bench claims` prints the tables. Words choose a part (`kept`: up to
//! 10 M finished messages; `history`: sends after 1 M), a store (`memory`, `redb`, `sled`), or how many
//! messages there are at the most.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, stops at the first surprise and prints rounded figures"
)]

mod history;
mod kept;
mod memory;
mod names;
mod time;

use kept::Kind;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let says = |word: &str| words.iter().any(|given| given == word);
    let number = words.iter().find_map(|word| word.parse().ok());
    let some = |kind, name| match kind {
        Kind::Memory | Kind::Redb => {
            says(name) || !says("memory") && !says("redb") && !says("sled")
        }
        Kind::Sled => says(name),
    };
    let all = !says("kept") && !says("history");
    for kind in [
        (Kind::Memory, "memory"),
        (Kind::Redb, "redb"),
        (Kind::Sled, "sled"),
    ] {
        if !some(kind.0, kind.1) {
            continue;
        }
        if all || says("kept") {
            kept::run(kind, number.unwrap_or(10_000_000));
        }
        if all || says("history") {
            let long = number.unwrap_or(1_000_000);
            let callers = if kind.0 == Kind::Memory { 1 } else { 64 };
            let tokio = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .unwrap();
            let folder = tempfile::tempdir().unwrap();
            tokio.block_on(history::run(kind, folder.path(), long, callers));
        }
    }
}
