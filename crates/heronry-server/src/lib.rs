#![doc = include_str!("../README.md")]

mod app;
mod connections;
mod extract;
mod guards;
mod health;
mod hosts;
mod identity;
mod metrics;
mod openapi;
mod problems;
mod router;
mod routes;
mod serve;
mod serve_error;
mod sse;
mod under_way;

pub use heronry_api::{Anonymous, Auth, Keepers, OperatorToken, Stop};

pub use connections::{ConnectionLimits, Listener};
pub use health::{DiskProbe, DiskSpace, DiskWatch, StoreWatch, WhenStoreCloses};
pub use router::{Routes, router};
pub use routes::openapi_json;
pub use serve::{ServerConfig, serve};
pub use serve_error::ServeError;
