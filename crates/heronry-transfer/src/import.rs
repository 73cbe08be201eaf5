//! Reading pools back from an export.

use std::io::{self, BufRead};

use heronry_store::Store;
use heronry_types::EpochReason;

use super::{
    Carried, Carrier, TransferError,
    fleet::Fleet,
    landing::GoesOn,
    reading::{ExportItem, ExportLines},
    source::PoolPiece,
    taken::TakenEpochs,
};

/// Imports every pool of an export; each starts a new timeline.
///
/// `open` opens the export, twice: everything is read and checked before anything is written, and
/// no pool is seen before all of them are there. A repeat after a crash begins from the start.
///
/// Runs, keys and epochs of an export were chosen elsewhere. So earlier member tokens are not valid
/// here, and tokens that are issued here are not valid there: members join again.
///
/// # Errors
/// [`TransferError::PoolExists`]; [`EpochTaken`](TransferError::EpochTaken) when a pool comes with a
/// timeline of another; [`Mismatch`](TransferError::Mismatch) and
/// [`Chain`](TransferError::Chain) with pool and position, and [`Line`](TransferError::Line), when
/// the export is not as it was written; and the store's failures.
pub async fn import<R: BufRead + Send>(
    to: &Store,
    open: impl Fn() -> io::Result<R>,
    carrier: &Carrier,
) -> Result<Vec<Carried>, TransferError> {
    take_in(to, open, carrier, GoesOn::On(EpochReason::Import)).await
}

/// Takes in every pool of an export as it was, with its consumers, and starts no timeline: for a backup, at
/// which nobody works. `open` opens the export, twice.
///
/// # Errors
/// As [`import`].
pub async fn receive<R: BufRead + Send>(
    to: &Store,
    open: impl Fn() -> io::Result<R>,
    carrier: &Carrier,
) -> Result<Vec<Carried>, TransferError> {
    take_in(to, open, carrier, GoesOn::AsBefore).await
}

async fn take_in<R: BufRead + Send>(
    to: &Store,
    open: impl Fn() -> io::Result<R>,
    carrier: &Carrier,
    goes_on: GoesOn,
) -> Result<Vec<Carried>, TransferError> {
    let opened = || {
        let opened = open();
        opened.map_err(|error| TransferError::Io {
            doing: "open",
            error,
        })
    };
    check(to, ExportLines::new(opened()?)).await?;
    let mut fleet = Fleet::new(to, carrier);
    let taken = land(&mut fleet, ExportLines::new(opened()?), goes_on).await;
    fleet.release(taken).await
}

/// Reads an export to its end, and returns its pools. Every chunk then has its hash and follows the
/// one before, every body has its digest, and nothing is missing.
///
/// # Errors
/// The errors of [`import`], without those of a store.
pub fn verify<R: BufRead>(export: R) -> Result<Vec<Carried>, TransferError> {
    let mut lines = ExportLines::new(export);
    let mut whole = Vec::new();
    while let Some(said) = lines.next()? {
        match said {
            ExportItem::Begin(_) | ExportItem::Piece(_) | ExportItem::Consumer(_) => {}
            ExportItem::End(carried) => whole.push(carried),
        }
    }
    Ok(whole)
}

/// Reads an export to its end.
async fn check<R: BufRead + Send>(
    to: &Store,
    mut lines: ExportLines<R>,
) -> Result<(), TransferError> {
    let mut taken = TakenEpochs::at(to).await?;
    let mut seen = Vec::new();
    while let Some(said) = lines.next()? {
        match said {
            ExportItem::Begin(pool) => {
                if to.journal.head(&pool).await?.is_some() || seen.contains(&pool) {
                    return Err(TransferError::PoolExists { pool });
                }
                seen.push(pool);
            }
            ExportItem::Piece(PoolPiece::Baseline(baseline)) => {
                if let Some(pool) = seen.last() {
                    taken.take_all(pool, &baseline)?;
                }
            }
            ExportItem::Piece(PoolPiece::Chunk(chunk)) => {
                if let Some(pool) = seen.last() {
                    taken.take(pool, chunk.header().epoch)?;
                }
            }
            ExportItem::Piece(PoolPiece::Keys(_) | PoolPiece::With(_) | PoolPiece::Alone(_))
            | ExportItem::Consumer(_)
            | ExportItem::End(_) => {}
        }
    }
    Ok(())
}

async fn land<R: BufRead + Send>(
    fleet: &mut Fleet<'_>,
    mut lines: ExportLines<R>,
    goes_on: GoesOn,
) -> Result<Vec<Carried>, TransferError> {
    while let Some(said) = lines.next()? {
        match said {
            ExportItem::Begin(pool) => fleet.begin(&pool).await?,
            ExportItem::Piece(piece) => fleet.take(piece).await?,
            ExportItem::Consumer(standing) => match goes_on {
                GoesOn::AsBefore => fleet.take_consumer(standing),
                // Whoever consumes an import is another consumer.
                GoesOn::On(_) => {}
            },
            ExportItem::End(_) => fleet.settle().await?,
        }
    }
    fleet.finish(goes_on).await
}
