//! Everything that becomes due, in one order.

use std::collections::BTreeSet;

use heronry_journal::Claim;
use heronry_types::{ContentRef, Millis, Position, RunId, Timestamp};

/// How many deadlines are looked at for one that was missed: as many as one append decides.
pub(crate) const MISSED_MAX: usize = 1_024;

/// What becomes due and needs a record.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Due {
    /// A message with queued copies expires.
    Expiry(Position),
    /// A claim lapses.
    Lapse(RunId, Claim),
    /// A wake times out.
    WakeTimeout(Position),
    /// A message has waited long enough for replies.
    ReplyTimeout(Position),
    /// A lost member leaves.
    LostKeep(RunId),
    /// A suspended run goes on.
    Suspended(RunId),
    /// A body that no message has named expires.
    UnnamedContent(ContentRef),
}

impl Due {
    /// Returns the claim that lapses, and whose it is.
    pub(crate) fn lapse(&self) -> Option<(&RunId, Claim)> {
        match self {
            Self::Lapse(run, claim) => Some((run, *claim)),
            Self::Expiry(_)
            | Self::WakeTimeout(_)
            | Self::ReplyTimeout(_)
            | Self::LostKeep(_)
            | Self::Suspended(_)
            | Self::UnnamedContent(_) => None,
        }
    }

    /// Returns true when it is about a message or a body: what happens to it changes nothing of what
    /// waiters see.
    pub(crate) fn is_of_contents(&self) -> bool {
        match self {
            Self::Expiry(_) | Self::Lapse(..) | Self::ReplyTimeout(_) | Self::UnnamedContent(_) => {
                true
            }
            Self::WakeTimeout(_) | Self::LostKeep(_) | Self::Suspended(_) => false,
        }
    }

    /// Returns the lost member that leaves.
    pub(crate) fn leaver(&self) -> Option<&RunId> {
        match self {
            Self::LostKeep(run) => Some(run),
            Self::Expiry(_)
            | Self::Lapse(..)
            | Self::WakeTimeout(_)
            | Self::ReplyTimeout(_)
            | Self::Suspended(_)
            | Self::UnnamedContent(_) => None,
        }
    }

    /// Returns the suspended run that goes on.
    pub(crate) fn sleeper(&self) -> Option<&RunId> {
        match self {
            Self::Suspended(run) => Some(run),
            Self::Expiry(_)
            | Self::Lapse(..)
            | Self::WakeTimeout(_)
            | Self::ReplyTimeout(_)
            | Self::LostKeep(_)
            | Self::UnnamedContent(_) => None,
        }
    }
}

/// Everything that becomes due, in order of time.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    due: BTreeSet<(Timestamp, Due)>,
    visible: BTreeSet<(Timestamp, RunId, Position)>,
}

impl Deadlines {
    pub(crate) fn insert(&mut self, at: Timestamp, due: Due) {
        self.due.insert((at, due));
    }

    pub(crate) fn remove(&mut self, at: Timestamp, due: Due) {
        self.due.remove(&(at, due));
    }

    pub(crate) fn insert_visible(&mut self, at: Timestamp, run: &RunId, accepted: Position) {
        self.visible.insert((at, run.clone(), accepted));
    }

    pub(crate) fn remove_visible(&mut self, at: Timestamp, run: &RunId, accepted: Position) {
        self.visible.remove(&(at, run.clone(), accepted));
    }

    /// Returns when something is due next; a time that has passed when something is due already.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.due.first().map(|(at, _)| *at);
        let visible = self.visible_after(now).next().map(|(at, ..)| *at);
        [due, visible].into_iter().flatten().min()
    }

    /// Walks what is due at `now`, oldest first.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &Due> + '_ {
        self.due
            .iter()
            .take_while(move |(at, _)| *at <= now)
            .map(|(_, due)| due)
    }

    /// Returns true when a claim is held.
    pub(crate) fn has_claims(&self) -> bool {
        self.due.iter().any(|(_, due)| due.lapse().is_some())
    }

    /// Returns when the first claim should have lapsed, among the first deadlines that are missed by
    /// more than this much.
    pub(crate) fn missed(&self, now: Timestamp, by: Millis) -> Option<Timestamp> {
        self.due
            .iter()
            .take_while(|(at, _)| now.since(*at) > by)
            .take(MISSED_MAX)
            .find(|(_, due)| due.lapse().is_some())
            .map(|(at, _)| *at)
    }

    /// Walks the runs that have released copies which can be claimed since after `from` and until `to`.
    pub fn became_visible(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = &RunId> + '_ {
        self.visible_after(from)
            .take_while(move |(at, ..)| *at <= to)
            .map(|(_, run, _)| run)
    }

    fn visible_after(
        &self,
        from: Timestamp,
    ) -> impl Iterator<Item = &(Timestamp, RunId, Position)> + '_ {
        // No id is smaller than one space, so the bound lies before every entry of its time.
        let bound = RunId::parse(" ")
            .ok()
            .map(|run| (from.after(Millis(1)), run, Position::ZERO));
        bound
            .into_iter()
            .flat_map(|bound| self.visible.range(bound..))
    }
}
