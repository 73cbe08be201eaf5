//! Guides: one task each, from the first line to the last. Their examples are compiled and run.

#[doc = include_str!("../docs/embed-a-pool.md")]
pub mod embed_a_pool {}

#[doc = include_str!("../docs/swap-the-store.md")]
pub mod swap_the_store {}

#[doc = include_str!("../docs/filter-compiler.md")]
pub mod filter_compiler {}

#[doc = include_str!("../docs/journal-schema.md")]
pub mod journal_schema {}

#[doc = include_str!("../docs/write-a-store.md")]
#[doc = include_str!("../docs/toy_store.rs")]
#[doc = include_str!("../docs/write-a-store-2.md")]
#[doc = include_str!("../docs/toy_conformance.rs")]
#[doc = include_str!("../docs/write-a-store-3.md")]
pub mod write_a_store {}

#[doc = include_str!("../docs/run-the-server.md")]
pub mod run_the_server {}
