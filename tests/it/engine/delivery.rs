//! Delivery of messages: urgent, delayed, in order, and past full inboxes.

use heronry_journal::{Body, Record};
use heronry_pool::{
    Caller, Received, Rejection,
    decide::{CancelMessage, ClaimSet, Expiry, SendRequest},
};
use heronry_runtime::Pool;
use heronry_tests::{
    World, message, on_every_store, on_every_store_that_is_reopened, receiving, run, until,
};
use heronry_types::{
    Address, CopyState, DeliveryOptions, Importance, LimitName, Limits, MessageStatus, Millis,
    OnFull, PoolSpec, Receipt, TimelineState, Timestamp, Undeliverable,
};

use super::inbox::MINUTE;

on_every_store! {
    m9_more_urgent_copies_are_claimed_first_and_equally_urgent_ones_in_order
    m9_a_delayed_copy_comes_at_its_time_after_those_that_were_there_before
    m9_a_waiting_receive_is_woken_when_a_delayed_copy_comes
    m9_a_delayed_copy_expires_and_is_cancelled_as_any_other
    m9_a_delay_reaches_to_the_end_of_the_calendar
    m9_one_ordered_copy_of_a_sender_is_under_way_and_the_others_wait_for_its_end
    m9_an_ordered_copy_is_given_back_for_a_minute_at_the_most
    m9_a_waiting_receive_is_woken_when_an_ordered_copy_ends
    m9_an_ordered_copy_that_dies_expires_or_is_cancelled_lets_the_next_one_pass
    a24_a_full_inbox_refuses_what_is_sent_to_its_run_and_is_skipped_by_a_broadcast
    a24_on_full_says_what_becomes_of_a_message
}

on_every_store_that_is_reopened! {
    m9_a_delay_goes_on_through_a_crash
    m9_what_is_ordered_stays_so_through_a_takeover_and_a_crash
}

pub(super) fn usual() -> DeliveryOptions {
    DeliveryOptions::default()
}

fn urgent(importance: Importance) -> DeliveryOptions {
    DeliveryOptions {
        importance,
        ..usual()
    }
}

fn delayed(delay: Millis) -> DeliveryOptions {
    DeliveryOptions {
        deliver_after: Some(delay),
        ..usual()
    }
}

pub(super) fn ordered() -> DeliveryOptions {
    DeliveryOptions {
        ordered: true,
        ..usual()
    }
}

fn on_full(on_full: OnFull) -> DeliveryOptions {
    DeliveryOptions {
        on_full: Some(on_full),
        ..usual()
    }
}

fn seconds(count: u64) -> Millis {
    Millis::from_secs(count)
}

/// A message to `ann`; its id and its key are `id`.
fn asking(id: &str, options: DeliveryOptions) -> SendRequest {
    let mut request = World::to_run("ann", id, id);
    request.message_id = Some(message(id));
    request.options = options;
    request
}

pub(super) struct DeliveryScene {
    pub(super) world: World,
    pub(super) pool: Pool,
    lead: Caller,
    pub(super) ann: Caller,
}

impl DeliveryScene {
    pub(super) async fn new(world: World) -> Self {
        Self::with_depth(world, 10_000).await
    }

    async fn with_depth(world: World, depth: u64) -> Self {
        let mut limits = Limits::default();
        limits.set(LimitName::InboxDepthMax, depth);
        let limits = Some(limits);
        let spec = PoolSpec {
            limits,
            ..PoolSpec::default()
        };
        let pool = world.pool_with(spec).await;
        let (lead, ann) = (
            world.join(&pool, "lead").await,
            world.join(&pool, "ann").await,
        );
        Self {
            world,
            pool,
            lead,
            ann,
        }
    }

    pub(super) async fn send(&self, id: &str, options: DeliveryOptions) -> Receipt {
        self.ask(asking(id, options)).await
    }

    async fn ask(&self, request: SendRequest) -> Receipt {
        let sent = self.world.send(&self.pool, &self.lead, request).await;
        sent.unwrap().receipt
    }

    pub(super) async fn receive(&self, receive_id: &str) -> Received {
        let world = &self.world;
        world.receive(&self.pool, &self.ann, receive_id, 10).await
    }

