//! Applying records about the roster, its steward, and what became of both.

use heronry_journal::{
    MemberStandingChanged, ModuleStandingChanged, Reconciled, Record, RosterDeclared, RosterRecord,
    StewardTaken,
};
use heronry_types::StewardToken;

use crate::{
    State,
    apply::{content, member},
    state::{LastReconcile, MODULES_MAX, ModuleRow, SaidStanding, Steward},
};

/// Applies a record about the roster.
pub(super) fn apply(state: &mut State, record: &Record, body: RosterRecord<'_>) {
    let run = record.entry.lineage.run.as_ref();
    match body {
        RosterRecord::StewardTaken(body) => taken(state, record, body),
        RosterRecord::StewardReleased(_) => state.roster.steward = None,
        RosterRecord::RosterDeclared(body) => declared(state, record, body),
        RosterRecord::MemberSpecified(body) => {
            if let Some(run) = run {
                state.roster.specify(record.position, run, body);
            }
        }
        RosterRecord::MemberStandingChanged(body) => stands(state, record, body),
        RosterRecord::ModuleStandingChanged(body) => module(state, record, body),
        RosterRecord::Reconciled(body) => reconciled(state, record, body),
        RosterRecord::RuntimeErrorRecorded(body) => state.roster.errors.insert(body.id.as_str()),
    }
}

fn taken(state: &mut State, record: &Record, body: &StewardTaken) {
    state.roster.steward = Some(Steward {
        token: StewardToken(record.position),
        instance: body.instance.clone(),
        owner: body.owner,
    });
}

fn declared(state: &mut State, record: &Record, body: &RosterDeclared) {
    if let Some(content_ref) = body.content {
        content::named(state, content_ref);
    }
    state.roster.declare(record.position, body);
}

fn stands(state: &mut State, record: &Record, body: &MemberStandingChanged) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    let stands = SaidStanding {
        standing: body.standing,
        why: body.why.clone(),
        generation: body.generation,
        since: record.position,
    };
    state.roster.set_standing(run, stands);
    // Nobody waits for a sign of life of who is dormant.
    let member = state.members.get(run);
    if member.is_some_and(|member| state.roster.is_dormant(member)) {
        member::found(state, run);
    }
}

/// Notes how a module stands. The one that was stopped first makes room for a new one.
fn module(state: &mut State, record: &Record, body: &ModuleStandingChanged) {
    let modules = &mut state.roster.modules;
    if modules.len() >= MODULES_MAX
        && !modules.contains_key(&body.module)
        && let Some(stopped) = state.roster.first_stopped().cloned()
    {
        state.roster.modules.remove(&stopped);
    }
    let row = ModuleRow {
        standing: body.standing,
        why: body.why.clone(),
        since: record.position,
    };
    state.roster.modules.insert(body.module.clone(), row);
}

fn reconciled(state: &mut State, record: &Record, body: &Reconciled) {
    state.roster.reconciled = Some(LastReconcile {
        at: record.position,
        revision: body.revision,
        counts: body.counts,
    });
}
