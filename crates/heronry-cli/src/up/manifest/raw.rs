//! The manifest as it is written: keys and types, nothing more.

use heronry_types::{AgentId, LimitName, Limits, PoolId, RunId, TopicId, Vocabulary, nearest};
use heronry_wire::Unreadable;
use serde::{Deserialize, Deserializer};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::ManifestFault;
use crate::durations::TimeSpan;

/// The time until which a member runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Until {
    /// Until it has exited: the job waits for it.
    #[default]
    Exited,
    /// Until it is stopped, once the job is done.
    Stopped,
}

/// The rule by which a member that exited is started again.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RestartWhen {
    /// Never.
    Never,
    /// Only after a failure.
    #[default]
    OnFailure,
    /// Always.
    Always,
}

#[derive(Debug, Deserialize)]
pub(super) struct ManifestFile {
    pub(super) pool: PoolId,
    pub(super) limits: Option<Limits>,
    pub(super) retention: Option<Spanned<RetentionTable>>,
    pub(super) member: Option<Vec<Spanned<MemberTable>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RetentionTable {
    #[serde(default, deserialize_with = "age")]
    pub(super) age: Option<TimeSpan>,
    pub(super) bytes: Option<u64>,
    pub(super) keep_min: Option<u64>,
}

fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TimeSpan>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

#[derive(Debug, Deserialize)]
pub(super) struct MemberTable {
    pub(super) agent: AgentId,
    pub(super) run: Option<RunId>,
    pub(super) replicas: Option<u32>,
    #[serde(default)]
    pub(super) topics: Vec<TopicId>,
    pub(super) command: Spanned<Vec<String>>,
    #[serde(default)]
    pub(super) until: Until,
    #[serde(default)]
    pub(super) restart: RestartWhen,
}

pub(super) const FILE_KEYS: [&str; 4] = ["pool", "limits", "retention", "member"];
pub(super) const RETENTION_KEYS: [&str; 3] = ["age", "bytes", "keep_min"];
pub(super) const MEMBER_KEYS: [&str; 7] = [
    "agent", "run", "replicas", "topics", "command", "until", "restart",
];

/// Reads the text; a fault comes with its byte offset.
pub(super) fn parse(text: &str) -> Result<ManifestFile, (usize, ManifestFault)> {
    let table = DeTable::parse(text).map_err(|error| fault(&error))?;
    refuse_unknown_keys(table.get_ref())?;
    toml::from_str(text).map_err(|error| fault(&error))
}

fn fault(error: &toml::de::Error) -> (usize, ManifestFault) {
    let offset = error.span().map_or(0, |span| span.start);
    let message = error.message().trim().replace('\n', ", ");
    (
        offset,
        ManifestFault::Toml(Unreadable::of(&message).sentence()),
    )
}

fn refuse_unknown_keys(file: &DeTable<'_>) -> Result<(), (usize, ManifestFault)> {
    check_keys(file, "the manifest", &FILE_KEYS)?;
    let limits: Vec<&'static str> = LimitName::ALL.iter().map(|n| n.wire_name()).collect();
    if let Some(DeValue::Table(table)) = file.get("limits").map(Spanned::get_ref) {
        check_keys(table, "[limits]", &limits)?;
    }
    if let Some(DeValue::Table(table)) = file.get("retention").map(Spanned::get_ref) {
        check_keys(table, "[retention]", &RETENTION_KEYS)?;
    }
    if let Some(DeValue::Array(members)) = file.get("member").map(Spanned::get_ref) {
        for member in members {
            if let DeValue::Table(table) = member.get_ref() {
                check_keys(table, "[[member]]", &MEMBER_KEYS)?;
            }
        }
    }
    Ok(())
}

fn check_keys(
    table: &DeTable<'_>,
    place: &'static str,
    known: &[&'static str],
) -> Result<(), (usize, ManifestFault)> {
    let unknown = |key: &&Spanned<toml::de::DeString<'_>>| !known.contains(&&**key.get_ref());
    // The first one in the file, not in the alphabet.
    let first = table
        .keys()
        .filter(unknown)
        .min_by_key(|key| key.span().start);
    match first {
        None => Ok(()),
        Some(key) => Err((
            key.span().start,
            ManifestFault::UnknownKey {
                key: key.get_ref().to_string(),
                place,
                suggestion: nearest(key.get_ref(), known.iter().copied()),
            },
        )),
    }
}
