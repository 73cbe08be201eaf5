//! The steps of a history that change edges, aliases and labels.

use heronry_pool::{
    Caller, WiringChanged,
    decide::{
        LabelsOf, NewAlias, NewLabels, OnHeld, RemoveAliases, SetAliases, SetLabels, TakeSteward,
        UnwireEdges, WireEdges, WiredBy,
    },
};
use heronry_tests::run;
use heronry_types::{Address, AliasName, Edge, InstanceId, Labels, ManagedBy};

use super::{play::Play, steps::RUNS};

/// A change of the wiring.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rewiring {
    /// Wires two runs.
    Wire(usize, usize),
    /// Unwires them.
    Unwire(usize, usize),
    /// Lets the alias of a run lead to another one.
    Alias(usize, usize),
    /// Removes the alias of a run.
    Unalias(usize),
    /// Sets the label of a run, or clears it.
    Label(usize, Option<u8>),
}

fn alias(of: usize) -> AliasName {
    AliasName {
        recipient: Some(run(RUNS[of])),
        channel: None,
    }
}

impl Play {
    /// Returns somebody of a party; the steward takes the pool over from whoever keeps it.
    async fn party(&mut self, by: ManagedBy) -> WiredBy {
        match by {
            ManagedBy::Operator => WiredBy::Hand(Caller::Operator),
            ManagedBy::Steward => {
                let take = TakeSteward {
                    instance: InstanceId::parse("host").unwrap(),
                    owner: 1,
                    on_held: OnHeld::TakeOver,
                };
                let taken = self.pool().call(take).await.unwrap();
                WiredBy::Steward(taken.token)
            }
        }
    }

    pub(super) async fn rewire(&mut self, by: ManagedBy, change: Rewiring) {
        match change {
            Rewiring::Wire(a, b) => self.wire(by, [a, b]).await,
            Rewiring::Unwire(a, b) => self.unwire(by, [a, b]).await,
            Rewiring::Alias(of, to) => {
                let to = Address::Run {
                    run_id: run(RUNS[to]),
                };
                let alias = alias(of);
                let by = self.party(by).await;
                let aliases = vec![NewAlias { alias, to }];
                let set = || SetAliases {
                    by: by.clone(),
                    aliases: aliases.clone(),
                };
                self.pool().call(set()).await.unwrap();
                let again = self.pool().call(set()).await.unwrap();
                assert!(again.unchanged, "a repeat writes nothing");
            }
            Rewiring::Unalias(of) => {
                let (by, aliases) = (self.party(by).await, vec![alias(of)]);
                let remove = RemoveAliases { by, aliases };
                self.pool().call(remove).await.unwrap();
            }
            Rewiring::Label(of, value) => self.label(by, of, value).await,
        }
    }

    async fn wire(&mut self, by: ManagedBy, [a, b]: [usize; 2]) {
        let Ok(edge) = Edge::between(run(RUNS[a]), run(RUNS[b])) else {
            return;
        };
        let owner = self.ledger.edge_owner(&edge);
        let is_wired = self.ledger.are_wired(&edge);
        let is_claimed = owner == Some(ManagedBy::Steward) && by == ManagedBy::Operator;
        let (by, edges) = (self.party(by).await, vec![edge]);
        let answer = self.pool().call(WireEdges { by, edges }).await;
        let WiringChanged { unchanged, .. } = answer.unwrap();
        assert_eq!(unchanged, is_wired && !is_claimed);
    }

    async fn unwire(&mut self, by: ManagedBy, [a, b]: [usize; 2]) {
        let Ok(edge) = Edge::between(run(RUNS[a]), run(RUNS[b])) else {
            return;
        };
        let changes = match by {
            ManagedBy::Operator => self.ledger.are_wired(&edge),
            ManagedBy::Steward => self.ledger.edge_owner(&edge) == Some(ManagedBy::Steward),
        };
        let (by, edges) = (self.party(by).await, vec![edge]);
        let answer = self.pool().call(UnwireEdges { by, edges }).await;
        let WiringChanged { unchanged, .. } = answer.unwrap();
        assert_eq!(unchanged, !changes);
    }

    async fn label(&mut self, by: ManagedBy, of: usize, value: Option<u8>) {
        let mut labels = Labels::new();
        if let Some(value) = value {
            labels.add("team", value.to_string()).unwrap();
        }
        let of = Some(run(RUNS[of]));
        let new = NewLabels {
            of: of.clone(),
            labels: labels.clone(),
        };
        let (by, changes) = (self.party(by).await, vec![new]);
        self.pool().call(SetLabels { by, changes }).await.unwrap();
        let caller = Caller::Operator;
        let told = self.pool().call(LabelsOf { caller, of }).await.unwrap();
        assert_eq!(told.labels, labels);
    }
}
