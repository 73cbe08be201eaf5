//! Operations on a store, drawn at random.

use proptest::{collection::vec, prelude::*};

/// One step: something is done, and then something is looked at.
#[derive(Clone, Debug)]
pub(crate) struct MachineStep {
    pub(crate) op: Op,
    pub(crate) look: Look,
}

/// An operation. Numbers are taken modulo the number of things.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Acquire(u8),
    Seize(u8),
    Release(u8, Token),
    Append(AppendOp),
    Delete(u8, Token),
    Trim {
        pool: u8,
        before: u16,
        token: Token,
    },
    Put {
        pool: u8,
        number: u8,
        token: Token,
    },
    PutKeys {
        pool: u8,
        keys: Vec<u8>,
        number: u8,
        token: Token,
    },
    ClearKeys(u8),
    Snapshot {
        pool: u8,
        at: u16,
        version: u8,
        point: Point,
        token: Token,
    },
    DeleteSnapshot(u8, Token),
    Commit {
        pool: u8,
        consumer: u8,
        at: u16,
        expects: Expects,
    },
    DeleteConsumer(u8, u8),
    Seal(u8),
    Unseal,
    /// The store is closed and opened again.
    Reopen,
    /// The process is killed after this many operations on the files within something.
    Crash(Box<Op>, u8),
}

/// The way in which a pool comes to its owner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum By {
    Asking,
    Force,
}

/// The token that is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Token {
    Present,
    Stale,
}

/// The point of a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Point {
    /// The end of a chunk.
    End,
    /// The end of a chunk, on another chain.
    OtherChain,
    /// Anywhere.
    Anywhere,
}

/// The place where a consumer is believed to stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expects {
    What,
    Nothing,
    Else,
}

#[derive(Clone, Debug)]
pub(crate) struct AppendOp {
    pub(crate) pool: u8,
    /// The number of records of each chunk.
    pub(crate) chunks: Vec<u16>,
    /// The number of bodies that ride along.
    pub(crate) bodies: u8,
    pub(crate) how: How,
    pub(crate) is_part: bool,
}

/// The correctness of an append.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum How {
    Right,
    /// It starts a timeline, and says so.
    StartsTimeline,
    StaleToken,
    HeadBehind,
    HeadAhead,
    /// Its first chunk is missing.
    Gap,
    NoChunks,
    OtherHash,
    OtherEpoch,
    /// It starts a timeline, and does not say so.
    UnsaidStart,
    /// It says that a timeline starts, and none does.
    UntrueStart,
    /// It starts the pool over.
    FromNothing,
}

/// The range of a look at a pool.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) pool: u8,
    pub(crate) after: u16,
    /// A limit that lets this many items in, more or less.
    pub(crate) items: u8,
    pub(crate) more: i8,
    pub(crate) number: u8,
}

fn token() -> impl Strategy<Value = Token> {
    prop_oneof![6 => Just(Token::Present), 1 => Just(Token::Stale)]
}

fn how() -> impl Strategy<Value = How> {
    use How::*;
    let wrong = [
        StaleToken,
        HeadBehind,
        HeadAhead,
        Gap,
        NoChunks,
        OtherHash,
        OtherEpoch,
        UnsaidStart,
        UntrueStart,
        FromNothing,
    ];
    prop_oneof![
        10 => Just(Right),
        1 => Just(StartsTimeline),
        4 => prop::sample::select(wrong.to_vec()),
    ]
}

fn append() -> impl Strategy<Value = AppendOp> {
    // Most chunks are small; a few take several fragments of an embedded store.
    let records = prop_oneof![40 => 1..4_u16, 1 => 60..120_u16];
    let is_part = prop_oneof![5 => Just(false), 1 => Just(true)];
    (0..3_u8, vec(records, 1..4), 0..4_u8, how(), is_part).prop_map(
        |(pool, chunks, bodies, how, is_part)| AppendOp {
            pool,
            chunks,
            bodies,
            how,
            is_part,
        },
    )
}

/// Returns operations beside the journal.
fn aside() -> impl Strategy<Value = Op> {
    let pool = 0..3_u8;
    let point = prop_oneof![
        5 => Just(Point::End),
        1 => Just(Point::OtherChain),
        1 => Just(Point::Anywhere),
    ];
    let expects = prop_oneof![
        6 => Just(Expects::What),
        1 => Just(Expects::Nothing),
        1 => Just(Expects::Else),
    ];
    let snapshot = (pool.clone(), any::<u16>(), any::<u8>(), point, token());
    let commit = (pool.clone(), 0..3_u8, any::<u16>(), expects);
    prop_oneof![
        3 => snapshot.prop_map(|(pool, at, version, point, token)| Op::Snapshot {
            pool,
            at,
            version,
            point,
            token,
        }),
        1 => (pool.clone(), token()).prop_map(|(pool, token)| Op::DeleteSnapshot(pool, token)),
        4 => commit.prop_map(|(pool, consumer, at, expects)| Op::Commit {
            pool,
            consumer,
            at,
            expects,
        }),
        1 => (pool, 0..3_u8).prop_map(|(pool, consumer)| Op::DeleteConsumer(pool, consumer)),
    ]
}

/// Returns operations on an open store.
fn work() -> impl Strategy<Value = Op> {
    let pool = 0..3_u8;
    let trim = (pool.clone(), any::<u16>(), token());
    let put = (pool.clone(), 0..6_u8, token());
    let key = (pool.clone(), vec(0..12_u8, 0..5), any::<u8>(), token());
    prop_oneof![
        2 => pool.clone().prop_map(Op::Acquire),
        1 => pool.clone().prop_map(Op::Seize),
        1 => (pool.clone(), token()).prop_map(|(pool, token)| Op::Release(pool, token)),
        12 => append().prop_map(Op::Append),
        1 => (pool.clone(), token()).prop_map(|(pool, token)| Op::Delete(pool, token)),
        3 => trim.prop_map(|(pool, before, token)| Op::Trim { pool, before, token }),
        3 => put.prop_map(|(pool, number, token)| Op::Put { pool, number, token }),
        2 => key.prop_map(|(pool, keys, number, token)| Op::PutKeys { pool, keys, number, token }),
        1 => pool.prop_map(Op::ClearKeys),
        6 => aside(),
    ]
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let crash = (work(), 0..14_u8).prop_map(|(op, at)| Op::Crash(Box::new(op), at));
    let sealing = prop_oneof![1 => any::<u8>().prop_map(Op::Seal), 3 => Just(Op::Unseal)];
    prop_oneof![40 => work(), 2 => sealing, 2 => Just(Op::Reopen), 2 => crash]
}

fn look() -> impl Strategy<Value = Look> {
    (0..3_u8, any::<u16>(), 0..4_u8, -1..2_i8, 0..6_u8).prop_map(
        |(pool, after, items, more, number)| Look {
            pool,
            after,
            items,
            more,
            number,
        },
    )
}

/// Random histories of so many steps at the most.
pub(crate) fn history(steps: usize) -> impl Strategy<Value = Vec<MachineStep>> {
    vec(
        (op(), look()).prop_map(|(op, look)| MachineStep { op, look }),
        1..steps,
    )
}
