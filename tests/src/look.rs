//! Views of a world for tests: chunks, events, states and refusals.

use std::{fmt::Debug, future::Future, sync::Arc};

use heronry_event::{Event, EventPage, filter::Filter};
use heronry_journal::{Body, Chunk, Record};
use heronry_pool::{
    Caller, Done, Rejection, State,
    decide::{EndRun, FindMessage, JoinPool, LeavePool, SendRequest, Viewer},
};
use heronry_runtime::{
    CallError, EventQuery, EventsError, OnTrimmed, Pool, ReadFrom, Runtime, RuntimeOptions,
};
use heronry_testkit::SeededIds;
use heronry_types::{
    Address, Cursor, Epoch, EventKind, Generation, InstanceId, Millis, Policies, PolicyId,
    PolicyKind, PolicyRef, Position, Receipt, RunEnd,
};

use crate::{World, key, message, run};

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
impl World {
    /// Returns every chunk of the pool, from the store.
    ///
    /// # Panics
    /// Panics when the journal cannot be read.
    pub async fn chunks(&self, pool: &Pool) -> Vec<Chunk> {
        let (mut chunks, mut after) = (Vec::<Chunk>::new(), Position::ZERO);
        loop {
            let journal = &self.store().journal;
            let page = journal.read(pool.id(), after, 1024 * 1024).await.unwrap();
            let Some(last) = page.chunks.last() else {
                return chunks;
            };
            after = last.last();
            chunks.extend(page.chunks);
        }
    }

    /// Returns the last position of the pool's journal, from the store.
    ///
    /// # Panics
    /// Panics when the journal cannot be read.
    pub async fn head(&self, pool: &Pool) -> Position {
        let head = self.store().journal.head(pool.id()).await.unwrap();
        head.map_or(Position::ZERO, |head| head.head)
    }

    /// Returns the records after a position, from the store.
    ///
    /// # Panics
    /// Panics when the journal cannot be read.
    pub async fn records_after(&self, pool: &Pool, after: Position) -> Vec<Record> {
        let (mut records, mut after) = (Vec::new(), after);
        loop {
            let journal = &self.store().journal;
            let page = journal.read(pool.id(), after, 1024 * 1024).await.unwrap();
            for chunk in &page.chunks {
                records.extend(chunk.records_after(after).map(|record| record.unwrap()));
                after = chunk.last();
            }
            if page.chunks.is_empty() {
                return records;
            }
        }
    }

    /// Returns the kinds of the records after a position.
    pub async fn kinds_after(&self, pool: &Pool, after: Position) -> Vec<EventKind> {
        let records = self.records_after(pool, after).await;
        records.iter().map(Record::kind).collect()
    }

    /// Returns how many messages the journal accepted.
    pub async fn accepted(&self, pool: &Pool) -> usize {
        let records = self.records(pool).await;
        let accepted = |record: &&Record| matches!(record.entry.body, Body::MessageAccepted(_));
        records.iter().filter(accepted).count()
    }

    /// Returns the epoch that the journal of a pool begins with.
    pub fn first_epoch(pool: &Pool) -> Epoch {
        pool.timelines().at(Position::ZERO)
    }

    /// Returns the fold of the journal.
    pub async fn state(&self, pool: &Pool) -> State {
        let mut state = State::new(pool.id().clone(), Self::first_epoch(pool));
        for record in self.records(pool).await {
            heronry_pool::apply(&mut state, &record);
        }
        state
    }

    /// Returns every event that an operator sees.
    ///
    /// # Panics
    /// Panics when events cannot be read.
    pub async fn events(&self, pool: &Pool) -> Vec<Event> {
        let query = Self::seeing(Viewer::Operator, "true");
        Self::pages(pool, query).await.unwrap()
    }

    /// Returns a query for everything that a viewer sees and a filter keeps, from the start.
    ///
    /// # Panics
    /// Panics when the filter does not compile.
    pub fn seeing(viewer: Viewer, filter: &str) -> EventQuery {
        EventQuery {
            viewer,
            filter: Filter::compile(filter).unwrap(),
            from: ReadFrom::Start,
            on_trimmed: OnTrimmed::Error,
        }
    }

    /// Reads pages of 100 until nothing follows.
    ///
    /// # Errors
    /// [`EventsError`].
    pub async fn pages(pool: &Pool, mut query: EventQuery) -> Result<Vec<Event>, EventsError> {
        let mut events = Vec::new();
        loop {
            let page: EventPage = pool.events(&query, 100, Millis(0)).await?;
            let done = page.scanned_to == page.head;
            query.from = ReadFrom::Cursor(page.scanned_to);
            events.extend(page.events);
            if done {
                return Ok(events);
            }
        }
    }

    /// Returns the generation of a member.
    ///
    /// # Panics
    /// Panics for an operator.
    pub fn generation(caller: &Caller) -> Generation {
        match caller {
            Caller::Member { generation, .. } => *generation,
            Caller::Operator => panic!("an operator has no generation"),
        }
    }

