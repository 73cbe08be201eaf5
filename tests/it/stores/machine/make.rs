//! The parts that a step stands for: commits, guards, bodies, keys.

use heronry_journal::{ChunkHash, RequestHash};
use heronry_store::{
    Arrival, Checkpoint, Commit, ConsumerCursor, ConsumerId, ContentPlace, Erasure, FencingToken,
    FilterFingerprint, Guard, Head, KeyEntry, KeyHash, KeyName, NewContent, Snapshot, Timeline,
};
use heronry_testkit::sample;
use heronry_types::{Body, Cursor, Epoch, Id, IdKind, PoolId, Position};

use super::{
    model::Pool,
    ops::{AppendOp, Expects, How, Point, Token},
};

/// The number of pools.
pub(crate) const POOLS: u8 = 3;
/// The most keys of a pool.
pub(crate) const KEYS: u8 = 12;

/// Returns the name of a pool.
pub(crate) fn name(pool: u8) -> PoolId {
    sample::pool(u64::from(pool % POOLS))
}

/// Returns the token that a writer shows.
pub(crate) fn token(pool: &Pool, token: Token) -> FencingToken {
    match token {
        Token::Present => FencingToken(pool.token),
        Token::Stale => FencingToken(pool.token.saturating_sub(1)),
    }
}

/// Returns the body with a number; some are larger than a fragment of an embedded store.
fn body(number: u64) -> Body {
    if number % 11 != 3 {
        return sample::body(number);
    }
    let mut bytes = vec![number.to_le_bytes()[0]; 20_000];
    bytes.extend_from_slice(&number.to_le_bytes());
    Body::new("application/octet-stream", bytes)
}

/// Returns a content that is stored by itself.
pub(crate) fn alone(number: u8) -> NewContent {
    content(1_000_000 + u64::from(number))
}

/// Returns the contents that may ride with an append that begins at a position.
pub(crate) fn riding(first: Position) -> [NewContent; 3] {
    [0, 1, 2].map(|number| content(first.0 * 4 + number))
}

fn content(number: u64) -> NewContent {
    NewContent::new(sample::content_ref(number), body(number))
}

/// Returns an append as a step asks for it.
pub(crate) fn append(pool: &Pool, append: &AppendOp) -> (Commit, Guard) {
    let end = pool.end().filter(|_| append.how != How::FromNothing);
    let found = end.map_or(Position::ZERO, |end| end.head);
    let mut commit = commit(end, append);
    let riding = riding(found.next()).into_iter();
    commit.contents = riding.take(append.bodies.into()).collect();
    commit.erasures = erasures(pool, append);
    if append.is_part {
        commit.arrival = Arrival::Part;
    }
    let expected_head = match append.how {
        How::HeadBehind => found.previous(),
        How::HeadAhead => found.next(),
        How::Right
        | How::StartsTimeline
        | How::StaleToken
        | How::Gap
        | How::NoChunks
        | How::OtherHash
        | How::OtherEpoch
        | How::UnsaidStart
        | How::UntrueStart
        | How::FromNothing => found,
    };
    let shown = if append.how == How::StaleToken {
        Token::Stale
    } else {
        Token::Present
    };
    let guard = Guard {
        expected_head,
        token: token(pool, shown),
    };
    (commit, guard)
}

/// Returns what an append erases: every third one, of an append before it and of what stands by itself.
fn erasures(pool: &Pool, append: &AppendOp) -> Vec<Erasure> {
    let end = pool.end().map_or(0, |end| end.head.0);
    if end % 3 != 1 {
        return Vec::new();
    }
    let packs = pool.packs.iter().rev();
    let riding = packs.take(2).flat_map(|pack| {
        let place = ContentPlace::With(pack.last);
        let some = pack.contents.iter().skip(append.bodies.into());
        some.map(move |content| (content.content_ref, place))
    });
    let alone = alone(append.bodies).content_ref;
    let tombstone = sample::tombstone(1, end);
    riding
        .chain([(alone, ContentPlace::Alone)])
        .map(|(content_ref, place)| Erasure {
            content_ref,
            place,
            tombstone: tombstone.clone(),
        })
        .collect()
}

