//! The lines of an export.

use heronry_journal::{Body, Chunk, ChunkHash, ChunkHeader, ChunkWriter, Entry, Record};
use heronry_store::{
    ConsumerCursor, ConsumerId, ConsumerStanding, FilterFingerprint, NewContent, Stored,
    StoredContent, Tenure, Tombstone,
};
use heronry_types::{
    Actor, Body as Content, ContentRef, Cursor, Digest, EventKind, Lineage, Millis, PoolId,
    Position, Timestamp, Visibility,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::keys::KeysLine;

/// A line that is not a record.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExportLine {
    /// A frame of what stands for the records before the first chunk; the others follow at once.
    Baseline(BaselineLine),
    /// Keys of the records before the first chunk.
    Keys(KeysLine),
    /// A chunk begins; as many lines of records follow as it counts.
    Chunk(ChunkLine),
    /// A body.
    Content(ContentLine),
    /// A consumer, and where it stands.
    Consumer(ConsumerLine),
    /// The end of a pool: the lines before are all of it.
    End(EndLine),
}

/// A frame of a baseline, as it is stored.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BaselineLine {
    pub(super) pool: PoolId,
    /// The number of frames that the baseline has.
    pub(super) frames: usize,
    frame_base64: String,
}

/// The header of a chunk.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ChunkLine {
    pub(super) pool: PoolId,
    #[serde(flatten)]
    pub(super) header: ChunkHeader,
    pub(super) hash: ChunkHash,
}

/// A body, and where it stands.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContentLine {
    pub(super) pool: PoolId,
    pub(super) content_ref: ContentRef,
    /// The append that it rides with; absent when it was stored by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) append: Option<AppendSpan>,
    media_type: String,
    digest: Digest,
    /// The body; absent when it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    /// The rest of the body after it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased: Option<ErasedLine>,
}

/// The rest of an erased body, beside its media type and its digest.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ErasedLine {
    size_bytes: u64,
    at: Timestamp,
}

/// The positions of an append.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppendSpan {
    pub(super) first: Position,
    pub(super) last: Position,
}

/// A consumer of a pool: its cursor, the fingerprint of its filter as hex digits, and the tenure of its
/// holder.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsumerLine {
    pub(super) pool: PoolId,
    consumer: ConsumerId,
    cursor: Cursor,
    filter: Digest,
    generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    committed_at: Option<Timestamp>,
    hold_for_ms: Millis,
}

/// The end of a pool.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndLine {
    pub(super) pool: PoolId,
    pub(super) head: Cursor,
    pub(super) chunks: u64,
    pub(super) contents: u64,
    /// The number of keys of trimmed records; of a trimmed pool alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) keys: Option<u64>,
}

/// A record, as it is read back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordLine {
    position: Position,
    recorded_at: Timestamp,
    kind: EventKind,
    number: u16,
    version: u16,
    lineage: Lineage,
    actor: Actor,
    visibility: Visibility,
    body: Box<RawValue>,
    /// The bytes as they are stored, where this build would write others.
    #[serde(default)]
    bytes: Option<String>,
}

/// A record, as it is written.
#[derive(Serialize)]
struct WrittenRecord<'a> {
    #[serde(flatten)]
    record: &'a Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

impl BaselineLine {
    pub(super) fn of(pool: &PoolId, frame: &[u8], frames: usize) -> Self {
        Self {
            pool: pool.clone(),
            frames,
            frame_base64: base64(frame),
        }
    }

    pub(super) fn frame(&self) -> Result<Vec<u8>, String> {
        read_base64(&self.frame_base64).ok_or_else(|| "the frame is not base64".to_owned())
    }
}

impl ChunkLine {
    pub(super) fn of(pool: &PoolId, chunk: &Chunk) -> Self {
        Self {
            pool: pool.clone(),
            header: *chunk.header(),
            hash: chunk.hash(),
        }
    }

    /// Frames records as the chunk that the line describes.
    pub(super) fn frame(&self, records: &[Vec<u8>]) -> Result<Chunk, String> {
        let header = &self.header;
        let mut writer = ChunkWriter::new(
            header.epoch,
            header.first.previous(),
            header.previous,
            header.recorded_at,
        );
        for record in records {
            writer
                .push_bytes(record)
                .map_err(|error| error.to_string())?;
        }
        let mut chunks = writer.finish();
        let chunk = chunks.pop().filter(|_| chunks.is_empty());
        let chunk = chunk.ok_or("the records do not make one chunk")?;
        if chunk.hash() != self.hash {
            let (found, named) = (chunk.hash(), self.hash);
            return Err(format!(
                "the chunk has hash {found}, and the line says {named}"
            ));
        }
        Ok(chunk)
    }
}

