//! The status of a server and its pools.

use heronry_types::{Cursor, Durability, PoolId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Problem;

/// How a server and its pools are: the answer of `GET /v1/status`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerStatus {
    /// The version of the build, as `0.1.0`.
    pub version: String,
    /// The id of the server's process.
    pub pid: u32,
    /// When it began to serve.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub started_at: Timestamp,
    /// How long it has served, in milliseconds.
    pub uptime_ms: u64,
    /// Its connections; absent where another program takes them for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<ConnectionsStatus>,
    /// How many event streams are open.
    pub streams: u64,
    /// Its store.
    pub store: StoreStatus,
    /// The space of the store's file system; absent when there is none, or nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskStatus>,
    /// How many pools the store has; absent when it cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pools_total: Option<u64>,
    /// Its pools, sorted: at most 256.
    pub pools: Vec<PoolStatus>,
}

/// The connections of a server.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionsStatus {
    /// How many are open, the one that asks included.
    pub open: u64,
    /// How many may be.
    pub max: u64,
}

/// A store.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreStatus {
    /// The name of its kind, as `redb`.
    pub kind: String,
    /// Where it is, for people; empty when the server was not told.
    pub place: String,
    /// How safely it keeps records.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub durability: Durability,
    /// Why nothing can be written or read; absent while all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// The space of a file system.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiskStatus {
    /// What the server may still write, in bytes.
    pub free_bytes: u64,
    /// All of it, in bytes.
    pub total_bytes: u64,
    /// With fewer free bytes the server warns (`disk_free_bytes_min`).
    pub free_bytes_min: u64,
}

impl DiskStatus {
    /// Returns true when there is less space than there should be.
    pub fn is_low(&self) -> bool {
        self.free_bytes < self.free_bytes_min
    }
}

/// One pool of a [`ServerStatus`]: its figures, or why there are none.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PoolStatus {
    /// The pool.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub pool: PoolId,
    /// Its figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<PoolFigures>,
    /// Why it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// The figures of a pool.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PoolFigures {
    /// The last record.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub head: Cursor,
    /// How many members it has.
    pub members: u64,
    /// How many of them are lost: silent for longer than their leases.
    pub lost_members: u64,
    /// How many of them are suspended.
    pub suspended_members: u64,
    /// How many messages have copies that have not ended.
    pub live_messages: u64,
    /// How many copies are dead, and can be replayed.
    pub dead_letters: u64,
    /// How many wakes wait.
    pub live_wakes: u64,
    /// How many event streams of it are open.
    pub streams: u64,
    /// How far it lags behind its callers: commands that wait to be decided.
    pub queued_commands: u64,
}
