//! Rooms: preset filters, by what events belong to.

use std::{fmt, str::FromStr};

use heronry_types::{
    AgentId, EventKind, IdError, RunEnd, RunId, SessionId, TopicId, Vocabulary as _,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::filter::{CompileErrors, Filter};

/// A room: the events that belong to one thing. Text and JSON: `run:R`, `session:S`, `agent:A`, `topic:T` or `pool`.
///
/// A room keeps the events whose field of that name is the id. A session's room goes across the runs of the session.
/// The room of somebody who never did anything is empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Room {
    /// The events of one run.
    Run(RunId),
    /// The events of the runs of one session.
    Session(SessionId),
    /// The events of the runs of one agent.
    Agent(AgentId),
    /// The events that belong to one topic.
    Topic(TopicId),
    /// Every event of the pool.
    Pool,
}

/// The error for a text that is not a room.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RoomError {
    /// The text begins with no kind of room.
    #[error("not a room; write run:R, session:S, agent:A, topic:T or pool")]
    UnknownKind,
    /// The room of a pool has no id.
    #[error("the room of a pool has no id; write pool")]
    PoolWithId,
    /// The text behind the kind is not an id.
    #[error("not the id of a room: {0}")]
    Id(#[from] IdError),
}

impl Room {
    /// Reads a room.
    ///
    /// # Errors
    /// [`RoomError`].
    pub fn parse(text: &str) -> Result<Self, RoomError> {
        if text == "pool" {
            return Ok(Self::Pool);
        }
        let (kind, id) = text.split_once(':').ok_or(RoomError::UnknownKind)?;
        Ok(match kind {
            "run" => Self::Run(RunId::parse(id)?),
            "session" => Self::Session(SessionId::parse(id)?),
            "agent" => Self::Agent(AgentId::parse(id)?),
            "topic" => Self::Topic(TopicId::parse(id)?),
            "pool" => return Err(RoomError::PoolWithId),
            _ => return Err(RoomError::UnknownKind),
        })
    }

    /// Returns the filter that keeps the events of the room.
    ///
    /// # Errors
    /// [`CompileErrors`] never, as long as an id fits into a filter.
    pub fn filter(&self) -> Result<Filter, CompileErrors> {
        let builder = Filter::builder();
        match self {
            Self::Run(run) => builder.runs([run.clone()]).build(),
            Self::Session(session) => builder.sessions([session.clone()]).build(),
            Self::Agent(agent) => builder.agents([agent.clone()]).build(),
            Self::Topic(topic) => builder.topics([topic.clone()]).build(),
            Self::Pool => Ok(Filter::all()),
        }
    }

    /// Returns the run whose end ends the room; `None` for a room that goes on.
    pub fn run(&self) -> Option<&RunId> {
        match self {
            Self::Run(run) => Some(run),
            Self::Session(_) | Self::Agent(_) | Self::Topic(_) | Self::Pool => None,
        }
    }
}

/// Returns the filter that keeps the end of a run.
///
/// # Errors
/// [`CompileErrors`] never, as long as an id fits into a filter.
pub fn end_of_run(run: &RunId) -> Result<Filter, CompileErrors> {
    let ends = RunEnd::ALL.iter().map(|end| end.event_kind());
    let ends: Vec<EventKind> = ends.collect();
    Filter::builder().runs([run.clone()]).kinds(ends).build()
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run:{run}"),
            Self::Session(session) => write!(f, "session:{session}"),
            Self::Agent(agent) => write!(f, "agent:{agent}"),
            Self::Topic(topic) => write!(f, "topic:{topic}"),
            Self::Pool => f.write_str("pool"),
        }
    }
}

impl FromStr for Room {
    type Err = RoomError;
    fn from_str(text: &str) -> Result<Self, RoomError> {
        Self::parse(text)
    }
}

impl Serialize for Room {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Room {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Room {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Room".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(pool|(run|session|agent|topic):.+)$",
            "description": "A room: run:R, session:S, agent:A, topic:T or pool.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, filter: &str) {
        let room = Room::parse(text).unwrap();
        assert_eq!(room.to_string(), text);
        assert_eq!(room.filter().unwrap(), Filter::compile(filter).unwrap());
        let json = serde_json::to_string(&room).unwrap();
        assert_eq!(serde_json::from_str::<Room>(&json).unwrap(), room);
    }

    #[test]
    fn o10_a_room_is_a_preset_filter() {
        check("run:r-1", r#"run == "r-1""#);
        check("run:a:b", r#"run == "a:b""#);
        check("session:s", r#"session == "s""#);
        check("agent:a", r#"agent == "a""#);
        check("topic:t", r#"topic == "t""#);
        check("pool", "true");
    }

    #[test]
    fn o10_a_text_that_is_no_room_is_told_why() {
        for text in ["", "run", "team:x", ":x", "POOL"] {
            assert_eq!(Room::parse(text), Err(RoomError::UnknownKind), "{text}");
        }
        assert_eq!(Room::parse("pool:p"), Err(RoomError::PoolWithId));
        assert_eq!(Room::parse("run:"), Err(RoomError::Id(IdError::Empty)));
        let long = format!("run:{}", "x".repeat(513));
        assert!(matches!(Room::parse(&long), Err(RoomError::Id(_))));
    }

    #[test]
    fn filters_are_joined_by_both_and_by_one_of_them() {
        let filter = |text: &str| Filter::compile(text).unwrap();
        let check = |one: &str, two: &str| {
            let (a, b) = (filter(one), filter(two));
            let both = filter(&format!("({one}) && ({two})"));
            assert_eq!(a.and(&b).unwrap(), both, "{one} and {two}");
            let some = filter(&format!("({one}) || ({two})"));
            assert_eq!(a.or(&b).unwrap(), some, "{one} or {two}");
        };
        let texts = [
            "true",
            "false",
            r#"run == "a""#,
            r#"run == "b" || kind == "run_failed""#,
            r#"run != "a" && terminal"#,
        ];
        for one in texts {
            for two in texts {
                check(one, two);
            }
        }
    }
}
