//! Everything that becomes due, in one order.

use std::{collections::BTreeSet, iter};

use heronry_journal::Claim;
use heronry_types::{ContentRef, Millis, Position, RunId, Timestamp};

use crate::state::ClaimOf;

/// The highest number of deadlines that are looked at for one that was missed: as many as one append
/// decides.
pub(crate) const MISSED_MAX: usize = 1_024;

/// A change that becomes due and needs a record.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Due {
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
    pub(crate) fn lapse(&self) -> Option<ClaimOf<'_>> {
        match self {
            Self::Lapse(run, claim) => Some(ClaimOf { run, claim: *claim }),
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

/// Something that becomes due, and when.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Deadline {
    pub(super) at: Timestamp,
    pub(super) due: Due,
}

/// A copy that can be claimed again, and since when.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Visible {
    pub(super) at: Timestamp,
    pub(super) run: RunId,
    pub(super) accepted: Position,
}

/// Everything that becomes due, in order of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deadlines {
    /// Those of messages and bodies: they are decided while those of wakes and members wait.
    pub(super) of_contents: BTreeSet<Deadline>,
    pub(super) others: BTreeSet<Deadline>,
    pub(super) visible: BTreeSet<Visible>,
}

impl Deadlines {
    pub(crate) fn insert(&mut self, at: Timestamp, due: Due) {
        self.those_like(&due).insert(Deadline { at, due });
    }

    pub(crate) fn remove(&mut self, at: Timestamp, due: Due) {
        self.those_like(&due).remove(&Deadline { at, due });
    }

    fn those_like(&mut self, due: &Due) -> &mut BTreeSet<Deadline> {
        if due.is_of_contents() {
            &mut self.of_contents
        } else {
            &mut self.others
        }
    }

    pub(crate) fn insert_visible(&mut self, at: Timestamp, run: &RunId, accepted: Position) {
        let run = run.clone();
        self.visible.insert(Visible { at, run, accepted });
    }

    pub(crate) fn remove_visible(&mut self, at: Timestamp, run: &RunId, accepted: Position) {
        let run = run.clone();
        self.visible.remove(&Visible { at, run, accepted });
    }

    /// Returns when something is due next; a time that has passed when something is due already.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.all().next().map(|it| it.at);
        let visible = self.visible_after(now).next().map(|it| it.at);
        [due, visible].into_iter().flatten().min()
    }

    /// Walks all deadlines in order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Deadline> + '_ {
        let mut of_contents = self.of_contents.iter().peekable();
        let mut others = self.others.iter().peekable();
        iter::from_fn(move || match (of_contents.peek(), others.peek()) {
            (Some(content), Some(other)) if content < other => of_contents.next(),
            (Some(_), None) => of_contents.next(),
            (Some(_) | None, Some(_)) => others.next(),
            (None, None) => None,
        })
    }

    /// Walks what is due at `now`, oldest first.
    pub(crate) fn due(&self, now: Timestamp) -> impl Iterator<Item = &Due> + '_ {
        until(self.all(), now)
    }

    /// Walks what is due at `now` of messages and bodies, oldest first.
    pub(crate) fn due_of_contents(&self, now: Timestamp) -> impl Iterator<Item = &Due> + '_ {
        until(self.of_contents.iter(), now)
    }

    /// Returns true when a claim is held.
    pub(crate) fn has_claims(&self) -> bool {
        let mut due = self.of_contents.iter();
        due.any(|it| it.due.lapse().is_some())
    }

    /// Returns when the first claim should have lapsed, among the first deadlines that are missed by
    /// more than this much.
    pub(crate) fn missed(&self, now: Timestamp, by: Millis) -> Option<Timestamp> {
        self.all()
            .take_while(|it| now.since(it.at) > by)
            .take(MISSED_MAX)
            .find(|it| it.due.lapse().is_some())
            .map(|it| it.at)
    }

    /// Walks the runs that have released copies which can be claimed since after `from` and until `to`.
    pub(crate) fn became_visible(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = &RunId> + '_ {
        self.visible_after(from)
            .take_while(move |it| it.at <= to)
            .map(|it| &it.run)
    }

    fn visible_after(&self, from: Timestamp) -> impl Iterator<Item = &Visible> + '_ {
        // No id is smaller than one space, so the bound lies before every entry of its time.
        let bound = RunId::parse(" ").ok().map(|run| Visible {
            at: from.after(Millis(1)),
            run,
            accepted: Position::ZERO,
        });
        bound
            .into_iter()
            .flat_map(|bound| self.visible.range(bound..))
    }
}

/// Walks deadlines up to `now`.
fn until<'a>(
    deadlines: impl Iterator<Item = &'a Deadline>,
    now: Timestamp,
) -> impl Iterator<Item = &'a Due> {
    let due = deadlines.take_while(move |it| it.at <= now);
    due.map(|it| &it.due)
}
