#![doc = include_str!("../README.md")]

mod envelope;
mod ephemeral;
mod event;
mod explained;
pub mod filter;
pub mod index;
mod json;
mod recipients;
mod room;
mod shared;
mod stream;

pub use envelope::{
    About, Causes, Envelope, Exchange, Governance, Identity, PAYLOAD_SCHEMA, Route, Stamp,
};
pub use ephemeral::{DroppedEphemeral, EphemeralEvent};
pub use event::Event;
pub use explained::{
    ClosestEvent, Could, EarlyEvent, FilterExplanation, MissingClause, SeenValue, WakeExplanation,
};
pub use filter::Filter;
pub use recipients::{RECIPIENTS_SHOWN_MAX, Recipients};
pub use room::{Room, RoomError, end_of_run};
pub use shared::{Shared, SharedEphemeral, SharedEvent};
pub use stream::{CloseReason, EventPage, GapReason, StreamItem};
