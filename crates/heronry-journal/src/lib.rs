#![doc = include_str!("../README.md")]

mod body;
mod chain;
mod chunk;
mod codec;
mod hex;
mod kind;
mod record;

pub use body::*;
pub use chain::{Chain, ChainError, ChainFault};
pub use chunk::{
    Baseline, BaselineError, BaselinePoint, CHUNK_BYTES_MAX, Chunk, ChunkError, ChunkHash,
    ChunkHeader, ChunkKind, ChunkWriter, FORMAT_VERSION, HeaderField, RECORD_BYTES_MAX, Records,
    TooLarge, encoded_len, fits,
};
pub use kind::{RecordBody, Saying, SizeClass, Subject, Touch};
pub use record::{Entry, Record};

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
