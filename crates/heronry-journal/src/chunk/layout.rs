//! The layout of a chunk, byte by byte: `docs/FORMAT.md` in code.

use heronry_types::{Epoch, Position, Timestamp};

use super::{ChunkError, ChunkHash, ChunkHeader, error::HeaderField};

/// The largest chunk in bytes, header included.
pub const CHUNK_BYTES_MAX: usize = 768 * 1024;

/// The largest encoded record in bytes: it fits beside a header into a chunk of its own.
pub const RECORD_BYTES_MAX: usize = CHUNK_BYTES_MAX - chunk_len(1, CHECKSUM);

/// The format of chunks that this build writes, and the newest that it reads.
pub const FORMAT_VERSION: u16 = 1;

const MAGIC: [u8; 4] = *b"HRNC";

/// The kind of a chunk: what its records are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum ChunkKind {
    /// Records of a journal.
    Records = 1,
    /// A piece of the state that stands in for records which were trimmed.
    Baseline = 2,
}

impl ChunkKind {
    fn of(number: u8) -> Option<Self> {
        [Self::Records, Self::Baseline]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

impl std::fmt::Display for ChunkKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Records => "records",
            Self::Baseline => "baseline",
        })
    }
}

/// The fixed part of the header: everything before the record ends.
const FIXED: usize = 76;
/// The size of a checksum in bytes.
pub(crate) const CHECKSUM: usize = 4;
/// The size of a record end in bytes.
const END: usize = 4;

/// Returns the length of a chunk with `count` records that take `records` bytes with their checksums.
pub(crate) const fn chunk_len(count: usize, records: usize) -> usize {
    FIXED + count * END + CHECKSUM + records
}

/// Returns the checksum of a record: CRC-32C over the epoch, the position and the bytes.
pub(crate) fn record_checksum(epoch: Epoch, position: Position, bytes: &[u8]) -> u32 {
    let mut place = [0; 24];
    let (timeline, at) = place.split_at_mut(16);
    timeline.copy_from_slice(&epoch.0);
    at.copy_from_slice(&position.0.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&place), bytes)
}

