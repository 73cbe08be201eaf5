//! Records and commits as an engine would make them.

use heronry_journal::{
    Baseline, BaselinePoint, Body, ChunkHash, ChunkWriter, Entry, EpochStarted, MessageAccepted,
    RequestHash,
};
use heronry_store::{
    AppendError, Commit, CommitOutcome, FencingToken, Head, Journal, JournalExt, NewContent,
    ReadError, StoredContent, Timeline, Tombstone,
};
use heronry_types::{
    Actor, Address, Body as Content, ContentRef, Correlation, Epoch, EpochReason, Generation, Id,
    IdKind, Lineage, Policies, PoolId, Position, Timelines, Timestamp, Visibility,
};

/// The epoch of sample journals.
pub const EPOCH: Epoch = Epoch([0xe0; 16]);

#[expect(
    clippy::expect_used,
    reason = "sample ids are written in this file and are valid"
)]
fn id<K: IdKind>(text: impl AsRef<str>) -> Id<K> {
    Id::parse(text).expect("a sample id is valid")
}

/// Returns the id of the pool with a number.
pub fn pool(number: u64) -> PoolId {
    id(format!("pool-{number}"))
}

/// Returns the time at which a sample is decided: one second apart from 2026-11-20T08:00:00Z on.
pub fn time(number: u64) -> Timestamp {
    let millis = i64::try_from(number.saturating_mul(1_000)).unwrap_or(i64::MAX);
    Timestamp::from_millis(millis.saturating_add(1_795_161_600_000))
}

/// Returns the reference of the content with a number.
pub fn content_ref(number: u64) -> ContentRef {
    let mut bits = [0xc0; 16];
    let (_, tail) = bits.split_at_mut(8);
    tail.copy_from_slice(&number.to_be_bytes());
    ContentRef::from_bits(bits)
}

/// Returns the body with a number: a sentence of its own.
pub fn body(number: u64) -> Content {
    Content::text(format!(
        "please review part {number} of the tree and report what you find"
    ))
}

/// Returns the content with a number.
pub fn content(number: u64) -> NewContent {
    NewContent::new(content_ref(number), body(number))
}

/// Returns the tombstone of the body with a number, erased at a time.
pub fn tombstone(number: u64, erased_at: u64) -> Tombstone {
    let StoredContent { body, digest } = StoredContent::of(body(number));
    Tombstone {
        media_type: body.media_type,
        bytes: body.bytes.len() as u64,
        digest,
        erased_at: time(erased_at),
    }
}

/// Returns the record with a number: a message of one agent to a topic.
pub fn entry(number: u64) -> Entry {
    let run = id(format!("scanner-{}", number % 3));
    let generation = Generation(Position(1 + number % 3));
    let correlation = Correlation::from_iter([
        (id("job"), id("review-2026-11-20")),
        (id("part"), id(number.to_string())),
    ]);
    Entry {
        lineage: Lineage {
            run: Some(run),
            agent: Some(id("scanner")),
            correlation,
            ..Lineage::of_pool(pool(1))
        },
        actor: Actor::Member {
            run: id(format!("scanner-{}", number % 3)),
            generation,
        },
        visibility: Visibility::InScope,
        body: Body::MessageAccepted(Box::new(MessageAccepted {
            message_id: id(format!("message-{number}")),
            to: Address::Topic {
                topic_id: id("findings"),
            },
            content_ref: content_ref(number),
            media_type: Content::TEXT.into(),
            body_bytes: body(number).bytes.len() as u64,
            reply_to: None,
            expires_at: None,
            policies: Policies::default(),
            idempotency_key: id(format!("key-{number}")),
            request_hash: RequestHash(content_ref(number).bits()),
            options: None,
            thread: None,
            alias: None,
        })),
    }
}

/// Returns a commit of one chunk with `records` records that follows a head, and no contents.
pub fn commit(head: Option<Head>, records: u64) -> Commit {
    chunks(head, &[records])
}

