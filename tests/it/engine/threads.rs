//! Members that act at the same time, each in a task of its own, on real threads.

use futures::future::join_all;
use heronry_journal::Claim;
use heronry_pool::{
    Caller,
    decide::{
        AckCopies, AppendEvents, CancelWake, ClaimSet, JoinPool, RegisterWake, ReleaseClaims,
        SendMessage, SendRequest, WakeRequest,
    },
};
use heronry_runtime::{CallError, Pool};
use heronry_store::CommitOutcome;
use heronry_testkit::AppendFault;
use heronry_tests::{World, body, key, on_every_store_with_threads, run, topic};
use heronry_types::{
    AckOutcome, Address, EventKind, Millis, NewEvent, PoolId, Since, WakeId, WakeStatus,
};

on_every_store_with_threads! {
    inv_whatever_members_do_at_the_same_time_every_record_keeps_the_rules
    inv_what_members_did_when_the_store_failed_is_there_once_or_not_at_all
}

const MEMBERS: usize = 8;
/// The number of commands that each member gives.
const COMMANDS: usize = 120;

const FILTERS: [&str; 4] = [
    r#"kind == "run_message_delivered" && "m1" in recipients"#,
    r#"kind == "run_message_settled""#,
    r#"family == "tool" && run == "m2""#,
    r#"kind == "run_message_acked" || kind == "run_message_released""#,
];

/// A member, and what it holds.
struct Member {
    pool: Pool,
    caller: Caller,
    name: String,
    draw: u64,
    given: usize,
    claims: Vec<Claim>,
    wakes: Vec<WakeId>,
    /// The sends under a new key that met the failure of the store, and the outcomes that were
    /// told.
    uncertain: Vec<(SendRequest, CommitOutcome)>,
}

impl Member {
    fn below(&mut self, bound: usize) -> usize {
        self.draw ^= self.draw << 13;
        self.draw ^= self.draw >> 7;
        self.draw ^= self.draw << 17;
        usize::try_from(self.draw >> 33).unwrap() % bound
    }

    fn run(&self) -> heronry_types::RunId {
        run(&self.name)
    }

