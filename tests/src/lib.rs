//! What the engine scenarios share: a world with a store, a clock that the test moves, and a runtime.

mod act;
pub mod canary;
pub mod killed;
mod ledger;
mod look;
mod whole;
mod world;

pub use act::{as_many_as_asked, calling, let_others_run, receiving, until};
pub use ledger::{ContentStanding, Deed, Ledger, Tally};
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
        mod sled {
            $(#[tokio::test] async fn $name() {
                super::$name($crate::World::new($crate::StoreKind::Sled).await).await;
            })*
        }
    };
}

/// As [`on_every_store!`], on a runtime with real threads.
#[macro_export]
macro_rules! on_every_store_with_threads {
    ($($name:ident)*) => {
        mod memory_with_threads {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)] async fn $name() {
                super::$name($crate::World::new($crate::StoreKind::Memory).await).await;
            })*
        }
        mod redb_with_threads {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)] async fn $name() {
                super::$name($crate::World::new($crate::StoreKind::Redb).await).await;
            })*
        }
        mod sled_with_threads {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)] async fn $name() {
                super::$name($crate::World::new($crate::StoreKind::Sled).await).await;
            })*
        }
    };
}

/// Asks at once, in the order of the test, for what is answered later.
#[macro_export]
macro_rules! asked {
    ($call:expr) => {{
        let mut call = Box::pin($call);
        assert!(futures::poll!(call.as_mut()).is_pending());
        call
    }};
}
