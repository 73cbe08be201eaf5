//! Commands of scenarios about the roster.
//!
//! A digest is its first byte. A member of the roster is `a` or `a -> b why`: how it is specified or stands is the
//! call's, and what follows the name is why.

use heronry_pool::decide::{
    Authority, DeclareRoster, DescribeRoster, ListModules, ListRoster, OnHeld, RecordReconcile,
    RecordRuntimeError, ReleaseSteward, RosterDeclaration, SetModuleStanding, SetStandings,
    SpecifiedMember, SpecifyMembers, StandingOf, TakeSteward,
};
use heronry_pool::{LayerView, RosterRowView, RosterView};
use heronry_types::{
    DeclaredEntry, Digest, Labels, MemberStanding, ModuleStanding, Position, ReconcileCounts,
    ReconcileFailure, ReconcileStage, RosterLayer, RuntimeErrorCategory, StewardToken,
};

use super::{Scenario, Step, answers, notation::id, record_text::list};

/// Reads a run, and why.
fn named(text: &str) -> (&str, Option<String>) {
    match text.split_once(' ') {
        Some((run, why)) => (run, Some(why.to_owned())),
        None => (text, None),
    }
}

fn token(steward: u64) -> StewardToken {
    StewardToken(Position(steward))
}

fn labels_of(pairs: &[(&str, &str)]) -> Labels {
    let mut labels = Labels::new();
    for (name, value) in pairs {
        labels.add(*name, *value).unwrap();
    }
    labels
}

/// Returns labels as texts, in the order of their names.
pub(super) fn labels_text(labels: &Labels) -> String {
    let value = |name| labels.value(name).unwrap();
    let texts = labels
        .names()
        .map(|name| format!(" {name}={}", value(name)));
    texts.collect::<Vec<_>>().concat()
}

fn digest(first: u8) -> Digest {
    let mut digest = [0; 32];
    digest[0] = first;
    Digest(digest)
}

impl Scenario {
    /// Takes the stewardship as an instance of an owner; `!` after the instance takes it over.
    pub(crate) fn take_steward(&mut self, instance: &str, owner: u64) -> Step {
        let (instance, on_held) = match instance.strip_suffix('!') {
            Some(instance) => (instance, OnHeld::TakeOver),
            None => (instance, OnHeld::Refuse),
        };
        let take = TakeSteward {
            instance: id(instance),
            owner,
            on_held,
        };
        self.step(&take, |it| {
            let repeated = if it.repeated { ", repeated" } else { "" };
            format!("steward {}{repeated}", it.token)
        })
    }

    pub(crate) fn release_steward(&mut self, steward: u64) -> Step {
        let release = ReleaseSteward {
            steward: token(steward),
        };
        self.step(&release, answers::done)
    }

    /// Declares a layer of so many members; steward 0 is an operator by hand.
    pub(crate) fn declare(
        &mut self,
        steward: u64,
        layer: RosterLayer,
        digest_byte: u8,
        expected: Option<u64>,
    ) -> Step {
        let by = match steward {
            0 => Authority::ByHand,
            steward => Authority::Steward(token(steward)),
        };
        let declare = DeclareRoster {
            by,
            expected,
            declared: RosterDeclaration {
                layer,
                digest: digest(digest_byte),
                members: 2,
                content: None,
            },
        };
        self.step(&declare, |it| {
            let repeated = if it.repeated { ", repeated" } else { "" };
            format!("revision {}{repeated}", it.revision)
        })
    }

    /// Declares a layer by hand, whose body was stored under this name.
    pub(crate) fn declare_stored(
        &mut self,
        layer: RosterLayer,
        digest_byte: u8,
        content: &str,
    ) -> Step {
        let declare = DeclareRoster {
            by: Authority::ByHand,
            expected: None,
            declared: RosterDeclaration {
                layer,
                digest: digest(digest_byte),
                members: 2,
                content: Some(self.contents[content]),
            },
        };
        self.step(&declare, |it| format!("revision {}", it.revision))
    }

    /// Specifies members of the declared layer; a digest of 0 specifies them no longer.
    pub(crate) fn specify(&mut self, steward: u64, digest_byte: u8, members: &[&str]) -> Step {
        self.specify_labelled(steward, digest_byte, members, &[])
    }

    pub(crate) fn specify_labelled(
        &mut self,
        steward: u64,
        digest_byte: u8,
        members: &[&str],
        labels: &[(&str, &str)],
    ) -> Step {
        let specified = members.iter().map(|text| {
            let (run, why) = named(text);
            SpecifiedMember {
                run: id(run),
                digest: (digest_byte != 0).then(|| digest(digest_byte)),
                labels: labels_of(labels),
                layer: RosterLayer::Declared,
                why,
            }
        });
        let specify = SpecifyMembers {
            steward: token(steward),
            specified: specified.collect(),
        };
        self.step(&specify, answers::done)
    }

