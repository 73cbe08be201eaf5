//! Samples of records about a pool that is kept as it was declared.

use heronry_types::{
    DeclaredEntry, Digest, Edge, Generation, Labels, MemberStanding, ModuleStanding, Position,
    ReconcileCounts, ReconcileFailure, ReconcileStage, RosterLayer, RunId, RuntimeErrorCategory,
    StewardToken,
};
use proptest::{option, prelude::*};

use super::{
    MemberSpecified, MemberStandingChanged, ModuleStandingChanged, Reconciled, RosterDeclared,
    RuntimeErrorRecorded, StewardReleased, StewardTaken,
};
use crate::samples::{
    self, Sample,
    arbitrary::{few, generation, id, note, position, word},
};

fn sample_digest() -> Digest {
    Digest(*b"the digest of what was declared.")
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn steward() -> impl Strategy<Value = StewardToken> {
    position().prop_map(StewardToken)
}

fn labels() -> impl Strategy<Value = Labels> {
    let label = ("[a-z]{1,9}", "[^\\p{Cc}]{0,9}");
    let labels = proptest::collection::btree_map(label.0, label.1, 0..4);
    labels.prop_map(|labels| labels_of(labels.into_iter().map(|(name, value)| [name, value])))
}

fn labels_of<T: Into<String>>(pairs: impl IntoIterator<Item = [T; 2]>) -> Labels {
    let mut labels = Labels::new();
    for [name, value] in pairs {
        labels.add(name, value).unwrap();
    }
    labels
}

impl Sample for StewardTaken {
    fn samples() -> Vec<Self> {
        vec![Self {
            instance: samples::id("host-1:4711"),
            owner: 7,
            replaced: Some(StewardToken(Position(290))),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (id(), any::<u64>(), option::of(steward()))
            .prop_map(|(instance, owner, replaced)| Self {
                instance,
                owner,
                replaced,
            })
            .boxed()
    }
}

impl Sample for StewardReleased {
    fn samples() -> Vec<Self> {
        vec![Self {
            steward: StewardToken(Position(290)),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        steward().prop_map(|steward| Self { steward }).boxed()
    }
}

impl Sample for RosterDeclared {
    fn samples() -> Vec<Self> {
        vec![Self {
            revision: 3,
            digest: sample_digest(),
            layer: RosterLayer::Overlay,
            members: 6,
            content: Some(samples::content_ref()),
            steward: Some(StewardToken(Position(290))),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let content = any::<[u8; 16]>().prop_map(heronry_types::ContentRef::from_bits);
        let numbers = (any::<u64>(), any::<u64>());
        let from = (option::of(content), option::of(steward()));
        (numbers, digest(), word(), from)
            .prop_map(|((revision, members), digest, layer, from)| Self {
                revision,
                digest,
                layer,
                members,
                content: from.0,
                steward: from.1,
            })
            .boxed()
    }
}

impl Sample for MemberSpecified {
    fn samples() -> Vec<Self> {
        vec![Self {
            digest: Some(sample_digest()),
            labels: labels_of([["team", "review"], ["tier", "2"]]),
            layer: RosterLayer::Discovered,
            why: Some("found by the catalogue".to_owned()),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (option::of(digest()), labels(), word(), note())
            .prop_map(|(digest, labels, layer, why)| Self {
                digest,
                labels,
                layer,
                why,
            })
            .boxed()
    }
}

impl Sample for MemberStandingChanged {
    fn samples() -> Vec<Self> {
        vec![Self {
            standing: MemberStanding::Broken,
            why: Some("5 restarts in 60 s".to_owned()),
            generation: Some(Generation(Position(3))),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (word(), note(), option::of(generation()))
            .prop_map(|(standing, why, generation)| Self {
                standing,
                why,
                generation,
            })
            .boxed()
    }
}

impl Sample for ModuleStandingChanged {
    fn samples() -> Vec<Self> {
        vec![Self {
            module: samples::id("indexer"),
            standing: ModuleStanding::Restarting,
            why: Some("exit code 1".to_owned()),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (id(), word(), note())
            .prop_map(|(module, standing, why)| Self {
                module,
                standing,
                why,
            })
            .boxed()
    }
}

fn sample_failure(of: DeclaredEntry) -> ReconcileFailure {
    ReconcileFailure {
        of,
        stage: ReconcileStage::Start,
        kind: "not_executable".to_owned(),
        message: "the script may not be executed".to_owned(),
    }
}

impl Sample for Reconciled {
    fn samples() -> Vec<Self> {
        let run: RunId = samples::id("run-lead");
        let edge = Edge::between(run.clone(), samples::id("scout")).unwrap();
        let alias = DeclaredEntry::Alias {
            recipient: Some(run.clone()),
            channel: Some(samples::id("findings")),
        };
        let of = [
            DeclaredEntry::Run(run),
            DeclaredEntry::Module(samples::id("indexer")),
            DeclaredEntry::Edge(edge),
            alias,
        ];
        vec![Self {
            revision: 3,
            counts: ReconcileCounts {
                desired: 9,
                retained: 1,
                changed: 2,
                started: 3,
                restarted: 4,
                retired: 5,
                dormant: 6,
                failed: 4,
            },
            failures: of.map(sample_failure).into(),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let run = || id::<heronry_types::kind::Run>();
        let edge = (run(), run()).prop_filter_map("two ends", |(a, b)| Edge::between(a, b).ok());
        let of = prop_oneof![
            run().prop_map(DeclaredEntry::Run),
            id().prop_map(DeclaredEntry::Module),
            edge.prop_map(DeclaredEntry::Edge),
            (option::of(run()), option::of(id()))
                .prop_map(|(recipient, channel)| DeclaredEntry::Alias { recipient, channel }),
        ];
        let failure = (of, word(), ".{0,20}", ".{0,40}").prop_map(|(of, stage, kind, message)| {
            ReconcileFailure {
                of,
                stage,
                kind,
                message,
            }
        });
        (any::<u64>(), any::<[u64; 8]>(), few(failure))
            .prop_map(|(revision, counts, failures)| {
                let [
                    desired,
                    retained,
                    changed,
                    started,
                    restarted,
                    retired,
                    dormant,
                    failed,
                ] = counts;
                let counts = ReconcileCounts {
                    desired,
                    retained,
                    changed,
                    started,
                    restarted,
                    retired,
                    dormant,
                    failed,
                };
                Self {
                    revision,
                    counts,
                    failures,
                }
            })
            .boxed()
    }
}

impl Sample for RuntimeErrorRecorded {
    fn samples() -> Vec<Self> {
        vec![Self {
            id: samples::id("error-7"),
            category: RuntimeErrorCategory::HostCrash,
            detail: "the process host ended".to_owned(),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (id(), word(), ".{0,40}")
            .prop_map(|(id, category, detail)| Self {
                id,
                category,
                detail,
            })
            .boxed()
    }
}
