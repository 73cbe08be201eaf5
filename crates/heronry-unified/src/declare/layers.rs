//! The layers of a declaration, and the roster that comes of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use heronry_host::{MemberSpec, ModuleSpec};
use heronry_types::{
    Address, AliasName, Digest, Edge, ModuleId, Peering, RosterLayer, RunId, StartWhen,
};

use super::{Declared, DeclaredFaults, DeclaredParts, DigestKey, digest};
use crate::parts::Hosts;

/// The entries that an operator adds to what is declared, and takes away from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlay {
    /// The additions: a member of the same run is replaced.
    pub add: Declared,
    /// The runs that are not to be kept, whatever declares them.
    pub suppress: BTreeSet<RunId>,
    /// The edges that are not to be kept, whatever declares them.
    pub suppress_edges: BTreeSet<Edge>,
}

/// The declarations of a pool, by where they come from. A later layer covers an earlier one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layers {
    /// The layer of a manifest or of a program.
    pub declared: Declared,
    /// The members that a source found. Of a run that stands twice the first counts.
    pub discovered: Vec<MemberSpec>,
    /// The edges that a source found.
    pub discovered_edges: Vec<Edge>,
    /// The layer of operators.
    pub overlay: Overlay,
}

/// The digest of one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LayerDigest {
    pub(crate) layer: RosterLayer,
    pub(crate) digest: Digest,
    /// The number of members of the layer.
    pub(crate) members: u64,
}

/// A member that is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct RosterMember {
    /// The spec.
    pub spec: Arc<MemberSpec>,
    /// The digest of what a running member cannot change.
    pub digest: Digest,
    /// The layer that the spec comes from.
    pub layer: RosterLayer,
}

impl RosterMember {
    /// Returns true when the member is to have a process at once; otherwise it sleeps until there is a cause.
    pub fn is_eager(&self) -> bool {
        self.spec.start == StartWhen::Eager
    }
}

/// A module that is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct RosterModule {
    /// The spec.
    pub spec: Arc<ModuleSpec>,
    /// The digest of what a running module cannot change.
    pub digest: Digest,
}

/// The roster that comes of all layers: what is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectiveRoster {
    /// The members, by run.
    pub members: BTreeMap<RunId, RosterMember>,
    /// The edges, and the layer of each.
    pub edges: BTreeMap<Edge, RosterLayer>,
    /// The aliases: those that are declared, and `member.<run>` of every member.
    pub aliases: BTreeMap<AliasName, Address>,
    /// The modules, by id.
    pub modules: BTreeMap<ModuleId, RosterModule>,
    /// The rule who may send to whom; `None`: the rule that the pool has.
    pub peering: Option<Peering>,
    /// The runs that a source found twice: the second of each does not count.
    pub found_twice: Vec<RunId>,
    digest: Digest,
}

impl EffectiveRoster {
    /// Returns the digest of the whole roster.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl Layers {
    /// Returns layers of which only the first has entries.
    pub fn of(declared: Declared) -> Self {
        Self {
            declared,
            ..Self::default()
        }
    }

    /// Checks the layers that a source and an operator made.
    pub(crate) fn check_discovered(&self, hosts: &Hosts) -> Result<(), DeclaredFaults> {
        let mut found = BTreeSet::new();
        let members = self.discovered.iter();
        let members: Vec<MemberSpec> = members
            .filter(|it| found.insert(&it.run))
            .cloned()
            .collect();
        Declared::check(DeclaredParts {
            members,
            ..DeclaredParts::default()
        })?
        .check_hosts(hosts)?;
        self.overlay.add.check_hosts(hosts)
    }

