//! The `heronry` binary as a stranger uses it: separate processes, nothing mocked.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test fails by panicking"
)]

#[path = "e2e/asking.rs"]
mod asking;
#[path = "e2e/bench.rs"]
mod bench;
#[path = "e2e/broken_moves.rs"]
mod broken_moves;
#[path = "e2e/canary.rs"]
mod canary;
#[path = "e2e/carry.rs"]
mod carry;
#[path = "e2e/coming_in.rs"]
mod coming_in;
#[path = "e2e/damage.rs"]
mod damage;
#[path = "e2e/documents.rs"]
mod documents;
#[path = "e2e/holding.rs"]
mod holding;
#[path = "e2e/kills.rs"]
mod kills;
#[path = "e2e/laid.rs"]
mod laid;
#[path = "e2e/life.rs"]
mod life;
#[path = "e2e/marks.rs"]
mod marks;
#[path = "e2e/pipes.rs"]
mod pipes;
#[path = "e2e/pools.rs"]
mod pools;
#[path = "e2e/restarts.rs"]
mod restarts;
#[path = "e2e/review.rs"]
mod review;
#[path = "e2e/rotation.rs"]
mod rotation;
#[path = "e2e/secrets.rs"]
mod secrets;
#[path = "e2e/serve.rs"]
mod serve;
#[path = "e2e/support.rs"]
mod support;
#[path = "e2e/up.rs"]
mod up;
#[path = "e2e/verbs.rs"]
mod verbs;
#[path = "e2e/verified_bodies.rs"]
mod verified_bodies;
#[path = "e2e/wait.rs"]
mod wait;
#[path = "e2e/words.rs"]
mod words;
