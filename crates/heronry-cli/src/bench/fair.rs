//! Delays of a bystander whose pool has a member that asks for as much as it can.

mod loads;
mod scene;
pub(super) mod wire;

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use heronry_types::RunId;
use serde_json::json;

use self::{
    loads::{Done, Load},
    scene::FairScene,
    wire::{PATIENCE, Wire},
};
use super::{
    Scale,
    ground::{OrStop, id},
    row::{FigureRow, at_share, median},
    watch::Watch,
};
use crate::failure::Failure;

/// The number of events in the pool before the measurement.
const HISTORY: usize = 20_000;
/// The number of measured sends of the bystander in one round.
const SENDS: usize = 2_000;
/// The number of members that the bystander sends to, in turn.
const READERS: usize = 4;
/// The number of sends of the bystander before those that are measured.
const WARM_UP: usize = 30;
/// The longest time that the sends of one round take together, in seconds.
const ROUND_SECONDS: f64 = 1.0;
/// The time between two looks at the health of the server.
const HEALTH_EVERY: Duration = Duration::from_millis(5);

pub(crate) async fn measure(scale: Scale, folder: &Path) -> Result<Vec<FigureRow>, Failure> {
    let (mut rows, mut worst, mut beside_worst) = (Vec::new(), 0.0, "");
    for load in Load::ALL {
        let scene = FairScene::start(folder, scale.of(HISTORY)).await?;
        let scene = Arc::new(scene);
        let seen = Arc::clone(&scene);
        let measured = tokio::task::spawn_blocking(move || beside(load, &seen, scale));
        let felt = measured.await.or_stop()??;
        // The thread that measured has ended, and with it its hold on the scene.
        if let Some(scene) = Arc::into_inner(scene) {
            scene.stop().await?;
        }
        if felt.health > worst {
            (worst, beside_worst) = (felt.health, load.name());
        }
        rows.push(felt.row(load));
    }
    let note = format!("beside {beside_worst}, asked every 5 ms");
    let health = FigureRow::new("/healthz beside them, the worst", worst / 1e3, "ms");
    rows.push(health.at_most(50.0).note(note));
    Ok(rows)
}

/// The times of the bystander's sends, in microseconds.
#[derive(Debug, Default)]
struct Felt {
    alone: Vec<f64>,
    beside: Vec<f64>,
    /// The longest time of a look at the health of the server, in microseconds.
    health: f64,
    done: Done,
}

impl Felt {
    fn row(mut self, load: Load) -> FigureRow {
        let (alone, beside) = (
            at_share(&mut self.alone, 0.99),
            at_share(&mut self.beside, 0.99),
        );
        let Done {
            answered,
            refused,
            broken,
        } = self.done;
        let note = format!(
            "{beside:.0} µs beside {alone:.0} µs, p50 {:.0} beside {:.0}; {answered} requests, {refused} refused, \
             {broken} broken off; /healthz {:.1} ms at the most",
            median(&mut self.beside),
            median(&mut self.alone),
            self.health / 1e3,
        );
        let what = format!("bystander p99 beside {} ÷ alone", load.name());
        FigureRow::new(what, beside / alone, "×")
            .at_most(2.0)
            .note(note)
    }
}

/// Returns the members that the bystander sends to.
fn readers() -> Result<Vec<RunId>, Failure> {
    (0..READERS).map(|number| id("reader", number)).collect()
}

/// Measures a bystander alone and beside a load, in turn.
fn beside(load: Load, scene: &FairScene, scale: Scale) -> Result<Felt, Failure> {
    let mut bystander = Bystander::connect(scene)?;
    let mut felt = Felt::default();
    let sends = scale.of(SENDS);
    bystander.send(WARM_UP)?;
    felt.alone.extend(bystander.send(sends)?);
    load.prepare(scene, scale)?;
    for round in 0..scale.rounds() {
        // What is prepared stays: then it was alone only before.
        if round > 0 && load != Load::Armed {
            felt.alone.extend(bystander.send(sends)?);
        }
        let (took, done, health) = among(load, scene, |stop| {
            let took = bystander.send(sends);
            stop.store(true, Relaxed);
            took
        })?;
        let is_stuck = took
            .iter()
            .any(|took| *took >= PATIENCE.as_secs_f64() * 1e6);
        felt.beside.extend(took);
        felt.done.add(done);
        felt.health = felt.health.max(health);
        if is_stuck {
            break;
        }
    }
    Ok(felt)
}

