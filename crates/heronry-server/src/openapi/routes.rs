//! The descriptions of the routes in the document.

pub(crate) mod consumers;
pub(crate) mod contents;
pub(crate) mod dead;
pub(crate) mod effects;
pub(crate) mod events;
pub(crate) mod filters;
pub(crate) mod inbox;
pub(crate) mod keeping;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod pools;
pub(crate) mod prove;
pub(crate) mod roster;
pub(crate) mod server;
pub(crate) mod sources;
pub(crate) mod wakes;
pub(crate) mod wiring;