    pub(super) async fn ack(&self, received: &Received) {
        let claims = ClaimSet::These(World::claims(received));
        let done = self.world.ack(&self.pool, &self.ann, claims).await;
        done.unwrap();
    }

    async fn receipt(&self, id: &str) -> Receipt {
        self.world.receipt(&self.pool, "lead", id).await
    }

    async fn crash(self) -> Self {
        let Self {
            world,
            pool,
            lead,
            ann,
        } = self;
        drop(pool);
        let world = world.crash().await;
        let pool = world.pool().await;
        Self {
            world,
            pool,
            lead,
            ann,
        }
    }

    pub(super) async fn ends(self) {
        self.world.check_replay(&self.pool).await;
    }
}

pub(super) fn ids(received: &Received) -> Vec<&str> {
    let items = received.items.iter();
    items.map(|item| item.message_id.as_str()).collect()
}

async fn m9_more_urgent_copies_are_claimed_first_and_equally_urgent_ones_in_order(world: World) {
    let scene = DeliveryScene::new(world).await;
    for (id, importance) in [
        ("q1", Importance::Queue),
        ("s1", Importance::Steer),
        ("i1", Importance::Interrupt),
        ("q2", Importance::Queue),
        ("s2", Importance::Steer),
        ("i2", Importance::Interrupt),
    ] {
        scene.send(id, urgent(importance)).await;
    }
    let received = scene.receive("r").await;
    assert_eq!(ids(&received), ["i1", "i2", "s1", "s2", "q1", "q2"]);
    let shown: Vec<_> = received.items.iter().map(|item| item.importance).collect();
    assert_eq!(shown[1..3], [Importance::Interrupt, Importance::Steer]);
    let again = scene.receive("r").await;
    assert_eq!(ids(&again), ids(&received), "a repeat has the same order");
    let up_to = ClaimSet::UpTo(World::claims(&received)[2]);
    let acked = scene.world.ack(&scene.pool, &scene.ann, up_to).await;
    acked.unwrap();
    assert_eq!(ids(&scene.receive("r").await), ["s2", "q1", "q2"]);

    let records = scene.world.records(&scene.pool).await;
    let accepted = |record: &&Record| matches!(record.entry.body, Body::MessageAccepted(_));
    let accepted = records.iter().filter(accepted);
    let versions: Vec<_> = accepted.map(|record| record.entry.body.version()).collect();
    assert_eq!(
        versions,
        [1, 2, 2, 1, 2, 2],
        "an older build reads the usual"
    );
    scene.ends().await;
}

async fn m9_a_delayed_copy_comes_at_its_time_after_those_that_were_there_before(world: World) {
    let scene = DeliveryScene::new(world).await;
    let sent = scene.send("late", delayed(seconds(10))).await;
    assert_eq!(sent.recipients[0].state, CopyState::Queued);
    scene.send("later", delayed(seconds(20))).await;
    scene.world.clock.advance(seconds(5));
    scene.send("now", usual()).await;
    scene.world.clock.advance(Millis(4_999));
    let early = scene.receive("early").await;
    assert_eq!(ids(&early), ["now"]);
    let claims = World::claims(&early);
    let back = scene
        .world
        .release(&scene.pool, &scene.ann, claims, None)
        .await;
    back.unwrap();
    scene.world.clock.advance(Millis(1));
    scene.send("after", usual()).await;
    let all = scene.receive("all").await;
    assert_eq!(ids(&all), ["now", "late", "after"]);
    scene.ack(&all).await;
    assert_eq!(scene.receipt("late").await.status, MessageStatus::Settled);
    scene.world.clock.advance(seconds(10));
    assert_eq!(ids(&scene.receive("rest").await), ["later"]);
    scene.ends().await;
}

async fn m9_a_waiting_receive_is_woken_when_a_delayed_copy_comes(world: World) {
    let scene = DeliveryScene::new(world).await;
    scene.send("late", delayed(seconds(10))).await;
    let fetch = World::fetch(&scene.ann, "r", 1);
    let waiting = receiving(&scene.pool, fetch, MINUTE);
    until(|| scene.world.alarm_in(seconds(10))).await;
    scene.world.clock.advance(seconds(10));
    let received = waiting.await.unwrap().unwrap();
    assert_eq!(ids(&received), ["late"]);
    scene.ends().await;
}

