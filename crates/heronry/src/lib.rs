#![doc = include_str!("../README.md")]

pub mod guides;

#[doc(inline)]
pub use heronry_event as event;
#[doc(inline)]
pub use heronry_journal as journal;
#[doc(inline)]
pub use heronry_pool as pool;
#[doc(inline)]
pub use heronry_runtime as runtime;
#[doc(inline)]
pub use heronry_store as store;
#[doc(inline)]
pub use heronry_store_embedded as store_embedded;
#[doc(inline)]
pub use heronry_transfer as transfer;
#[doc(inline)]
pub use heronry_types as types;

#[cfg(feature = "store-memory")]
#[doc(inline)]
pub use heronry_store_memory as store_memory;
#[cfg(feature = "store-redb")]
#[doc(inline)]
pub use heronry_store_redb as store_redb;
#[cfg(feature = "store-sled")]
#[doc(inline)]
pub use heronry_store_sled as store_sled;
