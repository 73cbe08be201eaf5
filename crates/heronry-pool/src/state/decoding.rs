//! Reading the encoding of a state: nothing but what an encoding is.

use heronry_types::{
    CopyState, Epoch, Position, TimelineStart, Timelines, Timestamp, Undeliverable,
};
use minicbor::{Decode, Decoder, data::Type};

use super::{
    ClaimTurn, CopySlot, CountedReply, DeadLetter, Earlier, Effect, EffectEnd, Inbox, Member,
    Message, MessageCopy, Receive, Roster, Sources, State, Suspension, TimelineStep,
    UnnamedContent, Wake, WakeEnd, Wiring,
    encoding::{OLDEST, PARTS, PARTS_OF_3, VERSION, digest_in},
};

/// Bytes that are no encoding of a state which this build reads.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableState {
    /// A newer build wrote it.
    #[error("the state has encoding {found}, and this build reads {VERSION}; use a newer build")]
    Newer {
        /// The version of the encoding.
        found: u16,
    },
    /// The bytes are not what the version says.
    #[error("the state is malformed at its byte {offset}: {reason}")]
    Malformed {
        /// The place of the fault, in bytes from the start.
        offset: usize,
        /// The fault that was found.
        reason: String,
    },
    /// The state that was read is not the one that was written.
    #[error("the state that was read is not the one that was written")]
    Different,
}

/// A value that was read, and the key that it has.
pub(super) struct DecodedEntry<K, V> {
    pub(super) key: K,
    pub(super) value: V,
}

impl<K, V> DecodedEntry<K, V> {
    pub(super) fn new(key: K, value: V) -> Self {
        Self { key, value }
    }
}

/// An encoding that is being read.
pub(super) struct Decoding<'a>(Decoder<'a>);

impl<'a> Decoding<'a> {
    /// Reads a value.
    pub(super) fn take<T: Decode<'a, ()>>(&mut self) -> Result<T, UnreadableState> {
        let at = self.0.position();
        self.0.decode().map_err(|error| fault(at, &error))
    }

    /// Begins a list that has this many values.
    pub(super) fn list(&mut self, expected: usize) -> Result<(), UnreadableState> {
        if self.any_list()? == expected as u64 {
            Ok(())
        } else {
            Err(self.malformed("a list of another length"))
        }
    }

    /// Begins a list, and returns how many values it says that it has.
    pub(super) fn any_list(&mut self) -> Result<u64, UnreadableState> {
        let at = self.0.position();
        let length = self.0.array().map_err(|error| fault(at, &error))?;
        length.ok_or_else(|| self.malformed("a list of no length"))
    }

    /// Reads a list of values, each in its own way.
    pub(super) fn list_of<T>(
        &mut self,
        mut take: impl FnMut(&mut Self) -> Result<T, UnreadableState>,
    ) -> Result<Vec<T>, UnreadableState> {
        // The length is not believed: room is made for what is there.
        (0..self.any_list()?).map(|_| take(self)).collect()
    }

    /// Reads a value in its own way, or that there is none.
    pub(super) fn some<T>(
        &mut self,
        take: impl FnOnce(&mut Self) -> Result<T, UnreadableState>,
    ) -> Result<Option<T>, UnreadableState> {
        // Nothing is an empty list; what there is has parts.
        if matches!(self.0.probe().array(), Ok(Some(0))) {
            self.take::<()>()?;
            return Ok(None);
        }
        take(self).map(Some)
    }

    /// Returns true when the next value is a number that is not negative.
    pub(super) fn is_number(&mut self) -> Result<bool, UnreadableState> {
        let at = self.0.position();
        let kind = self.0.datatype().map_err(|error| fault(at, &error))?;
        Ok(matches!(kind, Type::U8 | Type::U16 | Type::U32 | Type::U64))
    }

    pub(super) fn malformed(&self, reason: &str) -> UnreadableState {
        UnreadableState::Malformed {
            offset: self.0.position(),
            reason: reason.to_owned(),
        }
    }
}

