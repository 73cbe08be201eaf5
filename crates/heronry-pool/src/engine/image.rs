//! Images of an engine: its state at one point of its journal, and how far the wakes have come that count
//! events. A snapshot and a baseline are one.

use std::collections::BTreeMap;

use heronry_journal::{CountedEvent, Record};
use heronry_types::{Durability, Position};
use minicbor::{Decoder, Encoder, bytes::ByteSlice};

use super::{Engine, Replay, UnreadableFilter, triggers::Which};
use crate::{Minter, State, state::UnreadableState};

/// The bytes of the hash at the end of an image, of everything before it.
const HASH_BYTES: usize = 32;

/// The bytes of an image that this build cannot read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableImage {
    /// The state in it cannot be read.
    #[error(transparent)]
    State(#[from] UnreadableState),
    /// A wake in it waits by a filter that this build cannot read.
    #[error(transparent)]
    Filter(#[from] UnreadableFilter),
    /// The parts around the state are not those that an image has.
    #[error("the image is malformed: {reason}")]
    Malformed {
        /// The fault that was found.
        reason: String,
    },
}

impl UnreadableImage {
    /// Returns true when a newer build reads these bytes, as opposed to damage.
    pub fn is_newer(&self) -> bool {
        match self {
            Self::State(UnreadableState::Newer { .. }) | Self::Filter(_) => true,
            Self::State(UnreadableState::Malformed { .. } | UnreadableState::Different)
            | Self::Malformed { .. } => false,
        }
    }
}

/// The part of an image beside the state.
#[derive(Debug, Default)]
struct ImageProgress {
    settled: Position,
    counted: BTreeMap<Position, Vec<CountedEvent>>,
}

impl Replay {
    /// Returns the replay that counts events for waiting wakes as it takes records in, so that
    /// [`image`](Self::image) has how far they have come.
    #[must_use]
    pub fn counting(mut self) -> Self {
        self.is_counting = true;
        self
    }

    /// Counts a record for the wakes for which earlier events count.
    pub(super) fn count(&mut self, record: &Record) {
        let engine = &mut self.engine;
        if engine.triggers.counts_since().is_none() {
            return;
        }
        engine
            .triggers
            .begin(&engine.state, record, Which::OfCounts);
        engine.triggers.go_on(&engine.state, usize::MAX);
        engine.triggers.forget_ended();
    }

    /// Returns the image of everything up to the last record that was taken in, in
    /// [`ENCODING_VERSION`](crate::ENCODING_VERSION). The replay [counts](Self::counting).
    pub fn image(&self) -> Vec<u8> {
        debug_assert!(self.is_counting, "nobody knows how far wakes have come");
        self.engine.to_image()
    }

    /// Returns the replay that goes on after an image.
    ///
    /// # Errors
    /// [`UnreadableImage`] when the bytes are no whole image, or one of a newer build.
    pub fn from_image(
        image: &[u8],
        minter: Minter,
        durability: Durability,
    ) -> Result<Self, UnreadableImage> {
        let DecodedImage { state, progress } = decode(image)?;
        let (pool, epoch) = (state.pool.clone(), state.epoch());
        let mut engine = Engine::new(pool, epoch, minter, durability);
        engine.state = state;
        engine.restore(&progress)?;
        Ok(Self {
            engine,
            is_counting: false,
        })
    }
}

impl Engine {
    /// Returns the image of the engine; nothing while it has decided what is not recorded, or counts what was
    /// recorded before.
    pub fn image(&self) -> Option<Vec<u8>> {
        let is_settled = !self.is_appending && !self.has_backlog();
        is_settled.then(|| self.to_image())
    }

    fn to_image(&self) -> Vec<u8> {
        let state = self.state.to_bytes();
        let counted: Vec<_> = self.triggers.counted_events().into_iter().collect();
        let mut encoder = Encoder::new(Vec::with_capacity(state.len() + 64));
        let state = <&ByteSlice>::from(state.as_slice());
        let written = encoder.encode((state, self.matching.settled(), counted));
        debug_assert!(written.is_ok(), "a buffer takes everything");
        let mut image = encoder.into_writer();
        let hash = blake3::hash(&image);
        image.extend_from_slice(hash.as_bytes());
        image
    }

    /// Lets the wakes of the state wait again, as far as they have come.
    fn restore(&mut self, progress: &ImageProgress) -> Result<(), UnreadableFilter> {
        let nothing = Vec::new();
        let wakes = &self.state.wakes;
        for registered in wakes.live_after(Position::ZERO) {
            if let Some(wake) = wakes.get(registered) {
                let counted = progress.counted.get(&registered).unwrap_or(&nothing);
                self.triggers
                    .restore(&self.state, registered, wake, counted)?;
            }
        }
        self.triggers.set_counted_through(self.state.head);
        self.matching.set_settled(progress.settled);
        Ok(())
    }
}

/// An image that was read.
struct DecodedImage {
    state: State,
    progress: ImageProgress,
}

fn decode(image: &[u8]) -> Result<DecodedImage, UnreadableImage> {
    let malformed = |error: minicbor::decode::Error| UnreadableImage::Malformed {
        reason: error.to_string(),
    };
    let whole = image.split_last_chunk::<HASH_BYTES>();
    let whole = whole.filter(|(image, hash)| blake3::hash(image) == **hash);
    let Some((image, _)) = whole else {
        let reason = "its hash differs".to_owned();
        return Err(UnreadableImage::Malformed { reason });
    };
    let mut decoder = Decoder::new(image);
    if decoder.array().map_err(malformed)? != Some(3) {
        let reason = "it has other parts".to_owned();
        return Err(UnreadableImage::Malformed { reason });
    }
    let state = State::decode(decoder.bytes().map_err(malformed)?)?;
    let settled = decoder.decode().map_err(malformed)?;
    let counted: Vec<(Position, Vec<CountedEvent>)> = decoder.decode().map_err(malformed)?;
    if decoder.position() != image.len() {
        let reason = "something follows".to_owned();
        return Err(UnreadableImage::Malformed { reason });
    }
    let counted = counted.into_iter().collect();
    let progress = ImageProgress { settled, counted };
    Ok(DecodedImage { state, progress })
}
