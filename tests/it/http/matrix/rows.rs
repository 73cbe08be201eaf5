//! The routes, to whom each is open, and what one that is allowed answers.

/// The callers to whom a route is open, and the extent of their access.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Class {
    /// Everyone.
    Open,
    /// Operators.
    Operator,
    /// Everyone who has a standing anywhere; it names no pool.
    Server,
    /// The members of the pool, in the same way for all of them.
    Whole,
    /// The members of the pool, each for its own run, which a query may name.
    Listing(&'static str),
    /// The run that the path names.
    Run,
    /// Members who act as their own run, which a field of the body may name.
    Acting(&'static str),
    /// Members who act as their own run, which a field of the body may name; operators for none, too.
    ActingOrNone(&'static str),
    /// Members who act as their own run, which the query may name.
    ActingByQuery(&'static str),
    /// The run that has the thing which the path names; another's is not found.
    Thing(Thing),
}

/// A thing that a run has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Thing {
    Message,
    Wake,
    Content,
}

/// A route, and what is known of it.
#[derive(Debug)]
pub(super) struct RouteRow {
    pub(super) route: &'static str,
    pub(super) class: Class,
    /// A body that it reads; empty when it reads none.
    pub(super) body: &'static str,
    /// The status of what is allowed: that of success, or what the scene has none of.
    pub(super) done: u16,
}

const fn row(route: &'static str, class: Class, body: &'static str, done: u16) -> RouteRow {
    RouteRow {
        route,
        class,
        body,
        done,
    }
}

use Class::{Acting, ActingByQuery, ActingOrNone, Listing, Open, Operator, Run, Server, Whole};

const MESSAGE: Class = Class::Thing(Thing::Message);
const WAKE: Class = Class::Thing(Thing::Wake);
const CONTENT: Class = Class::Thing(Thing::Content);

const CLAIM: &str = r#"{"claims":["1@2"]}"#;
const SEND: &str =
    r#"{"to":{"type":"run","run_id":"b"},"body":"x","idempotency_key":"matrix-send"}"#;
const WAIT: &str = r#"{"filter":"kind == \"run_failed\"","idempotency_key":"matrix-wake"}"#;
const REPORT: &str = r#"{"events":[{"kind":"turn_started"}],"idempotency_key":"matrix-events"}"#;
const PUBLISH: &str = r#"{"events":[{"kind":"model_stream_delta"}]}"#;

/// Every route of the server.
pub(super) const ROWS: &[RouteRow] = &[
    row("GET /healthz", Open, "", 200),
    row("GET /readyz", Open, "", 200),
    row("GET /openapi.json", Open, "", 200),
    row("GET /v1/version", Open, "", 200),
    row("POST /v1/prove", Open, PROVE, 200),
    row("GET /metrics", Operator, "", 200),
    row("GET /v1/status", Operator, "", 200),
    row("GET /v1/pools", Server, "", 200),
    row(
        "POST /v1/filters/compile",
        Server,
        r#"{"filter":"terminal"}"#,
        200,
    ),
    row("PUT /v1/pools/{pool}", Operator, "{}", 200),
    row("GET /v1/pools/{pool}", Whole, "", 200),
    row("DELETE /v1/pools/{pool}", Operator, "", 409),
    row("GET /v1/pools/{pool}/export", Operator, "", 200),
    row(
        "PATCH /v1/pools/{pool}/settings",
        Operator,
        r#"{"expected_version":1}"#,
        200,
    ),
    row(
        "POST /v1/pools/{pool}/members",
        Operator,
        r#"{"run_id":"new","agent_id":"new"}"#,
        201,
    ),
    row("GET /v1/pools/{pool}/members", Whole, "", 200),
    row("GET /v1/pools/{pool}/roster", Whole, "", 200),
    row("GET /v1/pools/{pool}/modules", Whole, "", 200),
    row(
        "PATCH /v1/pools/{pool}/members/{run}",
        Run,
        r#"{"topics":["t"]}"#,
        200,
    ),
    row("DELETE /v1/pools/{pool}/members/{run}", Run, "", 200),
    row(
        "POST /v1/pools/{pool}/members/{run}/heartbeat",
        Run,
        "",
        200,
    ),
    row(
        "POST /v1/pools/{pool}/members/{run}/state",
        Run,
        r#"{"state":"completed"}"#,
        200,
    ),
    row(
        "POST /v1/pools/{pool}/members/{run}/inbox/receive",
        Run,
        "{}",
        200,
    ),
    row("GET /v1/pools/{pool}/members/{run}/inbox", Run, "", 200),
    row(
        "POST /v1/pools/{pool}/members/{run}/inbox/ack",
        Run,
        CLAIM,
        404,
    ),
    row(
        "POST /v1/pools/{pool}/members/{run}/inbox/release",
        Run,
        CLAIM,
        404,
    ),
    row(
        "POST /v1/pools/{pool}/members/{run}/inbox/extend",
        Run,
        r#"{"claims":["1@2"],"claim_ms":5}"#,
        404,
    ),
    row("POST /v1/pools/{pool}/messages", Acting("from"), SEND, 201),
    row("GET /v1/pools/{pool}/messages/{id}", MESSAGE, "", 200),
    row(
        "POST /v1/pools/{pool}/messages/{id}/cancel",
        MESSAGE,
        "{}",
        200,
    ),
    row("GET /v1/pools/{pool}/dead-letters", Listing("run"), "", 200),
    row(
        "POST /v1/pools/{pool}/dead-letters/{cursor}/{run}/replay",
        Operator,
        "",
        404,
    ),
    row("GET /v1/pools/{pool}/effects", Listing("run"), "", 200),
    row(
        "POST /v1/pools/{pool}/effects/{id}/resolve",
        Operator,
        r#"{"outcome":"succeeded"}"#,
        404,
    ),
    row("POST /v1/pools/{pool}/wakes", Acting("run_id"), WAIT, 201),
    row("GET /v1/pools/{pool}/wakes", Listing("run"), "", 200),
    row("GET /v1/pools/{pool}/wakes/{id}", WAKE, "", 200),
    row("DELETE /v1/pools/{pool}/wakes/{id}", WAKE, "", 200),
    row("GET /v1/pools/{pool}/wakes/{id}/explain", WAKE, "", 200),
    row("GET /v1/pools/{pool}/events", Listing("view_run"), "", 200),
    row(
        "POST /v1/pools/{pool}/events",
        Acting("run_id"),
        REPORT,
        201,
    ),
    row(
        "POST /v1/pools/{pool}/events/ephemeral",
        Acting("run_id"),
        PUBLISH,
        200,
    ),
    row(
        "POST /v1/pools/{pool}/sources/{source}/attach",
        ActingOrNone("run_id"),
        r#"{"instance":"i","on_attached":"take_over"}"#,
        201,
    ),
    row(
        "POST /v1/pools/{pool}/sources/{source}/detach",
        Whole,
        r#"{"generation":1}"#,
        200,
    ),
    row(
        "POST /v1/pools/{pool}/sources/{source}/gaps",
        ActingOrNone("run_id"),
        r#"{"gap":{"reason":"lagged"},"idempotency_key":"matrix"}"#,
        201,
    ),
    row("GET /v1/pools/{pool}/edges", Whole, "", 200),
    row("PUT /v1/pools/{pool}/edges/{a}/{b}", Operator, "", 200),
    row("DELETE /v1/pools/{pool}/edges/{a}/{b}", Operator, "", 200),
    row("GET /v1/pools/{pool}/aliases", Whole, "", 200),
    row(
        "GET /v1/pools/{pool}/aliases/{recipient}/{channel}",
        Whole,
        "",
        404,
    ),
    row(
        "PUT /v1/pools/{pool}/aliases/{recipient}/{channel}",
        Operator,
        r#"{"to":{"type":"run","run_id":"a"}}"#,
        200,
    ),
    row(
        "DELETE /v1/pools/{pool}/aliases/{recipient}/{channel}",
        Operator,
        "",
        200,
    ),
    row("GET /v1/pools/{pool}/labels", Whole, "", 200),
    row(
        "PUT /v1/pools/{pool}/labels",
        Operator,
        r#"{"labels":{"team":"red"}}"#,
        200,
    ),
    row("GET /v1/pools/{pool}/members/{run}/labels", Whole, "", 200),
    row(
        "PUT /v1/pools/{pool}/members/{run}/labels",
        Operator,
        r#"{"labels":{"team":"red"}}"#,
        200,
    ),
    row("GET /v1/pools/{pool}/consumers", Operator, "", 200),
    row(
        "POST /v1/pools/{pool}/consumers/{name}/claim",
        Operator,
        "{}",
        200,
    ),
    row(
        "POST /v1/pools/{pool}/consumers/{name}/commit",
        Operator,
        r#"{"generation":9,"cursor":"07070707070707070707070707070707-1"}"#,
        404,
    ),
    row(
        "POST /v1/pools/{pool}/consumers/{name}/resume",
        Operator,
        "",
        404,
    ),
    row(
        "DELETE /v1/pools/{pool}/consumers/{name}",
        Operator,
        "",
        404,
    ),
    row("POST /v1/pools/{pool}/snapshot", Operator, "", 200),
    row(
        "POST /v1/pools/{pool}/trim",
        Operator,
        r#"{"age_ms":86400000}"#,
        200,
    ),
    row(
        "PUT /v1/pools/{pool}/contents",
        ActingByQuery("run"),
        r#"{"raw":true}"#,
        201,
    ),
    row("GET /v1/pools/{pool}/contents/{ref}", CONTENT, "", 200),
    row("DELETE /v1/pools/{pool}/contents/{ref}", CONTENT, "", 200),
];

/// A question for the proof of the operator's token.
const PROVE: &str = concat!(
    r#"{"name":"operator","address":"127.0.0.1:7171","nonce":""#,
    "0707070707070707070707070707070707070707070707070707070707070707",
    r#""}"#
);
