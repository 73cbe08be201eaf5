//! One reference send in several encodings, and as the journal frames it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a bench stops at the first failure, and shows sizes beside criterion's times"
)]

mod mirror;
mod reference;

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use heronry_journal::{Body, Chunk, ChunkHash, ChunkWriter, Entry, encoded_len};
use heronry_types::{Actor, Address, Epoch, Position, Timestamp};

/// The number of sends in the large chunk.
const SENDS: usize = 256;

fn main_send() -> mirror::SendRecords {
    let [accepted, delivered] = reference::send();
    match (accepted.body.clone(), delivered.body.clone()) {
        (Body::MessageAccepted(a), Body::MessageDelivered(d)) => {
            let Address::Topic { topic_id } = a.to else {
                unreachable!("the reference send is to a topic");
            };
            let accepted_body = mirror::Accepted {
                message_id: a.message_id,
                to: mirror::Address::Topic { topic_id },
                content_ref: mirror::Bits(a.content_ref.bits()),
                media_type: a.media_type.to_string(),
                body_bytes: a.body_bytes,
                reply_to: a.reply_to,
                expires_at: a.expires_at.map(Timestamp::as_millis),
                policies: a.policies.as_slice().to_vec(),
                idempotency_key: a.idempotency_key,
                request_hash: mirror::Bits(a.request_hash.0),
            };
            let delivered_body = mirror::Delivered {
                accepted: d.accepted.0,
                message_id: d.message_id,
                reply_to: d.reply_to,
                topic: d.topic,
                recipients: d.recipients.0.to_vec(),
            };
            mirror::SendRecords {
                accepted: mirrored(accepted, accepted_body),
                delivered: mirrored(delivered, delivered_body),
            }
        }
        other => unreachable!("the reference send is accepted and delivered, not {other:?}"),
    }
}

fn mirrored<B>(entry: Entry, body: B) -> mirror::Record<B> {
    mirror::Record {
        number: entry.body.number(),
        version: entry.body.version(),
        lineage: entry.lineage.into(),
        actor: match entry.actor {
            Actor::Member { run, generation } => mirror::Actor::Member {
                run,
                generation: generation.0.0,
            },
            Actor::Engine | Actor::Operator => mirror::Actor::Engine,
        },
        visibility: 0,
        body,
    }
}

/// An encoding: how it appends a send to a buffer, and how it reads one.
struct Encoding {
    name: &'static str,
    encode: fn(&mirror::SendRecords, &mut Vec<u8>),
    decode: fn(&[u8]) -> mirror::SendRecords,
}

const ENCODINGS: [Encoding; 4] = [
    Encoding {
        name: "minicbor-numbered",
        encode: |send, out| minicbor::encode(send, out).unwrap(),
        decode: |bytes| minicbor::decode(bytes).unwrap(),
    },
    Encoding {
        name: "messagepack-named",
        encode: |send, out| rmp_serde::encode::write_named(out, send).unwrap(),
        decode: |bytes| rmp_serde::from_slice(bytes).unwrap(),
    },
    Encoding {
        name: "messagepack-positional",
        encode: |send, out| rmp_serde::encode::write(out, send).unwrap(),
        decode: |bytes| rmp_serde::from_slice(bytes).unwrap(),
    },
    Encoding {
        name: "json",
        encode: |send, out| serde_json::to_writer(out, send).unwrap(),
        decode: |bytes| serde_json::from_slice(bytes).unwrap(),
    },
];

fn note(line: &str) {
    eprintln!("{line}");
}

fn encodings(criterion: &mut Criterion) {
    let send = main_send();
    for encoding in &ENCODINGS {
        let mut bytes = Vec::new();
        (encoding.encode)(&send, &mut bytes);
        note(&format!(
            "{}: {} bytes per send",
            encoding.name,
            bytes.len()
        ));
        let mut group = criterion.benchmark_group(encoding.name);
        let mut out = Vec::with_capacity(4_096);
        group.bench_function("encode", |b| {
            b.iter(|| {
                out.clear();
                (encoding.encode)(black_box(&send), &mut out);
            });
        });
        group.bench_function("decode", |b| {
            b.iter(|| (encoding.decode)(black_box(&bytes)));
        });
        group.finish();
    }
}

fn write(sends: usize, entries: &[Entry]) -> Vec<Chunk> {
    let at = Timestamp::from_millis(1_795_162_530_125);
    let mut writer = ChunkWriter::new(Epoch([7; 16]), Position(9), ChunkHash([3; 32]), at);
    for _ in 0..sends {
        for entry in entries {
            writer.push(entry).unwrap();
        }
    }
    writer.finish()
}

fn chunks(criterion: &mut Criterion) {
    let entries = reference::send();
    let records: usize = entries.iter().map(encoded_len).sum();
    note(&format!("journal records: {records} bytes per send"));
    for sends in [1, SENDS] {
        let chunks = write(sends, &entries);
        let bytes: usize = chunks.iter().map(|chunk| chunk.bytes().len()).sum();
        let each = bytes / sends;
        note(&format!(
            "chunk of {sends} sends: {bytes} bytes, {each} per send"
        ));
        let mut group = criterion.benchmark_group(format!("chunk-of-{sends}-sends"));
        group.throughput(Throughput::Elements(2 * sends as u64));
        group.bench_function("write", |b| b.iter(|| write(sends, black_box(&entries))));
        let stored: Vec<Arc<[u8]>> = chunks.iter().map(|c| Arc::clone(c.bytes())).collect();
        group.bench_function("open", |b| {
            b.iter(|| stored.iter().cloned().flat_map(Chunk::decode).count());
        });
        group.bench_function("read", |b| {
            b.iter(|| {
                chunks
                    .iter()
                    .map(|chunk| chunk.records().flatten().count())
                    .sum::<usize>()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, encodings, chunks);
criterion_main!(benches);
