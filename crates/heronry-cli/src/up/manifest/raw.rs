//! The manifest as it is written: keys and types, nothing more.

use std::collections::BTreeMap;

use heronry_types::{
    AgentId, HostId, Labels, Limits, ModuleId, Policies, PoolId, ReadyWhen, RunId, RunsUntil,
    SessionId, TopicId,
};
use heronry_wire::{MessagePolicyBody, Unreadable};
use serde::Deserialize;
use toml::{Spanned, de::DeTable};

use super::{
    fault::{FaultAt, ManifestFault},
    keys,
    values::{RestartValue, SecretText, ready, span, until},
};
use crate::durations::TimeSpan;

#[derive(Debug, Deserialize)]
pub(super) struct ManifestFile {
    pub(super) pool: PoolId,
    pub(super) limits: Option<Limits>,
    pub(super) retention: Option<Spanned<RetentionTable>>,
    pub(super) message_policy: Option<MessagePolicyBody>,
    pub(super) grants: Option<BTreeMap<AgentId, Policies>>,
    #[serde(default)]
    pub(super) member: Vec<Spanned<MemberTable>>,
    #[serde(default)]
    pub(super) module: Vec<Spanned<ModuleTable>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RetentionTable {
    #[serde(default, deserialize_with = "span")]
    pub(super) age: Option<TimeSpan>,
    pub(super) bytes: Option<u64>,
    pub(super) keep_min: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MemberTable {
    pub(super) agent: AgentId,
    pub(super) run: Option<RunId>,
    pub(super) replicas: Option<u32>,
    #[serde(default)]
    pub(super) topics: Vec<TopicId>,
    pub(super) policies: Option<Policies>,
    #[serde(default)]
    pub(super) labels: Labels,
    pub(super) host: Option<HostId>,
    pub(super) command: Spanned<Vec<String>>,
    pub(super) cwd: Option<String>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, SecretText>,
    pub(super) env_file: Option<String>,
    #[serde(default)]
    pub(super) env_from: Vec<String>,
    #[serde(default, deserialize_with = "until")]
    pub(super) until: Option<RunsUntil>,
    pub(super) restart: Option<RestartValue>,
    #[serde(default, deserialize_with = "ready")]
    pub(super) ready: Option<ReadyWhen>,
    #[serde(default, deserialize_with = "span")]
    pub(super) ready_within: Option<TimeSpan>,
    #[serde(default, deserialize_with = "span")]
    pub(super) stop_grace: Option<TimeSpan>,
    #[serde(default, deserialize_with = "span")]
    pub(super) lease: Option<TimeSpan>,
    #[serde(default, deserialize_with = "span")]
    pub(super) timeout: Option<TimeSpan>,
    pub(super) session: Option<SessionId>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ModuleTable {
    pub(super) id: ModuleId,
    pub(super) host: Option<HostId>,
    pub(super) command: Spanned<Vec<String>>,
    pub(super) cwd: Option<String>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, SecretText>,
    pub(super) env_file: Option<String>,
    #[serde(default)]
    pub(super) env_from: Vec<String>,
    pub(super) restart: Option<RestartValue>,
    #[serde(default, deserialize_with = "ready")]
    pub(super) ready: Option<ReadyWhen>,
    #[serde(default, deserialize_with = "span")]
    pub(super) ready_within: Option<TimeSpan>,
    #[serde(default, deserialize_with = "span")]
    pub(super) stop_grace: Option<TimeSpan>,
}

/// Reads the text. Every unknown key is told, or else the first thing that has another type.
pub(super) fn parse(text: &str) -> Result<ManifestFile, Vec<FaultAt>> {
    let table = DeTable::parse(text).map_err(|error| vec![fault(&error)])?;
    let unknown = keys::unknown(table.get_ref());
    if !unknown.is_empty() {
        return Err(unknown);
    }
    toml::from_str(text).map_err(|error| vec![fault(&error)])
}

fn fault(error: &toml::de::Error) -> FaultAt {
    let offset = error.span().map_or(0, |span| span.start);
    let message = error.message().trim().replace('\n', ", ");
    let fault = ManifestFault::Toml(Unreadable::of(&message).sentence());
    FaultAt { offset, fault }
}
