//! The golden image: the bytes of an encoded state, with one of each of its parts, never change.

use std::{fmt::Write as _, fs, path::PathBuf};

use heronry_journal::{Chunk, ChunkHash, ChunkWriter, Record};
use heronry_pool::{ENCODING_VERSION, TrimNote, engine::Replay};
use heronry_types::{
    DistinctBy, Durability, EffectResult, EventKind, LimitName, MemberStanding, Millis,
    ModuleStanding, Peering, PoolSpec, Position, Retention, RosterLayer, RunEnd,
};

use crate::scenario::{
    EPOCH, Event, Joining, Letter, Scenario, Sleep, Take, Wait, minter,
    notation::{count, limits_of},
};

/// The first position that the trim of the golden journal leaves, and the head when it was decided.
const TRIM: (u64, u64) = (12, 13);
/// The number of finished messages that stay in memory, so that others leave it.
const FINISHED_KEPT: usize = 1;

fn path(version: u32, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("golden/v{version}"))
        .join(name)
}

/// Returns a journal whose fold has one of each part of a state.
fn history() -> Scenario {
    let mut pool = Scenario::with(
        PoolSpec {
            limits: Some(limits_of(&[(LimitName::AttemptsMax, 2)])),
            retention: Some(Retention {
                age_ms: Some(Millis::from_secs(60)),
                bytes: Some(1_000_000),
                keep_min: Some(10),
            }),
            ..PoolSpec::default()
        },
        "lead a b",
    );
    pool.join(
        Joining::of("c")
            .session("s")
            .topics("t u")
            .policies("p")
            .lease(10_000),
    )
    .ok();
    pool.say("lead", "a", "gone").ok();
    take(&mut pool, "a", "gone");
    pool.say("lead", "a", "straddles").ok();
    pool.receive("a", Take::by("r-straddles").held_for(600_000))
        .ok();
    assert_eq!(pool.head(), TRIM.1, "the trim is decided here");
    pool.ack("a", "straddles").ok();
    messages(&mut pool);
    copies(&mut pool);
    replies(&mut pool);
    wakes(&mut pool);
    others(&mut pool);
    pool
}

fn take(pool: &mut Scenario, by: &str, message: &str) {
    pool.receive(by, format!("r-{message}").as_str()).ok();
    pool.ack(by, message).ok();
}

/// Messages that have finished, and in every other standing.
fn messages(pool: &mut Scenario) {
    for message in ["done-1", "done-2", "done-3"] {
        pool.say("lead", "a", message).ok();
        take(pool, "a", message);
    }
    pool.send("lead", &Letter::to("nobody", "failed")).ok();
    pool.say("lead", "pool:p", "many").ok();
    pool.receive("b", Take::by("r-many").held_for(600_000)).ok();
    take(pool, "a", "many");
    pool.send("lead", &Letter::to("c", "later").after(900_000))
        .ok();
    pool.send("lead", &Letter::to("c", "urgent").steer()).ok();
    pool.send("lead", &Letter::to("b", "ordered").ordered())
        .ok();
    pool.receive("b", Take::by("r-ordered").held_for(600_000))
        .ok();
    pool.send("lead", &Letter::to("a", "back")).ok();
    pool.receive("a", "r-back").ok();
    pool.release_for("a", "back", 50_000).ok();
}

/// Copies that are dead, replayed, expired, cancelled and undeliverable.
fn copies(pool: &mut Scenario) {
    for message in ["dead", "replayed"] {
        pool.join("e").ok();
        pool.say("lead", "e", message).ok();
        for receive in ["first", "second"] {
            pool.receive("e", format!("{message}-{receive}").as_str())
                .ok();
            pool.release("e", message).ok();
        }
    }
    let replayed = pool.accepted("replayed");
    pool.replay("e", &replayed).ok();
    pool.join("d").ok();
    pool.say("lead", "pool:p", "without d").ok();
    pool.leave("d").ok();
    pool.send("lead", &Letter::to("pool:p", "cancelled")).ok();
    pool.receive("b", Take::by("r-cancelled").max(9).held_for(600_000))
        .ok();
    pool.cancel("lead", "cancelled").ok();
    pool.send("lead", &Letter::to("pool:p", "expired").expires_in(1_000))
        .ok();
    pool.receive("b", Take::by("r-expired").max(9).held_for(600_000))
        .ok();
    pool.pass(1_000).ok();
}

