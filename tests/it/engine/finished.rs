//! Finished messages are not in memory, and everything that is asked of them is answered as if they were.

use std::fmt::Debug;

use heronry_journal::Claim;
use heronry_pool::{
    Caller, Minter, Rejection,
    decide::{
        CancelMessage, ClaimSet, ContentAccess, Expiry, ExtendClaims, FindMessage, ReplayCopy,
        SendMessage, SendRequest, StateDigest,
    },
};
use heronry_runtime::Pool;
use heronry_tests::{
    World, body, key, message, on_every_store, on_every_store_that_is_reopened, run,
};
use heronry_types::{
    Address, Body, ContentRef, Durability, MessageStatus, Millis, Position, Receipt,
};

use super::{
    inbox::MINUTE,
    replies::{asking, reply},
};

on_every_store! {
    m7_a_message_is_read_again_only_after_it_has_left_memory
    m7_who_may_fetch_a_body_is_known_however_many_messages_refer_to_it
    a_pool_holds_no_finished_message_in_memory_and_every_other
}

on_every_store_that_is_reopened! {
    m3_finished_messages_answer_every_question_as_those_in_memory
}

/// Messages that have finished in every way there is, and what was seen of them.
struct Story {
    pool: Pool,
    lead: Caller,
    ann: Caller,
    bob: Caller,
    requests: Vec<SendRequest>,
    receipts: Vec<Receipt>,
    claims: Vec<Claim>,
}

fn everybody() -> Address {
    let pool_id = heronry_tests::pool("p");
    Address::Pool { pool_id }
}

/// A message to an address, whose id is its key.
fn named(id: &str, to: Address) -> SendRequest {
    SendRequest {
        message_id: Some(message(id)),
        ..SendRequest::new(to, body(id), key(id))
    }
}

fn to(name: &str) -> Address {
    Address::Run { run_id: run(name) }
}

impl Story {
    async fn of(world: &World) -> Self {
        let pool = world.pool().await;
        let lead = world.join(&pool, "lead").await;
        let ann = world.join(&pool, "ann").await;
        let bob = world.join(&pool, "bob").await;
        let mut story = Self {
            pool,
            lead,
            ann,
            bob,
            requests: Vec::new(),
            receipts: Vec::new(),
            claims: Vec::new(),
        };
        story.acked(world).await;
        story.withdrawn(world).await;
        story.answered(world).await;
        story.left(world).await;
        story
    }

    /// Starts the world again.
    async fn restart(self, world: World) -> (World, Self) {
        let Self {
            pool,
            lead,
            ann,
            bob,
            requests,
            receipts,
            claims,
        } = self;
        drop(pool);
        let world = world.restart().await;
        let story = Self {
            pool: world.pool().await,
            lead,
            ann,
            bob,
            requests,
            receipts,
            claims,
        };
        (world, story)
    }

    async fn send(&mut self, world: &World, request: SendRequest) {
        let sent = world.send(&self.pool, &self.lead, request.clone()).await;
        self.receipts.push(sent.unwrap().receipt);
        self.requests.push(request);
    }

    async fn receive(&mut self, world: &World, who: &Caller, id: &str) -> Vec<Claim> {
        let received = world.receive(&self.pool, who, id, 10).await;
        let claims = World::claims(&received);
        self.claims.extend(&claims);
        claims
    }

    /// One is acknowledged, one is released, lapses and is acknowledged by one of two.
    async fn acked(&mut self, world: &World) {
        self.send(world, named("acked", to("ann"))).await;
        self.send(world, named("failed", to("nobody"))).await;
        let ann = self.ann.clone();
        let claims = self.receive(world, &ann, "r1").await;
        world
            .ack(&self.pool, &ann, ClaimSet::These(claims))
            .await
            .unwrap();
        self.send(world, named("many", everybody())).await;
        let claims = self.receive(world, &ann, "r2").await;
        world.release(&self.pool, &ann, claims, None).await.unwrap();
        self.receive(world, &ann, "r3").await;
        world.pass(&self.pool, MINUTE).await;
        let claims = self.receive(world, &ann, "r4").await;
        world
            .ack(&self.pool, &ann, ClaimSet::These(claims))
            .await
            .unwrap();
    }

