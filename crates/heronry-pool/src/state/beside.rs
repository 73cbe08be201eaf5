//! The part of an encoding beside the state that the digest covers: deadlines and counts that follow from the
//! journal, and the places where the journal has messages that have left memory.

use heronry_journal::Claim;
use heronry_types::{ContentRef, Position, RunId, Timestamp};

use super::{
    Due, State,
    deadline::{Deadline, Deadlines, Visible},
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

impl State {
    pub(super) fn encode_beside<W: Sink>(&self, to: &mut Encoding<W>) {
        to.list(4);
        self.deadlines.encode(to);
        to.list(self.members.len());
        self.members.iter().for_each(|member| {
            let counts = member.inbox.by_sender.all();
            to.each(counts.into_iter(), |to, (run, count)| to.put((run, count)));
        });
        self.messages.encode_finished(to);
        self.trims.encode(to);
    }

    pub(super) fn decode_beside(&mut self, from: &mut Decoding<'_>) -> Result<(), UnreadableState> {
        from.list(4)?;
        self.deadlines = Deadlines::decode(from)?;
        from.list(self.members.len())?;
        let runs: Vec<RunId> = self.members.iter().map(|it| it.run.clone()).collect();
        for run in runs {
            let counts: Vec<(RunId, u64)> = from.list_of(Decoding::take)?;
            let Some(member) = self.members.get_mut(&run) else {
                continue;
            };
            for (sender, count) in counts {
                member.inbox.by_sender.set(sender, count);
            }
        }
        self.messages.decode_finished(from)?;
        let trims = super::Trims::decode(from)?;
        self.take_over_trims(trims);
        Ok(())
    }
}

impl Deadlines {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            of_contents,
            others,
            visible,
        } = self;
        to.list(2);
        let all: Vec<_> = of_contents.iter().chain(others).collect();
        to.each(all.into_iter(), |to, Deadline { at, due }| {
            to.list(2);
            to.put(at);
            due.encode(to);
        });
        to.each(visible.iter(), |to, Visible { at, run, accepted }| {
            to.put((at, run, accepted));
        });
    }

    fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        let mut deadlines = Self::default();
        from.list(2)?;
        let all: Vec<Deadline> = from.list_of(|from| {
            from.list(2)?;
            let at = from.take()?;
            let due = Due::decode(from)?;
            Ok(Deadline { at, due })
        })?;
        for Deadline { at, due } in all {
            deadlines.insert(at, due);
        }
        let visible: Vec<(Timestamp, RunId, Position)> = from.list_of(Decoding::take)?;
        for (at, run, accepted) in visible {
            deadlines.insert_visible(at, &run, accepted);
        }
        Ok(deadlines)
    }
}

impl Due {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        match self {
            Self::Expiry(accepted) => to.put((1_u8, accepted)),
            Self::Lapse(run, claim) => to.put((2_u8, run, claim)),
            Self::WakeTimeout(registered) => to.put((3_u8, registered)),
            Self::ReplyTimeout(accepted) => to.put((4_u8, accepted)),
            Self::LostKeep(run) => to.put((5_u8, run)),
            Self::Suspended(run) => to.put((6_u8, run)),
            Self::UnnamedContent(content) => to.put((7_u8, content)),
        }
    }

    fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        let parts = from.any_list()?;
        let kind: u8 = from.take()?;
        let due = match kind {
            1 => Self::Expiry(from.take()?),
            2 => {
                let run = from.take()?;
                let claim: Claim = from.take()?;
                Self::Lapse(run, claim)
            }
            3 => Self::WakeTimeout(from.take()?),
            4 => Self::ReplyTimeout(from.take()?),
            5 => Self::LostKeep(from.take()?),
            6 => Self::Suspended(from.take()?),
            7 => {
                let content: ContentRef = from.take()?;
                Self::UnnamedContent(content)
            }
            _ => return Err(from.malformed("a deadline of no kind")),
        };
        let expected = if kind == 2 { 3 } else { 2 };
        if parts == expected {
            Ok(due)
        } else {
            Err(from.malformed("a deadline with other parts"))
        }
    }
}