async fn m9_a_delay_goes_on_through_a_crash(world: World) {
    let scene = DeliveryScene::new(world).await;
    scene.send("late", delayed(seconds(10))).await;
    scene.world.clock.advance(seconds(4));
    let scene = scene.crash().await;
    assert_eq!(ids(&scene.receive("early").await), [""; 0]);
    let fetch = World::fetch(&scene.ann, "r", 1);
    let waiting = receiving(&scene.pool, fetch, MINUTE);
    until(|| scene.world.alarm_in(seconds(6))).await;
    scene.world.clock.advance(seconds(6));
    assert_eq!(ids(&waiting.await.unwrap().unwrap()), ["late"]);
    scene.ends().await;
}

async fn m9_a_delayed_copy_expires_and_is_cancelled_as_any_other(world: World) {
    let scene = DeliveryScene::new(world).await;
    let mut request = asking("expires", delayed(seconds(10)));
    request.expiry = Some(Expiry::In(seconds(5)));
    scene.ask(request).await;
    scene.send("cancelled", delayed(seconds(10))).await;
    let cancel = CancelMessage {
        caller: scene.lead.clone(),
        from: run("lead"),
        message_id: message("cancelled"),
    };
    let cancelled = scene.pool.call(cancel).await.unwrap();
    assert_eq!(cancelled.recipients[0].state, CopyState::Cancelled);
    scene.world.clock.advance(seconds(20));
    assert_eq!(ids(&scene.receive("r").await), [""; 0]);
    let expired = scene.receipt("expires").await;
    assert_eq!(expired.status, MessageStatus::Expired);
    assert_eq!(expired.recipients[0].state, CopyState::Expired);
    scene.ends().await;
}

async fn m9_a_delay_reaches_to_the_end_of_the_calendar(world: World) {
    let scene = DeliveryScene::new(world).await;
    let now = heronry_store::Clock::now(&scene.world.clock).wall;
    let max = Timestamp::LAST.since(now);
    let past = asking("past", delayed(Millis(max.0 + 1)));
    let refused = scene.world.send(&scene.pool, &scene.lead, past);
    let field = "deliver_after_ms";
    assert_eq!(
        scene.world.refused(&scene.pool, refused).await,
        Rejection::PastCalendar { field, max }
    );
    scene.send("last", delayed(max)).await;
    scene.send("before", delayed(Millis(max.0 - 1))).await;
    assert_eq!(ids(&scene.receive("r").await), [""; 0]);
    scene.ends().await;
}

async fn m9_one_ordered_copy_of_a_sender_is_under_way_and_the_others_wait_for_its_end(
    world: World,
) {
    let scene = DeliveryScene::new(world).await;
    for id in ["o1", "o2", "o3"] {
        scene.send(id, ordered()).await;
    }
    scene.send("free", usual()).await;
    let bob = scene.world.join(&scene.pool, "bob").await;
    let other = scene.world.send(&scene.pool, &bob, asking("b1", ordered()));
    other.await.unwrap();
    let first = scene.receive("first").await;
    assert_eq!(ids(&first), ["o1", "free", "b1"]);
    assert_eq!(ids(&scene.receive("second").await), [""; 0]);
    // A copy that lapsed or was released holds up those behind it, also while it cannot be claimed.
    scene.world.pass(&scene.pool, MINUTE).await;
    let second = scene
        .world
        .receive(&scene.pool, &scene.ann, "third", 1)
        .await;
    assert_eq!((ids(&second), second.items[0].attempt), (vec!["o1"], 2));
    let claims = World::claims(&second);
    let back = scene
        .world
        .release(&scene.pool, &scene.ann, claims, Some(seconds(30)))
        .await;
    back.unwrap();
    let rest = scene.receive("rest").await;
    assert_eq!(ids(&rest), ["free", "b1"]);
    scene.ack(&rest).await;
    scene.world.pass(&scene.pool, seconds(30)).await;
    for id in ["o1", "o2", "o3"] {
        let one = scene.receive(id).await;
        assert_eq!(ids(&one), [id]);
        scene.ack(&one).await;
    }
    scene.ends().await;
}

