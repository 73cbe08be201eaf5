//! Members that sleep until there is a cause.

use heronry_host::IncarnationEnd;
use heronry_pool::{Caller, decide::ListMembers};
use heronry_runtime::Pool;
use heronry_tests::{World, let_others_run, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{EventKind, MemberStanding, Millis, RunsUntil, StartWhen};
use heronry_unified::{RunEndedBy, UnifiedRuntime};

use crate::scene::{KeptScene, declared, member, processes, sleeping, standing};

on_every_store! {
    r30_a_message_starts_one_process_and_a_hundred_start_no_more
    r30a_a_sleeper_is_a_member_whose_lease_does_not_run
    r31_the_end_of_a_wake_starts_the_one_that_waits
    r32_a_start_that_fails_is_tried_again_with_pauses_and_the_message_stays
    r33_what_is_left_unread_starts_it_again_after_a_pause
    a_lazy_member_is_started_by_hand_alone
    a_job_does_not_end_while_a_sleeper_has_something_to_do
}

on_every_store_that_is_reopened! {
    r34_a_cause_that_came_while_the_runtime_was_down_starts_it_later
}

async fn sent(scene: &KeptScene, from: &Caller, id: &str) {
    scene.world.say(&scene.pool, from, ("sleeper", id)).await;
}

/// Reads and acknowledges everything that waits for the sleeper.
async fn read_all(scene: &KeptScene, runtime: &UnifiedRuntime, receive_id: &str) -> usize {
    let active = standing(runtime, "sleeper", MemberStanding::Active).await;
    let caller = World::member("sleeper", active.generation.unwrap());
    let received = scene
        .world
        .receive(&scene.pool, &caller, receive_id, 200)
        .await;
    let claims = World::claims(&received);
    let acked = scene.world.ack(
        &scene.pool,
        &caller,
        heronry_pool::decide::ClaimSet::These(claims),
    );
    acked.await.unwrap();
    received.items.len()
}

async fn unread(pool: &Pool) -> u64 {
    let list = ListMembers {
        caller: Caller::Operator,
        after: None,
        max: 100,
    };
    let members = pool.call(list).await.unwrap().members;
    members
        .into_iter()
        .find(|it| it.run == run("sleeper"))
        .unwrap()
        .unread
}

async fn r30_a_message_starts_one_process_and_a_hundred_start_no_more(world: World) {
    let scene = KeptScene::on(world).await;
    let sender = scene.world.join(&scene.pool, "sender").await;
    let runtime = scene
        .build(declared(vec![sleeping("sleeper", StartWhen::OnMessage)]))
        .await
        .unwrap();
    assert_eq!(runtime.bootstrap_report().dormant, [run("sleeper")]);
    let dormant = standing(&runtime, "sleeper", MemberStanding::Dormant).await;
    assert!(scene.stage.starts().is_empty());
    for number in 0..100 {
        sent(&scene, &sender, &format!("m{number}")).await;
    }
    processes(&scene, "sleeper", 1).await;
    let active = standing(&runtime, "sleeper", MemberStanding::Active).await;
    assert!(active.generation > dormant.generation);
    assert_eq!(read_all(&scene, &runtime, "r1").await, 100);
    scene.stage.end("sleeper", IncarnationEnd::Succeeded);
    standing(&runtime, "sleeper", MemberStanding::Dormant).await;
    assert_eq!(scene.stage.starts(), ["sleeper"]);
    assert_eq!(scene.stage.woken_by().len(), 1);
    assert!(
        scene.stage.woken_by()[0].ends_with("message:m0"),
        "{:?}",
        scene.stage.woken_by()
    );
    sent(&scene, &sender, "again").await;
    processes(&scene, "sleeper", 1).await;
    assert!(scene.stage.woken_by()[1].ends_with("message:again"));
    assert_eq!(scene.events_of(EventKind::RunCompleted).await.len(), 0);
    runtime.shutdown().await;
}

async fn r30a_a_sleeper_is_a_member_whose_lease_does_not_run(world: World) {
    let scene = KeptScene::on(world).await;
    let sender = scene.world.join(&scene.pool, "sender").await;
    let mut sleeper = sleeping("sleeper", StartWhen::OnMessage);
    sleeper.lease = Some(Millis::from_secs(60));
    let runtime = scene.build(declared(vec![sleeper])).await.unwrap();
    scene
        .world
        .pass(&scene.pool, Millis::from_secs(25 * 60 * 60))
        .await;
    assert_eq!(unread(&scene.pool).await, 0, "it is still there");
    assert!(scene.events_of(EventKind::RunLost).await.is_empty());
    sent(&scene, &sender, "late").await;
    processes(&scene, "sleeper", 1).await;
    runtime.shutdown().await;
}

async fn r31_the_end_of_a_wake_starts_the_one_that_waits(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene
        .build(declared(vec![sleeping("sleeper", StartWhen::OnWake)]))
        .await
        .unwrap();
    let sender = scene.world.join(&scene.pool, "sender").await;
    sent(&scene, &sender, "no cause").await;
    let_others_run().await;
    assert!(scene.stage.starts().is_empty());
    runtime.start_member(&run("sleeper")).await.unwrap();
    let active = standing(&runtime, "sleeper", MemberStanding::Active).await;
    let caller = World::member("sleeper", active.generation.unwrap());
    let waiting = World::waiting("kind == \"agent_pool_run_joined\"", "w1");
    let wake = scene.world.register(&scene.pool, &caller, waiting).await;
    scene.stage.end("sleeper", IncarnationEnd::Succeeded);
    standing(&runtime, "sleeper", MemberStanding::Dormant).await;
    assert_eq!(scene.stage.starts().len(), 1);
    scene.world.join(&scene.pool, "other").await;
    processes(&scene, "sleeper", 1).await;
    let expected = format!("wake:{}", wake.wake_id);
    assert!(
        scene.stage.woken_by()[0].ends_with(&expected),
        "{:?}",
        scene.stage.woken_by()
    );
    assert_eq!(scene.stage.starts().len(), 2);
    runtime.shutdown().await;
}

async fn r32_a_start_that_fails_is_tried_again_with_pauses_and_the_message_stays(world: World) {
    let scene = KeptScene::on(world).await;
    let sender = scene.world.join(&scene.pool, "sender").await;
    let runtime = scene
        .build(declared(vec![sleeping("sleeper", StartWhen::OnMessage)]))
        .await
        .unwrap();
    sent(&scene, &sender, "m").await;
    for pause in [250, 500, 1_000] {
        standing(&runtime, "sleeper", MemberStanding::Active).await;
        scene.stage.end("sleeper", IncarnationEnd::ExitCode(1));
        let due = standing(&runtime, "sleeper", MemberStanding::Starting).await;
        assert_eq!(
            due.why,
            Some(format!("exit code 1; starts again in {pause} ms"))
        );
        scene.world.clock.advance(Millis(pause - 1));
        let_others_run().await;
        assert_eq!(scene.stage.processes("sleeper"), 0);
        scene.world.clock.advance(Millis(1));
        processes(&scene, "sleeper", 1).await;
    }
    assert_eq!(read_all(&scene, &runtime, "r1").await, 1);
    runtime.shutdown().await;
}

async fn r33_what_is_left_unread_starts_it_again_after_a_pause(world: World) {
    let scene = KeptScene::on(world).await;
    let sender = scene.world.join(&scene.pool, "sender").await;
    let runtime = scene
        .build(declared(vec![sleeping("sleeper", StartWhen::OnMessage)]))
        .await
        .unwrap();
    sent(&scene, &sender, "m").await;
    for pause in [250, 500] {
        let active = standing(&runtime, "sleeper", MemberStanding::Active).await;
        let caller = World::member("sleeper", active.generation.unwrap());
        let receive = format!("r{pause}");
        let received = scene.world.receive(&scene.pool, &caller, &receive, 1).await;
        assert_eq!(received.items.len(), 1);
        scene.stage.end("sleeper", IncarnationEnd::Succeeded);
        standing(&runtime, "sleeper", MemberStanding::Dormant).await;
        assert_eq!(unread(&scene.pool).await, 1, "its claim came back");
        scene.world.clock.advance(Millis(pause - 1));
        let_others_run().await;
        assert_eq!(scene.stage.processes("sleeper"), 0, "no hot loop");
        scene.world.clock.advance(Millis(1));
        processes(&scene, "sleeper", 1).await;
    }
    runtime.shutdown().await;
}

async fn a_lazy_member_is_started_by_hand_alone(world: World) {
    let scene = KeptScene::on(world).await;
    let sender = scene.world.join(&scene.pool, "sender").await;
    let runtime = scene
        .build(declared(vec![sleeping("sleeper", StartWhen::Lazy)]))
        .await
        .unwrap();
    sent(&scene, &sender, "m").await;
    let_others_run().await;
    assert!(scene.stage.starts().is_empty());
    runtime.start_member(&run("sleeper")).await.unwrap();
    assert_eq!(read_all(&scene, &runtime, "r1").await, 1);
    scene.stage.end("sleeper", IncarnationEnd::Succeeded);
    standing(&runtime, "sleeper", MemberStanding::Dormant).await;
    runtime.shutdown().await;
}

async fn r34_a_cause_that_came_while_the_runtime_was_down_starts_it_later(world: World) {
    let roster = || declared(vec![sleeping("sleeper", StartWhen::OnMessage)]);
    let scene = KeptScene::on(world).await;
    let sender = scene.world.join(&scene.pool, "sender").await;
    let runtime = scene.build(roster()).await.unwrap();
    assert!(runtime.shutdown().await.is_complete());
    drop(runtime);
    sent(&scene, &sender, "meanwhile").await;
    let KeptScene {
        world, pool, host, ..
    } = scene;
    drop((pool, host));
    let scene = KeptScene::on(world.restart().await).await;
    let runtime = scene.build(roster()).await.unwrap();
    processes(&scene, "sleeper", 1).await;
    assert!(scene.stage.woken_by()[0].ends_with("message:meanwhile"));
    assert_eq!(read_all(&scene, &runtime, "r1").await, 1);
    runtime.shutdown().await;
}

async fn a_job_does_not_end_while_a_sleeper_has_something_to_do(world: World) {
    let scene = KeptScene::on(world).await;
    let mut lead = member("lead");
    lead.until = RunsUntil::Exited;
    let sleeper = sleeping("sleeper", StartWhen::OnMessage);
    let runtime = scene.build(declared(vec![lead, sleeper])).await.unwrap();
    let status = standing(&runtime, "lead", MemberStanding::Active).await;
    let lead = World::member("lead", status.generation.unwrap());
    sent(&scene, &lead, "last words").await;
    scene.stage.end("lead", IncarnationEnd::Succeeded);
    let running = runtime.run(std::future::pending());
    let working = async {
        processes(&scene, "sleeper", 1).await;
        assert_eq!(read_all(&scene, &runtime, "r1").await, 1);
        scene.stage.end("sleeper", IncarnationEnd::Succeeded);
    };
    let (report, ()) = tokio::join!(running, working);
    assert_eq!(report.ended_by, RunEndedBy::Done);
    let sleeper = report
        .members
        .iter()
        .find(|it| it.run == run("sleeper"))
        .unwrap();
    assert_eq!(
        (sleeper.standing, sleeper.ended),
        (Some(MemberStanding::Dormant), None)
    );
    assert_eq!(scene.stage.starts(), ["lead", "sleeper"]);
}
