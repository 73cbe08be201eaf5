//! The steps of a history in which a steward keeps the pool as it was declared.

use heronry_pool::{
    Rejection, RosterFault,
    decide::{
        OnHeld, ReleaseSteward, SetStandings, SpecifiedMember, SpecifyMembers, StandingOf,
        TakeSteward,
    },
};
use heronry_tests::run;
use heronry_types::{
    Digest, InstanceId, Labels, MemberStanding, Position, RosterLayer, StewardToken, Vocabulary,
};

use super::{
    play::{Play, check_barred},
    steps::RUNS,
};

impl Play {
    /// Returns the stewardship that holds; one that never was when there is none.
    fn steward(&self) -> StewardToken {
        self.ledger
            .steward()
            .unwrap_or(StewardToken(Position::ZERO))
    }

    /// Takes the stewardship as one of few instances, and takes it over.
    pub(super) async fn take_steward(&mut self, instance: u8) {
        let take = TakeSteward {
            instance: InstanceId::parse(format!("host-{instance}")).unwrap(),
            owner: self.pool().owner().0,
            on_held: OnHeld::TakeOver,
        };
        let before = self.ledger.steward();
        let taken = self.pool().call(take).await.unwrap();
        if taken.repeated {
            assert_eq!(Some(taken.token), before, "the same stewardship goes on");
        } else {
            assert!(Some(taken.token) > before, "tokens rise");
        }
    }

    pub(super) async fn release_steward(&mut self) {
        let steward = self.steward();
        self.pool().call(ReleaseSteward { steward }).await.unwrap();
    }

    /// Specifies a run with one of few digests, or no longer.
    pub(super) async fn specify(&mut self, who: usize, digest: Option<u8>) {
        let specified = SpecifiedMember {
            run: run(RUNS[who]),
            digest: digest.map(|byte| Digest([byte; 32])),
            labels: Labels::new(),
            layer: RosterLayer::Declared,
            why: None,
        };
        let specify = SpecifyMembers {
            steward: self.steward(),
            specified: vec![specified],
        };
        let fenced = self.ledger.steward().is_none();
        let fenced = fenced.then_some(Rejection::StewardFenced);
        check_barred(&self.pool().call(specify).await, fenced.as_ref());
    }

    /// Says how a run stands.
    pub(super) async fn stand(&mut self, who: usize, standing: usize) {
        let of = run(RUNS[who]);
        let standing = MemberStanding::ALL[standing % MemberStanding::ALL.len()];
        let standing = StandingOf {
            run: of.clone(),
            standing,
            why: None,
        };
        let stand = SetStandings {
            steward: self.steward(),
            standings: vec![standing],
        };
        let expected = match self.ledger.steward() {
            None => Some(Rejection::StewardFenced),
            Some(_) if self.ledger.is_specified(&of) => None,
            Some(_) => Some(RosterFault::NotSpecified { run: of }.into()),
        };
        check_barred(&self.pool().call(stand).await, expected.as_ref());
    }
}