    /// One expires, one is cancelled while it is claimed.
    async fn withdrawn(&mut self, world: &World) {
        let mut short = named("expired", to("ann"));
        short.expiry = Some(Expiry::In(Millis::from_secs(1)));
        self.send(world, short).await;
        world.pass(&self.pool, Millis::from_secs(2)).await;
        self.send(world, named("cancelled", everybody())).await;
        let ann = self.ann.clone();
        let claims = self.receive(world, &ann, "r5").await;
        self.pool
            .call(Self::cancel(&self.lead, "cancelled"))
            .await
            .unwrap();
        world
            .ack(&self.pool, &ann, ClaimSet::These(claims))
            .await
            .unwrap();
    }

    /// One has its replies, one does not get them in time.
    async fn answered(&mut self, world: &World) {
        self.send(world, asking("asked", 1)).await;
        let ann = self.ann.clone();
        let claims = self.receive(world, &ann, "r6").await;
        let answer = reply("answer", "lead", "asked");
        world.send(&self.pool, &ann, answer).await.unwrap();
        world
            .ack(&self.pool, &ann, ClaimSet::These(claims))
            .await
            .unwrap();
        let mut asked = asking("unheard", 2);
        let contract = asked.contract.as_mut().unwrap();
        contract.timeout_ms = Some(Millis::from_secs(5));
        self.send(world, asked).await;
        world.pass(&self.pool, Millis::from_secs(6)).await;
        let claims = self.receive(world, &ann, "r7").await;
        world
            .ack(&self.pool, &ann, ClaimSet::These(claims))
            .await
            .unwrap();
        let lead = self.lead.clone();
        let claims = self.receive(world, &lead, "r8").await;
        world
            .ack(&self.pool, &lead, ClaimSet::These(claims))
            .await
            .unwrap();
    }

    /// The copies that bob never reads end when he goes, after his claims were taken over.
    async fn left(&mut self, world: &World) {
        let bob = self.bob.clone();
        self.receive(world, &bob, "r9").await;
        let again = World::joining_as("bob", "instance-2");
        let joined = world.join_as(&self.pool, again).await.unwrap();
        self.bob = World::member("bob", joined.generation);
        world.leave(&self.pool, &self.bob).await.unwrap();
    }

    fn cancel(caller: &Caller, id: &str) -> CancelMessage {
        CancelMessage {
            caller: caller.clone(),
            from: run("lead"),
            message_id: message(id),
        }
    }

    /// Asks everything that can be asked of the messages, and returns the answers.
    async fn ask(&self, world: &World) -> Answers {
        let mut answers = Answers::default();
        for request in &self.requests {
            self.ask_as_sender(world, request, &mut answers).await;
        }
        for receipt in &self.receipts {
            self.ask_of(receipt, &mut answers).await;
        }
        for claim in &self.claims {
            self.ask_of_claim(world, *claim, &mut answers).await;
        }
        self.ask_in_reply(world, &mut answers).await;
        answers.note("state", self.pool.call(StateDigest).await);
        answers
    }

    async fn ask_as_sender(&self, world: &World, request: &SendRequest, answers: &mut Answers) {
        let (pool, lead) = (&self.pool, &self.lead);
        let repeat = world.send(pool, lead, request.clone()).await;
        answers.note("repeat", repeat);
        let mut other = request.clone();
        other.content = body("something else");
        answers.note("conflict", world.send(pool, lead, other).await);
        let mut other = request.clone();
        other.key = key("another key");
        answers.note("same id", world.send(pool, lead, other).await);
        let id = request.message_id.clone().unwrap();
        for caller in [lead, &self.ann, &Caller::Operator] {
            let find = FindMessage {
                caller: caller.clone(),
                from: run("lead"),
                message_id: id.clone(),
            };
            answers.note("receipt", pool.call(find).await);
            answers.note("cancel", pool.call(Self::cancel(caller, id.as_str())).await);
        }
    }

