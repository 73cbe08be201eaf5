//! Copies that are dead.

use std::collections::BTreeMap;

use heronry_types::{DeadReason, Position, RunId, Timestamp};

use crate::state::{
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

/// A copy that is dead until it is replayed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct DeadLetter {
    /// The reason.
    pub reason: DeadReason,
    /// The record that says so.
    pub position: Position,
    /// The time of that record.
    pub at: Timestamp,
}

/// A dead letter, and the copy that it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadCopy<'a> {
    /// The recipient.
    pub run: &'a RunId,
    /// The acceptance of the message.
    pub accepted: Position,
    /// The dead letter.
    pub letter: &'a DeadLetter,
}

/// The dead letters of a pool, by recipient and then by the acceptance of their message.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeadLetters(BTreeMap<(RunId, Position), DeadLetter>);

impl DeadLetters {
    /// Returns how many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Walks all of them in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = DeadCopy<'_>> + '_ {
        self.0.iter().map(|((run, accepted), letter)| DeadCopy {
            run,
            accepted: *accepted,
            letter,
        })
    }

    /// Walks those that come at or after this one, in order.
    pub(crate) fn from(
        &self,
        run: RunId,
        accepted: Position,
    ) -> impl Iterator<Item = DeadCopy<'_>> + '_ {
        self.0
            .range((run, accepted)..)
            .map(|((run, accepted), letter)| DeadCopy {
                run,
                accepted: *accepted,
                letter,
            })
    }

    pub(crate) fn insert(&mut self, run: RunId, accepted: Position, dead: DeadLetter) {
        self.0.insert((run, accepted), dead);
    }

    pub(crate) fn remove(&mut self, run: &RunId, accepted: Position) {
        self.0.remove(&(run.clone(), accepted));
    }
}

impl DeadLetters {
    pub(in crate::state) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self(by_copy) = self;
        to.each(by_copy.iter(), |to, ((run, accepted), dead)| {
            to.put((run, accepted, dead.fields()));
        });
    }

    pub(in crate::state) fn decode(
        &mut self,
        from: &mut Decoding<'_>,
    ) -> Result<(), UnreadableState> {
        let dead: Vec<(RunId, Position, DeadLetter)> = from.list_of(|from| {
            from.list(3)?;
            Ok((from.take()?, from.take()?, DeadLetter::decode(from)?))
        })?;
        for (run, accepted, letter) in dead {
            self.insert(run, accepted, letter);
        }
        Ok(())
    }
}