fn commit(end: Option<Head>, append: &AppendOp) -> Commit {
    let records: Vec<u64> = append
        .chunks
        .iter()
        .map(|count| u64::from(*count))
        .collect();
    let before = end.unwrap_or(Head {
        epoch: sample::EPOCH,
        head: Position::ZERO,
        floor: Position(1),
        last_hash: ChunkHash::START,
    });
    let fresh = Epoch(sample::content_ref(before.head.0 + 1).bits());
    let mut commit = match append.how {
        How::StartsTimeline | How::UnsaidStart => sample::start(end, fresh),
        How::OtherHash => {
            let last_hash = ChunkHash([7; 32]);
            sample::chunks(
                Some(Head {
                    last_hash,
                    ..before
                }),
                &records,
            )
        }
        How::OtherEpoch => {
            let epoch = fresh;
            sample::chunks(Some(Head { epoch, ..before }), &records)
        }
        How::Gap => {
            let mut commit = sample::chunks(end, &[&[1], &records[..]].concat());
            commit.chunks.remove(0);
            commit
        }
        How::NoChunks => Commit::default(),
        How::Right
        | How::StaleToken
        | How::HeadBehind
        | How::HeadAhead
        | How::UntrueStart
        | How::FromNothing => sample::chunks(end, &records),
    };
    match append.how {
        How::UnsaidStart => commit.timeline = Timeline::Continues,
        How::UntrueStart => commit.timeline = Timeline::Starts,
        _ => {}
    }
    commit
}

/// Returns a snapshot as a step asks for it.
pub(crate) fn snapshot(pool: &Pool, (at, version): (u16, u8), point: Point) -> Snapshot {
    let anywhere = Checkpoint {
        epoch: sample::EPOCH,
        position: Position(u64::from(at) % 9),
        hash: ChunkHash([9; 32]),
    };
    let count = pool.ends.len().max(1);
    let end = pool.ends.get(usize::from(at) % count).copied();
    let at = match (point, end) {
        (Point::Anywhere, _) | (_, None) => anywhere,
        (Point::OtherChain, Some(end)) => Checkpoint {
            hash: ChunkHash([version; 32]),
            ..end
        },
        (Point::End, Some(end)) => end,
    };
    Snapshot {
        version: version.into(),
        at,
        bytes: vec![version; usize::from(version) * 200],
    }
}

/// Returns the name of a consumer.
pub(crate) fn consumer(number: u8) -> ConsumerId {
    id(["c", "c-", "é"][usize::from(number % 3)])
}

/// Returns where a consumer is believed to stand, and where it goes.
pub(crate) fn commit_of(
    pool: &Pool,
    consumer: &ConsumerId,
    (at, expects): (u16, Expects),
) -> (Option<ConsumerCursor>, ConsumerCursor) {
    let end = pool.end().map_or(0, |end| end.head.0);
    let next = ConsumerCursor::new(
        Cursor::new(sample::EPOCH, Position(u64::from(at) % (end + 2))),
        FilterFingerprint([at.to_le_bytes()[0] % 3; 32]),
    );
    let expected = match expects {
        Expects::What => pool.consumers.get(consumer).copied(),
        Expects::Nothing => None,
        Expects::Else => Some(ConsumerCursor {
            filter: FilterFingerprint([9; 32]),
            ..next
        }),
    };
    (expected, next)
}

fn id<K: IdKind>(text: &str) -> Id<K> {
    Id::parse(text).unwrap()
}

/// Returns the key with a number.
pub(crate) fn key(number: u8) -> KeyHash {
    let text = format!("claim-{}", number / 6 % 2);
    let name = match number / 2 % 3 {
        0 => KeyName::Key(id(&text)),
        1 => KeyName::Message(id(&text)),
        _ => KeyName::Wake(id(&text)),
    };
    KeyHash::new(&id(&format!("run-{}", number % 2)), &name)
}

/// Returns every key that there can be.
pub(crate) fn keys() -> Vec<KeyHash> {
    (0..KEYS).map(key).collect()
}

/// Returns what was decided under a key, and up to where the journal was followed then.
pub(crate) fn decided(number: u8) -> (KeyEntry, Checkpoint) {
    let position = Position(u64::from(number) + 1);
    let entry = KeyEntry {
        first: position,
        request_hash: RequestHash([number; 16]),
    };
    let checkpoint = Checkpoint {
        epoch: sample::EPOCH,
        position,
        hash: ChunkHash([number; 32]),
    };
    (entry, checkpoint)
}
