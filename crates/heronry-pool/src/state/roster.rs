//! The roster: which members should run, how they stand, who keeps them so, and what runs beside them.

mod encoded;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
};

use heronry_journal::{MemberSpecified, RosterDeclared};
use heronry_types::{
    ContentRef, Digest, Generation, InstanceId, Labels, MemberStanding, ModuleId, ModuleStanding,
    Position, ReconcileCounts, RosterLayer, RunId, StewardToken,
};

use crate::state::{Member, Members, RecentItems};

/// The most modules that a pool keeps the standings of.
pub(crate) const MODULES_MAX: usize = 1_024;

/// The reason for which everybody is dormant in a timeline that begins elsewhere.
const NEW_TIMELINE: &str = "new_timeline";

/// The steward of a pool.
#[derive(Clone, Debug)]
pub(crate) struct Steward {
    /// The token of the stewardship.
    pub token: StewardToken,
    /// The instance that has it.
    pub instance: InstanceId,
    /// The fencing token of the owner of the pool, with which it ends.
    pub owner: u64,
}

/// A layer of the roster, as it was declared last.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredLayer {
    /// The revision of the roster with that declaration.
    pub revision: u64,
    /// The digest of what was declared.
    pub digest: Digest,
    /// The number of members.
    pub members: u64,
    /// The body with what was declared.
    pub content: Option<ContentRef>,
    /// The record of the declaration.
    pub declared: Position,
}

/// The standing of a member, as its steward said it last.
#[derive(Clone, Debug)]
pub(crate) struct SaidStanding {
    /// The standing.
    pub standing: MemberStanding,
    /// The reason for it.
    pub why: Option<String>,
    /// The joining that stands so. `None`: the run was no member.
    pub generation: Option<Generation>,
    /// The record that says so.
    pub since: Position,
}

/// A member of the roster.
#[derive(Clone, Debug)]
pub(crate) struct RosterRow {
    /// The digest of its spec.
    pub digest: Digest,
    /// The labels of its spec.
    pub labels: Labels,
    /// The layer that the spec comes from.
    pub layer: RosterLayer,
    /// The reason for which it was specified.
    pub why: Option<String>,
    /// The record that specified it so.
    pub specified: Position,
    /// Its standing. `None` before the first.
    pub stands: Option<Box<SaidStanding>>,
}

/// A member of the roster, by its run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamedRow<'a> {
    /// The run.
    pub run: &'a RunId,
    /// Its row.
    pub row: &'a RosterRow,
}

/// A module.
#[derive(Clone, Debug)]
pub(crate) struct ModuleRow {
    /// Its standing.
    pub standing: ModuleStanding,
    /// The reason for it.
    pub why: Option<String>,
    /// The record that says so.
    pub since: Position,
}

/// The last reconcile.
#[derive(Clone, Debug)]
pub(crate) struct LastReconcile {
    /// Its record.
    pub at: Position,
    /// The revision of the roster.
    pub revision: u64,
    /// The numbers of members.
    pub counts: ReconcileCounts,
}

/// The roster of a pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    /// The steward. `None` while there is none.
    pub steward: Option<Steward>,
    /// The number of the last declaration; 0 before the first.
    pub revision: u64,
    /// The start of the timeline since which nothing was declared: nobody is started there.
    pub held_since: Option<Position>,
    /// The layers that were declared.
    pub layers: BTreeMap<RosterLayer, DeclaredLayer>,
    /// The last reconcile.
    pub reconciled: Option<LastReconcile>,
    /// The modules.
    pub modules: BTreeMap<ModuleId, ModuleRow>,
    /// The errors that were recorded.
    pub errors: RecentItems,
    rows: BTreeMap<RunId, RosterRow>,
}

impl Roster {
    /// Returns a member of the roster.
    pub(crate) fn get(&self, run: &RunId) -> Option<&RosterRow> {
        self.rows.get(run)
    }

    /// Returns the number of members of the roster.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Walks the members of the roster whose run ids come after this one, in order; all when there is none.
    pub(crate) fn after(&self, run: Option<&RunId>) -> impl Iterator<Item = NamedRow<'_>> + '_ {
        let from = run.map_or(Bound::Unbounded, Bound::Excluded);
        let following = self.rows.range::<RunId, _>((from, Bound::Unbounded));
        following.map(|(run, row)| NamedRow { run, row })
    }

    /// Returns the standing of a member, when it was said of its present joining.
    pub(crate) fn standing_of(&self, member: &Member) -> Option<MemberStanding> {
        let stands = self.rows.get(&member.run)?.stands.as_deref()?;
        (stands.generation == Some(member.generation)).then_some(stands.standing)
    }

    /// Returns true when a member has no process, and is started when there is a cause: its lease does not run.
    pub(crate) fn is_dormant(&self, member: &Member) -> bool {
        self.standing_of(member) == Some(MemberStanding::Dormant)
    }

    /// Notes that a layer was declared.
    pub(crate) fn declare(&mut self, at: Position, body: &RosterDeclared) {
        self.revision = body.revision;
        self.held_since = None;
        let layer = DeclaredLayer {
            revision: body.revision,
            digest: body.digest,
            members: body.members,
            content: body.content,
            declared: at,
        };
        self.layers.insert(body.layer, layer);
    }

    /// Notes that a member was specified, or is specified no longer. How it stands stays.
    pub(crate) fn specify(&mut self, at: Position, run: &RunId, body: &MemberSpecified) {
        let Some(digest) = body.digest else {
            self.rows.remove(run);
            return;
        };
        let row = |stands| RosterRow {
            digest,
            labels: body.labels.clone(),
            layer: body.layer,
            why: body.why.clone(),
            specified: at,
            stands,
        };
        match self.rows.entry(run.clone()) {
            Entry::Vacant(place) => {
                place.insert(row(None));
            }
            Entry::Occupied(mut place) => {
                let stands = place.get_mut().stands.take();
                place.insert(row(stands));
            }
        }
    }

    /// Notes how a member stands.
    pub(crate) fn set_standing(&mut self, run: &RunId, stands: SaidStanding) {
        if let Some(row) = self.rows.get_mut(run) {
            row.stands = Some(Box::new(stands));
        }
    }

    /// Returns the module that was stopped first, of those that are stopped.
    pub(crate) fn first_stopped(&self) -> Option<&ModuleId> {
        let modules = self.modules.iter();
        let stopped = modules.filter(|(_, row)| row.standing == ModuleStanding::Stopped);
        let first = stopped.min_by_key(|(_, row)| row.since);
        first.map(|(module, _)| module)
    }

    /// Notes that a timeline begins in another place: nobody keeps the pool there, and nobody runs.
    pub(crate) fn begin_elsewhere(&mut self, at: Position, members: &Members) {
        self.steward = None;
        if !self.layers.is_empty() {
            self.held_since = Some(at);
        }
        for (run, row) in &mut self.rows {
            row.stands = Some(Box::new(SaidStanding {
                standing: MemberStanding::Dormant,
                why: Some(NEW_TIMELINE.to_owned()),
                generation: members.get(run).map(|member| member.generation),
                since: at,
            }));
        }
    }
}
