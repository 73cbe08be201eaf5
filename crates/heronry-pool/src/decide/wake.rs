//! Rules about wakes: registering them, giving them up, and what earlier events gave.

mod register;
mod scan;

pub use register::{CancelWake, RegisterWake, ScanRequest, WakeEvents, WakeRequest};
pub use scan::{FinishScan, Scanned};
