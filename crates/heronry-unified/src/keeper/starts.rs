//! Starting: the intent is durable before anything is done.

use std::sync::Arc;

use futures::{StreamExt, stream};
use heronry_host::{Incarnation, MemberSpec};
use heronry_types::{Digest, Generation, MemberStanding, ModuleStanding, ReconcileStage, RunId};
use tokio::sync::watch;

use super::Keeper;
use crate::{
    causes::cursor_of,
    charge::{Charge, LiveProcess, Process, StopWish},
    plan::{MembershipState, sorted_topics},
    start::{Life, StartOrder, StartSpec, join},
};

/// The most joins of sleeping members that are under way at once.
const JOINS_AT_ONCE: usize = 256;

/// The spec of a start, and its digest.
struct DueStart {
    spec: StartSpec,
    digest: Digest,
}

impl Keeper {
    /// Says that charges are being started, and starts them: first the intent is durable.
    pub(super) async fn start_all(&mut self, charges: Vec<Charge>) {
        if self.is_fenced || self.closing.is_some() {
            return;
        }
        let mut lives = Vec::with_capacity(charges.len());
        for charge in charges {
            lives.extend(self.prepare(charge));
        }
        self.say().await;
        if self.is_fenced {
            return;
        }
        for life in lives {
            life.begin(None);
        }
    }

    /// Makes the life of a charge as it is declared now.
    pub(super) fn prepare(&mut self, charge: Charge) -> Option<Life> {
        self.serial += 1;
        let serial = self.serial;
        let DueStart { spec, digest } = self.spec_of(&charge)?;
        match &charge {
            Charge::Member(run) => {
                self.members.entry(run.clone()).or_default();
                self.stands(run, MemberStanding::Starting, None);
            }
            Charge::Module(module) => {
                self.modules.entry(module.clone()).or_default();
                self.module_stands(module, ModuleStanding::Starting, None);
            }
        }
        let (wish, wished) = watch::channel(StopWish::None);
        let slot = self.slot_mut(&charge)?;
        slot.process = Process::Live(LiveProcess {
            serial,
            digest,
            ready_at: None,
            process_id: None,
            wish,
            after: None,
        });
        let woken_by = slot.woken_by.take();
        if let (Charge::Member(run), Some(cause)) = (&charge, &woken_by)
            && let Some(member) = self.members.get_mut(run)
        {
            member.last_cause = Some(cursor_of(cause));
        }
        Some(Life {
            parts: Arc::clone(&self.parts),
            order: StartOrder {
                charge,
                serial,
                spec,
                woken_by,
            },
            facts: self.tell.clone(),
            wish: wished,
            heard: None,
        })
    }

    fn spec_of(&self, charge: &Charge) -> Option<DueStart> {
        match charge {
            Charge::Member(run) => {
                let declared = self.roster.members.get(run)?;
                let spec = StartSpec::Member(Arc::clone(&declared.spec));
                let digest = declared.digest;
                Some(DueStart { spec, digest })
            }
            Charge::Module(module) => {
                let declared = self.roster.modules.get(module)?;
                let acts_as = declared.spec.run.as_ref();
                let spec = StartSpec::Module {
                    spec: Arc::clone(&declared.spec),
                    acts_as: acts_as.and_then(|run| self.incarnation(run)),
                };
                let digest = declared.digest;
                Some(DueStart { spec, digest })
            }
        }
    }

    fn incarnation(&self, run: &RunId) -> Option<Incarnation> {
        Some(Incarnation {
            pool: self.parts.pool.id().clone(),
            run: run.clone(),
            agent: self.roster.members.get(run)?.spec.agent.clone(),
            generation: self.members.get(run)?.generation?,
        })
    }

    /// Joins members that sleep until there is a cause, many at once, and says that they are dormant.
    pub(super) async fn put_to_sleep(&mut self, runs: Vec<RunId>) {
        let mut joins = Vec::with_capacity(runs.len());
        for run in runs {
            if let Some(declared) = self.roster.members.get(&run) {
                self.serial += 1;
                joins.push((run, Arc::clone(&declared.spec), self.serial));
            }
        }
        let parts = Arc::clone(&self.parts);
        let joined = stream::iter(joins).map(|(run, spec, serial)| {
            let parts = Arc::clone(&parts);
            async move {
                let joined = join(&parts, &spec, serial).await;
                (run, spec, joined)
            }
        });
        let joined: Vec<_> = joined.buffered(JOINS_AT_ONCE).collect().await;
        for (run, spec, joined) in joined {
            match joined {
                Ok(generation) => self.sleeps(run, &spec, generation),
                Err(error) => self.fail(&run, ReconcileStage::Join, &error),
            }
        }
        self.say().await;
    }

    /// Notes that a member joined without a process.
    fn sleeps(&mut self, run: RunId, spec: &MemberSpec, generation: Generation) {
        let member = self.members.entry(run.clone()).or_default();
        member.membership = MembershipState::Member;
        member.generation = Some(generation);
        member.topics = sorted_topics(&spec.topics);
        self.stands(&run, MemberStanding::Dormant, None);
        if let Some(pass) = &mut self.pass {
            pass.report.dormant.push(run);
        }
    }
}