async fn m9_an_ordered_copy_is_given_back_for_a_minute_at_the_most(world: World) {
    let scene = DeliveryScene::new(world).await;
    scene.send("o1", ordered()).await;
    scene.send("free", usual()).await;
    let (world, pool, ann) = (&scene.world, &scene.pool, &scene.ann);
    let claims = World::claims(&scene.receive("r").await);
    let long = Some(Millis(MINUTE.0 + 1));
    let refused = world.release(pool, ann, claims.clone(), long);
    assert_eq!(
        world.refused(pool, refused).await,
        Rejection::OrderedDelay { max: MINUTE }
    );
    world
        .release(pool, ann, vec![claims[1]], long)
        .await
        .unwrap();
    world
        .release(pool, ann, vec![claims[0]], Some(MINUTE))
        .await
        .unwrap();
    world.pass(pool, MINUTE).await;
    let again = scene.receive("again").await;
    assert_eq!(ids(&again), ["o1"]);
    let claims = World::claims(&again);
    let short = Some(Millis(MINUTE.0 - 1));
    world.release(pool, ann, claims, short).await.unwrap();
    scene.ends().await;
}

async fn m9_a_waiting_receive_is_woken_when_an_ordered_copy_ends(world: World) {
    let scene = DeliveryScene::new(world).await;
    scene.send("o1", ordered()).await;
    scene.send("o2", ordered()).await;
    let first = scene.receive("first").await;
    assert_eq!(ids(&first), ["o1"]);
    let fetch = World::fetch(&scene.ann, "second", 1);
    let waiting = receiving(&scene.pool, fetch, Millis(MINUTE.0 / 2));
    until(|| scene.world.alarm_in(Millis(MINUTE.0 / 2))).await;
    scene.ack(&first).await;
    assert_eq!(ids(&waiting.await.unwrap().unwrap()), ["o2"]);
    scene.ends().await;
}

async fn m9_an_ordered_copy_that_dies_expires_or_is_cancelled_lets_the_next_one_pass(world: World) {
    let scene = DeliveryScene::new(world).await;
    let (world, pool, ann) = (&scene.world, &scene.pool, &scene.ann);
    for id in ["dies", "cancelled"] {
        scene.send(id, ordered()).await;
    }
    let mut expires = asking("expires", ordered());
    expires.expiry = Some(Expiry::In(seconds(20)));
    scene.ask(expires).await;
    scene.send("last", ordered()).await;
    for attempt in 1..=5 {
        let received = scene.receive(&format!("dies-{attempt}")).await;
        assert_eq!(ids(&received), ["dies"]);
        let claims = World::claims(&received);
        world.release(pool, ann, claims, None).await.unwrap();
    }
    let second = scene.receive("second").await;
    assert_eq!(ids(&second), ["cancelled"]);
    let claims = World::claims(&second);
    let later = Some(seconds(10));
    world.release(pool, ann, claims, later).await.unwrap();
    let cancel = CancelMessage {
        caller: scene.lead.clone(),
        from: run("lead"),
        message_id: message("cancelled"),
    };
    pool.call(cancel).await.unwrap();
    let third = scene.receive("third").await;
    assert_eq!(ids(&third), ["expires"]);
    let claims = World::claims(&third);
    let later = Some(seconds(40));
    world.release(pool, ann, claims, later).await.unwrap();
    assert_eq!(ids(&scene.receive("none").await), [""; 0]);
    world.pass(pool, seconds(20)).await;
    assert_eq!(ids(&scene.receive("fourth").await), ["last"]);
    scene.ends().await;
}

async fn m9_what_is_ordered_stays_so_through_a_takeover_and_a_crash(world: World) {
    let mut scene = DeliveryScene::new(world).await;
    scene.send("o1", ordered()).await;
    scene.send("o2", ordered()).await;
    assert_eq!(ids(&scene.receive("first").await), ["o1"]);
    let takes_over = World::joining_as("ann", "second");
    let joined = scene.world.join_as(&scene.pool, takes_over).await.unwrap();
    scene.ann = World::member("ann", joined.generation);
    let mut scene = scene.crash().await;
    let again = scene.receive("again").await;
    assert_eq!((ids(&again), again.items[0].attempt), (vec!["o1"], 1));
    scene = scene.crash().await;
    assert_eq!(ids(&scene.receive("none").await), [""; 0]);
    scene.ack(&again).await;
    assert_eq!(ids(&scene.receive("next").await), ["o2"]);
    scene.ends().await;
}

fn everybody(pool: &Pool) -> Address {
    let pool_id = pool.id().clone();
    Address::Pool { pool_id }
}

