#![doc = include_str!("../README.md")]

mod app;
mod auth;
mod connections;
mod extract;
mod guards;
mod health;
mod identity;
mod metrics;
mod openapi;
mod problems;
mod routes;
mod serve;
mod shares;
mod side;
mod sse;
mod status;
mod under_way;

pub use app::{Routes, Stop, router};
pub use auth::{Anonymous, Auth, Joining, OperatorToken, TokenKey};
pub use connections::{ConnectionLimits, Listener};
pub use health::{DiskProbe, DiskSpace, DiskWatch, StoreWatch, WhenStoreCloses};
pub use openapi::openapi_json;
pub use serve::{ServeError, ServerConfig, serve};
