#![doc = include_str!("../README.md")]

mod client;
mod dead;
mod effects;
mod error;
mod events;
mod exchange;
mod inbox;
mod members;
mod messages;
mod pool;
mod retry;
mod sse;
mod token;
mod wakes;

pub use client::Client;
pub use error::ClientError;
pub use events::EventReader;
pub use messages::Content;
pub use pool::{Export, PoolClient};
pub use token::Token;
