//! The use cases without any surface: a store in memory, a clock that the test moves, and no HTTP.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod messages;
mod nouns;
mod refusals;
mod scene;
mod spans;
mod waits;
mod wakes;