    async fn ask_of(&self, receipt: &Receipt, answers: &mut Answers) {
        for caller in [&self.lead, &self.ann, &Caller::Operator] {
            let access = Self::access(caller, receipt.content_ref);
            answers.note("body", self.pool.call(access).await);
        }
        for cursor in [receipt.cursor, receipt.as_of] {
            let replay = ReplayCopy {
                caller: self.ann.clone(),
                run: run("ann"),
                accepted: cursor,
            };
            answers.note("replay", self.pool.call(replay).await);
        }
    }

    fn access(caller: &Caller, content_ref: ContentRef) -> ContentAccess {
        ContentAccess {
            caller: caller.clone(),
            content_ref,
        }
    }

    async fn ask_of_claim(&self, world: &World, claim: Claim, answers: &mut Answers) {
        let pool = &self.pool;
        let made_up = Claim {
            fetched: claim.fetched.next(),
            ..claim
        };
        for claim in [claim, made_up] {
            for who in [&self.ann, &self.lead] {
                let these = ClaimSet::These(vec![claim]);
                answers.note("ack", world.ack(pool, who, these).await);
                let up_to = ClaimSet::UpTo(claim);
                answers.note("ack up to", world.ack(pool, who, up_to).await);
                let released = world.release(pool, who, vec![claim], None).await;
                answers.note("release", released);
                let extend = ExtendClaims {
                    caller: who.clone(),
                    run: World::run_of(who),
                    claims: vec![claim],
                    claim_ms: MINUTE,
                };
                answers.note("extend", pool.call(extend).await);
            }
        }
        let all = ClaimSet::These(self.claims.clone());
        answers.note("ack all", world.ack(pool, &self.ann, all).await);
    }

    /// Late replies: these are recorded, with what they reply to.
    async fn ask_in_reply(&self, world: &World, answers: &mut Answers) {
        for (id, of) in [("late", "asked"), ("other", "acked"), ("lost", "answer")] {
            let late = reply(id, "lead", of);
            answers.note("reply", world.send(&self.pool, &self.ann, late).await);
            let received = world.receive(&self.pool, &self.lead, id, 10).await;
            let claims = World::claims(&received);
            answers.note("received", received);
            let acked = world.ack(&self.pool, &self.lead, ClaimSet::These(claims));
            answers.note("acked", acked.await);
        }
    }
}

