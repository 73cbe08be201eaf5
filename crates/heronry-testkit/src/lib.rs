#![doc = include_str!("../README.md")]

mod clock;
pub mod conformance;
mod damage;
pub mod embedded;
mod fault;
mod gate;
pub mod hosts;
mod ids;
pub mod recovery;
pub mod sample;
mod shared;
mod sync_gate;

pub use clock::ManualClock;
pub use damage::{Harm, HarmedFile, Outcomes, flip_copies};
pub use fault::{AppendFault, FaultStore, Faults, Faulty};
pub use gate::Hold;
pub use ids::SeededIds;
pub use shared::SharedHub;
pub use sync_gate::{HeldSyncs, NotReached, SyncGate};
