//! The wiring of a pool: edges, aliases, labels, and the rule who may send to whom.

use heronry_pool::{
    Caller,
    decide::{
        ConfigurePool, DescribePool, ListAliases, ListEdges, NewAlias, NewLabels, RemoveAliases,
        SetAliases, SetLabels, UnwireEdges, WireEdges, WiredBy,
    },
};
use heronry_runtime::CallError;
use heronry_types::{
    Address, AliasName, DeclaredEntry, Edge, Limits, Peering, ReconcileFailure, ReconcileStage,
    RunId, WIRING_CHANGES_MAX,
};

use super::Keeper;
use crate::{
    parts::is_fenced,
    plan::{Actual, ActualAlias, ActualEdge, EdgeVerdict, judge_edges},
    report::EdgesReport,
};

/// The changes of a plan to the wiring.
#[derive(Default)]
pub(super) struct WiringWork {
    pub(super) peering: Option<Peering>,
    pub(super) unwired: Vec<Edge>,
    pub(super) pruned: Vec<Edge>,
    pub(super) wired: Vec<Edge>,
    pub(super) healed: Vec<Edge>,
    pub(super) removed: Vec<AliasName>,
    pub(super) set: Vec<NewAlias>,
}

/// The treatment of a list of edges.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum EdgeTurn {
    Unwire,
    Prune,
    Wire,
    Heal,
}

impl Keeper {
    /// Reads the wiring again, when anything was recorded since it was read.
    pub(super) async fn read_wiring(&mut self) {
        let head = self.parts.pool.head();
        if self.wiring_read == Some(head) || self.is_fenced {
            return;
        }
        let read = self.read_all_wiring().await;
        match read {
            Ok(()) => self.wiring_read = Some(head),
            Err(error) => self.trouble(&error, "the wiring of the pool cannot be read"),
        }
    }

