//! Rules about messages: sending, claiming and ending them.

mod ack;
mod cancel;
pub(super) mod dead;
pub(super) mod delivery;
mod extend;
mod fetch;
mod reference;
pub(super) mod release;
pub(super) mod reply;
mod resolve;
mod send;
pub(super) mod settle;

pub use ack::{Ack, ClaimSet};
pub use cancel::CancelMessage;
pub use dead::Replay;
pub use extend::Extend;
pub use fetch::{Fetch, Peek, Select};
pub use reference::ReferenceAccess;
pub use release::{Release, ReleaseUnanswered};
pub use send::{Content, Expiry, Send, SendRequest};
