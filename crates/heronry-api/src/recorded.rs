//! Answers to requests that can be repeated.

/// The time when a request was recorded that can be repeated without harm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recording {
    /// By this request.
    Now,
    /// By an earlier request, or nothing had to be recorded.
    Before,
}

/// The answer to a request that can be repeated, and whether this one repeats another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recorded<T> {
    /// The answer.
    pub answer: T,
    /// The time of the recording.
    pub recording: Recording,
}

impl<T> Recorded<T> {
    /// Returns the answer to a request that was recorded.
    pub(crate) fn now(answer: T) -> Self {
        let recording = Recording::Now;
        Self { answer, recording }
    }

    /// Returns the answer to a request that recorded nothing anew.
    pub(crate) fn before(answer: T) -> Self {
        let recording = Recording::Before;
        Self { answer, recording }
    }
}
