#![doc = include_str!("../README.md")]

mod app;
mod auth;
mod connections;
mod extract;
mod guards;
mod identity;
mod metrics;
mod openapi;
mod problems;
mod routes;
mod serve;
mod sse;
mod streams;

pub use app::{Stop, router};
pub use auth::{Anonymous, Auth, OperatorToken, TokenKey};
pub use connections::{ConnectionLimits, Listener};
pub use openapi::openapi_json;
pub use serve::{ServeError, ServerConfig, serve};
