//! The conditions under which a call is tried again, and the time for which it is.

use std::{future, time::Duration};

use heronry_wire::{Problem, ProblemKind};

use crate::ClientError;

/// The largest number of tries of a call while a server answers that it is busy.
const BUSY_TRIES_MAX: u32 = 5;
/// The time from the first try to the second one; doubled for each further one.
const PAUSE: Duration = Duration::from_millis(25);
/// The longest pause while no server answers.
const AWAY_PAUSE_MAX: Duration = Duration::from_millis(500);
/// The longest pause when a busy server asks for more.
const BUSY_PAUSE_MAX: Duration = Duration::from_secs(5);

/// The time for which a call goes on while no server answers. Each call counts anew, from its first
/// failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patience {
    /// The time for a client that has had no answer yet.
    pub first: Duration,
    /// The time for a client that a server has answered before; nothing stands for ever.
    pub again: Option<Duration>,
}

impl Default for Patience {
    /// Two seconds, as long as a server takes to start again as a rule.
    fn default() -> Self {
        let two = Duration::from_secs(2);
        Self {
            first: two,
            again: Some(two),
        }
    }
}

/// The effect of a second request when the first one may have been carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Repeat {
    /// The request changes nothing, or has an idempotency key.
    Harmless,
    /// The request may be carried out twice.
    Harmful,
}

/// The point that a request reached before it failed.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// The server cannot have seen it.
    Unsent(ClientError),
    /// The server may have carried it out.
    Unknown(ClientError),
    /// The server answered.
    Answered(ClientError),
}

/// The earlier contact of a client with a server: an answer, or none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Contact {
    /// No server has answered the client.
    Never,
    /// A server has answered the client before.
    Before,
}

/// The failed attempts of a call so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tried {
    /// The number of attempts that failed.
    pub(crate) attempts: u32,
    /// The time since the first of them failed.
    pub(crate) failing_for: Duration,
    /// The earlier contact of this client with a server.
    pub(crate) contact: Contact,
}

impl Attempt {
    pub(crate) fn into_error(self) -> ClientError {
        match self {
            Self::Unsent(error) | Self::Unknown(error) | Self::Answered(error) => error,
        }
    }
}

impl Patience {
    fn is_over(self, tried: Tried) -> bool {
        let limit = match tried.contact {
            Contact::Never => Some(self.first),
            Contact::Before => self.again,
        };
        limit.is_some_and(|limit| tried.failing_for >= limit)
    }

    /// Returns the pause before the next try; nothing when there is to be none.
    pub(crate) fn pause(self, failed: &Attempt, tried: Tried, repeat: Repeat) -> Option<Duration> {
        let is_repeated = match failed {
            Attempt::Unsent(error) => may_come_back(error, tried.contact),
            Attempt::Unknown(_) => repeat == Repeat::Harmless,
            Attempt::Answered(error) if error.is(ProblemKind::ShuttingDown) => {
                repeat == Repeat::Harmless
            }
            Attempt::Answered(error) => {
                let has_tries = tried.attempts < BUSY_TRIES_MAX;
                return error.problem().and_then(busy_pause).filter(|_| has_tries);
            }
        };
        let pause = PAUSE.saturating_mul(1 << tried.attempts.min(10));
        (is_repeated && !self.is_over(tried)).then_some(pause.min(AWAY_PAUSE_MAX))
    }
}

/// Returns true when the call may succeed later. Something that is missing may come. Another program
/// in the server's place makes room only where a server was before: it is being started again.
fn may_come_back(error: &ClientError, contact: Contact) -> bool {
    match error {
        ClientError::Unreachable { .. } | ClientError::Timeout { .. } => true,
        ClientError::NotFound { may_come, .. } => *may_come,
        ClientError::Unproven { .. } | ClientError::Foreign { .. } => contact == Contact::Before,
        ClientError::Url { .. }
        | ClientError::Path { .. }
        | ClientError::Refused(_)
        | ClientError::Decode { .. } => false,
    }
}

/// A busy server has done nothing, and says when to come back.
fn busy_pause(problem: &Problem) -> Option<Duration> {
    let is_busy = matches!(
        problem.kind(),
        Some(ProblemKind::Busy | ProblemKind::InboxFull | ProblemKind::TooManyConnections)
    );
    let asked = Duration::from_millis(problem.number("retry_after_ms").unwrap_or(100));
    is_busy.then_some(asked.min(BUSY_PAUSE_MAX))
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

    fn foreign() -> ClientError {
        ClientError::Foreign {
            url: String::new(),
            status: 404,
        }
    }

    fn refused(kind: ProblemKind) -> Attempt {
        let problem = Problem::new(kind, "").with("retry_after_ms", 300);
        Attempt::Answered(ClientError::Refused(Box::new(problem)))
    }

    fn tried(attempts: u32, failing_for: u64, contact: Contact) -> Tried {
        Tried {
            attempts,
            failing_for: Duration::from_millis(failing_for),
            contact,
        }
    }

    fn check(failed: &Attempt, tried: Tried, repeat: Repeat, expected: Option<u64>) {
        let patience = Patience {
            first: Duration::from_secs(1),
            again: None,
        };
        let pause = patience.pause(failed, tried, repeat);
        assert_eq!(pause, expected.map(Duration::from_millis), "{failed:?}");
    }

    #[test]
    fn only_what_cannot_happen_twice_is_tried_again() {
        let first = tried(1, 0, Contact::Never);
        check(&Attempt::Unsent(lost()), first, Repeat::Harmful, Some(50));
        check(&Attempt::Unknown(lost()), first, Repeat::Harmless, Some(50));
        check(&Attempt::Unknown(lost()), first, Repeat::Harmful, None);
        check(
            &refused(ProblemKind::Busy),
            first,
            Repeat::Harmful,
            Some(300),
        );
        let crowded = refused(ProblemKind::TooManyConnections);
        check(&crowded, first, Repeat::Harmful, Some(300));
        check(&refused(ProblemKind::Fenced), first, Repeat::Harmless, None);
        let ends = refused(ProblemKind::ShuttingDown);
        check(&ends, first, Repeat::Harmless, Some(50));
        check(&ends, first, Repeat::Harmful, None);
        let often = tried(BUSY_TRIES_MAX, 0, Contact::Never);
        check(&refused(ProblemKind::Busy), often, Repeat::Harmless, None);
    }

    #[test]
    fn patience_ends_by_its_time_and_is_longer_for_a_server_that_was_there() {
        let away = Attempt::Unsent(lost());
        check(
            &away,
            tried(9, 999, Contact::Never),
            Repeat::Harmful,
            Some(500),
        );
        check(
            &away,
            tried(9, 1_000, Contact::Never),
            Repeat::Harmful,
            None,
        );
        let long = tried(9, 1 << 40, Contact::Before);
        check(&away, long, Repeat::Harmful, Some(500));
    }

    #[test]
    fn another_program_in_a_place_where_no_server_was_is_no_server_to_wait_for() {
        let other = Attempt::Unsent(foreign());
        check(&other, tried(1, 0, Contact::Never), Repeat::Harmful, None);
        let again = tried(1, 0, Contact::Before);
        check(&other, again, Repeat::Harmful, Some(50));
    }
}