impl ContentLine {
    pub(super) fn of(pool: &PoolId, content: &NewContent, append: Option<AppendSpan>) -> Self {
        let stored = &content.stored;
        let (body_base64, erased) = match stored {
            Stored::Kept(content) => (Some(base64(&content.body.bytes)), None),
            Stored::Erased(tombstone) => {
                let (size_bytes, at) = (tombstone.bytes, tombstone.erased_at);
                (None, Some(ErasedLine { size_bytes, at }))
            }
        };
        Self {
            pool: pool.clone(),
            content_ref: content.content_ref,
            append,
            media_type: stored.media_type().to_string(),
            digest: stored.digest(),
            body_base64,
            erased,
        }
    }

    /// Reads the body, and checks its digest; or what is left of it.
    pub(super) fn content(&self) -> Result<NewContent, String> {
        let body = match (&self.body_base64, &self.erased) {
            (Some(body), None) => body,
            (None, Some(ErasedLine { size_bytes, at })) => {
                let tombstone = Tombstone {
                    media_type: self.media_type.as_str().into(),
                    bytes: *size_bytes,
                    digest: self.digest,
                    erased_at: *at,
                };
                return Ok(NewContent::of(self.content_ref, Stored::Erased(tombstone)));
            }
            (Some(_), Some(_)) | (None, None) => {
                return Err(
                    "the line has no body, and does not say that it was erased; or both".to_owned(),
                );
            }
        };
        let bytes = read_base64(body).ok_or("the body is not base64")?;
        let stored = StoredContent::of(Content::new(self.media_type.as_str(), bytes));
        if stored.digest != self.digest {
            return Err("the body does not have its digest".to_owned());
        }
        Ok(NewContent::of(self.content_ref, Stored::Kept(stored)))
    }
}

impl ConsumerLine {
    pub(super) fn of(pool: &PoolId, standing: &ConsumerStanding) -> Self {
        let ConsumerStanding { consumer, cursor } = standing;
        Self {
            pool: pool.clone(),
            consumer: consumer.clone(),
            cursor: cursor.cursor,
            filter: Digest(cursor.filter.0),
            generation: cursor.tenure.generation,
            committed_at: cursor.tenure.committed_at,
            hold_for_ms: cursor.tenure.hold_for,
        }
    }

    pub(super) fn standing(&self) -> ConsumerStanding {
        ConsumerStanding {
            consumer: self.consumer.clone(),
            cursor: ConsumerCursor {
                cursor: self.cursor,
                filter: FilterFingerprint(self.filter.0),
                tenure: Tenure {
                    generation: self.generation,
                    committed_at: self.committed_at,
                    hold_for: self.hold_for_ms,
                },
            },
        }
    }
}

impl RecordLine {
    /// Returns the bytes of the record, which must stand at a position.
    pub(super) fn bytes(self, position: Position) -> Result<Vec<u8>, String> {
        if self.position != position {
            let found = self.position;
            return Err(format!(
                "record {found} stands where record {position} must"
            ));
        }
        if let Some(bytes) = self.bytes {
            return read_base64(&bytes).ok_or_else(|| "the bytes are not base64".to_owned());
        }
        let mut body = serde_json::Deserializer::from_str(self.body.get());
        let body = Body::deserialize_as(self.number, &mut body)
            .map_err(|error| format!("its body: {error}"))?;
        if self.version != body.version() || self.kind != body.event_kind() {
            return Err("its kind, number and version do not belong together".to_owned());
        }
        let entry = Entry {
            lineage: self.lineage,
            actor: self.actor,
            visibility: self.visibility,
            body,
        };
        Ok(entry.to_bytes())
    }

    /// Returns the time of the record, which is that of its chunk.
    pub(super) fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }
}

/// Returns the line of a record; its bytes go along when its parts do not give them back.
pub(super) fn record_line(record: &Record, stored: &[u8]) -> serde_json::Result<String> {
    let bytes = (record.entry.to_bytes() != stored).then(|| base64(stored));
    serde_json::to_string(&WrittenRecord { record, bytes })
}

pub(super) fn base64(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

pub(super) fn read_base64(text: &str) -> Option<Vec<u8>> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.decode(text).ok()
}
