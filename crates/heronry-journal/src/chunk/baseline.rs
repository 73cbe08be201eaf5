//! Baselines: the state that stands in for the records before a floor, framed and chained as chunks.

use std::{borrow::Cow, fmt};

use heronry_types::{Epoch, Position, TimelineStart, Timelines, Timestamp};
use minicbor::{Decoder, Encoder};

use super::{
    ChunkError, ChunkHash, ChunkHeader, RECORD_BYTES_MAX,
    layout::{self, ChunkKind},
};

/// The version of what stands before the state in a baseline.
const LAYOUT: u16 = 1;

/// The state of a pool at the position before a floor: what is left of the records that were trimmed.
///
/// It is journal: the chunk at the floor names the hash that the baseline carries. What the bytes of the
/// state mean is its engine's business, as the version says.
#[derive(Clone, Eq, PartialEq)]
pub struct Baseline {
    point: BaselinePoint,
    version: u32,
    state: Vec<u8>,
}

/// The place of a baseline in its journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaselinePoint {
    /// The first position that is kept; at least 2, because something stands before it.
    pub floor: Position,
    /// The timelines of the records before the floor.
    pub timelines: Timelines,
    /// The hash of the chunk that ends before the floor.
    pub hash: ChunkHash,
    /// The time at which the floor was moved there.
    pub recorded_at: Timestamp,
}

/// The error for bytes that are not a whole baseline.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BaselineError {
    /// A frame of it cannot be read.
    #[error("frame {number} of the baseline cannot be read")]
    Frame {
        /// The number of the frame, from 0.
        number: usize,
        /// The fault.
        #[source]
        source: ChunkError,
    },
    /// A frame does not follow the one before it, or is of another baseline.
    #[error("frame {number} of the baseline does not follow the one before; restore a copy")]
    Broken {
        /// The number of the frame, from 0.
        number: usize,
    },
    /// There are fewer or more bytes than the baseline says.
    #[error("the baseline has {found} of {expected} bytes; restore a copy")]
    Incomplete {
        /// The number of bytes that it says.
        expected: u64,
        /// The number of bytes that there are.
        found: u64,
    },
    /// The part before the state is not what its layout says.
    #[error("the baseline is malformed: {reason}; it was written by a faulty build")]
    Malformed {
        /// The fault that was found.
        reason: String,
    },
    /// A newer build wrote it.
    #[error("the baseline has layout {found}, which this build does not know; use a newer build")]
    NewerLayout {
        /// The layout that it has.
        found: u16,
    },
}

impl BaselineError {
    /// Returns true when a newer build reads these bytes, as opposed to damage.
    pub fn is_newer(&self) -> bool {
        match self {
            Self::Frame { source, .. } => source.is_newer(),
            Self::NewerLayout { .. } => true,
            Self::Broken { .. } | Self::Incomplete { .. } | Self::Malformed { .. } => false,
        }
    }
}

impl fmt::Debug for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Baseline")
            .field("point", &self.point)
            .field("version", &self.version)
            .field("state_bytes", &self.state.len())
            .finish()
    }
}

impl Baseline {
    /// Returns the baseline of a state, in this version of its encoding.
    pub fn new(point: BaselinePoint, version: u32, state: Vec<u8>) -> Self {
        Self {
            point,
            version,
            state,
        }
    }

    /// Returns its place in the journal.
    pub fn point(&self) -> &BaselinePoint {
        &self.point
    }

    /// Returns the first position that is kept.
    pub fn floor(&self) -> Position {
        self.point.floor
    }

    /// Returns the timeline of the position before the floor.
    pub fn epoch(&self) -> Epoch {
        self.point.timelines.newest()
    }

    /// Returns the version of the encoding of the state.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Returns the state, as its engine wrote it.
    pub fn state(&self) -> &[u8] {
        &self.state
    }

