#![doc = include_str!("../README.md")]

mod address;
mod ask;
mod client;
mod consumers;
mod dead;
mod dial;
mod effects;
mod error;
mod events;
mod exchange;
mod inbox;
mod locate;
mod members;
mod messages;
mod pieces;
mod pool;
mod retry;
mod roster;
mod server;
mod sources;
mod sse;
mod token;
mod wakes;
mod wiring;

pub use address::ServerAddress;
pub use ask::{Asked, Reply};
pub use client::Client;
pub use error::ClientError;
pub use events::EventReader;
pub use locate::{Endpoint, Locate, LocateError};
pub use messages::Content;
pub use pieces::WaitPieces;
pub use pool::{Export, PoolClient};
pub use retry::Patience;
pub use sources::GapTold;
pub use token::Token;
