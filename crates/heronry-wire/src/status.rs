//! The status of a server and its pools.

use heronry_types::{Cursor, Durability, PoolId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Problem;

/// The status of a server and its pools. The answer of `GET /v1/status`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerStatus {
    /// The version of the build, as `0.1.0`.
    pub version: String,
    /// The id of the server's process.
    pub pid: u32,
    /// The time at which the server began to serve.
    pub started_at: Timestamp,
    /// The time that the server has served, in milliseconds.
    pub uptime_ms: u64,
    /// The connections of the server; absent where another program takes them for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<ConnectionsStatus>,
    /// The number of event streams that are open.
    pub streams: u64,
    /// The store of the server.
    pub store: StoreStatus,
    /// The space of the store's file system; absent when there is none, or nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskStatus>,
    /// The number of pools in the store; absent when the store cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pools_total: Option<u64>,
    /// The pools, sorted by id: at most 256.
    pub pools: Vec<PoolStatus>,
}

/// The connections of a server.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionsStatus {
    /// The number of connections that are open, the one that asks included.
    pub open: u64,
    /// The largest number of connections.
    pub max: u64,
}

/// A store.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoreStatus {
    /// The name of the store's kind, as `redb`.
    pub kind: String,
    /// The place of the store, for people; empty when the server was not told.
    pub place: String,
    /// The durability with which the store keeps records.
    pub durability: Durability,
    /// The reason why nothing can be written or read; absent while all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// The space of a file system.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DiskStatus {
    /// The space that the server may still write, in bytes.
    pub free_bytes: u64,
    /// The size of the file system, in bytes.
    pub total_bytes: u64,
    /// The number of free bytes below which the server warns (`disk_free_bytes_min`).
    pub free_bytes_min: u64,
}

impl DiskStatus {
    /// Returns true when there is less space than there should be.
    pub fn is_low(&self) -> bool {
        self.free_bytes < self.free_bytes_min
    }
}

/// One pool of a [`ServerStatus`]: its figures, or the reason why there are none.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolStatus {
    /// The id of the pool.
    pub pool: PoolId,
    /// The figures of the pool; absent when they could not be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<PoolFigures>,
    /// The reason why there are no figures; absent when there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// The figures of a pool.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolFigures {
    /// The cursor of the last record.
    pub head: Cursor,
    /// The number of members.
    pub members: u64,
    /// The number of members that are lost: silent for longer than their leases.
    pub lost_members: u64,
    /// The number of members that are suspended.
    pub suspended_members: u64,
    /// The number of messages that are not over.
    pub live_messages: u64,
    /// The number of copies that are dead, and can be replayed.
    pub dead_letters: u64,
    /// The number of wakes that wait.
    pub live_wakes: u64,
    /// The number of event streams of the pool that are open.
    pub streams: u64,
    /// The number of commands that wait to be decided.
    pub queued_commands: u64,
}