    /// Returns the digest of each layer that has entries, and of the first in any case.
    pub(crate) fn digests(&self, key: &DigestKey) -> Vec<LayerDigest> {
        let of = |layer, layers: &Self, members: usize| LayerDigest {
            layer,
            digest: layers.effective(key).digest(),
            members: members as u64,
        };
        let declared = Self::of(self.declared.clone());
        let members = self.declared.members().len();
        let mut digests = vec![of(RosterLayer::Declared, &declared, members)];
        if !self.discovered.is_empty() || !self.discovered_edges.is_empty() {
            let discovered = Self {
                discovered: self.discovered.clone(),
                discovered_edges: self.discovered_edges.clone(),
                ..Self::default()
            };
            let members = self.discovered.len();
            digests.push(of(RosterLayer::Discovered, &discovered, members));
        }
        if self.overlay != Overlay::default() {
            digests.push(LayerDigest {
                layer: RosterLayer::Overlay,
                digest: digest::of_overlay(&self.overlay, key),
                members: self.overlay.add.members().len() as u64,
            });
        }
        digests
    }

    /// Returns the roster that comes of the layers. Secret values are hashed under the key.
    pub fn effective(&self, key: &DigestKey) -> EffectiveRoster {
        let mut roster = EffectiveRoster {
            members: BTreeMap::new(),
            edges: BTreeMap::new(),
            aliases: BTreeMap::new(),
            modules: BTreeMap::new(),
            peering: self.overlay.add.peering().or(self.declared.peering()),
            found_twice: Vec::new(),
            digest: Digest([0; 32]),
        };
        self.put_members(&mut roster, key);
        self.put_edges(&mut roster);
        let modules = self.declared.modules().iter();
        for spec in modules.chain(self.overlay.add.modules()) {
            let module = RosterModule {
                digest: digest::of_module(spec, key),
                spec: Arc::new(spec.clone()),
            };
            roster.modules.insert(spec.id.clone(), module);
        }
        for run in roster.members.keys() {
            let to = Address::Run {
                run_id: run.clone(),
            };
            let named = name_of_member(run).map(|name| (name, to));
            roster.aliases.extend(named);
        }
        let aliases = self.declared.aliases().iter();
        for it in aliases.chain(self.overlay.add.aliases()) {
            roster.aliases.insert(it.alias.clone(), it.to.clone());
        }
        roster.digest = digest::of_roster(&roster);
        roster
    }

    fn put_members(&self, roster: &mut EffectiveRoster, key: &DigestKey) {
        let mut put = |spec: &MemberSpec, layer| {
            let member = RosterMember {
                digest: digest::of_member(spec, key),
                spec: Arc::new(spec.clone()),
                layer,
            };
            roster.members.insert(spec.run.clone(), member);
        };
        for spec in self.declared.members() {
            put(spec, RosterLayer::Declared);
        }
        let mut found = BTreeSet::new();
        let mut twice = Vec::new();
        for spec in &self.discovered {
            if found.insert(&spec.run) {
                put(spec, RosterLayer::Discovered);
            } else {
                twice.push(spec.run.clone());
            }
        }
        for spec in self.overlay.add.members() {
            put(spec, RosterLayer::Overlay);
        }
        roster.found_twice = twice;
        for run in &self.overlay.suppress {
            roster.members.remove(run);
        }
    }

    fn put_edges(&self, roster: &mut EffectiveRoster) {
        let layers = [
            (RosterLayer::Declared, self.declared.edges()),
            (RosterLayer::Discovered, &self.discovered_edges),
            (RosterLayer::Overlay, self.overlay.add.edges()),
        ];
        for (layer, edges) in layers {
            let kept = edges.iter().cloned();
            roster.edges.extend(kept.map(|edge| (edge, layer)));
        }
        for edge in &self.overlay.suppress_edges {
            roster.edges.remove(edge);
        }
    }
}

/// Returns the alias name `member.<run>` of a member; none when that is too long for a name.
fn name_of_member(run: &RunId) -> Option<AliasName> {
    let name = RunId::parse(format!("member.{run}")).ok()?;
    Some(AliasName {
        recipient: Some(name),
        channel: None,
    })
}

#[cfg(test)]
mod tests {
    use heronry_types::{Labels, RestartPolicy};
    use serde_json::json;

    use super::*;
    use crate::DeclaredParts;

    fn member(run: &str, command: &str) -> MemberSpec {
        let ids = (run.parse().unwrap(), "a".parse().unwrap());
        MemberSpec::new(ids.0, ids.1, "task".parse().unwrap(), json!(command))
    }

