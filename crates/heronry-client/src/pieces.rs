//! A long wait as several requests, each within the limit of the pool.

use heronry_types::{LimitName, Millis};

use crate::{ClientError, retry::pause};

/// The least time between two requests of one wait.
const APART: Millis = Millis(500);

/// The rest of a wait, and the longest part of it that one request takes.
///
/// A pool may allow shorter waits than the pieces are; [`fit`](Self::fit) makes them as short. What a
/// caller chose for one request is not to be put through here: it is refused as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WaitPieces {
    /// The rest of the wait; absent when it has no end.
    left: Option<Millis>,
    each: Millis,
}

impl WaitPieces {
    /// Returns a wait in pieces of at most this length.
    pub fn of(left: Option<Millis>, each: Millis) -> Self {
        Self { left, each }
    }

    /// Returns the time that the next request waits; nothing when it is answered at once.
    pub fn next(&self) -> Option<Millis> {
        Some(self.bounded(self.each)).filter(|piece| piece.0 > 0)
    }

    /// Takes a piece as over; false when nothing is left of the wait. Where the pool allows only short
    /// ones, the rest of the time between two requests is waited here.
    pub async fn passed(&mut self) -> bool {
        let apart = self.bounded(self.each.max(APART));
        let here = apart.0.saturating_sub(self.bounded(self.each).0);
        if here > 0 {
            pause(Millis(here).into()).await;
        }
        match &mut self.left {
            None => true,
            Some(left) => {
                *left = Millis(left.0.saturating_sub(apart.0));
                left.0 > 0
            }
        }
    }

    /// Makes the pieces as short as the pool wants them, when a refusal names that limit.
    ///
    /// # Errors
    /// The error itself, when it is another one.
    pub fn fit(&mut self, error: ClientError) -> Result<(), ClientError> {
        match error.crossed(LimitName::LongPollMsMax) {
            Some(max) if max < self.each.0 => {
                self.each = Millis(max);
                Ok(())
            }
            Some(_) | None => Err(error),
        }
    }

    fn bounded(&self, span: Millis) -> Millis {
        self.left.map_or(span, |left| left.min(span))
    }
}

#[cfg(test)]
mod tests {
    use heronry_wire::{Problem, ProblemKind};

    use super::*;

    fn refused(max: u64) -> ClientError {
        let problem = Problem::new(ProblemKind::LimitExceeded, "too long");
        let limit = LimitName::LongPollMsMax.to_string();
        ClientError::Refused(Box::new(problem.with("limit", limit).with("max", max)))
    }

    #[tokio::test]
    async fn a53_a_wait_is_asked_in_pieces_that_the_pool_allows() {
        let mut pieces = WaitPieces::of(Some(Millis(70_000)), Millis(40_000));
        assert_eq!(pieces.next(), Some(Millis(40_000)));
        assert!(pieces.passed().await);
        assert_eq!(pieces.next(), Some(Millis(30_000)));
        pieces.fit(refused(20_000)).unwrap();
        assert_eq!(pieces.next(), Some(Millis(20_000)));
        assert!(pieces.fit(refused(20_000)).is_err());
        assert!(pieces.passed().await);
        assert_eq!(pieces.next(), Some(Millis(10_000)));
        assert!(!pieces.passed().await);
    }

    #[tokio::test]
    async fn a53_a_pool_that_allows_no_wait_is_asked_now_and_then() {
        let mut pieces = WaitPieces::of(Some(Millis(2)), Millis(40_000));
        pieces.fit(refused(0)).unwrap();
        assert_eq!(pieces.next(), None);
        assert!(!pieces.passed().await);
    }
}
