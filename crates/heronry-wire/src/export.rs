//! Forms in which events leave: JSON lines, and `CloudEvents` 1.0.

use heronry_event::Event;
use serde::Serialize;

/// The media type of events as JSON lines.
pub const JSON_LINES_MEDIA_TYPE: &str = "application/x-ndjson";
/// The media type of a batch of `CloudEvents`.
pub const CLOUD_EVENTS_MEDIA_TYPE: &str = "application/cloudevents-batch+json";

/// The form of exported events.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ExportFormat {
    /// One event a line, as the routes of events answer it.
    #[default]
    JsonLines,
    /// `CloudEvents` 1.0 in structured mode: `data` is the event as the routes of events answer it.
    CloudEvents,
}

/// An event in the envelope of `CloudEvents` 1.0.
#[derive(Serialize)]
struct CloudEvent<'e> {
    specversion: &'static str,
    id: String,
    source: String,
    r#type: String,
    subject: String,
    time: String,
    datacontenttype: &'static str,
    data: &'e Event,
}

impl<'e> CloudEvent<'e> {
    fn of(event: &'e Event) -> Self {
        let envelope = &event.envelope;
        Self {
            specversion: "1.0",
            id: envelope.id().to_string(),
            source: source(envelope.identity.pool.as_str()),
            r#type: format!("heronry.{}", envelope.kind),
            subject: format!(
                "{}/{}",
                envelope.about.subject.kind, envelope.about.subject.id
            ),
            time: envelope.stamp.recorded_at.to_string(),
            datacontenttype: "application/json",
            data: event,
        }
    }
}

/// Returns the reference of a pool as the source of its events: its path, percent-encoded.
fn source(pool: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let path = pool.bytes().map(|byte| {
        if kept(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    let path: String = path.collect();
    format!("/v1/pools/{path}")
}

impl ExportFormat {
    /// Returns one event as a line of JSON, without the end of the line.
    ///
    /// # Errors
    /// The error of an event that cannot be written as JSON: there is none.
    pub fn line(self, event: &Event) -> Result<String, serde_json::Error> {
        match self {
            Self::JsonLines => serde_json::to_string(event),
            Self::CloudEvents => serde_json::to_string(&CloudEvent::of(event)),
        }
    }

    /// Returns a batch of events as one body: lines of JSON, or a JSON array of `CloudEvents`.
    ///
    /// # Errors
    /// As [`line`](Self::line).
    pub fn batch(self, events: &[Event]) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::JsonLines => {
                let mut out = Vec::new();
                for event in events {
                    serde_json::to_writer(&mut out, event)?;
                    out.push(b'\n');
                }
                Ok(out)
            }
            Self::CloudEvents => {
                let events: Vec<_> = events.iter().map(CloudEvent::of).collect();
                serde_json::to_vec(&events)
            }
        }
    }

    /// Returns the media type of a batch.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::JsonLines => JSON_LINES_MEDIA_TYPE,
            Self::CloudEvents => CLOUD_EVENTS_MEDIA_TYPE,
        }
    }
}