    /// Says how members stand, all alike.
    pub(crate) fn stand(
        &mut self,
        steward: u64,
        standing: MemberStanding,
        members: &[&str],
    ) -> Step {
        let standings = members.iter().map(|text| {
            let (run, why) = named(text);
            StandingOf {
                run: id(run),
                standing,
                why,
            }
        });
        let set = SetStandings {
            steward: token(steward),
            standings: standings.collect(),
        };
        self.step(&set, answers::done)
    }

    pub(crate) fn stand_module(
        &mut self,
        steward: u64,
        module: &str,
        standing: ModuleStanding,
    ) -> Step {
        let (module, why) = named(module);
        let set = SetModuleStanding {
            steward: token(steward),
            module: id(module),
            standing,
            why,
        };
        self.step(&set, answers::done)
    }

    /// Records a reconcile of the roster with so many failures.
    pub(crate) fn reconcile(&mut self, steward: u64, revision: u64, failed: usize) -> Step {
        let failure = ReconcileFailure {
            of: DeclaredEntry::Run(id("a")),
            stage: ReconcileStage::Start,
            kind: "no_such_host".to_owned(),
            message: "there is no such host".to_owned(),
        };
        let record = RecordReconcile {
            steward: token(steward),
            revision,
            counts: ReconcileCounts {
                desired: 2,
                failed: failed as u64,
                ..ReconcileCounts::default()
            },
            failures: vec![failure; failed],
        };
        self.step(&record, answers::done)
    }

    pub(crate) fn runtime_error(&mut self, error: &str, run: Option<&str>) -> Step {
        let record = RecordRuntimeError {
            id: id(error),
            category: RuntimeErrorCategory::HostCrash,
            run: run.map(id),
            detail: "down".to_owned(),
        };
        self.step(&record, answers::done)
    }

    pub(crate) fn roster(&mut self, by: &str) -> Step {
        let caller = self.speaker(by).0;
        self.step(&DescribeRoster { caller }, |it| roster(&it))
    }

    pub(crate) fn roster_rows(&mut self, by: &str, after: Option<&str>, max: u64) -> Step {
        let list_roster = ListRoster {
            caller: self.speaker(by).0,
            after: after.map(id),
            max,
        };
        self.step(&list_roster, |it| {
            let next = it.next.map(|run| format!(" next {run}"));
            list(it.rows.iter().map(row)) + &next.unwrap_or_default()
        })
    }

    pub(crate) fn modules(&mut self, by: &str, after: Option<&str>, max: u64) -> Step {
        let list_modules = ListModules {
            caller: self.speaker(by).0,
            after: after.map(id),
            max,
        };
        self.step(&list_modules, |it| {
            let next = it.next.map(|module| format!(" next {module}"));
            let modules = it.modules.iter().map(|it| {
                let why = it
                    .why
                    .as_ref()
                    .map_or(String::new(), |it| format!(" ({it})"));
                format!(
                    "{} {}{why} since {}",
                    it.module, it.standing, it.since.position
                )
            });
            list(modules) + &next.unwrap_or_default()
        })
    }
}

fn roster(it: &RosterView) -> String {
    let steward = it.steward.as_ref().map_or("nobody".to_owned(), |it| {
        format!("{} {}/{}", it.token, it.instance, it.owner)
    });
    let layer = |it: &LayerView| {
        format!(
            "{} {} as {} at {}",
            it.layer, it.revision, it.digest.0[0], it.cursor.position
        )
    };
    let layers = list(it.layers.iter().map(layer));
    let held = it.not_applied_since.map_or(String::new(), |at| {
        format!(", not applied since {}", at.position)
    });
    let reconciled = it.reconciled.map_or(String::new(), |last| {
        format!(", reconciled {} at {}", last.revision, last.cursor.position)
    });
    format!(
        "{steward}: revision {} [{layers}] {} members{held}{reconciled}",
        it.revision, it.members
    )
}

fn row(it: &RosterRowView) -> String {
    let why = |why: &Option<String>| why.as_ref().map_or(String::new(), |it| format!(" ({it})"));
    let labels = labels_text(&it.labels);
    let generation = it.generation.map_or(String::new(), |it| format!("/{it}"));
    let mut text = format!(
        "{}{generation} as {} in {}{labels}{} at {}",
        it.run,
        it.digest.0[0],
        it.layer,
        why(&it.why),
        it.specified.position
    );
    if let Some(stands) = &it.stands {
        let of = stands
            .generation
            .map_or(String::new(), |it| format!("/{it}"));
        text.extend([format!(
            ", {}{of}{} since {}",
            stands.standing,
            why(&stands.why),
            stands.since.position
        )]);
    }
    text
}
