#![doc = include_str!("../README.md")]

mod access;
mod api;
mod auth;
pub mod consumer;
pub mod content;
pub mod dead;
pub mod effect;
pub mod event;
pub mod filter;
mod identity;
pub mod inbox;
mod keepers;
pub mod keeping;
pub mod kept;
mod keys;
mod media_type;
pub mod member;
pub mod message;
pub mod pool;
pub mod proof;
mod recorded;
mod refusal;
pub mod roster;
pub mod server;
mod shares;
mod side;
pub mod source;
mod stop;
pub mod wake;
pub mod wiring;

use heronry_pool::Done;
use heronry_wire::Changed;

pub use access::{Access, BeforeWaiting};
pub use api::Api;
pub use auth::{Anonymous, Auth, OperatorToken};
pub use identity::Identity;
pub use keepers::Keepers;
pub use keys::Key;
pub use media_type::check_media_type;
pub use recorded::{Recorded, Recording};
pub use refusal::Refusal;
pub use shares::{Holder, Share, Shares};
pub use side::to_json;
pub use stop::Stop;

/// Returns the answer to a change that has nothing else to say.
fn changed(done: Done) -> Changed {
    Changed {
        cursor: done.cursor,
        durability: done.durability,
    }
}
