//! Looking through earlier events for what a wake waits for: a few at once, many beside the actor.

mod at_once;
mod look_back;

pub(super) use look_back::ScansBegun;