    /// Returns its frames, each the bytes of a chunk of kind 2 that names the hash of the one before; the
    /// first names the chunk before the floor.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        let mut body = self.preamble(LAYOUT);
        body.extend_from_slice(&self.state);
        self.framed(&body)
    }

    fn framed(&self, body: &[u8]) -> Vec<Vec<u8>> {
        let mut header = ChunkHeader {
            epoch: self.epoch(),
            first: self.point.floor,
            count: 1,
            recorded_at: self.point.recorded_at,
            previous: self.point.hash,
        };
        let frame = |piece: &[u8]| {
            let mut record = layout::record_checksum(header.epoch, header.first, piece)
                .to_le_bytes()
                .to_vec();
            record.extend_from_slice(piece);
            let end = u32::try_from(record.len()).unwrap_or(u32::MAX);
            let bytes = layout::write(ChunkKind::Baseline, &header, &[end], &record);
            header.previous = ChunkHash::of(header.previous, &bytes);
            bytes
        };
        body.chunks(RECORD_BYTES_MAX).map(frame).collect()
    }

    /// Takes the frames of a baseline, in order.
    ///
    /// # Errors
    /// [`BaselineError`] that says what is wrong with them.
    pub fn from_frames<'a>(
        frames: impl IntoIterator<Item = impl Into<Cow<'a, [u8]>>>,
    ) -> Result<Self, BaselineError> {
        let (mut body, mut first, mut hash) = (Vec::new(), None::<ChunkHeader>, ChunkHash::START);
        for (number, frame) in frames.into_iter().enumerate() {
            let frame: Cow<'_, [u8]> = frame.into();
            let of_frame = |source| BaselineError::Frame { number, source };
            let header = layout::parse(&frame, ChunkKind::Baseline).map_err(of_frame)?;
            let follows = |first: ChunkHeader| ChunkHeader {
                previous: hash,
                ..first
            };
            if header.count != 1 || first.is_some_and(|first| header != follows(first)) {
                return Err(BaselineError::Broken { number });
            }
            let piece = layout::checked_record(&header, &frame, header.first).map_err(of_frame)?;
            body.extend_from_slice(piece);
            hash = ChunkHash::of(header.previous, &frame);
            first = first.or(Some(header));
        }
        let header = first.ok_or(BaselineError::Incomplete {
            expected: 1,
            found: 0,
        })?;
        Self::read(&header, body)
    }

    fn preamble(&self, layout: u16) -> Vec<u8> {
        let starts: Vec<_> = self.point.timelines.iter().collect();
        let starts: Vec<_> = starts.iter().map(|it| (it.at, it.epoch)).collect();
        let bytes = self.state.len() as u64;
        let mut encoder = Encoder::new(Vec::new());
        let written = encoder
            .encode((layout, self.version, bytes, starts))
            .is_ok();
        debug_assert!(written, "a buffer takes everything");
        encoder.into_writer()
    }

    fn read(header: &ChunkHeader, mut body: Vec<u8>) -> Result<Self, BaselineError> {
        let malformed = |error: minicbor::decode::Error| BaselineError::Malformed {
            reason: error.to_string(),
        };
        let mut decoder = Decoder::new(&body);
        decoder.array().map_err(malformed)?;
        let found = decoder.u16().map_err(malformed)?;
        if found > LAYOUT {
            return Err(BaselineError::NewerLayout { found });
        }
        if found < LAYOUT {
            let reason = format!("it has layout {found}, which there never was");
            return Err(BaselineError::Malformed { reason });
        }
        let version = decoder.u32().map_err(malformed)?;
        let expected = decoder.u64().map_err(malformed)?;
        let starts: Vec<(Position, Epoch)> = decoder.decode().map_err(malformed)?;
        let begin = decoder.position();
        let found = (body.len() - begin) as u64;
        if found != expected {
            return Err(BaselineError::Incomplete { expected, found });
        }
        let starts = starts.into_iter();
        let starts = starts.map(|(at, epoch)| TimelineStart { at, epoch });
        let timelines = Timelines::from_starts(starts).filter(|it| it.newest() == header.epoch);
        let timelines = timelines.ok_or_else(|| BaselineError::Malformed {
            reason: "its timelines do not end with its epoch".to_owned(),
        })?;
        let state = body.split_off(begin);
        let point = BaselinePoint {
            floor: header.first,
            timelines,
            hash: header.previous,
            recorded_at: header.recorded_at,
        };
        Ok(Self::new(point, version, state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_of_a_newer_layout_is_newer_and_one_of_none_is_malformed() {
        let point = BaselinePoint {
            floor: Position(42),
            timelines: Timelines::of(Epoch([0x0a; 16])),
            hash: ChunkHash([7; 32]),
            recorded_at: Timestamp::from_millis(1),
        };
        let baseline = Baseline::new(point, 3, b"a state".to_vec());
        let read = |layout| {
            let mut body = baseline.preamble(layout);
            body.extend_from_slice(&baseline.state);
            Baseline::from_frames(baseline.framed(&body))
        };
        assert_eq!(read(LAYOUT), Ok(baseline.clone()));
        let newer = read(LAYOUT + 1).unwrap_err();
        assert_eq!(newer, BaselineError::NewerLayout { found: LAYOUT + 1 });
        assert!(newer.is_newer());
        let none = read(0).unwrap_err();
        assert!(matches!(none, BaselineError::Malformed { .. }), "{none}");
        assert!(!none.is_newer());
    }
}
