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

pub use ack::{AckCopies, ClaimSet};
pub use cancel::CancelMessage;
pub use dead::ReplayCopy;
pub use extend::ExtendClaims;
pub use fetch::{FetchMessages, PeekInbox, Select};
pub use reference::ReferenceAccess;
pub use release::{ReleaseClaims, ReleaseUnanswered};
pub use send::{Content, Expiry, SendMessage, SendRequest};
