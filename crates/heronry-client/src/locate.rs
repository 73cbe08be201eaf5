//! The address of a server and the token that it is shown, looked up anew for each attempt.

use std::fmt;

use crate::{ServerAddress, Token};

/// A server at one moment: its address, and the token that it is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// The address where the server listens.
    pub address: ServerAddress,
    /// The token; nothing for routes that need none.
    pub token: Option<Token>,
}

/// Finds the server. It is asked before each attempt, so a server that starts later, or starts again
/// on another port, is found.
pub trait Locate: fmt::Debug + Send + Sync {
    /// Returns the endpoint of the server as it is now.
    ///
    /// # Errors
    /// [`LocateError`] says whether a later look may find it.
    fn locate(&self) -> Result<Endpoint, LocateError>;
}

/// The reasons why no server was found.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LocateError {
    /// Something is not there yet: a later look may find it.
    #[error("{0}")]
    NotYet(String),
    /// A setting that names the server or its token cannot be used, now or later.
    #[error("{0}")]
    Unusable(String),
}

/// An endpoint that never changes.
impl Locate for Endpoint {
    fn locate(&self) -> Result<Endpoint, LocateError> {
        Ok(self.clone())
    }
}
