//! The roster in the journal: it survives opening again and trims, and goes with its pool.

use heronry_pool::{
    Caller, MemberView, RosterPage, RosterView,
    decide::{
        DescribeRoster, JoinPool, ListMembers, ListRoster, OnHeld, RecordRuntimeError,
        SetModuleStanding, SetStandings, SpecifiedMember, SpecifyMembers, StandingOf, TakeSteward,
    },
};
use heronry_runtime::{Holding, Pool};
use heronry_tests::{World, on_every_store_that_is_reopened, run};
use heronry_types::{
    Digest, InstanceId, Labels, MemberStanding, Millis, ModuleId, ModuleStanding, RosterLayer,
    RuntimeErrorCategory, RuntimeErrorId, StewardToken,
};

use crate::keeping::{floor, forget_snapshots, upto};

on_every_store_that_is_reopened! {
    u1_a_roster_survives_opening_again_and_a_trim
    r30a_a_dormant_member_is_not_lost_while_its_pool_is_closed_or_after_it_is_opened
}

async fn take(pool: &Pool, instance: &str) -> StewardToken {
    let take = TakeSteward {
        instance: InstanceId::parse(instance).unwrap(),
        owner: pool.owner().0,
        on_held: OnHeld::Refuse,
    };
    pool.call(take).await.unwrap().token
}

async fn specify(pool: &Pool, steward: StewardToken, who: &str) {
    let mut labels = Labels::new();
    labels.add("tier", "2").unwrap();
    let specified = SpecifiedMember {
        run: run(who),
        digest: Some(Digest([7; 32])),
        labels,
        layer: RosterLayer::Declared,
        why: Some("declared".to_owned()),
    };
    let specified = vec![specified];
    let specify = SpecifyMembers { steward, specified };
    pool.call(specify).await.unwrap();
}

async fn stand(pool: &Pool, steward: StewardToken, who: &str, standing: MemberStanding) {
    let standing = StandingOf {
        run: run(who),
        standing,
        why: None,
    };
    let standings = vec![standing];
    let set = SetStandings { steward, standings };
    pool.call(set).await.unwrap();
}

async fn members_of(pool: &Pool) -> Vec<MemberView> {
    let list = ListMembers {
        caller: Caller::Operator,
        after: None,
        max: 9,
    };
    pool.call(list).await.unwrap().members
}

/// Returns what the roster says, but for the head at which it was read.
async fn look(pool: &Pool) -> (RosterView, RosterPage) {
    let caller = Caller::Operator;
    let describe = DescribeRoster {
        caller: caller.clone(),
    };
    let list = ListRoster {
        caller,
        after: None,
        max: 100,
    };
    let view = pool.call(describe).await.unwrap();
    let mut page = pool.call(list).await.unwrap();
    page.as_of = view.as_of;
    (view, page)
}

async fn u1_a_roster_survives_opening_again_and_a_trim(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let owner = pool.owner();
    let steward = take(&pool, "host").await;
    for who in ["lead", "sleeper"] {
        specify(&pool, steward, who).await;
        stand(&pool, steward, who, MemberStanding::Starting).await;
    }
    let module = SetModuleStanding {
        steward,
        module: ModuleId::parse("index").unwrap(),
        standing: ModuleStanding::Healthy,
        why: None,
    };
    pool.call(module).await.unwrap();
    let error = RecordRuntimeError {
        id: RuntimeErrorId::parse("e-1").unwrap(),
        category: RuntimeErrorCategory::HostCrash,
        run: None,
        detail: "down".to_owned(),
    };
    pool.call(error.clone()).await.unwrap();
    world.say(&pool, &lead, ("lead", "m")).await;
    let before = look(&pool).await;
    assert_eq!(before.1.rows.len(), 2);
    let to = upto(&pool, pool.head().position);
    let trimmed = pool.trim(to, Holding::Heeded).await.unwrap();
    assert!(trimmed.floor.position > steward.0, "what said it is gone");
    forget_snapshots(&world, &pool).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    assert_eq!(
        floor(&world, &pool).await,
        trimmed.floor.position.next(),
        "it is opened from its baseline"
    );
    let (mut view, mut page) = look(&pool).await;
    (view.as_of, page.as_of) = (before.0.as_of, before.1.as_of);
    assert_eq!((view, page), before);
    // An error that is gone from the journal is not recorded again.
    let head = pool.head();
    pool.call(error).await.unwrap();
    assert_eq!(pool.head(), head);
    // The stewardship of the owner before is replaced without being asked for.
    assert!(pool.owner() > owner, "another owner");
    assert!(take(&pool, "another").await > steward);
}

async fn r30a_a_dormant_member_is_not_lost_while_its_pool_is_closed_or_after_it_is_opened(
    world: World,
) {
    let pool = world.pool().await;
    let join = JoinPool {
        lease: Some(Millis::from_secs(10)),
        ..World::joining_as("sleeper", "instance-1")
    };
    pool.call(join).await.unwrap();
    let steward = take(&pool, "host").await;
    specify(&pool, steward, "sleeper").await;
    stand(&pool, steward, "sleeper", MemberStanding::Dormant).await;
    let minute = Millis::from_secs(60);
    world.pass(&pool, minute).await;
    drop(pool);
    world.clock.advance(minute);
    let world = world.restart().await;
    let pool = world.pool().await;
    world.pass(&pool, minute).await;
    let members = members_of(&pool).await;
    assert_eq!(members.len(), 1, "it is a member");
    let sleeper = &members[0];
    assert_eq!(sleeper.standing, Some(MemberStanding::Dormant));
    assert_eq!(sleeper.lost_until, None);
    // Once it is started its lease runs.
    let steward = take(&pool, "host").await;
    stand(&pool, steward, "sleeper", MemberStanding::Active).await;
    world.pass(&pool, Millis::from_secs(10)).await;
    let members = members_of(&pool).await;
    assert!(members[0].lost_until.is_some(), "it is lost in time");
}
