//! The speed of the machine itself: syncing a file, copying, hashing.

use std::{
    fs::File,
    hint::black_box,
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use super::{
    Scale,
    ground::OrStop,
    row::{FigureRow, at_share, figure, median},
    watch::Watch,
};
use crate::failure::Failure;

/// The size of the block that one sync writes, in bytes.
const BLOCK: usize = 4_096;

/// The size of the piece that is copied or hashed at once, in bytes.
const PIECE: usize = 1_024;

pub(crate) fn measure(scale: Scale, folder: &Path) -> Result<Vec<FigureRow>, Failure> {
    let mut syncs = syncs(scale.of(2_000), folder)?;
    let p50 = median(&mut syncs);
    let p99 = at_share(&mut syncs, 0.99);
    let pieces = scale.of(1_000_000);
    let source = vec![7_u8; PIECE];
    let mut target = vec![0_u8; PIECE];
    let start = Watch::start();
    for _ in 0..pieces {
        target.copy_from_slice(black_box(&source));
        black_box(&target);
    }
    let copied = start.micros() * 1e3 / figure(pieces);
    let start = Watch::start();
    for _ in 0..pieces {
        black_box(blake3::hash(black_box(&source)));
    }
    let hashed = start.micros() * 1e3 / figure(pieces);
    Ok(vec![
        FigureRow::new("machine: fdatasync of 4 KiB, p50", p50, "µs")
            .note("one file, one in flight"),
        FigureRow::new("machine: fdatasync of 4 KiB, p99", p99, "µs"),
        FigureRow::new("machine: copy 1 KiB", copied, "ns"),
        FigureRow::new("machine: BLAKE3 of 1 KiB", hashed, "ns"),
    ])
}

/// Returns the microseconds of each sync.
fn syncs(count: usize, folder: &Path) -> Result<Vec<f64>, Failure> {
    let block = [7_u8; BLOCK];
    let mut file = File::create(folder.join("synced")).or_stop()?;
    for _ in 0..64 {
        file.write_all(&block).or_stop()?;
    }
    file.sync_all().or_stop()?;
    let mut took = Vec::with_capacity(count);
    for number in 0..count {
        let at = u64::try_from(number % 64 * BLOCK).or_stop()?;
        file.seek(SeekFrom::Start(at)).or_stop()?;
        let start = Watch::start();
        file.write_all(&block).or_stop()?;
        file.sync_data().or_stop()?;
        took.push(start.micros());
    }
    Ok(took)
}
