//! Digests of specs: equal digests need no restart. Of a secret value only a keyed hash goes in.

use std::fmt;

use blake3::Hasher;
use heronry_host::{MemberSpec, ModuleSpec, ReadyRule, SpecEnvironment};
use heronry_types::{Digest, Edge, Vocabulary};

use super::layers::{EffectiveRoster, Layers, Overlay};

/// The key under which secret values are hashed. No `Debug` text shows it.
#[derive(Clone)]
pub struct DigestKey([u8; 32]);

impl From<[u8; 32]> for DigestKey {
    fn from(key: [u8; 32]) -> Self {
        Self(key)
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(hidden)")
    }
}

/// A digest that is being made: each part stands behind its length, so no other parts have this digest.
struct DigestParts(Hasher);

impl DigestParts {
    fn of(what: &str) -> Self {
        let mut parts = Self(Hasher::new());
        parts.text(what);
        parts
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u128) {
        self.0.update(&number.to_be_bytes());
    }

    fn perhaps<T>(&mut self, part: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.number(u128::from(part.is_some()));
        if let Some(part) = part {
            put(self, part);
        }
    }

    fn each<T>(&mut self, parts: impl ExactSizeIterator<Item = T>, put: impl Fn(&mut Self, T)) {
        self.number(parts.len() as u128);
        for part in parts {
            put(self, part);
        }
    }

    fn variables(&mut self, variables: &SpecEnvironment, key: &DigestKey) {
        self.each(variables.names(), |parts, name| {
            parts.text(name);
            parts.perhaps(variables.value(name), |parts, value| {
                let value = value.reveal().as_encoded_bytes();
                parts.bytes(blake3::keyed_hash(&key.0, value).as_bytes());
            });
        });
    }

    fn ready(&mut self, rule: ReadyRule) {
        self.text(rule.when.wire_name());
        self.number(rule.within.as_millis());
    }

    fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

/// Returns the digest of all that a running member cannot change: what is not in it, labels, topics, idle and
/// restart settings, changes in place.
pub(super) fn of_member(spec: &MemberSpec, key: &DigestKey) -> Digest {
    let mut parts = DigestParts::of("member");
    parts.text(spec.run.as_str());
    parts.text(spec.agent.as_str());
    parts.perhaps(spec.policies.as_ref(), |parts, policies| {
        // Policies are texts: writing them cannot fail.
        parts.bytes(&serde_json::to_vec(policies).unwrap_or_default());
    });
    parts.text(spec.host.as_str());
    parts.text(&spec.launch.to_string());
    parts.variables(&spec.environment, key);
    parts.text(spec.start.wire_name());
    parts.text(spec.until.wire_name());
    parts.ready(spec.ready);
    parts.number(spec.stop_grace.as_millis());
    parts.perhaps(spec.lease, |parts, lease| parts.number(lease.0.into()));
    parts.perhaps(spec.timeout, |parts, life| parts.number(life.as_millis()));
    parts.perhaps(spec.context.as_deref(), DigestParts::text);
    parts.each(spec.instructions.iter(), |parts, text| parts.text(text));
    parts.perhaps(spec.session.as_ref(), |parts, id| parts.text(id.as_str()));
    parts.finish()
}

/// Returns the digest of all that a running module cannot change.
pub(super) fn of_module(spec: &ModuleSpec, key: &DigestKey) -> Digest {
    let mut parts = DigestParts::of("module");
    parts.text(spec.id.as_str());
    parts.text(spec.host.as_str());
    parts.text(&spec.launch.to_string());
    parts.variables(&spec.environment, key);
    parts.ready(spec.ready);
    parts.number(spec.stop_grace.as_millis());
    parts.perhaps(spec.run.as_ref(), |parts, run| parts.text(run.as_str()));
    parts.finish()
}

/// Returns the digest of a whole roster: of everything that is declared.
pub(super) fn of_roster(roster: &EffectiveRoster) -> Digest {
    let mut parts = DigestParts::of("roster");
    parts.each(roster.members.values(), |parts, member| {
        let spec = &member.spec;
        parts.bytes(&member.digest.0);
        parts.text(member.layer.wire_name());
        parts.each(spec.labels.names(), |parts, name| {
            parts.text(name);
            parts.perhaps(spec.labels.value(name), DigestParts::text);
        });
        parts.each(spec.topics.iter(), |parts, topic| {
            parts.text(topic.as_str());
        });
        parts.perhaps(spec.idle_after, |parts, idle| {
            parts.number(idle.as_millis());
        });
        parts.text(spec.restart.policy.wire_name());
        parts.number(spec.restart.budget.into());
        parts.number(spec.restart.backoff.as_millis());
        parts.number(spec.restart.window.as_millis());
    });
    let edge = |parts: &mut DigestParts, edge: &Edge| {
        parts.text(edge.a().as_str());
        parts.text(edge.b().as_str());
    };
    parts.each(roster.edges.keys(), edge);
    parts.each(roster.aliases.iter(), |parts, (alias, to)| {
        for name in [
            alias.recipient.as_ref().map(heronry_types::Id::as_str),
            alias.channel.as_ref().map(heronry_types::Id::as_str),
        ] {
            parts.perhaps(name, DigestParts::text);
        }
        // An address is a few texts: writing it cannot fail.
        parts.bytes(&serde_json::to_vec(to).unwrap_or_default());
    });
    parts.each(roster.modules.values(), |parts, module| {
        parts.bytes(&module.digest.0);
        parts.text(module.spec.restart.policy.wire_name());
        parts.number(module.spec.restart.budget.into());
        parts.number(module.spec.restart.backoff.as_millis());
        parts.number(module.spec.restart.window.as_millis());
    });
    parts.perhaps(roster.peering, |parts, rule| parts.text(rule.wire_name()));
    parts.finish()
}

/// Returns the digest of what operators add and take away.
pub(super) fn of_overlay(overlay: &Overlay, key: &DigestKey) -> Digest {
    let mut parts = DigestParts::of("overlay");
    let added = Layers::of(overlay.add.clone()).effective(key);
    parts.bytes(&of_roster(&added).0);
    parts.each(overlay.suppress.iter(), |parts, run| {
        parts.text(run.as_str());
    });
    parts.each(overlay.suppress_edges.iter(), |parts, edge| {
        parts.text(edge.a().as_str());
        parts.text(edge.b().as_str());
    });
    parts.finish()
}
