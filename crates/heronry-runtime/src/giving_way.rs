//! The end of a slice of work.

use std::thread;

/// Lets the other tasks of this thread go on, and before them the other threads that wait for its processor: the
/// store's writer, above all. Without that, the system lets a thread that computes go on until its time is over,
/// some milliseconds.
pub(crate) async fn give_way() {
    thread::yield_now();
    tokio::task::yield_now().await;
}
