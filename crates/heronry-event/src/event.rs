//! An event: an envelope and its payload.

use heronry_types::Payload;

use crate::Envelope;

/// An event: the view of one record that observers get. JSON: the envelope's fields and `payload`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// The header.
    pub envelope: Envelope,
    /// The payload: never a body.
    pub payload: Payload,
}

impl Event {
    /// Returns an event.
    pub fn new(envelope: Envelope, payload: Payload) -> Self {
        Self { envelope, payload }
    }
}

impl From<Envelope> for Event {
    fn from(envelope: Envelope) -> Self {
        Self::new(envelope, Payload::EnvelopeOnly)
    }
}
