//! Reading an export line by line: every chunk is framed anew and has to have its hash.

use std::io::{BufRead, Read};

use heronry_journal::Baseline;
use heronry_store::{ConsumerStanding, ContentPack, NewContent};
use heronry_types::{Cursor, PoolId, Position};
use serde::de::DeserializeOwned;

use super::{
    Carried, TransferError,
    keys::KeysLine,
    lines::{AppendSpan, BaselineLine, ChunkLine, ContentLine, EndLine, ExportLine, RecordLine},
    path::ChunkOrder,
    source::PoolPiece,
};

/// The longest line in bytes: a body of 32 MiB in base64, and then some.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The next item of an export.
#[derive(Debug)]
pub(super) enum ExportItem {
    /// A pool begins.
    Begin(PoolId),
    /// A piece of the pool.
    Piece(PoolPiece),
    /// A consumer of the pool, and where it stands.
    Consumer(ConsumerStanding),
    /// The pool is whole.
    End(Carried),
}

/// Reads an export.
pub(super) struct ExportLines<R> {
    source: R,
    number: u64,
    buffer: Vec<u8>,
    /// A line that was read and not used yet.
    ahead: Option<ExportLine>,
    open: Option<OpenPool>,
}

/// The pool that is being read.
struct OpenPool {
    path: ChunkOrder,
    chunks: u64,
    contents: u64,
    keys: u64,
    /// The floor, while keys of the records before it may come.
    floor: Option<Position>,
}

