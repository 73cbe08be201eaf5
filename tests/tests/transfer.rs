//! Pools that are moved, copied, exported and imported between every two stores.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "transfer/breaks.rs"]
mod breaks;
#[path = "transfer/copies.rs"]
mod copies;
#[path = "transfer/erasures.rs"]
mod erasures;
#[path = "transfer/exports.rs"]
mod exports;
#[path = "transfer/moves.rs"]
mod moves;
#[path = "transfer/refusals.rs"]
mod refusals;
#[path = "transfer/story.rs"]
mod story;

/// Runs each scenario from every store to every store: one test for each, in a module named after
/// both stores.
macro_rules! between_every_two_stores {
    ($($name:ident)*) => {
        crate::between_every_two_stores! { @from Memory memory_to_memory memory_to_redb memory_to_sled $($name)* }
        crate::between_every_two_stores! { @from Redb redb_to_memory redb_to_redb redb_to_sled $($name)* }
        crate::between_every_two_stores! { @from Sled sled_to_memory sled_to_redb sled_to_sled $($name)* }
    };
    (@from $from:ident $memory:ident $redb:ident $sled:ident $($name:ident)*) => {
        crate::between_every_two_stores! { @pair $from Memory $memory $($name)* }
        crate::between_every_two_stores! { @pair $from Redb $redb $($name)* }
        crate::between_every_two_stores! { @pair $from Sled $sled $($name)* }
    };
    (@pair $from:ident $to:ident $module:ident $($name:ident)*) => {
        mod $module {
            $(#[tokio::test] async fn $name() {
                let from = heronry_tests::World::new(heronry_tests::StoreKind::$from).await;
                let to = heronry_tests::World::new(heronry_tests::StoreKind::$to).await;
                super::$name(from, to).await;
            })*
        }
    };
}
pub(crate) use between_every_two_stores;
