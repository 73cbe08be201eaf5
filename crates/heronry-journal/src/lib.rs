#![doc = include_str!("../README.md")]

mod body;
mod chunk;
mod record;

pub use body::*;
pub use chunk::{CHUNK_BYTES_MAX, Chunk, ChunkHash, ChunkHeader};
pub use record::{Entry, Record};