/// Messages that ask for replies.
fn replies(pool: &mut Scenario) {
    pool.send(
        "lead",
        &Letter::to("pool:p", "asks").asks(2).within(900_000),
    )
    .ok();
    pool.send("a", &Letter::to("lead", "answers").reply_to("asks"))
        .ok();
}

/// Wakes that wait, and that have ended in each way.
fn wakes(pool: &mut Scenario) {
    let failed = r#"kind == "run_failed""#;
    let for_failure = |id| Wait::for_one(failed, id);
    pool.join("f").ok();
    pool.wait("a", &for_failure("triggered")).ok();
    pool.end("f", RunEnd::Failed).ok();
    pool.wait("a", &for_failure("waits").timeout(900_000)).ok();
    pool.wait("a", &for_failure("timed out").timeout(1)).ok();
    pool.pass(1).ok();
    pool.wait("a", &for_failure("cancelled")).ok();
    pool.cancel_wake("a", "cancelled").ok();
    let turns = count(3, DistinctBy::Event, r#"kind == "turn_started""#);
    pool.wait("a", &Wait::on(turns, "counts")).ok();
    let turn = || vec![Event::of(EventKind::TurnStarted)];
    pool.report_events("a", "turn-1", turn()).ok();
    pool.report_events("a", "turn-2", turn()).ok();
    pool.look_back_beside();
    let completed = r#"kind == "run_completed""#;
    pool.wait("a", &Wait::for_one(completed, "in vain").since("start"))
        .ok();
    let registered = pool.head();
    pool.finish_look_in_vain(registered).ok();
    pool.wait("a", &Wait::for_one(completed, "looks").since("start"))
        .ok();
}

/// Effects, bodies, sources, another timeline, and members that are suspended, taken over and lost.
fn others(pool: &mut Scenario) {
    pool.intend("a", "mail", Some("effect")).ok();
    let intended = (pool.head() - 1).to_string();
    pool.report("a", (intended.as_str(), Some(1)), EffectResult::succeeded())
        .ok();
    pool.intend("a", "call", None).ok();
    pool.store("a", "stored", 100).ok();
    pool.store("a", "erased", 100).ok();
    pool.erase("a", "erased", None).ok();
    let event = || Event::of(EventKind::ToolStarted);
    pool.report_from("a", "numbered", "n", &[("1", event()), ("4", event())])
        .ok();
    pool.report_from("a", "named", "i", &[("one", event()), ("two", event())])
        .ok();
    pool.attach("operator", "attached", "bridge").ok();
    pool.join(Joining::of("e").instance("other")).ok();
    pool.store("operator", "roster", 100).ok();
    pool.declare_stored(RosterLayer::Declared, 1, "roster").ok();
    pool.declare(0, RosterLayer::Overlay, 2, None).ok();
    pool.start_timeline(9);
    roster(pool);
    wiring(pool);
    pool.pass(1).ok();
    pool.suspend("b", &Sleep::default().timeout(900_000)).ok();
    // c is silent for longer than its lease.
    pool.pass(20_000).ok();
    pool.say("lead", "a", "last").ok();
    pool.receive("a", Take::by("r-last").max(9).held_for(600_000))
        .ok();
    pool.send("lead", &Letter::to("a", "expires").expires_in(900_000))
        .ok();
}

/// A roster that is not applied in its timeline, and what was told of it.
fn roster(pool: &mut Scenario) {
    pool.take_steward("host", 7).ok();
    let steward = pool.head();
    pool.specify_labelled(steward, 1, &["a", "sleeps"], &[("tier", "2")])
        .ok();
    pool.specify(steward, 2, &["new found"]).ok();
    pool.stand(steward, MemberStanding::Active, &["a", "sleeps"])
        .ok();
    pool.stand_module(steward, "index exit 1", ModuleStanding::Failed)
        .ok();
    pool.reconcile(steward, 2, 1).ok();
    pool.runtime_error("error", None).ok();
}

/// Edges of both managers, and one that was removed by hand; aliases and labels.
fn wiring(pool: &mut Scenario) {
    pool.wire("operator", "a-b").ok();
    pool.wire("steward", "a-c lead-a").ok();
    pool.unwire("operator", "a-c").ok();
    pool.set_alias("operator", "*/*", "topic:t").ok();
    pool.set_alias("steward", "member.a/news", "a").ok();
    pool.peer("operator", 1, Peering::Wired).ok();
    pool.say("lead", "pool:p", "not to all").ok();
    pool.peer("operator", 2, Peering::Open).ok();
    pool.say("lead", "alias:member.a/news", "to alias").ok();
    pool.label("operator", None, "team=red").ok();
    pool.label("operator", Some("a"), "tier=1").ok();
}

/// Returns the image of a journal after the trim.
fn image(records: &[Record]) -> Vec<u8> {
    let (floor, decided) = TRIM;
    let pool = heronry_types::PoolId::parse("p").unwrap();
    let replay = Replay::new(pool, EPOCH, minter(), Durability::Memory);
    let mut replay = replay.keeping_finished(FINISHED_KEPT).counting();
    for record in records {
        replay.record(record).unwrap();
        replay.forget_finished(record.position);
        if record.position == Position(decided) {
            replay.trimmed(TrimNote {
                floor: Position(floor),
                at: record.recorded_at,
                decided: Position(decided),
            });
        }
    }
    replay.image()
}

/// Returns the chunks of records: a chunk has one time.
fn chunks(records: &[Record]) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut epoch = EPOCH;
    for records in records.chunk_by(|one, next| one.recorded_at == next.recorded_at) {
        let last = chunks.last();
        let previous = last.map_or(ChunkHash::START, Chunk::hash);
        let head = records[0].position.previous();
        let mut writer = ChunkWriter::new(epoch, head, previous, records[0].recorded_at);
        for record in records {
            writer.push(&record.entry).unwrap();
        }
        chunks.extend(writer.finish());
        epoch = chunks.last().unwrap().header().epoch;
    }
    chunks
}

