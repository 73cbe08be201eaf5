//! The loads that a hostile or careless member puts on a server.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use serde_json::{Value, json};

use super::{
    scene::FairScene,
    wire::{Asker, Wire},
};
use crate::{
    bench::{Scale, ground::OrStop},
    failure::Failure,
};

/// The number of filters of a condition: the most that a condition may have.
const FILTERS: usize = 64;
/// The number of terms of a filter, or of values in its list: the most that fits into its text.
const TERMS: usize = 64;
/// The number of events in one report.
const REPORTED: usize = 1_000;
/// The number of wakes that are armed, each of as many clauses, if the pool takes them.
const WAKES: usize = 1_000;
/// The size of a usual content, in bytes.
const CONTENT_BYTES: usize = 64 * 1024;
/// The size of a large content, in bytes.
const LARGE_BYTES: usize = 1024 * 1024;
/// The number of large contents that one connection stores in a round.
const LARGE_CONTENTS: usize = 24;

/// A request that a member repeats on each of its connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Load {
    EmptyPages,
    Pages,
    Replays,
    Explains,
    LongPolls,
    Receives,
    Contents,
    LargeContents,
    Compiles,
    Armed,
}

impl Load {
    pub(super) const ALL: [Self; 10] = [
        Self::EmptyPages,
        Self::Pages,
        Self::Replays,
        Self::Explains,
        Self::LongPolls,
        Self::Receives,
        Self::Contents,
        Self::LargeContents,
        Self::Compiles,
        Self::Armed,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::EmptyPages => "pages that keep nothing",
            Self::Pages => "pages of 1 000",
            Self::Replays => "replays",
            Self::Explains => "explains of 64 filters",
            Self::LongPolls => "long polls",
            Self::Receives => "receives",
            Self::Contents => "contents of 64 KiB",
            Self::LargeContents => "contents of 1 MiB",
            Self::Compiles => "filters of 64 terms",
            Self::Armed => "1 000 events, wakes armed",
        }
    }

    /// Returns on how many connections it is done.
    pub(super) fn connections(self) -> usize {
        match self {
            Self::EmptyPages
            | Self::Pages
            | Self::Replays
            | Self::Explains
            | Self::LongPolls
            | Self::Receives
            | Self::Contents
            | Self::LargeContents
            | Self::Compiles => 8,
            // One request is what holds a pool.
            Self::Armed => 1,
        }
    }

    /// Does the preparation once.
    pub(super) fn prepare(self, scene: &FairScene, scale: Scale) -> Result<(), Failure> {
        match self {
            Self::Explains => wait_for_nobody(scene),
            Self::Armed => {
                // Until the pool says that it is enough.
                let mut numbers = 0..scale.of(WAKES);
                while numbers
                    .next()
                    .map_or(Ok(false), |number| arm(scene, number))?
                {}
                Ok(())
            }
            Self::EmptyPages
            | Self::Pages
            | Self::Replays
            | Self::LongPolls
            | Self::Receives
            | Self::Contents
            | Self::LargeContents
            | Self::Compiles => Ok(()),
        }
    }

    /// Does it on one connection, until it is to stop.
    pub(super) fn run(self, scene: &FairScene, stop: &AtomicBool) -> Done {
        let mut done = Done::default();
        let mut wire = None;
        for number in 0.. {
            let is_enough = self == Self::LargeContents && number >= LARGE_CONTENTS;
            if stop.load(Relaxed) || is_enough {
                break;
            }
            match self.once(scene, &mut wire, stop) {
                Ok(200..300) => done.answered += 1,
                Ok(_) => done.refused += 1,
                // It may begin again.
                Err(_) => {
                    done.broken += 1;
                    wire = None;
                }
            }
        }
        done
    }

    fn once(
        self,
        scene: &FairScene,
        wire: &mut Option<Wire>,
        stop: &AtomicBool,
    ) -> io::Result<u16> {
        let mut open = match wire.take() {
            Some(open) => open,
            None => Wire::connect(scene.hostile.server)?,
        };
        let request = self.request(scene);
        if self == Self::Replays {
            return open.follow(&request, b"event: caught_up", || !stop.load(Relaxed));
        }
        let status = open.ask(&request)?;
        *wire = Some(open);
        Ok(status)
    }

    fn request(self, scene: &FairScene) -> Vec<u8> {
        let hostile = &scene.hostile;
        let at = |path: &str| format!("/v1/pools/{}{path}", scene.pool.id());
        match self {
            Self::EmptyPages => {
                hostile.get(&at("/events?limit=1000&filter=run%20%3D%3D%20%22nobody%22"))
            }
            Self::Pages => hostile.get(&at("/events?limit=1000")),
            Self::Replays => hostile.stream(&at("/events?from=start")),
            Self::Explains => hostile.get(&at("/wakes/wait-0/explain")),
            Self::LongPolls => hostile.get(&at("/events?from=head&limit=1&wait_ms=1000")),
            Self::Receives => {
                let path = at("/members/hostile-0000001/inbox/receive");
                hostile.post(&path, &json!({"max": 1000}))
            }
            Self::Contents => content(hostile, &at("/contents"), CONTENT_BYTES),
            Self::LargeContents => content(hostile, &at("/contents"), LARGE_BYTES),
            Self::Compiles => {
                let terms = (0..TERMS).map(|term| {
                    let names = (0..6).map(|name| format!("\"r{term}{name}\""));
                    let names = names.collect::<Vec<_>>().join(",");
                    let tags = format!("\"t{term}-0\" in tags && \"t{term}-1\" in tags");
                    format!("(run in [{names}] && {tags})")
                });
                let filter = terms.collect::<Vec<_>>().join(" || ");
                hostile.post("/v1/filters/compile", &json!({ "filter": filter }))
            }
            Self::Armed => {
                let events = vec![json!({"kind": "tool_completed"}); REPORTED];
                let key = format!("armed-{}", scene.reported.fetch_add(1, Relaxed));
                let body = json!({"events": events, "idempotency_key": key});
                hostile.post(&at("/events"), &body)
            }
        }
    }
}

