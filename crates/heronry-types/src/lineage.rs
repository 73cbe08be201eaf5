//! The lineage of records: pool, run and cause; and the actor that was authenticated.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{AgentId, Correlation, Generation, Labels, PoolId, Position, RunId, SessionId, TurnId};

/// The lineage of a record: the pool and run that it belongs to, and the record that led to it.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// The pool.
    #[n(0)]
    pub pool: PoolId,
    /// The run that the record is about, as its author or waiter.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The agent of that run.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// The session of that run.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The turn of that run.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Correlations.
    #[n(5)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Correlation::is_empty")]
    pub correlation: Correlation,
    /// The earlier record of this journal that led to this one.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<Position>,
    /// The W3C trace that the request belonged to.
    #[n(7)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// The labels of the run, or of the pool where there is no run, in a record that changes the structure
    /// of the pool; absent when there are none. A build that does not know them passes over them.
    #[n(8)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Box<Labels>>,
}

impl Lineage {
    /// Returns the lineage of a record about the pool as a whole.
    pub fn of_pool(pool: PoolId) -> Self {
        Self {
            pool,
            run: None,
            agent: None,
            session: None,
            turn: None,
            correlation: Correlation::new(),
            caused_by: None,
            trace: None,
            labels: None,
        }
    }
}

/// A W3C trace context. Text: `00-<32 hex>-<16 hex>-<2 hex>`.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Trace {
    /// The trace id; not zero.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub trace_id: [u8; 16],
    /// The span id of the caller; not zero.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub span_id: [u8; 8],
    /// The trace flags.
    #[n(2)]
    pub flags: u8,
}

/// A text that is not a `traceparent`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a traceparent; write 00-<32 hex>-<16 hex>-<2 hex> as W3C trace context says")]
#[non_exhaustive]
pub struct TraceError;

impl FromStr for Trace {
    type Err = TraceError;
    fn from_str(text: &str) -> Result<Self, TraceError> {
        let fields: Vec<&str> = text.split('-').collect();
        let [version, trace, span, flags] = *fields.as_slice() else {
            return Err(TraceError);
        };
        let lower_hex = |s: &str| s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let shaped = version == "00" && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
        if !shaped || ![trace, span, flags].into_iter().all(lower_hex) {
            return Err(TraceError);
        }
        let trace_id = u128::from_str_radix(trace, 16)
            .map_err(|_| TraceError)?
            .to_be_bytes();
        let span_id = u64::from_str_radix(span, 16)
            .map_err(|_| TraceError)?
            .to_be_bytes();
        let flags = u8::from_str_radix(flags, 16).map_err(|_| TraceError)?;
        if trace_id == [0; 16] || span_id == [0; 8] {
            return Err(TraceError);
        }
        Ok(Self {
            trace_id,
            span_id,
            flags,
        })
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace = u128::from_be_bytes(self.trace_id);
        let span = u64::from_be_bytes(self.span_id);
        write!(f, "00-{trace:032x}-{span:016x}-{:02x}", self.flags)
    }
}

impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Trace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Trace {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Trace".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
            "description": "A W3C trace context: the version, the trace, the span and the flags, in hex digits.",
        })
    }
}

/// The identity that was authenticated when a record was decided.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Actor {
    /// The engine itself: deadlines, matches and what follows from a command.
    #[n(0)]
    Engine,
    /// An operator, in its own name or for the run that the lineage names.
    #[n(1)]
    Operator,
    /// A member.
    #[n(2)]
    Member {
        /// The run that the member is.
        #[n(0)]
        run: RunId,
        /// The generation of the run.
        #[n(1)]
        generation: Generation,
    },
}

/// The author's half of an event's visibility, fixed when the record was decided.
#[derive(Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// The author held every policy of the pool, or the engine is the author: members may see it.
    #[n(0)]
    InScope,
    /// The author lacked a policy of the pool: only operators see it.
    #[n(1)]
    OutOfScope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traceparent_round_trips_and_refuses_what_is_not_one() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(text.parse::<Trace>().unwrap().to_string(), text);
        for bad in [
            "",
            "00",
            &text[1..],
            &text.to_uppercase(),
            &text.replace("b7ad", "+7ad"),
        ] {
            assert!(bad.parse::<Trace>().is_err(), "{bad}");
        }
        let zero = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        assert!(zero.parse::<Trace>().is_err());
    }
}