fn to_hex(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in bytes {
        write!(digits, "{byte:02x}").unwrap();
    }
    digits + "\n"
}

fn from_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

/// Reads a golden file; writes it when it is missing and that was asked for, and never over one.
fn read_or_add(name: &str, expected: impl FnOnce() -> String) -> String {
    let add = std::env::var("HERONRY_GOLDEN").is_ok_and(|word| word == "add");
    let path = path(ENCODING_VERSION, name);
    if add && !path.exists() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, expected()).unwrap();
    }
    fs::read_to_string(&path).unwrap_or_else(|error| {
        let path = path.display();
        panic!("{path}: {error}; write it with HERONRY_GOLDEN=add, and commit it")
    })
}

fn records_of(chunks: &str) -> Vec<Record> {
    let mut records = Vec::new();
    for line in chunks.lines() {
        let chunk = Chunk::decode(from_hex(line)).unwrap();
        records.extend(chunk.records().map(Result::unwrap));
    }
    records
}

#[test]
fn an_image_of_an_older_version_is_read_and_goes_on_in_the_newest() {
    let read = |name| fs::read_to_string(path(3, name)).unwrap();
    let older = from_hex(read("image.hex").trim());
    let today = image(&records_of(&read("records.hex")));
    assert!(older != today, "the encoding has changed since");
    let older = Replay::from_image(&older, minter(), Durability::Memory).unwrap();
    assert!(older.counting().image() == today);
}

#[test]
fn the_golden_image_is_what_its_records_give_and_is_read_as_it_was_written() {
    let today = history();
    let records = read_or_add("records.hex", || {
        let chunks = chunks(today.records());
        chunks.iter().map(|chunk| to_hex(chunk.bytes())).collect()
    });
    let expected = image(&records_of(&records));
    let golden = from_hex(read_or_add("image.hex", || to_hex(&expected)).trim());
    assert!(
        expected == golden,
        "the encoding of a state has changed; see golden/README.md"
    );
    for image in [golden, image(today.records())] {
        let read = Replay::from_image(&image, minter(), Durability::Memory).unwrap();
        assert!(
            read.counting().image() == image,
            "it is written otherwise than it was read"
        );
    }
}
