//! When a call is tried again, and after how long.

use std::{future, time::Duration};

use heronry_wire::{Problem, ProblemKind};

use crate::ClientError;

/// How often a call is tried at the most.
const TRIES_MAX: u32 = 5;
/// How long after the first try the second one starts; doubled for each further one.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a pause is at the most, also when the server asks for more.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Whether a second request is harmless when the first one may have been carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Repeat {
    /// It changes nothing, or has an idempotency key.
    Harmless,
    /// It may be carried out twice.
    Harmful,
}

/// How far a request got before it failed.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// The server cannot have seen it.
    Unsent(ClientError),
    /// The server may have carried it out.
    Unknown(ClientError),
    /// The server answered.
    Answered(ClientError),
}

impl Attempt {
    pub(crate) fn into_error(self) -> ClientError {
        match self {
            Self::Unsent(error) | Self::Unknown(error) | Self::Answered(error) => error,
        }
    }
}

/// Returns how long to wait before the next try; nothing when there is to be none.
pub(crate) fn pause_before_next(failed: &Attempt, tries: u32, repeat: Repeat) -> Option<Duration> {
    if tries >= TRIES_MAX {
        return None;
    }
    let usual = PAUSE.saturating_mul(1 << tries.min(10)).min(PAUSE_MAX);
    match failed {
        Attempt::Unsent(_) => Some(usual),
        Attempt::Unknown(_) => (repeat == Repeat::Harmless).then_some(usual),
        Attempt::Answered(error) => error.problem().and_then(busy_pause),
    }
}

/// A busy server has done nothing, and says when to come back.
fn busy_pause(problem: &Problem) -> Option<Duration> {
    let is_busy = matches!(
        problem.kind(),
        Some(ProblemKind::Busy | ProblemKind::InboxFull)
    );
    let asked = Duration::from_millis(problem.number("retry_after_ms").unwrap_or(100));
    is_busy.then_some(asked.min(PAUSE_MAX))
}

/// Waits out a pause.
pub(crate) async fn pause(length: Duration) {
    // Nothing can end the inner future: the outer one ends by its time alone.
    let ended = tokio::time::timeout(length, future::pending::<()>()).await;
    debug_assert!(ended.is_err(), "a pending future does not end");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> ClientError {
        ClientError::Timeout { url: String::new() }
    }

    fn refused(kind: ProblemKind) -> Attempt {
        let problem = Problem::new(kind, "").with("retry_after_ms", 300);
        Attempt::Answered(ClientError::Refused(Box::new(problem)))
    }

    fn check(failed: &Attempt, tries: u32, repeat: Repeat, expected: Option<u64>) {
        let pause = pause_before_next(failed, tries, repeat);
        assert_eq!(pause, expected.map(Duration::from_millis), "{failed:?}");
    }

    #[test]
    fn only_what_cannot_happen_twice_is_tried_again() {
        check(&Attempt::Unsent(lost()), 1, Repeat::Harmful, Some(100));
        check(&Attempt::Unknown(lost()), 1, Repeat::Harmless, Some(100));
        check(&Attempt::Unknown(lost()), 1, Repeat::Harmful, None);
        check(&refused(ProblemKind::Busy), 1, Repeat::Harmful, Some(300));
        check(&refused(ProblemKind::Fenced), 1, Repeat::Harmless, None);
        check(&Attempt::Unsent(lost()), TRIES_MAX, Repeat::Harmless, None);
    }
}
