//! Records about a pool as a whole.

use heronry_types::{PoolConfig, Settings};
use minicbor::{Decode, Encode};
use serde::Serialize;

/// A pool was created: always record 1.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, Serialize)]
pub struct PoolCreated {
    /// What it is set up with.
    #[n(0)]
    pub config: PoolConfig,
    /// Version 1 of what can be changed.
    #[n(1)]
    pub settings: Settings,
}

/// A pool's settings were changed.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, Serialize)]
pub struct PoolConfigured {
    /// The version that these settings have.
    #[n(0)]
    pub version: u64,
    /// All settings, valid for later records.
    #[n(1)]
    pub settings: Settings,
}
