//! The address of a message.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{AgentId, ChannelId, DestinationKind, EntityKind, PoolId, RunId, TopicId};

/// The address of a message. JSON: `{"type":"run","run_id":"…"}` and so on.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Address {
    /// The member that is this run.
    #[n(0)]
    #[cfg_attr(feature = "schema", schemars(title = "AddressOfRun"))]
    Run {
        /// The run.
        #[n(0)]
        run_id: RunId,
    },
    /// Every member that is a run of this agent.
    #[n(1)]
    #[cfg_attr(feature = "schema", schemars(title = "AddressOfAgent"))]
    Agent {
        /// The agent.
        #[n(0)]
        agent_id: AgentId,
    },
    /// Every member that lists this topic.
    #[n(2)]
    #[cfg_attr(feature = "schema", schemars(title = "AddressOfTopic"))]
    Topic {
        /// The topic.
        #[n(0)]
        topic_id: TopicId,
    },
    /// Every member of the pool.
    #[n(3)]
    #[cfg_attr(feature = "schema", schemars(title = "AddressOfPool"))]
    Pool {
        /// The pool; another pool's id resolves to nobody.
        #[n(0)]
        pool_id: PoolId,
    },
    /// The address that an alias leads to when the message is accepted.
    #[n(4)]
    #[cfg_attr(feature = "schema", schemars(title = "AddressOfAlias"))]
    Alias {
        /// The recipient that the alias stands for.
        #[n(0)]
        recipient: RunId,
        /// The channel of that recipient; absent: only aliases of any channel count.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelId>,
    },
}

impl Address {
    /// Returns the kind that a reference to this address has as a destination.
    pub fn destination_kind(&self) -> DestinationKind {
        match self {
            // An alias stands for a recipient, whatever it leads to.
            Self::Run { .. } | Self::Alias { .. } => DestinationKind::Run,
            Self::Agent { .. } => DestinationKind::Agent,
            Self::Topic { .. } => DestinationKind::Topic,
            Self::Pool { .. } => DestinationKind::AgentPool,
        }
    }

    /// Returns the kind that a reference to this address has as an entity.
    pub fn entity_kind(&self) -> EntityKind {
        match self {
            Self::Run { .. } | Self::Alias { .. } => EntityKind::Run,
            Self::Agent { .. } => EntityKind::Agent,
            Self::Topic { .. } => EntityKind::Topic,
            Self::Pool { .. } => EntityKind::AgentPool,
        }
    }

    /// Returns the text of the id that is addressed.
    pub fn id_text(&self) -> &str {
        match self {
            Self::Run { run_id } => run_id.as_str(),
            Self::Agent { agent_id } => agent_id.as_str(),
            Self::Topic { topic_id } => topic_id.as_str(),
            Self::Pool { pool_id } => pool_id.as_str(),
            Self::Alias { recipient, .. } => recipient.as_str(),
        }
    }

    /// Returns the topic, when a topic is addressed.
    pub fn topic(&self) -> Option<&TopicId> {
        match self {
            Self::Topic { topic_id } => Some(topic_id),
            Self::Run { .. } | Self::Agent { .. } | Self::Pool { .. } | Self::Alias { .. } => None,
        }
    }
}
