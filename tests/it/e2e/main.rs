//! The `heronry` binary as a stranger uses it: separate processes, nothing mocked.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test fails by panicking"
)]

mod asking;
mod backups;
mod bench;
mod bridge;
mod broken_moves;
mod canary;
mod carry;
mod coming_in;
mod consumers;
mod damage;
mod documents;
mod exports;
mod holding;
mod hosts;
mod kills;
mod laid;
mod life;
mod looking;
mod marks;
mod pipes;
mod pools;
mod restarts;
mod retention;
mod review;
mod rosters;
mod rotation;
mod secrets;
mod serve;
mod trims;
mod up;
mod verbs;
mod verified_bodies;
mod wait;
mod watched_kills;
mod wiring;
mod words;