fn fault(offset: usize, error: &minicbor::decode::Error) -> UnreadableState {
    UnreadableState::Malformed {
        offset,
        reason: error.to_string(),
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<State, UnreadableState> {
    let mut from = Decoding(Decoder::new(bytes));
    let DecodedVersion { mut state, version } = State::decode_digested(&mut from)?;
    let digested = bytes.get(..from.0.position()).unwrap_or_default();
    state.decode_beside(&mut from)?;
    if from.0.position() != bytes.len() {
        return Err(from.malformed("something follows"));
    }
    if digest_in(&state, version).0 == *blake3::hash(digested).as_bytes() {
        Ok(state)
    } else {
        Err(UnreadableState::Different)
    }
}

/// A state that was read, and the version of its encoding.
struct DecodedVersion {
    state: State,
    version: u16,
}

impl State {
    fn decode_digested(from: &mut Decoding<'_>) -> Result<DecodedVersion, UnreadableState> {
        let parts = from.any_list()?;
        let found: u16 = from.take()?;
        if found > VERSION {
            return Err(UnreadableState::Newer { found });
        }
        let expected = if found == VERSION { PARTS } else { PARTS_OF_3 };
        if parts != expected as u64 || found < OLDEST {
            return Err(from.malformed("no encoding has these parts"));
        }
        let (pool, head, time) = from.take()?;
        from.list(4)?;
        let starts: Vec<(Position, Epoch)> = from.take()?;
        let starts = starts.into_iter();
        let starts = starts.map(|(at, epoch)| TimelineStart { at, epoch });
        let timelines = Timelines::from_starts(starts);
        let timelines = timelines.ok_or_else(|| from.malformed("there are no such timelines"))?;
        let mut state = Self::new(pool, timelines.newest());
        state.timelines = timelines;
        (state.head, state.time) = (head, time);
        state.config = from.take()?;
        state.settings = from.take()?;
        state.settings_version = from.take()?;
        state.members.decode(from)?;
        state.messages.decode(from)?;
        state.dead.decode(from)?;
        state.wakes.decode(from)?;
        state.effects.decode(from)?;
        state.unnamed.decode(from)?;
        state.sources = Sources::decode(from)?;
        if found == VERSION {
            state.roster = Roster::decode(from)?;
            state.wiring = Wiring::decode(from)?;
        }
        Ok(DecodedVersion {
            state,
            version: found,
        })
    }
}

impl Member {
    pub(super) fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        from.list(6)?;
        let (run, agent, session, instance) = from.take()?;
        let (generation, predecessor, policies, topics) = from.take()?;
        let (lease, lost_until) = from.take()?;
        let inbox = Inbox::decode(from)?;
        let wakes = from.take()?;
        let suspension = from.some(Suspension::decode)?.map(Box::new);
        Ok(Self {
            run,
            agent,
            session,
            instance,
            generation,
            predecessor,
            policies,
            topics,
            inbox,
            wakes,
            lease,
            lost_until,
            suspension,
        })
    }
}

impl Suspension {
    fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        let (position, wakes, until, suspected, orphaned) = from.take()?;
        Ok(Self {
            position,
            wakes,
            until,
            suspected,
            orphaned,
        })
    }
}

impl Inbox {
    fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        from.list(6)?;
        let mut inbox = Self::default();
        let ready: Vec<Position> = from.list_of(Decoding::take)?;
        for accepted in ready {
            inbox.ready.insert(accepted);
        }
        inbox.delayed = from.take()?;
        let special = from.list_of(ClaimTurn::decode)?.into_iter();
        inbox.special = special.map(|it| (it.key, it.value)).collect();
        let receives = from.list_of(|from| {
            let (fetched, id, claimed, claim_ms) = from.take()?;
            let receive = Receive {
                id,
                claimed,
                claim_ms,
            };
            Ok((fetched, receive))
        })?;
        inbox.receives = receives.into_iter().collect();
        inbox.claimed = from.take()?;
        inbox.begun = from.take()?;
        Ok(inbox)
    }
}

impl ClaimTurn {
    fn decode(
        from: &mut Decoding<'_>,
    ) -> Result<DecodedEntry<Self, Option<Timestamp>>, UnreadableState> {
        let (importance, since, position, accepted, visible_at) = from.take()?;
        let turn = Self {
            importance: std::cmp::Reverse(importance),
            since,
            position,
            accepted,
        };
        Ok(DecodedEntry::new(turn, visible_at))
    }
}

impl Message {
    /// Decodes a message, and the position of its acceptance. The place where it stands says whether it is finished.
    pub(super) fn decode(
        from: &mut Decoding<'_>,
    ) -> Result<DecodedEntry<Position, Self>, UnreadableState> {
        let parts = from.any_list()?;
        if parts != 6 && parts != 7 {
            return Err(from.malformed("a message of other parts"));
        }
        let (position, lineage, accepted, recipients) = from.take()?;
        let (status, reason) = from.take()?;
        let copies = from.list_of(MessageCopy::decode)?.into();
        let timeline = from.list_of(TimelineStep::decode)?;
        let replays = from.some(|from| {
            from.list_of(|from| {
                from.list(2)?;
                let index: u64 = from.take()?;
                let index = usize::try_from(index);
                let index = index.map_err(|_| from.malformed("a copy that no message has"))?;
                Ok((index, TimelineStep::decode(from)?))
            })
        })?;
        let replies = from.some(|from| from.list_of(CountedReply::decode))?;
        let not_peered = if parts == 7 { from.take()? } else { None };
        let message = Self {
            lineage,
            accepted,
            recipients,
            not_peered,
            copies,
            status,
            reason,
            timeline,
            replays: replays.map(|it| Box::new(it.into_iter().collect())),
            replies: replies.map(|replies: Vec<_>| {
                let replies = replies.into_iter().map(|it| (it.key, it.value));
                Box::new(replies.collect())
            }),
            is_finished: false,
        };
        if message.copies.len() > message.recipients.0.len() {
            return Err(from.malformed("a message with more copies than recipients"));
        }
        Ok(DecodedEntry::new(position, message))
    }
}

