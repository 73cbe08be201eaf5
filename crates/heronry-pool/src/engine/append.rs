//! Appends: what is decided together and becomes durable together.

use heronry_journal::{Body, ContentErased, Entry, MessageRecord, Noun, Record, SourceRecord};
use heronry_store::{ContentPlace, Erasure, KeyedEntry, NewContent, Tombstone};
use heronry_types::{Generation, RunId, Timestamp};

use super::{Engine, Unanswered};
use crate::{
    command::{Command, Names, RECORD_BYTES},
    decide::FoundEvents,
};

/// The contents of one append.
#[derive(Debug, Default)]
pub struct Staged {
    /// The records, in order.
    pub records: Vec<Record>,
    /// The bodies that ride with them.
    pub contents: Vec<NewContent>,
    /// The bodies that are erased with them.
    pub erasures: Vec<Erasure>,
    /// About how many bytes all of it has.
    pub weight: usize,
}

/// Estimates the bytes that a record has beyond [`RECORD_BYTES`].
fn more_weight(entry: &Entry) -> usize {
    match entry.body.noun() {
        Noun::Message(MessageRecord::MessageDelivered(body)) => {
            body.recipients.0.iter().map(|run| run.as_str().len()).sum()
        }
        Noun::Source(SourceRecord::ApplicationEvent(_)) | Noun::Wiring(_) => {
            heronry_journal::encoded_len(entry)
        }
        Noun::Source(
            SourceRecord::SourceGap(_)
            | SourceRecord::SourceAttached(_)
            | SourceRecord::SourceDetached(_),
        )
        | Noun::Nothing(_)
        | Noun::Pool(_)
        | Noun::Member(_)
        | Noun::Message(_)
        | Noun::Wake(_)
        | Noun::Effect(_)
        | Noun::Roster(_)
        | Noun::Content(_) => 0,
    }
}

impl Staged {
    pub(super) fn push(&mut self, record: Record) {
        if let Body::ContentErased(body) = &record.entry.body {
            self.erasures.push(erasure(body, record.recorded_at));
        }
        self.weight += RECORD_BYTES + more_weight(&record.entry);
        self.records.push(record);
    }

    pub(super) fn attach(&mut self, contents: Vec<NewContent>) {
        let sizes = contents.iter().map(|content| content.stored.stored_bytes());
        self.weight += sizes.sum::<usize>();
        self.contents.extend(contents);
    }
}

/// Returns what a record of an erased body does in the store.
fn erasure(body: &ContentErased, erased_at: Timestamp) -> Erasure {
    Erasure {
        content_ref: body.content_ref,
        place: body
            .stored_with
            .map_or(ContentPlace::Alone, ContentPlace::With),
        tombstone: Tombstone {
            media_type: body.media_type.0.clone(),
            bytes: body.body_bytes,
            digest: body.digest,
            erased_at,
        },
    }
}

/// The results of the look-ups that a command asked for.
#[derive(Clone, Copy, Debug)]
pub struct LookedUp<'a> {
    /// The entries that the store has for the names of the command, and on further ones that it asks for.
    pub keys: &'a [KeyedEntry],
    /// The result of the look through earlier events.
    pub scan: &'a FoundEvents,
}

impl Default for LookedUp<'_> {
    /// Returns the results of a command for which nothing was found.
    fn default() -> Self {
        static NOTHING: FoundEvents = FoundEvents::NOTHING;
        Self {
            keys: &[],
            scan: &NOTHING,
        }
    }
}

/// An append that is being decided, on top of everything that its engine decided before.
///
/// [`Engine::begin`] begins it, and [`finish`](Self::finish) ends it: one is open at a time. What is staged
/// is part of the engine's state already, so an append that is dropped leaves an engine of no use.
#[derive(Debug)]
#[must_use = "what is decided in an append that is not finished is in no journal"]
pub struct Append {
    now: Timestamp,
    staged: Staged,
}

impl Append {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            staged: Staged::default(),
        }
    }

    /// Returns the pool time of its records.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns what it holds so far.
    pub fn staged(&self) -> &Staged {
        &self.staged
    }

    /// Runs a command against the staged state.
    ///
    /// # Errors
    /// [`Unanswered`] when the rules say no, or when it has to be run again after messages that it asks
    /// for were read; nothing is staged then.
    pub fn run<C: Command>(
        &mut self,
        engine: &mut Engine,
        command: &C,
        names: Option<&Names>,
        looked_up: LookedUp<'_>,
    ) -> Result<C::Answer, Unanswered> {
        self.at_work(engine, |engine| engine.run(command, names, looked_up))
    }

    /// Decides deadlines that are due; returns true while more may be.
    pub fn tick(&mut self, engine: &mut Engine) -> bool {
        self.at_work(engine, Engine::tick)
    }

    /// Decides what is due while earlier events are still to be matched, or their triggers to be recorded.
    /// Returns true while something goes before commands.
    ///
    /// Wakes and members whose time is over wait for that. When little is to be matched, what is due after
    /// them and commands wait for them. When much is, neither does, and a wake whose time is over may be
    /// ended by an event of those.
    pub fn tick_meanwhile(&mut self, engine: &mut Engine) -> bool {
        self.at_work(engine, Engine::tick_meanwhile)
    }

    /// Renews the leases that end at the time of this append of members who wait for an answer, and so
    /// can be reached.
    pub fn hear_waiting(
        &mut self,
        engine: &mut Engine,
        is_waiting: impl Fn(&RunId, Generation) -> bool,
    ) {
        self.at_work(engine, |engine| engine.hear_waiting(is_waiting));
    }

    /// Ends the append; returns what it holds.
    pub fn finish(self, engine: &mut Engine) -> Staged {
        engine.is_appending = false;
        self.staged
    }

    /// Lets the engine stage into this append.
    pub(super) fn at_work<T>(
        &mut self,
        engine: &mut Engine,
        work: impl FnOnce(&mut Engine) -> T,
    ) -> T {
        debug_assert!(engine.is_appending, "an append of this engine is open");
        std::mem::swap(&mut self.staged, &mut engine.staged);
        let done = work(engine);
        std::mem::swap(&mut self.staged, &mut engine.staged);
        done
    }
}