/// Writes a whole chunk: `records` are checksums and bytes, and `ends` says where each record ends there.
pub(crate) fn write(
    kind: ChunkKind,
    header: &ChunkHeader,
    ends: &[u32],
    records: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(chunk_len(ends.len(), records.len()));
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    out.extend_from_slice(&[kind as u8, 0]);
    out.extend_from_slice(&header.epoch.0);
    out.extend_from_slice(&header.first.0.to_le_bytes());
    out.extend_from_slice(&header.recorded_at.as_millis().to_le_bytes());
    out.extend_from_slice(&header.previous.0);
    out.extend_from_slice(&header.count.to_le_bytes());
    for end in ends {
        out.extend_from_slice(&end.to_le_bytes());
    }
    let checksum = crc32c::crc32c(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out.extend_from_slice(records);
    out
}

/// Reads the header of a chunk of this kind, and checks its checksum and where each record ends.
pub(crate) fn parse(bytes: &[u8], kind: ChunkKind) -> Result<ChunkHeader, ChunkError> {
    check_identity(bytes)?;
    if bytes.len() > CHUNK_BYTES_MAX {
        let found = bytes.len() as u64;
        return Err(ChunkError::Oversized { found });
    }
    let fixed = Fixed::read(bytes).ok_or_else(|| truncated(chunk_len(0, 0) as u64, bytes))?;
    check_checksum(bytes, fixed.count)?;
    let header = fixed.check(kind)?;
    check_ends(&header, bytes)?;
    Ok(header)
}

/// The magic and the version stand where every format has them; nothing else is read before.
fn check_identity(bytes: &[u8]) -> Result<(), ChunkError> {
    let Some((magic, rest)) = bytes.split_first_chunk() else {
        return Err(ChunkError::NotAChunk);
    };
    if *magic != MAGIC {
        return Err(ChunkError::NotAChunk);
    }
    let Some((version, _)) = rest.split_first_chunk() else {
        return Err(truncated(chunk_len(0, 0) as u64, bytes));
    };
    match u16::from_le_bytes(*version) {
        0 => Err(ChunkError::NotAChunk),
        FORMAT_VERSION => Ok(()),
        _ if is_of_this_format(bytes) => Err(ChunkError::HeaderChecksum),
        found => Err(ChunkError::newer_format(found)),
    }
}

/// Returns true when the header has its checksum as soon as it says the format that this build knows:
/// what it says instead is damage, and no newer build reads it.
fn is_of_this_format(bytes: &[u8]) -> bool {
    let Some(fixed) = Fixed::read(bytes) else {
        return false;
    };
    let end = FIXED as u64 + u64::from(fixed.count) * END as u64 + CHECKSUM as u64;
    let header = usize::try_from(end).ok().and_then(|end| bytes.get(..end));
    let Some(header) = header.filter(|header| header.len() <= CHUNK_BYTES_MAX) else {
        return false;
    };
    let mut header = header.to_vec();
    let version = header.iter_mut().skip(MAGIC.len());
    version
        .zip(FORMAT_VERSION.to_le_bytes())
        .for_each(|(byte, known)| *byte = known);
    check_checksum(&header, fixed.count).is_ok()
}

fn truncated(needed: u64, bytes: &[u8]) -> ChunkError {
    ChunkError::Truncated {
        needed,
        found: bytes.len() as u64,
    }
}

/// The fixed part of a header as it stands there, before anything is believed.
struct Fixed {
    kind: u8,
    reserved: u8,
    epoch: [u8; 16],
    first: u64,
    recorded_at: i64,
    previous: [u8; 32],
    count: u32,
}

impl Fixed {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let _magic_and_version = fields.take::<6>()?;
        let [kind, reserved] = fields.take()?;
        Some(Self {
            kind,
            reserved,
            epoch: fields.take()?,
            first: u64::from_le_bytes(fields.take()?),
            recorded_at: i64::from_le_bytes(fields.take()?),
            previous: fields.take()?,
            count: u32::from_le_bytes(fields.take()?),
        })
    }

    fn check(self, expected: ChunkKind) -> Result<ChunkHeader, ChunkError> {
        let impossible = |field| Err(ChunkError::Header { field });
        let found = ChunkKind::of(self.kind).ok_or(ChunkError::NewerKind { found: self.kind })?;
        if found != expected {
            return Err(ChunkError::WrongKind { expected, found });
        }
        if self.reserved != 0 {
            return impossible(HeaderField::Reserved);
        }
        if self.count == 0 {
            return impossible(HeaderField::Count);
        }
        if self.first == 0 || self.first.checked_add(u64::from(self.count)).is_none() {
            return impossible(HeaderField::First);
        }
        let recorded_at = Timestamp::from_millis(self.recorded_at);
        if recorded_at.as_millis() != self.recorded_at {
            return impossible(HeaderField::RecordedAt);
        }
        Ok(ChunkHeader {
            epoch: Epoch(self.epoch),
            first: Position(self.first),
            count: self.count,
            recorded_at,
            previous: ChunkHash(self.previous),
        })
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}

/// Checks the checksum over everything before it; `count` is not believed until that holds.
fn check_checksum(bytes: &[u8], count: u32) -> Result<(), ChunkError> {
    let covered = FIXED as u64 + u64::from(count) * END as u64;
    let stored = usize::try_from(covered)
        .ok()
        .and_then(|covered| bytes.split_at_checked(covered))
        .and_then(|(covered, rest)| Some((covered, rest.first_chunk()?)));
    match stored {
        Some((covered, checksum)) if crc32c::crc32c(covered) == u32::from_le_bytes(*checksum) => {
            Ok(())
        }
        Some(_) => Err(ChunkError::HeaderChecksum),
        None => Err(truncated(covered + CHECKSUM as u64, bytes)),
    }
}

fn check_ends(header: &ChunkHeader, bytes: &[u8]) -> Result<(), ChunkError> {
    let count = header.count as usize;
    let mut begin = 0;
    for index in 0..count {
        // A record has at least one byte beside its checksum.
        let Some(end) = end_of(bytes, index)
            .filter(|end| (begin + CHECKSUM + 1..=CHUNK_BYTES_MAX).contains(end))
        else {
            let position = header.first.plus(index as u64);
            return Err(ChunkError::RecordBounds { position });
        };
        begin = end;
    }
    let expected = chunk_len(count, begin) as u64;
    let found = bytes.len() as u64;
    match found.cmp(&expected) {
        std::cmp::Ordering::Less => Err(truncated(expected, bytes)),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(ChunkError::TrailingBytes { expected, found }),
    }
}

/// Returns the end of the record with this index, counted from the first record's checksum.
fn end_of(bytes: &[u8], index: usize) -> Option<usize> {
    let end = bytes.get(FIXED + index * END..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*end)).ok()
}

/// A record as it stands in a chunk.
struct Stored<'a> {
    checksum: u32,
    bytes: &'a [u8],
}

/// Finds a record in a chunk whose header was read by [`parse`].
fn record<'a>(
    header: &ChunkHeader,
    bytes: &'a [u8],
    position: Position,
) -> Result<Stored<'a>, ChunkError> {
    let (first, last) = (header.first, header.last());
    if position < first || position > last {
        return Err(ChunkError::NoSuchRecord {
            position,
            first,
            last,
        });
    }
    let find = || {
        let index = usize::try_from(position.0 - first.0).ok()?;
        let begin = match index.checked_sub(1) {
            Some(before) => end_of(bytes, before)?,
            None => 0,
        };
        let records = bytes.get(chunk_len(header.count as usize, 0)..)?;
        let stored = records.get(begin..end_of(bytes, index)?)?;
        let (checksum, bytes) = stored.split_first_chunk()?;
        Some(Stored {
            checksum: u32::from_le_bytes(*checksum),
            bytes,
        })
    };
    find().ok_or(ChunkError::RecordBounds { position })
}

/// Returns the bytes of a record in a chunk whose header was read by [`parse`], when its checksum holds.
pub(crate) fn checked_record<'a>(
    header: &ChunkHeader,
    bytes: &'a [u8],
    position: Position,
) -> Result<&'a [u8], ChunkError> {
    let stored = record(header, bytes, position)?;
    if record_checksum(header.epoch, position, stored.bytes) != stored.checksum {
        return Err(ChunkError::RecordChecksum { position });
    }
    Ok(stored.bytes)
}
