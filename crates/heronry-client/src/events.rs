//! Reading events: pages, and a stream over as many connections as it takes.

use std::{collections::VecDeque, time::Duration};

use heronry_event::{EventPage, StreamItem};
use heronry_types::{Cursor, Millis};
use heronry_wire::{
    AppendEvents, EVENT_STREAM, EphemeralPublished, EventsAppended, EventsQuery, PublishEphemeral,
};
use http::Method;

use crate::{
    ClientError, PoolClient,
    retry::pause,
    server::ServerAnswer,
    sse::{Parser, StreamMessage},
};

/// The longest time without a word from the server, which sends a bookmark every 15 s.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// The time that the reader waits before it connects again to a server that ends streams at once.
const PAUSE: Duration = Duration::from_millis(500);

impl PoolClient {
    /// Reads one page of events.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `cursor-trimmed`, `cursor-ahead`, `cursor-foreign` or `filter-invalid`.
    pub async fn events(&self, query: &EventsQuery) -> Result<EventPage, ClientError> {
        let wait = query.wait_ms.map(Millis::into);
        let request = self.request(Method::GET, &["events"])?;
        self.server.json(request.query(query)?.held_for(wait)).await
    }

    /// Reports a batch of events; a repeat under the same key returns the same cursors.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the rules refuse one of them; nothing was recorded then.
    pub async fn append_events(&self, batch: &AppendEvents) -> Result<EventsAppended, ClientError> {
        let mut request = self.request(Method::POST, &["events"])?.json(batch)?;
        if batch.idempotency_key.is_some() {
            request = request.repeatable();
        }
        self.server.json(request).await
    }

    /// Publishes events that are shown live, and not recorded. A repeat shows them again.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the rules refuse one of them; nothing was published then.
    pub async fn publish_ephemeral(
        &self,
        events: &PublishEphemeral,
    ) -> Result<EphemeralPublished, ClientError> {
        let request = self.request(Method::POST, &["events", "ephemeral"])?;
        self.server.json(request.json(events)?).await
    }

    /// Returns a reader that replays from the start that the query names, and then follows.
    pub fn follow(&self, query: EventsQuery) -> EventReader {
        EventReader {
            pool: self.clone(),
            after: query.after,
            query,
            connection: None,
            ready: VecDeque::new(),
            failures: 0,
        }
    }
}

/// Reads a pool's events in order, each exactly once, and connects again when a connection ends.
#[derive(Debug)]
pub struct EventReader {
    pool: PoolClient,
    query: EventsQuery,
    after: Option<Cursor>,
    connection: Option<Connection>,
    ready: VecDeque<StreamMessage>,
    failures: u32,
}

#[derive(Debug)]
struct Connection {
    answer: ServerAnswer,
    parser: Parser,
}

impl EventReader {
    /// Returns the cursor of the reader: behind the last item, or further when nothing matched since.
    pub fn cursor(&self) -> Option<Cursor> {
        self.after
    }

    /// Waits for the next item. After `Closed` the server has nothing more to say.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the server refuses; [`ClientError::Unreachable`] when it stayed
    /// away for some time.
    pub async fn next(&mut self) -> Result<StreamItem, ClientError> {
        loop {
            if let Some(item) = self.take_ready()? {
                return Ok(item);
            }
            if let Err(error) = self.read().await {
                self.retry_after(error).await?;
            }
        }
    }

    fn take_ready(&mut self) -> Result<Option<StreamItem>, ClientError> {
        while let Some(message) = self.ready.pop_front() {
            let item = self.take(message)?;
            if item.is_some() {
                return Ok(item);
            }
        }
        Ok(None)
    }

    /// Moves the reader past a message, and returns its item.
    fn take(&mut self, message: StreamMessage) -> Result<Option<StreamItem>, ClientError> {
        let unreadable = |source: Box<dyn std::error::Error + Send + Sync>| ClientError::Decode {
            route: "GET events".to_owned(),
            source,
        };
        if let Some(id) = message.id.filter(|id| !id.is_empty()) {
            self.after = Some(Cursor::parse(&id).map_err(|e| unreadable(e.into()))?);
        }
        let Some(data) = message.data else {
            return Ok(None);
        };
        let item: StreamItem = serde_json::from_str(&data).map_err(|e| unreadable(e.into()))?;
        if let Some(cursor) = item.cursor() {
            self.after = Some(cursor);
        }
        Ok(Some(item))
    }

    /// Reads until at least one message is complete.
    async fn read(&mut self) -> Result<(), ClientError> {
        if self.connection.is_none() {
            self.connection = Some(self.connect().await?);
        }
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let url = || self.pool.server.url();
        let part = tokio::time::timeout(SILENCE_MAX, connection.answer.part()).await;
        let part = part.map_err(|_| ClientError::Timeout { url: url() })??;
        let Some(bytes) = part else {
            return Err(ClientError::Unreachable {
                url: url(),
                source: "the stream ended".into(),
            });
        };
        let messages = connection.parser.feed(&bytes);
        self.ready
            .extend(messages.map_err(|source| ClientError::Decode {
                route: "GET events".to_owned(),
                source: source.into(),
            })?);
        self.failures = 0;
        Ok(())
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let mut query = self.query.clone();
        if self.after.is_some() {
            query.after = None;
            query.from = None;
        }
        let mut request = self
            .pool
            .request(Method::GET, &["events"])?
            .query(&query)?
            .accept(EVENT_STREAM);
        if let Some(after) = self.after {
            request = request.header("last-event-id", after.to_string());
        }
        Ok(Connection {
            answer: self.pool.server.send(&request).await?,
            parser: Parser::default(),
        })
    }

    /// Connects again when a connection broke. One that did not come about was tried as long as the
    /// client has patience, and is not tried again.
    async fn retry_after(&mut self, error: ClientError) -> Result<(), ClientError> {
        let was_connected = self.connection.take().is_some();
        if !was_connected || !error.is_unreachable() {
            return Err(error);
        }
        self.failures += 1;
        if self.failures > 1 {
            pause(PAUSE).await;
        }
        Ok(())
    }
}
