//! The claims of messages by their number, as the engine makes them.

use heronry_journal::{ChunkHash, RequestHash};
use heronry_store::{Checkpoint, KeyEntry, KeyHash, KeyName};
use heronry_types::{Epoch, Id, Position, RunId};

/// The claims of a message: its key and its id, 26 and 36 bytes long.
pub(crate) fn claims_of(run: &RunId, message: u64) -> [KeyHash; 2] {
    let mixed = message.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let key = format!("k-{mixed:016x}-{:07}", message % 10_000_000);
    let id = format!("m-{mixed:016x}{message:018x}");
    [
        KeyName::Key(Id::parse(key).unwrap()),
        KeyName::Message(Id::parse(id).unwrap()),
    ]
    .map(|name| KeyHash::new(run, &name))
}

pub(crate) fn entry(message: u64) -> KeyEntry {
    let mixed = message.wrapping_mul(0xd605_bbb5_8c8a_bbc9);
    KeyEntry {
        first: Position(message * 2 + 1),
        request_hash: RequestHash((u128::from(mixed) << 64 | u128::from(message)).to_be_bytes()),
    }
}

pub(crate) fn checkpoint(message: u64) -> Checkpoint {
    Checkpoint {
        epoch: Epoch([1; 16]),
        position: Position(message * 2 + 2),
        hash: ChunkHash([1; 32]),
    }
}