impl<R: BufRead> ExportLines<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            number: 0,
            buffer: Vec::new(),
            ahead: None,
            open: None,
        }
    }

    /// Returns what comes next; nothing after the last pool.
    pub(super) fn next(&mut self) -> Result<Option<ExportItem>, TransferError> {
        let Some(line) = self.line()? else {
            return match self.open {
                None => Ok(None),
                Some(_) => Err(self.wrong("the export ends within a pool")),
            };
        };
        let named = match &line {
            ExportLine::Baseline(line) => &line.pool,
            ExportLine::Keys(line) => &line.pool,
            ExportLine::Chunk(line) => &line.pool,
            ExportLine::Content(line) => &line.pool,
            ExportLine::Consumer(line) => &line.pool,
            ExportLine::End(line) => &line.pool,
        };
        match &self.open {
            Some(open) if open.path.pool() == named => {}
            Some(_) => return Err(self.wrong("another pool begins before the end of this one")),
            None => {
                let pool = named.clone();
                self.open = Some(OpenPool {
                    path: ChunkOrder::of(pool.clone()),
                    chunks: 0,
                    contents: 0,
                    keys: 0,
                    floor: None,
                });
                self.ahead = Some(line);
                return Ok(Some(ExportItem::Begin(pool)));
            }
        }
        Ok(Some(match line {
            ExportLine::Baseline(line) => ExportItem::Piece(self.baseline(line)?),
            ExportLine::Keys(line) => ExportItem::Piece(self.keys(&line)?),
            ExportLine::Chunk(line) => ExportItem::Piece(self.chunk(&line)?),
            ExportLine::Content(line) => ExportItem::Piece(self.contents(&line)?),
            ExportLine::Consumer(line) => ExportItem::Consumer(line.standing()),
            ExportLine::End(line) => {
                self.end(&line)?;
                ExportItem::End(Carried {
                    pool: line.pool,
                    head: line.head,
                    chunks: line.chunks,
                    contents: line.contents,
                })
            }
        }))
    }

    /// Takes the frames of a baseline, which is the first of its pool.
    fn baseline(&mut self, first: BaselineLine) -> Result<PoolPiece, TransferError> {
        let (pool, count) = (first.pool.clone(), first.frames);
        let mut frames = Vec::new();
        let mut next = Some(first);
        while let Some(line) = next.take() {
            if line.pool != pool || line.frames != count {
                return Err(self.wrong("the frames of a baseline do not belong together"));
            }
            frames.push(line.frame().map_err(|what| self.wrong(&what))?);
            if frames.len() < count {
                next = match self.line()? {
                    Some(ExportLine::Baseline(line)) => Some(line),
                    Some(
                        ExportLine::Keys(_)
                        | ExportLine::Chunk(_)
                        | ExportLine::Content(_)
                        | ExportLine::Consumer(_)
                        | ExportLine::End(_),
                    )
                    | None => return Err(self.wrong("a frame of the baseline is missing")),
                };
            }
        }
        let baseline = Baseline::from_frames(frames.iter().map(Vec::as_slice));
        let baseline = baseline.map_err(|error| self.wrong(&error.to_string()))?;
        match &mut self.open {
            Some(open) if open.chunks == 0 && open.contents == 0 && open.floor.is_none() => {
                open.path = ChunkOrder::after(pool, &baseline);
                open.floor = Some(baseline.floor());
            }
            Some(_) | None => return Err(self.wrong("a baseline stands behind other lines")),
        }
        Ok(PoolPiece::Baseline(Box::new(baseline)))
    }

    /// Takes keys of the records that the baseline stands for.
    fn keys(&mut self, line: &KeysLine) -> Result<PoolPiece, TransferError> {
        let Some(floor) = self.open.as_ref().and_then(|open| open.floor) else {
            return Err(self.wrong("keys do not stand right behind a baseline"));
        };
        let keys = line.keys(floor).map_err(|what| self.wrong(&what))?;
        if let Some(open) = &mut self.open {
            open.keys += keys.len() as u64;
        }
        Ok(PoolPiece::Keys(keys))
    }

    fn chunk(&mut self, line: &ChunkLine) -> Result<PoolPiece, TransferError> {
        let mut records = Vec::new();
        for index in 0..u64::from(line.header.count) {
            let position = line.header.first.plus(index);
            let Some(record) = self.read::<RecordLine>()? else {
                return Err(self.wrong("the export ends within a chunk"));
            };
            let mismatch = |what: String| mismatch(&line.pool, position, &what);
            if record.recorded_at() != line.header.recorded_at {
                return Err(mismatch(
                    "the record has another time than its chunk".into(),
                ));
            }
            records.push(record.bytes(position).map_err(mismatch)?);
        }
        let first = line.header.first;
        let chunk = line
            .frame(&records)
            .map_err(|what| mismatch(&line.pool, first, &what))?;
        if let Some(open) = &mut self.open {
            open.path.push(&chunk)?;
            open.chunks += 1;
            open.floor = None;
        }
        Ok(PoolPiece::Chunk(chunk))
    }

    /// Takes the contents of one append together.
    fn contents(&mut self, line: &ContentLine) -> Result<PoolPiece, TransferError> {
        let first = self.content(line)?;
        let Some(AppendSpan {
            first: begins,
            last,
        }) = line.append
        else {
            return Ok(PoolPiece::Alone(first));
        };
        let mut contents = vec![first];
        while let Some(next) = self.line()? {
            match next {
                ExportLine::Content(next)
                    if next.append == line.append && next.pool == line.pool =>
                {
                    contents.push(self.content(&next)?);
                }
                next @ (ExportLine::Baseline(_)
                | ExportLine::Keys(_)
                | ExportLine::Chunk(_)
                | ExportLine::Content(_)
                | ExportLine::Consumer(_)
                | ExportLine::End(_)) => {
                    self.ahead = Some(next);
                    break;
                }
            }
        }
        Ok(PoolPiece::With(ContentPack {
            first: begins,
            last,
            contents,
        }))
    }

    fn content(&mut self, line: &ContentLine) -> Result<NewContent, TransferError> {
        let content = line.content().map_err(|what| {
            let at = line.append.map_or(Position::ZERO, |append| append.first);
            mismatch(&line.pool, at, &what)
        })?;
        if let Some(open) = &mut self.open {
            open.contents += 1;
            open.floor = None;
        }
        Ok(content)
    }

    fn end(&mut self, line: &EndLine) -> Result<(), TransferError> {
        let Some(open) = self.open.take() else {
            return Err(self.wrong("an end without a pool"));
        };
        let chain = open.path.chain();
        let read = EndLine {
            pool: open.path.pool().clone(),
            head: Cursor::new(chain.epoch().unwrap_or_default(), chain.position()),
            chunks: open.chunks,
            contents: open.contents,
            keys: open.path.is_trimmed().then_some(open.keys),
        };
        if read != *line || read.chunks == 0 {
            return Err(self.wrong("the pool is not all there"));
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Option<ExportLine>, TransferError> {
        match self.ahead.take() {
            Some(line) => Ok(Some(line)),
            None => self.read(),
        }
    }

    /// Reads one line; nothing at the end.
    fn read<T: DeserializeOwned>(&mut self) -> Result<Option<T>, TransferError> {
        self.number += 1;
        self.buffer.clear();
        let mut line = Read::by_ref(&mut self.source).take(LINE_BYTES_MAX);
        let read = line.read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|error| TransferError::Io {
            doing: "read",
            error,
        })?;
        if read == 0 {
            return Ok(None);
        }
        if !self.buffer.ends_with(b"\n") {
            return Err(self.wrong("the line is cut off or too long"));
        }
        let parsed = serde_json::from_slice(&self.buffer);
        parsed
            .map(Some)
            .map_err(|error| self.wrong(&error.to_string()))
    }

    fn wrong(&self, what: &str) -> TransferError {
        TransferError::Line {
            number: self.number,
            what: one_line(what),
        }
    }
}

/// Returns a text that may repeat what a file says, with its line ends and other controls as escapes.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

fn mismatch(pool: &PoolId, at: Position, what: &str) -> TransferError {
    TransferError::Mismatch {
        pool: pool.clone(),
        at,
        what: one_line(what),
    }
}