    /// Gives its commands; returns whether the pool stopped meanwhile.
    async fn act(&mut self) -> Result<(), CallError> {
        for _ in 0..COMMANDS {
            self.given += 1;
            let done = match self.below(12) {
                0..=3 => self.send().await,
                4 | 5 => self.receive().await,
                6 | 7 => self.ack().await,
                8 => self.release().await,
                9 => self.wait().await,
                10 => self.cancel().await,
                _ => self.report().await,
            };
            match done {
                Ok(()) | Err(CallError::Rejected(_) | CallError::Busy { .. }) => {}
                Err(stopped) => return Err(stopped),
            }
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), CallError> {
        let to = match self.below(6) {
            0 => Address::Pool {
                pool_id: PoolId::parse("p").unwrap(),
            },
            1 => Address::Topic {
                topic_id: topic("all"),
            },
            _ => Address::Run {
                run_id: run(&format!("m{}", self.below(MEMBERS))),
            },
        };
        // Sometimes a key that it used before.
        let number = self.given - self.below(3).min(self.given);
        let request = SendRequest::new(to, body("-"), key(&format!("send-{number}")));
        let send = SendMessage::new(self.caller.clone(), self.run(), request.clone());
        let answer = self.pool.call(send).await;
        if let Err(CallError::Stopped { outcome, .. }) = &answer
            && number == self.given
        {
            self.uncertain.push((request, *outcome));
        }
        answer.map(|_| ())
    }

    async fn receive(&mut self) -> Result<(), CallError> {
        let name = format!("r{}", self.given);
        let most = 1 + self.below(4) as u64;
        let fetch = World::fetch(&self.caller, &name, most);
        let received = self.pool.receive(fetch, Millis(0)).await?;
        self.claims.extend(World::claims(&received));
        Ok(())
    }

    async fn ack(&mut self) -> Result<(), CallError> {
        let Some(claim) = self.claims.pop() else {
            return Ok(());
        };
        let ack = AckCopies {
            caller: self.caller.clone(),
            run: self.run(),
            claims: ClaimSet::These(vec![claim]),
            outcome: AckOutcome::Done,
            note: None,
        };
        self.pool.call(ack).await.map(|_| ())
    }

    async fn release(&mut self) -> Result<(), CallError> {
        let Some(claim) = self.claims.pop() else {
            return Ok(());
        };
        let release = ReleaseClaims {
            caller: self.caller.clone(),
            run: self.run(),
            claims: vec![claim],
            delay: None,
        };
        self.pool.call(release).await.map(|_| ())
    }

    async fn wait(&mut self) -> Result<(), CallError> {
        let filter = FILTERS[self.below(FILTERS.len())];
        let since = [Since::Head, Since::Start][self.below(2)];
        let request = WakeRequest {
            since,
            ..World::waiting(filter, &format!("wait-{}", self.given))
        };
        let register = RegisterWake::new(self.caller.clone(), self.run(), request);
        let registered = self.pool.call(register).await?;
        self.wakes.push(registered.wake.wake_id);
        Ok(())
    }

    async fn cancel(&mut self) -> Result<(), CallError> {
        let Some(wake_id) = self.wakes.pop() else {
            return Ok(());
        };
        let cancel = CancelWake {
            caller: self.caller.clone(),
            run: self.run(),
            wake_id,
        };
        let ended = self.pool.call(cancel).await?;
        assert_ne!(ended.status, WakeStatus::Registered);
        Ok(())
    }

    async fn report(&mut self) -> Result<(), CallError> {
        let events = vec![NewEvent::new(EventKind::ToolCompleted); 1 + self.below(3)];
        let name = key(&format!("report-{}", self.given));
        let report = AppendEvents::new(self.caller.clone(), self.run(), events, name);
        self.pool.call(report).await.map(|_| ())
    }
}

async fn members(world: &World, pool: &Pool) -> Vec<Member> {
    let join = |number: usize| async move {
        let name = format!("m{number}");
        let join = JoinPool {
            topics: vec![topic("all")],
            ..World::joining(&name)
        };
        let joined = world.join_as(pool, join).await.unwrap();
        Member {
            pool: pool.clone(),
            caller: World::member(&name, joined.generation),
            name,
            draw: 0x9e37_79b9 + number as u64,
            given: 0,
            claims: Vec::new(),
            wakes: Vec::new(),
            uncertain: Vec::new(),
        }
    };
    join_all((0..MEMBERS).map(join)).await
}

/// Has all of them act at the same time; returns them, and whether the pool stopped.
async fn all_act(members: Vec<Member>) -> (Vec<Member>, bool) {
    let tasks: Vec<_> = members
        .into_iter()
        .map(|mut member| {
            tokio::spawn(async move {
                let acted = member.act().await;
                (member, acted.is_err())
            })
        })
        .collect();
    let (mut members, mut stopped) = (Vec::new(), false);
    for task in tasks {
        let (member, has_stopped) = task.await.unwrap();
        members.push(member);
        stopped |= has_stopped;
    }
    (members, stopped)
}

/// Takes and acknowledges whatever is left, so that every copy has ended.
async fn empty_inboxes(world: &World, pool: &Pool, members: &[Member]) {
    for member in members {
        let held = ClaimSet::These(member.claims.clone());
        if !member.claims.is_empty() {
            world.ack(pool, &member.caller, held).await.unwrap();
        }
        for number in 0.. {
            let name = format!("last-{number}");
            let received = world.receive(pool, &member.caller, &name, 1_000).await;
            if received.items.is_empty() {
                assert_eq!(received.unread, 0);
                break;
            }
            let claims = ClaimSet::These(World::claims(&received));
            world.ack(pool, &member.caller, claims).await.unwrap();
        }
    }
}

async fn inv_whatever_members_do_at_the_same_time_every_record_keeps_the_rules(world: World) {
    let pool = world.pool().await;
    let (members, stopped) = all_act(members(&world, &pool).await).await;
    assert!(!stopped);
    world.check_replay(&pool).await;
    empty_inboxes(&world, &pool, &members).await;
    world.check_replay(&pool).await;
}

async fn inv_what_members_did_when_the_store_failed_is_there_once_or_not_at_all(world: World) {
    let mut world = world;
    for (round, fault) in [
        (0, AppendFault::UnknownNotKept),
        (1, AppendFault::UnknownKept),
    ] {
        let pool = world.pool().await;
        let mut all = members(&world, &pool).await;
        for member in &mut all {
            // Keys of this round.
            member.given = round * 10_000 + 10;
        }
        world.faults.fail_append(world.faults.appends() + 40, fault);
        let (all, stopped) = all_act(all).await;
        assert!(stopped, "there are more than 40 appends");
        let before = world.store().journal.head(pool.id()).await;
        assert!(before.is_err(), "the store is closed");
        let told: Vec<_> = all
            .into_iter()
            .map(|it| (it.caller, it.uncertain))
            .collect();
        drop(pool);
        world = world.crash().await;
        let pool = world.pool().await;
        for (caller, uncertain) in told {
            for (request, outcome) in uncertain {
                let retry = |request: SendRequest| world.send(&pool, &caller, request);
                let first = retry(request.clone()).await.unwrap();
                assert!(outcome == CommitOutcome::Unknown || !first.repeated);
                let second = retry(request).await.unwrap();
                assert!(second.repeated);
                assert_eq!(second.receipt.cursor, first.receipt.cursor);
            }
        }
        world.check_replay(&pool).await;
    }
}
