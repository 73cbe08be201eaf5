//! Pools that are moved, copied, exported and imported between every two stores.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod backups;
mod breaks;
mod copies;
mod cut;
mod cuts;
mod epochs;
mod erasures;
mod exports;
mod moves;
mod refusals;
mod story;
mod trimmed;

/// Runs each scenario from every store to every store: one test for each, in a module named after
/// both stores. The normal tier goes from memory to redb and back; `cargo xtask prove` has the other pairs.
macro_rules! between_every_two_stores {
    ($($name:ident)*) => {
        crate::between_every_two_stores! { @always memory_to_redb Memory Redb $($name)* }
        crate::between_every_two_stores! { @always redb_to_memory Redb Memory $($name)* }
        crate::between_every_two_stores! { @proven memory_to_memory Memory Memory $($name)* }
        crate::between_every_two_stores! { @proven memory_to_sled Memory Sled $($name)* }
        crate::between_every_two_stores! { @proven redb_to_redb Redb Redb $($name)* }
        crate::between_every_two_stores! { @proven redb_to_sled Redb Sled $($name)* }
        crate::between_every_two_stores! { @proven sled_to_memory Sled Memory $($name)* }
        crate::between_every_two_stores! { @proven sled_to_redb Sled Redb $($name)* }
        crate::between_every_two_stores! { @proven sled_to_sled Sled Sled $($name)* }
    };
    (@always $module:ident $from:ident $to:ident $($name:ident)*) => {
        mod $module {
            $(#[tokio::test] async fn $name() {
                let from = heronry_tests::World::new(heronry_tests::StoreKind::$from).await;
                let to = heronry_tests::World::new(heronry_tests::StoreKind::$to).await;
                super::$name(from, to).await;
            })*
        }
    };
    (@proven $module:ident $from:ident $to:ident $($name:ident)*) => {
        mod $module {
            $(#[tokio::test] #[ignore = "asked of memory and redb; of every pair in `cargo xtask prove`"]
            async fn $name() {
                let from = heronry_tests::World::new(heronry_tests::StoreKind::$from).await;
                let to = heronry_tests::World::new(heronry_tests::StoreKind::$to).await;
                super::$name(from, to).await;
            })*
        }
    };
}
pub(crate) use between_every_two_stores;
