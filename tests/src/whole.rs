//! The answers of a pool as they would be if no message had left memory.

use heronry_journal::{Body, Record};
use heronry_pool::{
    Caller, Engine, Minter,
    decide::{Command, ContentAccess, FindMessage},
    engine::{Append, LookedUp, Replay},
};
use heronry_runtime::Pool;
use heronry_types::{Durability, Timestamp};

use crate::World;

/// The most messages that are looked at.
const LOOKED_AT: usize = 128;

/// An engine that has all of a journal in memory.
struct Whole {
    engine: Engine,
    append: Append,
}

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
impl Whole {
    fn of(pool: &Pool, records: &[Record], durability: Durability) -> Self {
        let epoch = World::first_epoch(pool);
        let minter = Minter::new([7; 32]);
        let mut replay =
            Replay::new(pool.id().clone(), epoch, minter, durability).keeping_finished(usize::MAX);
        for record in records {
            replay.record(record).unwrap();
        }
        let mut engine = replay.finish();
        let append = engine.begin(Timestamp::default());
        Self { engine, append }
    }

    fn ask<C: Command>(&mut self, pool: &Pool, command: &C) -> C::Answer {
        let names = command.names(pool.epoch(), &Minter::new([7; 32]));
        let answer = self.append.run(
            &mut self.engine,
            command,
            names.as_ref(),
            LookedUp::default(),
        );
        answer.unwrap()
    }
}

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
impl World {
    /// Checks that the pool tells of its messages what it would tell if all of them were in memory; of
    /// many messages it looks at some.
    pub(crate) async fn check_messages(&self, pool: &Pool, records: &[Record]) {
        let durability = self.store().journal.capabilities().durability;
        let mut whole = Whole::of(pool, records, durability);
        let accepted = records.iter().filter_map(|record| {
            let Body::MessageAccepted(body) = &record.entry.body else {
                return None;
            };
            Some((record, body))
        });
        let accepted: Vec<_> = accepted.collect();
        let step = accepted.len().div_ceil(LOOKED_AT).max(1);
        for (record, body) in accepted.into_iter().step_by(step) {
            let find = FindMessage {
                caller: Caller::Operator,
                from: record.entry.lineage.run.clone().unwrap(),
                message_id: body.message_id.clone(),
            };
            let mut expected = whole.ask(pool, &find);
            let told = pool.call(find).await.unwrap();
            // The pool may have gone on, with what is about no message.
            expected.as_of = told.as_of;
            assert_eq!(told, expected);
            let access = ContentAccess {
                caller: Caller::Operator,
                content_ref: body.content_ref,
            };
            let expected = whole.ask(pool, &access);
            assert_eq!(pool.call(access).await.unwrap(), expected);
        }
    }
}
