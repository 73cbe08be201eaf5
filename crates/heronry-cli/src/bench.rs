//! The figures behind `heronry bench`: the speed of the machine, and the speed of Heronry on it.
//!
//! Every ratio is of two measurements that were taken in turn in the same run, so that it holds while
//! the machine drifts.

mod crowd;
mod durable;
mod fair;
mod ground;
mod history;
mod machine;
mod memory;
mod reads;
mod redis;
mod reopen;
mod resident;
mod row;
mod streams;
mod waits;
mod watch;

use std::path::Path;

use clap::ValueEnum;

use crate::failure::Failure;

pub(crate) use row::{FigureRow, FigureVerdict, ROW_FIELDS};

/// A group of measurements.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Group {
    /// The machine itself
    Machine,
    /// Durable sends on redb beside redb alone
    Durable,
    /// Sends on the memory store
    Memory,
    /// The cost of earlier messages
    History,
    /// Joins, and messages to many
    Crowd,
    /// Registered waits
    Waits,
    /// Reading events
    Reads,
    /// Streams of events: replay, many subscribers, readers over HTTP
    Streams,
    /// Delays of a bystander beside a member that asks for much
    Fair,
    /// Opening a large pool, and sends beside snapshots and trims
    Reopen,
}

/// The amount of work that is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scale {
    /// The amount that the bars were set for.
    Full,
    /// A five-hundredth of the full amount: shows that everything runs.
    Quick,
}

impl Scale {
    /// Returns how many of `full` there are.
    fn of(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => (full / 500).max(10),
        }
    }

    /// Returns how often a pair is measured.
    fn rounds(self) -> usize {
        match self {
            Self::Full => 5,
            Self::Quick => 1,
        }
    }
}

/// Measures a group; what is durable is written into a folder of its own below `folder`.
pub(crate) async fn measure(
    group: Group,
    scale: Scale,
    folder: &Path,
) -> Result<Vec<FigureRow>, Failure> {
    match group {
        Group::Machine => machine::measure(scale, folder),
        Group::Durable => durable::measure(scale, folder).await,
        Group::Memory => memory::measure(scale).await,
        Group::History => history::measure(scale, folder).await,
        Group::Crowd => crowd::measure(scale).await,
        Group::Waits => waits::measure(scale).await,
        Group::Reads => reads::measure(scale).await,
        Group::Streams => streams::measure(scale, folder).await,
        Group::Fair => fair::measure(scale, folder).await,
        Group::Reopen => reopen::measure(scale, folder).await,
    }
}
