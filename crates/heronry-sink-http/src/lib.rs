#![doc = include_str!("../README.md")]

mod endpoint;
mod sink;

pub use endpoint::{Endpoint, EndpointError};
pub use sink::HttpSink;