/// Returns a commit with one chunk for each number of records, and no contents.
pub fn chunks(head: Option<Head>, records: &[u64]) -> Commit {
    let (epoch, mut last, mut hash) = head
        .map_or((EPOCH, Position::ZERO, ChunkHash::START), |head| {
            (head.epoch, head.head, head.last_hash)
        });
    let mut commit = Commit::default();
    for records in records {
        let mut writer = ChunkWriter::new(epoch, last, hash, time(last.0));
        for number in 1..=*records {
            push(&mut writer, &entry(last.0 + number));
        }
        for chunk in writer.finish() {
            (last, hash) = (chunk.last(), chunk.hash());
            commit.chunks.push(chunk);
        }
    }
    commit
}

/// Returns a commit of one chunk whose one record starts a timeline after a head.
pub fn start(head: Option<Head>, epoch: Epoch) -> Commit {
    let (previous, last, hash) = head.map_or((EPOCH, Position::ZERO, ChunkHash::START), |head| {
        (head.epoch, head.head, head.last_hash)
    });
    let started = EpochStarted {
        reason: EpochReason::Copy,
        epoch,
        previous,
        lost: None,
    };
    let mut writer = ChunkWriter::new(epoch, last, hash, time(last.0));
    let record = Entry {
        lineage: Lineage::of_pool(pool(1)),
        actor: Actor::Operator,
        visibility: Visibility::InScope,
        body: Body::EpochStarted(started),
    };
    push(&mut writer, &record);
    Commit {
        chunks: writer.finish(),
        timeline: Timeline::Starts,
        ..Commit::default()
    }
}

/// Returns a baseline whose state says nothing, at the highest floor at or below `before` that there may be.
///
/// # Errors
/// As [`Journal::read`].
pub async fn baseline(
    journal: &dyn Journal,
    pool: &PoolId,
    before: Position,
) -> Result<Baseline, ReadError> {
    let point = journal.trim_point(pool, before, time(0)).await?;
    let state = format!("the state before {}", point.floor);
    Ok(Baseline::new(point, 1, state.into_bytes()))
}

/// Trims a journal as far as whole chunks allow, with a [`baseline`] whose state says nothing. A pool that is
/// not there is trimmed to a floor that no journal has.
///
/// # Errors
/// As [`Journal::trim`].
pub async fn trim(
    journal: &dyn Journal,
    pool: &PoolId,
    before: Position,
    token: FencingToken,
) -> Result<Head, AppendError> {
    let baseline = match baseline(journal, pool, before).await {
        Ok(baseline) => baseline,
        Err(ReadError::NoPool | ReadError::Trimmed { .. }) => nowhere(),
        Err(ReadError::Store(error)) => {
            let outcome = CommitOutcome::None;
            return Err(AppendError::Store { outcome, error });
        }
    };
    journal.trim(pool, baseline, token).await
}

/// Returns a baseline that fits no journal.
pub fn nowhere() -> Baseline {
    let point = BaselinePoint {
        floor: Position(1),
        timelines: Timelines::of(EPOCH),
        hash: ChunkHash([0xff; 32]),
        recorded_at: time(0),
    };
    Baseline::new(point, 1, Vec::new())
}

#[expect(clippy::expect_used, reason = "a sample record is far below the limit")]
fn push(writer: &mut ChunkWriter, entry: &Entry) {
    writer.push(entry).expect("a sample record fits");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_commit_is_a_chain_of_readable_chunks() {
        let commit = chunks(None, &[2, 1, 3]);
        let lasts: Vec<_> = commit.chunks.iter().map(|chunk| chunk.last().0).collect();
        assert_eq!(lasts, [2, 3, 6]);
        for chunk in &commit.chunks {
            chunk.verify().unwrap();
        }
        assert_eq!(time(5).to_string(), "2026-11-20T08:00:05.000Z");
    }
}
