//! Records about the roster, as lines of text.

use heronry_journal::{
    MemberSpecified, MemberStandingChanged, ModuleStandingChanged, Reconciled, RosterDeclared,
    RosterRecord, RuntimeErrorRecorded, StewardReleased, StewardTaken,
};

use super::{super::ask_roster::labels_text, Tell, note};

/// Returns what happened to the roster.
pub(super) fn tell(run: &str, record: RosterRecord<'_>) -> String {
    match record {
        RosterRecord::StewardTaken(it) => it.tell(run),
        RosterRecord::StewardReleased(it) => it.tell(run),
        RosterRecord::RosterDeclared(it) => it.tell(run),
        RosterRecord::MemberSpecified(it) => it.tell(run),
        RosterRecord::MemberStandingChanged(it) => it.tell(run),
        RosterRecord::ModuleStandingChanged(it) => it.tell(run),
        RosterRecord::Reconciled(it) => it.tell(run),
        RosterRecord::RuntimeErrorRecorded(it) => it.tell(run),
    }
}

impl Tell for StewardTaken {
    fn tell(&self, _: &str) -> String {
        let Self {
            instance,
            owner,
            replaced,
        } = self;
        let replaced = replaced.map_or(String::new(), |it| format!(", instead of {it}"));
        format!("steward {instance} of owner {owner}{replaced}")
    }
}

impl Tell for StewardReleased {
    fn tell(&self, _: &str) -> String {
        format!("steward {} goes", self.steward)
    }
}

impl Tell for RosterDeclared {
    fn tell(&self, _: &str) -> String {
        let it = self;
        let by = it
            .steward
            .map_or("by hand".to_owned(), |it| format!("by {it}"));
        format!(
            "roster {}: {} of {} in {} {by}",
            it.revision, it.members, it.digest.0[0], it.layer
        )
    }
}

impl Tell for MemberSpecified {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let digest = it
            .digest
            .map_or("no more".to_owned(), |digest| format!("as {}", digest.0[0]));
        let labels = labels_text(&it.labels);
        let why = note(it.why.as_ref());
        format!("{run} specified {digest} in {}{labels}{why}", it.layer)
    }
}

impl Tell for MemberStandingChanged {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let of = it.generation.map_or(String::new(), |it| format!("/{it}"));
        format!("{run}{of} is {}{}", it.standing, note(it.why.as_ref()))
    }
}

impl Tell for ModuleStandingChanged {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!(
            "module {} is {}{}",
            it.module,
            it.standing,
            note(it.why.as_ref())
        )
    }
}

impl Tell for Reconciled {
    fn tell(&self, _: &str) -> String {
        let it = self;
        let (desired, failed) = (it.counts.desired, it.counts.failed);
        let told = it.failures.len();
        format!(
            "reconciled {}: {desired} desired, {failed} failed, {told} told",
            it.revision
        )
    }
}

impl Tell for RuntimeErrorRecorded {
    fn tell(&self, run: &str) -> String {
        let it = self;
        format!("error {} of {run}: {} ({})", it.id, it.category, it.detail)
    }
}