/// Fills the inbox of `ann`, which holds four, with what two senders send.
async fn fill(scene: &DeliveryScene) -> [Caller; 2] {
    let (world, pool) = (&scene.world, &scene.pool);
    let senders = [world.join(pool, "bob").await, world.join(pool, "cid").await];
    for sender in &senders {
        for id in ["f1", "f2"] {
            world.say(pool, sender, ("ann", id)).await;
        }
    }
    senders
}

async fn a24_a_full_inbox_refuses_what_is_sent_to_its_run_and_is_skipped_by_a_broadcast(
    world: World,
) {
    let scene = DeliveryScene::with_depth(world, 4).await;
    let [bob, _] = fill(&scene).await;
    let (world, pool) = (&scene.world, &scene.pool);
    let to_run = world.send(pool, &scene.lead, asking("run", usual()));
    let full = Rejection::InboxFull { depth: 4 };
    assert_eq!(world.refused(pool, to_run).await, full);

    let before = world.head(pool).await;
    let all = world.say_to(pool, &scene.lead, (everybody(pool), "all"));
    let receipt = all.await;
    assert_eq!(receipt.status, MessageStatus::Delivered);
    let shown = receipt.recipients.iter();
    let shown: Vec<_> = shown
        .map(|it| (it.run_id.as_str(), it.state, it.why))
        .collect();
    let skipped = Some(Undeliverable::InboxFull);
    assert_eq!(
        shown,
        [
            ("ann", CopyState::Undeliverable, skipped),
            ("bob", CopyState::Queued, None),
            ("cid", CopyState::Queued, None)
        ]
    );
    let step = receipt.timeline.last().unwrap();
    assert_eq!(
        (step.state, step.run_id.as_ref()),
        (TimelineState::Undeliverable, Some(&run("ann")))
    );
    let records = world.records_after(pool, before).await;
    let versions: Vec<_> = records.iter().map(|it| it.entry.body.version()).collect();
    assert_eq!(versions, [1, 2]);
    let event = world.events(pool).await.pop().unwrap();
    let reached: Vec<_> = event.envelope.exchange.recipients.iter().cloned().collect();
    assert_eq!(reached, [run("bob"), run("cid")], "who got a copy");
    let bobs = world.receive(pool, &bob, "r", 10).await;
    assert_eq!(ids(&bobs), ["all"]);

    let one = world.receive(pool, &scene.ann, "one", 1).await;
    let claimed = world.send(pool, &scene.lead, asking("run", usual()));
    assert_eq!(world.refused(pool, claimed).await, full, "claims count");
    scene.ack(&one).await;
    scene.send("run", usual()).await;
    let next = world.send(pool, &scene.lead, asking("next", usual()));
    assert_eq!(world.refused(pool, next).await, full);
    scene.ends().await;
}

async fn a24_on_full_says_what_becomes_of_a_message(world: World) {
    let scene = DeliveryScene::with_depth(world, 4).await;
    let [bob, _] = fill(&scene).await;
    let (world, pool) = (&scene.world, &scene.pool);
    let mut whole = asking("whole", on_full(OnFull::Refuse));
    whole.to = everybody(pool);
    let refused = world.send(pool, &scene.lead, whole.clone());
    let full = Rejection::InboxFull { depth: 4 };
    assert_eq!(world.refused(pool, refused).await, full);
    // A sender that has its half of one inbox is skipped there too, and only there.
    let one = world.receive(pool, &scene.ann, "one", 1).await;
    scene.ack(&one).await;
    world.say(pool, &bob, ("ann", "again")).await;
    let one = world.receive(pool, &scene.ann, "two", 1).await;
    assert_eq!(one.items[0].from, run("bob"));
    let one_of_cid = world.receive(pool, &scene.ann, "three", 1).await;
    assert_eq!(one_of_cid.items[0].from, run("cid"));
    scene.ack(&one_of_cid).await;
    let receipt = world.say_to(pool, &bob, (everybody(pool), "half")).await;
    let states: Vec<_> = receipt.recipients.iter().map(|it| it.state).collect();
    let (queued, not) = (CopyState::Queued, CopyState::Undeliverable);
    assert_eq!(states, [not, queued, queued]);
    scene.ask(whole).await;
    scene.ends().await;
}