    async fn read_all_wiring(&mut self) -> Result<(), CallError> {
        let caller = Caller::Operator;
        let view = self.parts.pool.call(DescribePool { caller }).await?;
        self.peering = view.settings.peering();
        self.settings_version = view.settings_version;
        self.edges.clear();
        let mut after = None;
        loop {
            let list = ListEdges {
                caller: Caller::Operator,
                after,
                max: self.parts.page(),
            };
            let page = self.parts.pool.call(list).await?;
            let edges = page.edges.into_iter().map(|view| {
                let known = ActualEdge {
                    managed_by: view.managed_by,
                    standing: view.standing,
                };
                (view.edge, known)
            });
            self.edges.extend(edges);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.read_aliases().await
    }

    async fn read_aliases(&mut self) -> Result<(), CallError> {
        self.aliases.clear();
        let mut after = None;
        loop {
            let list = ListAliases {
                caller: Caller::Operator,
                after,
                max: self.parts.page(),
            };
            let page = self.parts.pool.call(list).await?;
            let aliases = page.aliases.into_iter().map(|view| {
                let known = ActualAlias {
                    to: view.to,
                    managed_by: view.managed_by,
                };
                (view.alias, known)
            });
            self.aliases.extend(aliases);
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Changes the wiring as it was planned, and notes in the report what became of it.
    pub(super) async fn wire(&mut self, work: WiringWork) {
        if let Some(peering) = work.peering {
            self.set_peering(peering).await;
        }
        self.turn_edges(work.unwired, EdgeTurn::Unwire).await;
        self.turn_edges(work.pruned, EdgeTurn::Prune).await;
        self.turn_edges(work.wired, EdgeTurn::Wire).await;
        self.turn_edges(work.healed, EdgeTurn::Heal).await;
        self.remove_aliases(work.removed).await;
        self.set_aliases(work.set).await;
    }

    /// Notes in the report which edges stay as they are, and which cannot be wired yet.
    pub(super) fn note_edges(&mut self, actual: &Actual) {
        let judged = judge_edges(&self.roster, actual);
        let Some(pass) = &mut self.pass else {
            return;
        };
        let report = &mut pass.report.edges;
        for judged in judged {
            match judged.verdict {
                EdgeVerdict::SkippedMissingMembers => {
                    report.skipped_missing_members.push(judged.edge);
                }
                EdgeVerdict::Retained => report.retained += 1,
                EdgeVerdict::Preexisting => report.preexisting += 1,
                EdgeVerdict::Healed
                | EdgeVerdict::Wired
                | EdgeVerdict::Pruned
                | EdgeVerdict::Unwired
                | EdgeVerdict::Foreign => {}
            }
        }
    }

    async fn set_peering(&mut self, peering: Peering) {
        let configure = ConfigurePool {
            caller: Caller::Operator,
            expected_version: self.settings_version,
            limits: Limits::default(),
            retention: None,
            peering: Some(peering),
        };
        match self.parts.pool.call(configure).await {
            Ok(_) => self.peering = peering,
            Err(error) => self.trouble(&error, "who may send to whom was not set"),
        }
    }

    async fn turn_edges(&mut self, edges: Vec<Edge>, turn: EdgeTurn) {
        for edges in edges.chunks(WIRING_CHANGES_MAX) {
            let by = WiredBy::Steward(self.parts.steward);
            let edges = edges.to_vec();
            let changed = match turn {
                EdgeTurn::Wire | EdgeTurn::Heal => {
                    let edges = edges.clone();
                    self.parts.pool.call(WireEdges { by, edges }).await
                }
                EdgeTurn::Unwire | EdgeTurn::Prune => {
                    let edges = edges.clone();
                    self.parts.pool.call(UnwireEdges { by, edges }).await
                }
            };
            let stage = match turn {
                EdgeTurn::Wire | EdgeTurn::Heal => ReconcileStage::Wire,
                EdgeTurn::Unwire | EdgeTurn::Prune => ReconcileStage::Unwire,
            };
            if let Err(error) = changed {
                let entries = edges.into_iter().map(DeclaredEntry::Edge).collect();
                self.fail_wiring(entries, stage, &error);
                continue;
            }
            if let Some(pass) = &mut self.pass {
                let report = &mut pass.report.edges;
                match turn {
                    EdgeTurn::Unwire => report.unwired.extend(edges),
                    EdgeTurn::Prune => report.pruned.extend(edges),
                    EdgeTurn::Wire => report.wired.extend(edges),
                    EdgeTurn::Heal => report.healed.extend(edges),
                }
            }
        }
    }

    async fn remove_aliases(&mut self, aliases: Vec<AliasName>) {
        for aliases in aliases.chunks(WIRING_CHANGES_MAX) {
            let remove = RemoveAliases {
                by: WiredBy::Steward(self.parts.steward),
                aliases: aliases.to_vec(),
            };
            match self.parts.pool.call(remove).await {
                Ok(_) => self.note_in_edges(|report| {
                    report.aliases_removed += aliases.len() as u64;
                }),
                Err(error) => {
                    let entries = aliases.iter().map(entry_of).collect();
                    self.fail_wiring(entries, ReconcileStage::Alias, &error);
                }
            }
        }
    }

    async fn set_aliases(&mut self, aliases: Vec<NewAlias>) {
        for aliases in aliases.chunks(WIRING_CHANGES_MAX) {
            let set = SetAliases {
                by: WiredBy::Steward(self.parts.steward),
                aliases: aliases.to_vec(),
            };
            match self.parts.pool.call(set).await {
                Ok(_) => self.note_in_edges(|report| {
                    report.aliases_set += aliases.len() as u64;
                }),
                Err(error) => {
                    let entries = aliases.iter().map(|it| entry_of(&it.alias)).collect();
                    self.fail_wiring(entries, ReconcileStage::Alias, &error);
                }
            }
        }
    }

    /// Gives runs the labels that they are declared with.
    pub(super) async fn set_labels(&mut self, runs: &[RunId]) {
        let declared = runs.iter().filter_map(|run| self.roster.members.get(run));
        let changes: Vec<NewLabels> = declared
            .map(|member| NewLabels {
                of: Some(member.spec.run.clone()),
                labels: member.spec.labels.clone(),
            })
            .collect();
        for changes in changes.chunks(WIRING_CHANGES_MAX) {
            let set = SetLabels {
                by: WiredBy::Steward(self.parts.steward),
                changes: changes.to_vec(),
            };
            if let Err(error) = self.parts.pool.call(set).await {
                let runs = changes.iter().filter_map(|change| change.of.clone());
                let entries = runs.map(DeclaredEntry::Run).collect();
                self.fail_wiring(entries, ReconcileStage::Change, &error);
            }
        }
    }

    fn note_in_edges(&mut self, note: impl FnOnce(&mut EdgesReport)) {
        if let Some(pass) = &mut self.pass {
            note(&mut pass.report.edges);
        }
    }

    fn fail_wiring(
        &mut self,
        entries: Vec<DeclaredEntry>,
        stage: ReconcileStage,
        error: &CallError,
    ) {
        if is_fenced(error) {
            self.fenced();
            return;
        }
        let message = self.parts.note(&error.to_string());
        if let Some(pass) = &mut self.pass {
            let failures = entries.into_iter().map(|of| ReconcileFailure {
                of,
                stage,
                kind: "refused".to_owned(),
                message: message.clone(),
            });
            pass.report.edges.failures.extend(failures);
        }
    }
}

fn entry_of(alias: &AliasName) -> DeclaredEntry {
    let AliasName { recipient, channel } = alias.clone();
    DeclaredEntry::Alias { recipient, channel }
}

/// Returns the alias that a plan sets.
pub(super) fn new_alias(alias: AliasName, to: Address) -> NewAlias {
    NewAlias { alias, to }
}
