//! What the engine scenarios share: a world with a store, a clock that the test moves, and a runtime.

mod world;

pub use world::{StoreKind, World, agent, body, key, message, pool, reply_key, run, topic, wake};

/// Runs each scenario once on every store: one test for each pair, in a module named after the store.
#[macro_export]
macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $name() {
                super::$name($crate::World::new($crate::StoreKind::Memory).await).await;
            })*
        }
        mod redb {
            $(#[tokio::test] async fn $name() {
                super::$name($crate::World::new($crate::StoreKind::Redb).await).await;
            })*
        }
    };
}
