//! The ground of the engine's scenarios: a world with a store, a clock that the test moves, and a
//! runtime.

mod act;
pub mod canary;
pub mod contract;
pub mod flips;
pub mod foreign;
pub mod garbage;
mod golden;
pub mod images;
pub mod killed;
mod ledger;
pub mod log;
mod look;
pub mod process;
pub mod server;
pub mod store_folder;
pub mod tries;
mod whole;
mod world;

pub use act::{as_many_as_asked, calling, let_others_run, receiving, until};
pub use golden::Golden;
pub use ledger::{ContentStanding, Deed, Ledger, Tally};
pub use world::{StoreKind, World, agent, body, key, message, pool, reply_key, run, topic, wake};

/// Runs each scenario once on every store: one test for each pair, in a module named after the store.
///
/// The rules are the same on each store, so a run of the normal tier asks memory alone; the other
/// stores are ignored there, and run in `cargo xtask prove`. A scenario that closes its store and
/// opens it again stands in [`on_every_store_that_is_reopened!`], and fails here.
#[macro_export]
macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $name() {
                super::$name($crate::World::opened_once($crate::StoreKind::Memory).await).await;
            })*
        }
        mod redb {
            $(#[tokio::test] #[ignore = "asked on memory; on every store in `cargo xtask prove`"] async fn $name() {
                super::$name($crate::World::opened_once($crate::StoreKind::Redb).await).await;
            })*
        }
        mod sled {
            $(#[tokio::test] #[ignore = "asked on memory; on every store in `cargo xtask prove`"] async fn $name() {
                super::$name($crate::World::opened_once($crate::StoreKind::Sled).await).await;
            })*
        }
    };
}

/// Runs each test of a server once on every store: on memory in the normal tier, on the others in
/// `cargo xtask prove`.
#[macro_export]
macro_rules! on_every_served_store {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $name() { super::$name($crate::server::Server::on_memory()).await; })*
        }
        mod redb {
            $(#[tokio::test] #[ignore = "asked on memory; on every store in `cargo xtask prove`"]
            async fn $name() { super::$name($crate::server::Server::on_redb()).await; })*
        }
        mod sled {
            $(#[tokio::test] #[ignore = "asked on memory; on every store in `cargo xtask prove`"]
            async fn $name() { super::$name($crate::server::Server::on_sled()).await; })*
        }
    };
}

/// As [`on_every_store!`], for what a store has to keep: the normal tier asks memory and redb, the default
/// of the command.
#[macro_export]
macro_rules! on_every_store_that_is_reopened {
    ($($name:ident)*) => {
        mod memory_reopened {
            $(#[tokio::test] async fn $name() {
                super::$name($crate::World::new($crate::StoreKind::Memory).await).await;
            })*
        }
        mod redb_reopened {
            $(#[tokio::test] async fn $name() {
                super::$name($crate::World::new($crate::StoreKind::Redb).await).await;
            })*
        }
        mod sled_reopened {
            $(#[tokio::test] #[ignore = "asked on redb; on every store in `cargo xtask prove`"] async fn $name() {
                super::$name($crate::World::new($crate::StoreKind::Sled).await).await;
            })*
        }
    };
}

/// As [`on_every_store_that_is_reopened!`], on a runtime with real threads.
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
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            #[ignore = "asked on redb; on every store in `cargo xtask prove`"] async fn $name() {
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
