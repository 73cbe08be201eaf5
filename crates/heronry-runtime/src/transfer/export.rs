//! Writing pools as lines of JSON.

use std::io::{self, Write};

use heronry_journal::Chunk;
use heronry_store::{NewContent, Store};
use heronry_types::{Cursor, PoolId};
use serde::Serialize;

use super::{
    Bodies, Carried, Pools, TransferError,
    lines::{ChunkLine, ContentLine, EndLine, Line, Span, record_line},
    source::{Piece, Source, named},
};

/// Writes pools as lines of JSON: for each chunk its header and its records, the bodies, and an
/// end. `docs/FORMAT.md` in the repository says what the lines mean.
///
/// # Errors
/// [`TransferError::NoPool`], damage of the store, and what writing says.
pub async fn export<W: Write + Send>(
    from: &Store,
    pools: &Pools,
    bodies: Bodies,
    out: W,
) -> Result<Vec<Carried>, TransferError> {
    let mut out = Out { out };
    let mut carried = Vec::new();
    for pool in named(from, pools).await? {
        carried.push(export_one(from, &pool, bodies, &mut out).await?);
    }
    out.out.flush().map_err(unwritten)?;
    Ok(carried)
}

async fn export_one<W: Write + Send>(
    from: &Store,
    pool: &PoolId,
    bodies: Bodies,
    out: &mut Out<W>,
) -> Result<Carried, TransferError> {
    let mut source = Source::open(from, pool, bodies).await?;
    let head = source.head();
    let (mut chunks, mut contents) = (0, 0);
    while let Some(piece) = source.next().await? {
        match piece {
            Piece::Chunk(chunk) => {
                chunks += 1;
                out.chunk(pool, &chunk)?;
            }
            Piece::With(pack) => {
                let (first, last) = (pack.first, pack.last);
                for content in pack.contents {
                    contents += 1;
                    out.content(pool, &content, Some(Span { first, last }))?;
                }
            }
            Piece::Alone(content) => {
                contents += 1;
                out.content(pool, &content, None)?;
            }
        }
    }
    let head = Cursor::new(head.epoch, head.head);
    out.line(&Line::End(EndLine {
        pool: pool.clone(),
        head,
        chunks,
        contents,
    }))?;
    Ok(Carried {
        pool: pool.clone(),
        head,
        chunks,
        contents,
    })
}

struct Out<W> {
    out: W,
}

impl<W: Write> Out<W> {
    fn chunk(&mut self, pool: &PoolId, chunk: &Chunk) -> Result<(), TransferError> {
        self.line(&Line::Chunk(ChunkLine::of(pool, chunk)))?;
        for record in chunk.records() {
            let failed = |error| TransferError::Chunk {
                pool: pool.clone(),
                error,
            };
            let record = record.map_err(failed)?;
            let stored = chunk.record_bytes(record.position).map_err(failed)?;
            let line = record_line(&record, stored).map_err(|error| unwritten(error.into()))?;
            writeln!(self.out, "{line}").map_err(unwritten)?;
        }
        Ok(())
    }

    fn content(
        &mut self,
        pool: &PoolId,
        content: &NewContent,
        append: Option<Span>,
    ) -> Result<(), TransferError> {
        self.line(&Line::Content(ContentLine::of(pool, content, append)))
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), TransferError> {
        serde_json::to_writer(&mut self.out, line).map_err(|error| unwritten(error.into()))?;
        self.out.write_all(b"\n").map_err(unwritten)
    }
}

fn unwritten(error: io::Error) -> TransferError {
    let doing = "write";
    TransferError::Io { doing, error }
}
