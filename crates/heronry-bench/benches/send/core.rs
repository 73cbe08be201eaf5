//! The pure core of a send, one thread: hash, decide, apply, encode, checksum, chain.

use std::time::Instant;

use heronry_journal::{ChunkHash, ChunkWriter};
use heronry_pool::{
    Caller, Engine, Minter,
    decide::{Command, CreatePool},
    engine::{LookedUp, Replay},
};
use heronry_types::{Durability, Epoch, PoolId, Position, Timestamp};

use crate::message::{join, message, spec};

/// Sends in one batch.
const BATCH: usize = 256;

/// Returns microseconds for one send: in the rules alone, and with the encoding.
pub(crate) fn send(sends: usize) -> (f64, f64) {
    let mut engine = engine();
    let mut head = engine.state().head();
    let (sender, minter) = (Caller::Operator, Minter::new([7; 32]));
    let (mut rules, mut encoding, mut hash) = (0.0, 0.0, ChunkHash::START);
    for batch in 0..sends / BATCH {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let start = Instant::now();
        let now = Timestamp::from_millis(1_795_161_600_000 + i64::try_from(batch).unwrap());
        let mut append = engine.begin(now);
        for number in 0..BATCH {
            let send = message(&sender, &format!("caller-{batch}-message-{number}"));
            let names = send.names(Epoch([1; 16]), &minter);
            append
                .run(&mut engine, &send, names.as_ref(), LookedUp::default())
                .unwrap();
        }
        let staged = append.finish(&mut engine);
        rules += start.elapsed().as_secs_f64();
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let start = Instant::now();
        let mut writer = ChunkWriter::new(Epoch([1; 16]), head, hash, now);
        for record in &staged.records {
            writer.push(&record.entry).unwrap();
        }
        let chunks = writer.finish();
        encoding += start.elapsed().as_secs_f64();
        let last = chunks.last().unwrap();
        (head, hash) = (last.last(), last.hash());
    }
    let each = |seconds: f64| seconds * 1e6 / sends as f64;
    (each(rules), each(rules + encoding))
}

fn engine() -> Engine {
    let pool = PoolId::parse("bench").unwrap();
    let minter = Minter::new([7; 32]);
    let mut engine = Replay::new(pool, Epoch([1; 16]), minter, Durability::Memory).finish();
    let mut append = engine.begin(Timestamp::default());
    let (create, nothing) = (CreatePool { spec: spec() }, LookedUp::default());
    append.run(&mut engine, &create, None, nothing).unwrap();
    for name in ["reader-4f1c2b", "sender-9a07d3"] {
        let join = join(name);
        append.run(&mut engine, &join, None, nothing).unwrap();
    }
    append.finish(&mut engine);
    assert_eq!(engine.state().head(), Position(3));
    engine
}