impl MessageCopy {
    fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        from.list(4)?;
        let attempts = from.take()?;
        let has_replied = from.take()?;
        let (state, why, outcome): (CopyState, Option<Undeliverable>, _) = from.take()?;
        let missing = |from: &Decoding<'_>| from.malformed("a copy without its end");
        let slot = match state {
            CopyState::Queued => CopySlot::Queued {
                visible_at: from.take()?,
            },
            CopyState::Claimed => {
                let (fetched, until) = from.take()?;
                CopySlot::Claimed { fetched, until }
            }
            CopyState::Acked => CopySlot::Acked {
                outcome: Option::ok_or_else(outcome, || missing(from))?,
                fetched: from.take()?,
            },
            CopyState::Dead => CopySlot::Dead {
                reason: from.take()?,
            },
            CopyState::Expired => {
                from.take::<()>()?;
                CopySlot::Expired
            }
            CopyState::Cancelled => {
                from.take::<()>()?;
                CopySlot::Cancelled
            }
            CopyState::Undeliverable => {
                from.take::<()>()?;
                let why = why.ok_or_else(|| missing(from))?;
                CopySlot::Undeliverable { why }
            }
        };
        Ok(Self {
            slot,
            attempts,
            has_replied,
        })
    }
}

impl TimelineStep {
    fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        let (at, position, state, recipient) = from.take()?;
        Ok(Self {
            at,
            position,
            state,
            recipient,
        })
    }
}

impl CountedReply {
    fn decode(from: &mut Decoding<'_>) -> Result<DecodedEntry<Position, Self>, UnreadableState> {
        let (accepted, message_id, content_ref) = from.take()?;
        let reply = Self {
            message_id,
            content_ref,
        };
        Ok(DecodedEntry::new(accepted, reply))
    }
}

impl DeadLetter {
    pub(super) fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        let (reason, position, at) = from.take()?;
        Ok(Self {
            reason,
            position,
            at,
        })
    }
}

impl Wake {
    pub(super) fn decode(
        from: &mut Decoding<'_>,
    ) -> Result<DecodedEntry<Position, Self>, UnreadableState> {
        from.list(3)?;
        from.list(4)?;
        let position = from.take()?;
        let run = from.take()?;
        let registered = from.take()?;
        let condition = from.take::<Option<_>>()?.map(Box::new);
        let earlier = from.some(Decoding::take)?;
        let end = from.some(WakeEnd::decode)?;
        let end = end.map(|it| (it.key, it.value));
        let wake = Self {
            run,
            registered,
            condition,
            earlier: earlier.map_or(Earlier::Seen, Earlier::Pending),
            end,
        };
        Ok(DecodedEntry::new(position, wake))
    }
}

impl WakeEnd {
    fn decode(from: &mut Decoding<'_>) -> Result<DecodedEntry<Position, Self>, UnreadableState> {
        let parts = from.any_list()?;
        let kind: u8 = from.take()?;
        let at = from.take()?;
        let end = match (kind, parts) {
            (1, 3) => Self::Triggered {
                matches: from.take()?,
            },
            (2, 2) => Self::TimedOut,
            (3, 3) => Self::Cancelled {
                reason: from.take()?,
            },
            (4, 3) => Self::Failed { why: from.take()? },
            _ => return Err(from.malformed("a wake with no end that there is")),
        };
        Ok(DecodedEntry::new(at, end))
    }
}

impl Effect {
    pub(super) fn decode(
        from: &mut Decoding<'_>,
    ) -> Result<DecodedEntry<Position, Self>, UnreadableState> {
        from.list(2)?;
        let (position, run, intended, generation, attempts) = from.take()?;
        let end = from.some(|from| {
            let (at, attempt, result) = from.take()?;
            Ok(EffectEnd {
                at,
                attempt,
                result,
            })
        })?;
        let effect = Self {
            run,
            intended,
            generation,
            attempts,
            end,
        };
        Ok(DecodedEntry::new(position, effect))
    }
}

impl UnnamedContent {
    pub(super) fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        let (stored, run, digest, media_type, bytes, expires_at) = from.take()?;
        Ok(Self {
            stored,
            run,
            digest,
            media_type,
            bytes,
            expires_at,
        })
    }
}