/// Returns a request that stores this many bytes.
fn content(hostile: &Asker, path: &str, bytes: usize) -> Vec<u8> {
    let body = vec![b'x'; bytes];
    hostile.with_body("PUT", path, ("application/octet-stream", &body))
}

/// Counts of the requests of a load, by their results.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) answered: usize,
    pub(super) refused: usize,
    pub(super) broken: usize,
}

impl Done {
    pub(super) fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.refused += other.refused;
        self.broken += other.broken;
    }
}

/// Registers a wake of 64 filters that nothing ever satisfies.
fn wait_for_nobody(scene: &FairScene) -> Result<(), Failure> {
    let filter = |filter| json!(format!("run == \"nobody-{filter}\" && topic == \"none\""));
    let filters: Vec<_> = (0..FILTERS).map(filter).collect();
    if register(scene, 0, ("any_of", filters))? {
        return Ok(());
    }
    Err(Failure::failed(
        "the measurement stopped: a wake was refused",
    ))
}

/// Registers a wake of 64 clauses that every event matches and none fills; returns whether it was taken.
fn arm(scene: &FairScene, number: usize) -> Result<bool, Failure> {
    let clause = |clause| {
        let filter = format!("kind == \"tool_completed\" && topic != \"t-{number}-{clause}\"");
        json!({"count": {"n": 15, "distinct_by": "run", "filter": filter}})
    };
    let clauses: Vec<_> = (0..FILTERS).map(clause).collect();
    register(scene, number, ("all_of", clauses))
}

fn register(
    scene: &FairScene,
    number: usize,
    (condition, parts): (&str, Vec<Value>),
) -> Result<bool, Failure> {
    let name = format!("wait-{number}");
    let body = json!({
        condition: parts, "wake_id": name, "idempotency_key": name, "timeout_ms": 3_600_000,
    });
    let path = format!("/v1/pools/{}/wakes", scene.pool.id());
    let mut wire = Wire::connect(scene.hostile.server).or_stop()?;
    let status = wire.ask(&scene.hostile.post(&path, &body)).or_stop()?;
    match status {
        201 => Ok(true),
        400 | 429 => Ok(false),
        other => Err(Failure::failed(format_args!(
            "the measurement stopped: a wake was answered with {other}"
        ))),
    }
}
