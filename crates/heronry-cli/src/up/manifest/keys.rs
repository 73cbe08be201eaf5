//! The keys that a manifest can have, and the search for those that it cannot.

use heronry_types::{LimitName, Vocabulary, nearest};
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::fault::{FaultAt, ManifestFault};

pub(super) const FILE_KEYS: [&str; 9] = [
    "pool",
    "limits",
    "retention",
    "message_policy",
    "grants",
    "peering",
    "edge",
    "member",
    "module",
];
pub(super) const RETENTION_KEYS: [&str; 3] = ["age", "bytes", "keep_min"];
pub(super) const MESSAGE_POLICY_KEYS: [&str; 2] =
    ["required_policies", "include_sender_in_pool_broadcast"];
pub(super) const MEMBER_KEYS: [&str; 21] = [
    "agent",
    "run",
    "replicas",
    "topics",
    "policies",
    "labels",
    "host",
    "command",
    "cwd",
    "env",
    "env_file",
    "env_from",
    "start",
    "until",
    "restart",
    "ready",
    "ready_within",
    "stop_grace",
    "lease",
    "timeout",
    "session",
];
pub(super) const EDGE_KEYS: [&str; 3] = ["between", "hub", "spokes"];
pub(super) const RESTART_KEYS: [&str; 4] = ["policy", "budget", "backoff", "window"];
pub(super) const MODULE_KEYS: [&str; 11] = [
    "id",
    "host",
    "command",
    "cwd",
    "env",
    "env_file",
    "env_from",
    "restart",
    "ready",
    "ready_within",
    "stop_grace",
];

/// Returns every key that is not known, in the order of the file.
pub(super) fn unknown(file: &DeTable<'_>) -> Vec<FaultAt> {
    let limits: Vec<&'static str> = LimitName::ALL.iter().map(|it| it.wire_name()).collect();
    let mut found = Unknown::default();
    found.look(file, KeysOf::new("the manifest", &FILE_KEYS));
    found.look_in(file, "limits", KeysOf::new("[limits]", &limits));
    let retention = KeysOf::new("[retention]", &RETENTION_KEYS);
    found.look_in(file, "retention", retention);
    let policy = KeysOf::new("[message_policy]", &MESSAGE_POLICY_KEYS);
    found.look_in(file, "message_policy", policy);
    for (list, place, known) in [
        ("member", "[[member]]", &MEMBER_KEYS[..]),
        ("module", "[[module]]", &MODULE_KEYS),
        ("edge", "[[edge]]", &EDGE_KEYS),
    ] {
        let Some(DeValue::Array(entries)) = file.get(list).map(Spanned::get_ref) else {
            continue;
        };
        for entry in entries {
            if let DeValue::Table(table) = entry.get_ref() {
                found.look(table, KeysOf::new(place, known));
                found.look_in(table, "restart", KeysOf::new("restart", &RESTART_KEYS));
            }
        }
    }
    found.0.sort_by_key(|fault| fault.offset);
    found.0
}

/// A table of the manifest, as people call it, and the keys that it can have.
#[derive(Clone, Copy)]
struct KeysOf<'a> {
    place: &'static str,
    known: &'a [&'static str],
}

impl<'a> KeysOf<'a> {
    fn new(place: &'static str, known: &'a [&'static str]) -> Self {
        Self { place, known }
    }
}

#[derive(Default)]
struct Unknown(Vec<FaultAt>);

impl Unknown {
    fn look_in(&mut self, table: &DeTable<'_>, key: &str, keys: KeysOf<'_>) {
        if let Some(DeValue::Table(inner)) = table.get(key).map(Spanned::get_ref) {
            self.look(inner, keys);
        }
    }

    fn look(&mut self, table: &DeTable<'_>, KeysOf { place, known }: KeysOf<'_>) {
        let unknown = |key: &&Spanned<DeString<'_>>| !known.contains(&&**key.get_ref());
        let faults = table.keys().filter(unknown).map(|key| FaultAt {
            offset: key.span().start,
            fault: ManifestFault::UnknownKey {
                key: key.get_ref().to_string(),
                place,
                suggestion: nearest(key.get_ref(), known.iter().copied()),
            },
        });
        self.0.extend(faults);
    }
}
