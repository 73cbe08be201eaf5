//! The environment of what is started: where its pool is, and by what it proves who it is.

use async_trait::async_trait;
use heronry_types::{Cursor, MessageId, WakeId};

use crate::{EnvironmentValue, HostEnvironment, HostedSubject};

/// The cause for which a sleeping member is started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WokenBy {
    /// A message was accepted for the member.
    Message {
        /// The acceptance.
        cursor: Cursor,
        /// The message.
        message: MessageId,
    },
    /// One of the member's wakes ended.
    Wake {
        /// The end of the wake.
        cursor: Cursor,
        /// The wake.
        wake: WakeId,
    },
}

impl std::fmt::Display for WokenBy {
    /// Writes the cursor, and behind it `message:` or `wake:` with the id.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message { cursor, message } => write!(f, "{cursor} message:{message}"),
            Self::Wake { cursor, wake } => write!(f, "{cursor} wake:{wake}"),
        }
    }
}

/// The request for the environment of one start.
#[derive(Clone, Debug)]
pub struct AccessRequest {
    /// The thing that is started.
    pub subject: HostedSubject,
    /// The member token of its incarnation; `None` for a module that is no member.
    pub token: Option<EnvironmentValue>,
    /// The cause for which it is started; `None` when nothing woke it.
    pub woken_by: Option<WokenBy>,
}

/// Makes the environment of what is started. Whoever puts a program together implements it: a host sees
/// the finished environment alone.
///
/// 1. What it returns names nothing by which the started could act as an operator or as another member.
/// 2. The private folder of a member is the same for every incarnation of its run, and of nobody else.
/// 3. A repeat returns the same, and changes nothing.
#[async_trait]
pub trait MemberAccess: Send + Sync {
    /// Returns the environment of one start.
    ///
    /// # Errors
    /// [`AccessError`] when the folder cannot be made, or the pool cannot be reached by members.
    async fn environment(&self, request: &AccessRequest) -> Result<HostEnvironment, AccessError>;
}

/// The reason why there is no environment for what is to be started.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct AccessError(pub String);