/// Does something while a load runs; returns it, how the load went, and the worst look at the health.
fn among<T>(
    load: Load,
    scene: &FairScene,
    act: impl FnOnce(&AtomicBool) -> Result<T, Failure>,
) -> Result<(T, Done, f64), Failure> {
    let stop = AtomicBool::new(false);
    thread::scope(|threads| {
        let hostile: Vec<_> = (0..load.connections())
            .map(|_| threads.spawn(|| load.run(scene, &stop)))
            .collect();
        let (over, is_over) = mpsc::channel();
        let health = threads.spawn(move || watch_health(scene, &is_over));
        let acted = act(&stop);
        stop.store(true, Relaxed);
        drop(over);
        let mut done = Done::default();
        for thread in hostile {
            done.add(thread.join().map_err(|_| broke("a load"))?);
        }
        let health = health.join().map_err(|_| broke("a look at the health"))?;
        Ok((acted?, done, health.or_stop()?))
    })
}

fn broke(what: &str) -> Failure {
    Failure::failed(format_args!("the measurement stopped: {what} broke off"))
}

/// Asks again and again whether the server is alive; returns the longest time in microseconds.
fn watch_health(scene: &FairScene, is_over: &mpsc::Receiver<()>) -> io::Result<f64> {
    let request = scene.bystander.get("/healthz");
    let mut wire = Wire::connect(scene.bystander.server)?;
    let mut worst: f64 = 0.0;
    loop {
        let start = Watch::start();
        match wire.ask(&request) {
            Ok(_) => {}
            // Longer than anybody waits.
            Err(_) => wire = Wire::connect(scene.bystander.server)?,
        }
        worst = worst.max(start.micros());
        match is_over.recv_timeout(HEALTH_EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(worst),
        }
    }
}

/// A member that sends, one message after the other, on a connection of its own.
struct Bystander<'a> {
    scene: &'a FairScene,
    wire: Wire,
    sent: usize,
}

impl<'a> Bystander<'a> {
    fn connect(scene: &'a FairScene) -> Result<Self, Failure> {
        Ok(Self {
            scene,
            wire: Wire::connect(scene.bystander.server).or_stop()?,
            sent: 0,
        })
    }

    /// Sends this many messages, or as many as go out in the time; returns the microseconds of each.
    fn send(&mut self, count: usize) -> Result<Vec<f64>, Failure> {
        let (mut took, all) = (Vec::with_capacity(count), Watch::start());
        let path = format!("/v1/pools/{}/messages", self.scene.pool.id());
        let readers = readers()?;
        for reader in readers.iter().cycle() {
            if took.len() >= count || all.seconds() >= ROUND_SECONDS {
                break;
            }
            self.sent += 1;
            let body = json!({
                "to": {"type": "run", "run_id": reader},
                "body": "x".repeat(200),
                "idempotency_key": format!("m-{}", self.sent),
            });
            let request = self.scene.bystander.post(&path, &body);
            let start = Watch::start();
            match self.wire.ask(&request) {
                Ok(200 | 201) => {}
                Ok(status) => {
                    return Err(Failure::failed(format_args!(
                        "the measurement stopped: a send was answered with {status}"
                    )));
                }
                // It is longer than anybody waits.
                Err(_) => {
                    took.push(start.micros().max(PATIENCE.as_secs_f64() * 1e6));
                    self.wire = Wire::connect(self.scene.bystander.server).or_stop()?;
                    break;
                }
            }
            took.push(start.micros());
        }
        Ok(took)
    }
}
