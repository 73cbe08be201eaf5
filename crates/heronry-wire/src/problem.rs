//! Refusals and failures: `application/problem+json` (RFC 9457) with stable slugs.

use std::fmt;

use heronry_types::Cursor;
#[cfg(feature = "schema")]
use heronry_types::{Generation, PolicyRef, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[cfg(feature = "schema")]
use crate::ClaimName;

/// The media type of a [`Problem`].
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// The text before the slug in `type`.
const TYPE_PREFIX: &str = "/problems/";

macro_rules! problems {
    ($($(#[$doc:meta])* $variant:ident = $slug:literal, $status:literal, $title:literal;)*) => {
        /// The kind of a problem. Each kind has one slug, one title, and a usual status.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum ProblemKind {
            $($(#[$doc])* $variant,)*
        }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the last part of `type`.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }

            /// Returns the usual status of the kind, which holds unless a route says otherwise.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// Returns the meaning of the kind, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

problems! {
    /// The request cannot be read: `field` names what is wrong, where one field is.
    InvalidRequest = "invalid-request", 400, "the request cannot be read";
    /// A value over a limit: `limit`, `max`, `actual`.
    LimitExceeded = "limit-exceeded", 400, "a limit would be crossed";
    /// A text that is not a cursor: `field`.
    CursorInvalid = "cursor-invalid", 400, "not a cursor";
    /// A filter that is not valid: `errors`.
    FilterInvalid = "filter-invalid", 400, "the filter is not valid";
    /// No token, or none that is known. One body for all causes.
    Unauthorized = "unauthorized", 401, "a valid token is needed";
    /// Only an operator may do this.
    OperatorOnly = "operator-only", 403, "only an operator may do this";
    /// The request names another run than its token.
    SenderMismatch = "sender-mismatch", 403, "the request names another run than its token";
    /// The run is not a member.
    NotAMember = "not-a-member", 403, "the run is not a member of the pool";
    /// A policy is missing: `policy`.
    Policy = "policy", 403, "a policy is not held";
    /// The page that sent the request is foreign.
    OriginNotAllowed = "origin-not-allowed", 403, "requests of this origin are not served";
    /// The path names nothing.
    NotFound = "not-found", 404, "nothing is here";
    /// There is no such pool, or none that the caller may know of.
    PoolNotFound = "pool-not-found", 404, "no such pool";
    /// There is no such member.
    MemberNotFound = "member-not-found", 404, "no such member";
    /// There is no such message, or none that the caller may know of.
    MessageNotFound = "message-not-found", 404, "no such message";
    /// There is no such wake, or none that the caller may know of.
    WakeNotFound = "wake-not-found", 404, "no such wake";
    /// There is no such claim: `claims`.
    ClaimNotFound = "claim-not-found", 404, "no such claim";
    /// There is no such dead letter.
    DeadLetterNotFound = "dead-letter-not-found", 404, "no such dead letter";
    /// There is no such effect.
    EffectNotFound = "effect-not-found", 404, "no such effect";
    /// There is no such alias.
    AliasNotFound = "alias-not-found", 404, "no such alias";
    /// No consumer of the pool has this name.
    ConsumerNotFound = "consumer-not-found", 404, "no such consumer";
    /// The body is not stored. 409 when a message refers to it.
    ContentMissing = "content-missing", 404, "no such content";
    /// The path exists, but not with this method.
    MethodNotAllowed = "method-not-allowed", 405, "not with this method";
    /// The body of the request did not arrive in time: `max_ms`.
    RequestTimeout = "request-timeout", 408, "the request did not arrive in time";
    /// A pool exists with another configuration: `fields`.
    ConfigConflict = "config-conflict", 409, "the pool has another configuration";
    /// The pool has members, and is not deleted: `members`.
    PoolHasMembers = "pool-has-members", 409, "the pool has members";
    /// The pool has another head than was expected: `head`.
    PoolChanged = "pool-changed", 409, "the pool has moved on";
    /// Something still needs the records that a trim would drop: `held_by`, `floor`, and `consumer` when it is one.
    TrimHeld = "trim-held", 409, "records are still needed";
    /// The settings were changed meanwhile: `settings_version`.
    SettingsConflict = "settings-conflict", 409, "the settings were changed meanwhile";
    /// The run is a member with another `field`.
    MemberConflict = "member-conflict", 409, "the run is a member with other fields";
    /// The key was used for another request: `first_cursor`, `field`.
    IdempotencyConflict = "idempotency-conflict", 409, "the key or id was used for another request";
    /// A newer joining of the run exists: `generation`.
    Fenced = "fenced", 409, "the run was taken over";
    /// The run has ended: `state`.
    RunEnded = "run-ended", 409, "the run has ended";
    /// The run is a member already, and was to be a new one: `generation`, `last_seen`.
    RunTaken = "run-taken", 409, "the run is a member already";
    /// Claims are no longer held: `claims`.
    ClaimLapsed = "claim-lapsed", 409, "claims are no longer held";
    /// The copy is not dead: `state`.
    NotDead = "not-dead", 409, "the copy is not dead";
    /// The message has expired or was cancelled.
    MessageOver = "message-over", 409, "the message is over";
    /// More replies are expected than can count: `expected`, `eligible`.
    ContractUnsatisfiable = "contract-unsatisfiable", 409, "more replies are expected than can count";
    /// The server itself holds the consumer: `consumer_generation`.
    ConsumerHeld = "consumer-held", 409, "the consumer is held";
    /// Another holder claimed the consumer: `consumer_generation`.
    ConsumerFenced = "consumer-fenced", 409, "the consumer was taken over";
    /// The consumer's cursor is of another filter: `found_filter`, `asked_filter`.
    ConsumerFilterChanged = "consumer-filter-changed", 409, "the consumer has another filter";
    /// The cursor is before the committed one: `committed`.
    ConsumerBehind = "consumer-behind", 409, "the consumer has committed more";
    /// The effect has a result.
    EffectFinished = "effect-finished", 409, "the effect has a result";
    /// A later attempt or a newer generation has the effect.
    EffectStale = "effect-stale", 409, "the effect is somebody else's by now";
    /// The effect has no key, and is not done again.
    EffectUnsafe = "effect-unsafe", 409, "the effect is not safe to repeat";
    /// Another bridge reports from the source: `generation`.
    SourceTaken = "source-taken", 409, "another bridge reports from the source";
    /// The bridge does not have the source any more.
    SourceFenced = "source-fenced", 409, "the bridge does not have the source any more";
    /// Another instance is the steward of the pool: `steward`.
    StewardHeld = "steward-held", 409, "another steward keeps the pool";
    /// The roster was declared anew meanwhile: `revision`.
    RosterConflict = "roster-conflict", 409, "the roster was declared anew meanwhile";
    /// The run is not in the roster: `run_id`.
    NotSpecified = "not-specified", 409, "the run is not in the roster";
    /// More than one thing has this id: name the run with `run`.
    Ambiguous = "ambiguous", 409, "more than one has this id";
    /// The cursor is ahead of the journal: `head`.
    CursorAhead = "cursor-ahead", 409, "the cursor is ahead of the journal";
    /// The cursor belongs to another timeline.
    CursorForeign = "cursor-foreign", 409, "the cursor belongs to another timeline";
    /// Records after the cursor were trimmed: `floor`.
    CursorTrimmed = "cursor-trimmed", 410, "records after the cursor were trimmed";
    /// The body was erased.
    ContentErased = "content-erased", 410, "the content was erased";
    /// A body is too large: `limit`, `max`.
    TooLarge = "too-large", 413, "the body is too large";
    /// The body has another media type than the route reads.
    UnsupportedMediaType = "unsupported-media-type", 415, "the body has the wrong media type";
    /// The `Host` is not this server.
    HostNotAllowed = "host-not-allowed", 421, "this server is not that host";
    /// The pool has more to do than it can queue, or all of somebody's share of it is taken: `limit`,
    /// `max`, `retry_after_ms`.
    Busy = "busy", 429, "the pool is busy";
    /// A recipient's inbox is full: `retry_after_ms`.
    InboxFull = "inbox-full", 429, "an inbox is full";
    /// The server failed.
    Internal = "internal", 500, "the server failed";
    /// The store stopped: `cause` says why (`full`, `read-only`, `io`, `corrupt`, `owned-elsewhere` …),
    /// `outcome` whether the request may have been kept.
    StoreFenced = "store-fenced", 503, "the store has stopped";
    /// Another runtime owns the pool: `owner`.
    PoolOwned = "pool-owned", 503, "another runtime owns the pool";
    /// The pool is being deleted; it is gone soon, or back.
    PoolDeleting = "pool-deleting", 503, "the pool is being deleted";
    /// As many connections as may be are open: `limit`, `max`, `retry_after_ms`.
    TooManyConnections = "too-many-connections", 503, "too many connections are open";
    /// The server is shutting down.
    ShuttingDown = "shutting-down", 503, "the server is shutting down";
}

impl ProblemKind {
    /// Returns the kind with this slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}

/// Typed members of a problem beside the four that all have, by name.
pub type Members = Map<String, Value>;

/// The members that problems have, each of them only some: a problem of a newer server may have more.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(transform = heronry_types::schema::all_may_be_absent)]
#[expect(
    dead_code,
    reason = "the names and forms of members, for schemas alone"
)]
struct KnownMembers {
    /// The field, query parameter or header that is wrong.
    field: Option<String>,
    /// The fields in which a configuration differs.
    fields: Option<Vec<String>>,
    /// The faults of a filter.
    errors: Option<Vec<heronry_event::filter::CompileError>>,
    /// The name of the limit that is crossed.
    limit: Option<String>,
    /// The largest value that is taken.
    max: Option<u64>,
    /// The smallest value that is taken.
    min: Option<u64>,
    /// The value that the request has.
    actual: Option<u64>,
    /// The longest time in milliseconds for a request to arrive.
    max_ms: Option<u64>,
    /// The time in milliseconds after which to ask again.
    retry_after_ms: Option<u64>,
    /// The head of the pool.
    head: Option<Cursor>,
    /// The lowest cursor that can be read from.
    floor: Option<Cursor>,
    /// The cursor that the request named.
    requested: Option<Cursor>,
    /// The last cursor that both timelines have.
    diverged_at: Option<Cursor>,
    /// The generation that holds the consumer.
    consumer_generation: Option<u64>,
    /// The fingerprint of the filter that the consumer's cursor is of.
    found_filter: Option<String>,
    /// The fingerprint of the filter that was asked for.
    asked_filter: Option<String>,
    /// The cursor that the consumer has committed.
    committed: Option<Cursor>,
    /// The cursor of the request that used the key or the id first.
    first_cursor: Option<Cursor>,
    /// The generation that took over, or that holds the run.
    generation: Option<Generation>,
    /// The time at which the holder of the run was last heard of.
    last_seen: Option<Timestamp>,
    /// The state of the run or of the copy.
    state: Option<String>,
    /// The policy that is missing.
    policy: Option<PolicyRef>,
    /// The claims that it is about.
    claims: Option<Vec<ClaimName>>,
    /// The kind of what still needs records: `keys`, `look_back`, `matching` or `consumer`.
    held_by: Option<String>,
    /// The name of the consumer that still needs records.
    consumer: Option<String>,
    /// The number of members of the pool.
    members: Option<u64>,
    /// The version of the settings.
    settings_version: Option<u64>,
    /// The number of replies that are expected.
    expected: Option<u64>,
    /// The number of recipients whose replies can count.
    eligible: Option<u64>,
    /// The reason why the store stopped.
    cause: Option<String>,
    /// The outcome of the request: `none` when it was not kept, `unknown` when it may have been.
    outcome: Option<String>,
    /// The time at which the body was erased.
    erased_at: Option<Timestamp>,
}

/// A refusal or failure. JSON: `type`, `title`, `status`, `detail`, and typed members beside them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// The type of the problem: `/problems/<slug>`.
    #[serde(rename = "type")]
    pub type_path: String,
    /// The meaning of the problem, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The detail: the finding, and what to do.
    #[serde(default)]
    pub detail: String,
    /// Typed members.
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", schemars(with = "KnownMembers"))]
    pub members: Members,
}

impl Problem {
    /// Returns a problem of this kind; `detail` says what was found and what to do.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            type_path: format!("{TYPE_PREFIX}{}", kind.slug()),
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            members: Members::new(),
        }
    }

    /// Sets another status than the usual one.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a typed member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a member that is a cursor.
    #[must_use]
    pub fn with_cursor(self, name: &str, cursor: Cursor) -> Self {
        self.with(name, cursor.to_string())
    }

    /// Returns the kind; nothing when a newer server named one that is not known here.
    pub fn kind(&self) -> Option<ProblemKind> {
        ProblemKind::from_slug(self.slug())
    }

    /// Returns the slug.
    pub fn slug(&self) -> &str {
        self.type_path
            .strip_prefix(TYPE_PREFIX)
            .unwrap_or(&self.type_path)
    }

    /// Returns a member that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// Returns a member that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.members.get(name).and_then(Value::as_u64)
    }

    /// Returns a member that is a cursor.
    pub fn cursor(&self, name: &str) -> Option<Cursor> {
        // A member that is no cursor is as good as absent: the problem itself says what happened.
        self.text(name).and_then(|text| Cursor::parse(text).ok())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() {
            f.write_str(&self.title)
        } else {
            f.write_str(&self.detail)
        }
    }
}

impl std::error::Error for Problem {}