/// Answers as texts, each with what was asked.
#[derive(Debug, Default)]
struct Answers(Vec<(&'static str, String)>);

impl Answers {
    fn note(&mut self, asked: &'static str, answer: impl Debug) {
        self.0.push((asked, format!("{answer:?}")));
    }

    /// Checks that others are the same.
    fn check(&self, others: &Self) {
        assert_eq!(self.0.len(), others.0.len());
        for (one, other) in self.0.iter().zip(&others.0) {
            assert_eq!(one, other);
        }
    }
}

async fn m3_finished_messages_answer_every_question_as_those_in_memory(world: World) {
    let kind = world.kind;
    let kept = World::new(kind).await.keeping_finished(usize::MAX);
    let (story, whole) = (Story::of(&world).await, Story::of(&kept).await);
    let statuses = [
        MessageStatus::Settled,
        MessageStatus::Failed,
        MessageStatus::Settled,
        MessageStatus::Expired,
        MessageStatus::Cancelled,
        MessageStatus::Responded,
        MessageStatus::TimedOut,
    ];
    for (request, status) in story.requests.iter().zip(statuses) {
        let id = request.message_id.as_ref().unwrap();
        let receipt = world.receipt(&story.pool, "lead", id.as_str()).await;
        assert_eq!(receipt.status, status, "{id}");
    }
    story.ask(&world).await.check(&whole.ask(&kept).await);
    world.check_replay(&story.pool).await;
    kept.check_replay(&whole.pool).await;

    let (world, story) = story.restart(world).await;
    let (kept, whole) = whole.restart(kept).await;
    story.ask(&world).await.check(&whole.ask(&kept).await);
    world.check_replay(&story.pool).await;
}

async fn m7_a_message_is_read_again_only_after_it_has_left_memory(world: World) {
    let world = world.keeping_finished(1);
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    for id in ["first", "second"] {
        let sent = world.send(&pool, &lead, named(id, to("nobody"))).await;
        assert_eq!(sent.unwrap().receipt.status, MessageStatus::Failed);
    }
    let before = world.faults.reads();
    let second = world.receipt(&pool, "lead", "second").await;
    assert_eq!(world.faults.reads(), before, "it is still in memory");
    let first = world.receipt(&pool, "lead", "first").await;
    assert_eq!(world.faults.reads(), before + 1, "it is in the journal");
    assert_eq!(world.receipt(&pool, "lead", "first").await, first);
    assert_eq!(world.faults.reads(), before + 1, "it was read a moment ago");
    assert_ne!(first.cursor, second.cursor);
    world.check_replay(&pool).await;
}

/// As many as refer to one body before the others stay in memory, and more.
const REFERRERS: usize = 70;

async fn m7_who_may_fetch_a_body_is_known_however_many_messages_refer_to_it(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let stranger = world.join(&pool, "stranger").await;
    let content_ref = pool
        .store_body(lead.clone(), Body::text("long"))
        .await
        .unwrap()
        .content_ref;
    let content = pool.stored(lead.clone(), content_ref).await.unwrap();
    let mut readers = Vec::new();
    let mut first = None;
    for number in 0..REFERRERS {
        let name = format!("reader-{number}");
        let reader = world.join(&pool, &name).await;
        let mut request = named(&name, to(&name));
        request.content = content.clone();
        let sent = world.send(&pool, &lead, request).await.unwrap();
        first = first.or(Some(sent.receipt.cursor.position));
        let claims = World::claims(&world.receive(&pool, &reader, "r", 1).await);
        world
            .ack(&pool, &reader, ClaimSet::These(claims))
            .await
            .unwrap();
        readers.push(reader);
    }
    let access = |caller: &Caller| {
        let (caller, pool) = (caller.clone(), &pool);
        async move {
            let asked = ContentAccess {
                caller,
                content_ref,
            };
            pool.call(asked).await
        }
    };
    for reader in readers.iter().chain([&lead, &Caller::Operator]) {
        let seen = access(reader).await.unwrap();
        assert_eq!(
            seen.map(|seen| (seen.accepted, seen.bytes)),
            first.map(|first| (first, 4))
        );
    }
    let refusal = world.refused(&pool, access(&stranger)).await;
    assert_eq!(refusal, Rejection::ContentMissing);
    world.check_replay(&pool).await;
}

async fn a_pool_holds_no_finished_message_in_memory_and_every_other(world: World) {
    let story = Story::of(&world).await;
    let live = named("live", to("ann"));
    let sent = SendMessage::new(story.lead.clone(), run("lead"), live);
    let live = story.pool.call(sent).await.unwrap().receipt.cursor.position;
    let secret = Minter::new([7; 32]);
    let epoch = World::first_epoch(&story.pool);
    let mut replay = heronry_pool::engine::Replay::new(
        story.pool.id().clone(),
        epoch,
        secret,
        Durability::Memory,
    )
    .keeping_finished(0);
    let records = world.records(&story.pool).await;
    for record in &records {
        replay.record(record).unwrap();
    }
    let all = replay.state().messages().len();
    let digest = replay.state().digest();
    let before_the_last = records[records.len() - 3].position;
    replay.forget_finished(Position(1));
    assert_eq!(
        replay.state().messages().len(),
        all,
        "nothing had finished there"
    );
    replay.forget_finished(before_the_last);
    assert_eq!(replay.state().messages().len(), 1);
    assert!(replay.state().messages().get(live).is_some());
    assert_eq!(replay.state().digest(), digest);
    assert_eq!(replay.state().messages().live(), 1);
}