    fn declared(members: Vec<MemberSpec>) -> Declared {
        let parts = DeclaredParts {
            members,
            ..DeclaredParts::default()
        };
        Declared::check(parts).unwrap()
    }

    fn labels() -> Labels {
        let mut labels = Labels::new();
        labels.add("k", "v").unwrap();
        labels
    }

    fn key() -> DigestKey {
        DigestKey::from([7; 32])
    }

    fn digest(spec: &MemberSpec) -> Digest {
        digest::of_member(spec, &key())
    }

    #[test]
    fn a_later_layer_covers_an_earlier_one_and_every_entry_names_its_layer() {
        let layers = Layers {
            declared: declared(["a", "b", "c", "d"].map(|run| member(run, "1")).into()),
            discovered: vec![member("b", "2"), member("e", "2"), member("e", "3")],
            overlay: Overlay {
                add: declared(vec![member("c", "4")]),
                suppress: ["d"].map(|run| run.parse().unwrap()).into(),
                suppress_edges: [Edge::parse("a", "b").unwrap()].into(),
            },
            discovered_edges: vec![
                Edge::parse("a", "b").unwrap(),
                Edge::parse("a", "c").unwrap(),
            ],
        };
        let roster = layers.effective(&key());
        let members = roster.members.iter().map(|(run, member)| {
            let command = member.spec.launch.as_str().unwrap();
            format!("{run} {command} {}", member.layer)
        });
        let members: Vec<String> = members.collect();
        let expected = [
            "a 1 declared",
            "b 2 discovered",
            "c 4 overlay",
            "e 2 discovered",
        ];
        assert_eq!(members, expected);
        assert_eq!(roster.found_twice, ["e".parse().unwrap()]);
        let edges: Vec<&Edge> = roster.edges.keys().collect();
        assert_eq!(edges, [&Edge::parse("a", "c").unwrap()]);
        assert!(roster.aliases.contains_key(&AliasName {
            recipient: Some("member.e".parse().unwrap()),
            channel: None,
        }));
    }

    #[test]
    fn u6_what_changes_in_place_is_not_in_the_digest_and_all_else_is() {
        let base = member("a", "1");
        let same = |change: fn(&mut MemberSpec)| {
            let mut other = base.clone();
            change(&mut other);
            digest(&other) == digest(&base)
        };
        assert!(same(|it| it.labels = labels()));
        assert!(same(|it| it.topics = vec!["t".parse().unwrap()]));
        assert!(same(
            |it| it.idle_after = Some(std::time::Duration::from_secs(1))
        ));
        assert!(same(|it| it.restart.policy = RestartPolicy::Always));
        assert!(!same(|it| it.launch = json!("2")));
        assert!(!same(|it| it.context = Some(String::new())));
        assert!(!same(|it| it.instructions = vec![String::new()]));
        assert!(!same(|it| it.session = Some("s".parse().unwrap())));
        assert!(!same(|it| it.start = StartWhen::Lazy));
        assert!(!same(
            |it| it.timeout = Some(std::time::Duration::from_secs(1))
        ));
        assert!(!same(|it| it.environment.set("A", "").unwrap()));
    }

    #[test]
    fn r15a_a_secret_value_goes_into_the_digest_under_the_key_alone() {
        let with = |value: &str| {
            let mut spec = member("a", "1");
            spec.environment.set("KEY", value).unwrap();
            spec
        };
        assert_eq!(digest(&with("one")), digest(&with("one")));
        assert_ne!(digest(&with("one")), digest(&with("two")));
        let other = digest::of_member(&with("one"), &DigestKey::from([8; 32]));
        assert_ne!(digest(&with("one")), other);
        assert_eq!(format!("{:?}", key()), "DigestKey(hidden)");
    }

    #[test]
    fn the_digest_of_a_roster_covers_what_changes_in_place() {
        let mut changed = member("a", "1");
        changed.labels = labels();
        let roster = |spec| Layers::of(declared(vec![spec])).effective(&key()).digest();
        assert_eq!(roster(member("a", "1")), roster(member("a", "1")));
        assert_ne!(roster(member("a", "1")), roster(changed));
    }
}
