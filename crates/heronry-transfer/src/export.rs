//! Writing pools as lines of JSON.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Write},
};

use heronry_journal::Chunk;
use heronry_store::{ConsumerStanding, NewContent, Store};
use heronry_types::{Cursor, PoolId};
use serde::Serialize;

use super::{
    Bodies, Carried, Pools, TransferError,
    copy::consumers_without_rows,
    keys::{KeysLine, LostKeys},
    lines::{
        AppendSpan, BaselineLine, ChunkLine, ConsumerLine, ContentLine, EndLine, ExportLine,
        record_line,
    },
    source::{PoolPiece, Source, named},
};

/// Writes pools as lines of JSON: of a trimmed one the baseline and keys, for each chunk its header and its
/// records, the bodies, and an end. `docs/FORMAT.md` in the repository defines the lines.
///
/// # Errors
/// [`TransferError::NoPool`], damage of the store, and the error of writing.
pub async fn export<W: Write + Send>(
    from: &Store,
    pools: &Pools,
    bodies: Bodies,
    mut out: W,
) -> Result<Vec<Carried>, TransferError> {
    let mut carried = Vec::new();
    for pool in named(from, pools).await? {
        carried.push(export_one(from, &pool, bodies, &mut out).await?);
    }
    out.flush().map_err(unwritten)?;
    Ok(carried)
}

async fn export_one<W: Write + Send>(
    from: &Store,
    pool: &PoolId,
    bodies: Bodies,
    out: &mut W,
) -> Result<Carried, TransferError> {
    let mut export = Export::open(from, pool, bodies).await?;
    while let Some(lines) = export.next().await? {
        out.write_all(&lines).map_err(unwritten)?;
    }
    Ok(export.carried())
}

/// A pool as lines of JSON, a few at a time: the same lines that [`export`] writes.
pub struct Export {
    source: Source,
    /// The consumers that go along and were not written yet.
    consumers: VecDeque<ConsumerStanding>,
    pool: PoolId,
    chunks: u64,
    contents: u64,
    keys: u64,
    stage: Stage,
}

/// The stage that an export has reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Pieces,
    Ended,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Export({:?}, {} chunks)", self.pool, self.chunks)
    }
}

impl Export {
    /// Begins to export a pool of a store, up to the head that it has now.
    ///
    /// # Errors
    /// [`TransferError::NoPool`], [`Trimmed`](TransferError::Trimmed), and the store's failure.
    pub async fn open(from: &Store, pool: &PoolId, bodies: Bodies) -> Result<Self, TransferError> {
        Ok(Self {
            source: Source::open(from, pool, bodies, LostKeys::Refused).await?,
            consumers: VecDeque::new(),
            pool: pool.clone(),
            chunks: 0,
            contents: 0,
            keys: 0,
            stage: Stage::Pieces,
        })
    }

    /// Begins to export a pool with its bodies and its consumers, up to the head that it has now, as a
    /// backup needs it. [`receive`](super::receive()) reads the lines.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_whole(from: &Store, pool: &PoolId) -> Result<Self, TransferError> {
        // They are read first: no consumer stands above the head that is read after it.
        let consumers = consumers_without_rows(from, pool).await?;
        Ok(Self {
            consumers: consumers.into(),
            ..Self::open(from, pool, Bodies::Included).await?
        })
    }

    /// Returns the next lines, each with its line feed; nothing after the line that says that it is
    /// whole.
    ///
    /// # Errors
    /// Damage of the store, and its failures.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, TransferError> {
        if self.stage == Stage::Ended {
            return Ok(None);
        }
        let mut lines = Vec::new();
        match self.source.next().await? {
            Some(PoolPiece::Baseline(baseline)) => {
                let frames = baseline.frames();
                for frame in &frames {
                    let frame = BaselineLine::of(&self.pool, frame, frames.len());
                    line(&ExportLine::Baseline(frame), &mut lines)?;
                }
            }
            Some(PoolPiece::Keys(keys)) => {
                self.keys += keys.len() as u64;
                line(
                    &ExportLine::Keys(KeysLine::of(&self.pool, &keys)),
                    &mut lines,
                )?;
            }
            Some(PoolPiece::Chunk(chunk)) => {
                self.chunks += 1;
                self.chunk(&chunk, &mut lines)?;
            }
            Some(PoolPiece::With(pack)) => {
                let (first, last) = (pack.first, pack.last);
                for content in pack.contents {
                    self.content(&content, Some(AppendSpan { first, last }), &mut lines)?;
                }
            }
            Some(PoolPiece::Alone(content)) => self.content(&content, None, &mut lines)?,
            None => {
                while let Some(standing) = self.consumers.pop_front() {
                    let consumer = ConsumerLine::of(&self.pool, &standing);
                    line(&ExportLine::Consumer(consumer), &mut lines)?;
                }
                self.stage = Stage::Ended;
                let Carried {
                    pool,
                    head,
                    chunks,
                    contents,
                } = self.carried();
                let end = ExportLine::End(EndLine {
                    pool,
                    head,
                    chunks,
                    contents,
                    keys: self.source.is_trimmed().then_some(self.keys),
                });
                line(&end, &mut lines)?;
            }
        }
        Ok(Some(lines))
    }

    /// Returns the numbers of exported chunks and bodies so far, and the head up to which the
    /// export goes.
    pub fn carried(&self) -> Carried {
        let head = self.source.head();
        Carried {
            pool: self.pool.clone(),
            head: Cursor::new(head.epoch, head.head),
            chunks: self.chunks,
            contents: self.contents,
        }
    }

    fn chunk(&self, chunk: &Chunk, lines: &mut Vec<u8>) -> Result<(), TransferError> {
        line(&ExportLine::Chunk(ChunkLine::of(&self.pool, chunk)), lines)?;
        for record in chunk.records() {
            let failed = |error| TransferError::Chunk {
                pool: self.pool.clone(),
                error,
            };
            let record = record.map_err(failed)?;
            let stored = chunk.record_bytes(record.position).map_err(failed)?;
            let record = record_line(&record, stored).map_err(|error| unwritten(error.into()))?;
            lines.extend_from_slice(record.as_bytes());
            lines.push(b'\n');
        }
        Ok(())
    }

    fn content(
        &mut self,
        content: &NewContent,
        append: Option<AppendSpan>,
        lines: &mut Vec<u8>,
    ) -> Result<(), TransferError> {
        self.contents += 1;
        let content = ContentLine::of(&self.pool, content, append);
        line(&ExportLine::Content(content), lines)
    }
}

fn line(line: &impl Serialize, lines: &mut Vec<u8>) -> Result<(), TransferError> {
    serde_json::to_writer(&mut *lines, line).map_err(|error| unwritten(error.into()))?;
    lines.push(b'\n');
    Ok(())
}

fn unwritten(error: io::Error) -> TransferError {
    let doing = "write";
    TransferError::Io { doing, error }
}