    /// Returns a member as a viewer.
    ///
    /// # Panics
    /// Panics for an operator.
    pub fn viewer(caller: &Caller) -> Viewer {
        match caller {
            Caller::Operator => Viewer::Operator,
            Caller::Member { run, generation } => Viewer::Member {
                run: run.clone(),
                generation: *generation,
            },
        }
    }

    /// Awaits a call that the rules refuse, checks that nothing was recorded, and returns the refusal.
    ///
    /// # Panics
    /// Panics when the call succeeds, when it fails otherwise, or when something was recorded.
    pub async fn refused<T: Debug>(
        &self,
        pool: &Pool,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Rejection {
        let before = self.head(pool).await;
        let error = call.await.unwrap_err();
        crate::canary::check("a refusal", &error);
        crate::canary::check("the text of a refusal", &error.to_string());
        assert_eq!(self.head(pool).await, before, "a refusal was recorded");
        error.rejection().unwrap().clone()
    }

    /// Awaits a call that succeeds and records nothing, and returns its answer.
    ///
    /// # Panics
    /// Panics when the call fails or something was recorded.
    pub async fn unrecorded<T: Debug, E: Debug>(
        &self,
        pool: &Pool,
        call: impl Future<Output = Result<T, E>>,
    ) -> T {
        let before = self.head(pool).await;
        let answer = call.await.unwrap();
        crate::canary::check("an answer", &answer);
        assert_eq!(self.head(pool).await, before, "a repeat was recorded");
        answer
    }

    /// Returns the receipt of a message, as an operator sees it.
    ///
    /// # Panics
    /// Panics when there is no such message.
    pub async fn receipt(&self, pool: &Pool, from: &str, message_id: &str) -> Receipt {
        let find = FindMessage {
            caller: Caller::Operator,
            from: run(from),
            message_id: message(message_id),
        };
        pool.call(find).await.unwrap()
    }

    /// Joins with these topics and policies.
    ///
    /// # Panics
    /// Panics when the join is refused.
    pub async fn join_with(
        &self,
        pool: &Pool,
        name: &str,
        topics: &[&str],
        policies: &[&str],
    ) -> Caller {
        let join = JoinPool {
            topics: topics.iter().map(|topic| crate::topic(topic)).collect(),
            policies: Some(Self::policies(policies)),
            ..Self::joining(name)
        };
        let joined = self.join_as(pool, join).await.unwrap();
        Self::member(name, joined.generation)
    }

    /// Returns policies by their ids, all of kind host.
    ///
    /// # Panics
    /// Panics when a text is no policy id.
    pub fn policies(ids: &[&str]) -> Policies {
        ids.iter()
            .map(|id| {
                let id = PolicyId::parse(id).unwrap();
                PolicyRef::new(PolicyKind::Host, id)
            })
            .collect()
    }

    /// Returns the command that joins a run of the agent with the same name for another instance.
    ///
    /// # Panics
    /// Panics when `instance` is not an id.
    pub fn joining_as(name: &str, instance: &str) -> JoinPool {
        JoinPool {
            instance: InstanceId::parse(instance).unwrap(),
            ..Self::joining(name)
        }
    }

    /// Sends a message to a run; its id and its key are `id`.
    ///
    /// # Panics
    /// Panics when the message is refused.
    pub async fn say(&self, pool: &Pool, from: &Caller, (to, id): (&str, &str)) -> Receipt {
        self.say_to(pool, from, (Address::Run { run_id: run(to) }, id))
            .await
    }

    /// Sends a message to an address; its id and its key are `id`.
    ///
    /// # Panics
    /// Panics when the message is refused.
    pub async fn say_to(&self, pool: &Pool, from: &Caller, (to, id): (Address, &str)) -> Receipt {
        let mut request = SendRequest::new(to, crate::body(id), key(id));
        request.message_id = Some(message(id));
        self.send(pool, from, request).await.unwrap().receipt
    }

    /// Leaves.
    ///
    /// # Errors
    /// The refusal.
    pub async fn leave(&self, pool: &Pool, caller: &Caller) -> Result<Done, CallError> {
        let (caller, run) = (caller.clone(), Self::run_of(caller));
        pool.call(LeavePool { caller, run }).await
    }

    /// Ends the caller's run, with a note.
    ///
    /// # Errors
    /// The refusal.
    pub async fn end(&self, pool: &Pool, caller: &Caller, end: RunEnd) -> Result<Done, CallError> {
        let end = EndRun {
            caller: caller.clone(),
            run: Self::run_of(caller),
            end,
            note: Some("over".to_owned()),
        };
        pool.call(end).await
    }

    /// Returns a second runtime over the same store, as another process would have.
    pub fn rival(&self) -> Runtime {
        let (clock, ids) = (Arc::new(self.clock.clone()), Arc::new(SeededIds::new(9)));
        let options = RuntimeOptions::new([7; 32], "rival")
            .with_clock(clock)
            .with_ids(ids);
        Runtime::new(self.store().clone(), options)
    }

    /// Returns the cursor of a position in this pool.
    pub fn cursor(pool: &Pool, position: Position) -> Cursor {
        pool.cursor(position)
    }
}
