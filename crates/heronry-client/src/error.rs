//! The errors with which a call ends.

use std::error::Error;

use heronry_types::{LimitName, Vocabulary};
use heronry_wire::{Problem, ProblemKind};

/// The error of a call that has no answer, or not the one that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The text is not the URL of a server that this client can reach.
    #[error("{found:?} is not a server's URL; write it as http://127.0.0.1:7171 or unix:PATH")]
    Url {
        /// The text that was found.
        found: String,
    },
    /// Nothing says where the server is, or which token it is shown.
    #[error("{detail}")]
    NotFound {
        /// The sentence that says what is missing, where it was looked for, and what to do.
        detail: String,
        /// True when a later look may find it.
        may_come: bool,
    },
    /// The program that listens there did not prove that it knows the token, so the token was not sent.
    #[error(
        "what listens at {url} does not know this token, so the token was not sent: \
         another program may listen there, or the token is another server's"
    )]
    Unproven {
        /// The address where it listens.
        url: String,
        /// The reason why there is no proof.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// An id that no path can name.
    #[error("{found:?} cannot stand in a path; choose another id")]
    Path {
        /// The id.
        found: String,
    },
    /// No connection to the server, or it broke before the answer came.
    #[error("cannot reach the server at {url}; is it running?")]
    Unreachable {
        /// The server.
        url: String,
        /// The error of the connection.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server did not answer in time.
    #[error("the server at {url} did not answer in time")]
    Timeout {
        /// The server.
        url: String,
    },
    /// The server refused, or failed: the problem says which and why.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The program that answered does not speak this API.
    #[error("the answer of {url} is not one of a Heronry server (status {status})")]
    Foreign {
        /// The server.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// An answer cannot be read.
    #[error("cannot read the answer to {route}")]
    Decode {
        /// The route that was called.
        route: String,
        /// The error of reading the answer.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ClientError {
    /// Returns the problem that the server named.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            Self::Url { .. }
            | Self::Path { .. }
            | Self::NotFound { .. }
            | Self::Unproven { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Foreign { .. }
            | Self::Decode { .. } => None,
        }
    }

    /// Returns the value of a limit of the pool, when the server says that a request crosses it.
    pub fn crossed(&self, limit: LimitName) -> Option<u64> {
        let problem = self.problem()?;
        let is_this = problem.text("limit") == Some(limit.wire_name());
        problem.number("max").filter(|_| is_this)
    }

    /// Returns true when the server named a problem of this kind.
    pub fn is(&self, kind: ProblemKind) -> bool {
        self.problem().and_then(Problem::kind) == Some(kind)
    }

    /// Returns true when no answer came: a later call may get one.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => true,
            Self::NotFound { may_come, .. } => *may_come,
            Self::Url { .. }
            | Self::Path { .. }
            | Self::Unproven { .. }
            | Self::Refused(_)
            | Self::Foreign { .. }
            | Self::Decode { .. } => false,
        }
    }
}
